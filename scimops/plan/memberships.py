"""Groups and memberships as operations of their own, where the service provider does not place people itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from scimops.grouping import group_key
from scimops.plan.document import OPERATIONS
from scimops.plan.places import MARK

if TYPE_CHECKING:
    from scimops.client.snapshot import Snapshot

ENDING = ("deactivate", "delete")
"""Kinds of operation after which a person is in no group (design rule 9)."""

OF_GROUPS = ("create_group", "delete_group")
"""Kinds of operation on a group itself."""

_WHO = ("externalId", "userName", "email")


def with_memberships(
    effects: pl.DataFrame, moves: pl.DataFrame, groups: pl.DataFrame, snapshot: Snapshot, people: pl.DataFrame
) -> pl.DataFrame:
    """`effects` without effects on groups, and one operation for each group to make, each joining and each leaving.

    Args:
        effects: operations on people, with `leaves`, `joins`, `moves` and `empties`.
        moves: as :func:`scimops.plan.places.moves` gives them.
        groups: of each group that people leave, `group_key` and whether it is `emptied`.
        snapshot: what is there.
        people: who is there (`id`, `externalId`, `userName`, `email`).
    """
    steps = _named(moves, effects, people)
    there = existing(snapshot)
    into = steps.filter("joins").join(there, on="group_key", how="left", suffix="_there", maintain_order="left")
    into = into.with_columns(
        group=pl.coalesce("group_there", "group"), group_id=pl.coalesce("group_id", "group_id_there")
    )
    both = ["n", "id"]
    leaving = steps.filter(~pl.col("joins"))
    emptied = groups.filter("emptied")["group_key"]
    joins = into.with_columns(kind=pl.lit("join"), joins=pl.concat_list("group"))
    leaves = leaving.drop("joins").with_columns(
        kind=pl.lit("leave"), leaves=pl.concat_list("group"), empties=pl.col("group_key").is_in(emptied.implode()),
        moves=pl.struct(both).is_in(into.select(pl.struct(both).implode()).to_series()),
    )  # fmt: skip
    made = into.filter(pl.col("group_id").is_null()).select("group_key", "group").unique("group_key", keep="first")
    made = made.with_columns(kind=pl.lit("create_group"), externalId=MARK + pl.col("group_key")).sort("group_key")
    bare = effects.drop("leaves", "joins", "moves", "empties")
    parts = [_as_operations(part) for part in (bare, made, joins.with_columns(why=pl.lit("group")), leaves)]
    return pl.concat(parts).with_columns(
        pl.col("leaves", "joins").fill_null([]), pl.col("moves", "empties").fill_null(False)
    )


def with_endings(judged: pl.DataFrame, endings: pl.DataFrame) -> pl.DataFrame:
    """`judged` operations, and the leaving by those who end (`endings`: `id`, `group_key`, `group`, `group_id`).

    That is withheld where their end is withheld.
    """
    ends = judged.filter(pl.col("kind").is_in(ENDING)).select("id", "n", "row", "file", *_WHO, "why", "withheld")
    left = endings.select("id", "group_key", "group", "group_id").join(ends, on="id").sort("id", "group_key")
    left = left.with_columns(kind=pl.lit("leave"), leaves=pl.concat_list("group"))
    empty = pl.col("joins").fill_null([]), pl.col("moves", "empties").fill_null(False)
    return pl.concat([judged, _as_operations(left).with_columns(*empty)])


def existing(snapshot: Snapshot) -> pl.DataFrame:
    """The group that is meant by each key (`group_key`, `group_id`, `group`): one that scimops made, else lowest id."""
    rows = [(group_key(name), group_id, name, mark != f"{MARK}{group_key(name)}")
            for group_id, name, mark in snapshot.groups.select("id", "name", "externalId").iter_rows()]  # fmt: skip
    schema = {"group_key": pl.String, "group_id": pl.String, "group": pl.String, "foreign": pl.Boolean}
    frame = pl.DataFrame(rows, schema=schema, orient="row").sort("foreign", "group_id")
    return frame.unique("group_key", keep="first").drop("foreign")


def _named(moves: pl.DataFrame, effects: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """`moves` with the names of who moves: of who is there, else of who is created."""
    new = effects.filter(pl.col("kind") == "create").select("n", "row", "file", *_WHO).unique("n", keep="first")
    named = moves.join(people.select("id", *_WHO), on="id", how="left", maintain_order="left")
    named = named.join(new, on="n", how="left", maintain_order="left", suffix="_new")
    return named.with_columns(pl.coalesce(name, f"{name}_new").alias(name) for name in _WHO)


def _as_operations(part: pl.DataFrame) -> pl.DataFrame:
    schema = pl.Schema(OPERATIONS)
    return part.match_to_schema(schema, missing_columns="insert", extra_columns="ignore")
