"""What the recording of a rehearsal keeps of one request: never a password, never the token that it came with.

`effects` is what a reader needs to know of the state afterwards, in the order in which it happened:

| effect | what it says |
|---|---|
| `{"user": ID, "version": N, "keys": […], "resource": {…}}` | a person as stored, all of it |
| `{"user": ID, "beside": {…}, "whole": BOOL}` | what was sent of a person and no schema here has; null = removed |
| `{"user": ID, "deleted": true}`, `{"group": ID, "deleted": true}` | gone |
| `{"group": ID, "version": N, "name": NAME, "members": [ID…]}` | a group that was pushed whole |
| `{"group": ID, "version": N, "changes": [[KIND, [ID…]]…]}` | members joined (`add`) or left (`remove`, …) |
| `{"refused": STATUS, "detail": WHY, "keys": […], "resource": {…}}` | a person who was not taken |

`keys` are externalId, userName and e-mail in the form in which people are told apart (design rule 11). `version` puts
changes of one resource that came at the same time into their true order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from scim2_models import Resource, ResourceType, SCIMException

from scimops.attributes import ENTERPRISE
from scimops.grouping import identity_key
from scimops.idp.table import is_password, mentions_password
from scimops.resources import flatten
from scimops.service_provider.rows import document_of, member_ids
from scimops.service_provider.storage import Storage
from scimops.service_provider.tolerance import MemberChange, normal_patch, normal_resource
from scimops.service_provider.tolerance_values import ATTRIBUTES, ENTERPRISE_ATTRIBUTES
from scimops.setting import Setting

MAX_BODY, MAX_TEXT = 1 << 20, 1 << 16
"""Bytes of a body that are kept: of one that is JSON, of one that is not. What it changed is in the effects anyway."""

NOT_SHOWN = "(not kept: it may hold a password)"
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
Effect = dict[str, Any]


class RecordedStorage(Storage):
    """A storage that remembers in `effects` what became of the people and groups it was asked to change."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.effects: list[Effect] = []

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        """As :meth:`Storage.create`."""
        made = super().create(resource_type, resource)
        self._remember(resource_type, made, resource)
        return made

    def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        """As :meth:`Storage.update`."""
        made = super().update(resource_type, resource, expected_version=expected_version)
        self._remember(resource_type, made, resource)
        return made

    def delete(self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None) -> None:
        """As :meth:`Storage.delete`."""
        super().delete(resource_type, resource_id, expected_version=expected_version)
        self.effects.append({_kind(resource_type): resource_id, "deleted": True})

    def change_members(
        self, resource_type: ResourceType, row: Any, changes: Sequence[MemberChange]
    ) -> Resource[Any]:  # fmt: skip
        """As :meth:`Storage.change_members`."""
        made = super().change_members(resource_type, row, changes)
        listed = [[change.kind, list(change.ids)] for change in changes]
        self.effects.append({"group": made.id, "version": _version(made), "changes": listed})
        return made

    def _remember(self, resource_type: ResourceType, made: Any, sent: Any) -> None:
        if resource_type.id == "User":
            document = without_passwords(document_of(sent))
            state = {"keys": keys_of(document), "resource": document}
        else:
            state = {"name": sent.display_name, "members": list(member_ids(sent))}
        self.effects.append({_kind(resource_type): made.id, "version": _version(made), **state})


def _kind(resource_type: ResourceType) -> str:
    return "user" if resource_type.id == "User" else "group"


def _version(made: Resource[Any]) -> int:
    """The number in a resource's ETag, `W/"7"`."""
    return int(re.sub(r"\D", "", (made.meta and made.meta.version) or "0"))


def keys_of(document: Mapping[str, Any]) -> list[str | None]:
    """externalId, userName and e-mail of a person, as people are told apart."""
    flat = flatten(document)
    found = map(flat.get, ("externalId", "userName", "emails"))
    values = [value[0] if isinstance(value, list) else value for value in found]
    return [values[0], *(identity_key(value) if value else None for value in values[1:])]


