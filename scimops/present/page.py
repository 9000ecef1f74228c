"""The frame of every HTML page that scimops writes: it fetches nothing, and runs only what its policy names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

from scimops.present.words import visible

if TYPE_CHECKING:
    from scimops.findings import Finding

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; {policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="scimops">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


def html_page(title: str, body: str, style: str, policy: str) -> str:
    """A page; `title` and `body` are HTML that is safe already, `policy` what is allowed beyond nothing (CSP)."""
    return _PAGE.format(title=title, body=body, style=style, policy=policy)


def escaped(value: object) -> str:
    """A value as HTML text: made visible, then escaped."""
    return escape(visible(str(value)))


def named(value: object) -> str:
    """A value of the export: a direction of writing of its own must not turn ours."""
    return f"<bdi>{escaped(value)}</bdi>"


def section(title: str, content: str) -> str:
    """A part of the page under a heading; `title` and `content` are HTML already."""
    anchor = re.sub(r"\W+", "-", title.lower())
    return f'<section aria-labelledby="{anchor}"><h2 id="{anchor}">{title}</h2>\n{content}\n</section>'


def table(caption: str, columns: Iterable[str], rows: Iterable[Iterable[str]], numbers: Iterable[int] = ()) -> str:
    """A table of cells that are HTML already; the first of each row is its header. Columns of `numbers` stand right."""
    right = dict.fromkeys(numbers, ' class="number"')
    head = "".join(f'<th scope="col"{right.get(place, "")}>{name}</th>' for place, name in enumerate(columns))
    lines = []
    for first, *others in rows:
        cells = "".join(f"<td{right.get(place, '')}>{cell}</td>" for place, cell in enumerate(others, 1))
        lines.append(f'<tr><th scope="row">{first}</th>{cells}</tr>')
    return (
        f'<div class="wide" role="region" tabindex="0" aria-label="{caption}"><table><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def findings_list(findings: Iterable[Finding]) -> str:
    """Findings, each with its level and what to do."""
    items = [
        f'<li class="{one.level}"><p><b class="level">{one.level}</b> {escaped(one.message)}</p>'
        f"<p>{escaped(one.advice)}</p></li>"
        for one in findings
    ]
    return f'<ul class="findings">{"".join(items)}</ul>' if items else "<p>Nothing was found.</p>"


def facts_list(facts: Iterable[tuple[str, str]]) -> str:
    """Names and values."""
    lines = (f"<div><dt>{escaped(name)}</dt><dd>{named(value)}</dd></div>" for name, value in facts)
    return f"<dl>{''.join(lines)}</dl>"


STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem 3rem; background: #fff; color: #1b1b1b;
  font: 1rem/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 .7rem; border-bottom: 2px solid #0072b2; padding-bottom: .2rem; }
header p { margin: 0; color: #444; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: .7rem; list-style: none;
  margin: 1.3rem 0; padding: 0; }
.cards li { border: 1px solid #c9d3da; border-top: 4px solid #0072b2; border-radius: .3rem; padding: .7rem .9rem; }
.cards strong { display: block; font-size: 2rem; line-height: 1.15; }
.cards span { display: block; color: #444; font-size: .875rem; }
.first { background: #eef5fa; border-left: 4px solid #0072b2; padding: .7rem .9rem; margin: 0; }
.findings { list-style: none; margin: 0; padding: 0; }
.findings li { border-left: 4px solid #666; padding: .1rem 0 .1rem .8rem; margin: 0 0 1rem; }
.findings p { margin: .15rem 0; }
.findings .rows { color: #444; font-size: .875rem; }
.level { text-transform: uppercase; font-size: .75rem; letter-spacing: .04em; border-radius: .2rem;
  padding: .1rem .4rem; color: #fff; background: #595959; margin-right: .2rem; }
.findings .error { border-color: #a33c00; } .error .level { background: #a33c00; }
.findings .warning { border-color: #8a5a00; } .warning .level { background: #8a5a00; }
figure { margin: 0 0 1.2rem; } figure img { max-width: 100%; height: auto; display: block; }
figcaption { color: #333; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid #d9dfe3; }
thead th { border-bottom: 2px solid #888; } tbody th { font-weight: 400; min-width: 9rem; }
thead th, td { overflow-wrap: normal; } td { white-space: nowrap; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; padding-right: 1.2rem; }
dl { margin: 0; } dl div { display: grid; grid-template-columns: 13rem 1fr; gap: .5rem; padding: .25rem 0;
  border-bottom: 1px solid #e3e8eb; } dt { color: #444; } dd { margin: 0; }
footer { margin-top: 2.5rem; border-top: 1px solid #c9d3da; color: #444; font-size: .9rem; }
@media (max-width: 34rem) { .cards { grid-template-columns: 1fr 1fr; } dl div { grid-template-columns: 1fr; gap: 0; }
  figure img { max-width: none; width: 36rem; } }
@media print { :root { font-size: 10pt; } body { max-width: none; padding: 0; } .wide { overflow: visible; }
  .cards { grid-template-columns: repeat(4, 1fr); } .cards li, .findings li, figure, tr { break-inside: avoid; }
  h2 { break-after: avoid; } thead { display: table-header-group; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
"""
"""How a page of cards, tables and findings looks, on a screen of any width and on paper."""
