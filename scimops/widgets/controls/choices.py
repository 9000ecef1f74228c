"""What a person chose in the panel: plain values, to and from a setting."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scimops.errors import SettingError
from scimops.grouping import group_key, identity_key, spelling
from scimops.setting import Setting, parse_setting
from scimops.widgets.controls.facts import COLUMN, FIELD, IDP_GROUPS, NO_CRITERION, readable_field

if TYPE_CHECKING:
    from scimops.preview import Group


@dataclass(frozen=True)
class Choices:
    """The parts of a setting that the panel can change, as they stand in its controls.

    `aliases` are lines `value = group`; `seats` is text, empty where the licence has no limit.
    """

    criterion: str = NO_CRITERION
    target_group: str = ""
    aliases: str = ""
    user_types: tuple[str, ...] = ()
    active_only: bool = False
    allowed_domains: str = ""
    seats: str = ""
    duplicates: str = "reject_all"
    inactive: str = "no_group"


def choices_of(setting: Setting) -> Choices:
    """The choices that `setting` stands for."""
    groups = setting.group_settings
    criterion = IDP_GROUPS if setting.by_idp_groups else NO_CRITERION
    if setting.grouping_field is not None:
        criterion = FIELD + setting.grouping_field
    return Choices(
        criterion,
        groups.target_group or "",
        written_aliases(groups.aliases),
        tuple(setting.scope.user_types),
        setting.scope.active_only,
        ", ".join(setting.allowed_domains),
        "" if setting.seats is None else str(setting.seats),
        groups.duplicates,
        groups.inactive,
    )


def setting_of(base: Setting, choices: Choices) -> Setting:
    """The setting `base` with `choices` in place of its own.

    Raises:
        SettingError: a choice is nothing that a setting may say.
    """
    document = base.model_dump(mode="json", exclude_defaults=True) | {"format": base.format, "name": base.name}
    groups: dict[str, Any] = document.setdefault("group_settings", {})
    groups["target_group"] = spelling(choices.target_group) or None
    groups["aliases"] = read_aliases(choices.aliases)
    groups["duplicates"], groups["inactive"] = choices.duplicates, choices.inactive
    groups["criterion"] = _criterion(document, base, choices.criterion)
    scope = document.setdefault("scope", {})
    scope["user_types"], scope["active_only"] = list(choices.user_types), choices.active_only
    document["allowed_domains"] = _words(choices.allowed_domains)
    document["seats"] = _seats(choices.seats)
    # JSON is YAML: the reader of settings says what is wrong in the words that an admin knows.
    try:
        return parse_setting(json.dumps(document, ensure_ascii=True), "this choice")
    except SettingError as error:
        raise SettingError(error.message, advice=error.advice) from None


def _criterion(document: dict[str, Any], base: Setting, name: str) -> dict[str, Any] | None:
    """The criterion as a setting writes it; a column becomes a field first."""
    if name == NO_CRITERION:
        return None
    if name == IDP_GROUPS:
        return {"idp_groups": True}
    if name.startswith(FIELD):
        return {"field": name.removeprefix(FIELD)}
    header = name.removeprefix(COLUMN)
    field = next((known for known in base.custom_fields if base.columns.get(known) == header), None)
    if field is None:
        field = readable_field(header, base)
        document.setdefault("columns", {})[field] = header
    return {"field": field}


def _words(text: str) -> list[str]:
    return list(dict.fromkeys(word.lstrip("@").lower() for word in re.split(r"[\s,;]+", text) if word))


def _seats(text: str) -> int | None:
    plain = re.sub(r"[\s,.'_]", "", text)
    if not plain:
        return None
    if not re.fullmatch(r"[0-9]{1,12}", plain):
        raise SettingError(f'"{text.strip()}" is no number of seats.', advice="Write digits, or nothing for no limit.")
    return int(plain)


def read_aliases(text: str) -> dict[str, str]:
    """The aliases in lines `value = group`; the last ` = ` of a line counts, because a value may hold one.

    Raises:
        SettingError: a line has no `=`, or nothing on one side of it.
    """
    aliases: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        value, equals, group = line.rpartition(" = ")
        if not equals:
            value, equals, group = line.rpartition("=")
        if not value.strip() or not group.strip():
            raise SettingError(
                f"Line {number} of the aliases is no `value = group`.", advice="Such as: R&D = Engineering"
            )
        aliases[spelling(value)] = spelling(group)
    return aliases


def written_aliases(aliases: Mapping[str, str]) -> str:
    """Aliases as lines `value = group`."""
    return "\n".join(f"{spelling(value)} = {spelling(group)}" for value, group in aliases.items())


def merged(aliases: Mapping[str, str], groups: Iterable[Group], into: str) -> dict[str, str]:
    """`aliases` and those that lead all members of `groups` into the group called `into`.

    An alias is applied once, so those that lead into a merged group are turned to lead to the new one.
    """
    into = spelling(into)
    target = group_key(into)
    result = dict(aliases)
    for group in groups:
        if group.group_key == target:
            continue
        for value, name in result.items():
            if group_key(name) == group.group_key:
                result[value] = into
        known = {group_key(value) for value in result}
        for value in group.spellings:
            if group_key(value) not in known | {target}:
                result[spelling(value)] = into
                known.add(group_key(value))
    # Whoever has the new group's own value is there already; an alias that led them elsewhere would undo the merge.
    return {value: name for value, name in result.items() if group_key(value) != target}


def same_types(chosen: Iterable[str], offered: Iterable[str]) -> list[str]:
    """Those of `offered` that `chosen` names, whatever their upper and lower case."""
    wanted = {identity_key(name) for name in chosen}
    return [name for name in offered if identity_key(name) in wanted]
