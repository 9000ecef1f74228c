"""Target groups: `/api/target-groups` and its paths.

A target group is a group whose `target_n` is its own key; members of groups that an identity provider pushed into it
are its members. People who are not active are in no group as far as the platform shows (design rule 9).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from pydantic import Field

from scimops.grouping import group_key, spelling
from scimops.service_provider.attribute_places import scim_key
from scimops.service_provider.database import new_id
from scimops.service_provider.directory import ConflictError, get_company, lock_company
from scimops.service_provider.management.answers import Body, Call, Json, Name, NoBody, Refusal, found, iso
from scimops.service_provider.management.audit import note
from scimops.service_provider.management.paging import Search, contains_folded, find_page, json_text
from scimops.service_provider.placement import now
from scimops.service_provider.tables import groups, memberships, settings, users

ORDERS = {
    "CreateTime": groups.c.n, "CreateDate": groups.c.n, "Name": groups.c.scim_key, "UpdateTime": groups.c.modified,
    "Priority": groups.c.priority,
}  # fmt: skip


class NewGroup(Body):
    """The body of `POST /api/target-groups` (`CreateTargetGroupRequest`)."""

    name: Name
    priority: str = Field(min_length=1, max_length=12, pattern=r"^[A-Za-z]+$")


def create(call: Call[NewGroup]) -> Json:
    """`POST /api/target-groups`: names are one company's own, compared by their key (design rule 2)."""
    name = spelling(call.body.name)
    key = group_key(name)
    if not key:
        raise Refusal(400, "The request is not valid.", ["name: must not be blank"])
    connection, company_id, moment = call.connection, call.company_id, now()
    lock_company(connection, company_id)
    if connection.scalar(_targets(company_id).where(groups.c.group_key == key).limit(1)) is not None:
        raise ConflictError("This company has a target group with this name.", advice="Use it, or choose another name.")
    row = {
        "id": new_id(), "company_id": company_id, "kind": "manual", "name": name, "group_key": key,
        "scim_key": scim_key(name), "priority": call.body.priority, "version": 1, "created": moment,
        "modified": moment,
    }  # fmt: skip
    n = connection.execute(sa.insert(groups).values(row).returning(groups.c.n)).scalar_one()
    connection.execute(sa.update(groups).where(groups.c.n == n).values(target_n=n))
    note(call, "Create", "TargetGroup", str(row["id"]), new={"name": name, "priority": call.body.priority})
    return {"resourceId": row["id"]}


def every(call: Call[NoBody]) -> list[Json]:
    """`GET /api/target-groups`."""
    query = _targets(call.company_id, groups).order_by(groups.c.n)
    return [_group(row) for row in call.connection.execute(query)]


def get(call: Call[NoBody]) -> Json:
    """`GET /api/target-groups/{id}`."""
    return _group(target_group(call.connection, call.company_id, call.id))


def search(call: Call[Search]) -> Json:
    """`POST /api/target-groups/search`; members are counted for the groups of the page only."""
    query = _targets(call.company_id, groups, settings.c.name.label("setting_name"))
    query = query.outerjoin(settings, settings.c.n == groups.c.setting_n)
    if text := call.body.text:
        query = query.where(contains_folded(text, groups.c.scim_key))
    frame, rows = find_page(call.connection, query, call.body, ORDERS, groups.c.n)
    counts = _counts(call.connection, [row.n for row in rows])
    company = get_company(call.connection, call.company_id).name
    return {**frame, "results": [_row(row, company, *counts.get(row.n, (0, 0))) for row in rows]}


def target_group(connection: sa.Connection, company_id: str, group_id: str) -> Any:
    """The row of one target group of this company.

    Raises:
        NotFoundError: this company has none with this id.
    """
    query = _targets(company_id, groups).where(groups.c.id == group_id)
    return found(connection.execute(query).one_or_none(), "target group")


def group_name(connection: sa.Connection, company_id: str, group_id: str) -> str | None:
    """The name of one target group of this company; None where there is none."""
    query = _targets(company_id, groups.c.name).where(groups.c.id == group_id)
    name: str | None = connection.scalar(query)
    return name


def members_of(group_n: int) -> sa.Select[Any]:
    """The keys of the people in a target group, each once."""
    return (
        sa.select(memberships.c.user_n).join(groups, groups.c.n == memberships.c.group_n)
        .join(users, users.c.n == memberships.c.user_n).where(groups.c.target_n == group_n, shown())
    )  # fmt: skip


def shown() -> sa.ColumnElement[bool]:
    """Are a person's memberships shown? Not of people who are inactive, unless their setting keeps them in."""
    return users.c.active | (users.c.reason != "inactive")


def _targets(company_id: str, *columns: Any) -> sa.Select[Any]:
    own = (groups.c.company_id == company_id) & (groups.c.target_n == groups.c.n)
    return sa.select(*(columns or (groups.c.n,))).where(own)


def _counts(connection: sa.Connection, ns: list[int]) -> dict[int, tuple[int, int]]:
    """Of each target group: the people who show in it, and those of them who have a phone number."""
    phone = json_text(connection, users.c.document, "phoneNumbers", 0, "value")
    reached = sa.case((phone.is_not(None), users.c.n))
    query = (
        sa.select(groups.c.target_n, sa.func.count(users.c.n.distinct()), sa.func.count(reached.distinct()))
        .join(memberships, memberships.c.group_n == groups.c.n).join(users, users.c.n == memberships.c.user_n)
        .where(groups.c.target_n.in_(ns), shown()).group_by(groups.c.target_n)
    )  # fmt: skip
    return {n: (people, phones) for n, people, phones in connection.execute(query)}


def _group(row: Any) -> Json:
    by_scim = row.kind != "manual"
    return {
        "resourceId": row.id, "name": row.name, "priority": row.priority, "createDate": iso(row.created),
        "isEditable": not by_scim, "isScimGroup": by_scim, "isGoogleGroup": False,
    }  # fmt: skip


def _row(row: Any, company: str, people: int, phones: int) -> Json:
    group = _group(row)
    created = group.pop("createDate")
    return {
        **group, "companyName": company, "userCount": people, "userCountWithPhoneNumber": phones,
        "createTime": created, "updateTime": iso(row.modified), "scimSettingName": row.setting_name,
        "ldapConfigName": None, "isSelected": False,
    }  # fmt: skip
