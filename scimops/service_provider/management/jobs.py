"""Jobs: `/api/jobs` and `/api/jobs/{id}`. A job here is what one setting's identity provider did on one day (UTC)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from scimops.service_provider.database import utc
from scimops.service_provider.management.answers import Call, Json, NoBody, found, iso
from scimops.service_provider.placement import now
from scimops.service_provider.tables import provisioning_log, settings

DAYS = 31
"""How far back jobs are listed; one of an earlier day is found by its id."""

ERRORS = 100
_DAY = 100_000  # an id is the setting's key and the number of the day: 3 and 2026-11-25 are 320782
_RUNNING, _DONE = 1, 2
_LOG = provisioning_log.c


def latest(call: Call[NoBody]) -> Json:
    """`GET /api/jobs`: the platform's schema holds one job, the latest; the list stands under `scimops`."""
    first = _midnight(now()) - dt.timedelta(days=DAYS)
    day = sa.func.date(_LOG.at) if call.connection.dialect.name == "sqlite" else _utc_date()
    query = (
        sa.select(_LOG.setting_n, day.label("day")).where(_LOG.company_id == call.company_id, _LOG.at >= first)
        .distinct().order_by(sa.desc("day"), _LOG.setting_n.desc())
    )  # fmt: skip
    jobs = [_job(call, n, dt.date.fromisoformat(str(day))) for n, day in call.connection.execute(query).all()]
    none: Json = {"jobId": 0, "resourceId": None, "name": None, "isFinished": True}
    return {**(jobs[0] if jobs else none), "scimops": {"jobs": jobs}}


def get(call: Call[NoBody]) -> Json:
    """`GET /api/jobs/{id}`: one step for each operation, with its errors."""
    number = int(call.id) if call.id.isdecimal() and len(call.id) <= 18 else 0
    n, day = divmod(number, _DAY)
    date = dt.date.fromordinal(dt.date(1970, 1, 1).toordinal() + day)
    there = sa.select(_LOG.n).where(_of(call, n, date)).limit(1)
    found(call.connection.scalar(there), "job")
    job = _job(call, n, date)
    query = (
        sa.select(
            _LOG.operation, sa.func.count().label("total"), sa.func.min(_LOG.at).label("first"),
            sa.func.max(_LOG.at).label("last"), _failed().label("failed"),
        )
        .where(_of(call, n, date)).group_by(_LOG.operation).order_by(_LOG.operation)
    )  # fmt: skip
    steps = [_step(call, n, date, row, job["isFinished"]) for row in call.connection.execute(query).all()]
    return {**job, "processResults": steps}


def _job(call: Call[Any], setting_n: int, date: dt.date) -> Json:
    query = sa.select(sa.func.min(_LOG.at), sa.func.max(_LOG.at), sa.func.count(), _failed())
    first, last, total, failed = call.connection.execute(query.where(_of(call, setting_n, date))).one()
    name = call.connection.scalar(sa.select(settings.c.name).where(settings.c.n == setting_n))
    number = setting_n * _DAY + (date - dt.date(1970, 1, 1)).days
    finished = date < now().date()
    return {
        "jobId": number, "resourceId": str(number), "name": f"SCIM {name} {date.isoformat()}", "progress": 100.0,
        "status": _DONE if finished else _RUNNING, "createTime": iso(_time(first)), "endTime": iso(_time(last)),
        "errorMessage": f"{failed} of {total} requests were refused." if failed else None, "estimatedTime": 0.0,
        "isFinished": finished,
    }  # fmt: skip


def _step(call: Call[Any], setting_n: int, date: dt.date, row: Any, finished: bool) -> Json:
    wrong = (
        sa.select(_LOG.resource_id, _LOG.query, _LOG.status, _LOG.detail).where(_of(call, setting_n, date))
        .where(_LOG.operation == row.operation, _LOG.status >= 400).order_by(_LOG.n).limit(ERRORS)
    )  # fmt: skip
    errors = [
        {"errorMessage": f"{r.status} {r.detail or ''}".strip(), "inputData": r.resource_id or r.query}
        for r in call.connection.execute(wrong)
    ]
    return {
        "name": row.operation, "type": 0, "currentCount": row.total - row.failed, "targetCount": row.total,
        "processErrors": errors, "existsError": bool(row.failed), "createTime": iso(_time(row.first)),
        "endTime": iso(_time(row.last)), "estimatedTime": 0.0, "isFinished": finished, "progress": 100.0,
    }  # fmt: skip


def _of(call: Call[Any], setting_n: int, date: dt.date) -> sa.ColumnElement[bool]:
    start = dt.datetime.combine(date, dt.time(), dt.UTC)
    that_day = (_LOG.at >= start) & (_LOG.at < start + dt.timedelta(days=1))
    return (_LOG.company_id == call.company_id) & (_LOG.setting_n == setting_n) & that_day


def _failed() -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((_LOG.status >= 400, 1), else_=0)), 0)


def _utc_date() -> sa.ColumnElement[Any]:
    return sa.cast(sa.func.timezone("UTC", _LOG.at), sa.Date)


def _midnight(moment: dt.datetime) -> dt.datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _time(moment: Any) -> dt.datetime | None:
    return utc(dt.datetime.fromisoformat(moment) if isinstance(moment, str) else moment)
