"""An audit as one page to look at: it fetches nothing and runs nothing. Unless it is masked, it names people.

First the one picture: how many of how many arrived, and where the others were lost. Then the lists to work on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

import scimops
from scimops.present.audit_over_time import brief
from scimops.present.audit_words import (
    WHY,
    accepted_words,
    advice,
    chain,
    headline,
    losses,
    made_of,
    not_read,
    others,
    since_words,
    totals_words,
    what,
    who,
)
from scimops.present.page import STYLE, escaped, facts_list, findings_list, html_page, named, section, table
from scimops.present.plan_words import moment
from scimops.present.words import many

if TYPE_CHECKING:
    from scimops.audit.report import Report

SHOWN = 500
"""How many people each list of the page names; the line below it says how many more there are."""

LEFT = "left_still_active"


def audit_html(report: Report) -> str:
    """The page for `report`, complete, as text; every value in it is escaped."""
    audit = report.audit
    title = f"Did everybody arrive? {audit.preview.setting.name}"
    where = f"<p>At {named(audit.sources['platform'])}, as it was on {escaped(moment(audit.at))}.</p>"
    facts = [*made_of(report), ("Made by", f"scimops {scimops.__version__}")]
    parts = [
        f"<header><h1>{escaped(title)}</h1>{where}</header><main>", _cards(report),
        f'<p class="first"><b>{escaped(headline(report))}</b> {escaped(others(report))}<br>'
        f"{escaped(since_words(report))}</p>",
        section("Where the others were lost", _chain(report) + _losses(report)),
        section("Left, and still active", _left(report)), section("Findings", findings_list(report.findings)),
        section("Who is concerned", _items(report)), *_since(report), *_exceptions(report),
        *_asked(report), section("Questions and control totals", _questions(report)),
        section("What this was made of", facts_list(facts)), "</main>", _footer(report),
    ]  # fmt: skip
    return html_page(escaped(title), "\n".join(parts), STYLE + _STYLE, "style-src 'unsafe-inline'")


def _cards(report: Report) -> str:
    counts, left = report.audit.coverage.counts, report.open.filter(pl.col("code") == LEFT).height
    arrived, meant = counts["arrived"], report.audit.coverage.meant
    cards = [
        ("new", f"{arrived:,}", f"of {meant:,} arrived", "the whole chain holds, as far as it can be read"),
        ("held" if counts["lost"] else "none", f"{counts['lost']:,}", "were lost", "each with the first missing link"),
        ("held" if left else "none", f"{left:,}", "left, still active", "seats are paid for them"),
        ("stay", f"{counts['not_due_yet']:,}", "not due yet", "too new to be there"),
    ]
    listed = "".join(
        f'<li class="{colour}"><strong>{value}</strong> <b>{word}</b> <span>{meaning}</span></li>'
        for colour, value, word, meaning in cards
    )
    return f'<ul class="cards" aria-label="The four numbers">{listed}</ul>'


def _chain(report: Report) -> str:
    """The picture: a bar for each link, of those who are still there and of those who were lost at it."""
    steps = chain(report)
    whole = max(1, steps[0][2])
    rows = []
    for _, words, left, lost in steps:
        widths = [("a", left), ("b", lost)]
        bars = "".join(f'<i class="{name}" style="width:{round(100 * of / whole, 2)}%"></i>' for name, of in widths)
        minus = f'<b class="held">−{lost:,}</b>' if lost else ""
        rows.append([words, f"{left:,}", minus, f'<span class="bars" aria-hidden="true">{bars}</span>'])
    caption = "The chain: how many people are still there at each link"
    return f'<div class="chain">{table(caption, ["Link", "People", "Lost here", ""], rows, numbers=[1, 2])}</div>'


def _losses(report: Report) -> str:
    note = f"<p>{escaped(not_read(report))}</p>"
    found = losses(report)
    if not found:
        return "<p>Nobody was lost.</p>" + note
    some = any(accepted for _, accepted, *_ in found)
    rows = [
        [escaped(link), escaped(why), escaped(advised), f"{count:,}", *([f"{accepted:,}"] if some else [])]
        for count, accepted, link, why, advised in found
    ]
    columns = ["Missing link", "Why", "What to do", "People", *(["Accepted"] if some else [])]
    return table("Why, and what to do", columns, rows, numbers=[3, 4]) + note


def _left(report: Report) -> str:
    left = report.items.filter(pl.col("code") == LEFT)
    if left.is_empty():
        return "<p>Nobody who left is still active.</p>"
    rows = [
        [
            _who(one),
            escaped(WHY.get(one["cause"] or "", "not known")) + _marks(one, report),
            _dated(one),
            _evidence(one),
        ]
        for one in left.head(SHOWN).iter_rows(named=True)
    ]
    advised = f"<p><b>{escaped(advice(LEFT))}</b></p>"
    return advised + table("Each one by name", ["Who", "Why", "Open since", "Shown by"], rows) + _rest(left.height)


def _items(report: Report) -> str:
    items = report.items.filter(pl.col("code") != LEFT)
    if items.is_empty():
        return "<p>Nobody.</p>"
    rows = [
        [_who(one), escaped(what(one)) + _marks(one, report), escaped(advice(one["code"])), _dated(one), _evidence(one)]
        for one in items.head(SHOWN).iter_rows(named=True)
    ]
    columns = ["Who", "What is found", "What to do", "Open since", "Shown by"]
    return table("Person by person, in the order of the findings", columns, rows) + _rest(items.height)


def _since(report: Report) -> list[str]:
    last = report.last
    if last is None or last.solved.is_empty():
        return []
    rows = [
        [named(who(one)), escaped(what({**one, "status": one["code"]})), escaped(moment(one["since"]))]
        for one in last.solved.head(SHOWN).iter_rows(named=True)
    ]
    listing = table("Found by the last audit, and no more", ["Who", "What was found", "It was open since"], rows)
    return [section("Solved", listing + _rest(last.solved.height))]


def _exceptions(report: Report) -> list[str]:
    if not report.agreed:
        return []
    rows = []
    for one in report.agreed[:SHOWN]:
        kind, state, count = accepted_words(one)
        mark = f'<b class="held">▲ {state}</b>' if one.state == "ended" else state
        texts = (one.entry.person, kind, one.entry.owner, one.entry.reason)
        rows.append([*map(named, texts), str(one.entry.until), mark, count])
    columns = ["Whose", "What", "Owner", "Reason", "Until", "State", "Accepts"]
    return [section("Exceptions", table("What was accepted", columns, rows) + _rest(len(report.agreed)))]


def _asked(report: Report) -> list[str]:
    """A section for each question beyond those of every audit whose answer is brief enough."""
    found = []
    for one in report.asked:
        answer = brief(one)
        if answer is None:
            continue
        rows = [["" if cell is None else named(str(cell)) for cell in row] for row in answer.head(SHOWN).iter_rows()]
        numbers = [place for place, kind in enumerate(answer.dtypes) if kind.is_numeric()]
        listing = table(escaped(one.title), map(escaped, answer.columns), rows, numbers=numbers) if rows else ""
        totals = f"<p>{escaped(totals_words(one.totals, one.population))}</p>"
        found.append(section(escaped(one.title), totals + listing + _rest(answer.height)))
    return found


def _questions(report: Report) -> str:
    rows = [
        [escaped(one.title), escaped(one.about), escaped(one.how), escaped(totals_words(one.totals, one.population))]
        for one in report.questions
    ]
    return table("What was asked; the parts add up", ["Question", "About", "How", "Control totals"], rows)


def _rest(count: int) -> str:
    more = count - SHOWN
    said = f"The first {SHOWN:,} are shown; {many(more, 'more line')} in audit.xlsx and audit.json."
    return f'<p class="rest">{said}</p>' if more > 0 else ""


def _who(one: dict[str, Any]) -> str:
    name, other = who(one), one["email"] or ""
    return named(name) + (f' <span class="quiet">{named(other)}</span>' if other and other != name else "")


def _marks(one: dict[str, Any], report: Report) -> str:
    """Is it accepted, is it new since the last audit?"""
    if one["exception"] is not None:
        return ' <b class="fine">✓ accepted</b>'
    return ' <b class="held">▲ new</b>' if report.last and report.last.last and one["new"] else ""


def _dated(one: dict[str, Any]) -> str:
    return escaped(moment(one["since"])) if one.get("since") else ""


def _evidence(one: dict[str, Any]) -> str:
    row = f"row {one['row']:,} of {one['file']}" if one["row"] is not None else "in no row of the export"
    return f'<span class="quiet">{named(row)}{"; " + named(one["evidence"]) if one["evidence"] else ""}</span>'


def _footer(report: Report) -> str:
    whom = (
        "People are masked; row numbers are not: who has the export can look somebody up."
        if report.masked else "This page names people: give it only to those who may see them."
    )  # fmt: skip
    return f"<footer><p>{whom} An audit says what was seen at that time, and no more.</p></footer>"


_STYLE = """
body { max-width: 76rem; }
.cards .new { border-top-color: #0b6e4f; } .cards .stay { border-top-color: #0072b2; }
.cards .none { border-top-color: #8a959c; } .cards .held { border-top-color: #a33c00; background: #fff6f0; }
.held { color: #a33c00; } .fine { color: #0b6e4f; } .quiet { color: #595959; font-size: .875rem; }
section tbody th { min-width: 13rem; } td { white-space: normal; min-width: 5rem; } .number { white-space: nowrap; }
.chain { margin-bottom: 1.4rem; } .chain td:last-child { width: 45%; }
.bars { display: flex; min-width: 8rem; padding-top: .3rem; }
.bars i { display: block; height: 1rem; } .bars .a { background: #0072b2; } .bars .b { background: #d55e00; }
@media (max-width: 34rem) { .chain tbody th { min-width: 7rem; } .chain td:last-child { width: auto; }
  .chain td { min-width: 0; } .chain .number { padding-right: .5rem; } .bars { min-width: 4rem; } }
.rest { color: #444; font-weight: 600; }
"""
