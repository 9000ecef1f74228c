"""Checks of the groups: blank values, spellings, twins, names, rules that are not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from scimops.errors import ROW_NUMBERS_KEPT, Finding, finding
from scimops.grouping import group_key
from scimops.preview.checks.common import listed, rows_with

if TYPE_CHECKING:
    from scimops.preview import Group, Preview

NAME_LIMIT = 64
"""Characters of a target group's name in the platform's API (platform facts: limits)."""

TWINS_AT_MOST = 3_000
"""Only so many groups, the largest, are compared with each other: the time grows with the square of them."""

_ALIKE = 88
_SHORTEST = 5
_BLOCK = 500


def blank(preview: Preview) -> Finding | None:
    """People without a value of the criterion."""
    field, target = preview.setting.grouping_field, preview.setting.group_settings.target_group
    if field is None:
        return None
    blank_reason = preview.grouping.place(None).reason
    rows = rows_with(preview, pl.col("reason") == blank_reason)
    landing = f'the target group "{target}"' if target else "no group at all"
    return finding("blank_criterion", **rows, field=field, landing=landing) if rows["count"] else None


def several(preview: Preview) -> Finding | None:
    """People with several values of the criterion."""
    rows = preview.mapped.several
    return (
        finding("several_values", count=len(rows), row_numbers=rows, field=preview.setting.grouping_field)
        if rows
        else None
    )


def rows_in(preview: Preview, groups: list[Group]) -> dict[str, Any]:
    """The people whom a value of their own led into `groups`, as arguments of `finding()`."""
    led = preview.led.filter(pl.col("group_key").is_in([group.group_key for group in groups]))
    first = led["first"].explode().sort().head(ROW_NUMBERS_KEPT)
    return {"count": led["count"].sum(), "row_numbers": preview.people["row"].gather(first).to_list()}


def twins(preview: Preview) -> list[tuple[Group, Group]]:
    """Pairs of groups whose names are nearly the same, the likely slip (fewer members) first.

    Each group has one twin at most, the most alike of those before it in size. Compared are keys; names of fewer than
    five characters and names that differ in a number are no twins.
    """
    from rapidfuzz import fuzz, process

    own = [group for group in preview.groups if group.spellings and len(group.group_key) >= _SHORTEST][:TWINS_AT_MOST]
    keys = [group.group_key for group in own]
    digits = np.unique([_digits(key) for key in keys], return_inverse=True)[1]
    pairs = []
    for start in range(0, len(keys), _BLOCK):
        end = min(start + _BLOCK, len(keys))
        scores = process.cdist(
            keys[start:end], keys[:end], scorer=fuzz.ratio, score_cutoff=_ALIKE, dtype=np.uint8, workers=1
        )
        scores[digits[start:end, None] != digits[None, :end]] = 0
        scores = np.tril(scores, start - 1)
        best = scores.argmax(axis=1)
        pairs += [(own[start + row], own[best[row]]) for row in np.flatnonzero(scores.any(axis=1))]
    return sorted(pairs, key=lambda pair: (-pair[1].members, pair[0].group_key))


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdigit())


def near_twins(preview: Preview) -> Finding | None:
    """Groups that look alike but are not the same."""
    pairs = twins(preview)
    if not pairs:
        return None
    sample = listed([f"{slip.name} / {right.name}" for slip, right in pairs], 3)
    return finding("near_twins", **rows_in(preview, [slip for slip, _ in pairs]), pairs=len(pairs), sample=sample)


def lonely(preview: Preview) -> Finding | None:
    """Groups with one member."""
    alone = [group for group in preview.groups if group.members == 1 and group.spellings]
    if not alone or len(preview.groups) == 1:
        return None
    sample = listed([group.name for group in alone], 3)
    return finding("one_member_group", **rows_in(preview, alone), groups=len(alone), sample=sample)


def spellings(preview: Preview) -> Finding | None:
    """Values that are written in several ways and count as one group; aliases are meant and not counted."""
    merged = [group for group in preview.groups if len(ways_of(group)) > 1]
    if not merged:
        return None
    sample = "; ".join(listed(ways_of(group), 4) for group in merged[:2])
    return finding("spellings_merged", **rows_in(preview, merged), groups=len(merged), sample=sample)


def ways_of(group: Group) -> list[str]:
    """The ways of writing a group's value, without those that an alias brings."""
    return [text for text in group.spellings if group_key(text) == group.group_key]


def long_names(preview: Preview) -> Finding | None:
    """Groups whose names are longer than the platform's API takes."""
    long = [group for group in preview.groups if len(group.name) > NAME_LIMIT]
    if not long:
        return None
    sample = listed([group.name[:40] + "…" for group in long], 2)
    return finding("group_name_too_long", **rows_in(preview, long), groups=len(long), limit=NAME_LIMIT, sample=sample)


def transient(preview: Preview) -> Finding | None:
    """People may pass through the target group on their way."""
    field, target = preview.setting.grouping_field, preview.setting.group_settings.target_group
    if preview.channel != "idp" or field is None or target is None:
        return None
    return finding("transient_fallback", field=field, group=f'"{target}"')


def not_there(preview: Preview) -> Finding | None:
    """Rules that this setting uses and the service provider is not known to have."""
    groups = preview.setting.group_settings
    used = {
        3: "aliases" if groups.aliases else "",
        8: f"duplicates: {groups.duplicates}" if groups.duplicates != "reject_all" else "",
        9: f"inactive: {groups.inactive}" if groups.inactive != "no_group" else "",
        2: "joining of spellings" if any(len(ways_of(group)) > 1 for group in preview.groups) else "",
    }
    missing = [words for rule, words in used.items() if words and rule not in preview.capabilities.rules]
    if not missing:
        return None
    name = preview.capabilities.name
    return finding("rule_not_there", platform=name[0].upper() + name[1:], rules=", ".join(missing))


def unknown(preview: Preview) -> Finding | None:
    """The platform's groups were not given."""
    return None if preview.existing.known or not preview.groups else finding("existing_groups_unknown")
