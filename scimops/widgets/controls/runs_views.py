"""What the panel and the cells of review_runs show, as markup."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from scimops.present.words import many, people
from scimops.widgets.controls.listing import Page, empty, pager, table
from scimops.widgets.controls.markup import Markup, join, tag

if TYPE_CHECKING:
    from scimops.jobs.history import Logged
    from scimops.jobs.verify import Verdict
    from scimops.preview.compare import Comparison
    from scimops.widgets.controls.runs_session import Pair

VIEWS: Final = {"runs": "Runs", "one": "One run", "two": "Side by side"}
PEOPLE_SHOWN: Final = 200
_MOVES: Final = 20
_ID: Final = 13
"""How many letters of an id are shown: its millisecond, which is enough for `scimops runs show`."""

_ONE_LINE: Final = "white-space:nowrap"
_APART: Final = "margin-bottom:8px"
_HASH: Final = re.compile("[0-9a-f]{64}")
_DOTS: Final = {"completed": 0, "failed": 3, "timed_out": 3, "kernel_died": 3, "cancelled": 2, "broken": 2}
"""Each outcome with the number of its colour."""

_COLUMNS = ("began (UTC)", "what", "outcome", "exit code", "took", "who", "run")


def search(words: str, outcome: str) -> Markup:
    """A box to look for a run, and a choice of outcomes."""
    box = tag("label", tag("span", "Find a run"), tag("input", type="search", name="text", value=words,
                                                      autocomplete="off"))  # fmt: skip
    names = [("", "every outcome"), *((name, name.replace("_", " ")) for name in _DOTS)]
    options = [tag("option", said, value=name, selected=name == outcome) for name, said in names]
    choice = tag("label", tag("span", "Outcome"), tag("select", options, name="outcome"))
    return tag("form", box, choice, class_="scimops-search", data_action="search", data_live=True, role="search")


def found(runs: Sequence[Logged], words: str, outcome: str) -> list[Logged]:
    """The runs in which `words` stand, and that ended so."""
    wanted = words.strip().lower()
    return [
        one
        for one in runs
        if outcome in ("", one.record.outcome)
        and wanted in f"{one.what} {one.record.id} {one.record.who.user} {one.record.started:%Y-%m-%d %H:%M}".lower()
    ]


def nothing(ledger: object, none_at_all: bool) -> Markup:
    """What stands where there is no run, and what to do."""
    if none_at_all:
        code = tag("code", "scimops run notebooks/02_preview_groups.ipynb")
        first = tag("p", "Nothing ran yet: the ledger ", tag("code", ledger), " is empty.")
        return join(first, tag("p", "Write its first record with ", code, ", then run this cell again.",
                               class_="scimops-what"))  # fmt: skip
    return empty("No run is so. Leave out a filter, or `since`, to see others.")


def runs_table(runs: Sequence[Logged], number: int, chosen: Sequence[str], more: bool) -> Markup:
    """A page of runs, to be ticked and compared; each can be shown whole."""
    page = Page(number, len(runs))
    rows = [[_tick(one, chosen), *_cells(one, _shown_by(one))] for one in runs[page.start : page.stop]]
    listing = table("Runs, the newest first", ["Tick", *_COLUMNS], rows, numeric=[4, 5])
    compare = tag("div", tag("button", "Compare the two ticked", type="submit"), class_="scimops-merge")
    return tag("form", pager(page, many(len(runs), "run"), _rest(more)), listing, compare, data_action="compare")


def runs_listing(runs: Sequence[Logged], most: int, more: bool) -> Markup:
    """The first `most` runs as a table to read, and how many there are."""
    rows = [_cells(one, tag("bdi", one.what)) for one in runs[:most]]
    said = f"Shown: the newest {most:,} of {len(runs):,} runs" if len(runs) > most else many(len(runs), "run")
    note = tag("p", f"{said}{_rest(more)}.", class_="scimops-what")
    return join(table("Runs, the newest first", _COLUMNS, rows, numeric=[3, 4]), note)


def _rest(more: bool) -> str:
    return "; older ones are in the ledger and not shown: set `since`, or scimops runs export" if more else ""


def _tick(one: Logged, chosen: Sequence[str]) -> Markup:
    run = one.record.id
    return tag("input", type="checkbox", name="run", value=run, checked=run in chosen, aria_label=f"Compare {run}")


def _shown_by(one: Logged) -> Markup:
    run = one.record.id
    return tag("button", tag("bdi", one.what), type="button", class_="scimops-link", data_action="show", value=run,
               style="text-align:left", aria_label=f"Show the run {run} of {one.what}")  # fmt: skip


def _cells(one: Logged, what: Markup) -> list[object]:
    run = one.record
    code = "—" if run.exit_code is None else run.exit_code
    began = tag("span", f"{run.started:%Y-%m-%d %H:%M}", style=_ONE_LINE)
    run_id = tag("code", run.id[:_ID], title=run.id, style=_ONE_LINE)
    return [began, what, _ended(one), code, _span(run.milliseconds), tag("bdi", run.who.user), run_id]


def _span(milliseconds: int | None) -> str:
    """How long, in the unit that a person would use."""
    if milliseconds is None:
        return "—"
    seconds = milliseconds / 1000
    return (
        f"{seconds:.1f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:,.1f} h"
    )


def _ended(one: Logged) -> Markup:
    dot = tag("span", class_=f"scimops-dot scimops-kind-{_DOTS[one.record.outcome]}", aria_hidden="true")
    return tag("span", dot, one.record.outcome.replace("_", " "), style=_ONE_LINE)


def run_view(one: Logged, rows: Sequence[tuple[str, str]]) -> Markup:
    """One run whole, with its place in the chain."""
    place = f"record {one.number:,}, {'signed' if one.signed else 'not signed'}"
    lines = [*rows, ("ledger", place), ("head", one.head)]
    cells = [
        (tag("span", name, class_="scimops-what"), tag("bdi", value, class_="scimops-value")) for name, value in lines
    ]
    return join(tag("div", _head(one), style=_APART), table("One run whole", ["what", "value"], cells))


def _head(one: Logged) -> Markup:
    run = one.record
    code = "" if run.exit_code is None else f", exit code {run.exit_code}"
    return tag("p", tag("b", one.what), f" of {run.started:%Y-%m-%d %H:%M} UTC: ", _ended(one), code)


def pair_view(pair: Pair | None, names: bool) -> Markup:
    """Two runs side by side; the people by name only where `names` says so: what a cell shows is saved."""
    if pair is None:
        return empty("Tick two runs, then compare them.")
    titles = [f"{one.record.started:%Y-%m-%d %H:%M} {one.record.id[-6:]}" for one in (pair.one, pair.other)]
    rows = [(tag("span", what, class_="scimops-what"), *map(_value, cells)) for what, *cells in pair.rows]
    differs = table("What differs", ["what differs", *titles], rows) if rows else empty("They differ only in time.")
    heads = tag("div", _head(pair.one), _head(pair.other), style=_APART)
    return join(heads, differs, tag("h4", "People"), _people(pair, names))


def _value(value: str) -> Markup:
    """A value that differs; of a hash the beginning, the whole of it where a person points at it."""
    short = f"{value[:16]}…" if _HASH.fullmatch(value) else value
    return tag("bdi", short, class_="scimops-value", title=value if short != value else None)


def _people(pair: Pair, names: bool) -> Markup:
    if pair.why_not:
        return tag("p", "Who moved cannot be said: ", pair.why_not)
    if pair.moved is None:
        return tag("p", "Neither run left a people file, so who moved cannot be said.")
    return moves_view(pair.moved, names)


def moves_view(moved: Comparison, names: bool) -> Markup:
    """Who moved from where to where: counted, and by name where `names` says so."""
    count = moved.people.height
    head = tag("p", tag("b", f"{people(count)} moved" if count else "Nobody moved"), f", {moved.unchanged:,} stayed.")
    if not count:
        return head
    rows = [
        [f"{each['people']:,}", tag("bdi", each["from"]), "→", tag("bdi", each["to"])] for each in moved.moves[:_MOVES]
    ]
    sizes = [[tag("bdi", each["name"]), f"{each['before']:,}", f"{each['after']:,}"] for each in moved.groups[:_MOVES]]
    both = tag(
        "div",
        table("Who moves", ["people", "from", "", "to"], rows, numeric=[0]),
        table("Groups that change", ["group", "before", "after"], sizes, numeric=[1, 2]) if sizes else None,
        class_="scimops-beside",
    )
    more = len(moved.moves) - _MOVES
    note = tag("p", f"… and {many(more, 'more move')}", class_="scimops-what") if more > 0 else None
    if not names:
        hint = tag("p", "Names are shown in the panel alone, which is never saved.", class_="scimops-what")
        return join(head, both, note, hint)
    return join(head, both, note, _named(moved))


def _named(moved: Comparison) -> Markup:
    gone = tag("span", "—", class_="scimops-none")
    rows = [
        (tag("bdi", row["userName"] or row["email"] or "no name"),
         tag("bdi", row["from_group"]) if row["from_group"] else gone,
         tag("bdi", row["to_group"]) if row["to_group"] else gone)
        for row in moved.people.head(PEOPLE_SHOWN).iter_rows(named=True)
    ]  # fmt: skip
    more = moved.people.height - len(rows)
    note = (
        tag("p", f"… and {people(more)} more: scimops compare shows all", class_="scimops-what") if more > 0 else None
    )
    listed = table("People who moved", ["person", "from", "to"], rows)
    return tag("details", tag("summary", f"By name ({people(moved.people.height)})"), listed, note)


def verdict_view(verdict: Verdict, head: str, when: dt.datetime) -> Markup:
    """Whether the ledger is as it was written; its head to be carried elsewhere; what that proves."""
    at = f"Checked at {when:%Y-%m-%d %H:%M:%S} UTC."
    if not verdict.good:
        where = tag("b", f"Line {verdict.line:,}: ") if verdict.line else None
        mark = tag("span", "✕", class_="scimops-sign", aria_hidden="true")
        good = f"Good before it: {many(verdict.records, 'record')}. Keep the file as it is; look for a copy of it. {at}"
        said = tag("p", mark, where, f"{verdict.message} ({verdict.why})")
        return tag(
            "div", said, tag("p", good, class_="scimops-what"), class_="scimops-advice scimops-error", role="alert"
        )
    said = tag("p", tag("span", "✓ ", class_="scimops-ok"),
               tag("b", f"Whole and unchanged: {many(verdict.records, 'record')}."))  # fmt: skip
    notes = [at, verdict.proves]
    if verdict.records and not head:
        notes.append("Whether its tail was cut off shows only against a head, from the summary of a run.")
    if verdict.torn:
        notes.append(f"{many(verdict.torn, 'writer')} {'was' if verdict.torn == 1 else 'were'} killed in the middle.")
    if verdict.clock_went_back:
        notes.append(f"The clock went back {many(verdict.clock_went_back, 'time')}: the order is that of the chain.")
    more = [tag("p", note, class_="scimops-what") for note in notes]
    return tag("div", said, _carried(verdict.head), more, class_="scimops-advice", style=_APART)


def _carried(head: str | None) -> Markup | None:
    """The head, with a button that copies it where a script is there to do so."""
    if head is None:
        return None
    copy = tag("button", "Copy", type="button", class_="copy scimops-link", hidden=True, aria_label="Copy the head")
    value = tag("span", tag("code", head), " ", copy, class_="paste")
    return tag("p", "Head: ", tag("span", value, class_="scimops-guide"))


def late_view(late: Sequence[tuple[str, Logged | None]], every: str) -> Markup:
    """Which notebooks were not completed in time."""
    if not every:
        return Markup()
    if not late:
        return tag("p", tag("span", "✓ ", class_="scimops-ok"), f"Each was completed within {every}.")
    items = [tag("li", tag("b", name), f" was not completed within {every}; {_last(last)}") for name, last in late]
    return tag("div", tag("p", "Overdue:"), tag("ul", items), class_="scimops-advice scimops-warning", style=_APART)


def _last(last: Logged | None) -> str:
    if last is None:
        return "it never ran."
    return f"its last run, of {last.record.started:%Y-%m-%d %H:%M} UTC: {last.record.outcome.replace('_', ' ')}."
