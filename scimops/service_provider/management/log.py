"""Our additions below `/api/scim/{id}/scimops`: the provisioning log, and a setting's people as SCIM knows them.

Both are read page by page by key (`cursor`), so that the last page costs what the first does.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from pydantic import AfterValidator, ConfigDict, Field, ValidationError

from scimops.service_provider.database import loaded
from scimops.service_provider.directory import get_setting
from scimops.service_provider.management.answers import Body, Call, Json, NoBody, Refusal, iso, validation_messages
from scimops.service_provider.management.person import rows_of
from scimops.service_provider.tables import provisioning_log, users

MAX_LINES = 1000
_LOG = provisioning_log.c


def _in_utc(moment: dt.datetime) -> dt.datetime:
    try:
        return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
    except OverflowError:
        raise ValueError("is before the first or after the last day there is") from None


Moment = Annotated[dt.datetime, AfterValidator(_in_utc)]


class PageQuery(Body):
    """The query of a page by key: `limit`, and the `cursor` that the page before gave as `next`."""

    model_config = ConfigDict(strict=False)

    cursor: int | None = Field(None, ge=0, lt=2**63)
    limit: int = Field(100, ge=1, le=MAX_LINES)


class LogQuery(PageQuery):
    """Which lines of the log: from, to (times), of one resource, with a status (`409`, `4xx`), of one operation."""

    since: Moment | None = None
    until: Moment | None = None
    resource_id: str | None = Field(None, max_length=40)
    status: str | None = Field(None, pattern=r"^[1-5](\d\d|xx)$")
    operation: str | None = Field(None, max_length=24)
    order: Literal["oldest", "newest"] = "oldest"


def lines(call: Call[NoBody]) -> Json:
    """`GET …/log`; also of a setting that was deleted."""
    asked = _asked(LogQuery, call)
    n = get_setting(call.connection, call.company_id, call.id, deleted=True).n
    query = sa.select(provisioning_log).where(_LOG.setting_n == n, _LOG.company_id == call.company_id)
    if asked.since is not None:
        query = query.where(_LOG.at >= asked.since)
    if asked.until is not None:
        query = query.where(_LOG.at < asked.until)
    if asked.resource_id is not None:
        query = query.where(_LOG.resource_id == asked.resource_id)
    if asked.operation is not None:
        query = query.where(_LOG.operation == asked.operation)
    if asked.status is not None:
        low, high = int(asked.status.replace("x", "0")), int(asked.status.replace("x", "9"))
        query = query.where(_LOG.status.between(low, high))
    return _page(call, query, _LOG.n, asked, "lines", lambda rows: [_line(row) for row in rows])


def people(call: Call[NoBody]) -> Json:
    """`GET …/users`: externalId, userName, reason and groups of the setting's people."""
    asked = _asked(PageQuery, call)
    n = get_setting(call.connection, call.company_id, call.id).n
    query = sa.select(users).where(users.c.setting_n == n, users.c.company_id == call.company_id)
    return _page(call, query, users.c.n, asked, "users", lambda rows: rows_of(call.connection, call.company_id, rows))


def _page(call: Call[NoBody], query: Any, key: Any, asked: Any, name: str, shown: Any) -> Json:
    newest = getattr(asked, "order", "oldest") == "newest"
    if asked.cursor is not None:
        query = query.where(key < asked.cursor if newest else key > asked.cursor)
    query = query.order_by(key.desc() if newest else key).limit(asked.limit + 1)
    rows = call.connection.execute(query).all()
    more = len(rows) > asked.limit
    rows = rows[: asked.limit]
    return {"scimops": {name: shown(rows), "next": str(rows[-1].n) if more else None}}


def _asked(model: type[Any], call: Call[NoBody]) -> Any:
    try:
        return model.model_validate(dict(call.query))
    except ValidationError as error:
        raise Refusal(400, "The query is not valid.", validation_messages(error, model)) from None


def _line(row: Any) -> Json:
    return {
        "n": row.n, "at": iso(row.at), "token": row.token, "operation": row.operation,
        "resource_type": row.resource_type, "resource_id": row.resource_id, "query": row.query, "status": row.status,
        "detail": row.detail, "changes": loaded(row.changes) or [], "moves": loaded(row.moves) or [],
        "milliseconds": row.milliseconds,
    }  # fmt: skip
