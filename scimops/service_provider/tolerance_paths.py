"""Attribute paths of PATCH and names of a resource, found in the schemas and written in one way (RFC 7644 §3.10)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from scim2_models import InvalidFilterException, InvalidPathException

from scimops.attributes import ENTERPRISE, SHORT
from scimops.service_provider.tolerance_filter import normal_filter
from scimops.service_provider.tolerance_values import (
    ATTRIBUTES,
    ENTERPRISE_ATTRIBUTES,
    ENTERPRISE_NAMES,
    SCHEMAS,
    Attribute,
    ResourceName,
)

_PATH = re.compile(r"(?:(?P<urn>urn:[^\s\[\]]+):)?(?P<name>[A-Za-z$][\w$-]*)(?:\.(?P<sub>[\w$-]+))?", re.I | re.A)
_BRACKETS = re.compile(r"(?P<head>[^\[]+)\[(?P<filter>.*)\](?:\.(?P<sub>[\w$-]+))?", re.DOTALL | re.A)


@dataclass(frozen=True)
class Target:
    """What a path points at. `attribute` is that of `name` and `part` that of `sub`, None where no schema has it."""

    urn: str | None
    name: str
    filter: str | None = None
    sub: str | None = None
    attribute: Attribute | None = None

    @property
    def part(self) -> Attribute | None:
        """The sub-attribute."""
        return self.attribute.subs.get(self.sub.lower()) if self.attribute and self.sub else None

    @property
    def path(self) -> str:
        """The path in one way of writing: RFC names, no core URN."""
        sub = self.part.name if self.part else self.sub
        head = f"{self.urn}:{self.name}" if self.urn else self.name
        return head + (f"[{self.filter}]" if self.filter is not None else "") + (f".{sub}" if sub else "")

    def at(self, sub: str | None) -> Target:
        """The same with another sub-attribute."""
        return replace(self, sub=sub)


def schema_of(key: str, resource_type: ResourceName) -> str | None:
    """The URN of the core schema or the enterprise extension, where `key` is it in any case."""
    return next((urn for urn in (SCHEMAS[resource_type], ENTERPRISE) if key.lower() == urn.lower()), None)


def is_other_extension(key: str, value: Any, resource_type: ResourceName) -> bool:
    """Whether `key` is the URN of another extension, which has an object as its value (RFC 7643 §3.3)."""
    lower = key.lower()
    known = any(f"{lower}:".startswith(f"{urn.lower()}:") for urn in (SCHEMAS[resource_type], ENTERPRISE))
    return lower.startswith("urn:") and isinstance(value, dict) and not known


def target_of(path: str, resource_type: ResourceName) -> Target | None:
    """What `path` points at, None where it is no path.

    Raises:
        InvalidPathException: the filter in it is empty, too long, nested too deep or not closed.
    """
    return _known_target(path, resource_type) if len(path) <= SHORT else _target_of(path, resource_type)


def _target_of(path: str, resource_type: ResourceName) -> Target | None:
    brackets = _BRACKETS.fullmatch(path.strip())
    found = _PATH.fullmatch(brackets["head"].strip() if brackets else path.strip())
    if not found or (brackets and found["sub"]):
        return None
    urn, name, attribute = _resolved(found["urn"], found["name"], resource_type)
    try:
        test = normal_filter(brackets["filter"], attribute or Attribute("", "unknown")) if brackets else None
    except InvalidFilterException as error:
        raise InvalidPathException(detail=f"in a path, {error}") from None
    return Target(urn, name, test, brackets["sub"] if brackets else found["sub"], attribute)


_known_target = lru_cache(maxsize=2048)(_target_of)


def _resolved(urn: str | None, name: str, resource_type: ResourceName) -> tuple[str | None, str, Attribute | None]:
    """The URN, RFC name and attribute of a name; one of the core may be of the extension (Entra's `manager`)."""
    lower = name.lower()
    if urn is None or urn.lower() == SCHEMAS[resource_type].lower():
        attribute = ATTRIBUTES[resource_type].get(lower)
        if attribute:
            return None, attribute.name, attribute
        if resource_type != "User" or lower not in ENTERPRISE_NAMES:
            return None, name, None
    elif urn.lower() != ENTERPRISE.lower():
        return urn, name, None
    names = ENTERPRISE_NAMES if lower in ENTERPRISE_NAMES else ENTERPRISE_ATTRIBUTES
    attribute = names.get(lower)
    return ENTERPRISE, attribute.name if attribute else name, attribute
