"""Grace: who is in no row of the export is only ended once they have been missing for as long as the setting says.

Time is told by exports, not by the clock: an old export that is looked at again teaches nothing new.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from scimops.plan.history import History, remember_missing
from scimops.preview import Preview
from scimops.setting import span_of

if TYPE_CHECKING:
    from scimops.client.snapshot import Snapshot
    from scimops.plan.document import Plan


def with_due(
    operations: pl.DataFrame, preview: Preview, snapshot: Snapshot, history: History | None
) -> pl.DataFrame:  # fmt: skip
    """`operations` with `due`: when the grace period ends of each who left and for whom it has not ended yet.

    Who is not remembered is seen missing for the first time.
    """
    grace = preview.setting.safeguards.grace
    left = operations.filter(_left())["id"]
    if grace is None or left.is_empty():
        return operations
    seen, span = _seen(preview.export.taken_at, snapshot.read_at), span_of(grace)
    ends = {
        person: dt.datetime.fromisoformat(since) + span
        for person, since in _since(left, history or History(), seen).items()
    }
    due = {person: end.isoformat() for person, end in ends.items() if end > dt.datetime.fromisoformat(seen)}
    frame = pl.DataFrame({"id": list(due), "due": list(due.values())}, schema={"id": pl.String, "due": pl.String})
    joined = operations.drop("due").join(frame, on="id", how="left", maintain_order="left")
    return joined.with_columns(due=pl.when(_left()).then("due")).select(operations.columns)


def remember(folder: Path, plan: Plan, history: History) -> None:
    """Remember since when those who left are missing, for the next plan; who is in the export again is forgotten.

    An export that is older than the latest one that was looked at changes nothing.
    """
    seen = _seen(dt.datetime.fromisoformat(plan.source.taken_at), plan.source.read_at)
    if seen >= history.latest:
        missing = _since(plan.operations.filter(_left())["id"], history, seen)
        remember_missing(folder, plan.source.where, missing, seen)


def _left() -> pl.Expr:
    return (pl.col("kind") == "deactivate") & (pl.col("why") == "left")


def _seen(taken_at: dt.datetime, read_at: str) -> str:
    """The time of an export; no later than the service provider was read, whatever a file's time says."""
    earlier = min(taken_at, dt.datetime.fromisoformat(read_at))
    return earlier.astimezone(dt.UTC).isoformat(timespec="seconds")


def _since(left: Iterable[str], history: History, seen: str) -> dict[str, str]:
    """Since when each who left is missing: as remembered, else since this export or the latest before it."""
    first = max(seen, history.latest)
    return {person: history.missing.get(person, first) for person in left}
