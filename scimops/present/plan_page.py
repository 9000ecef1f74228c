"""A plan as one page to look at: it fetches nothing and runs nothing. It names people: who sees it must be allowed to.

First what is asked most: four numbers, what the safeguards say, the groups. Then who is withheld, by name, and every
operation with old and new values, at most :data:`SHOWN` of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

import scimops
from scimops.present.page import STYLE, escaped, facts_list, findings_list, html_page, named, section, table
from scimops.present.plan_words import (
    KINDS,
    WHY,
    WITHHELD,
    four_numbers,
    groups_of,
    made_of,
    moment,
    name_of,
    safeguard_words,
    seats_sentence,
    values_of,
    withheld_words,
)
from scimops.present.words import many

if TYPE_CHECKING:
    from scimops.plan import Plan
    from scimops.plan.safeguards import Verdict

SHOWN = 500
"""How many operations the page lists, and how many of those withheld; the line below says how many more there are."""

GROUPS_SHOWN = 100


def plan_html(plan: Plan) -> str:
    """The page for `plan`, complete, as text; every value in it is escaped."""
    title = f"What would be done: {plan.setting.name}"
    when = escaped(moment(plan.source.read_at))
    where = f"<p>At {named(plan.source.where)}, as it was on {when}. Nothing was changed.</p>"
    facts = [*made_of(plan), ("Made by", f"scimops {scimops.__version__}")]
    body = "\n".join(
        [
            f"<header><h1>{escaped(title)}</h1>{where}</header><main>", _cards(plan), _first(plan),
            section("Safeguards", _safeguards(plan)), section("Groups", _groups(plan)),
            section("Findings", findings_list(plan.findings)), section("Withheld", _withheld(plan)),
            section("Operations", _operations(plan)), section("What this was made of", facts_list(facts)),
            "</main>", _FOOTER,
        ]
    )  # fmt: skip
    return html_page(escaped(title), body, STYLE + _STYLE, "style-src 'unsafe-inline'")


def _cards(plan: Plan) -> str:
    colours = ("new", "stay", "end", "held" if plan.held.height else "none")
    cards = "".join(
        f'<li class="{colour}"><strong>{value:,}</strong> <b>{word}</b> <span>{meaning}</span></li>'
        for colour, (value, word, meaning) in zip(colours, four_numbers(plan), strict=True)
    )
    return f'<ul class="cards" aria-label="The four numbers">{cards}</ul>'


def _first(plan: Plan) -> str:
    """What to do with it, and the seats."""
    if plan.operations.is_empty():
        said = "Nothing is to be done: all is as it should be."
    elif plan.held.is_empty():
        said = "No safeguard holds anything back. Look at it; scimops apply does exactly this."
    else:
        reached = ", ".join(sorted({WITHHELD[code] for code in plan.held["withheld"].unique()}))
        said = f"{many(plan.held.height, 'operation')} withheld: {reached}. Where they are right: scimops approve."
    over = (plan.seats["limit"] is not None) and (plan.seats["after"] or 0) > plan.seats["limit"]
    mark = '<b class="held">▲</b> ' if over else ""
    colour = "first" if plan.held.is_empty() else "first warned"
    return f'<p class="{colour}"><b>{escaped(said)}</b><br>{mark}{escaped(seats_sentence(plan))}</p>'


def _safeguards(plan: Plan) -> str:
    rows = [
        [_answer(one), named(safeguard_words(one)), f"{one.count:,}", f"{one.population:,}",
         "no limit" if one.limit is None else f"{one.limit:,}"]
        for one in sorted(plan.verdicts, key=lambda one: not one.held)
    ]  # fmt: skip
    columns = ["Answer", "What is counted", "Would be", "Of", "At most"]
    return table("What each safeguard of the setting says", columns, rows, numbers=[2, 3, 4])


def _answer(verdict: Verdict) -> str:
    return '<b class="held">▲ withheld</b>' if verdict.held else '<span class="fine">✓ ok</span>'


def _groups(plan: Plan) -> str:
    if plan.groups.is_empty():
        return "<p>No group changes.</p>"
    largest = max(1, *plan.groups["before"], *plan.groups["after"])
    rows = []
    for one in plan.groups.head(GROUPS_SHOWN).iter_rows(named=True):
        numbers = [f"{one[name]:,}" if one[name] else "0" for name in ("before", "leaves", "joins", "after")]
        waiting = f'<b class="held">{one["withheld"]:,}</b>' if one["withheld"] else "0"
        rows.append([named(one["group"]), *numbers, waiting, _bar(one, largest)])
    caption = "Groups that change" + (
        ", as expected: the service provider places people itself" if plan.source.placement == "server" else ""
    )
    more = plan.groups.height - GROUPS_SHOWN
    note = f"<p>… and {many(more, 'more group')}: the workbook has all of them.</p>" if more > 0 else ""
    columns = ["Group", "Now", "Leave", "Join", "Then", "Withheld", "Now and then"]
    return table(caption, columns, rows, numbers=[1, 2, 3, 4, 5]) + note


def _bar(group: dict[str, Any], largest: int) -> str:
    """Two bars, how large the group is now and then; the numbers stand beside them."""
    widths = (round(100 * group[name] / largest, 1) for name in ("before", "after"))
    bars = "".join(f'<i class="{name}" style="width:{width}%"></i>' for name, width in zip("ab", widths, strict=True))
    return f'<span class="bars" aria-hidden="true">{bars}</span>'


def _withheld(plan: Plan) -> str:
    if plan.held.is_empty():
        return "<p>Nothing is withheld.</p>"
    rows = [
        [_who(one), KINDS[one["kind"]], _because(one), escaped(withheld_words(one))]
        for one in plan.held.sort("withheld", "number").head(SHOWN).iter_rows(named=True)
    ]
    counts = plan.held["withheld"].value_counts(sort=True).iter_rows()
    reasons = "".join(f"<li><b>{count:,}</b> {escaped(WITHHELD[code])}</li>" for code, count in counts)
    names = table("Each one by name", ["Who", "Would be", "Because", "Withheld, because"], rows)
    return f'<ul class="reasons">{reasons}</ul>{names}{_rest(plan.held, "held")}'


def _operations(plan: Plan) -> str:
    if plan.operations.is_empty():
        return "<p>Nothing is to be done.</p>"
    rows = [
        [f"{one['number']:,}", _who(one), _what(one), _values(one), _groups_of(one), _because(one)]
        for one in plan.operations.head(SHOWN).iter_rows(named=True)
    ]
    columns = ["No.", "Who", "What", "Now and then", "Groups", "Why"]
    listing = table("In the order in which they are done", columns, rows)
    return f'<div class="operations">{listing}</div>' + _rest(plan.operations, "all")


def _rest(frame: pl.DataFrame, which: str) -> str:
    more = frame.height - SHOWN
    withheld = " of those withheld" if which == "held" else ""
    said = (
        f"The first {SHOWN:,}{withheld} are shown; {more:,} more are in the workbook (--xlsx) and in the plan's file."
    )
    return f'<p class="rest">{said}</p>' if more > 0 else ""


def _who(one: dict[str, Any]) -> str:
    name = name_of(one)
    other = one["email"] if one["email"] and one["email"] != name else ""
    return named(name) + (f' <span class="quiet">{named(other)}</span>' if other else "")


def _what(one: dict[str, Any]) -> str:
    return KINDS[one["kind"]] + (' <b class="held">▲ withheld</b>' if one["withheld"] else "")


def _values(one: dict[str, Any]) -> str:
    fresh = not one["before"]
    lines = []
    for field, before, after in values_of(one):
        old = "" if fresh else f"<del>{named(before) if before else '(blank)'}</del> → "
        lines.append(
            f'<span class="value"><span class="quiet">{escaped(field)}</span> {old}{named(after or "(blank)")}</span>'
        )
    if fresh and len(lines) > 1:
        return f"<details><summary>{many(len(lines), 'value')}</summary>{''.join(lines)}</details>"
    return "".join(lines)


def _because(one: dict[str, Any]) -> str:
    return escaped(WHY.get(one["why"], ""))


def _groups_of(one: dict[str, Any]) -> str:
    return named(groups_of(one)) if groups_of(one) else ""


_FOOTER = (
    "<footer><p>This page names people: give it only to those who may see them. A plan is no deed: nothing was "
    "changed. Only the sealed file counts; this page is a view of it.</p></footer>"
)

_STYLE = """
body { max-width: 76rem; }
.cards .new { border-top-color: #0b6e4f; } .cards .stay { border-top-color: #0072b2; }
.cards .end { border-top-color: #6b5b95; } .cards .none { border-top-color: #8a959c; }
.cards .held { border-top-color: #a33c00; background: #fff6f0; }
.warned { background: #fff6f0; border-left-color: #a33c00; }
.held { color: #a33c00; } .fine { color: #0b6e4f; } .quiet { color: #595959; font-size: .875rem; }
section tbody th { min-width: 0; } td { white-space: normal; } .number { white-space: nowrap; }
.reasons { margin: 0 0 .8rem; padding-left: 1.2rem; }
.bars { display: block; min-width: 7rem; padding-top: .3rem; }
.bars i { display: block; height: .42rem; margin-bottom: .15rem; border-radius: .1rem; min-width: 1px; }
.bars .a { background: #b9c4cb; } .bars .b { background: #0072b2; }
.operations table { font-size: .9rem; } .value { display: block; } del { color: #595959; }
details summary { cursor: pointer; color: #005a8c; } .rest { color: #444; font-weight: 600; }
@media print { details > * { display: block; } }
"""
