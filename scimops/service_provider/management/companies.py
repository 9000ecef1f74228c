"""Companies: `/api/companies/my` and `/api/companies/search`; a reseller sees all, a company itself."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from scimops.service_provider.management.answers import Call, Json, NoBody, iso
from scimops.service_provider.management.paging import FullSearch, contains, find_page
from scimops.service_provider.tables import companies, users


class CompanySearch(FullSearch):
    """The body of `POST /api/companies/search`."""

    is_target_user_count_exceeded_limit: bool = False


def my(call: Call[NoBody]) -> list[Json]:
    """`GET /api/companies/my`."""
    rows = call.connection.execute(_visible(call, sa.select(companies)).order_by(companies.c.created, companies.c.id))
    return [
        {
            "name": row.name, "resourceId": row.id, "logoUrl": None, "privacyDurationId": 0, "licenceExpired": False,
            "privacyDurationStartTime": None, "privacyDurationEndTime": None, "children": [],
        }
        for row in rows
    ]  # fmt: skip


def search(call: Call[CompanySearch]) -> Json:
    """`POST /api/companies/search`: seats (`numberOfUsers`) and the people who take them (`targetUserCount`)."""
    active, inactive = _count(users.c.active), _count(~users.c.active)
    query = _visible(call, sa.select(companies, active.label("active"), inactive.label("inactive")))
    exceeded = companies.c.seats.is_not(None) & (active > companies.c.seats)
    over = call.connection.scalar(
        sa.select(sa.func.count()).select_from(_visible(call, sa.select(companies.c.id)).where(exceeded).subquery())
    )
    if text := call.body.text:
        query = query.where(contains(text, companies.c.name))
    if call.body.is_target_user_count_exceeded_limit:
        query = query.where(exceeded)
    table = companies.c
    orders = {"CreateTime": table.created, "CompanyName": table.name, "Name": table.name, "TargetUserCount": active}
    frame, rows = find_page(call.connection, query, call.body, orders, table.id)
    return {"limitExceededCompanyCount": over or 0, **frame, "results": [_row(row) for row in rows]}


def _visible(call: Call[Any], query: sa.Select[Any]) -> sa.Select[Any]:
    return query.where(companies.c.id == call.company_id) if call.company_id else query


def _count(condition: sa.ColumnElement[bool]) -> Any:
    count = sa.select(sa.func.count()).where(users.c.company_id == companies.c.id, condition)
    return count.correlate(companies).scalar_subquery()


def _row(row: Any) -> Json:
    return {
        "companyName": row.name, "companyResourceId": row.id, "resellerName": None, "industryName": None,
        "industryResourceId": None, "licenseTypeName": None, "licenseTypeResourceId": None,
        "isNumberOfUsersLimited": row.seats is not None,
        "numberOfUsers": None if row.seats is None else str(row.seats), "privacyDurationId": 0,
        "licenceExpired": False, "licenseEndDate": None, "createTime": iso(row.created),
        "targetUserCount": row.active, "children": [], "tags": [], "deletedTargetUserCount": 0,
        "inactiveTargetUserCount": row.inactive, "monthlyActiveUserCount": 0,
    }  # fmt: skip
