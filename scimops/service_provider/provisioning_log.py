"""The provisioning log: what identity providers asked for and what became of it, request by request.

What a request changed is written in the request's own transaction: there is no change without its line. Look-ups
change nothing; their lines follow within half a second, many in one transaction, so that a reader waits for no writer.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from scimops.errors import ScimopsError
from scimops.service_provider.database import Database
from scimops.service_provider.placement import Move
from scimops.service_provider.rows import Change
from scimops.service_provider.statements import ADD_LINE

FLUSH_SECONDS = 0.5
WAITING = 10_000
"""Lines of look-ups that may wait; beyond, a look-up waits itself. So memory stays flat."""


@dataclass(frozen=True)
class Entry:
    """One request: who (the token's name, never the token), what, on what, with what outcome."""

    company_id: str
    setting_n: int
    token: str
    operation: str
    resource_type: str | None
    resource_id: str | None
    query: str | None
    at: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))
    started: float = field(default_factory=time.perf_counter)

    def row(
        self, status: int, detail: str | None = None, changes: Sequence[Change] = (), moves: Sequence[Move] = (),
        resource_id: str | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """The line as a row of the table."""
        return {
            "company_id": self.company_id, "setting_n": self.setting_n, "at": self.at, "token": self.token,
            "operation": self.operation, "resource_type": self.resource_type,
            "resource_id": (self.resource_id or resource_id or "")[:40] or None, "query": self.query, "status": status,
            "detail": detail, "changes": _json(changes), "moves": _json(moves),
            "milliseconds": round((time.perf_counter() - self.started) * 1000),
        }  # fmt: skip


def _json(items: Sequence[Any]) -> str | None:
    return json.dumps([vars(item) for item in items], ensure_ascii=False) if items else None


def write_line(connection: sa.Connection, row: dict[str, Any]) -> None:
    """Write a line in the transaction of what it tells."""
    connection.execute(ADD_LINE, row)


class LaterLines:
    """Writes the lines of look-ups from a thread of its own. `close` writes what is waiting."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue(WAITING)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="provisioning-log", daemon=True)
        self._thread.start()

    def add(self, row: dict[str, Any]) -> None:
        """Have a line written soon."""
        self._lines.put(row)

    def close(self) -> None:
        """Write what is waiting and stop."""
        self._closing.set()
        self._lines.put(None)
        self._thread.join(timeout=30)

    def _run(self) -> None:
        last = False
        while not last:
            rows = [self._lines.get()]
            self._closing.wait(FLUSH_SECONDS)
            while not self._lines.empty() and len(rows) < 1000:
                rows.append(self._lines.get())
            last = None in rows
            self._write([row for row in rows if row is not None])

    def _write(self, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        try:
            with self.database.write() as connection:
                connection.execute(ADD_LINE, rows)
        except (ScimopsError, sa.exc.SQLAlchemyError) as error:  # this thread must go on
            logging.getLogger("scimops").error("%d lines of look-ups were not logged: %s", len(rows), error)
