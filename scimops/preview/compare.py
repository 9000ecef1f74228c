"""Two previews side by side: who moves from where to where, which groups appear, vanish or change size."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from scimops import frames
from scimops.grouping import REASONS

if TYPE_CHECKING:
    import pandas as pd

    from scimops.preview import Preview

KEYS = ("externalId", "user_key", "email_key")
_SAME_FILE = ("n", "row", "file", *KEYS)


@dataclass(frozen=True)
class Comparison:
    """What changes from the preview `before` to the preview `after`.

    `people` has one row a person who differs: `row_before`, `row_after` (null = not there), `userName`, `email`,
    `from_reason`, `to_reason`, `from_group`, `to_group`. `moves` counts people by pair of groups. `groups` lists each
    group that appears, vanishes or changes size: `name`, `group_key`, `before`, `after`. `unchanged` counts the rest.
    """

    people: pl.DataFrame
    moves: list[dict[str, Any]]
    groups: list[dict[str, Any]]
    unchanged: int

    def to_dict(self) -> dict[str, Any]:
        """What `scimops compare --json` prints (schema `compare.json`)."""
        return {
            "format": 1,
            "changed": self.people.height,
            "unchanged": self.unchanged,
            "moves": self.moves,
            "groups": self.groups,
            "people": self.people.to_dicts(),
        }

    def to_pandas(self) -> pd.DataFrame:
        """The people who differ, in pandas, with string dtypes and pd.NA."""
        return frames.to_pandas(self.people)


def compare(before: Preview, after: Preview) -> Comparison:
    """Who moves from where to where: two settings on one export, or two exports under one setting.

    On one export rows are compared with themselves. Of two exports a person is the same by externalId, else by
    userName, else by e-mail address; a later key counts only where the earlier one is missing on one side (rule 11).
    """
    one, two = _side(before), _side(after)
    if before.export is after.export or one.select(_SAME_FILE).equals(two.select(_SAME_FILE)):
        pairs = one.select(n_before="n", n_after="n")
    else:
        pairs = _same_people(one, two).sort("n_before")
    both = pairs.join(one, left_on="n_before", right_on="n", maintain_order="left")
    both = both.join(two, left_on="n_after", right_on="n", suffix="_after", maintain_order="left")
    gone = one.join(pairs, left_on="n", right_on="n_before", how="anti", maintain_order="left")
    new = two.join(pairs, left_on="n", right_on="n_after", how="anti", maintain_order="left")
    same = pl.col("group_keys").eq_missing(pl.col("group_keys_after")) & (pl.col("reason") == pl.col("reason_after"))
    moved = both.filter(~same)
    people = pl.concat(
        [
            _people(moved, "row", "row_after", "", "_after"),
            _people(gone, "row", None, "", None),
            _people(new, None, "row", None, ""),
        ],
        how="vertical",
    )
    return Comparison(people, _moves(people), _groups(before, after), both.height - moved.height)


def _side(preview: Preview) -> pl.DataFrame:
    return preview.placed.select("n", "row", "file", *KEYS, "userName", "email", "reason", "group", "group_keys")


def _same_people(one: pl.DataFrame, two: pl.DataFrame) -> pl.DataFrame:
    """Pairs of `n` that are one person, by the first key that both sides have; duplicates pair in their order."""
    pairs = pl.DataFrame(schema={"n_before": pl.Int64, "n_after": pl.Int64})
    for number, key in enumerate(KEYS):
        left, right = _left(one, pairs["n_before"], key), _left(two, pairs["n_after"], key)
        found = left.join(right, on=[key, "nth"], suffix="_after")
        for earlier in KEYS[:number]:
            clash = pl.col(earlier).is_not_null() & pl.col(f"{earlier}_after").is_not_null()
            found = found.filter(~clash | (pl.col(earlier) == pl.col(f"{earlier}_after")))
        pairs = pl.concat([pairs, found.select(n_before="n", n_after="n_after")])
    return pairs


def _left(side: pl.DataFrame, paired: pl.Series, key: str) -> pl.DataFrame:
    """Those who have the key and no partner yet; `nth` numbers those who share it."""
    left = side.filter(~pl.col("n").is_in(paired.implode()) & pl.col(key).is_not_null())
    return left.with_columns(nth=pl.int_range(pl.len()).over(key))


def _people(
    frame: pl.DataFrame, before: str | None, after: str | None, old: str | None, new: str | None
) -> pl.DataFrame:
    """One shape for those who moved, left and came; a side that is not there is null."""

    def column(name: str, suffix: str | None) -> pl.Expr:
        return pl.lit(None, pl.String) if suffix is None else pl.col(f"{name}{suffix}")

    def name(key: str) -> pl.Expr:
        return pl.coalesce(column(key, new), column(key, old))

    return frame.select(
        row_before=pl.col(before) if before else pl.lit(None, pl.Int64),
        row_after=pl.col(after) if after else pl.lit(None, pl.Int64),
        userName=name("userName"),
        email=name("email"),
        from_reason=column("reason", old),
        to_reason=column("reason", new),
        from_group=column("group", old),
        to_group=column("group", new),
    )


def _moves(people: pl.DataFrame) -> list[dict[str, Any]]:
    """How many people go from where to where; a person without a group stands under their reason's words."""
    counts: Counter[tuple[str, str]] = Counter()
    for row in people.iter_rows(named=True):
        counts[_place(row["from_group"], row["from_reason"]), _place(row["to_group"], row["to_reason"])] += 1
    return [{"from": start, "to": end, "people": count} for (start, end), count in counts.most_common()]


def _place(group: str | None, reason: str | None) -> str:
    if reason is None:
        return "(not there)"
    return group if group is not None else f"({REASONS[reason]})"


def _groups(before: Preview, after: Preview) -> list[dict[str, Any]]:
    old = {group.group_key: group for group in before.groups}
    new = {group.group_key: group for group in after.groups}
    rows = []
    for key in dict.fromkeys([*new, *old]):
        sizes = {"before": old[key].members if key in old else 0, "after": new[key].members if key in new else 0}
        if sizes["before"] != sizes["after"]:
            rows.append({"name": (new.get(key) or old[key]).name, "group_key": key, **sizes})
    return sorted(rows, key=lambda row: -abs(row["after"] - row["before"]))
