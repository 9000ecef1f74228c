"""Target users: `/api/target-users`, and the people of one target group.

What SCIM made is read-only here. A person's fields come from their SCIM document by the mapping that a preview uses,
for the rows of one page only.
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from pydantic import Field

from scimops.attributes import CORE, ENTERPRISE
from scimops.grouping import identity_key, usable_email
from scimops.mapping import CUSTOM_LIMIT
from scimops.service_provider.attribute_places import scim_key
from scimops.service_provider.database import new_id
from scimops.service_provider.directory import ConflictError
from scimops.service_provider.filters import folded
from scimops.service_provider.management.answers import Body, Call, Json, NoBody, Refusal, found
from scimops.service_provider.management.audit import note
from scimops.service_provider.management.fields import custom_field_ids
from scimops.service_provider.management.groups import members_of, target_group
from scimops.service_provider.management.paging import Search, contains_folded, find_page, json_text
from scimops.service_provider.management.person import OWN, detail, rows_of
from scimops.service_provider.placement import now
from scimops.service_provider.tables import groups, memberships, users

ORDERS = {
    "CreateTime": users.c.n, "Email": users.c.email_key, "UpdateTime": users.c.modified, "Status": users.c.active,
}  # fmt: skip


class CustomValue(Body):
    """The value of one custom field."""

    resource_id: str
    name: str | None = None
    data_type: str | None = None
    value: str | None = Field(None, max_length=CUSTOM_LIMIT)
    timestamp_value: str | None = None


class NewUser(Body):
    """The body of `POST /api/target-users` (`CreateTargetUserRequest`)."""

    email: str = Field(min_length=1, max_length=320)
    first_name: str | None = Field(None, max_length=256)
    last_name: str | None = Field(None, max_length=256)
    department: str | None = Field(None, max_length=256)
    priority: str = Field("Low", min_length=1, max_length=12, pattern=r"^[A-Za-z]+$")
    is_active: bool = True
    custom_fields: list[CustomValue] | None = Field(None, max_length=100)
    phone_number: str = Field(min_length=1, max_length=64)
    target_group_resource_ids: list[str] | None = Field(None, max_length=100)
    time_zone_id: str | None = Field(None, max_length=64)
    preferred_language_id: str | None = Field(None, max_length=64)
    manager_first_name: str | None = Field(None, max_length=256)
    manager_last_name: str | None = Field(None, max_length=256)
    manager_email: str | None = Field(None, max_length=320)


class GroupSearch(Search):
    """The body of `POST /api/target-groups/{id}/users`."""

    exclude_group_users: bool = False


def create(call: Call[NewUser]) -> Json:
    """`POST /api/target-users`: a person of the company's own, whom no setting touches."""
    body, connection, moment = call.body, call.connection, now()
    if not usable_email(body.email):
        raise Refusal(400, "The request is not valid.", ["email: is no usable e-mail address"])
    key = identity_key(body.email)
    taken = sa.select(users.c.n).where(users.c.company_id == call.company_id, users.c.email_key == key)
    if connection.scalar(taken) is not None:
        raise ConflictError("Another person of this company has this e-mail address.")
    text = json.dumps(_document(call), ensure_ascii=False)
    row = {
        "id": new_id(), "company_id": call.company_id, "email": body.email, "email_scim": scim_key(body.email),
        "email_key": key, "active": body.is_active, "reason": "ungrouped" if body.is_active else "inactive",
        "document": text, "folded": folded(text), "version": 1, "created": moment, "modified": moment,
    }  # fmt: skip
    n = connection.execute(sa.insert(users).values(row).returning(users.c.n)).scalar_one()
    _join(call, n)
    note(call, "Create", "TargetUser", str(row["id"]), new={"groups": body.target_group_resource_ids or []})
    return {"resourceId": row["id"]}


def search(call: Call[Search]) -> Json:
    """`POST /api/target-users/search`."""
    return _page(call, sa.true())


def of_group(call: Call[GroupSearch]) -> Json:
    """`POST /api/target-groups/{id}/users`: the people in a group, or with `excludeGroupUsers` all the others."""
    inside = members_of(target_group(call.connection, call.company_id, call.id).n)
    chosen = users.c.n.not_in(inside) if call.body.exclude_group_users else users.c.n.in_(inside)
    return _page(call, chosen)


def get(call: Call[NoBody]) -> Json:
    """`GET /api/target-users/{id}`."""
    query = sa.select(users).where(users.c.company_id == call.company_id, users.c.id == call.id)
    row = found(call.connection.execute(query).one_or_none(), "target user")
    return detail(call.connection, call.company_id, row)


def count_summary(call: Call[NoBody]) -> Json:
    """`GET /api/target-users/count-summary`; whom an identity provider deletes is forgotten, so nobody is Deleted."""
    query = sa.select(users.c.active, sa.func.count()).where(users.c.company_id == call.company_id)
    counts = {bool(active): count for active, count in call.connection.execute(query.group_by(users.c.active))}
    active, inactive = counts.get(True, 0), counts.get(False, 0)
    return {"totalCount": active + inactive, "activeCount": active, "inactiveCount": inactive, "deletedCount": 0}


def _page(call: Call[Any], chosen: sa.ColumnElement[bool]) -> Json:
    query = sa.select(users).where(users.c.company_id == call.company_id, chosen)
    if text := call.body.text:
        names = [json_text(call.connection, users.c.folded, "name", part) for part in ("givenname", "familyname")]
        query = query.where(contains_folded(text, users.c.email_scim, users.c.user_name_scim, *names))
    frame, rows = find_page(call.connection, query, call.body, ORDERS, users.c.n)
    return {**frame, "results": rows_of(call.connection, call.company_id, rows)}


def _document(call: Call[NewUser]) -> Json:
    """The person as a SCIM user (RFC 7643 §4.1); what SCIM has no attribute for stands under a URN of our own."""
    body = call.body
    ids = set(custom_field_ids(call.connection, call.company_id).values())
    values = {value.resource_id: value.value or value.timestamp_value for value in body.custom_fields or []}
    if unknown := [f"customFields: {key[:40]} is no custom field of this company" for key in values if key not in ids]:
        raise Refusal(400, "The request is not valid.", unknown[:20])
    own: Json = {"priority": body.priority, "customFields": values}
    own |= body.model_dump(by_alias=True, include={"manager_first_name", "manager_last_name", "manager_email"})
    return {
        "schemas": [CORE, ENTERPRISE, OWN], "active": body.is_active,
        "name": {"givenName": body.first_name, "familyName": body.last_name},
        "emails": [{"value": body.email, "type": "work", "primary": True}],
        "phoneNumbers": [{"value": body.phone_number, "type": "work"}],
        "timezone": body.time_zone_id, "preferredLanguage": body.preferred_language_id,
        ENTERPRISE: {"department": body.department}, OWN: own,
    }  # fmt: skip


def _join(call: Call[NewUser], user_n: int) -> None:
    """By hand people join groups that were made by hand; the others are the rule's."""
    for group_id in dict.fromkeys(call.body.target_group_resource_ids or []):
        query = sa.select(groups.c.n).where(
            groups.c.company_id == call.company_id, groups.c.id == group_id, groups.c.kind == "manual"
        )
        n = call.connection.scalar(query)
        if n is None:
            text = f"targetGroupResourceIds: {group_id[:40]} is no target group that may be edited by hand"
            raise Refusal(400, "The request is not valid.", [text])
        call.connection.execute(sa.insert(memberships).values(group_n=n, user_n=user_n))
