"""Attributes and values: what a client wrote for an attribute, in the form that RFC 7643 gives that attribute.

The attributes come from scim2-models' own schemas, so that a name, a type or a sub-attribute stands in one place.
Unassigned, null, `[]`, `""` and white space alone are one thing (RFC 7643 §2.5): blank, here `None`.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

from pydantic_core import Url, ValidationError
from scim2_models import EnterpriseUser, Group, InvalidValueException, User

from scimops.attributes import CORE

ResourceName = Literal["User", "Group"]

SCHEMAS: dict[ResourceName, str] = {"User": CORE, "Group": str(Group.__schema__)}
"""The core schema of each resource type (RFC 7643 §4)."""


@dataclass(frozen=True)
class Attribute:
    """One attribute of a schema (RFC 7643 §2.2): `kind` is its type, `many` says that it is multi-valued."""

    name: str
    kind: str
    many: bool = False
    subs: Mapping[str, Attribute] = field(default_factory=dict)


Table = Mapping[str, Attribute]
"""Attributes by their name in lower case: names are case-insensitive (RFC 7643 §2.1)."""


def _table(declared: Any) -> dict[str, Attribute]:
    """The attributes that a schema of scim2-models declares."""
    return {
        one.name.lower(): Attribute(one.name, str(one.type.value), bool(one.multi_valued), _table(one.sub_attributes))
        for one in declared or ()
    }


_COMMON = {"externalid": Attribute("externalId", "string")}
_MANAGER_ID = "managerid"
ATTRIBUTES: dict[ResourceName, Table] = {
    "User": _COMMON | _table(User.to_schema().attributes),
    "Group": _COMMON | _table(Group.to_schema().attributes),
}
ENTERPRISE_ATTRIBUTES: Table = _table(EnterpriseUser.to_schema().attributes)
ENTERPRISE_NAMES: Table = {**ENTERPRISE_ATTRIBUTES, _MANAGER_ID: ENTERPRISE_ATTRIBUTES["manager"]}
"""How clients call the attributes of the enterprise extension: OneLogin's template says `managerId` for manager."""

READ_ONLY: dict[ResourceName, frozenset[str]] = {
    "User": frozenset({"id", "meta", "groups", "schemas"}),
    "Group": frozenset({"id", "meta", "schemas"}),
}
"""What a client may send back but never writes (RFC 7643 §3.1, §4.1.2), in lower case."""

NEVER_STORED = "password"
"""Write-only (RFC 7643 §4.1.1); nobody signs in here, so it is neither stored nor logged."""

LABELS = frozenset({"type", "primary"})
"""What only labels a value; an entry with nothing else has no value."""

BOOLEANS = {"true": True, "false": False}

CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Characters that no text may hold, the same set as in a file, and halves of surrogate pairs. Tab and line ends may
stand in a text, as in RFC 7643 §8.2 (`addresses.formatted`)."""


def is_blank(value: Any) -> bool:
    """Whether a value is unassigned (RFC 7643 §2.5)."""
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def without_list_of_one(value: Any) -> Any:
    """The value within a list of one: Entra writes `[{"value": "x"}]` where the attribute has a single value."""
    return value[0] if isinstance(value, list) and len(value) == 1 and not isinstance(value[0], list) else value


def value_of(attribute: Attribute, value: Any) -> Any:
    """`value` in the form of `attribute`, None where it is blank; what is not understood stays for scim2-models."""
    if attribute.many:
        return entries_of(attribute, value) or None
    value = without_list_of_one(value)
    if is_blank(value):
        return None
    if attribute.name == "manager":
        return manager_of(value)
    if attribute.kind == "complex":
        return object_of(attribute, value) or None
    return _simple(attribute, value)


def object_of(attribute: Attribute, value: Any) -> Any:
    """The sub-attributes that have a value, by their RFC names; no object stays for scim2-models to refuse."""
    if not isinstance(value, dict):
        return value
    named = ((attribute.subs.get(key.lower(), Attribute(key, "unknown")), item) for key, item in value.items())
    cleaned = {sub.name: value_of(sub, item) for sub, item in named}
    return {name: item for name, item in cleaned.items() if item is not None}


def entries_of(attribute: Attribute, value: Any, *, labels_count: bool = False) -> list[Any]:
    """The values of a multi-valued attribute, also where one object or bare strings were sent.

    `labels_count`: an entry with only a type is kept, as in a remove that selects by type.

    Raises:
        InvalidValueException: a member has no id. Leaving it out could empty a group.
    """
    if is_blank(value):
        return []
    kept: list[Any] = []
    for sent in value if isinstance(value, list) else [value]:
        item = sent
        if isinstance(item, str | int) and not isinstance(item, bool) and "value" in attribute.subs:
            item = {"value": item}
        item = object_of(attribute, item)
        if attribute.name == "members" and not (isinstance(item, dict) and item.get("value")):
            raise InvalidValueException(detail="each of members needs the id of a member as its value")
        if is_blank(item) or (isinstance(item, dict) and not labels_count and not item.keys() - LABELS):
            continue
        kept.append(item)
    return kept


def manager_of(value: Any) -> Any:
    """The manager with the id (RFC 7643 §4.3), None where no id was given.

    The reference is made from the id, relative to the SCIM root as scim2-server keeps references: Entra's
    documentation shows a `$ref` that is no address, and scim2-models demands one.
    """
    found = value
    if isinstance(value, dict):
        named = {key.lower(): item for key, item in value.items()}
        found = named.get("value") if not is_blank(named.get("value")) else named.get(_MANAGER_ID)
        if is_blank(found):
            return value if not is_blank(named.get("$ref")) else None
    if isinstance(found, bool) or not isinstance(found, str | int):
        return value
    return {"value": str(found), "$ref": f"Users/{quote(str(found), safe='')}"}


def _simple(attribute: Attribute, value: Any) -> Any:
    """A value of a simple attribute: booleans and numbers in strings, `{"value": x}`, addresses that are none."""
    if isinstance(value, dict) and attribute.kind != "unknown":
        inner = {key.lower(): item for key, item in value.items() if not is_blank(item)}
        only = inner.get("value") if len(inner) == 1 else None
        value = (value if only is None or isinstance(only, dict | list) else only) if inner else None
    if attribute.name == "$ref":
        return None
    if attribute.kind == "binary" and isinstance(value, str):
        _check_base64(value)
    if attribute.kind == "boolean" and isinstance(value, str):
        return BOOLEANS.get(value.strip().lower(), value)
    if attribute.kind == "string" and isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if attribute.kind == "reference" and isinstance(value, str) and not is_uri(value):
        return None
    return value


def _check_base64(value: str) -> None:
    """Refuses what is no Base64 (RFC 7643 §2.3.6): scim2-models would leave out what it cannot read."""
    try:
        b64decode("".join(value.split()), validate=True)
    except ValueError:
        raise InvalidValueException(detail="a binary value is not Base64") from None


def is_uri(value: str) -> bool:
    """Whether scim2-models takes `value` for an address: absolute, or a path from the root."""
    if value.startswith("/"):
        return True
    try:
        Url(value)
    except ValidationError:
        return False
    return True
