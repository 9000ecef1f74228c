"""Small logs of every kind for tests, record by record as their sources write them."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from scimops.audit.logs.read import read_files
from scimops.audit.logs.reading import Log

START = dt.datetime(2026, 11, 2, 8, tzinfo=dt.UTC)


def at(minutes: float) -> str:
    return (START + dt.timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def entra(minutes: float = 0, name: str = "anna", tenant: str = "1b2c", **changed: Any) -> dict[str, Any]:
    return {
        "id": f"e{minutes}", "activityDateTime": at(minutes), "tenantId": tenant, "changeId": f"c{minutes}",
        "provisioningAction": "create", "provisioningStatusInfo": {"status": "success", "errorInformation": None},
        "provisioningSteps": [], "modifiedProperties": [],
        "servicePrincipal": {"id": "a1", "displayName": "Awareness"},
        "initiatedBy": {"displayName": "Microsoft Entra ID Provisioning Service"},
        "sourceIdentity": {"id": f"x-{name}@example.com", "displayName": name.title(), "identityType": "User",
                           "details": {"UserPrincipalName": f"{name}@example.com"}},
        "targetIdentity": {"id": "", "identityType": "User"},
    } | changed  # fmt: skip


def okta(
    kind: str = "application.provision.user.push", minutes: float = 0, name: str = "anna", result: str = "SUCCESS",
    reason: str | None = None, application: str = "Awareness", **changed: Any,
) -> dict[str, Any]:  # fmt: skip
    return {
        "actor": {"id": "00uadmin", "type": "User", "alternateId": "admin@example.com", "displayName": "Admin",
                  "detailEntry": None},
        "client": {"userAgent": None, "ipAddress": None}, "displayMessage": "Push new user to external application",
        "eventType": kind, "outcome": {"result": result, "reason": reason}, "published": at(minutes)[:-1] + ".214Z",
        "severity": "INFO", "debugContext": {"debugData": {"appname": "scim2"}},
        "legacyEventType": "app.user_management.push_new_user",
        "transaction": {"type": "JOB", "id": "t", "detail": {}}, "uuid": f"u{minutes}", "version": "0",
        "target": [
            {"id": f"0ua{name}", "type": "AppUser", "alternateId": f"{name}@example.com", "displayName": name.title()},
            {"id": "0oa1", "type": "AppInstance", "alternateId": application, "displayName": "SCIM 2.0 Test App"},
            {"id": f"00u{name}", "type": "User", "alternateId": f"{name}@corp.example.com"},
        ],
    } | changed  # fmt: skip


def line(n: int = 1, minutes: float = 0, **changed: Any) -> dict[str, Any]:
    return {
        "n": n, "at": at(minutes), "token": "entra", "operation": "create", "resource_type": "Users",
        "resource_id": f"u{n}", "query": None, "status": 201, "detail": None, "moves": [], "milliseconds": 4,
        "changes": [{"attribute": "userName", "old": None, "new": f"p{n}@example.com"},
                    {"attribute": "externalId", "old": None, "new": f"x{n}"}],
    } | changed  # fmt: skip


def audited(minutes: float = 0, **changed: Any) -> dict[str, Any]:
    return {
        "resourceId": "l1", "userName": "Ada Admin", "entityName": "TargetGroup", "entityResourceId": "g1",
        "operation": "Delete", "oldValue": '{"name": "Sales"}', "newValue": None, "ip": None, "userAgent": None,
        "logDate": at(minutes),
    } | changed  # fmt: skip


def job(minutes: float = 0, **changed: Any) -> dict[str, Any]:
    error = {"errorMessage": "409 Another person has this userName.", "inputData": "anna@example.com"}
    step = {"name": "create", "endTime": at(minutes), "currentCount": 1, "targetCount": 2, "processErrors": [error]}
    return {
        "resourceId": "j1", "name": "SCIM Acme", "createTime": at(minutes), "endTime": at(minutes), "isFinished": True,
        "errorMessage": "1 of 2 requests were refused.", "processResults": [step],
    } | changed  # fmt: skip


def step(number: int = 1, minutes: float = 0, **changed: Any) -> dict[str, Any]:
    return {
        "number": number, "kind": "create", "outcome": "done", "id": f"u{number}", "userName": "anna@example.com",
        "status": 201, "said": "", "at": at(minutes), "n": 0, "before": None,
        "after": '{"userName": "anna@example.com", "externalId": "x1"}', "group_key": None, "group": None,
        "group_id": None,
    } | changed  # fmt: skip


def document(kind: str, records: list[dict[str, Any]]) -> str:
    """Records as the file has them that holds such."""
    if kind == "provisioning_log":
        return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records)
    if kind == "entra":
        return json.dumps({"@odata.context": "https://graph.microsoft.com/v1.0/x", "value": records}) + "\n"
    if kind == "receipts":
        return json.dumps({"format": 1, "plan": "p", "dry_run": False, "steps": records, "findings": []}) + "\n"
    return json.dumps(records, ensure_ascii=False, indent=1) + "\n"


RECORDS: dict[str, Callable[..., dict[str, Any]]] = {
    "entra": entra, "okta": okta, "provisioning_log": line, "platform_audit": audited, "platform_jobs": job,
    "receipts": step,
}  # fmt: skip

CSV = "Date (UTC),Identity,Source ID,User Principal Name,Target ID,Action,Status,Status Reason,Tenant ID\n"


def csv_row(minutes: float = 0, name: str = "anna", status: str = "Success", reason: str = "") -> str:
    said = reason.replace('"', '""')
    return (
        f'{at(minutes)},{name.title()},x-{name}@example.com,{name}@example.com,,Create,{status},"{said}",1b2c\n'
    )  # fmt: skip


def download(records: list[dict[str, Any]]) -> tuple[str, str, str]:
    """Records of :func:`entra` as the admin centre's three CSV files: events, steps, modified properties."""
    events = [("Date (UTC)", "Identity", "Source ID", "User Principal Name", "Target ID", "Identity Type", "Action",
               "Status", "Error Code", "Status Reason", "Initiated By Name", "Application Name", "Tenant ID",
               "Change ID")]  # fmt: skip
    steps = [("Change ID", "Name", "Provisioning Step Type", "Status", "Description", "Details")]
    properties = [("Change ID", "Display Name", "Old Value", "New Value")]
    for one in records:
        source, info = one["sourceIdentity"], one["provisioningStatusInfo"]
        error = info["errorInformation"] or {}
        events += [(one["activityDateTime"], source["displayName"], source["id"],
                    source["details"]["UserPrincipalName"], one["targetIdentity"]["id"], source["identityType"],
                    one["provisioningAction"].title(), info["status"].title(), error.get("errorCode"),
                    error.get("reason"), one["initiatedBy"]["displayName"], one["servicePrincipal"]["displayName"],
                    one["tenantId"], one["changeId"])]  # fmt: skip
        steps += [(one["changeId"], step["name"], step["provisioningStepType"], step["status"], step["description"],
                   json.dumps(step["details"])) for step in one["provisioningSteps"]]  # fmt: skip
        properties += [(one["changeId"], changed["displayName"], changed["oldValue"], changed["newValue"])
                       for changed in one["modifiedProperties"]]  # fmt: skip
    return csv_text(events), csv_text(steps), csv_text(properties)


