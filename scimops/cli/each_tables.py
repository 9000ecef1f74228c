"""What came of a notebook that ran for many companies: for a terminal, and as one page that fetches nothing."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from scimops.present.page import html_page
from scimops.present.tables import add_row, plain_table, spaced
from scimops.present.words import visible

if TYPE_CHECKING:
    from rich.console import RenderableType

    from scimops.jobs.each_summary import CompanyRun, EachRun

_COLUMNS: Final = ("Company", "Result", "Last time", "Outcome", "Code", "Seconds", "What it counted", "Message")

_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ddd; }
.failed, .not_run { color: #a40000; font-weight: 600; }
.withheld, .findings { color: #7a4b00; font-weight: 600; }
code { overflow-wrap: anywhere; }
"""


def each_table(each: EachRun) -> RenderableType:
    """The companies, the worst first, and how many there are of each result."""
    table = plain_table(counted(each), *_COLUMNS, right=["Seconds"])
    for one in each.companies:
        add_row(table, *_cells(one))
    return spaced(table)


def counted(each: EachRun) -> str:
    """`60 companies: 4 failed, 56 ok`."""
    parts = [f"{count:,} {word.replace('_', ' ')}" for word, count in each.counts.items() if count]
    return f"{len(each.companies):,} {'company' if len(each.companies) == 1 else 'companies'}: {', '.join(parts)}"


def each_page(each: EachRun) -> str:
    """The page; each company's name leads to its report."""
    heads = "".join(f"<th>{_h(name)}</th>" for name in _COLUMNS)
    rows = "\n".join(_row(one, Path(each.folder)) for one in each.companies)
    facts = {"Notebook": each.notebook, "Companies": each.companies_file, "Began": each.started, "Ended": each.ended,
             "Run": each.id, "Continues": each.continues, "Head of the ledger": each.head}  # fmt: skip
    said = "".join(
        f"<tr><th>{_h(name)}</th><td><code>{_h(text)}</code></td></tr>" for name, text in facts.items() if text
    )
    title = _h(f"{counted(each)} (exit code {each.exit_code})")
    body = f"<h1>{title}</h1>\n<table><tr>{heads}</tr>\n{rows}\n</table>\n<h2>This run</h2>\n<table>{said}</table>"
    allowed = b64encode(sha256(_STYLE.encode()).digest()).decode()
    return html_page(title, body, _STYLE, f"style-src 'sha256-{allowed}'; base-uri 'none'; form-action 'none'")


def _row(one: CompanyRun, folder: Path) -> str:
    cells = [f"<td>{_h(cell)}</td>" for cell in _cells(one)]
    if one.page:
        link = quote(Path(one.page).relative_to(folder).as_posix())
        cells[0] = f'<td><a href="{escape(link)}">{_h(one.name)}</a></td>'
    cells[1] = f'<td class="{one.result}">{_h(one.result.replace("_", " "))}</td>'
    return f"<tr>{''.join(cells)}</tr>"


def _cells(one: CompanyRun) -> tuple[str, ...]:
    before = one.before.replace("_", " ") or "—"
    if one.before and one.before != one.result:
        before = f"{before} (changed)"
    counts = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in one.counts.items())
    code = "—" if one.exit_code is None else str(one.exit_code)
    return (one.name, one.result.replace("_", " "), before, one.outcome.replace("_", " ") or "—", code,
            f"{one.seconds:,.1f}", counts, one.message)  # fmt: skip


def _h(text: str) -> str:
    return escape(visible(text))
