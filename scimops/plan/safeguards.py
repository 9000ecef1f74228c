"""Limits on what a plan may do: what goes over one is withheld, until a person approves that very plan."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from fnmatch import translate
from typing import Any, NamedTuple

import polars as pl

from scimops.grouping import identity_key
from scimops.setting import Limit, Safeguards

PROTECTED = "protected"
UNREADABLE = "unreadable_rows"
GRACE = "grace"


@dataclass(frozen=True)
class Verdict:
    """One safeguard's answer: `count` of `population` against `limit` (a number of the same things; null = none).

    `safeguard` is its name in the setting; `group` is set where it is of one group alone. `past`: how many of `count`
    earlier applies removed, within the window.
    """

    safeguard: str
    count: int
    population: int
    limit: int | None
    held: bool
    group: str | None = None
    past: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The verdict as plain data; without `past` where that is none."""
        return {name: value for name, value in asdict(self).items() if name != "past" or value}


class Count(NamedTuple):
    """How many a plan would do of one kind, among how many people; `past` of earlier applies are in both."""

    number: int
    population: int
    past: int = 0


def most(limit: Limit, population: int, minimum: int) -> int | None:
    """How many a limit allows among `population`; a share counts from `minimum` people on. Null: any number."""
    bounds = [limit.number] if limit.number is not None else []
    if limit.percent is not None and population >= minimum:
        bounds.append(population * limit.percent // 100)
    return min(bounds, default=None)


def judge(safeguards: Safeguards, counts: dict[str, Count], groups: pl.DataFrame) -> list[Verdict]:
    """The verdicts on a plan.

    Args:
        safeguards: the setting's.
        counts: of each safeguard's name.
        groups: of each group that people leave: `group`, `members` now, `leave`, whether it is `emptied`, and how many
            earlier applies had leave it (`past`, in neither of the other two).
    """
    verdicts = []
    for name, (count, population, past) in counts.items():
        allowed = most(getattr(safeguards, name), population, safeguards.minimum)
        held = allowed is not None and count > allowed
        verdicts.append(Verdict(name, count, population, allowed, held, past=past))
    for group, members, leave, past in groups.select("group", "members", "leave", "past").iter_rows():
        allowed = most(safeguards.leave_each, members + past, safeguards.minimum)
        if allowed is not None and leave + past > allowed:
            found = leave + past, members + past, allowed
            verdicts.append(Verdict("leave_each", *found, held=True, group=group, past=past))
    emptied = int(groups["emptied"].sum())
    allowed = safeguards.empty_groups
    verdicts.append(Verdict("empty_groups", emptied, groups.height, allowed, allowed is not None and emptied > allowed))
    return verdicts


def counts(operations: pl.DataFrame, ours: pl.DataFrame, past: pl.DataFrame) -> dict[str, Count]:
    """How many a plan would deactivate, delete, have leave a group, move; among the people there.

    Who is within their grace period is not ended by this plan. `past` (schema `REMOVED`) is what earlier applies took
    away: a person counts once, and among the people they were taken from.
    """
    kind, leaves = operations["kind"], operations.filter(pl.col("leaves").list.len() > 0)
    ended, deleted, left = (set(past.filter(pl.col("kind") == one)["id"]) for one in ("deactivate", "delete", "leave"))
    active, leavers = int(ours["active"].fill_null(True).sum()) + len(ended), set(leaves["id"])
    due = (kind == "deactivate") & operations["due"].is_null()
    found = {
        "deactivate": (int(due.sum()), active, len(ended)),
        "delete": (int((kind == "delete").sum()), ours.height + len(deleted), len(deleted)),
        "leave": (len(leavers), active, len(left - leavers)),
        "move": (leaves.filter("moves")["id"].n_unique(), active, 0),
    }
    return {
        name: Count(own + before, people, before) if own else Count(0, people)
        for name, (own, people, before) in found.items()
    }


def withheld(operations: pl.DataFrame, verdicts: list[Verdict], safeguards: Safeguards, unreadable: bool) -> pl.Expr:
    """Why each of `operations` is withheld; null = it is not.

    `operations` has `kind`, `leaves` (names of the groups they lead out of), `empties`, `due`, `userName` and `email`.
    `unreadable`: rows could not be read, so nobody knows who in truth is gone.
    """
    kind = pl.col("kind")
    off = kind.is_in(["deactivate", "delete"])
    leaves = pl.col("leaves").list.len() > 0
    held = {verdict.safeguard for verdict in verdicts if verdict.held and verdict.group is None}
    groups = [verdict.group for verdict in verdicts if verdict.held and verdict.group is not None]
    checks = [
        (off & _protected(operations, safeguards.protect), PROTECTED),
        (off & pl.lit(unreadable) & (pl.col("why") == "left"), UNREADABLE),
        ((kind == "deactivate") & pl.col("due").is_not_null(), GRACE),
        ((kind == "deactivate") & pl.lit("deactivate" in held), "deactivate"),
        ((kind == "delete") & pl.lit("delete" in held), "delete"),
        (leaves & pl.lit("leave" in held), "leave"),
        (leaves & pl.lit("move" in held) & pl.col("moves"), "move"),
        (leaves & pl.lit("empty_groups" in held) & pl.col("empties"), "empty_groups"),
        (pl.col("leaves").list.set_intersection(pl.lit(groups, pl.List(pl.String))).list.len() > 0, "leave_each"),
    ]
    reason: pl.Expr = pl.lit(None, pl.String)
    for condition, code in reversed(checks):
        reason = pl.when(condition).then(pl.lit(code)).otherwise(reason)
    return reason


def stopped(verdicts: list[Verdict], safeguards: Safeguards) -> pl.Expr:
    """`withheld`, with all else withheld too where a limit is reached and the setting says `stop`."""
    stops = safeguards.over == "stop" and any(verdict.held for verdict in verdicts)
    return pl.col("withheld").fill_null("stopped") if stops else pl.col("withheld")


def _protected(operations: pl.DataFrame, patterns: list[str]) -> pl.Expr:
    """Does the userName or the e-mail address fit one of the patterns, upper and lower case alike?"""
    if not patterns:
        return pl.lit(False)
    fits = "|".join(translate(identity_key(pattern)) for pattern in patterns)
    texts = [operations[name] for name in ("userName", "email")]
    names = {text for column in texts for text in column.drop_nulls().unique()}
    protected = [name for name in names if re.match(fits, identity_key(name))]
    return pl.any_horizontal([pl.col(name).is_in(protected).fill_null(False) for name in ("userName", "email")])
