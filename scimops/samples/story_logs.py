"""The logs of the story: Entra ID's own (as Microsoft Graph gives it) and the platform's two.

`provisioningObjectSummary`: https://learn.microsoft.com/graph/api/resources/provisioningobjectsummary
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterator
from typing import Any

from scimops.samples.people import Person
from scimops.samples.story_world import FALLBACK, SETTING, Sent, World, group_of

_SPACE = uuid.UUID("5c1109e0-0000-4000-a000-000000000000")
_SPOKEN = {
    "NotEffectivelyEntitled": "is not assigned to the application and was not evaluated further.",
    "NotInScope": "does not pass the scoping filters and was not evaluated further.",
    "RedundantExport": "needs no change: source and target match already.",
    "NotFoundInTarget": "was not found in the target system and is not active in the source: nothing was done.",
}
_CODES = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 409: "Conflict", 500: "InternalServerError"}


def entra_log(world: World) -> str:
    """The answer to `GET /auditLogs/provisioning`, the latest first."""
    records = [_record(world, number, sent) for number, sent in enumerate(_in_order(world))]
    head = '{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#auditLogs/provisioning", "value": [\n'
    return head + ",\n".join(json.dumps(one, ensure_ascii=False) for one in reversed(records)) + "\n]}\n"


def _in_order(world: World) -> list[Sent]:
    return sorted(world.sent, key=lambda sent: (sent.at, sent.who.handle))


def _id(world: World, *parts: object) -> str:
    return str(uuid.uuid5(_SPACE, " ".join(map(str, (world.seed, *parts)))))


def _record(world: World, number: int, sent: Sent) -> dict[str, Any]:
    person, application = sent.person, _id(world, "application")
    target = {"id": sent.target_id or "", "displayName": person.user_name if sent.target_id else "",
              "identityType": "User", "details": {}}  # fmt: skip
    return {
        "id": _id(world, "event", number),
        "activityDateTime": sent.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "tenantId": _id(world, "tenant"),
        "jobId": f"scim.{_id(world, 'tenant').replace('-', '')}.{application}",
        "cycleId": _id(world, "cycle", (sent.at - dt.datetime(2026, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(minutes=40)),
        "changeId": _id(world, "change", number),
        "provisioningAction": sent.action,
        "durationInMilliseconds": 180 + number * 37 % 900,
        "provisioningStatusInfo": {"status": sent.outcome, "errorInformation": _error(sent)},
        "provisioningSteps": list(_steps(sent)),
        "modifiedProperties": [
            {"displayName": name, "oldValue": _text(old), "newValue": _text(new)} for name, old, new in sent.changes
        ],
        "servicePrincipal": {"id": application, "displayName": SETTING},
        "sourceSystem": {"id": _id(world, "source"), "displayName": "Microsoft Entra ID", "details": {}},
        "targetSystem": {"id": _id(world, "target"), "displayName": SETTING,
                         "details": {"ApplicationId": application, "ServicePrincipalId": application,
                                     "ServicePrincipalDisplayName": SETTING}},
        "initiatedBy": {"id": "", "displayName": "Microsoft Entra ID Provisioning Service", "initiatorType": "system"},
        "sourceIdentity": {"id": person.object_id, "displayName": person.display, "identityType": "User",
                           "details": {"id": person.object_id, "odatatype": "User", "DisplayName": person.display,
                                       "UserPrincipalName": person.user_name}},
        "targetIdentity": target,
    }  # fmt: skip


def _text(value: Any) -> str | None:
    return str(value) if value is not None else None


def _error(sent: Sent) -> dict[str, Any] | None:
    if sent.outcome != "failure":
        return None
    status, _, detail = sent.detail.partition(" ")
    answer = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": status, "detail": detail}
    refused = status == "401"
    return {
        "errorCode": "InvalidCredentials" if refused else "SystemForCrossDomainIdentityManagementBadResponse",
        "errorCategory": "failure",
        "reason": f"StatusCode: {_CODES[int(status)]} Message: Processing of the HTTP request resulted in an exception."
                  f" Web Response: {json.dumps(answer)}",
        "additionalDetails": None,
        "recommendedAction": "Enter a valid secret token." if refused else None,
    }  # fmt: skip


def _steps(sent: Sent) -> Iterator[dict[str, Any]]:
    who, person = f"User '{sent.person.user_name}'", sent.person
    yield _step("EntryImport", "import", "success", f"Received {who} from Microsoft Entra ID.",
                {"objectId": person.object_id, "accountEnabled": str(person.active), "mail": person.email,
                 "department": person.department})  # fmt: skip
    if sent.skip:
        active = {"Active in the source system": str(person.active), "SkipReason": sent.skip,
                  "Assigned to the application": str(sent.skip != "NotEffectivelyEntitled")}  # fmt: skip
        yield _step("EntrySynchronizationSkip", "processing", "skipped", f"{who} {_SPOKEN[sent.skip]}", active)
        return
    kind = {"create": "EntryExportAdd", "delete": "EntryExportDelete"}.get(sent.action, "EntryExportUpdate")
    said = "was changed in the target system." if sent.outcome == "success" else "could not be changed there."
    yield _step(kind, "export", sent.outcome, f"{who} {said}", {})


def _step(name: str, kind: str, status: str, description: str, details: dict[str, str]) -> dict[str, Any]:
    return {"name": name, "provisioningStepType": kind, "status": status, "description": description,
            "details": details}  # fmt: skip


def provisioning_log(world: World) -> str:
    """The embedded platform's provisioning log, a line a request (schema `provisioning_log`), the oldest first."""
    lines = [line for sent in _in_order(world) for line in _requests(sent)]
    return "".join(json.dumps({"n": n, **line}, ensure_ascii=False) + "\n" for n, line in enumerate(lines, 1))


