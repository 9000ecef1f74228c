"""A JSON resource as flat columns, named by attribute path (:mod:`scimops.attributes`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Flat = dict[str, str | list[str]]
_MAPPING = (dict, Mapping)  # to ask for a dict first is much cheaper, and it nearly always is one


def flatten(resource: Mapping[str, Any]) -> Flat:
    """A JSON resource as flat columns; null and empty values are left out, booleans are `true` and `false`.

    Of values that carry a type each has its own column, and the attribute's bare name holds all of them in the order
    of design rule 1: work and primary, else primary, else work, else as they come.
    """
    flat: Flat = {}
    _add(flat, "", resource, "")
    return flat


def _add(flat: Flat, path: str, value: Any, joint: str) -> None:
    if isinstance(value, str):
        if value:
            flat[path] = value
    elif isinstance(value, _MAPPING):
        for key, inner in value.items():
            # an extension's attributes follow its URN after a colon (RFC 7644 §3.10), all others a dot
            _add(flat, f"{path}{joint}{key}", inner, ":" if not path and key.startswith("urn:") else ".")
    elif isinstance(value, list):
        _add_list(flat, path, [item for item in value if item not in (None, "", {}, [])])
    elif value is not None:
        flat[path] = text_of(value)


def _add_list(flat: Flat, path: str, items: list[Any]) -> None:
    complex_items = [item for item in items if isinstance(item, _MAPPING)]
    plain = [text_of(item) for item in items if not isinstance(item, (*_MAPPING, list))]
    ordered = sorted(complex_items, key=_preference) if len(items) > 1 else complex_items
    values = [item["value"] for item in ordered if _is_plain(item.get("value"))]
    if all_values := plain + [text_of(value) for value in values]:
        flat[path] = all_values
    if path == "groups":  # a group's name, else its id (RFC 7643 §4.1.2), one for each group whatever its type
        names = [item.get("display") or item.get("value") for item in complex_items]
        flat |= {"groups.display": shown} if (shown := [text_of(name) for name in names if _is_plain(name)]) else {}
    parts: Flat = {}
    for item in complex_items:
        if len(item) == 2 and set(item) == {"name", "value"} and isinstance(item["name"], str):
            _add(flat, f"{path}.{item['name']}", item["value"], ".")
            continue
        kind = item.get("type")
        typed = isinstance(kind, str) and kind != ""
        part: Flat = {}
        _add(part, f'{path}[type eq "{kind}"]' if typed else path, {k: v for k, v in item.items() if k != "type"}, ".")
        if not typed:
            part.pop(f"{path}.value", None)  # it stands in the list of all values
        for key, inner in part.items():
            parts.setdefault(key, inner)  # of two items of one type the first counts
    flat.update({key: inner for key, inner in parts.items() if key not in flat})


def _is_plain(value: Any) -> bool:
    return value is not None and value != "" and not isinstance(value, (*_MAPPING, list))


def _preference(item: Mapping[str, Any]) -> int:
    primary = item.get("primary") in (True, "true", "True")
    work = str(item.get("type", "")).lower() == "work"
    return (0 if work else 1) if primary else (2 if work else 3)


def text_of(value: Any) -> str:
    """A JSON scalar as text: booleans `true` and `false`, numbers as written."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
