"""SCIM settings: `/api/scim` and its paths. Mapping and grouping are fixed when a setting is made."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pydantic import Field

from scimops.grouping import Grouping
from scimops.service_provider import directory
from scimops.service_provider.management.answers import Body, Call, Json, Name, NoBody, Refusal, iso
from scimops.service_provider.management.audit import note
from scimops.service_provider.management.fields import (
    CAPABILITIES,
    DEPARTMENT_ID,
    SCIM_FIELDS,
    add_custom_field,
    custom_field_ids,
)
from scimops.service_provider.management.groups import group_name
from scimops.service_provider.management.paging import Search, contains, find_page
from scimops.service_provider.management.setting_tokens import token_row
from scimops.service_provider.setting_tokens import DEFAULT_LIFE, MAX_LIFE, list_tokens, rotate_token
from scimops.service_provider.tables import settings
from scimops.setting import FieldMapping, Identity, Scope, Setting, Text
from scimops.yaml_documents import validated


class Mapping(Body):
    """One entry of `fieldMappings`."""

    custom_field_resource_id: str
    scim_field_resource_id: str


class Additions(Body):
    """`scimops` in the body: what a setting has here and not on the platform; names as in the setting document."""

    aliases: dict[Text, Text] = Field(default_factory=dict)
    duplicates: str | None = None
    inactive: str | None = None
    identity: Identity | None = None
    scope: Scope | None = None
    columns: dict[Text, Text] = Field(default_factory=dict)
    allowed_domains: list[Text] = Field(default_factory=list)
    seats: int | None = None
    max_age: str | None = None
    field_mappings: list[FieldMapping] = Field(default_factory=list)
    group_by: Text | None = None
    token_name: Name | None = None
    token_expires_in_days: int = Field(DEFAULT_LIFE.days, ge=1, le=MAX_LIFE.days)


class NewSetting(Body):
    """The body of `POST /api/scim` (`CreateScimIntegrationRequest`)."""

    name: str = Field(min_length=1, max_length=30)
    group_resource_id: str | None = Field(None, max_length=12)
    group_by_field: str | None = Field(None, alias="groupBySCIMFieldResourceId", max_length=12)
    field_mappings: list[Mapping] | None = None
    sync_platform_group: bool = False
    scimops: Additions = Additions()


class Renaming(Body):
    """The body of `PUT /api/scim/{id}` (`UpdateSCIMIntegrationRequest`): the name, and nothing else."""

    name: str = Field(min_length=1, max_length=30)


def create(call: Call[NewSetting]) -> Json:
    """`POST /api/scim`: the only answer that shows this token."""
    more = call.body.scimops
    setting = _setting(call)
    for mapping in more.field_mappings:
        if mapping.field not in custom_field_ids(call.connection, call.company_id):
            add_custom_field(call, mapping.field)
    life = dt.timedelta(days=more.token_expires_in_days)
    name = {"token_name": more.token_name} if more.token_name else {}
    made = directory.create_setting(call.connection, call.company_id, setting, expires_in=life, **name)
    note(call, "Create", "ScimSetting", made.id, new=setting.model_dump(mode="json"))
    return {"token": made.token.reveal(), "scimops": {"resourceId": made.id}}


def search(call: Call[Search]) -> Json:
    """`POST /api/scim/search`."""
    table = settings.c
    query = directory.settings_of(call.company_id)
    if text := call.body.text:
        query = query.where(contains(text, table.name))
    frame, rows = find_page(
        call.connection, query, call.body, {"CreateTime": table.n, "Name": table.name, "ResourceId": table.id}, table.n
    )
    return {**frame, "results": [_row(row) for row in rows]}


def get(call: Call[NoBody]) -> Json:
    """`GET /api/scim/{id}`; our additions: the whole document, what this server does, the tokens without secrets."""
    row = directory.get_setting(call.connection, call.company_id, call.id)
    setting = directory.document_of(row)
    groups = setting.group_settings
    return {
        "resourceId": row.id, "name": row.name, "groupName": groups.target_group,
        "groupByCustomFieldName": setting.grouping_field,
        "mappingDetails": [{"scimPath": m.attribute, "customFieldName": m.field} for m in setting.field_mappings],
        "syncPlatformGroup": setting.by_idp_groups,
        "scimops": {
            "setting": setting.model_dump(mode="json"), "capabilities": CAPABILITIES, "created": iso(row.created),
            "tokens": [token_row(token) for token in list_tokens(call.connection, row.n)],
        },
    }  # fmt: skip


def rename(call: Call[Renaming]) -> Json:
    """`PUT /api/scim/{id}`."""
    before = directory.get_setting(call.connection, call.company_id, call.id).name
    after = directory.rename_setting(call.connection, call.company_id, call.id, call.body.name)
    note(call, "Update", "ScimSetting", call.id, old={"name": before}, new={"name": after.name})
    return {"resourceId": call.id}


def delete(call: Call[NoBody]) -> Json:
    """`DELETE /api/scim/{id}`: its tokens end, its people stay and are the company's own."""
    before = directory.get_setting(call.connection, call.company_id, call.id).name
    directory.delete_setting(call.connection, call.company_id, call.id)
    note(call, "Delete", "ScimSetting", call.id, old={"name": before})
    return {"resourceId": call.id}


