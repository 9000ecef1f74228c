"""Okta's system log, as `GET /api/v1/logs` gives it: a JSON array of LogEvents.

https://developer.okta.com/docs/reference/api/system-log/ and, for what the types of provisioning events mean,
https://help.okta.com/en-us/Content/Topics/Reference/ref-apps-events.htm
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scimops.audit.logs.events import Event, UnreadableError, detail_text, reason_of, text_or_none, time_and_zone

SIGNATURE = {"published", "eventType", "outcome", "actor"}

_PROVISION = "application.provision."
_OPERATIONS = {
    "application.provision.user.push": "create",
    "application.provision.user.push_profile": "update",
    "application.provision.user.push_password": "update",
    "application.provision.user.push_okta_password": "update",
    "application.provision.user.password": "update",
    "application.provision.user.deactivate": "deactivate",
    "application.provision.user.deprovision": "deactivate",
    "application.provision.user.activate": "reactivate",
    "application.provision.user.reactivate": "reactivate",
    "application.provision.user.verify_exists": "look_up",
    "application.provision.user.import": "look_up",
    "application.provision.user.import_profile": "look_up",
    "application.provision.user.sync": "other",
    "application.provision.group.add": "create_group",
    "application.provision.group.update": "rename_group",
    "application.provision.group.remove": "delete_group",
    "application.provision.group_push.pushed": "create_group",
    "application.provision.group_push.updated": "rename_group",
    "application.provision.group_membership.add": "add_member",
    "application.provision.group_membership.remove": "remove_member",
    "application.user_membership.add": "add_member",
    "application.user_membership.remove": "remove_member",
}
"""All other events are `sync` where they are of provisioning, else of something else and of nobody (sign-ins)."""

_OUTCOMES = {"SUCCESS": "success", "ALLOW": "success", "FAILURE": "failure", "DENY": "failure", "SKIPPED": "skipped"}
_REASONS = {"application.integration.authentication_failure": "token_rejected",
            "application.integration.rate_limit_exceeded": "rate_limited"}  # fmt: skip


def application_of(record: dict[str, Any]) -> str | None:
    """The application that people are sent to by a record."""
    if record.get("eventType") not in _OPERATIONS:
        return None
    instance = _targets(record).get("AppInstance", {})
    return text_or_none(instance.get("alternateId")) or text_or_none(instance.get("displayName"))


def events_of(record: dict[str, Any]) -> Iterator[Event]:
    """The event of one record.

    A person is the user of Okta (whose id Okta sends as externalId), by the userName they have in the application.

    Raises:
        UnreadableError: it has no time, no type or no outcome.
    """
    at, zone = time_and_zone(record.get("published"))
    kind, said = text_or_none(record.get("eventType")), record.get("outcome")
    result = text_or_none(said.get("result")) if isinstance(said, dict) else None
    if not kind or not isinstance(said, dict) or not result:
        raise UnreadableError("it has no type or no outcome")
    outcome = _OUTCOMES.get(result.upper(), "warning")
    told = text_or_none(said.get("reason"))
    actor = record.get("actor")
    named = (actor.get("alternateId"), actor.get("displayName")) if isinstance(actor, dict) else ()
    known = Event(
        at, _operation(kind), outcome, next((text for one in named if (text := text_or_none(one))), None), zone=zone,
        reason=None if outcome == "success" else _REASONS.get(kind) or reason_of(None, told),
        detail=detail_text(record.get("displayMessage"), told),
    )  # fmt: skip
    yield _of_whom(known, record) if kind in _OPERATIONS else known


def _operation(kind: str) -> str:
    provisioning = kind.startswith((_PROVISION, "application.integration."))
    return _OPERATIONS.get(kind) or ("sync" if provisioning else "other")


def _of_whom(event: Event, record: dict[str, Any]) -> Event:
    targets = _targets(record)
    user, there = targets.get("User", {}), targets.get("AppUser", {})
    group = next((one for kind, one in targets.items() if kind.endswith("Group")), {})
    name = text_or_none(group.get("displayName"))
    if event.operation.endswith("_group"):
        return event._replace(resource_type="Group", name=name)
    if event.operation.endswith("_member"):
        name = name or text_or_none(targets.get("AppInstance", {}).get("displayName"))
    user_name = text_or_none(there.get("alternateId")) or text_or_none(user.get("alternateId"))
    return event._replace(
        resource_type="User", name=name, externalId=text_or_none(user.get("id")), userName=user_name
    )  # fmt: skip


def _targets(record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The targets by their type, the first of each."""
    found: dict[str, dict[str, Any]] = {}
    for one in record.get("target") or []:
        if isinstance(one, dict) and isinstance(one.get("type"), str):
            found.setdefault(one["type"], one)
    return found
