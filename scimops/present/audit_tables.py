"""An audit in a terminal: how many of how many arrived, where the others were lost, who left and is still active."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
from rich.console import Group, RenderableType
from rich.text import Text

from scimops.present.audit_over_time import brief
from scimops.present.audit_words import (
    WHY,
    accepted_words,
    advice,
    headline,
    losses,
    not_read,
    others,
    since_words,
    totals_words,
    what,
    who,
)
from scimops.present.plan_words import moment
from scimops.present.tables import ROWS_SHOWN, add_row, findings_table, plain_table, spaced
from scimops.present.words import many, visible

if TYPE_CHECKING:
    from scimops.audit.report import Report

LEFT = "left_still_active"
ANSWER_SHOWN = 12
"""How many lines each further question's answer has."""


def audit_tables(report: Report) -> Group:
    """The whole audit for a terminal; the longest lists end with how many more there are."""
    head = Group(Text(headline(report), style="bold"), Text(others(report)))
    rest = [one for one in report.findings if not one.code.startswith("lost_") and one.code != LEFT]
    return spaced(
        head, *_losses(report), *_left(report), *_since(report), *_asked(report), *_exceptions(report),
        *([findings_table(rest)] if rest else []), Text(not_read(report), style="dim"),
    )  # fmt: skip


def _losses(report: Report) -> list[RenderableType]:
    rows = losses(report)
    if not rows:
        return []
    some = any(accepted for _, accepted, *_ in rows)
    columns = ("people", "accepted") if some else ("people",)
    table = plain_table("Where the others were lost", *columns, "missing link", "why", "what to do", right=columns)
    for count, accepted, link, why, advised in rows:
        add_row(table, count, *((accepted,) if some else ()), link, why, advised)
    return [Group(table, Text("Who they are: --out DIR, or --json.", style="dim"))]


def _left(report: Report) -> list[RenderableType]:
    left = report.open.filter(pl.col("code") == LEFT)
    if left.is_empty():
        return []
    table = plain_table("Left, and still active on the platform", "who", "e-mail address", "why", *_dated(report))
    for row in left.head(ROWS_SHOWN).iter_rows(named=True):
        other = row["email"] if row["email"] and row["email"] != who(row) else ""
        add_row(
            table, who(row), other, WHY.get(row["cause"], "not known"), *([moment(row["since"])] if report.last else [])
        )
    return [Group(table, *_more(left.height), Text(advice(LEFT)))]


def _since(report: Report) -> list[RenderableType]:
    if report.last is None:
        return []
    said = Text(since_words(report))
    if report.last.last is None:
        return [said]
    new = report.open.filter("new")
    table = plain_table("New and solved since then", "", "who", "what")
    for row in new.head(ROWS_SHOWN).iter_rows(named=True):
        add_row(table, Text("new", style="bold red"), who(row), what(row))
    for row in report.last.solved.head(ROWS_SHOWN).iter_rows(named=True):
        add_row(table, Text("solved", style="green"), who(row), _was(row["code"], row["cause"]))
    more = max(0, new.height - ROWS_SHOWN) + max(0, report.last.solved.height - ROWS_SHOWN)
    return [Group(said, table, *_more(more + ROWS_SHOWN))] if table.row_count else [said]


def _asked(report: Report) -> list[RenderableType]:
    """The questions beyond those of every audit: the totals, and the answer where it is brief enough."""
    parts: list[RenderableType] = []
    for one in report.asked:
        head = Group(Text(one.title, style="bold"), Text(visible(totals_words(one.totals, one.population))))
        answer = brief(one)
        if answer is None or answer.is_empty():
            parts.append(head)
            continue
        table = plain_table(
            "", *answer.columns, right=[name for name in answer.columns if answer[name].dtype.is_numeric()]
        )
        for row in answer.head(ANSWER_SHOWN).iter_rows():
            add_row(table, *("" if cell is None else cell for cell in row))
        parts.append(Group(head, table, *_more(answer.height, ANSWER_SHOWN)))
    return parts


def _was(code: str, cause: str | None) -> str:
    return what({"code": code, "cause": cause, "status": code})


def _exceptions(report: Report) -> list[RenderableType]:
    if not report.agreed:
        return []
    table = plain_table("Exceptions", "line", "whose", "what", "owner", "until", "state", "accepts", right=["line"])
    for one in report.agreed[:ROWS_SHOWN]:
        kind, state, count = accepted_words(one)
        mark = Text(state, style="bold red") if one.state == "ended" else state
        add_row(table, one.line, one.entry.person, kind, one.entry.owner, one.entry.until.isoformat(), mark, count)
    return [Group(table, *_more(len(report.agreed)))]


def _dated(report: Report) -> list[str]:
    return ["open since"] if report.last else []


def _more(count: int, shown: int = ROWS_SHOWN) -> list[Text]:
    more = count - shown
    said = f"… and {many(more, 'more line')}; --out and --json have all of them."
    return [Text(visible(said))] if more > 0 else []