def revoke(call: Call[NoBody]) -> Json:
    """`POST /api/scim/{id}/revoke`: every token of the setting ends at once; the new one is in the answer."""
    row = directory.get_setting(call.connection, call.company_id, call.id)
    token = rotate_token(call.connection, row.n, overlap=dt.timedelta())
    note(call, "Revoke", "ScimSetting", call.id, new={"token": token.name, "hint": token.hint})
    frame = {"pageNumber": 1, "pageSize": 1, "totalNumberOfPages": 1, "totalNumberOfRecords": 1}
    return {**frame, "results": [{"token": token.secret.reveal()}]}


def _row(row: Any) -> Json:
    setting = directory.document_of(row)
    return {
        "resourceId": row.id, "name": row.name, "groupName": setting.group_settings.target_group,
        "groupByCustomFieldName": setting.grouping_field, "createTime": iso(row.created),
    }  # fmt: skip


def _setting(call: Call[NewSetting]) -> Setting:
    """The setting that a body means.

    Raises:
        Refusal: 400, an id is not known, or both a field and the identity provider's groups were chosen.
        SettingError: the setting as a whole is not valid.
    """
    body, more = call.body, call.body.scimops
    mappings = _mappings(call)
    fields = {mapping["scim"]: mapping["field"] for mapping in mappings}
    chosen = [body.group_by_field is not None, more.group_by is not None, body.sync_platform_group]
    if sum(chosen) > 1:
        raise Refusal(400, "Choose a field or the identity provider's groups.",
                      ["groupBySCIMFieldResourceId: leave it out, or leave out syncPlatformGroup"])  # fmt: skip
    groups: Json = {"target_group": _target_group(call), "aliases": more.aliases}
    if body.sync_platform_group:
        groups["criterion"] = {"idp_groups": True}
    elif body.group_by_field is not None:
        groups["criterion"] = {"field": _grouping_field(body.group_by_field, fields)}
    elif more.group_by is not None:
        groups["criterion"] = {"field": more.group_by}
    groups |= {name: getattr(more, name) for name in ("duplicates", "inactive") if getattr(more, name) is not None}
    document: Json = {"format": 1, "name": body.name, "group_settings": groups}
    document["field_mappings"] = [{"attribute": SCIM_FIELDS[m["scim"]], "field": m["field"]} for m in mappings]
    document["field_mappings"] += [mapping.model_dump() for mapping in more.field_mappings]
    parts = more.model_dump(include={"identity", "scope", "columns", "allowed_domains", "seats", "max_age"})
    document |= {name: value for name, value in parts.items() if value is not None}
    setting = validated(document, Setting)
    Grouping(setting)  # refuses aliases that contradict each other
    return setting


def _target_group(call: Call[NewSetting]) -> str | None:
    group_id = call.body.group_resource_id
    if not group_id:
        return None
    name = group_name(call.connection, call.company_id, group_id)
    if name is None:
        raise Refusal(400, "The target group is not there.", ["groupResourceId: is no target group of this company"])
    return name


def _mappings(call: Call[NewSetting]) -> list[dict[str, str]]:
    by_id = {key: name for name, key in custom_field_ids(call.connection, call.company_id).items()}
    result, wrong = [], []
    for number, mapping in enumerate(call.body.field_mappings or []):
        if mapping.custom_field_resource_id not in by_id:
            wrong.append(f"fieldMappings.{number}.customFieldResourceId: is no custom field of this company")
        elif mapping.scim_field_resource_id not in SCIM_FIELDS:
            wrong.append(f"fieldMappings.{number}.scimFieldResourceId: is no field of GET /api/scim/fields")
        else:
            field = by_id[mapping.custom_field_resource_id]
            result.append({"scim": mapping.scim_field_resource_id, "field": field})
    if wrong:
        raise Refusal(400, "A field mapping is not valid.", wrong)
    return result


def _grouping_field(scim_field: str, fields: dict[str, str]) -> str:
    if scim_field in fields:
        return fields[scim_field]
    if scim_field == DEPARTMENT_ID:
        return "department"
    allowed = ", ".join([DEPARTMENT_ID, *fields])
    raise Refusal(400, "The grouping field is not mapped.",
                  [f"groupBySCIMFieldResourceId: is no mapped field. Allowed: {allowed}."])  # fmt: skip
