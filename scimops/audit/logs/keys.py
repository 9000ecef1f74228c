"""Which keys of a person a log names: in a filter, in changed attributes, in a value that was refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from scimops.audit.logs.events import Event, text_or_none

Keys = dict[str, str | None]
"""Any of externalId, userName, email, resource_id; ready for an Event."""

_ASKED = re.compile(
    r'\b(userName|externalId|emails(?:\[[^\]]*\])?(?:\.value)?|id)\s+eq\s+("(?:[^"\\]|\\.)*")', re.IGNORECASE
)
_EMAIL = re.compile(r"(?:.*:)?emails(?:\[.*\])?(?:\.value)?", re.IGNORECASE)
_NAMES = {"username": "userName", "externalid": "externalId", "email": "email", "mail": "email", "id": "resource_id"}


def with_keys(event: Event, keys: Keys) -> Event:
    """The event of the person who has these keys."""
    return event._replace(
        externalId=keys.get("externalId"), userName=keys.get("userName"), email=keys.get("email"),
        resource_id=keys.get("resource_id"),
    )  # fmt: skip


def keys_of_filter(text: str | None) -> Keys:
    """The keys that a filter asks for, or by which the log names who was meant: `userName eq "anna"`."""
    found: Keys = {}
    for attribute, value in _ASKED.findall(text or ""):
        name = _name(attribute)
        if name and name not in found:
            try:
                found[name] = text_or_none(json.loads(value))
            except ValueError:
                continue
    return found


def keys_of_changes(changes: Iterable[Mapping[str, Any]]) -> Keys:
    """The keys that changed attributes give a person, as they are after the change; of e-mail addresses the first."""
    found: Keys = {}
    for one in changes:
        name = _name(str(one.get("attribute")))
        value = one.get("new")
        value = value[0] if isinstance(value, list) and value else value
        if name and name != "resource_id" and (text := text_or_none(value)) and name not in found:
            found[name] = text
    return found


def keys_of_input(value: Any) -> Keys:
    """The keys in what a job could not use: a JSON object, a filter, an e-mail address or an id."""
    text = text_or_none(value)
    if text is None:
        return {}
    if text.startswith("{"):
        try:
            record = json.loads(text)
        except (ValueError, RecursionError):
            return {}
        named = {_name(key): text_or_none(inner) for key, inner in record.items()}
        return {name: inner for name, inner in named.items() if name and inner}
    if found := keys_of_filter(text):
        return found
    if "@" in text and " " not in text:
        return {"email": text}
    return {"resource_id": text} if re.fullmatch(r"[\w-]{1,40}", text) else {}


def _name(attribute: str) -> str | None:
    bare = attribute.rpartition(":")[2] if attribute.lower().startswith("urn:") else attribute
    return "email" if _EMAIL.fullmatch(bare) else _NAMES.get(bare.lower())
