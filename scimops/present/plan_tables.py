"""A plan in a terminal: what would be done, what is withheld and by which safeguard, group by group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
from rich.console import Group, RenderableType
from rich.text import Text

from scimops.present.plan_words import (
    KINDS,
    WHY,
    groups_of,
    name_of,
    safeguard_words,
    seats_sentence,
    shown,
    values_of,
    withheld_words,
)
from scimops.present.tables import ROWS_SHOWN, add_row, findings_table, plain_table, spaced
from scimops.present.words import many, visible

if TYPE_CHECKING:
    from rich.table import Table

    from scimops.plan import Plan
    from scimops.plan.compare import PlanComparison

NAMED = 20
"""How many withheld people are named in a terminal."""


def plan_tables(plan: Plan) -> Group:
    """The whole plan for a terminal: counts, seats, groups, safeguards, withheld by name, findings."""
    findings = [findings_table(plan.findings)] if plan.findings else []
    return spaced(
        _counts(plan), Text(seats_sentence(plan)), *_groups(plan), _verdicts(plan), *_withheld(plan), *findings
    )


def person_text(plan: Plan, person: str) -> Group:
    """The operations of one person, named by userName, e-mail or externalId, with old and new values."""
    wanted = person.strip().lower()
    keys = [pl.col(name).str.to_lowercase() == wanted for name in ("userName", "email", "externalId")]
    found = plan.operations.filter(pl.any_horizontal(keys))
    if found.is_empty():
        return Group(Text("Nothing is planned for that person: they are as they should be, or not known here."))
    return spaced(*(_person(row) for row in found.iter_rows(named=True)))


def compare_plans_tables(comparison: PlanComparison) -> Group:
    """Two plans side by side for the terminal: what is new, gone and changed."""
    counts = comparison.counts
    head = ", ".join(f"{counts[name]:,} {name}" for name in ("new", "gone", "changed"))
    lines = [Text(f"{head}, {many(comparison.unchanged, 'operation')} as before.", style="bold")]
    lines += [Text(visible(each)) for each in comparison.sources]
    table = plain_table("Operations that differ", "what", "person", "before", "after", "what differs")
    for row in comparison.operations.head(ROWS_SHOWN).iter_rows(named=True):
        add_row(table, row["change"], name_of(row), *(_side(row, side) for side in ("before", "after")),
                ", ".join(row["differs"]))  # fmt: skip
    more = comparison.operations.height - ROWS_SHOWN
    rest = [Text(f"… and {many(more, 'more operation')}; --json has all of them.")] if more > 0 else []
    return Group(*lines) if comparison.operations.is_empty() else Group(*lines, Text(), table, *rest)


def _side(row: dict[str, Any], side: str) -> str:
    kind, withheld = row[f"kind_{side}"], row[f"withheld_{side}"]
    return "" if kind is None else KINDS[kind] + (" (withheld)" if withheld else "")


def _person(row: dict[str, Any]) -> Group:
    why = WHY.get(row["why"], row["why"] or "")
    lines = [
        Text(visible(f"{name_of(row)}: {KINDS[row['kind']]} ({row['why']})"), style="bold"),
        Text(f"because: {why}"),
    ]
    table = plain_table("", "field", "now", "then")
    for field, before, after in values_of(row):
        add_row(table, field, shown(before), shown(after))
    lines += [Text(visible(groups_of(row)))] if groups_of(row) else []
    lines += [Text(f"withheld: {withheld_words(row)}")] if row["withheld"] else []
    return Group(*lines, table) if table.row_count else Group(*lines)


def _counts(plan: Plan) -> Table:
    table = plain_table("What would be done", "what", "how many", right=["how many"])
    for kind, count in plan.counts.items():
        add_row(table, KINDS[kind], count)
    if plan.operations.is_empty():
        add_row(table, "nothing: all is as it should be", 0)
    return table


def _groups(plan: Plan) -> list[RenderableType]:
    if plan.groups.is_empty():
        return []
    by = "expected: the service provider places people" if plan.source.placement == "server" else "sent"
    numbers = ("now", "leave", "join", "then", "withheld")
    table = plain_table(f"Groups ({by})", "group", *numbers, right=numbers)
    rows = plan.groups.select("group", "before", "leaves", "joins", "after", "withheld")
    for row in rows.head(ROWS_SHOWN).iter_rows():
        add_row(table, *row)
    more = rows.height - ROWS_SHOWN
    return [Group(table, Text(f"… and {many(more, 'more group')}; --xlsx has all of them."))] if more > 0 else [table]


def _verdicts(plan: Plan) -> Table:
    table = plain_table("Safeguards", "safeguard", "would", "of", "at most", "", right=["would", "of", "at most"])
    for verdict in plan.verdicts:
        most = "no limit" if verdict.limit is None else f"{verdict.limit:,}"
        word = Text("WITHHELD", style="bold red") if verdict.held else Text("ok", style="green")
        add_row(table, safeguard_words(verdict), verdict.count, verdict.population, most, word)
    return table


def _withheld(plan: Plan) -> list[RenderableType]:
    if plan.held.is_empty():
        return []
    table = plain_table("Withheld", "person", "would be", "withheld because")
    for row in plan.held.head(NAMED).iter_rows(named=True):
        add_row(table, name_of(row), KINDS[row["kind"]], withheld_words(row))
    more = plan.held.height - NAMED
    said = f"… and {more:,} more; --xlsx names all of them."
    return [Group(table, Text(said))] if more > 0 else [table]
