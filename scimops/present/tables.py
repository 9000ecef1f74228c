"""Tables for a terminal. Every value becomes a Rich `Text`, which is never read as markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group as RenderableGroup
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from scimops.grouping import REASONS
from scimops.present.words import (
    first_advice,
    four_numbers,
    listed,
    many,
    people,
    privacy,
    reason_rows,
    rows_of,
    setting_rows,
    source_rows,
    visible,
    yes_no,
)

if TYPE_CHECKING:
    from scimops.errors import Finding
    from scimops.idp import Export
    from scimops.preview import Group, Preview
    from scimops.preview.compare import Comparison
    from scimops.preview.explain import Explanation

ROWS_SHOWN = 40
"""How many groups, moves or people a table shows; the line below it says how many more there are."""

_SPELLINGS_SHOWN = 4
_LEVELS = {"error": "bold red", "warning": "yellow", "info": "cyan"}


def preview_tables(preview: Preview) -> RenderableGroup:
    """A preview for the terminal: four numbers, the first advice, then groups, reasons, findings and what was read."""
    first = Text.assemble(("First: ", "bold"), visible(first_advice(preview)))
    return spaced(
        numbers_table(preview), first, Text(visible(privacy(preview)), style="green"),
        _groups(preview.groups), _reasons(preview), findings_table(preview.findings),
        pairs_table("What was read", source_rows(preview)), pairs_table("How it was computed", setting_rows(preview)),
    )  # fmt: skip


def spaced(*parts: RenderableType) -> RenderableGroup:
    """The parts below each other, an empty line between them."""
    spaced = [piece for part in parts for piece in (part, Text())]
    return RenderableGroup(*spaced[:-1])


def numbers_table(preview: Preview) -> Table:
    """The four numbers."""
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="bold")
    for value, word, meaning in four_numbers(preview):
        table.add_row(Text(f"{value:,}"), Text(word, style="bold"), Text(meaning, style="dim"))
    return table


def plain_table(title: str, *columns: str, right: Sequence[str] = ()) -> Table:
    """An empty table with these columns."""
    heading = Text(title, style="bold")
    table = Table(title=heading, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in columns:
        table.add_column(Text(name), justify="right" if name in right else "left", overflow="fold")
    return table


def _noted(table: Table, *notes: str) -> RenderableGroup:
    """A table with notes below it; a caption of its own would be broken at the table's width."""
    return RenderableGroup(table, *[Text(note, style="dim") for note in notes if note])


def add_row(table: Table, *cells: str | int | Text) -> None:
    """Add a row: text made visible, whole numbers with separators."""
    texts = [f"{cell:,}" if isinstance(cell, int) else cell for cell in cells]
    table.add_row(*[Text(visible(text)) if isinstance(text, str) else text for text in texts])


def _more(count: int, one: str, several: str = "") -> str:
    return f"… and {many(count, f'more {one}', several and f'more {several}')}" if count > 0 else ""


def _groups(groups: Sequence[Group]) -> RenderableGroup:
    shown, rest = groups[:ROWS_SHOWN], groups[ROWS_SHOWN:]
    more = _more(len(rest), "group")
    notes = [f"{more} with {many(sum(group.members for group in rest), 'member')}"] if more else []
    if any(not group.name_certain for group in groups):
        notes.append("A name that is not certain is the spelling of whoever arrives first.")
    columns = ("name", "members", "exists?", "name certain?", "spellings")
    table = plain_table("Groups", *columns, right=["members"])
    for group in shown:
        add_row(table, group.name, group.members, yes_no(group.exists), yes_no(group.name_certain), _spellings(group))
    if not groups:
        add_row(table, "(no groups)", 0, "", "", "")
    return _noted(table, *notes)


def _spellings(group: Group) -> str:
    """Each way of writing with its count; quoted where spaces at an end would not be seen."""
    if len(group.spellings) < 2:
        return ""
    shown = {text: text if text == text.strip() else f'"{text}"' for text in group.spellings}
    return listed([f"{shown[text]} ({count:,})" for text, count in group.spellings.items()], _SPELLINGS_SHOWN)


def _reasons(preview: Preview) -> Table:
    table = plain_table("Reasons", "people", "what becomes of each", right=["people"])
    for row in reason_rows(preview):
        add_row(table, row.count, row.sentence)
    table.add_section()
    add_row(table, preview.rows, "records in the export")
    return table


def findings_table(findings: Sequence[Finding]) -> RenderableType:
    """Findings with what to do."""
    if not findings:
        return Text("No findings.")
    table = plain_table("Findings", "level", "what was found", "what to do", "rows")
    table.columns[-1].max_width = 14
    for finding in findings:
        level = Text(finding.level, style=_LEVELS[finding.level])
        add_row(table, level, finding.message, finding.advice, rows_of(finding, most=3))
    return table


