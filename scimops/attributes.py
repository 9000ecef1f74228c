"""Attribute paths (RFC 7644 §3.10), in one way of writing.

An export in JSON, a SCIM resource on the wire and a field mapping of a setting mean the same thing by the same path:
`name.givenName`, `emails[type eq "work"].value`,
`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
SHORT = 200
"""Letters of a path that is worth remembering; a longer one would only fill the memory."""


PATHS: dict[str, tuple[str, ...]] = {
    "externalId": ("externalId",),
    "userName": ("userName",),
    "email": ("emails", 'emails[type eq "work"].value'),
    "firstName": ("name.givenName",),
    "lastName": ("name.familyName",),
    "department": (f"{ENTERPRISE}:department",),
    "phone": ("phoneNumbers", 'phoneNumbers[type eq "work"].value'),
    "active": ("active",),
    "userType": ("userType",),
}
"""Which attribute each field of a user comes from (RFC 7643 §4.1 and §4.3)."""

_PATH = re.compile(
    r"^(?:(?P<urn>urn:[\w.:\-]+):)?"
    r"(?P<name>[A-Za-z$][\w$\-]*)"
    r'(?:\[\s*(?P<by>\w+)\s+eq\s+"(?P<of>[^"]*)"\s*\])?'
    r"(?:\.(?P<sub>[A-Za-z$][\w$\-]*))?$",
    re.IGNORECASE,
)
_VALUE_ATTRIBUTES = {"emails", "phonenumbers", "ims", "photos", "entitlements", "roles", "x509certificates", "groups"}


class AttributePath(NamedTuple):
    """The parts of a path as written: `URN:name[by eq "of"].sub`; what is absent is the empty string.

    `urn` is empty for the core schema. The sub-attribute of `emails[type eq "work"]` is its `value` (RFC 7643 §2.4).
    """

    urn: str
    name: str
    by: str
    of: str
    sub: str

    @property
    def many(self) -> bool:
        """Does the attribute hold a list (RFC 7643 §4.1.2)?"""
        return bool(self.by) or (not self.urn and self.name.lower() in {*_VALUE_ATTRIBUTES, "addresses"})


def parse_path(path: str) -> AttributePath:
    """The parts of `path`.

    Raises:
        ValueError: `path` is no attribute path.
    """
    found = _PATH.match(path.strip())
    if not found:
        raise ValueError(path)
    urn, name, by, of, sub = (part or "" for part in found.group("urn", "name", "by", "of", "sub"))
    if by and not sub and name.lower() in _VALUE_ATTRIBUTES:
        sub = "value"
    return AttributePath("" if urn.lower() == CORE.lower() else urn, name, by, of, sub)


def normal_path(path: str) -> str:
    """`path` in one way of writing: attribute names are case-insensitive, the core URN and spaces may be left out.

    `emails[type eq "work"]` means its `value` (RFC 7643 §2.4).

    Raises:
        ValueError: `path` is no attribute path.
    """
    return _known_path(path) if len(path) <= SHORT else _normal_path(path)


def _normal_path(path: str) -> str:
    urn, name, by, of, sub = (part.lower() for part in parse_path(path))
    head = f"{urn}:" if urn else ""
    test = f'[{by} eq "{of}"]' if by else ""
    tail = f".{sub}" if sub else ""
    return f"{head}{name}{test}{tail}"


_known_path = lru_cache(maxsize=2048)(_normal_path)
