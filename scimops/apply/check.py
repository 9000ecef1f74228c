"""After an apply: is everybody where the plan said? A fresh snapshot against the plan and its receipts."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from scimops.client.snapshot import Snapshot
from scimops.findings import Code, Finding, finding
from scimops.grouping import group_key
from scimops.plan import Plan
from scimops.plan.differences import holds
from scimops.plan.memberships import ENDING

HOLDS = ("done", "already")

APPLY_CATALOGUE: dict[str, Code] = {
    "fields_not_as_planned": Code(
        "error",
        "{count:person does|people do} not have the values that were sent: {names}.",
        "Look at them at the service provider: it may change what it is sent, or somebody else changed it since.",
        {"names": "anna@example.com (department)"},
    ),
    "groups_not_as_planned": Code(
        "error",
        "{count:person is|people are} not in the groups that the plan says: {names}.",
        "Look at them at the service provider. Placement may still be under way, or follow other rules.",
        {"names": "anna@example.com"},
    ),
    "still_there": Code(
        "error",
        "{count:person|people} that the plan deleted {count:is|are} still there: {names}.",
        "Look at them at the service provider.",
        {"names": "anna@example.com"},
    ),
    "not_checked": Code(
        "error",
        "What is there now could not be read: {why}",
        "The receipts say what was answered. Make a plan again to see what is there.",
        {"why": "The service provider does not answer."},
    ),
}
"""Each code with its level, sentence, advice and an example, as :data:`scimops.findings.CATALOGUE`."""

_NAMED = 5


def apply_finding(code: str, *, count: int = 0, **values: Any) -> Finding:
    """A finding of an apply, its sentence filled in."""
    return finding(code, count=count, catalogue=APPLY_CATALOGUE, **values)


def check(plan: Plan, steps: pl.DataFrame, snapshot: Snapshot, *, placed: bool = True) -> list[Finding]:
    """What is not as planned among the steps (schema `RECEIPTS`) that say they are done.

    `placed` false: groups are not looked at, for nobody places people there.
    """
    done = steps.filter(pl.col("outcome").is_in(HOLDS)).select("number", at_id="id")
    both = plan.operations.join(done, on="number")
    users = snapshot.users.with_columns(pl.col("active").fill_null(True))
    people = {row["id"]: row for row in users.iter_rows(named=True)}
    different, remaining = [], []
    for one in both.filter(pl.col("group_key").is_null()).iter_rows(named=True):
        there = people.get(one["at_id"])
        name = one["userName"] or one["at_id"]
        if one["kind"] == "delete":
            remaining += [name] if there else []
            continue
        after = json.loads(one["after"])
        wrong = [key for key, value in after.items() if not holds(there or {}, {key: value})]
        if wrong:
            different.append(f"{name} ({', '.join(wrong) if there else 'not there'})")
    elsewhere = _elsewhere(plan, both, snapshot) if placed else []
    counts = {"fields_not_as_planned": different, "still_there": remaining, "groups_not_as_planned": elsewhere}
    return [apply_finding(code, count=len(names), names=_few(names)) for code, names in counts.items() if names]


def _elsewhere(plan: Plan, both: pl.DataFrame, snapshot: Snapshot) -> list[str]:
    """Who is not in the groups that they joined, or still in those that they left."""
    keys = {name: group_key(name) for name in snapshot.groups["name"].unique()}
    schema = {"name": pl.String, "group_key": pl.String}
    names = pl.DataFrame(list(keys.items()), schema=schema, orient="row")
    groups = snapshot.groups.select("name", group_id="id").join(names, on="name")
    held = snapshot.members.join(groups, on="group_id").select("group_key", id="user_id", held=pl.lit(True))
    if plan.source.placement == "client":
        own = both.filter(pl.col("kind").is_in(["join", "leave"]))
        expected = own.select("group_key", "userName", id="at_id", joins=pl.col("kind") == "join")
    else:
        people = both.filter(~pl.col("kind").is_in(ENDING)).select("n", "userName", "id", "at_id")
        by_id = plan.moves.drop("n").join(people, on="id")
        by_n = plan.moves.filter(pl.col("id").is_null()).drop("id").join(people, on="n")
        columns = ("group_key", "userName", "joins")
        expected = pl.concat(part.select(*columns, id="at_id") for part in (by_id, by_n))
    seen = expected.join(held.unique(), on=["group_key", "id"], how="left")
    wrong = seen.filter(pl.col("joins") != pl.col("held").fill_null(False)).unique("id", maintain_order=True)
    return wrong.select(pl.coalesce("userName", "id")).to_series().to_list()


def _few(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")
