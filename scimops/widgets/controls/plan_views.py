"""What the panel and the cells of plan_and_apply show, as markup. Names of people are for the panel alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from scimops.grouping import REASONS
from scimops.present.plan_words import WHY, WITHHELD, four_numbers, values_of, withheld_words
from scimops.present.words import many, people
from scimops.widgets.controls.listing import Page, empty, pager, table
from scimops.widgets.controls.markup import Markup, join, tag
from scimops.widgets.controls.plan_facts import KINDS

if TYPE_CHECKING:
    import polars as pl

    from scimops.apply import Progress, Receipts
    from scimops.plan import Plan
    from scimops.plan.safeguards import Verdict

VIEWS: Final = {
    "groups": "Groups", "flow": "Flow", "withheld": "Withheld", "people": "People", "findings": "Findings",
    "receipts": "Receipts",
}  # fmt: skip
STYLE: Final = Markup(
    "<style>.scimops-bar-in { display:block; height:10px; border-radius:5px; background:var(--arrives); }"
    ".scimops-bar-out { height:10px; border-radius:5px; background:var(--shade); overflow:hidden; margin:6px 0; }"
    ".scimops-do { display:flex; flex-wrap:wrap; align-items:center; gap:8px 16px; padding:4px 0 10px; }"
    ".scimops-screen .scimops-main { padding:6px 16px; border:1px solid #0b5cad; border-radius:6px; background:#0b5cad;"
    " color:#fff; font-weight:600; cursor:pointer; }"
    ".scimops-old { color:var(--quiet); text-decoration:line-through; }"
    ".scimops-flow-picture { max-width:100%; height:auto; border-radius:8px; }"
    ".scimops-screen ul.scimops-verdicts { margin:0 0 8px; padding:0; list-style:none; font-size:13px; }"
    ".scimops-screen .scimops-held { color:#b34700; font-weight:600; }"
    "[data-jp-theme-light='false'] .scimops-screen .scimops-held { color:#ff9d5c; }"
    ".scimops-approve { margin-bottom:12px; }</style>"
)
"""The few rules that no other panel needs."""

_CARDS: Final = ("good", "people", "groups", "fix")
"""The colours of the four numbers."""

_SAFEGUARDS: Final = {
    "deactivate": "people to deactivate", "delete": "people to delete", "leave": "people who leave a group",
    "leave_each": "people who leave one group", "move": "people who move", "empty_groups": "groups that are emptied",
    "seats": "people who start, of the licence's seats",
}  # fmt: skip
_OUTCOMES: Final = {
    "done": "done", "already": "was so already", "refused": "refused by the service provider",
    "changed_meanwhile": "changed meanwhile: left as it is", "failed": "failed", "not_done": "not done",
}  # fmt: skip


def numbers(plan: Plan) -> Markup:
    """The four numbers as cards."""
    cards = []
    for (count, name, note), kind in zip(four_numbers(plan), _CARDS, strict=True):
        colour = kind if kind != "fix" or count else "good"
        inner = tag("strong", f"{count:,}"), " ", tag("span", name, class_="scimops-name")
        about = tag("span", note, class_="scimops-note")
        cards.append(tag("li", inner, about, class_=f"scimops-card scimops-card-{colour}"))
    return tag("ul", cards, class_="scimops-cards", aria_label="The four numbers")


def verdicts(plan: Plan) -> Markup:
    """What each safeguard says: those that hold something back first, the others in one line."""
    found = plan.verdicts
    known = {one.safeguard for one in found}
    others = Counter(code for code in plan.held["withheld"] if code not in known)
    words = [_verdict(one) for one in found if one.held]
    words += [f"{many(count, 'operation')}: {WITHHELD.get(code, code)}" for code, count in others.most_common()]
    held = [tag("li", tag("span", "▲ ", class_="scimops-held"), tag("b", "Held back: "), said) for said in words]
    fine = "; ".join(_verdict(one) for one in found if not one.held and one.count)
    quiet = sum(1 for one in found if not one.held and not one.count)
    rest = (
        f"{fine}; {many(quiet, 'other safeguard')} met nothing" if fine else f"{many(quiet, 'safeguard')} met nothing"
    )
    return tag("ul", held, tag("li", tag("span", "✓ ", class_="scimops-ok"), f"{rest[0].upper()}{rest[1:]}."),
               class_="scimops-verdicts", aria_label="Safeguards")  # fmt: skip


def _verdict(one: Verdict) -> str:
    most = "no limit" if one.limit is None else f"at most {one.limit:,}"
    whose = f" (“{one.group}”)" if one.group else ""
    past = f" ({one.past:,} of them by earlier applies)" if one.past else ""
    return f"{_SAFEGUARDS.get(one.safeguard, one.safeguard)}{whose}: {one.count:,}{past} of {one.population:,}, {most}"


def groups(plan: Plan, returning: int, number: int = 0, whole: bool = False) -> Markup:
    """The groups that change, before and after; `returning` people come back besides."""
    verb = "becomes active again and comes" if returning == 1 else "become active again and come"
    besides = f"Besides, {people(returning)} {verb} back to the groups they had." if returning else ""
    if plan.groups.is_empty():
        return empty(besides or "No group changes.")
    page = Page(number, plan.groups.height)
    shown = plan.groups if whole else plan.groups[page.start : page.stop]
    cells = [
        [tag("bdi", row["group"]), f"{row['before']:,}", _signed(row["joins"], "+"), _signed(row["leaves"], "−"),
         tag("b", f"{row['after']:,}"), _signed(row["withheld"], "±")]
        for row in shown.iter_rows(named=True)
    ]  # fmt: skip
    columns = ["Group", "people now", "join", "leave", "afterwards", "withheld"]
    listing = table("Groups that change, those that change most first", columns, cells, numeric=range(1, 6))
    said = f"Afterwards: once what is allowed is done. Withheld: how many more would join or leave. {besides}"
    note = tag("p", said, class_="scimops-what")
    return join(None if whole else pager(page, f"{many(page.total, 'group')} that change"), listing, note)


def _signed(count: int, sign: str) -> str:
    return f"{sign}{count:,}" if count else "·"


def search(words: str, kinds: Sequence[tuple[str, int]], kind: str) -> Markup:
    """A box to look for a person, and a choice of what happens to them."""
    box = tag("label", tag("span", "Find a person, by userName, e-mail or externalId"),
              tag("input", type="search", name="text", value=words, autocomplete="off"))  # fmt: skip
    options = [tag("option", "everything", value=""), *(
        tag("option", f"{KINDS.get(name, name)} ({count:,})", value=name, selected=name == kind)
        for name, count in kinds
    )]  # fmt: skip
    choice = tag("label", tag("span", "What happens"), tag("select", options, name="kind"))
    return tag("form", box, choice, class_="scimops-search", data_action="search", data_live=True, role="search")


def operations(found: pl.DataFrame, number: int, same: pl.DataFrame | None = None) -> Markup:
    """A page of operations: who, what happens, old and new values, groups, why."""
    page = Page(number, found.height)
    rows = [
        [_person(row), _what(row), _values(row), _groups(row)]
        for row in found[page.start : page.stop].iter_rows(named=True)
    ]
    columns = ["Person", "What happens, and why", "Old and new values", "Groups"]
    parts = [pager(page, many(found.height, "operation")), table("Operations", columns, rows)] if rows else []
    if same is not None and same.height:
        others = [[f"{row['row']:,}", _person(row), REASONS[row["reason"]]]
                  for row in same.head(20).iter_rows(named=True)]  # fmt: skip
        parts.append(tag("p", tag("b", f"{people(same.height)} with whom nothing is done"), class_="scimops-what"))
        parts.append(table("People with whom nothing is done", ["Row", "Person", "Why"], others, numeric=[0]))
    return join(*parts) if parts else empty("Nobody is so, neither in the plan nor in the export.")


def _person(row: dict[str, Any]) -> Markup:
    name = row["userName"] or row["email"] or row.get("group") or row.get("id") or "no name"
    more = row["email"] if row["email"] and row["email"] != name else ""
    return join(tag("bdi", name, class_="scimops-person"), tag("bdi", more, class_="scimops-account") if more else None)


def _what(row: dict[str, Any]) -> Markup:
    said = tag("div", KINDS.get(row["kind"], row["kind"]))
    why = tag("span", WHY.get(row["why"] or "", row["why"] or ""), class_="scimops-account")
    if row["withheld"] is None:
        return join(said, why)
    return join(said, why, tag("div", f"▲ Withheld: {withheld_words(row)}", class_="scimops-held"))


def _values(row: dict[str, Any]) -> Markup:
    lines = []
    for name, old, new in values_of(row):
        before: list[object] = [tag("bdi", old, class_="scimops-old"), " → "] if old else []
        after = tag("bdi", new) if new else tag("span", "blank", class_="scimops-none")
        lines.append(tag("div", tag("span", f"{name}: ", class_="scimops-what"), before, after))
    return join(lines)


def _groups(row: dict[str, Any]) -> Markup:
    lines = [(("− ", "leaves"), name) for name in row["leaves"]] + [(("+ ", "joins"), name) for name in row["joins"]]
    return join([tag("div", tag("span", sign[0], title=sign[1]), tag("bdi", name)) for sign, name in lines])


def withheld(found: pl.DataFrame, number: int, removals: int, approved: bool) -> Markup:
    """What the safeguards hold back, by name, and the way to let it be done all the same."""
    if found.is_empty():
        return empty("Nothing is withheld.")
    if approved:
        done = tag("p", tag("span", "✓ ", class_="scimops-ok"), tag("b", f"Approved: {many(removals, 'operation')}."),
                   " The approval is of this very plan.")  # fmt: skip
        return join(tag("div", done, class_="scimops-advice scimops-approve"), operations(found, number))
    stays = found.height - removals
    never = "who is protected by the setting, and who take each other's userName"
    words = [
        tag("p", tag("b", "To let this be done all the same, look at everybody below, then type how many it is."))
        if removals
        else None,
        tag("p", f"{many(stays, 'operation')} cannot be approved: {never}.") if stays else None,
        tag("p", "The approval is of this very plan and no other. All else can be applied without it.",
            class_="scimops-what"),
    ]  # fmt: skip
    label = tag("label", tag("span", "How many operations are to be approved?"),
                tag("input", type="text", name="number", inputmode="numeric", autocomplete="off"))  # fmt: skip
    why = tag("label", tag("span", "Why is that right?"), tag("input", type="text", name="reason", autocomplete="off"))
    send = tag("button", "Approve", type="submit")
    form = tag("form", label, why, send, class_="scimops-merge", data_action="approve") if removals else None
    return join(
        tag("div", words, form, class_="scimops-advice scimops-warning scimops-approve"), operations(found, number)
    )


def withheld_counts(plan: Plan, approved: bool) -> Markup:
    """What is withheld, counted; nobody is named."""
    if plan.held.is_empty():
        return tag("p", tag("span", "✓ ", class_="scimops-ok"), "Nothing is withheld.")
    counts = Counter(plan.held.select("kind", "withheld").iter_rows())
    rows = [
        [f"{count:,}", KINDS.get(kind, kind), WITHHELD.get(why, why)] for (kind, why), count in counts.most_common()
    ]
    hint = "Names stand in the panel, which is never saved, and in plan.json."
    done = (
        tag("p", tag("span", "✓ ", class_="scimops-ok"), "A person approved this in the panel.") if approved else None
    )
    return join(done, table("Withheld", ["operations", "what would happen", "why it is withheld"], rows, numeric=[0]),
                tag("p", hint, class_="scimops-what"))  # fmt: skip


def progress(now: Progress | None, todo: int) -> Markup:
    """How far an apply is, how fast, how long still, and the button that ends it."""
    done, of = (now.done, now.of) if now else (0, todo)
    words = f"{done:,} of {of:,} operations"
    if now and now.seconds_left is not None and now.rate:
        words += f", {now.rate:,.0f} a second, {_span(now.seconds_left)} left"
    share = round(100 * done / of) if of else 0
    inner = tag("span", class_="scimops-bar-in", style=f"width:{share}%")
    bar = tag("div", inner, class_="scimops-bar-out", role="progressbar", aria_label="Applied", aria_valuenow=share,
              aria_valuemin=0, aria_valuemax=100)  # fmt: skip
    cancel = tag("button", "Cancel", type="button", class_="scimops-link", data_action="cancel", data_focus="cancel")
    spin = tag("span", class_="scimops-busy", aria_hidden="true")
    return tag("div", tag("p", spin, "Applying: ", words, ". ", cancel), bar)


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def outcome(receipts: Receipts) -> Markup:
    """What was really done, counted; whether a fresh snapshot says the same. Nobody is named."""
    counts = receipts.counts
    good = receipts.exit_code in (0, 4)
    mark = tag("span", "✓ ", class_="scimops-ok") if good else tag("span", "✕", class_="scimops-sign")
    left = f" {many(counts['withheld'], 'operation')} stayed withheld." if counts["withheld"] else ""
    done = counts.get("done", 0) + counts.get("already", 0)
    head = tag("p", mark, tag("b", f"{done:,} of {many(receipts.steps.height, 'operation')} done."), left)
    others = [f"{counts[name]:,} {said}" for name, said in _OUTCOMES.items() if counts.get(name) and name != "done"]
    checked = (
        "A fresh snapshot is as the plan says." if receipts.snapshot and not receipts.findings
        else f"Against a fresh snapshot: {many(len(receipts.findings), 'finding')}."
    )  # fmt: skip
    notes = [tag("p", "; ".join(others), ".", class_="scimops-what") if others else None,
             tag("p", checked, class_="scimops-what")]  # fmt: skip
    return tag("div", head, notes, class_=f"scimops-advice{'' if good else ' scimops-error'}")


def receipts_table(receipts: Receipts, number: int) -> Markup:
    """A page of receipts by name, those that were not done first."""
    import polars as pl

    steps = receipts.steps.sort(pl.col("outcome").is_in(["done", "already"]), "number")
    page = Page(number, steps.height)
    rows = [
        [f"{row['number']:,}", tag("bdi", row["userName"] or row["group"] or row["id"] or ""),
         KINDS.get(row["kind"], row["kind"]), _OUTCOMES[row["outcome"]], row["status"] or "", row["said"],
         tag("span", (row["at"] or "")[11:19])]
        for row in steps[page.start : page.stop].iter_rows(named=True)
    ]  # fmt: skip
    columns = ["No.", "Person or group", "What", "Outcome", "Status", "Said", "At (UTC)"]
    return join(pager(page, many(steps.height, "receipt")), table("Receipts", columns, rows, numeric=[0, 4]))


def receipts_counts(receipts: Receipts) -> Markup:
    """The receipts counted by what was to happen and what came of it; nobody is named."""
    counts = Counter(receipts.steps.select("kind", "outcome").iter_rows())
    rows = [[f"{count:,}", KINDS.get(kind, kind), _OUTCOMES[what]] for (kind, what), count in counts.most_common()]
    listing = table("Receipts", ["operations", "what was to happen", "outcome"], rows, numeric=[0]) if rows else None
    return join(outcome(receipts), listing)
