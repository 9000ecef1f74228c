"""The platform's own logs: jobs with their errors (`/api/jobs`), and who did what (`/api/audit-logs/search`)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from scimops.audit.logs.events import (
    Event,
    UnreadableError,
    change,
    detail_text,
    reason_of,
    status_in,
    text_or_none,
    time_and_zone,
)  # fmt: skip
from scimops.audit.logs.keys import Keys, keys_of_changes, keys_of_input, with_keys
from scimops.audit.logs.provisioning_log import operation_of

JOB_SIGNATURE = {"resourceId", "isFinished", "createTime"}
AUDIT_SIGNATURE = {"logDate", "entityName", "operation"}
_STEPS = {"create": "create", "patch": "update", "replace": "update", "update": "update", "delete": "delete",
          "query": "look_up", "search": "look_up", "search_with_body": "look_up"}  # fmt: skip
_ENTITIES = (("member", "Member"), ("groupuser", "Member"), ("token", "Token"), ("scim", "Setting"),
             ("setting", "Setting"), ("enrol", "Enrolment"), ("group", "Group"), ("user", "User"))  # fmt: skip
_VERBS = (("create", "create"), ("add", "create"), ("insert", "create"), ("rotate", "create"), ("revoke", "revoke"),
          ("delete", "delete"), ("remove", "delete"), ("erase", "delete"), ("deactivate", "deactivate"),
          ("activate", "reactivate"), ("update", "change"), ("edit", "change"), ("change", "change"),
          ("rename", "change"))  # fmt: skip
_OPERATIONS: dict[tuple[str, str], str] = {
    ("Group", "create"): "create_group", ("Group", "delete"): "delete_group",
    ("Member", "create"): "add_member", ("Member", "delete"): "remove_member",
    ("Setting", "create"): "create_setting", ("Setting", "change"): "change_setting",
    ("Setting", "delete"): "delete_setting", ("Setting", "revoke"): "revoke_token",
    ("Token", "create"): "create_token", ("Token", "revoke"): "revoke_token", ("Token", "delete"): "revoke_token",
    ("Enrolment", "create"): "change_enrolment", ("Enrolment", "change"): "change_enrolment",
    ("Enrolment", "delete"): "change_enrolment",
    ("User", "create"): "create", ("User", "delete"): "delete", ("User", "deactivate"): "deactivate",
    ("User", "reactivate"): "reactivate",
}  # fmt: skip


# -- Jobs -----------------------------------------------------------------------------------------


def events_of_job(job: dict[str, Any]) -> Iterator[Event]:
    """The events of a job: the run itself, then one for each error of its steps, at the time the step ended.

    Raises:
        UnreadableError: the job has no time.
    """
    at, zone = time_and_zone(job.get("endTime") or job.get("createTime"))
    said, name = text_or_none(job.get("errorMessage")), text_or_none(job.get("name"))
    status = status_in(said)
    yield Event(
        at, "sync", "failure" if said else "success", resource_id=text_or_none(job.get("resourceId")), name=name,
        status=status, reason=reason_of(status, said) if said else None, detail=detail_text(said), zone=zone,
    )  # fmt: skip
    for step in _dicts(job.get("processResults")):
        for error in _dicts(step.get("processErrors")):
            message = text_or_none(error.get("errorMessage")) or ""
            ended, zone = time_and_zone(step.get("endTime") or step.get("createTime") or job.get("createTime"))
            status = status_in(message)
            failed = Event(
                ended, _STEPS.get(str(step.get("name")).lower(), "other"), "failure", name=name, status=status,
                reason=reason_of(status, message), detail=detail_text(message), zone=zone,
            )  # fmt: skip
            yield with_keys(failed, keys_of_input(error.get("inputData")))


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


# -- Audit log ------------------------------------------------------------------------------------


def events_of_audit_line(line: dict[str, Any]) -> Iterator[Event]:
    """The event of one line of the audit log.

    Raises:
        UnreadableError: the line has no time or no operation.
    """
    at, zone = time_and_zone(line.get("logDate"))
    verb, entity = _word(line.get("operation"), _VERBS), _word(line.get("entityName"), _ENTITIES)
    if not text_or_none(line.get("operation")):
        raise UnreadableError("it has no operation")
    old, new = _values(line.get("oldValue")), _values(line.get("newValue"))
    changes = [
        change(name, old.get(name), new.get(name)) for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    ]  # fmt: skip
    keys, resource_id = _keys(entity, old, new), text_or_none(line.get("entityResourceId"))
    done = Event(
        at, _audited(entity, verb, changes), actor=text_or_none(line.get("userName")), zone=zone,
        resource_type={"": None, "Member": "User"}.get(entity, entity), name=_name(entity, old, new),
        detail=detail_text(line.get("operation"), line.get("entityName")), changes=changes,
    )  # fmt: skip
    yield with_keys(done, keys | {"resource_id": keys.get("resource_id") or resource_id})


def _word(value: Any, words: tuple[tuple[str, str], ...]) -> str:
    bare = re.sub("[^a-z]", "", str(value or "").lower())
    return next((meaning for word, meaning in words if word in bare), "")


def _values(text: Any) -> dict[str, Any]:
    """An old or new value: a JSON object, or one text by itself (cut JSON too: it is kept as it is)."""
    try:
        value = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        value = text
    if isinstance(value, dict):
        return value
    return {} if value in (None, "") else {"value": value}


def _audited(entity: str, verb: str, changes: list[dict[str, Any]]) -> str:
    if entity == "User" and verb == "change":
        return operation_of({_attribute(one): one | {"new": _active(one)} for one in changes})
    if entity == "Group" and verb == "change":
        renamed = any(one["attribute"].lower() in ("name", "displayname") for one in changes)
        return "rename_group" if renamed else "other"
    return _OPERATIONS.get((entity, verb), "other")


def _attribute(one: dict[str, Any]) -> str:
    return "active" if one["attribute"].lower() in ("active", "status", "isactive") else one["attribute"]


def _active(one: dict[str, Any]) -> Any:
    words = {"inactive": "false", "active": "true", "deleted": "false"}
    return words.get(str(one["new"]).lower(), one["new"]) if _attribute(one) == "active" else one["new"]


def _keys(entity: str, old: dict[str, Any], new: dict[str, Any]) -> Keys:
    if entity not in ("User", "Member"):
        return {}
    keys: Keys = {}
    for values in (new, old):  # as they are now, else as they were
        told = keys_of_changes({"attribute": name, "new": value} for name, value in values.items())
        keys = told | keys
    for name in ("userResourceId", "targetUserResourceId", "user_id", "user"):
        keys["resource_id"] = keys.get("resource_id") or text_or_none(new.get(name) or old.get(name))
    return keys


def _name(entity: str, old: dict[str, Any], new: dict[str, Any]) -> str | None:
    names = {"Member": ("group", "groupName"), "User": ()}.get(entity, ("name", "displayName", "token"))
    return next((text for name in names if (text := text_or_none(new.get(name) or old.get(name)))), None)
