"""PATCH as identity providers write it, split into operations with one plain meaning each (RFC 7644 §3.5.2)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from scim2_models import (
    InvalidPathException,
    InvalidSyntaxException,
    InvalidValueException,
    NoTargetException,
    PayloadTooLargeException,
)

from scimops.service_provider.tolerance_paths import Target, is_other_extension, schema_of, target_of
from scimops.service_provider.tolerance_values import (
    NEVER_STORED,
    READ_ONLY,
    Attribute,
    ResourceName,
    entries_of,
    is_blank,
    object_of,
    value_of,
    without_list_of_one,
)

PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

MAX_OPERATIONS = 1000
"""Operations of one PATCH, before and after splitting. One for each member is the widest form anyone sends; a
thousand of them take scim2-models 0.3 s."""

OPERATIONS = frozenset({"add", "replace", "remove"})

Operation = dict[str, Any]


def normal_patch(data: dict[str, Any], resource_type: ResourceName) -> dict[str, Any]:
    """A PATCH body in the form of RFC 7644 §3.5.2: each operation has a path and one plain meaning.

    **`Operations` is empty** where nothing was left to do (a password, what is read-only in a value without a path,
    an empty list of members to add or to remove): scim2-models refuses such a message, so the caller answers as to a
    PATCH that changed nothing. A client's own empty list is refused here.

    - names of members, operations and attributes in any case; `schemas` may be missing;
    - a value without a path becomes one operation for each of its names: `name.givenName`, URN and name, an object
      under a URN, `emails[type eq "work"].value` (Entra with `aadOptscim062020`);
    - a bare name of the enterprise extension gets its URN; a manager is an id however it is written (Entra);
    - to add or replace with null, `""` or `[]` removes (§2.5 of RFC 7643); only adding an empty list, or removing
      one, changes nothing, so that no group is emptied by it;
    - members as text, list of texts, object, or `{"members": […]}`, with and without a path (Entra, Okta).

    Raises:
        InvalidSyntaxException: no operations, or an operation that is none of add, replace, remove.
        InvalidValueException: an operation is no object, or a member has no id.
        InvalidPathException: a path is no path.
        NoTargetException: a removal without a path.
        PayloadTooLargeException: more than `MAX_OPERATIONS` (RFC 7644 §3.7.4).
    """
    found: list[Operation] = []
    for sent in _sent(data):
        found.extend(_split(*_read(sent), resource_type))
        _check_count(found)
    return {"schemas": [PATCH_OP], "Operations": found}


def _sent(data: dict[str, Any]) -> list[Any]:
    """The operations of a message."""
    operations: Any = next((value for key, value in data.items() if key.lower() == "operations"), None)
    if operations is None or operations == []:
        raise InvalidSyntaxException(detail="a PATCH needs one or more Operations")
    if not isinstance(operations, list):
        raise InvalidValueException(detail="Operations must be a list")
    _check_count(operations)
    return operations


def _check_count(operations: list[Any]) -> None:
    if len(operations) > MAX_OPERATIONS:
        raise PayloadTooLargeException(detail=f"a PATCH may have {MAX_OPERATIONS} operations")


MANAGER_IDS = frozenset({"value", "managerid"})
"""Sub-attributes of a manager that are its id: without it, there is no manager."""


class _Missing:
    """No value was sent; null is a value."""


MISSING = _Missing()


def _read(sent: Any) -> tuple[str, str | None, Any]:
    """The op, path and value of one operation."""
    if not isinstance(sent, dict):
        raise InvalidValueException(detail="each of Operations must be an object")
    named = {key.lower(): value for key, value in sent.items()}
    op, path = named.get("op"), named.get("path")
    if not isinstance(op, str) or op.strip().lower() not in OPERATIONS:
        raise InvalidSyntaxException(detail="the op of an operation must be add, replace or remove")
    if path is not None and not isinstance(path, str):
        raise InvalidPathException(detail="the path of an operation must be a string")
    return op.strip().lower(), (path or "").strip() or None, named.get("value", MISSING)


def _split(op: str, path: str | None, value: Any, resource_type: ResourceName) -> Iterator[Operation]:
    """The operations that one of a client stands for."""
    if path is not None:
        yield from _at(op, path, value, resource_type)
    elif isinstance(value, dict):
        yield from _each(op, "", value, resource_type)
    elif op == "remove":
        raise NoTargetException(detail="a remove operation needs a path")
    else:
        yield _written(op, None, value)


def _each(op: str, prefix: str, value: dict[str, Any], resource_type: ResourceName) -> Iterator[Operation]:
    """One operation for each name of a value without a path; what nobody writes by it is left out."""
    for key, item in value.items():
        if not prefix and op != "remove" and is_other_extension(key, item, resource_type):
            yield _written(op, None, {key: _cleaned(item)})
            continue
        target = target_of(prefix + key, resource_type)
        name = target.name.lower() if target and target.urn is None else ""
        if name in READ_ONLY[resource_type]:
            continue
        if op == "remove" and item is None:
            raise NoTargetException(detail="a remove operation needs a path, or values to remove")
        if target is None and "[" not in key and schema_of(prefix + key, resource_type) is None:
            continue  # no attribute has such a name, and those that no schema has are ignored
        yield from _at(op, prefix + key, item, resource_type)


def _at(op: str, path: str, value: Any, resource_type: ResourceName) -> Iterator[Operation]:
    """The operations at a path."""
    schema = schema_of(path, resource_type)
    target = target_of(path, resource_type)
    if schema is not None:
        yield from _at_schema(op, schema, value, resource_type)
    elif target is None:
        raise InvalidPathException(detail="the path of an operation is no attribute path")
    elif target.urn is None and target.name.lower() == NEVER_STORED:
        return
    elif value is MISSING and op != "remove":
        yield _written(op, target.path, value)
    elif target.attribute and target.attribute.name == "manager" and (target.sub or "value").lower() in MANAGER_IDS:
        yield from _simple(op, target.at(None), target.attribute, value)
    elif op == "remove":
        yield from _remove(target, value)
    else:
        yield from _write(op, target, value, resource_type)


def _at_schema(op: str, schema: str, value: Any, resource_type: ResourceName) -> Iterator[Operation]:
    """The operations at a whole schema: one for each attribute of an object."""
    if isinstance(value, dict):
        yield from _each(op, f"{schema}:", value, resource_type)
    elif op == "remove" or is_blank(value):
        yield {"op": "remove", "path": schema}
    else:
        yield _written(op, schema, value)


def _remove(target: Target, value: Any) -> Iterator[Operation]:
    """A removal; a value selects entries of a multi-valued attribute (Entra), elsewhere the path says it all."""
    attribute = target.attribute
    if value is MISSING or value is None or attribute is None or not attribute.many or target.filter is not None:
        yield {"op": "remove", "path": target.path}
        return
    if target.sub is not None:
        yield _written("remove", target.path, value)
        return
    entries = entries_of(attribute, _unwrapped(attribute, value), labels_count=True)
    if attribute.name == "members":
        entries = [{"value": entry["value"]} for entry in entries]
    elif selected := _selected(attribute, entries):
        yield {"op": "remove", "path": f"{target.path}[{selected}]"}
        return
    if entries:
        yield {"op": "remove", "path": target.path, "value": entries}


def _selected(attribute: Attribute, entries: list[Any]) -> str | None:
    """The filter that selects entries, None where it cannot be said.

    By a filter one address of two may go: scim2-models refuses to take a required attribute out with a value beside its
    path, as if all of it were to go.
    """
    tests = []
    for entry in entries:
        known = isinstance(entry, dict) and all(name.lower() in attribute.subs for name in entry)
        if not known or any(isinstance(item, dict | list) for item in entry.values()):
            return None
        found = " and ".join(f"{name} eq {json.dumps(item, ensure_ascii=False)}" for name, item in entry.items())
        tests.append(f"({found})" if len(entries) > 1 else found)
    return " or ".join(tests)


def _write(op: str, target: Target, value: Any, resource_type: ResourceName) -> Iterator[Operation]:
    """An add or a replace of an attribute, or of one in the entries that a filter selects."""
    attribute = target.part if target.sub else target.attribute
    if attribute is None:
        yield {"op": "remove", "path": target.path} if is_blank(value) else _written(op, target.path, _cleaned(value))
    elif target.filter is not None and not target.sub:
        yield from _entry(op, target, attribute, value)
    elif attribute.many:
        entries = entries_of(attribute, _unwrapped(attribute, value))
        if entries:
            yield _written(op, target.path, entries)
        elif op == "replace":
            yield {"op": "remove", "path": target.path}
    elif attribute.kind == "complex" and isinstance(value := without_list_of_one(value), dict):
        yield from _each(op, f"{target.path}.", value, resource_type)
    else:
        yield from _simple(op, target, attribute, value)


def _entry(op: str, target: Target, attribute: Attribute, value: Any) -> Iterator[Operation]:
    """An add or a replace of the entries that a filter selects; a bare text is their `value`, null unassigns."""
    value = without_list_of_one(value)
    if is_blank(value):
        yield {"op": "remove", "path": target.path}
    elif isinstance(value, dict):
        subs = (attribute.subs.get(key.lower()) for key, item in value.items() if is_blank(item))
        blank = {sub.name: None for sub in subs if sub and sub.name != "$ref"}
        if found := blank | object_of(attribute, value):
            yield _written(op, target.path, found)
    elif "value" in attribute.subs:
        yield from _simple(op, target.at("value"), attribute.subs["value"], value)
    else:
        yield _written(op, target.path, value)


def _simple(op: str, target: Target, attribute: Attribute, value: Any) -> Iterator[Operation]:
    """An operation on an attribute with a single value; an address that is none is left out (`profileUrl`)."""
    if op == "remove":
        yield {"op": "remove", "path": target.path}
        return
    found = value_of(attribute, value)
    if found is not None:
        yield _written(op, target.path, found)
    elif is_blank(without_list_of_one(value)) or attribute.kind != "reference":
        yield {"op": "remove", "path": target.path}


def _unwrapped(attribute: Attribute, value: Any) -> Any:
    """The list in `{"members": […]}`, which some clients send with the path `members` as well."""
    if isinstance(value, dict) and [key.lower() for key in value] == [attribute.name.lower()]:
        return next(iter(value.values()))
    return value


def _cleaned(value: Any) -> Any:
    """An object of an extension that is not known here, with null for what is blank."""
    return {key: None if is_blank(item) else item for key, item in value.items()} if isinstance(value, dict) else value


def _written(op: str, path: str | None, value: Any) -> Operation:
    """An operation as scim2-models reads it."""
    found: Operation = {"op": op}
    if path is not None:
        found["path"] = path
    if value is not MISSING:
        found["value"] = value
    return found