def pairs_table(title: str, pairs: Iterable[tuple[str, str]]) -> Table:
    """Names and values."""
    table = plain_table(title, "", "")
    table.show_header = False
    for name, value in pairs:
        add_row(table, Text(name, style="dim"), value)
    return table


def compare_tables(comparison: Comparison) -> RenderableGroup:
    """Two previews side by side for the terminal: who moves from where to where, which groups change, the people."""
    changed = comparison.people.height
    differ = f"{people(changed)} {'differs' if changed == 1 else 'differ'}"
    head = Text(f"{differ}, {comparison.unchanged:,} stay as they are.", style="bold")
    if not changed and not comparison.groups:
        return RenderableGroup(head)
    rest = comparison.moves[ROWS_SHOWN:]
    more = _more(len(rest), "move")
    note = f"{more} of {people(sum(move['people'] for move in rest))}" if more else ""
    moves = plain_table("Moves", "people", "from", "to", right=["people"])
    for move in comparison.moves[:ROWS_SHOWN]:
        add_row(moves, int(move["people"]), move["from"], move["to"])
    sizes = ("before", "after", "change")
    groups = plain_table("Groups that change", "name", *sizes, right=sizes)
    for group in comparison.groups[:ROWS_SHOWN]:
        before, after = group["before"], group["after"]
        add_row(groups, group["name"], before, after, f"{after - before:+,}")
    more = _more(len(comparison.groups) - ROWS_SHOWN, "group")
    return spaced(head, _noted(moves, note), _noted(groups, more), _moved(comparison))


def _moved(comparison: Comparison) -> RenderableGroup:
    numbers = ("row before", "row after")
    table = plain_table("People", *numbers, "userName", "from", "to", right=numbers)
    for row in comparison.people.head(ROWS_SHOWN).iter_rows(named=True):
        rows = ("" if row[key] is None else f"{row[key]:,}" for key in ("row_before", "row_after"))
        places = (_place(row[f"{side}_group"], row[f"{side}_reason"]) for side in ("from", "to"))
        add_row(table, *rows, row["userName"] or "(none)", *places)
    return _noted(table, _more(comparison.people.height - ROWS_SHOWN, "person", "people"))


def _place(group: str | None, reason: str | None) -> str:
    if reason is None:
        return "(not there)"
    return group if group is not None else f"({REASONS[reason]})"


def explain_text(explanation: Explanation) -> Text:
    """Why one person lands where they do: the steps numbered, the result in bold."""
    text = Text()
    *steps, result = explanation.steps
    for number, step in enumerate(steps, 1):
        text.append(f"{number}. {visible(step)}\n")
    text.append(visible(result), style="bold")
    return text


def read_table(export: Export) -> RenderableGroup:
    """What `scimops read` shows: what the file is, which column means what, the first rows that cannot be read."""
    said = export.describe()
    facts = [
        ("File", listed(said["files"], 5)),
        ("What it is", f"{export.shape.title} (shape {said['shape']})"),
        ("Recognised by", listed(said["recognised_by"], 8) or "nothing: its columns were guessed"),
        ("Encoding", said["encoding"] + (f", separated by {said['delimiter']!r}" if said["delimiter"] else "")),
        ("Records", f"{export.rows:,}, of which {len(export.rejected):,} cannot be read"),
        ("Whole?", "yes" if export.complete else f"no: {export.missing}"),
        ("Taken", f"{export.taken_at:%Y-%m-%d %H:%M} UTC, from {export.taken_from}"),
    ]
    if said["recording"]:
        counted = [f"{name.replace('_', ' ')} {count:,}" for name, count in said["recording"].items() if count]
        facts.append(("Recorded", ", ".join(counted)))
    columns = plain_table("Columns", "field", "column of the export")
    for name, column in export.columns.items():
        add_row(columns, name, column)
    return spaced(pairs_table("Export", facts), columns, *_rejected(export))


def _rejected(export: Export) -> list[RenderableGroup]:
    if not export.rejected:
        return []
    table = plain_table("Rows that cannot be read", "row", "line", "why", "text", right=["row", "line"])
    for row in export.rejected[:ROWS_SHOWN]:
        text = row.text if len(row.text) <= 80 else row.text[:79] + "…"
        add_row(table, row.row, "" if row.line is None else row.line, row.reason, text)
    return [_noted(table, _more(len(export.rejected) - ROWS_SHOWN, "row"))]
