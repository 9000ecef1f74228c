"""One page to forward: a preview as a single HTML file that fetches nothing, runs nothing and names nobody.

The page goes to people who may not see the export, so it holds no userName, no e-mail address and no name of a person.
A finding's sentence can carry a sample of one ("such as anna@@example.com"): that clause is left out and the numbers of
the rows stand in its place. A group named after a person, as when the criterion is the manager, has no name here.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Collection
from typing import TYPE_CHECKING

import scimops
from scimops.errors import CATALOGUE
from scimops.present.charts import as_png, groups_chart, groups_words, reasons_chart, reasons_words
from scimops.present.page import STYLE, escaped, html_page, named, section, table
from scimops.present.words import (
    first_advice,
    four_numbers,
    many,
    people,
    reason_rows,
    rows_of,
    setting_rows,
    source_rows,
    yes_no,
)
from scimops.preview.personal import named_after_people

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
            f"<header><h1>{escaped(title)}</h1>{_facts(preview)}</header><main>", _cards(preview),
            _first(preview, hidden),
            section("Findings", _findings(preview, hidden)), section("Groups", _groups(preview, hidden)),
            section("Reasons", _reasons(preview)), section("How this was computed", _method(preview)), "</main>",
            _footer(hidden),
        ]
    )  # fmt: skip
    return html_page(escaped(title), body, STYLE, "style-src 'unsafe-inline'; img-src data:")


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


def _facts(preview: Preview) -> str:
    facts = dict(source_rows(preview))
    return f"<p>{named(facts['File'])}: {escaped(facts['What it is'])}. Taken {escaped(facts['Taken'])}.</p>"


def _cards(preview: Preview) -> str:
    cards = "".join(
        f"<li><strong>{value:,}</strong> <b>{word}</b> <span>{meaning}</span></li>"
        for value, word, meaning in four_numbers(preview)
    )
    return f'<ul class="cards" aria-label="The four numbers">{cards}</ul>'


def _first(preview: Preview, hidden: Collection[str]) -> str:
    advice = first_advice(preview, lambda finding: without_people(finding, hidden))
    return f'<p class="first"><b>First:</b> {escaped(advice)}</p>'


def _findings(preview: Preview, hidden: Collection[str]) -> str:
    if not preview.findings:
        return "<p>Nothing was found.</p>"
    items = []
    for finding in preview.findings:
        rows = rows_of(finding, most=10)
        where = f'<p class="rows">{"Row" if finding.count == 1 else "Rows"} {escaped(rows)}</p>' if rows else ""
        what = f'<p><b class="level">{finding.level}</b> {escaped(without_people(finding, hidden))}</p>'
        items.append(f'<li class="{finding.level}">{what}<p>{escaped(finding.advice)}</p>{where}</li>')
    return f'<ul class="findings">{"".join(items)}</ul>'


def _picture(png: bytes, words: str) -> str:
    # A PNG's width and height stand in its first chunk; it is drawn at twice the size for sharp print.
    width, height = (int.from_bytes(png[start : start + 4]) // 2 for start in (16, 20))
    source = f"data:image/png;base64,{b64encode(png).decode()}"
    image = f'<img alt="{escaped(words)}" width="{width}" height="{height}" src="{source}">'
    return f'<figure><div class="wide">{image}</div><figcaption>{escaped(words)}</figcaption></figure>'


def _groups(preview: Preview, hidden: Collection[str]) -> str:
    if not preview.groups:
        return "<p>Nobody lands in a group.</p>"
    rows = []
    for group in preview.groups[:GROUPS_SHOWN]:
        name = "(a person's name)" if group.group_key in hidden else named(group.name)
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
    listing = table("Groups, the largest first", columns, rows, numbers=[1, 4])
    return picture + listing + "".join(f"<p>{note}</p>" for note in notes)


def _reasons(preview: Preview) -> str:
    rows = [[escaped(row.sentence), row.kind, f"{row.count:,}"] for row in reason_rows(preview)]
    rows.append(["Records in the export", "", f"{preview.rows:,}"])
    listing = table("Every record has one reason", ["Reason", "Result", "People"], rows, numbers=[2])
    return _picture(as_png(reasons_chart(preview)), reasons_words(preview)) + listing


def _method(preview: Preview) -> str:
    computed = ("Computed by", f"scimops {scimops.__version__}, {preview.backend}")
    facts = [*source_rows(preview), *setting_rows(preview), computed]
    return (
        "<dl>"
        + "".join(f"<div><dt>{escaped(name)}</dt><dd>{named(value)}</dd></div>" for name, value in facts)
        + "</dl>"
    )


def _footer(hidden: Collection[str]) -> str:
    left_out = f" {many(len(hidden), 'group')} named after people: the names are left out." if hidden else ""
    return (
        f"<footer><p>This page holds no names of people.{left_out} "
        "A preview is a forecast: nothing was changed at the identity provider or on the platform.</p></footer>"
    )
