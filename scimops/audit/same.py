"""The same person from one audit or export to the next, though a key of theirs changes or appears (design rule 11)."""

from __future__ import annotations

import polars as pl

from scimops.audit.people import KEYS
from scimops.plan.matching import left_over, match
from scimops.preview.stage import keyed_people

WHO = ("externalId", "userName", "email")
NOBODY = pl.DataFrame(schema=dict.fromkeys(WHO, pl.String))


def find(known: pl.DataFrame, people: pl.DataFrame) -> pl.Series:
    """Of each of `people`, in order: which row of `known` is theirs; null where none is, or nobody can tell.

    Both have :data:`WHO`. A key counts only where the earlier one is missing on one side.
    """
    return _meet(known, people)[0]


def follow(known: pl.DataFrame, people: pl.DataFrame, *, renew: bool = True) -> tuple[pl.DataFrame, pl.Series]:
    """`known` with those of `people` who are new, and of each of `people` which row is theirs.

    Who shares a key with somebody known and may be that one is not new: nobody can tell, and the row is null.

    Args:
        known: those who were met before, by :data:`WHO`; further columns are null for new people.
        people: by :data:`WHO`.
        renew: the keys of `people` are the newer ones; else they only fill in what is not known.
    """
    at, unclear = _meet(known, people)
    own = pl.col("externalId").is_not_null() & ~pl.col("externalId").is_duplicated()
    own &= ~pl.col("externalId").is_in(known["externalId"].implode())
    told = pl.any_horizontal(pl.col(name).is_not_null() for name in WHO)
    new = people.select(told & at.is_null() & (~unclear | own)).to_series()
    numbers = pl.Series(range(known.height, known.height + int(new.sum())), dtype=pl.Int64)
    at = at.scatter(new.arg_true(), numbers)
    known = pl.concat([known, people.filter(new).select(WHO)], how="diagonal")
    keys = people.select(*(pl.col(name).alias(f"{name}_newer") for name in WHO), at=at).drop_nulls("at")
    known = known.with_columns(at=pl.int_range(pl.len())).join(keys, on="at", how="left", maintain_order="left")
    sides = [(f"{name}_newer", name) if renew else (name, f"{name}_newer") for name in WHO]
    named = [pl.coalesce(*side).alias(name) for side, name in zip(sides, WHO, strict=True)]
    return known.with_columns(named).drop("at", *(f"{name}_newer" for name in WHO)), at


def of_list(people: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """People of a list of employees, with :data:`WHO` as an identity provider would have it.

    Its numbers are not the identity provider's, and its address is what tells people apart: there that is the e-mail
    address, or the userName of one of `known`.
    """
    nothing = pl.lit(None, pl.String)
    address = pl.coalesce("email", "userName")
    as_email = people.with_columns(externalId=nothing, userName=nothing, email=address)
    as_name = people.with_columns(externalId=nothing, userName=address, email=nothing)
    by_name = find(known, as_email).is_null() & find(known, as_name).is_not_null()
    return as_email.with_columns(userName=pl.when(by_name).then("email"), email=pl.when(~by_name).then("email"))


def _meet(known: pl.DataFrame, people: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """Of each of `people`: which row of `known` is theirs, and whether they share a key with somebody else's."""
    found = match(_keys(people, "n"), _keys(known, "id"))
    nobody = pl.repeat(None, people.height, dtype=pl.Int64, eager=True)
    at = nobody.scatter(found.pairs["n"], found.pairs["id"])
    clear = pl.repeat(False, people.height, dtype=pl.Boolean, eager=True)
    clashing = left_over(found.clashes, "n", found.pairs["n"])["n"].unique()
    return at, clear.scatter(clashing, pl.repeat(True, len(clashing), eager=True))


def _keys(people: pl.DataFrame, name: str) -> pl.DataFrame:
    return keyed_people(people).select(pl.int_range(pl.len()).alias(name), *KEYS)
