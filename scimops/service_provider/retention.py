"""How long the logs are kept: by age both, by size the provisioning log too. The oldest lines go first, few at a time.

The audit log is append-only for everybody, and still its lines go when they are too old: it names people's ids.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import threading
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import sqlalchemy as sa

from scimops.errors import ScimopsError
from scimops.service_provider.database import Database, utc
from scimops.service_provider.placement import ignoring, now
from scimops.service_provider.tables import audit_log, provisioning_log, server

CHUNK = 500
"""Lines that one transaction deletes: some milliseconds, so that no writer waits long."""

MEASURED = 5000
"""Lines that one statement measures."""

PAUSE_SECONDS = 0.02
EVERY = dt.timedelta(hours=1)
LINE_BYTES = 160
"""What a line takes beside its texts: keys, times, three indexes (measured on SQLite)."""

_CLAIM, _SIZE = "logs pruned", "provisioning log size"
_LOG = provisioning_log.c
_SETTLED = dt.timedelta(minutes=5)  # a request that began then may still be at work, and its line come after others


@dataclass(frozen=True)
class Keep:
    """How much of the logs is kept."""

    days: int = 365
    size: int = 1 << 30
    """Bytes of the provisioning log."""


@dataclass(frozen=True)
class Pruned:
    """What one round deleted, and the size of the provisioning log after it in bytes."""

    lines: int
    audit_lines: int
    size: int


class Retention:
    """Prunes from a thread of its own: at the start and every hour. Of several processes one does it."""

    def __init__(self, database: Database, keep: Keep) -> None:
        self.database, self.keep = database, keep
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, after the transaction at work."""
        self._stop.set()
        self._thread.join(timeout=30)

    def _run(self) -> None:
        pause = dt.timedelta(minutes=1)  # at a start the other processes of this server start too
        while not self._stop.is_set():
            try:
                if claim(self.database, pause):
                    pruned = prune(self.database, self.keep, self._stop)
                    if pruned.lines or pruned.audit_lines:
                        logging.getLogger("scimops").info("logs pruned: %s", pruned)
            except ScimopsError as error:
                logging.getLogger("scimops").error("the logs were not pruned: %s", error)
            except Exception as error:
                logging.getLogger("scimops").error("the logs were not pruned: %s", type(error).__name__)
            pause = EVERY - dt.timedelta(minutes=1)
            self._stop.wait(EVERY.total_seconds())


def claim(database: Database, pause: dt.timedelta) -> bool:
    """Is it this process's turn? It is where nobody else began within `pause`."""
    moment = now()
    with database.write() as connection:
        first = ignoring(connection, server).values(name=_CLAIM, value=moment.isoformat()).returning(server.c.name)
        if connection.scalar(first) is not None:
            return True
        before = (moment - pause).isoformat()
        due = sa.update(server).where(server.c.name == _CLAIM, server.c.value <= before)
        return bool(connection.execute(due.values(value=moment.isoformat())).rowcount)


def prune(database: Database, keep: Keep, stop: threading.Event | None = None) -> Pruned:
    """Delete what is too old and, of the provisioning log, what is too much; the oldest first.

    The size is exact as of five minutes ago: a running sum in the table `server`, to which each round adds only the
    lines that are new and from which it takes those that it deletes.
    """
    stop = stop or threading.Event()
    oldest = now() - dt.timedelta(days=keep.days)
    lines = _delete(database, provisioning_log, oldest, stop)
    audit_lines = _delete(database, audit_log, oldest, stop)
    size = _measure(database, stop)
    while size > keep.size and not stop.is_set():
        with database.write() as connection:
            measured = _LOG.n <= _sum(connection)[0]
            gone = _delete_chunk(connection, sa.select(_LOG.n).where(measured).order_by(_LOG.n))
            size = _sum(connection)[1] if gone else 0
        lines += gone
        stop.wait(PAUSE_SECONDS)
    return Pruned(lines, audit_lines, size)


def forget_size(connection: sa.Connection) -> None:
    """Have the next round measure all lines anew: some were rewritten."""
    connection.execute(sa.delete(server).where(server.c.name == _SIZE))


def _delete(database: Database, table: sa.Table, oldest: dt.datetime, stop: threading.Event) -> int:
    count, old = 0, sa.select(table.c.n).where(table.c.at < oldest)
    while not stop.is_set():
        with database.write() as connection:
            gone = _delete_chunk(connection, old, table)
        count += gone
        if gone < CHUNK:
            break
        stop.wait(PAUSE_SECONDS)
    return count


def _delete_chunk(connection: sa.Connection, query: sa.Select[Any], table: sa.Table = provisioning_log) -> int:
    ns = connection.scalars(query.limit(CHUNK)).all()
    if ns and table is provisioning_log:
        upto, size = _sum(connection)
        counted = _LOG.n.in_(ns) & (_LOG.n <= upto)
        _keep_sum(connection, upto, size - int(connection.scalar(_size_of(connection).where(counted)) or 0))
    connection.execute(sa.delete(table).where(table.c.n.in_(ns)))
    return len(ns)


def _measure(database: Database, stop: threading.Event) -> int:
    """Add the lines that are new since the last round to the sum; the sum."""
    with database.read() as connection:
        upto, size = _sum(connection)
    while not stop.is_set():
        with database.read() as connection:
            new = sa.select(_LOG.n, _LOG.at).where(_LOG.n > upto).order_by(_LOG.n).limit(MEASURED)
            settled = takewhile(_is_settled, connection.execute(new).all())
            last = max((row.n for row in settled), default=None)
            if last is None:
                break
            counted = (_LOG.n > upto) & (_LOG.n <= last)
            more = int(connection.scalar(_size_of(connection).where(counted)) or 0)
        upto, size = last, size + more
        with database.write() as connection:
            _keep_sum(connection, upto, size)
        stop.wait(PAUSE_SECONDS)
    return size


def _is_settled(row: Any) -> bool:
    at = utc(row.at)
    return at is not None and at < now() - _SETTLED


def _size_of(connection: sa.Connection) -> sa.Select[Any]:
    texts = [_LOG.query, _LOG.detail, _LOG.changes, _LOG.moves, _LOG.resource_id, _LOG.token]
    if connection.dialect.name == "sqlite":
        lengths = [sa.func.length(sa.cast(text, sa.LargeBinary)) for text in texts]
    else:
        lengths = [sa.func.octet_length(sa.cast(text, sa.Text)) for text in texts]
    total: Any = LINE_BYTES
    for length in lengths:
        total = total + sa.func.coalesce(length, 0)
    return sa.select(sa.func.sum(total))


def _sum(connection: sa.Connection) -> tuple[int, int]:
    """Up to which line the sum goes, and the sum in bytes."""
    kept = connection.scalar(sa.select(server.c.value).where(server.c.name == _SIZE))
    upto, size = json.loads(kept) if kept else (0, 0)
    return upto, size


def _keep_sum(connection: sa.Connection, upto: int, size: int) -> None:
    value = json.dumps([upto, size])
    connection.execute(ignoring(connection, server).values(name=_SIZE, value=value))
    connection.execute(sa.update(server).where(server.c.name == _SIZE).values(value=value))
