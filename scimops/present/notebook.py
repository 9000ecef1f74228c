"""What notebooks show of a preview: HTML that is escaped, tables and pictures that need no network.

Everything still shows when the notebook is saved, exported to HTML and opened where no network is. Words are HTML, not
Markdown, because a group may be called `![](http://…)` and Markdown would fetch that.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, Any

import polars as pl

from scimops.grouping import REASONS
from scimops.present.charts import Chart, as_png
from scimops.present.words import VISIBLE, first_advice, four_numbers, many, privacy, rows_of, visible, yes_no

if TYPE_CHECKING:
    from IPython.display import HTML

    from scimops.create_setting.check import Check
    from scimops.preview import Preview

GROUPS_SHOWN = 40
"""How many groups the table of groups has; the line below it says how many more there are."""

PEOPLE_SHOWN = 1000
"""How many people the table of people has unless asked for another number."""

_TEXT = 36
_CARD = "border:1px solid #c9d3da;border-top:4px solid #0072b2;border-radius:4px;padding:8px 14px;max-width:14em"
_NUMBER = "font-size:1.8em;font-weight:600;line-height:1.2"
_CELL = "text-align:left;vertical-align:top;padding:3px 14px 3px 0;white-space:normal"
_LEVELS = {"error": "#a33c00", "warning": "#8a5a00", "info": "#595959"}


def show_numbers(preview: Preview) -> HTML:
    """The four numbers as cards, with what to do first and where the data went."""
    cards = "".join(
        f'<div style="{_CARD}"><div style="{_NUMBER}">{value:,}</div><b>{word}</b>'
        f'<div style="font-size:0.85em;opacity:.8">{meaning}</div></div>'
        for value, word, meaning in four_numbers(preview)
    )
    return _html(
        f'<div style="display:flex;flex-wrap:wrap;gap:10px">{cards}</div>'
        f"<p><b>First:</b> {_h(first_advice(preview))}</p><p>{_h(privacy(preview))}</p>"
    )


def show_check(check: Check | None) -> HTML:
    """A setting's document beside the platform: differences, and the move where only a new setting helps."""
    if check is None:
        return _html("<p>No platform was chosen, so there is nothing to compare with.</p>")
    rows = [
        (_h(one.what), _h(one.document), _h(one.platform), "only by a new setting" if one.fixed else "rename it")
        for one in check.differences
    ]
    differences = _table(("what", "document", "platform", "how to change it"), rows) if rows else ""
    steps = "".join(f"<li>{_h(step)}</li>" for step in check.steps)
    notes = "".join(f"<p>{_h(note)}</p>" for note in check.notes)
    move = f"<p><b>The move:</b></p><ol>{steps}</ol>" if steps else ""
    return _html(f"<p>Document and platform: <b>{_h(check.state)}</b>.</p>{differences}{move}{notes}")


def show_findings(preview: Preview) -> HTML:
    """The findings as a table: level, what was found, what to do, rows."""
    if not preview.findings:
        return _html("<p>No findings.</p>")
    rows = [
        (f'<b style="color:{_LEVELS[one.level]}">{one.level}</b>', _h(one.message), _h(one.advice), _h(rows_of(one)))
        for one in preview.findings
    ]
    return _html(_table(("level", "what was found", "what to do", "rows"), rows))


def show_groups(preview: Preview) -> HTML:
    """The groups as a table, the largest first, and how many more there are."""
    rows = [
        (_h(one.name), f"{one.members:,}", yes_no(one.exists), yes_no(one.name_certain), f"{len(one.spellings) or 1:,}")
        for one in preview.groups[:GROUPS_SHOWN]
    ]
    rest = preview.groups[GROUPS_SHOWN:]
    members = many(sum(group.members for group in rest), "member")
    more = f"<p>… and {many(len(rest), 'more group')} with {members}</p>" if rest else ""
    return _html(_table(("name", "members", "exists?", "name certain?", "ways of writing"), rows) + more)


def show_people(preview: Preview, limit: int = PEOPLE_SHOWN) -> None:
    """Where people land and why, as a table to sort and search: the first `limit` rows, and how many there are."""
    import itables

    frame = _people(preview.assignments.head(limit))
    # Each table brings its library along: a cell that is run again would lose one that stands in another output.
    itables.init_notebook_mode(all_interactive=False, connected=False)
    itables.show(
        frame.to_pandas(), connected=False, allow_html=False, showIndex=False, maxBytes=0, scrollX=True,
        display_logo_when_loading=False, classes="display compact nowrap",
        columnDefs=[{"className": "dt-left", "targets": "_all"}],
    )  # fmt: skip
    shown = f"the first {frame.height:,} of" if frame.height < preview.rows else "all"
    _ipython().display(_html(f"<p>Rows shown: {shown} {preview.rows:,}.</p>"))


def _people(assignments: pl.DataFrame) -> pl.DataFrame:
    """What a person wants to know of each row, in words, with every character in sight."""
    active = (
        pl.when("active")
        .then(pl.lit("yes"))
        .when(pl.col("active").not_())
        .then(pl.lit("no"))
        .otherwise(pl.lit("unknown"))
    )
    frame = assignments.select(
        "row", "userName", "group", pl.col("reason").replace(REASONS).alias("what becomes of them"), "value", "email",
        "firstName", "lastName", active.alias("active"),
    )  # fmt: skip
    frame = frame.with_columns(pl.col(pl.String).fill_null("").str.replace_many(list(VISIBLE), list(VISIBLE.values())))
    # One long name would push all other columns out of sight.
    text = pl.col(pl.String).exclude("what becomes of them")
    return frame.with_columns(
        pl.when(text.str.len_chars() > _TEXT).then(text.str.head(_TEXT - 1) + "…").otherwise(text).name.keep()
    )


def show_chart(chart: Chart, words: str) -> None:
    """A picture and the words that say the same; the words are its alternative text, too."""
    ipython = _ipython()
    ipython.display(ipython.Image(data=as_png(chart), format="png", retina=True, alt=visible(words)))
    ipython.display(_html(f"<p>{_h(words)}</p>"))


def _h(text: str) -> str:
    return escape(visible(text))


def _html(content: str) -> HTML:
    html: HTML = _ipython().HTML(content)
    return html


def _ipython() -> Any:
    """IPython's display tools, which have no types."""
    from IPython import display

    return display


def _table(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """A table of cells that are HTML already."""
    head = "".join(f'<th scope="col" style="{_CELL}">{name}</th>' for name in columns)
    body = "".join("<tr>" + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
