"""A guide as one HTML page: it fetches nothing, and runs one script of its own, which copies values.

The page's policy names that script and its style by their hashes: whatever else got in would not run. Where scripts are
off, and in a notebook's saved output, the values are text that one click selects.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import scimops
from scimops.present.guide import Cell, Code, Grid, Guide, Prose, filled, parsed
from scimops.present.page import html_page
from scimops.present.words import visible

if TYPE_CHECKING:
    from IPython.display import HTML

_HERE = Path(__file__).parent
_NOWHERE = "base-uri 'none'; form-action 'none'"


def guide_page(guide: Guide) -> str:
    """The page for `guide`, complete, as text; every value in it is escaped."""
    style, script = _asset("guide_page.css"), _asset("guide_page.js")
    said = '<p id="copied" role="status" aria-live="polite"></p>'
    made = f"Made by scimops {escape(scimops.__version__)} from the setting's document. No token is in it."
    inner = f"{_blocks(guide)}\n<footer>{made}</footer>\n{said}"
    body = f'<main class="scimops-guide">\n{inner}\n</main>\n<script>{script}</script>'
    allowed = f"style-src 'sha256-{_hash(style)}'; script-src 'sha256-{_hash(script)}'; {_NOWHERE}"
    return html_page(_h(guide.title), body, style, allowed)


def show_guide(guide: Guide) -> HTML:
    """The guide for a notebook: the same without a script, so that it still shows when the notebook is opened again."""
    from IPython import display

    make: Any = display.HTML  # IPython's display tools have no types
    shown: HTML = make(f'<style>{_asset("guide_page.css")}</style><div class="scimops-guide">{_blocks(guide)}</div>')
    return shown


def _asset(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()


def _h(value: str) -> str:
    """A value as HTML text: made visible, then escaped."""
    return escape(visible(value))


def _blocks(guide: Guide) -> str:
    parts = []
    for block in guide.blocks:
        if isinstance(block, Prose):
            parts.append(_prose(block, guide.values))
        elif isinstance(block, Grid):
            parts.append(_grid(block))
        else:
            parts.append(_code(block))
    return "\n".join(parts)


def _prose(block: Prose, values: dict[str, str]) -> str:
    """Markdown as HTML; its own tags are text, and values are put in after it was parsed."""
    from markdown_it import MarkdownIt

    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.add_render_rule("code_inline", _code_inline)
    markdown.add_render_rule("table_open", lambda *_: '<div class="wide" tabindex="0"><table>')
    markdown.add_render_rule("table_close", lambda *_: "</table></div>")
    rendered: str = markdown.renderer.render(list(filled(parsed(block.markdown), values)), markdown.options, {})
    return rendered


def _code_inline(_: Any, tokens: Sequence[Any], number: int, *__: Any) -> str:
    token = tokens[number]
    return _paste(token.content) if token.meta.get("paste") else f"<code>{_h(token.content)}</code>"


def _paste(value: str) -> str:
    """A value with its button, which is shown where the script runs."""
    label = escape(f"Copy {visible(value)}", quote=True)
    button = f'<button type="button" class="copy" aria-label="{label}" hidden>Copy</button>'
    return f'<span class="paste"><code>{_breakable(value)}</code>{button}</span>'


def _breakable(value: str) -> str:
    """A value that a narrow column breaks where people would; what is copied is the same."""
    return "<wbr>".join(_h(part) for part in re.split(r"(?<=[:.,?/\[(])", value))


def _cell(cell: Cell) -> str:
    note = f'<span class="note">{_h(cell.note)}</span>' if cell.note else ""
    if cell.kind == "paste":
        return _paste(cell.text) + (f"<br>{_paste(cell.also)}" if cell.also else "") + note
    if cell.kind == "text":
        return f"<bdi>{_breakable(cell.text)}</bdi>{note}"
    return f'<span class="badge {cell.kind}">{_h(cell.text)}</span>{note}'


def _grid(grid: Grid) -> str:
    head = "".join(f'<th scope="col">{_h(name)}</th>' for name in grid.columns)
    named = any(grid.columns)
    lines = []
    for number, (first, *others) in enumerate(grid.rows):
        labels = (f' data-label="{_h(name)}"' if name else "" for name in grid.columns[1:])
        cells = "".join(f"<td{label}>{_cell(cell)}</td>" for label, cell in zip(labels, others, strict=True))
        marked = ' class="marked"' if number in grid.marked else ""
        lines.append(f'<tr{marked}><th scope="row">{_cell(first)}</th>{cells}</tr>')
    caption = f"<caption>{_h(grid.caption)}</caption>" if grid.caption else ""
    body = (
        f"<table>{caption}{f'<thead><tr>{head}</tr></thead>' if named else ''}<tbody>{''.join(lines)}</tbody></table>"
    )
    return f'<div class="wide" tabindex="0">{body}</div>' if named else f'<div class="facts">{body}</div>'


def _code(block: Code) -> str:
    caption = _h(block.caption)
    button = f'<button type="button" class="copy" aria-label="Copy {caption}" hidden>Copy</button>'
    return (
        f'<figure class="paste"><figcaption>{caption}{button}</figcaption>'
        f'<pre tabindex="0"><code>{_h_lines(block.text)}</code></pre></figure>'
    )


def _h_lines(text: str) -> str:
    return "\n".join(_h(line) for line in text.split("\n"))
