"""A plan in a terminal: what would be done, what is withheld and by which safeguard, group by group."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.console import Group
from rich.table import Table
from rich.text import Text

from scimops.present.words import visible

if TYPE_CHECKING:
    from scimops.plan import Plan

KINDS = {
    "create": "made", "update": "changed", "rename": "renamed", "reactivate": "active again", "deactivate": "ended",
    "delete": "deleted", "create_group": "groups made", "join": "joins", "leave": "leaves",
    "delete_group": "groups deleted", "withheld": "withheld",
}  # fmt: skip
"""Each kind of operation in a word for people."""

WITHHELD = {
    "protected": "protected by the setting",
    "unreadable_rows": "rows of the export cannot be read, so nobody knows who left",
    "rename_swap": "they take each other's userName",
    "stopped": "the setting stops everything where a limit is reached",
}
"""Why an operation is withheld, where it is no limit of the setting."""

NAMED = 20
"""How many withheld people are named in a terminal."""


def plan_tables(plan: Plan) -> Group:
    """The whole plan for a terminal: counts, groups, safeguards, withheld by name, findings."""
    return Group(_counts(plan), *_groups(plan), _verdicts(plan), *_withheld(plan), *_findings(plan))


def group_rows(plan: Plan) -> list[tuple[str, int, int]]:
    """Each group that people leave or join by the plan: name, how many leave, how many join."""
    flow = plan.moves.group_by("group_key").agg(
        group=pl.col("group").drop_nulls().first(), leave=(~pl.col("joins")).sum(), join=pl.col("joins").sum()
    )
    return list(flow.sort("group").select("group", "leave", "join").iter_rows())


def why_withheld(code: str) -> str:
    """A sentence for the reason an operation is withheld."""
    return WITHHELD.get(code, f"over the limit of the safeguard {code}")


def person_text(plan: Plan, person: str) -> Group:
    """The operations of one person, named by userName, e-mail or externalId, with old and new values."""
    wanted = person.strip().lower()
    keys = [pl.col(name).str.to_lowercase() == wanted for name in ("userName", "email", "externalId")]
    found = plan.operations.filter(pl.any_horizontal(keys))
    if found.is_empty():
        return Group(Text("Nothing is planned for that person: they are as they should be, or not known here."))
    return Group(*(_person(row) for row in found.iter_rows(named=True)))


def _person(row: dict[str, Any]) -> Group:
    name = row["userName"] or row["group"] or ""
    lines = [Text(visible(f"{name}: {KINDS[row['kind']]} ({row['why']})"))]
    before, after = (json.loads(row[side] or "{}") for side in ("before", "after"))
    table = Table("field", "now", "then", box=None)
    for field in dict.fromkeys([*before, *after]):
        table.add_row(*(Text(visible(str(text))) for text in (field, before.get(field, "—"), after.get(field, "—"))))
    moved = [f"{word} {', '.join(row[side])}" for side, word in (("leaves", "leaves"), ("joins", "joins")) if row[side]]
    lines += [Text(visible("; ".join(moved)))] if moved else []
    lines += [Text(f"withheld: {why_withheld(row['withheld'])}")] if row["withheld"] else []
    return Group(*lines, table)


def _counts(plan: Plan) -> Table:
    table = Table("what", "people", box=None, title="What would be done", title_justify="left")
    for kind, count in plan.counts.items():
        table.add_row(KINDS[kind], f"{count:,}")
    if not plan.operations.height:
        table.add_row("nothing: all is as it should be", "0")
    return table


def _groups(plan: Plan) -> list[Table]:
    rows = group_rows(plan)
    if not rows:
        return []
    by = "expected: the service provider places people" if plan.source.placement == "server" else "sent"
    table = Table("group", "leave", "join", box=None, title=f"Groups ({by})", title_justify="left")
    for name, leave, join in rows:
        table.add_row(Text(visible(name)), f"{leave:,}", f"{join:,}")
    return [table]


def _verdicts(plan: Plan) -> Table:
    table = Table("safeguard", "would", "of", "at most", "", box=None, title="Safeguards", title_justify="left")
    for verdict in plan.verdicts:
        name = f"{verdict.safeguard}: {verdict.group}" if verdict.group else verdict.safeguard
        most = "—" if verdict.limit is None else f"{verdict.limit:,}"
        word = "WITHHELD" if verdict.held else "ok"
        table.add_row(Text(visible(name)), f"{verdict.count:,}", f"{verdict.population:,}", most, word)
    return table


def _withheld(plan: Plan) -> list[Any]:
    if plan.held.is_empty():
        return []
    table = Table("person", "would be", "withheld because", box=None, title="Withheld", title_justify="left")
    for row in plan.held.head(NAMED).iter_rows(named=True):
        name = row["userName"] or row["group"] or row["id"] or ""
        table.add_row(Text(visible(name)), KINDS[row["kind"]], why_withheld(row["withheld"]))
    more = plan.held.height - NAMED
    return [table, *([Text(f"… and {more:,} more; all are in the plan's file.")] if more > 0 else [])]


def _findings(plan: Plan) -> list[Text]:
    return [Text(visible(f"{each.level}: {each.message} {each.advice}")) for each in plan.findings]
