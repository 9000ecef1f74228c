"""The embedded platform's provisioning log: a line a request (`GET /api/scim/{id}/scimops/log`)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from scimops.audit.logs.events import (
    Event,
    UnreadableError,
    change,
    detail_text,
    reason_of,
    text_or_none,
    time_and_zone,
)
from scimops.audit.logs.keys import keys_of_changes, keys_of_filter

SIGNATURE = {"at", "token", "operation", "status", "resource_type"}
_LOOK_UPS = ("query", "search", "search_with_body", "service_provider_config", "resource_types", "resource_type",
             "schemas", "schema")  # fmt: skip
_GROUPS = {"create": "create_group", "delete": "delete_group"}


def events_of(line: dict[str, Any]) -> Iterator[Event]:
    """The events of one line: the request's own, then one for each other person whom it moved between groups.

    Raises:
        UnreadableError: the line has no time, no operation or no status.
    """
    at, zone = time_and_zone(line.get("at"))
    status = line.get("status")
    if not isinstance(status, int) or not text_or_none(line.get("operation")):
        raise UnreadableError("it has no operation or no status")
    changes, moves = _list(line.get("changes")), _list(line.get("moves"))
    detail, target = detail_text(line.get("detail")), text_or_none(line.get("resource_id"))
    told = [change(one.get("attribute"), one.get("old"), one.get("new")) for one in changes]
    told += [_move(one) for one in moves if one.get("user") == target]
    bulk = line.get("operation") == "bulk"  # its changes are of several people, and nothing says whose each is
    failed = status >= 400
    resource_type = {"Users": "User", "Groups": "Group"}.get(str(line.get("resource_type")))
    named = {} if bulk or resource_type == "Group" else keys_of_filter(line.get("query")) | keys_of_changes(changes)
    named["resource_id"] = target or named.get("resource_id")
    actor = text_or_none(line.get("token"))
    yield Event(
        at, _operation(line, resource_type, told), "failure" if failed else "success", actor, zone=zone,
        resource_type=resource_type, status=status, reason=reason_of(status, detail) if failed else None,
        detail=detail, changes=told, name=_group_name(resource_type, told), **named,
    )  # fmt: skip
    for move in moves:
        if move.get("user") != target:
            into = text_or_none(move.get("after"))
            yield Event(
                at, "add_member" if into else "remove_member", actor=actor, zone=zone, resource_type="User",
                resource_id=text_or_none(move.get("user")), name=into or text_or_none(move.get("before")),
                detail=detail_text(move.get("reason")), changes=[_move(move)],
            )  # fmt: skip


def _list(value: Any) -> list[dict[str, Any]]:
    """Changes or moves: a list, or the text of one (so a frame has them)."""
    if isinstance(value, str) and value:
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise UnreadableError("its changes are no JSON") from None
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _move(move: dict[str, Any]) -> dict[str, Any]:
    return change("group", move.get("before"), move.get("after"))


def _operation(line: dict[str, Any], resource_type: str | None, changes: list[dict[str, Any]]) -> str:
    asked = line["operation"]
    if asked in _LOOK_UPS:
        return "look_up"
    by_name = {one["attribute"]: one for one in changes}
    if resource_type == "Group":
        return _GROUPS.get(asked) or ("rename_group" if "displayName" in by_name else "other")
    if resource_type != "User":
        return "other"
    if asked in ("create", "delete"):
        return str(asked)
    return operation_of(by_name)


def operation_of(changes: dict[str, dict[str, Any]]) -> str:
    """What a change of a person is, by the attributes that it changed; the one that weighs most counts."""
    active = next((one for name, one in changes.items() if name.lower() == "active"), None)
    if active is not None and str(active["new"]).lower() in ("false", "true"):
        return "deactivate" if str(active["new"]).lower() == "false" else "reactivate"
    renamed = next((one for name, one in changes.items() if name.lower() == "username"), None)
    return "rename" if renamed is not None and renamed["old"] else "update"


def _group_name(resource_type: str | None, changes: list[dict[str, Any]]) -> str | None:
    if resource_type != "Group":
        return None
    return next((text_or_none(one["new"]) for one in changes if one["attribute"] == "displayName"), None)