def refusals(body: Any, status: int, answer: Mapping[str, Any]) -> list[Effect]:
    """The people whom a POST of /Users, or a bulk request's, brought and who were not taken: 400 and 409."""
    if not isinstance(body, dict):
        return []
    if not isinstance(body.get("Operations"), list):
        return [_refused(body, status, answer.get("detail"))] if status in (400, 409) else []
    found = []
    for operation, outcome in zip(body["Operations"], answer.get("Operations") or [], strict=False):
        why, code = outcome.get("response") or {}, str(outcome.get("status"))
        if code in ("400", "409") and isinstance(operation, dict) and isinstance(operation.get("data"), dict):
            method, path = str(operation.get("method")).upper(), str(operation.get("path")).lower()
            if method == "POST" and path.strip("/") == "users":
                found.append(_refused(operation["data"], int(code), why.get("detail")))
    return found


def _refused(sent: dict[str, Any], status: int, detail: str | None) -> Effect:
    try:
        resource = normal_resource(sent, "User")
    except SCIMException:
        resource = {key: value for key, value in sent.items() if key.lower() not in ("id", "meta", "groups")}
    return {"refused": status, "detail": detail, "keys": keys_of(resource), "resource": resource}


def beside(method: str, body: Any, setting: Setting) -> Effect | None:
    """What a POST, PUT or PATCH of a person carried that neither a schema nor the setting knows; None where nothing."""
    if not isinstance(body, dict):
        return None
    if method in ("POST", "PUT"):
        return {"beside": _unknown(normal_resource(body, "User"), setting), "whole": True}
    sent: dict[str, Any] = {}
    for operation in normal_patch(body, "User")["Operations"] if method == "PATCH" else []:
        path, value = operation.get("path") or "", operation.get("value")
        urn, _, name = path.rpartition(":")
        if not path and isinstance(value, dict):
            sent |= value
        elif urn.lower().startswith("urn:") and name.isidentifier():
            sent.setdefault(urn, {})[name] = None if operation["op"] == "remove" else value
    found = _unknown(sent, setting)
    return {"beside": found, "whole": False} if found else None


def _unknown(sent: Mapping[str, Any], setting: Setting) -> dict[str, Any]:
    """The attributes of `sent` that are not stored, those of an extension each for itself."""
    mapped = {re.split(r"[\[.]", one.attribute.rpartition(":")[2])[0].lower() for one in setting.field_mappings}
    urns = {one.attribute.rpartition(":")[0].lower() for one in setting.field_mappings}
    found: dict[str, Any] = {}
    for key, value in sent.items():
        lower = key.lower()
        if lower.startswith("urn:"):
            own = set(ENTERPRISE_ATTRIBUTES) if lower == ENTERPRISE.lower() else mapped if lower in urns else set()
            inner = {name: item for name, item in value.items() if name.lower() not in own}
            found |= {key: inner} if inner else {}
        elif lower not in ATTRIBUTES["User"] and lower != "schemas":
            found[key] = value
    return found


def kept_body(body: bytes) -> tuple[Any, str | None]:
    """A body as JSON without passwords, or as text; and a note where it is not what was sent."""
    if not body:
        return None, None
    try:
        found = json.loads(body.decode("utf-8-sig"))
        if not isinstance(found, dict | list):
            raise ValueError  # a bare text or number is no SCIM message and may be anything
        found = without_passwords(found)
        json.dumps(found, allow_nan=False)
    except (ValueError, RecursionError):
        return _kept_text(body)
    return found, f"{len(body)} bytes are not kept" if len(body) > MAX_BODY else None


def _kept_text(body: bytes) -> tuple[str, str]:
    text = body[:MAX_TEXT].decode("utf-8", "backslashreplace")
    cut = f", the first {MAX_TEXT} of its {len(body)} bytes" if len(body) > MAX_TEXT else ""
    readable = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return NOT_SHOWN if mentions_password(readable) else text, f"this is no JSON that is read{cut}"


def without_passwords(value: Any) -> Any:
    """JSON without passwords: not under that name, in whatever case and schema, nor in a PATCH of that path."""
    if isinstance(value, list):
        return [without_passwords(item) for item in value]
    if not isinstance(value, dict):
        return value
    named = any(
        key.strip().lower() in ("path", "name", "type", "key") and isinstance(item, str) and _is_secret(item)
        for key, item in value.items()
    )
    return {
        key: without_passwords(item)
        for key, item in value.items()
        if not _is_secret(key) and not (named and key.strip().lower() == "value")
    }


def _is_secret(name: str) -> bool:
    """Is it the name or path of a password, with or without a schema in front?"""
    last = re.split(r"[:.]", name[-200:].partition("[")[0])[-1].strip()
    return last.lower() == "password" or is_password(last)
