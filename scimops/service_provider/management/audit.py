"""The audit log: who did what to what, from where; appended in the transaction of the action, never changed."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from scimops.service_provider.database import new_id
from scimops.service_provider.management.answers import Call, Caller, Json, iso
from scimops.service_provider.management.paging import Search, contains, find_page
from scimops.service_provider.placement import now
from scimops.service_provider.tables import audit_log
from scimops.tokens import redact

LONGEST = 4000
"""How many characters of an old or new value are kept."""


def record(
    connection: sa.Connection, company_id: str | None, caller: Caller, operation: str, entity: str,
    entity_id: str | None, *, old: Any = None, new: Any = None,
) -> None:  # fmt: skip
    """Append one line. `old` and `new` are plain data without secrets; what looks like one is taken out even so."""
    row = {
        "id": new_id(), "company_id": company_id, "at": now(), "actor": caller.client_id[:64], "operation": operation,
        "entity": entity, "entity_id": entity_id, "old": _text(old), "new": _text(new), "ip": caller.ip[:64] or None,
        "user_agent": redact(caller.user_agent)[:200] or None,
    }  # fmt: skip
    connection.execute(sa.insert(audit_log).values(row))


def note(call: Call[Any], operation: str, entity: str, entity_id: str, *, old: Any = None, new: Any = None) -> None:
    """Append what a call did."""
    record(call.connection, call.company_id, call.caller, operation, entity, entity_id, old=old, new=new)


def search(call: Call[Search]) -> Json:
    """`POST /api/audit-logs/search`."""
    table = audit_log.c
    query = sa.select(audit_log).where(table.company_id == call.company_id)
    if text := call.body.text:
        query = query.where(contains(text, table.actor, table.entity, table.operation, table.entity_id))
    orders = {"LogDate": table.n, "CreateTime": table.n, "Operation": table.operation, "EntityName": table.entity,
              "UserName": table.actor}  # fmt: skip
    frame, rows = find_page(call.connection, query, call.body, orders, table.n)
    return {**frame, "results": [_row(row) for row in rows]}


def _row(row: Any) -> Json:
    return {
        "resourceId": row.id, "userName": row.actor, "entityResourceId": row.entity_id, "entityName": row.entity,
        "oldValue": row.old, "newValue": row.new, "operation": row.operation, "ip": row.ip,
        "userAgent": row.user_agent, "auditDescription": f"{row.operation} {row.entity}", "logDate": iso(row.at),
    }  # fmt: skip


def _text(value: Any) -> str | None:
    return None if value is None else redact(json.dumps(value, ensure_ascii=False, default=str))[:LONGEST]
