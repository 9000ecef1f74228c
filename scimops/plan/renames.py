"""The order of operations: each name is free when somebody takes it."""

from __future__ import annotations

import polars as pl

from scimops.grouping import identity_key

ORDER = ("create_group", "reactivate", "rename", "update", "create", "join", "leave", "deactivate", "delete",
         "delete_group")  # fmt: skip
"""Kinds in the order in which they are done: what gives before what takes, so that a cut in between removes nothing."""

SWAP = "rename_swap"


def in_order(operations: pl.DataFrame, there: pl.DataFrame) -> pl.DataFrame:
    """`operations` in the order in which they can be done, numbered from 1 in `number`.

    Whoever takes the userName of another comes after that one's own rename; where they want each other's, all of the
    ring are withheld. `there` are the people there (`id`, `user_key`).
    """
    rank = {name: number for number, name in enumerate(ORDER)}
    depth, rings = _depths(operations, there)
    kind = pl.col("kind").replace_strict(list(rank), list(rank.values()), return_dtype=pl.Int64)
    chained = pl.DataFrame({"id": list(depth), "depth": list(depth.values())},
                           schema={"id": pl.String, "depth": pl.Int64})  # fmt: skip
    ringed = pl.col("id").is_in(rings) & (pl.col("kind") == "rename")
    ordered = operations.join(chained, on="id", how="left", maintain_order="left").with_columns(
        rank=kind, depth=pl.col("depth").fill_null(0),
        withheld=pl.when(ringed).then(pl.lit(SWAP)).otherwise("withheld"),
    )  # fmt: skip
    ordered = ordered.sort("rank", "depth", "n", "id", nulls_last=True, maintain_order=True)
    return ordered.with_columns(number=pl.int_range(1, pl.len() + 1, dtype=pl.Int64)).drop("rank", "depth")


def _depths(operations: pl.DataFrame, there: pl.DataFrame) -> tuple[dict[str, int], list[str]]:
    """How many renames come before each one whose new name somebody holds now; and the ids of all rings."""
    renamed = operations.filter(pl.col("kind") == "rename").drop_nulls("id")
    if renamed.is_empty():
        return {}, []
    wants = {
        person: identity_key(name) for person, name in renamed.select("id", "userName").iter_rows() if name is not None
    }
    keys = pl.DataFrame({"user_key": list(set(wants.values()))}, schema={"user_key": pl.String})
    holders = dict(there.join(keys, on="user_key", how="semi").select("user_key", "id").iter_rows())
    before = {
        person: holder
        for person, key in wants.items()
        if (holder := holders.get(key)) is not None and holder != person and holder in wants
    }
    depth: dict[str, int] = {}
    rings: list[str] = []
    for start in before:
        path = [start]
        while (following := before.get(path[-1])) is not None and following not in path and following not in depth:
            path.append(following)
        if following is not None and following in path:
            rings += path[path.index(following) :]
        base = depth.get(following, 0) if following is not None and following not in path else 0
        for step, person in enumerate(reversed(path)):
            depth[person] = base + step + (1 if following in depth else 0)
    return depth, sorted(set(rings))
