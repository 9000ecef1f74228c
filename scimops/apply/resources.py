"""A person's fields as a SCIM resource and back: to create, to change in parts, to replace, to compare.

Every change is made on a copy of what the service provider shows, so that what it holds beside our fields stays.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from scimops.attributes import CORE, PATHS, AttributePath, parse_path
from scimops.mapping import map_resource
from scimops.plan.differences import filled
from scimops.resources import flatten, text_of
from scimops.setting import Setting

Fields = Mapping[str, Any]
"""Values by field as a plan writes them: custom fields are named `field.NAME`; `active` is true or false."""

_CUSTOM = "field."
_DRESS = {"type", "primary", "display"}
"""What is left of an item whose value is gone, and says nothing alone."""


def fields_of(resource: Mapping[str, Any], setting: Setting) -> dict[str, Any]:
    """The fields of a resource; `active` that is not said counts as true (design rule 9)."""
    custom = set(setting.custom_fields)
    found: dict[str, Any] = {
        f"{_CUSTOM}{name}" if name in custom else name: value
        for name, value in map_resource(flatten(resource), setting).items()
    }
    return found | {"active": found["active"] is None or found["active"].lower() != "false"}


def with_fields(resource: Mapping[str, Any], values: Fields, setting: Setting) -> dict[str, Any]:
    """A copy of `resource` with these values; null takes a value away."""
    held = fields_of(resource, setting)
    made = copy.deepcopy(dict(resource))
    for name, value in values.items():
        if (path := _path(name, setting)) is not None:
            _put(made, path, filled(value), held.get(name) if name in PATHS else None)
    extensions = [path.urn for name in values if (path := _path(name, setting)) and path.urn and path.urn in made]
    made["schemas"] = list(dict.fromkeys([*(made.get("schemas") or [CORE]), *extensions]))
    return made


def patch(before: Mapping[str, Any], after: Mapping[str, Any], names: Fields, setting: Setting) -> list[dict[str, Any]]:
    """The operations (RFC 7644 §3.5.2) that make `after` of `before` where these fields stand; lists are sent whole."""
    operations: dict[str, dict[str, Any]] = {}
    for name in names:
        if (path := _path(name, setting)) is None:
            continue
        sub = "" if path.many else path.sub
        old, new = (_value(one, path, sub) for one in (before, after))
        place = (f"{path.urn}:" if path.urn else "") + path.name + (f".{sub}" if sub else "")
        if new != old:
            operations[place] = {"op": "remove", "path": place} if new is None else (
                {"op": "replace", "path": place, "value": new}
            )  # fmt: skip
    return list(operations.values())


def _path(name: str, setting: Setting) -> AttributePath | None:
    """Where a field is sent to; None for one that has no attribute."""
    if not name.startswith(_CUSTOM):
        return parse_path(PATHS[name][-1])
    by_field = {mapping.field: mapping.attribute for mapping in setting.field_mappings}
    attribute = by_field.get(name.removeprefix(_CUSTOM))
    return parse_path(attribute) if attribute else None


def _key(part: Mapping[str, Any], name: str) -> str:
    """The name as it stands there: names of attributes are the same in upper and lower case (RFC 7643 §2.1)."""
    return next((key for key in part if key.lower() == name.lower()), name)


def _value(resource: Mapping[str, Any], path: AttributePath, sub: str) -> Any:
    part = resource.get(_key(resource, path.urn)) if path.urn else resource
    value = part.get(_key(part, path.name)) if isinstance(part, Mapping) else None
    if sub:
        value = value.get(_key(value, sub)) if isinstance(value, Mapping) else None
    return None if value in ("", [], {}) else value


def _put(resource: dict[str, Any], path: AttributePath, value: Any, held: Any) -> None:
    part = resource
    if path.urn:
        part = resource.setdefault(_key(resource, path.urn), {})
    key = _key(part, path.name)
    if path.many:
        filled: Any = _items(part.get(key), path, value, held)
    elif path.sub:
        filled = _with(part.get(key), path.sub, value)
    else:
        filled = value
    part.pop(key, None)
    if filled not in (None, [], {}):
        part[key] = filled
    if path.urn and not part:
        resource.pop(_key(resource, path.urn))


def _with(part: Any, name: str, value: Any) -> dict[str, Any]:
    changed = dict(part) if isinstance(part, Mapping) else {}
    changed.pop(key := _key(changed, name), None)
    return changed if value is None else changed | {key: value}


def _items(items: Any, path: AttributePath, value: Any, held: Any) -> list[Any]:
    """The list with the one item changed that was read as the value, else that of the type, else a new one."""
    kept = [item for item in items or [] if isinstance(item, Mapping)]
    sub, kind = path.sub or "value", path.of.lower()
    wanted = [item for item in kept if held is not None and text_of(item.get(sub)) == held]
    wanted += [item for item in kept if not kind or str(item.get(path.by, "")).lower() == kind]
    found = wanted[0] if wanted else {path.by: path.of} if path.by else {}
    changed = _with(found, sub, value)
    rest = [changed if item is found else dict(item) for item in kept]
    if not wanted:
        rest.append(changed)
    return [item for item in rest if set(item) - _DRESS]
