"""Entra ID's provisioning log: as Microsoft Graph gives it, and as the admin centre's JSON download writes it.

`provisioningObjectSummary`: https://learn.microsoft.com/graph/api/resources/provisioningobjectsummary
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scimops.audit.logs.events import (
    OUTCOMES,
    Event,
    UnreadableError,
    change,
    detail_text,
    reason_of,
    status_in,
    text_or_none,
    time_and_zone,
)  # fmt: skip
from scimops.audit.logs.keys import keys_of_changes
from scimops.audit.logs.provisioning_log import operation_of

SIGNATURE = {"activityDateTime", "provisioningAction", "provisioningStatusInfo"}

_ACTIONS = {"create": "create", "delete": "delete", "disable": "deactivate", "stageddelete": "deactivate"}
_GROUPS = {"create": "create_group", "update": "rename_group", "delete": "delete_group"}
_CODES = {"badrequest": 400, "unauthorized": 401, "forbidden": 403, "notfound": 404, "conflict": 409,
          "toomanyrequests": 429, "internalservererror": 500, "serviceunavailable": 503}  # fmt: skip
_SKIPS = {"redundantexport": "no_change", "duplicatesourceentries": "duplicate_in_idp"}


def tenant_of(record: dict[str, Any]) -> str | None:
    """The tenant that a record is of."""
    tenant = text_or_none(record.get("tenantId"))
    return tenant.lower() if tenant else None  # a GUID has no case


def application_of(record: dict[str, Any]) -> str | None:
    """The application that people are sent to by a record."""
    principal = record.get("servicePrincipal")
    principal = principal[0] if isinstance(principal, list) and principal else principal
    return text_or_none(_object(principal).get("displayName")) or text_or_none(_object(principal).get("id"))


def events_of(record: dict[str, Any]) -> Iterator[Event]:
    """The event of one record.

    Raises:
        UnreadableError: it has no time, no action or no status.
    """
    at, zone = time_and_zone(record.get("activityDateTime"))
    action = (text_or_none(record.get("provisioningAction")) or "").lower()
    info = _object(record.get("provisioningStatusInfo"))
    outcome = (text_or_none(info.get("status")) or "").lower()
    if not action or outcome not in OUTCOMES:
        raise UnreadableError("it has no action or no status")
    source, target = _object(record.get("sourceIdentity")), _object(record.get("targetIdentity"))
    changes = [change(one.get("displayName"), one.get("oldValue"), one.get("newValue"))
               for one in record.get("modifiedProperties") or [] if isinstance(one, dict)]  # fmt: skip
    group = "group" in f"{source.get('identityType')}".lower()
    said, status = _said(record, info)
    yield Event(
        at, _operation(action, changes, group=group), outcome, zone=zone, status=status,
        actor=text_or_none(_object(record.get("initiatedBy")).get("displayName")),
        resource_type="Group" if group else "User", name=text_or_none(source.get("displayName")) if group else None,
        reason=None if outcome == "success" else _reason(record, outcome, status, said), detail=detail_text(said),
        changes=changes, **_keys(source, target, [] if group else changes),
    )  # fmt: skip


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _operation(action: str, changes: list[dict[str, Any]], *, group: bool) -> str:
    if group:
        return _GROUPS.get(action, "other")
    if action == "update":
        return operation_of({one["attribute"]: one for one in changes})
    return _ACTIONS.get(action, "other")


def _said(record: dict[str, Any], info: dict[str, Any]) -> tuple[str | None, int | None]:
    """What the log says of a failure or skip, and the HTTP status in it."""
    error = _object(info.get("errorInformation"))
    text = detail_text(error.get("errorCode"), error.get("reason"), error.get("additionalDetails"))
    if text is None:
        steps = [one for one in record.get("provisioningSteps") or [] if isinstance(one, dict)]
        text = detail_text(_skip_reason(steps), _telling_step(steps).get("description"))
    code = next((status for word, status in _CODES.items() if text and word in text.lower()), None)
    return text, status_in(text) or code


def _telling_step(steps: list[dict[str, Any]]) -> dict[str, Any]:
    """The step that failed or left the person out, else the last one."""
    bad = (one for one in reversed(steps) if (text_or_none(one.get("status")) or "").lower() in ("failure", "skipped"))
    return next(bad, steps[-1] if steps else {})


def _skip_reason(steps: list[dict[str, Any]]) -> str | None:
    told = (_object(step.get("details")).get("SkipReason") for step in steps)
    return next((text for one in told if (text := text_or_none(one))), None)


def _reason(record: dict[str, Any], outcome: str, status: int | None, said: str | None) -> str:
    if outcome != "skipped":
        return reason_of(status, said)
    steps = [one for one in record.get("provisioningSteps") or [] if isinstance(one, dict)]
    return _SKIPS.get((_skip_reason(steps) or "").lower(), "not_in_scope")


def _keys(source: dict[str, Any], target: dict[str, Any], changes: list[dict[str, Any]]) -> dict[str, str | None]:
    """The source's object id as externalId (the guide has it sent so), its userPrincipalName, the target's id."""
    told = keys_of_changes(changes)
    details = _object(source.get("details"))
    upn = details.get("UserPrincipalName") or details.get("userPrincipalName")
    named = {"externalId": text_or_none(source.get("id")), "userName": text_or_none(upn),
             "resource_id": text_or_none(target.get("id"))}  # fmt: skip
    return {key: named.get(key) or told.get(key) for key in ("externalId", "userName", "email", "resource_id")}
