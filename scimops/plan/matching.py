"""Who of an export is whom at the service provider: by externalId, then userName, then e-mail (design rule 11)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

KEYS = ("externalId", "userName", "email")
"""What people are matched by, in this order; a later key only where the earlier one is missing on one side."""

_COLUMNS = ("externalId", "user_key", "email_key")
_PAIR = pl.Schema({"n": pl.Int64(), "at": pl.Int64(), "matched_by": pl.String()})


@dataclass(frozen=True)
class Matched:
    """Rows of an export (`n`) and people of a snapshot (`id`).

    `pairs`: one person each (`n`, `id`, `matched_by`). `clashes`: they share a key and are two people, or nobody can
    tell which of several they are (`n`, `id`, `matched_by`: the key they share); neither is touched. `at`: of each
    pair, in which row of the snapshot's people it is.
    """

    pairs: pl.DataFrame
    clashes: pl.DataFrame
    at: pl.Series


def match(rows: pl.DataFrame, people: pl.DataFrame) -> Matched:
    """Match `rows` (`n`, `externalId`, `user_key`, `email_key`) with `people` (the same, `id` in the place of `n`)."""
    ids = people["id"]
    # numbers in the place of ids: to compare and to look for a million of them is then next to nothing
    people = people.select("externalId", "user_key", "email_key", at=pl.int_range(pl.len()))
    found: list[pl.DataFrame] = []
    clashes: list[pl.DataFrame] = []
    for number, (name, key) in enumerate(zip(KEYS, _COLUMNS, strict=True)):
        earlier = _COLUMNS[:number]
        own, other = (side.select(one, key, *earlier) for side, one in ((rows, "n"), (people, "at")))
        both = own.filter(pl.col(key).is_not_null()).join(other, on=key, suffix="_there")
        missing = [pl.col(one).is_null() | pl.col(f"{one}_there").is_null() for one in earlier]
        same = both.select(pl.all_horizontal([pl.lit(True), *missing])).to_series() & _once(both["n"])
        same &= _once(both["at"])
        pairs = both.select("n", "at", matched_by=pl.lit(name)).match_to_schema(_PAIR)
        found.append(pairs.filter(same))
        clashes.append(pairs.filter(~same))
        # who has been found, or clashed, is looked at no more: a person is one person
        rows, people = left_over(rows, "n", pairs["n"]), left_over(people, "at", pairs["at"])
    pairs, clashing = pl.concat(found), pl.concat(clashes)
    return Matched(_with_ids(pairs, ids), _with_ids(clashing, ids), pairs["at"])


def left_over(frame: pl.DataFrame, name: str, seen: pl.Series) -> pl.DataFrame:
    """The rows of `frame` whose number in the column `name` is not among those `seen`; numbers count from 0."""
    if frame.is_empty() or seen.is_empty():
        return frame
    numbers = frame[name].to_numpy()
    unseen = np.ones(max(int(numbers.max()), int(seen.to_numpy().max())) + 1, dtype=np.bool_)
    unseen[seen.to_numpy()] = False
    return frame.filter(pl.Series(unseen[numbers]))


def known_in(rows: pl.DataFrame, people: pl.DataFrame) -> pl.Series:
    """The ids of `people` who share any key with one of `rows`: whoever may be meant by a row is not "gone".

    `people` are few, those who were not matched; so their keys are looked for among the rows, not the other way.
    """
    shared = [pl.DataFrame(schema={"id": pl.String})]
    for key in _COLUMNS:
        met = rows.filter(pl.col(key).is_in(people[key].drop_nulls().implode())).select(key).unique()
        shared.append(people.join(met, on=key, how="semi").select("id"))
    return pl.concat(shared).unique()["id"]


def _once(numbers: pl.Series) -> pl.Series:
    """Which of the numbers, counted from 0, occur just once."""
    values = numbers.to_numpy()
    return pl.Series(np.bincount(values)[values] == 1 if len(values) else [], dtype=pl.Boolean)


def _with_ids(pairs: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    return pairs.select("n", ids.gather(pairs["at"]).alias("id"), "matched_by")
