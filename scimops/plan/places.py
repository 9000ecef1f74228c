"""Where people are in groups and where the rule wants them, by group key, so that a spelling is no move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from scimops.grouping import group_key
from scimops.preview import Preview

if TYPE_CHECKING:
    from scimops.client.snapshot import Snapshot

MARK = "scimops:"
"""How the externalId of a group begins that scimops made where the service provider does not place people."""

STAYS = ("id", "group_key", "group", "group_id")


def held(snapshot: Snapshot, known: frozenset[str]) -> pl.DataFrame:
    """Each membership there (`id`, `group_key`, `group`, `group_id`) that is the setting's to end.

    A service provider that places people shows a setting's token that setting's own memberships. Elsewhere groups are
    the setting's that it made (their `setting`, or the mark in their externalId) and those whose key is in `known`,
    the groups of the preview; the members of all others are not looked at (design rule 10).
    """
    names = snapshot.groups.select(group_id="id", group="name", made="setting", mark="externalId")
    keys = {name: group_key(name) for name in names["group"].unique()}
    key = pl.col("group").replace_strict(list(keys), list(keys.values()), return_dtype=pl.String)
    names = names.with_columns(group_key=key) if keys else names.with_columns(group_key=pl.lit(None, pl.String))
    if snapshot.source != "scim" or snapshot.capabilities.placement != "server":
        marked = pl.col("made").is_not_null() | pl.col("mark").str.starts_with(MARK).fill_null(False)
        names = names.filter(pl.col("group_key").is_in(list(known)) | marked)
    return snapshot.members.select("group_id", id="user_id").join(names, on="group_id").select(STAYS)


def wanted(preview: Preview) -> pl.DataFrame:
    """Each membership of the preview: `n`, `group_key`, `group` (its name)."""
    names = {group.group_key: group.name for group in preview.groups}
    stays = preview.members.select("n", "group_key").drop_nulls("group_key")
    if not names:
        return stays.with_columns(group=pl.lit(None, pl.String))
    name = pl.col("group_key").replace_strict(list(names), list(names.values()), default=None, return_dtype=pl.String)
    return stays.with_columns(group=name)


def moves(before: pl.DataFrame, after: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Who leaves and who joins which group: `n`, `id`, `group_key`, `group`, `group_id`, `joins`.

    `before` as :func:`held` gives it, `after` as :func:`wanted` does; `pairs` says who is who (`n` may be null for
    people who are in no row of the export, `id` for people who are not there yet).
    """
    people = pairs.with_row_index("person")
    there = before.join(people.drop_nulls("id"), on="id").with_columns(joins=pl.lit(False))
    here = after.join(people, on="n").with_columns(joins=pl.lit(True), group_id=pl.lit(None, pl.String))
    keys = pl.concat([there["group_key"].unique(), here["group_key"].unique()]).unique().drop_nulls()
    # one number says who is in which group; texts would be compared a million times
    group = pl.col("group_key").cast(pl.Enum(keys)).to_physical().cast(pl.Int64)
    place = (pl.col("person").cast(pl.Int64) * len(keys) + group).alias("place")
    there, here = there.with_columns(place), here.with_columns(place)
    leaves, joins = there.join(here, on="place", how="anti"), here.join(there, on="place", how="anti")
    columns = ["n", "id", "group_key", "group", "group_id", "joins"]
    return pl.concat([leaves.select(columns), joins.select(columns)]).sort("n", "group_key", nulls_last=True)
