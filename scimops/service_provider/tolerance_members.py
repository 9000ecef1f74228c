"""What a PATCH does to the members of a group, as steps for rows: nobody reads a group of 50,000 to add one member."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

_STRING = r'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9A-Fa-f]{4})*"'
_MEMBERS = re.compile(rf"members\[\s*value eq {_STRING}(?:\s+or\s+value eq {_STRING})*\s*\]", re.IGNORECASE)


@dataclass(frozen=True)
class MemberChange:
    """One step of a PATCH on a group's members: `clear` takes all of them out, `replace` leaves only these."""

    kind: Literal["add", "remove", "replace", "clear"]
    ids: tuple[str, ...] = ()


def member_changes(data: dict[str, Any]) -> list[MemberChange] | None:
    """What a PATCH does to members, in order, None where any operation does something else.

    `data` is what `normal_patch` made of it, for a Group. Neighbouring additions, or removals, are one step; ids are
    there once each. Members whose type is not User are something else: they need more than an id.
    """
    found: list[MemberChange] = []
    for operation in data["Operations"]:
        change = _member_change(operation["op"], operation.get("path") or "", operation.get("value"))
        if change is None:
            return None
        if found and found[-1].kind == change.kind and change.kind in ("add", "remove"):
            change = MemberChange(change.kind, found.pop().ids + change.ids)
        found.append(change)
    return [MemberChange(change.kind, tuple(dict.fromkeys(change.ids))) for change in found]


def _member_change(op: str, path: str, value: Any) -> MemberChange | None:
    """The step that one operation is, None where it is another kind of operation."""
    if op == "remove" and value is None and path.lower() == "members":
        return MemberChange("clear")
    if op == "remove" and value is None and _MEMBERS.fullmatch(path):
        return MemberChange("remove", tuple(json.loads(text) for text in re.findall(_STRING, path)))
    ids = _ids(value)
    if path.lower() != "members" or ids is None:
        return None
    return MemberChange("add" if op == "add" else "replace" if op == "replace" else "remove", ids)


def _ids(value: Any) -> tuple[str, ...] | None:
    """The ids of a list of users."""
    if not isinstance(value, list):
        return None
    for entry in value:
        if not (isinstance(entry, dict) and isinstance(entry.get("value"), str)):
            return None
        if str(entry.get("type") or "User").lower() != "user":
            return None
    return tuple(entry["value"] for entry in value)
