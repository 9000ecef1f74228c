"""Rows of people as the platform shows them, for the people of one page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from scimops.attributes import ENTERPRISE
from scimops.mapping import map_resource
from scimops.resources import flatten
from scimops.service_provider.database import loaded
from scimops.service_provider.directory import document_of
from scimops.service_provider.management.answers import Json, iso
from scimops.service_provider.management.fields import custom_field_ids
from scimops.service_provider.management.groups import shown
from scimops.service_provider.placement import chunks
from scimops.service_provider.tables import groups, memberships, settings, users
from scimops.setting import Setting

OWN = "urn:scimops:params:scim:schemas:extension:person:1.0:User"
"""Where the document of a person who was made by hand holds what SCIM has no attribute for."""

_NONE = Setting(name="none")


class _Fields(NamedTuple):
    """A person's fields: the mapped ones, the custom ones by name, the document they come from."""

    mapped: dict[str, str | None]
    custom: dict[str, str | None]
    document: Json

    def own(self, name: str) -> Any:
        own = self.document.get(OWN)
        return own.get(name) if isinstance(own, dict) else None


def rows_of(connection: sa.Connection, company_id: str, rows: Sequence[Any]) -> list[Json]:
    """`TargetUserSearchView` of these rows of `users`; under `scimops` what SCIM knows of them, and their groups."""
    by_setting, ids, theirs = _context(connection, company_id, rows)
    return [_view(row, by_setting, ids, theirs.get(row.n, [])) for row in rows]


def detail(connection: sa.Connection, company_id: str, row: Any) -> Json:
    """`TargetUserDto` of one row of `users`."""
    by_setting, ids, theirs = _context(connection, company_id, [row])
    fields = _fields(row, by_setting, ids)
    first, last, mail = (fields.own(name) for name in ("managerFirstName", "managerLastName", "managerEmail"))
    manager = (fields.document.get(ENTERPRISE) or {}).get("manager")
    full = manager.get("displayName") if isinstance(manager, dict) else " ".join(n for n in (first, last) if n)
    return {
        "resourceId": row.id, "email": row.email, "firstName": fields.mapped["firstName"],
        "lastName": fields.mapped["lastName"], "department": fields.mapped["department"],
        "priority": fields.own("priority") or "Low", "isActive": row.active,
        "customFieldValues": _custom_values(fields, ids), "phoneNumber": fields.mapped["phone"],
        "timeZoneId": fields.document.get("timezone"), "preferredLanguageId": fields.document.get("preferredLanguage"),
        "managerFirstName": first, "managerLastName": last, "managerEmail": mail, "managerFullName": full or None,
        "scimops": _additions(row, theirs.get(row.n, [])),
    }  # fmt: skip


def _context(
    connection: sa.Connection, company_id: str, rows: Sequence[Any]
) -> tuple[dict[int, tuple[str, Setting]], dict[str, str], dict[int, list[Json]]]:
    """What the rows of one page need, in three queries: their settings, the custom fields, their groups."""
    ns = {row.setting_n for row in rows} - {None}
    found = connection.execute(sa.select(settings).where(settings.c.n.in_(ns))) if ns else ()
    by_setting = {row.n: (row.name, document_of(row)) for row in found}
    return by_setting, custom_field_ids(connection, company_id), _groups_of(connection, [row.n for row in rows])


def _groups_of(connection: sa.Connection, ns: Sequence[int]) -> dict[int, list[Json]]:
    result: dict[int, list[Json]] = {}
    target = groups.alias("target")
    for part in chunks(ns):
        query = (
            sa.select(memberships.c.user_n, target.c.id, target.c.name)
            .join(groups, groups.c.n == memberships.c.group_n).join(target, target.c.n == groups.c.target_n)
            .join(users, users.c.n == memberships.c.user_n)
            .where(memberships.c.user_n.in_(part), shown()).distinct().order_by(target.c.name)
        )  # fmt: skip
        for n, group_id, name in connection.execute(query):
            result.setdefault(n, []).append({"resourceId": group_id, "name": name})
    return result


def _fields(row: Any, by_setting: dict[int, tuple[str, Setting]], ids: dict[str, str]) -> _Fields:
    document = loaded(row.document)
    setting = by_setting[row.setting_n][1] if row.setting_n in by_setting else _NONE
    mapped = map_resource(flatten({key: value for key, value in document.items() if key != OWN}), setting)
    custom = {mapping.field: mapped[mapping.field] for mapping in setting.field_mappings}
    if isinstance(own := document.get(OWN), dict):
        names = {key: name for name, key in ids.items()}
        custom |= {names[key]: value for key, value in own.get("customFields", {}).items() if key in names}
    return _Fields(mapped, custom, document)


def _view(row: Any, by_setting: dict[int, tuple[str, Setting]], ids: dict[str, str], theirs: list[Json]) -> Json:
    fields = _fields(row, by_setting, ids)
    return {
        "resourceId": row.id, "email": row.email, "firstName": fields.mapped["firstName"],
        "lastName": fields.mapped["lastName"], "department": fields.mapped["department"],
        "priority": fields.own("priority") or "Low", "status": "Active" if row.active else "Inactive",
        "customFieldValues": _custom_values(fields, ids), "createTime": iso(row.created),
        "updateTime": iso(row.modified), "isEditable": row.setting_n is None,
        "scimSettingName": by_setting[row.setting_n][0] if row.setting_n in by_setting else None,
        "ldapConfigName": None, "phoneNumber": fields.mapped["phone"], "timeZone": fields.document.get("timezone"),
        "preferredLanguage": fields.document.get("preferredLanguage"), "scimops": _additions(row, theirs),
    }  # fmt: skip


def _custom_values(fields: _Fields, ids: dict[str, str]) -> list[Json]:
    return [
        {"resourceId": ids.get(name), "name": name, "dataType": "Text", "value": value, "timestampValue": None}
        for name, value in fields.custom.items() if value is not None
    ]  # fmt: skip


def _additions(row: Any, theirs: list[Json]) -> Json:
    return {"externalId": row.external_id, "userName": row.user_name, "reason": row.reason, "groups": theirs}
