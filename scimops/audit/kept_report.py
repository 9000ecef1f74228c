"""What one audit keeps for the next: its findings, and when each link was seen; one audit at a time in a folder."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl
from filelock import FileLock, Timeout

from scimops.audit.arrivals import record, said
from scimops.audit.causes import OF_TRAININGS
from scimops.audit.since_last import About, compared, keep, read_last, to_keep
from scimops.errors import ScimopsError

if TYPE_CHECKING:
    from scimops.audit.audit import Audit
    from scimops.audit.report import Report

LOCK: Final = ".keep.lock"
_WAIT: Final = 60.0
"""Seconds to wait for another audit: at a million people it reads and writes for a few."""


class KeptByAnotherError(ScimopsError):
    """Another audit has been writing what is kept for longer than one takes."""


def keep_report(report: Report, folder: Path, about: About) -> Report:
    """Keep in `folder` what the next audit needs, and give `report` as it is against what was kept there until now.

    Another audit may have been kept since `report` was made: what is kept is read, compared with and written while no
    other audit does so. What is to be known of the nights before comes first in the findings. Once more with the same
    report changes nothing.

    Args:
        report: compared with what was kept before, or not yet.
        folder: made where it is not there yet, for its owner alone.
        about: whom the audit asked about.

    Raises:
        KeptByAnotherError: another audit did not end in time; nothing was kept.
        UsageError: what is kept is of a later time, of another setting or platform, or about others; it stays.
        SourceError: what is kept cannot be read; it stays as it is.
    """
    with _alone(folder):
        report = against_last(report, folder, about)
        arrivals = record(folder, report.audit)
        assert report.last is not None
        keep(folder, about, report.audit.at, to_keep(report.items, report.last))
    nights = said(arrivals, report.audit.at)
    return replace(report, findings=[*nights, *(one for one in report.findings if one not in nights)])


def against_last(report: Report, folder: Path, about: About) -> Report:
    """`report` as it is against the last audit that was kept in `folder`, or as the first one; nothing is written.

    Raises:
        UsageError: what is kept is of a later time, cannot be read, or is about others.
    """
    last = read_last(folder, about)
    if report.last and last and last.at == report.audit.at and last.frame.equals(to_keep(report.items, report.last)):
        return report  # this one is kept already: nothing of it would be new against itself
    items = report.items.drop("since", "new", strict=False)
    items, since = compared(items, last, report.audit.at, _unseen(report.audit))
    return replace(report, items=items, last=since)


def _unseen(audit: Audit) -> pl.Expr:
    """Which findings of the last audit are no more because this one could not look: nobody knows that they are solved.

    That is so of trainings where enrolments cannot be read now, and of people in no row where rows cannot be read.
    """
    people = audit.coverage.people.select("status", key=pl.coalesce("externalId", "userName", "email"))
    gone = ~pl.col("key").is_in(people["key"].implode()) & (pl.col("code") != "left_still_active")
    arrived = pl.col("key").is_in(people.filter(status="arrived")["key"].implode())
    trained = pl.col("code").is_in([f"lost_{cause}" for cause in OF_TRAININGS]) & arrived
    blind = "enrolments" in audit.coverage.not_read
    return (gone & pl.lit(audit.unsure)) | (trained & pl.lit(blind))


def _alone(folder: Path) -> AbstractContextManager[object]:
    """One audit at a time; the lock goes with the process that holds it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        return FileLock(folder / LOCK, timeout=_WAIT, mode=0o600).acquire()
    except Timeout:
        raise KeptByAnotherError(
            f"Another audit has been writing here for {_WAIT:.0f} seconds.", where=str(folder),
            advice=f"Wait for its end. Who holds {LOCK}? The lock goes with that process; or name another folder.",
        ) from None  # fmt: skip