def _requests(sent: Sent) -> Iterator[dict[str, Any]]:
    if sent.status is None:
        return
    at, person = sent.at, sent.person
    if sent.action == "create" or sent.skip == "NotFoundInTarget":
        yield _line(at, "search", 200, query=f'userName eq "{person.user_name}"')
    elif sent.skip:
        yield _line(at, "query", sent.status, resource_id=sent.target_id)
    if sent.skip:
        return
    detail = sent.detail.partition(" ")[2] or None
    changes = [] if detail else [part for one in sent.changes for part in _changes(*one)]
    operation = {"create": "create", "delete": "delete"}.get(sent.action, "patch")
    yield _line(at + dt.timedelta(milliseconds=140), operation, sent.status, resource_id=sent.target_id, detail=detail,
                changes=changes, moves=_moves(sent))  # fmt: skip


def _changes(name: str, old: Any, new: Any) -> Iterator[dict[str, Any]]:
    """A change as the platform flattens it: everything is text; of several values all stand first, then each."""
    old, new = (str(value).lower() if isinstance(value, bool) else value for value in (old, new))
    several = name.partition("[")[0]
    if several in ("emails", "phoneNumbers"):
        yield _change(several, [old] if old else None, [new] if new else None)
    yield _change(name, old, new)


def _change(name: str, old: Any, new: Any) -> dict[str, Any]:
    return {"attribute": name, "old": old, "new": new}


def _moves(sent: Sent) -> list[dict[str, Any]]:
    if sent.move is None:
        return []
    before, after = sent.move
    return [{"user": sent.target_id, "before": before, "after": after, "reason": _why(sent.person, after),
             "transient_fallback": False}]  # fmt: skip


def _why(person: Person, group: str) -> str:
    if group == FALLBACK:
        return "fallback_blank"
    return "matched" if group_of(person.department).lower() == person.department.strip().lower() else "alias"


def _line(
    at: dt.datetime, operation: str, status: int, *, query: str | None = None, resource_id: str | None = None,
    detail: str | None = None, changes: list[dict[str, Any]] | None = None, moves: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:  # fmt: skip
    return {
        "at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), "token": "entra",
        "operation": operation, "resource_type": "Users", "resource_id": resource_id, "query": query, "status": status,
        "detail": detail, "changes": changes or [], "moves": moves or [], "milliseconds": 4 + len(changes or []) * 2,
    }  # fmt: skip


def platform_audit(world: World) -> str:
    """The platform's audit log: a list of lines as :class:`scimops.platform.AuditLine`, the oldest first."""
    lines = sorted(world.audit, key=lambda line: (line["at"], line["id"]))
    rows = [
        {
            "resourceId": f"log{number:09d}", "userName": line["actor"], "entityResourceId": line["id"],
            "entityName": line["entity"], "oldValue": _json(line["old"]), "newValue": _json(line["new"]),
            "operation": line["operation"], "ip": "192.0.2.17", "userAgent": "Mozilla/5.0",
            "auditDescription": f"{line['operation']} {line['entity']}",
            "logDate": line["at"].isoformat(timespec="seconds").replace("+00:00", "Z"),
        }
        for number, line in enumerate(lines, 1)
    ]  # fmt: skip
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)
