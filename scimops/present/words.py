"""What tables, pages and pictures share: text made visible, counts in words, the sentences of a preview."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import polars as pl

from scimops.grouping import ARRIVING, REASONS, REJECTED
from scimops.preview import CHANNELS

if TYPE_CHECKING:
    from scimops.errors import Finding
    from scimops.preview import Preview

Kind = Literal["arriving", "not active", "out of scope", "rejected"]

KINDS: tuple[Kind, ...] = ("arriving", "not active", "out of scope", "rejected")

_MARKS = (0x200B, 0x200E, 0x200F, 0x2028, 0x2029, 0x2060, 0xFEFF, 0xFFFE, 0xFFFF)
_HIDDEN = (*range(0x80, 0xA0), *_MARKS, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
VISIBLE: dict[str, str] = {
    **{chr(code): chr(0x2400 + code) for code in range(0x20)},
    "\x7f": "␡",
    **{chr(code): f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in _HIDDEN},
}
"""Characters that a screen obeys or hides instead of showing, and what is shown for each.

Controls become their pictures (ESC is ␛). Zero-width spaces and marks that turn the direction of writing become their
codes, because they make two different names look the same. Joiners, which real words need, stay.
"""

_VISIBLE = str.maketrans(VISIBLE)


def visible(text: str) -> str:
    """`text` with every character that a screen would obey or hide shown instead."""
    return text.translate(_VISIBLE)


def shortened(text: str, most: int) -> str:
    """`text` made visible and cut to `most` characters, the last of them … where something was cut."""
    text = visible(text)
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def many(count: int, one: str, several: str = "") -> str:
    """`1 group`, `2 groups`, `1,000 people`."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def people(count: int) -> str:
    """`1 person`, `2 people`."""
    return many(count, "person", "people")


def four_numbers(preview: Preview) -> list[tuple[int, str, str]]:
    """The four numbers an admin sees first: each with its name and what it counts."""
    numbers = preview.numbers
    return [
        (numbers.will_arrive, "will arrive", "people who will be created or kept active"),
        (numbers.groups, "groups", "groups with members"),
        (numbers.to_fix, "to fix", "people who are rejected"),
        (numbers.seats, "seats", "seats of the licence they take (active people only)"),
    ]


def sentence(finding: Finding) -> str:
    """What a finding says."""
    return finding.message


def first_advice(preview: Preview, said: Callable[[Finding], str] = sentence) -> str:
    """What to do first, in plain words: what the first error or warning says, and its advice."""
    first = next((finding for finding in preview.findings if finding.level != "info"), None)
    return f"{said(first)} {first.advice}" if first else "Nothing was found that has to be fixed first."


def privacy(preview: Preview) -> str:
    """Where the data went: nowhere, or to the cluster that the person asked for."""
    if preview.backend == "polars" or preview.backend.startswith("local"):
        return "Nothing left this computer."
    return f"Nothing was sent to the platform; rows were computed on {preview.backend}."


@dataclass(frozen=True)
class ReasonRow:
    """One line of the reasons: the code, its sentence, what becomes of these people, how many they are."""

    reason: str
    sentence: str
    kind: Kind
    count: int


def reason_rows(preview: Preview) -> list[ReasonRow]:
    """The reasons with their sentences; the counts add up to the rows of the export.

    Where people who are not active keep their group they stand in a line of their own, so that the lines of those who
    arrive add up to the first of the four numbers.
    """
    resting = preview.people.filter(pl.col("reason").is_in(ARRIVING) & ~pl.col("active").fill_null(True))
    asleep = dict(resting["reason"].value_counts().iter_rows())
    rows = []
    for reason, count in preview.reasons.items():
        rows.append(ReasonRow(reason, REASONS[reason], _kind(reason), count - asleep.get(reason, 0)))
        if reason in asleep:
            sentence = f"{REASONS[reason]}, but is not active"
            rows.append(ReasonRow(reason, sentence, "not active", asleep[reason]))
    return [row for row in rows if row.count]


def _kind(reason: str) -> Kind:
    if reason in REJECTED:
        return "rejected"
    if reason in ARRIVING:
        return "arriving"
    return "not active" if reason == "inactive" else "out of scope"


def rows_of(finding: Finding, most: int = 5) -> str:
    """The rows of a finding in one line: the first ones, and how many more there are."""
    shown = ", ".join(f"{row}" for row in finding.row_numbers[:most])
    more = finding.count - min(most, len(finding.row_numbers))
    return f"{shown} and {more:,} more" if shown and more > 0 else shown


def yes_no(value: bool | None) -> str:
    """`yes`, `no`, and `unknown` for what nobody said."""
    return "unknown" if value is None else "yes" if value else "no"


def listed(names: Sequence[str], most: int) -> str:
    """Some names in one line, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def source_rows(preview: Preview) -> Iterator[tuple[str, str]]:
    """What was read: the file, what it is, whether it is whole, when it was taken."""
    export = preview.export
    yield "File", listed(export.files, 5)
    yield "What it is", export.shape.title
    yield "Records", f"{preview.rows:,}, of which {preview.in_scope:,} in scope"
    yield "Whole?", "yes" if export.complete else f"no: {export.missing}"
    yield "Taken", f"{export.taken_at:%Y-%m-%d %H:%M} UTC, from {export.taken_from}"


def setting_rows(preview: Preview) -> Iterator[tuple[str, str]]:
    """What it was computed with: the setting, the channel, whether the platform's groups were known."""
    setting, groups = preview.setting, preview.setting.group_settings
    yield "Setting", setting.name
    yield "Groups come from", criterion(preview)
    yield "Target group", groups.target_group or "none"
    if groups.aliases:
        yield "Aliases", f"{len(groups.aliases):,}"
    if scope := _scope(preview):
        yield "Scope", scope
    yield "Of duplicates", f"{_DUPLICATES[groups.duplicates]} ({groups.duplicates})"
    yield "People not active", f"{_INACTIVE[groups.inactive]} ({groups.inactive})"
    yield "Channel", f"{preview.channel}: {CHANNELS[preview.channel]}"
    known = preview.existing
    yield "Groups the platform has", f"{len(known.names):,}, from {known.source}" if known.known else "not known here"


_DUPLICATES = {"reject_all": "all are rejected", "keep_first": "the first is kept", "keep_active": "the active is kept"}
_INACTIVE = {"no_group": "are kept without a group", "keep_group": "keep their group", "reject": "are not taken"}


def _scope(preview: Preview) -> str:
    scope = preview.setting.scope
    parts = [f"user types {listed(scope.user_types, 5)}"] if scope.user_types else []
    parts += ["active people"] if scope.active_only else []
    parts += [f"people named in {scope.assigned}"] if scope.assigned else []
    return "only " + ", ".join(parts) if parts else ""


def criterion(preview: Preview) -> str:
    """What decides the group, in words."""
    if preview.setting.by_idp_groups:
        return "the identity provider's own groups"
    field = preview.setting.grouping_field
    if field is None:
        return "nothing: everyone is treated alike"
    column = preview.mapped.columns.get(field)
    return f"{field} (column {column})" if column else f"{field} (the export has no such column)"
