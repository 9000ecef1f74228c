"""A guide for the terminal: Markdown and tables of Rich, values put in after the Markdown was parsed."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.markdown import Markdown
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from scimops.present.guide import Cell, Code, Grid, Guide, Prose, filled, parsed
from scimops.present.words import visible

_STYLES = {"paste": "cyan", "yes": "green", "no": "yellow", "maybe": "magenta", "text": ""}


def guide_text(guide: Guide) -> Group:
    """The guide as one renderable; what is to be pasted stands alone on its line wherever it is long."""
    parts: list[RenderableType] = []
    for block in guide.blocks:
        parts += [_prose(block, guide.values) if isinstance(block, Prose) else _other(block), Text()]
    return Group(*parts[:-1])


def _prose(block: Prose, values: dict[str, str]) -> Markdown:
    markdown = Markdown("", hyperlinks=False)
    markdown.parsed = list(filled(parsed(block.markdown), values))
    return markdown


def _other(block: Grid | Code) -> RenderableType:
    if isinstance(block, Code):
        lines = "\n".join(visible(line) for line in block.text.split("\n"))
        return Group(Text(block.caption, style="bold"), Padding(Text(lines, style="cyan"), (0, 0, 0, 2)))
    table = Table(
        title=Text(block.caption, style="bold") if block.caption else None, title_justify="left",
        box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, show_header=any(block.columns),
    )  # fmt: skip
    for name in block.columns:
        table.add_column(Text(name), overflow="fold")
    for number, row in enumerate(block.rows):
        table.add_row(*[_cell(cell) for cell in row], style="bold" if number in block.marked else "")
    return table


def _cell(cell: Cell) -> Text:
    text = Text(visible(cell.text), style=_STYLES[cell.kind])
    for more in (cell.also, cell.note):
        text.append(f"\n{visible(more)}" if more else "", style="dim" if more == cell.note else "")
    return text
