"""Creations against seats: who would start beyond the free seats of the licence is withheld."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from scimops.plan.outcome import seat_change, taken
from scimops.plan.safeguards import Verdict
from scimops.setting import Safeguards, Setting

if TYPE_CHECKING:
    from scimops.client.snapshot import Snapshot

SEATS = "seats"
STARTING = ("create", "reactivate")
"""Kinds of operation after which a person takes a seat."""


def licence(setting: Setting, snapshot: Snapshot) -> int | None:
    """The seats of the licence: as the setting says, else as the platform does; null: neither does."""
    return snapshot.seats if setting.seats is None else setting.seats


def within_seats(
    operations: pl.DataFrame, people: pl.DataFrame, seats: int | None, safeguards: Safeguards
) -> tuple[pl.DataFrame, list[Verdict]]:
    """`operations` with `withheld` of who would start beyond the free seats, the last of the export first; the verdict.

    Who ends by this plan frees a seat, unless that is withheld. What follows from a start is withheld with it: joining
    a group, and making a group that nobody else joins.

    Args:
        operations: with `withheld` as the other safeguards say it.
        people: who is there (`id`, `active`).
        seats: of the licence; null: not known, and nobody is withheld.
        safeguards: the setting's.
    """
    if seats is None or not safeguards.seats:
        return operations, []
    change, done = seat_change(people, operations), pl.col("withheld").is_null()
    indexed = operations.with_row_index("place").with_columns(change=change)
    starts = indexed.filter(done & (pl.col("change") == 1)).sort("n", "id", nulls_last=True)
    freed = indexed.filter(done & (pl.col("change") == -1)).height
    free = max(0, seats - taken(people) + freed)
    held = starts.height > free
    verdict = Verdict(SEATS, starts.height, seats, free, held)
    if not held:
        return operations, [verdict]
    beyond = starts[free:]
    waits = pl.col("place").is_in(beyond["place"].implode()) | ((pl.col("kind") == "join") & _of(beyond))
    marked = indexed.with_columns(withheld=pl.when(waits & done).then(pl.lit(SEATS)).otherwise("withheld"))
    joined = marked.filter((pl.col("kind") == "join") & done)["group_key"].implode()
    joined_never = (pl.col("kind") == "create_group") & done & ~pl.col("group_key").is_in(joined)
    withheld = pl.when(joined_never).then(pl.lit(SEATS)).otherwise("withheld")
    return marked.with_columns(withheld=withheld).drop("place", "change"), [verdict]


def _of(people: pl.DataFrame) -> pl.Expr:
    """Is an operation of one of these? Who is not there yet has no id, and who undoes no row."""
    ids, rows = people["id"].drop_nulls(), people.filter(pl.col("id").is_null())["n"]
    return pl.col("id").is_in(ids.implode()) | (pl.col("id").is_null() & pl.col("n").is_in(rows.implode()))
