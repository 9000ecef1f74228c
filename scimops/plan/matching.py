"""Who of an export is whom at the service provider: by externalId, then userName, then e-mail (design rule 11)."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

KEYS = ("externalId", "userName", "email")
"""What people are matched by, in this order; a later key only where the earlier one is missing on one side."""

_PAIR = {"n": pl.Int64, "id": pl.String, "matched_by": pl.String}


@dataclass(frozen=True)
class Matched:
    """Rows of an export (`n`) and people of a snapshot (`id`).

    `pairs`: one person each (`n`, `id`, `matched_by`). `clashes`: they share a key and are two people, or nobody can
    tell which of several they are (`n`, `id`, `matched_by`: the key they share); neither is touched.
    """

    pairs: pl.DataFrame
    clashes: pl.DataFrame


def match(rows: pl.DataFrame, people: pl.DataFrame) -> Matched:
    """Match `rows` (`n`, `externalId`, `user_key`, `email_key`) with `people` (the same, `id` in the place of `n`)."""
    found: list[pl.DataFrame] = []
    clashes: list[pl.DataFrame] = []
    for number, (name, key) in enumerate(zip(KEYS, ("externalId", "user_key", "email_key"), strict=True)):
        both = rows.filter(pl.col(key).is_not_null()).join(people, on=key, suffix="_there")
        earlier = ["externalId", "user_key"][:number]
        missing = [pl.col(one).is_null() | pl.col(f"{one}_there").is_null() for one in earlier]
        one_to_one = ~pl.col("n").is_duplicated() & ~pl.col("id").is_duplicated()
        both = both.with_columns(same=pl.all_horizontal([pl.lit(True), *missing]) & one_to_one)
        pairs = both.select("n", "id", "same", matched_by=pl.lit(name))
        found.append(pairs.filter("same").drop("same"))
        clashes.append(pairs.filter(~pl.col("same")).drop("same"))
        # who has been found, or clashed, is looked at no more: a person is one person
        rows = rows.join(pairs, on="n", how="anti")
        people = people.join(pairs, on="id", how="anti")
    return Matched(pl.concat(found).cast(_PAIR), pl.concat(clashes).cast(_PAIR))  # type: ignore[arg-type]


def known_in(rows: pl.DataFrame, people: pl.DataFrame) -> pl.Series:
    """The ids of `people` who share any key with one of `rows`: whoever may be meant by a row is not "gone".

    `people` are few, those who were not matched; so their keys are looked for among the rows, not the other way.
    """
    shared = [pl.DataFrame(schema={"id": pl.String})]
    for key in ("externalId", "user_key", "email_key"):
        met = rows.filter(pl.col(key).is_in(people[key].drop_nulls().implode())).select(key).unique()
        shared.append(people.join(met, on=key, how="semi").select("id"))
    return pl.concat(shared).unique()["id"]
