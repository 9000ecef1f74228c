"""Questions beyond those that every audit answers: a period, new hires, the first day of a first cycle."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from scimops.audit.audit import Audit, Question
from scimops.audit.first_day import first_day
from scimops.audit.period import Period, hires, joined_in
from scimops.errors import UsageError

if TYPE_CHECKING:
    from scimops.audit.arrivals import Arrivals
    from scimops.audit.kept import KeptExport
    from scimops.audit.told import Logs
    from scimops.idp import Export


def of_period(
    period: Period, audit: Audit, exports: Sequence[KeptExport], hr: Export | None, arrivals: Arrivals | None
) -> Question:  # fmt: skip
    """Who joined in the period, leavers included, and did they arrive?

    Raises:
        IncompleteSourceError: an export is of another company.
        SettingError: an export has no column that the setting names.
    """
    joined = joined_in(period, audit, exports, hr, arrivals)
    before, after, unknown = (joined.everybody[name] for name in ("before", "after", "not_known"))
    rest = f"{before:,} joined before it, {after:,} after it, of {unknown:,} it is not known"
    rest += f"; rows that cannot be read, or are nobody's for sure: {joined.unclear:,}" if joined.unclear else ""
    unsure = joined.people.filter(~pl.col("sure")).height
    rest += f"; {unsure:,} of them came between two exports and may have joined outside it" if unsure else ""
    days = f"{period.first} to {period.last}"
    return Question(
        f"joined_{period.name}", f"Who joined in {period.name}, and did they arrive?",
        f"Everybody who joined from {days}, those who left included; {rest}",
        f"exports: {', '.join(joined.exports)}" + (f"; list of employees: {', '.join(hr.files)}" if hr else ""),
        "Joined by the list of employees, else by the day of hire, else between two exports; arrived by the audits.",
        joined.people.height, joined.counts, joined.people,
    )  # fmt: skip


def of_new_hires(days: Sequence[int], audit: Audit) -> list[Question]:
    """Did those whose first day lies at most so many days back arrive? One question for each number of days."""
    today = dt.datetime.fromisoformat(audit.at).date()
    undated = audit.coverage.people["since"].null_count()
    rest = f"; of {undated:,} nobody knows the first day" if undated else ""
    return [
        Question(
            f"new_in_{row['days']}_days", f"Did the new hires of {row['days']:,} days arrive?",
            f"Everybody whose first day is {today - dt.timedelta(days=row['days'])} to {today}{rest}",
            "; ".join(f"{name}: {where}" for name, where in audit.sources.items()), "As in the question: arrived",
            row["people"], {name: row[name] for name in audit.coverage.counts},
            audit.coverage.since(today - dt.timedelta(days=row["days"])).filter(pl.col("since") <= today),
        )
        for row in hires(audit, days).iter_rows(named=True)
    ]  # fmt: skip


def of_first_day(since: dt.datetime, audit: Audit, logs: Logs) -> list[Question]:
    """How far is a first cycle that began then, and which errors came first?

    Raises:
        UsageError: it has not begun.
    """
    if since > dt.datetime.fromisoformat(audit.at):
        raise UsageError(f"The first cycle has not begun: the platform was read at {audit.at}.", advice="Audit later.")
    day = first_day(audit.coverage, logs, since, backend=audit.preview.backend)
    source = "; ".join(f"{name}: {where}" for name, where in audit.sources.items())
    errors = {str(row["reason"] or "other"): 0 for row in day.errors.iter_rows(named=True)}
    for row in day.errors.iter_rows(named=True):
        errors[str(row["reason"] or "other")] += row["lines"]
    return [
        Question("first_day", "How far is the first cycle?", "Everybody who should be there in the end", source,
                 "Of those who are missing, how many for each link and cause.", day.expected,
                 {"arrived": day.arrived, "missing": int(day.missing["people"].sum()), "not_due_yet": day.not_due_yet},
                 day.missing),
        Question("first_errors", "What failed in the first cycle?",
                 f"Lines of the logs since {since:%Y-%m-%d %H:%M} UTC that did not succeed", source,
                 "Counted by log, operation and reason; the first line of each.",
                 sum(errors.values()), errors, day.errors),
    ]  # fmt: skip
