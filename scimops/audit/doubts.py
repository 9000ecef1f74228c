"""What is to be known of the sources before anything is believed of people: how old they are, what was not read."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import polars as pl

from scimops.audit.kept import few_in_common
from scimops.findings import Finding
from scimops.plan.make import people_of_setting
from scimops.plan.safeguards import most

if TYPE_CHECKING:
    from scimops.audit.people import Met
    from scimops.idp import Export

FEWEST = 10
"""People on each side, from which on sharing few of them is told."""

TOO_OLD = dt.timedelta(days=1)
"""How much older than the snapshot an export may be, so that who is in no row of it counts as having left; and how much
older than the export the snapshot, so that it counts as of now."""

CODES = ("old_export", "rows_unread", "few_in_common", "many_absent", "old_state", "dates_unread", "status_unknown")
"""The codes of all that is said here."""


def of_absence(met: Met, at: dt.datetime) -> list[Finding]:
    """Why who is in no row of the export is not said to have left: it is old, not read whole, or of another company."""
    age, unread = at - met.preview.export.taken_at, met.preview.reasons.get("rejected_unreadable", 0)
    ours, _ = people_of_setting(met.users.select("id", "active", "setting"), met.snapshot)
    shared, rows, there = met.matched.pairs.height, met.rows.height, ours.height
    active = ours.filter(pl.col("active").fill_null(True))
    absent = active.join(met.matched.pairs, on="id", how="anti").height
    safeguards = met.preview.setting.safeguards
    allowed = most(safeguards.deactivate, active.height, safeguards.minimum)
    doubts = []
    if age > TOO_OLD:
        hours = round(age.total_seconds() / 3600)
        doubts.append(Finding(
            "old_export", "error", f"The export is {hours:,} hours older than the snapshot of the platform.",
            "Whoever is in no row of it is not said to have left. Export again and audit on the same day.", count=hours,
        ))  # fmt: skip
    if unread:
        doubts.append(Finding(
            "rows_unread", "error", f"{unread:,} {'row' if unread == 1 else 'rows'} of the export cannot be read.",
            "Whoever is in no other row is not said to have left. scimops read names the rows: mend them, or export "
            "again.", count=unread,
        ))  # fmt: skip
    if min(rows, there) >= FEWEST and few_in_common(shared, rows, there):
        doubts.append(Finding(
            "few_in_common", "error",
            f"The export has {rows:,} people, the platform {there:,} of this setting, and they share {shared:,}.",
            "Whoever is in no row of the export is not said to have left. Is one of them of another company, or a "
            "part?", count=shared,
        ))  # fmt: skip
    elif allowed is not None and absent > allowed:
        doubts.append(Finding(
            "many_absent", "error",
            f"{absent:,} of {active.height:,} active people of the platform are in no row of the export; the setting's "
            f"safeguard is {allowed:,}.",
            "Whoever is in no row of it is not said to have left. Is it a part? Export again, or raise the limit "
            "(safeguards: deactivate).", count=absent,
        ))  # fmt: skip
    return doubts


def of_sources(met: Met, hr: Export | None, at: dt.datetime) -> list[Finding]:
    """What of the sources was not understood, or is not of now: nobody is judged by it, and that is said."""
    export, found = met.preview.export, []
    if (age := export.taken_at - at) > TOO_OLD:
        hours = round(age.total_seconds() / 3600)
        found.append(Finding(
            "old_state", "error", f"The platform was read {hours:,} hours before the export was taken.",
            "What changed there since is not seen. Read it anew, and audit on the same day.", count=hours,
        ))  # fmt: skip
    for source in (export, hr) if hr else (export,):
        for column, count, example in source.unread_days():
            found.append(Finding(
                "dates_unread", "warning",
                f'{count:,} {"date" if count == 1 else "dates"} in the column "{column}" of {", ".join(source.files)} '
                f'cannot be read, such as "{example}".',
                "They count as not given: nobody is new, or has left, by them. Write them as 2026-11-24.", count=count,
            ))  # fmt: skip
    for column, count, example in hr.unknown_statuses() if hr else ():
        found.append(Finding(
            "status_unknown", "warning",
            f'{count:,} {"person of the list has" if count == 1 else "people of the list have"} a status in the column '
            f'"{column}" that is not known, such as "{example}".',
            "They count as employed. Write active or left.", count=count,
        ))  # fmt: skip
    return found