def csv_text(rows: Sequence[Sequence[str | None]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


OKTA_CSV = (
    "severity,event_type,display_message,uuid,timestamp,outcome.result,outcome.reason,actor.id,actor.display_name,"
    "actor.alternate_id,target0.id,target0.type,target0.alternate_id,target0.display_name,target1.id,target1.type,"
    "target1.alternate_id,target1.display_name,target2.id,target2.type,target2.alternate_id,target2.display_name\n"
)


def okta_row(minutes: float = 0, name: str = "anna", **changed: Any) -> str:
    """The same event as :func:`okta` makes, as the admin console's download has it."""
    one = okta(minutes=minutes, name=name, **changed)
    cells = [one["severity"], one["eventType"], one["displayMessage"], one["uuid"], one["published"],
             one["outcome"]["result"], one["outcome"]["reason"], one["actor"]["id"], one["actor"]["displayName"],
             one["actor"]["alternateId"]]  # fmt: skip
    cells += [target.get(key) for target in one["target"] for key in ("id", "type", "alternateId", "displayName")]
    return ",".join('"{}"'.format((cell or "").replace('"', '""')) for cell in cells) + "\n"


def written(folder: Path, text: str, name: str = "log.json") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def read_log(path: Path, folder: Path) -> Log:
    """One file of a log by itself."""
    (log,) = read_files([path], folder)
    return log
