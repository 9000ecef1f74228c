"""What identity providers really send, put into the form of RFC 7643 and RFC 7644 before scim2-models reads it.

Pure functions, in the order of a request: `read_json` (bytes of a body), `normal_query` (query string) and
`normal_filter` (a filter in the body of `/.search`); `normal_resource` for POST and PUT, `normal_patch` for PATCH;
`member_changes` says what a PATCH of a group does where it touches nothing but members. They raise `SCIMException`s
only, and leave what they do not understand for scim2-models to refuse: no value is ever bent into another meaning.

Where the forms come from: Microsoft's "Develop and plan provisioning for a SCIM endpoint" and "Known issues for SCIM
2.0 protocol compliance" with SCIMReferenceCode, Okta's SCIM 2.0 protocol reference and its certification suites,
OneLogin's SCIM JSON template, JumpCloud's identity management.
"""

from __future__ import annotations

from typing import Any

from scim2_models import InvalidValueException

from scimops.attributes import ENTERPRISE
from scimops.service_provider.tolerance_filter import normal_filter
from scimops.service_provider.tolerance_members import MemberChange, member_changes
from scimops.service_provider.tolerance_patch import MAX_OPERATIONS, normal_patch
from scimops.service_provider.tolerance_paths import Target, is_other_extension, schema_of, target_of
from scimops.service_provider.tolerance_values import (
    NEVER_STORED,
    READ_ONLY,
    SCHEMAS,
    Attribute,
    ResourceName,
    is_blank,
    value_of,
)
from scimops.service_provider.tolerance_wire import MAX_BODY_BYTES, MAX_DEPTH, normal_query, read_json

__all__ = [
    "MAX_BODY_BYTES",
    "MAX_DEPTH",
    "MAX_OPERATIONS",
    "MemberChange",
    "ResourceName",
    "member_changes",
    "normal_filter",
    "normal_patch",
    "normal_query",
    "normal_resource",
    "read_json",
]


def normal_resource(data: dict[str, Any], resource_type: ResourceName) -> dict[str, Any]:
    """A user or group of a POST or PUT in the form of RFC 7643.

    Names get their RFC spelling; blank attributes are left out (§2.5), and with them `password`, what is read-only,
    and addresses that are none; single values and objects become lists where the attribute is one, and booleans in
    strings booleans. Attributes of an extension stand in the object of its URN, wherever the client put them: under
    the URN with a colon (Entra), or bare at the top (Okta's and Microsoft's examples), which the extension's own
    object overrides. `schemas` names what is used. An attribute that no schema has is kept as it is.

    Raises:
        InvalidValueException: an attribute stands there twice with two values, or a member has no id.
    """
    found, bare = _Collected(), _Collected()
    for key, value in data.items():
        for target, item in _named(key, value, resource_type):
            lower = target.name.lower()
            if target.urn is None and (lower in READ_ONLY[resource_type] or lower == NEVER_STORED):
                continue
            (bare if target.urn == ENTERPRISE and not key.lower().startswith("urn:") else found).add(target, item)
    found.fill(bare)
    resource, extensions = found.normal()
    return {"schemas": _schemas(data, resource_type, sorted(extensions)), **extensions, **resource}


def _named(key: str, value: Any, resource_type: ResourceName) -> list[tuple[Target, Any]]:
    """The attributes that a name at the top of a resource stands for: one, or those of a schema's object."""
    urn = key if is_other_extension(key, value, resource_type) else schema_of(key, resource_type)
    if urn is not None:
        if not isinstance(value, dict):
            return [(Target(None, urn), value)]
        paths = {name: target_of(f"{urn}:{name}", resource_type) for name in value if not set(name) & set(":[")}
        return [(paths.get(name) or Target(urn, name), item) for name, item in value.items()]
    target = target_of(key, resource_type) if "[" not in key else None
    return [(target or Target(None, key), value)]


class _Collected:
    """The attributes of a resource while they are put together, by URN (None: the core) and name."""

    def __init__(self) -> None:
        self.values: dict[tuple[str | None, str], Any] = {}
        self.attributes: dict[tuple[str | None, str], Attribute | None] = {}

    def add(self, target: Target, value: Any) -> None:
        """Takes one attribute; `name.givenName` goes into the object of `name`."""
        key = (target.urn, target.name)
        self.attributes[key] = target.attribute
        held = self.values.get(key)
        if target.sub is not None:
            value = {target.part.name if target.part else target.sub: value}
        if isinstance(held, dict) and isinstance(value, dict):
            value, held = held | value, {name: item for name, item in held.items() if not is_blank(item)}
            held = value if held.items() <= value.items() else held
        if not is_blank(held) and is_blank(value):
            return
        if not is_blank(held) and self._normal(key, held) != self._normal(key, value):
            raise InvalidValueException(detail=f"{target.name} is given twice, with different values")
        self.values[key] = value

    def fill(self, other: _Collected) -> None:
        """Takes what `other` has and this has not."""
        for key, value in other.values.items():
            if is_blank(self._normal(key, self.values.get(key))):
                self.values[key], self.attributes[key] = value, other.attributes[key]

    def _normal(self, key: tuple[str | None, str], value: Any) -> Any:
        attribute = self.attributes.get(key)
        return value_of(attribute, value) if attribute else value

    def normal(self) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """The core's attributes, and those of each extension by its URN, without blank ones."""
        resource: dict[str, Any] = {}
        extensions: dict[str, dict[str, Any]] = {}
        for (urn, name), sent in self.values.items():
            value = self._normal((urn, name), sent)
            if not is_blank(value):
                (extensions.setdefault(urn, {}) if urn else resource)[name] = value
        return resource, extensions


def _schemas(data: dict[str, Any], resource_type: ResourceName, used: list[str]) -> Any:
    """The schemas sent, with the core schema and the extensions used (RFC 7643 §3); any list stays checked later."""
    sent: Any = next((value for key, value in data.items() if key.lower() == "schemas"), None)
    if isinstance(sent, str):
        sent = [sent]
    if not is_blank(sent) and not (isinstance(sent, list) and all(isinstance(one, str) for one in sent)):
        return sent
    wanted = [SCHEMAS[resource_type], *used]
    known = {urn.lower() for urn in wanted}
    return wanted + [urn for urn in dict.fromkeys(sent or ()) if urn.strip() and urn.lower() not in known]
