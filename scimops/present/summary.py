"""One page to forward: a preview as a single HTML file that fetches nothing, runs nothing and names nobody.

The page goes to people who may not see the export, so it holds no userName, no e-mail address and no name of a person.
A finding's sentence can carry a sample of one ("such as anna@@example.com"): that clause is left out and the numbers of
the rows stand in its place. A group named after a person, as when the criterion is the manager, has no name here.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Collection, Iterable
from html import escape
from typing import TYPE_CHECKING

import scimops
from scimops.errors import CATALOGUE
from scimops.present.charts import as_png, groups_chart, groups_words, reasons_chart, reasons_words
from scimops.present.page import html_page
from scimops.present.words import (
    first_advice,
    four_numbers,
    many,
    named_after_people,
    people,
    reason_rows,
    rows_of,
    setting_rows,
    source_rows,
    visible,
    yes_no,
)

if TYPE_CHECKING:
    from scimops.errors import Finding
    from scimops.preview import Preview

GROUPS_SHOWN = 50
"""How many groups the table of the page has; the line below it says how many more there are."""

GROUP_SAMPLES = frozenset({"spellings_merged", "near_twins", "one_member_group", "group_name_too_long"})
"""Findings whose sample names groups. The sample of every other finding is taken to be of a person."""

_SAMPLE = re.compile(r" ?\([^(){}]*\{sample\}[^(){}]*\)|:? \{sample\}")


def summary_html(preview: Preview) -> str:
    """The page for `preview`, complete, as text; every value in it is escaped."""
    title = f"Where everybody lands: {preview.setting.name}"
    hidden = named_after_people(preview)
    body = "\n".join(
        [
            f"<header><h1>{_h(title)}</h1>{_facts(preview)}</header><main>", _cards(preview), _first(preview, hidden),
            _section("Findings", _findings(preview, hidden)), _section("Groups", _groups(preview, hidden)),
            _section("Reasons", _reasons(preview)), _section("How this was computed", _method(preview)), "</main>",
            _footer(hidden),
        ]
    )  # fmt: skip
    return html_page(_h(title), body, _STYLE, "style-src 'unsafe-inline'; img-src data:")


def without_people(finding: Finding, hidden: Collection[str] = ()) -> str:
    """A finding's sentence without the sample of a person that it may carry.

    Samples that name groups stay, unless some groups are `hidden` because they are named after people.
    """
    template = CATALOGUE[finding.code].message
    if "{sample}" not in template or (finding.code in GROUP_SAMPLES and not hidden):
        return finding.message
    clause = _SAMPLE.search(template)
    lead = clause[0].split("{sample}")[0] if clause else ""
    if clause is None or lead not in finding.message or "{" in template[clause.end() :]:
        return f"{people(finding.count)}: see the rows."  # a sentence of another make: rather too little than a name
    return finding.message.split(lead, 1)[0] + template[clause.end() :]


def _h(value: object) -> str:
    """A value as HTML text: made visible, then escaped."""
    return escape(visible(str(value)))


def _name(value: object) -> str:
    """A value of the export: a direction of writing of its own must not turn ours."""
    return f"<bdi>{_h(value)}</bdi>"


def _section(title: str, content: str) -> str:
    anchor = re.sub(r"\W+", "-", title.lower())
    return f'<section aria-labelledby="{anchor}"><h2 id="{anchor}">{title}</h2>\n{content}\n</section>'


def _facts(preview: Preview) -> str:
    facts = dict(source_rows(preview))
    return f"<p>{_name(facts['File'])}: {_h(facts['What it is'])}. Taken {_h(facts['Taken'])}.</p>"


def _cards(preview: Preview) -> str:
    cards = "".join(
        f"<li><strong>{value:,}</strong> <b>{word}</b> <span>{meaning}</span></li>"
        for value, word, meaning in four_numbers(preview)
    )
    return f'<ul class="cards" aria-label="The four numbers">{cards}</ul>'


def _first(preview: Preview, hidden: Collection[str]) -> str:
    advice = first_advice(preview, lambda finding: without_people(finding, hidden))
    return f'<p class="first"><b>First:</b> {_h(advice)}</p>'


def _findings(preview: Preview, hidden: Collection[str]) -> str:
    if not preview.findings:
        return "<p>Nothing was found.</p>"
    items = []
    for finding in preview.findings:
        rows = rows_of(finding, most=10)
        where = f'<p class="rows">{"Row" if finding.count == 1 else "Rows"} {_h(rows)}</p>' if rows else ""
        what = f'<p><b class="level">{finding.level}</b> {_h(without_people(finding, hidden))}</p>'
        items.append(f'<li class="{finding.level}">{what}<p>{_h(finding.advice)}</p>{where}</li>')
    return f'<ul class="findings">{"".join(items)}</ul>'


def _table(caption: str, columns: Iterable[str], rows: Iterable[Iterable[str]], numbers: Iterable[int] = ()) -> str:
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


def _picture(png: bytes, words: str) -> str:
    # A PNG's width and height stand in its first chunk; it is drawn at twice the size for sharp print.
    width, height = (int.from_bytes(png[start : start + 4]) // 2 for start in (16, 20))
    source = f"data:image/png;base64,{b64encode(png).decode()}"
    image = f'<img alt="{_h(words)}" width="{width}" height="{height}" src="{source}">'
    return f'<figure><div class="wide">{image}</div><figcaption>{_h(words)}</figcaption></figure>'


def _groups(preview: Preview, hidden: Collection[str]) -> str:
    if not preview.groups:
        return "<p>Nobody lands in a group.</p>"
    rows = []
    for group in preview.groups[:GROUPS_SHOWN]:
        name = "(a person's name)" if group.group_key in hidden else _name(group.name)
        ways = f"{len(group.spellings) or 1:,}"
        rows.append([name, f"{group.members:,}", yes_no(group.exists), yes_no(group.name_certain), ways])
    columns = ["Group", "Members", "On the platform?", "Name certain?", "Ways of writing"]
    notes = []
    if rest := preview.groups[GROUPS_SHOWN:]:
        members = many(sum(group.members for group in rest), "member")
        notes.append(f"… and {many(len(rest), 'more group')} with {members}.")
    if any(not group.name_certain for group in preview.groups):
        notes.append("A name that is not certain is the spelling of whoever arrives first.")
    picture = _picture(as_png(groups_chart(preview, hidden)), groups_words(preview, hidden))
    table = _table("Groups, the largest first", columns, rows, numbers=[1, 4])
    return picture + table + "".join(f"<p>{note}</p>" for note in notes)


def _reasons(preview: Preview) -> str:
    rows = [[_h(row.sentence), row.kind, f"{row.count:,}"] for row in reason_rows(preview)]
    rows.append(["Records in the export", "", f"{preview.rows:,}"])
    table = _table("Every record has one reason", ["Reason", "Result", "People"], rows, numbers=[2])
    return _picture(as_png(reasons_chart(preview)), reasons_words(preview)) + table


def _method(preview: Preview) -> str:
    computed = ("Computed by", f"scimops {scimops.__version__}, {preview.backend}")
    facts = [*source_rows(preview), *setting_rows(preview), computed]
    return "<dl>" + "".join(f"<div><dt>{_h(name)}</dt><dd>{_name(value)}</dd></div>" for name, value in facts) + "</dl>"


def _footer(hidden: Collection[str]) -> str:
    left_out = f" {many(len(hidden), 'group')} named after people: the names are left out." if hidden else ""
    return (
        f"<footer><p>This page holds no names of people.{left_out} "
        "A preview is a forecast: nothing was changed at the identity provider or on the platform.</p></footer>"
    )


_STYLE = """
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
