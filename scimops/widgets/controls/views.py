"""What a panel shows below its numbers, one view at a time, as markup."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from scimops.grouping import REASONS, group_key
from scimops.present.words import listed, many, people, reason_rows
from scimops.widgets.controls.listing import Page, empty, pager, table
from scimops.widgets.controls.markup import Markup, join, tag
from scimops.widgets.controls.numbers import finding_box, kind_class, rows_words

if TYPE_CHECKING:
    from scimops.preview import Group, Preview
    from scimops.preview.compare import Comparison
    from scimops.preview.explain import Explanation

VIEWS = {
    "groups": "Groups", "reasons": "Reasons", "findings": "Findings", "people": "People", "explain": "Explain",
    "changes": "Changes",
}  # fmt: skip
_SEARCHED = ("row", "userName", "email", "firstName", "lastName", "value", "group")
_SPELLINGS = 6
_MOVES = 50


def search(label: str, shown: str, reasons: Sequence[tuple[str, str]] = (), reason: str = "") -> Markup:
    """A box to look for text, with a choice of reasons where there are any."""
    box = tag("label", tag("span", label), tag("input", type="search", name="text", value=shown, autocomplete="off"))
    options = [
        tag("option", words, value=code, selected=code == reason) for code, words in [("", "every reason"), *reasons]
    ]
    choice = tag("label", tag("span", "Reason"), tag("select", options, name="reason")) if reasons else None
    return tag("form", box, choice, class_="scimops-search", data_action="search", data_live=True, role="search")


def groups(preview: Preview, found: Sequence[Group], number: int) -> Markup:
    """The groups with a bar for their size, to be ticked and merged."""
    if not preview.groups:
        return empty("Nobody lands in a group. Choose what decides the group, or name a target group.")
    page = Page(number, len(found))
    most, target = preview.groups[0].members, preview.grouping.target_key
    mergeable = not preview.setting.by_idp_groups
    rows = [_group_row(group, most, group.group_key == target, mergeable) for group in found[page.start : page.stop]]
    columns = ["Merge", "Group", "People", ""]
    listing = table("Groups, the largest first", columns, rows, numeric=[2])
    return tag(
        "form", pager(page, many(page.total, "group")), listing, _merge() if mergeable else None, data_action="merge"
    )


def _group_row(group: Group, most: int, is_target: bool, mergeable: bool) -> list[object]:
    tick = tag("input", type="checkbox", name="group", value=group.group_key, aria_label=f"Merge {group.name}")
    marks = ["target group"] if is_target else []
    marks += [] if group.exists is None else ["exists" if group.exists else "new"]
    shown = [tag("span", mark, class_="scimops-mark") for mark in marks]
    if not group.name_certain:
        why = "It is the spelling of whoever arrives first."
        shown.append(tag("span", "name not certain", class_="scimops-mark scimops-doubt", title=why))
    name = tag("div", tag("bdi", group.name), shown, class_="scimops-group")
    width = max(1, round(100 * group.members / most)) if most else 0
    bar = tag("span", class_=f"scimops-bar{' scimops-target' if is_target else ''}", style=f"width:{width}%")
    return [
        tick if mergeable and group.spellings else None,
        join(name, _spellings(group)),
        f"{group.members:,}",
        tag("span", bar, class_="scimops-track", aria_hidden="true"),
    ]


def _spellings(group: Group) -> Markup | None:
    """The ways of writing, where there is more to see than the name; what an alias brought is set apart."""
    if set(group.spellings) <= {group.name}:
        return None
    most = sorted(group.spellings.items(), key=lambda pair: -pair[1])
    shown: list[object] = []
    for value, count in most[:_SPELLINGS]:
        alias = group_key(value) != group.group_key
        words = [tag("bdi", value), f" {count:,}", " by an alias" if alias else None]
        shown.append(tag("span", words, class_="scimops-alias" if alias else "scimops-spelling"))
    if len(most) > _SPELLINGS:
        shown.append(f"and {len(most) - _SPELLINGS:,} more")
    return tag("div", "written ", shown, class_="scimops-spellings")


def _merge() -> Markup:
    into = tag("input", type="text", name="into", autocomplete="off", placeholder="name of the group")
    label = tag("label", tag("span", "Merge the ticked groups into"), into)
    return tag("div", label, tag("button", "Merge", type="submit"), class_="scimops-merge")


def reasons(preview: Preview) -> Markup:
    """What becomes of everybody, with the sum."""
    rows: list[list[object]] = []
    for row in reason_rows(preview):
        dot = tag("span", class_=f"scimops-dot {kind_class(row.kind)}", aria_hidden="true")
        show = tag("button", "Show", type="button", class_="scimops-link", data_action="reason", value=row.reason,
                   aria_label=f"Show who {row.sentence}")  # fmt: skip
        rows.append([f"{row.count:,}", row.sentence, join(dot, row.kind), show])
    rows.append([tag("b", f"{preview.rows:,}"), tag("b", "records in the file"), None, None])
    return table("What becomes of everybody", ["People", "Each of these people", "So", ""], rows, numeric=[0])


def findings(preview: Preview) -> Markup:
    """All findings, errors first."""
    if not preview.findings:
        return empty("Nothing was found that should be looked at.")
    items = [
        tag("li", finding_box(finding, "scimops-finding", rows=rows_words(finding))) for finding in preview.findings
    ]
    return tag("ul", items, class_="scimops-findings")


def people_found(preview: Preview, words: str, reason: str) -> pl.DataFrame:
    """The rows of the assignments in which `words` stand in a column that is shown, and that have `reason`."""
    frame = preview.assignments
    if reason:
        frame = frame.filter(pl.col("reason") == reason)
    wanted = words.strip().lower()
    if wanted:
        texts = [
            pl.col(name).cast(pl.String).str.to_lowercase().str.contains(wanted, literal=True) for name in _SEARCHED
        ]
        frame = frame.filter(pl.any_horizontal(texts).fill_null(False))
    return frame


def people_table(preview: Preview, found: pl.DataFrame, number: int) -> Markup:
    """A page of people; the counts are those of all."""
    if found.is_empty():
        return empty("Nobody is so.")
    page = Page(number, found.height)
    shown = found.slice(page.start, page.stop - page.start)
    rows = [_person_row(row) for row in shown.iter_rows(named=True)]
    note = f" ({preview.rows:,} in the file)" if found.height < preview.rows else ""
    columns = ["Row", "Person", "Value", "Lands in", "Because this person"]
    return join(pager(page, people(page.total), note), table("People", columns, rows, numeric=[0]))


def _person_row(row: dict[str, Any]) -> list[object]:
    name = " ".join(part for part in (row["firstName"], row["lastName"]) if part)
    accounts = dict.fromkeys(account for account in (row["userName"], row["email"]) if account)
    lines = [tag("bdi", name, class_="scimops-person") if name else None]
    lines += [tag("bdi", account, class_="scimops-account") for account in accounts]
    why = tag(
        "button",
        "Why?",
        type="button",
        class_="scimops-link scimops-why",
        data_action="why",
        value=row["row"],
        aria_label=f"Why row {row['row']} is where it is",
    )
    value = _none("blank") if row["value"] is None else tag("bdi", row["value"], class_="scimops-value")
    group = _none("no group") if row["group"] is None else tag("bdi", row["group"], class_="scimops-value")
    return [row["row"], join(lines) or _none("unreadable"), value, group, join(REASONS[row["reason"]], " ", why)]


def _none(words: str) -> Markup:
    return tag("span", words, class_="scimops-none")


def ask(shown: str) -> Markup:
    """The box for the person to explain."""
    box = tag("input", type="search", name="person", value=shown, autocomplete="off",
              placeholder="userName, e-mail address, externalId or row number")  # fmt: skip
    label = tag("label", tag("span", "Whom"), box)
    return tag("form", label, tag("button", "Explain", type="submit"), class_="scimops-search", data_action="explain")


def steps(explanations: Sequence[Explanation]) -> Markup:
    """How one person got where they are; several lists where several rows are that person."""
    if not explanations:
        return empty("Say whom. Every step from the row of the file to the group is shown.")
    parts = []
    for explanation in explanations:
        *before, last = explanation.steps
        items = [*[tag("li", step) for step in before], tag("li", tag("b", last))]
        parts.append(
            tag(
                "section",
                tag("h4", f"Row {explanation.row}: ", tag("bdi", explanation.userName or "no userName")),
                tag("ol", items),
            )
        )
    return tag("div", parts, class_="scimops-steps")


def changes(comparison: Comparison | None) -> Markup:
    """Who moves from where to where since the choice before."""
    if comparison is None:
        return empty("Nothing was changed yet. After a change this compares with the choice before.")
    count = comparison.people.height
    head = tag("p", tag("b", changes_words(comparison)))
    if not count:
        return head
    moves = [
        [f"{move['people']:,}", tag("bdi", move["from"]), "→", tag("bdi", move["to"])]
        for move in comparison.moves[:_MOVES]
    ]
    more = f"The {_MOVES} largest of {len(comparison.moves):,} moves." if len(comparison.moves) > _MOVES else None
    moved = table("Who moves", ["People", "From", "", "To"], moves, numeric=[0])
    sizes = [
        [tag("bdi", group["name"]), f"{group['before']:,}", f"{group['after']:,}"]
        for group in comparison.groups[:_MOVES]
    ]
    changed = table("Groups that change", ["Group", "Before", "After"], sizes, numeric=[1, 2])
    return join(head, tag("p", more) if more else None, tag("div", moved, changed, class_="scimops-beside"))


def moved_words(comparison: Comparison) -> str:
    """One sentence: how many people the last change moves."""
    count = comparison.people.height
    return f"The last change moves {people(count)}." if count else "The last change moves nobody."


def changes_words(comparison: Comparison) -> str:
    """One sentence: how many people the last change moves, and which groups it makes or empties."""
    count = comparison.people.height
    if not count:
        return moved_words(comparison)
    new = [group["name"] for group in comparison.groups if not group["before"]]
    gone = [group["name"] for group in comparison.groups if not group["after"]]
    parts = [f"The last change moves {people(count)}"]
    parts += [f"makes {many(len(new), 'new group')} ({listed(new, 2)})"] if new else []
    parts += [f"empties {many(len(gone), 'group')} ({listed(gone, 2)})"] if gone else []
    return (" and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]) + "."
