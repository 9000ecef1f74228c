"""Limits on what a plan may do: what goes over one is withheld, until a person approves that very plan."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from fnmatch import translate
from typing import Any

import polars as pl

from scimops.grouping import identity_key
from scimops.setting import Limit, Safeguards

PROTECTED = "protected"
UNREADABLE = "unreadable_rows"


@dataclass(frozen=True)
class Verdict:
    """One safeguard's answer: `count` of `population` against `limit` (a number of the same things; null = none).

    `safeguard` is its name in the setting; `group` is set where it is of one group alone.
    """

    safeguard: str
    count: int
    population: int
    limit: int | None
    held: bool
    group: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The verdict as plain data."""
        return asdict(self)


def most(limit: Limit, population: int, minimum: int) -> int | None:
    """How many a limit allows among `population`; a share counts from `minimum` people on. Null: any number."""
    bounds = [limit.number] if limit.number is not None else []
    if limit.percent is not None and population >= minimum:
        bounds.append(population * limit.percent // 100)
    return min(bounds, default=None)


def judge(safeguards: Safeguards, counts: dict[str, tuple[int, int]], groups: pl.DataFrame) -> list[Verdict]:
    """The verdicts on a plan.

    Args:
        safeguards: the setting's.
        counts: of each safeguard's name: how many it would do, among how many.
        groups: of each group that people leave: `group`, `members` now, `leave`, whether it is `emptied`.
    """
    verdicts = []
    for name, (count, population) in counts.items():
        allowed = most(getattr(safeguards, name), population, safeguards.minimum)
        verdicts.append(Verdict(name, count, population, allowed, allowed is not None and count > allowed))
    for group, members, leave in groups.select("group", "members", "leave").iter_rows():
        allowed = most(safeguards.leave_each, members, safeguards.minimum)
        if allowed is not None and leave > allowed:
            verdicts.append(Verdict("leave_each", leave, members, allowed, held=True, group=group))
    emptied = int(groups["emptied"].sum())
    allowed = safeguards.empty_groups
    verdicts.append(Verdict("empty_groups", emptied, groups.height, allowed, allowed is not None and emptied > allowed))
    return verdicts


def withheld(operations: pl.DataFrame, verdicts: list[Verdict], safeguards: Safeguards, unreadable: bool) -> pl.Expr:
    """Why each of `operations` is withheld; null = it is not.

    `operations` has `kind`, `leaves` (names of the groups they lead out of), `empties`, `userName` and `email`.
    `unreadable`: rows could not be read, so nobody knows who in truth is gone.
    """
    kind, nothing = pl.col("kind"), pl.lit(None, pl.String)
    off = kind.is_in(["deactivate", "delete"])
    leaves = pl.col("leaves").list.len() > 0
    held = {verdict.safeguard for verdict in verdicts if verdict.held and verdict.group is None}
    groups = [verdict.group for verdict in verdicts if verdict.held and verdict.group is not None]
    checks = [
        (off & _protected(operations, safeguards.protect), PROTECTED),
        (off & pl.lit(unreadable) & (pl.col("why") == "left"), UNREADABLE),
        ((kind == "deactivate") & pl.lit("deactivate" in held), "deactivate"),
        ((kind == "delete") & pl.lit("delete" in held), "delete"),
        (leaves & pl.lit("leave" in held), "leave"),
        (leaves & pl.lit("move" in held) & pl.col("moves"), "move"),
        (leaves & pl.lit("empty_groups" in held) & pl.col("empties"), "empty_groups"),
        (pl.col("leaves").list.set_intersection(pl.lit(groups, pl.List(pl.String))).list.len() > 0, "leave_each"),
    ]
    stopped = pl.lit("stopped") if safeguards.over == "stop" and (held or groups) else nothing
    reason: pl.Expr = stopped
    for condition, code in reversed(checks):
        reason = pl.when(condition).then(pl.lit(code)).otherwise(reason)
    return reason


def _protected(operations: pl.DataFrame, patterns: list[str]) -> pl.Expr:
    """Does the userName or the e-mail address fit one of the patterns, upper and lower case alike?"""
    if not patterns:
        return pl.lit(False)
    fits = "|".join(translate(identity_key(pattern)) for pattern in patterns)
    texts = [operations[name] for name in ("userName", "email")]
    names = {text for column in texts for text in column.drop_nulls().unique()}
    protected = [name for name in names if re.match(fits, identity_key(name))]
    return pl.any_horizontal([pl.col(name).is_in(protected).fill_null(False) for name in ("userName", "email")])
