"""What the panel and the cells of audit_provisioning show, as markup. Names of people are for the panel alone."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scimops.audit.causes import STATUSES
from scimops.present.audit_charts import FEWEST, arrivals_chart, arrivals_words, chain_chart, chain_words
from scimops.present.audit_words import since_words
from scimops.present.charts import Chart, as_png
from scimops.present.words import many, people
from scimops.widgets.controls.audit_facts import Work
from scimops.widgets.controls.listing import Page, empty, pager, table
from scimops.widgets.controls.markup import Markup, join, tag
from scimops.widgets.controls.numbers import finding_box

if TYPE_CHECKING:
    from scimops.audit.arrivals import Arrivals
    from scimops.audit.audit import Audit
    from scimops.audit.explain import PersonStory
    from scimops.audit.report import Report
    from scimops.errors import Finding
    from scimops.widgets.controls.audit_session import Given

VIEWS: Final = {
    "work": "To work on", "one": "One person", "sides": "Both sides", "drift": "Since the apply",
    "trends": "Trends", "findings": "Findings",
}  # fmt: skip
STYLE: Final = Markup(
    "<style>.scimops-chain-picture { display:block; max-width:100%; height:auto; border-radius:8px; }"
    ".scimops-screen .scimops-lost { color:#b34700; font-weight:600; }"
    "[data-jp-theme-light='false'] .scimops-screen .scimops-lost { color:#ff9d5c; }"
    ".scimops-screen .scimops-end { margin:10px 0; font-size:15px; font-weight:600; }"
    ".scimops-again { padding:2px 0 8px; }</style>"
)
"""The few rules that no other panel needs."""

PICTURE_WIDTH: Final = 820
"""Pixels of the picture on the screen; it is drawn twice as fine."""


def numbers(audit: Audit) -> Markup:
    """The four numbers as cards."""
    coverage = audit.coverage
    counts, left = coverage.counts, audit.reconciled.counts.get("left_still_active", 0)
    unclear = f"; of {people(counts['cannot_tell'])} it cannot be told" if counts["cannot_tell"] else ""
    cards = [
        ("arrived", counts["arrived"], "good", f"of {people(coverage.meant)} who should have"),
        ("did not arrive", counts["lost"], "fix" if counts["lost"] else "good", f"each has a reason{unclear}"),
        ("left and still active", left, "fix" if left else "good", "they can still be reached, and take seats"),
        ("not due yet", counts["not_due_yet"], "people", "they began just now, or begin later"),
    ]
    items = [
        tag("li", tag("strong", f"{count:,}"), " ", tag("span", name, class_="scimops-name"),
            tag("span", note, class_="scimops-note"), class_=f"scimops-card scimops-card-{kind}")
        for name, count, kind, note in cards
    ]  # fmt: skip
    return tag("ul", items, class_="scimops-cards", aria_label="The four numbers")


def picture(audit: Audit) -> Markup:
    """The one picture, and the words that say the same."""
    return join(image(chain_chart(audit.coverage)), tag("p", chain_words(audit.coverage)))


def about(report: Report, invented: bool) -> Markup:
    """What was audited, when the platform was read, what is new since the last audit."""
    audit = report.audit
    read = ", ".join(f"{name}: {where}" for name, where in audit.sources.items())
    first = tag("b", "An invented company, to look around. ") if invented else None
    at = f"The platform as of {audit.at[:16].replace('T', ' ')} UTC. {read[0].upper()}{read[1:]}."
    notes = [since_words(report), f"{many(report.accepted.height, 'finding')} accepted." if report.accepted.height
             else ""]  # fmt: skip
    return join(tag("p", first, at), tag("p", " ".join(filter(None, notes))) if any(notes) else None)


def search(words: str, works: Sequence[Work], code: str) -> Markup:
    """A box to look for people, and a choice of what is to be done."""
    box = tag("label", tag("span", "Find a person, by userName, e-mail or externalId"),
              tag("input", type="search", name="text", value=words, autocomplete="off"))  # fmt: skip
    counts, titles = Counter[str](), {one.code: one.title for one in reversed(works)}
    for one in works:
        counts[one.code] += one.people.height
    options = [tag("option", f"everything ({counts.total():,})", value=""), *(
        tag("option", f"{titles[name]} ({count:,})", value=name, selected=name == code)
        for name, count in counts.items()
    )]  # fmt: skip
    choice = tag("label", tag("span", "Why"), tag("select", options, name="code"))
    return tag("form", box, choice, class_="scimops-search", data_action="search", data_live=True, role="search")


def worklist(works: Sequence[Work], number: int) -> Markup:
    """A page of the list to work on; a click on a person shows them whole."""
    page = Page(number, sum(one.people.height for one in works))
    if not page.total:
        return empty("Nobody is so. Leave out a filter to see others.")
    cells, first = [], 0
    for one in works:
        some = one.people[max(0, page.start - first) : max(0, page.stop - first)]
        cells += [[_person(row), _where(one), one.advice, _evidence(row)] for row in some.iter_rows(named=True)]
        first += one.people.height
    listing = table("The list to work on", ["Person", "What is wrong, and why", "What to do", "Evidence"], cells)
    return join(pager(page, many(page.total, "line")), listing)


def _person(row: dict[str, Any]) -> Markup:
    name = row["userName"] or row["email"] or row["externalId"] or row["user_id"]
    where = f"{row['file']}, row {row['row']}" if row["row"] else ""
    if not name:
        return tag("span", where or "no name", class_="scimops-none")
    more = row["email"] if row["email"] and row["email"] != name else ""
    button = tag("button", tag("bdi", name), type="button", class_="scimops-link", data_action="show", value=name,
                 style="text-align:left", aria_label=f"Show {name}")  # fmt: skip
    return join(button, tag("bdi", more, class_="scimops-account") if more else None,
                tag("span", where, class_="scimops-account"))  # fmt: skip


def _where(work: Work) -> Markup:
    return join(tag("div", work.where, class_="scimops-lost"), tag("span", work.why, class_="scimops-account"))


def _evidence(row: dict[str, Any]) -> Markup:
    if not row["evidence"]:
        return tag("span", "both sides compared", class_="scimops-none")
    return tag("span", row["evidence"], class_="scimops-account")


def work_counts(works: Sequence[Work], written: bool) -> Markup:
    """The list to work on, counted; nobody is named."""
    if not works:
        return tag("p", tag("span", "✓ ", class_="scimops-ok"), "Nothing is to be worked on.")
    rows = [[f"{one.people.height:,}", _where(one), one.advice] for one in works]
    where = "the files of this run" if written else "the panel, which is never saved, and in the files that `out` gives"
    listing = table("The list to work on", ["people", "what is wrong, and why", "what to do"], rows, numeric=[0])
    return join(listing, tag("p", f"Names stand in {where}.", class_="scimops-what"))


def sides(audit: Audit) -> Markup:
    """How both sides compare, counted."""
    counts = audit.reconciled.counts
    rows = [[f"{count:,}", STATUSES.get(status, status.replace("_", " "))] for status, count in counts.items() if count]
    seats = audit.reconciled.seats_of_gone
    note = tag("p", f"{many(seats, 'seat')} taken by people who are gone.", class_="scimops-what") if seats else None
    return join(table("Both sides, person by person", ["people", "what they are"], rows, numeric=[0]), note)


def findings(found: Sequence[Finding]) -> Markup:
    """All findings with what to do."""
    if not found:
        return empty("Nothing was found that should be looked at.")
    return tag("ul", [tag("li", finding_box(one, "scimops-finding")) for one in found], class_="scimops-findings")


def arrived_over_time(arrivals: Arrivals | None) -> Markup:
    """When people were first seen to have arrived, audit by audit."""
    if arrivals is None:
        return empty("Nothing is kept between audits. Name a folder in the parameters cell: keep.")
    if len(arrivals.runs) < FEWEST:
        return empty(arrivals_words(arrivals))
    return join(image(arrivals_chart(arrivals)), tag("p", arrivals_words(arrivals)))


def image(chart: Chart) -> Markup:
    """A picture; the words beside it say the same."""
    source = f"data:image/png;base64,{b64encode(as_png(chart)).decode()}"
    return Markup(f'<img class="scimops-chain-picture" alt="" width="{PICTURE_WIDTH}" src="{source}">')


def ask(words: str) -> Markup:
    """A box in which a person is named."""
    box = tag("label", tag("span", "Whose story? userName, e-mail or externalId"),
              tag("input", type="text", name="person", value=words, autocomplete="off"))  # fmt: skip
    button = tag("button", "Show", type="submit")
    return tag("form", box, button, class_="scimops-search", data_action="explain", role="search")


def story(told: PersonStory) -> Markup:
    """One person: the sentence, the chain, what happened in order of time."""
    chain = [[_holds(link.holds), link.text] for link in told.links]
    moments = [
        [tag("span", one.at[:16].replace("T", " "), style="white-space:nowrap"), one.source, one.text]
        for one in told.moments
    ]
    return join(
        tag("p", tag("bdi", told.who, class_="scimops-person")),
        tag("p", told.sentence, class_="scimops-end"),
        table("The chain", ["holds?", "link"], chain) if chain else None,
        tag("h4", "What happened"),
        table("What happened", ["when (UTC)", "whose word", "what"], moments),
    )


def _holds(holds: bool | None) -> Markup:
    mark, words, style = {True: ("✓", "yes", "scimops-ok"), False: ("✕", "no", "scimops-lost"),
                          None: ("?", "cannot be told", "scimops-none")}[holds]  # fmt: skip
    return tag("span", tag("span", f"{mark} ", aria_hidden="true"), words, class_=style, style="white-space:nowrap")


def written(paths: Sequence[Path], given: Given) -> Markup:
    """Which files were written, and where what is kept is."""
    if not paths and not given.kept:
        return tag("p", "Nothing was written: ", tag("code", "out"), " and ", tag("code", "keep"), " are empty.")
    names = ", ".join(path.name for path in paths)
    report = tag("p", "The report, which names people, is in ", tag("code", given.out), f": {names}.")
    kept = tag("p", "For the next audit is kept: ", tag("code", given.kept), ".")
    return join(report if paths else None, kept if given.kept else None)
