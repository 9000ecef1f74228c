"""The database behind the embedded platform: SQLite in WAL by default, PostgreSQL by URL.

One request is one transaction. A write on SQLite takes the write lock at its start, so it never fails half-way with
"database is locked"; within one process writes queue in order of arrival.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from scimops.errors import ScimopsError, UsageError

T = TypeVar("T")

ID_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
LOCK_SECONDS = 30
CONNECT_SECONDS = 10
_PRAGMAS = ("journal_mode=WAL", "foreign_keys=ON", f"busy_timeout={LOCK_SECONDS * 1000}", "cache_size=-32768")
_RETRIED = ("40001", "40P01")  # PostgreSQL: serialization failure, deadlock


class DatabaseGoneError(ScimopsError):
    """The database cannot be reached or cannot be written: disk full, server away. Nothing was changed."""


def new_id() -> str:
    """A random id of twelve characters, as short as the platform's own."""
    return "".join(secrets.choice(ID_ALPHABET) for _ in range(12))


def loaded(document: Any) -> Any:
    """A JSON column's value; the database's driver may have read it already."""
    return json.loads(document) if isinstance(document, (str, bytes)) else document


def utc(moment: dt.datetime | None) -> dt.datetime | None:
    """A time from the database: SQLite keeps no time zone, and every time in it is UTC."""
    if moment is None or moment.tzinfo is not None:
        return moment.astimezone(dt.UTC) if moment else None
    return moment.replace(tzinfo=dt.UTC)


@dataclass
class Database:
    """An engine with the transactions of the platform. Made by :func:`open_database`."""

    engine: sa.Engine
    _writer: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def _writing(self) -> sa.Engine:
        return self.engine.execution_options(scimops_write=True)

    @property
    def sqlite(self) -> bool:
        """Is it SQLite, with its one writer at a time?"""
        return self.engine.dialect.name == "sqlite"

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A consistent view of the data.

        Raises:
            DatabaseGoneError: the database cannot be reached.
        """
        with _faults(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that is committed at the end, or rolled back by any error.

        Raises:
            DatabaseGoneError: nothing was written.
        """
        alone = self._writer if self.sqlite else contextlib.nullcontext()
        with _faults(), alone, self._writing.connect() as connection, connection.begin():
            yield connection

    def queue(self, connection: sa.Connection, company_id: str) -> None:
        """Wait until no other transaction that queued for this company is at work (PostgreSQL; on SQLite none is)."""
        if not self.sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(company_id, 7644))))

    def retried(self, work: Callable[[], T]) -> T:
        """`work()`, again when PostgreSQL gave way to another transaction (deadlock).

        Raises:
            DatabaseGoneError: so five times.
        """
        for attempt in range(5):
            try:
                return work()
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in _RETRIED:
                    raise
                if attempt == 4:
                    raise DatabaseGoneError("The database is busy.", where=type(error.orig).__name__) from error
                time.sleep(0.01 * 2**attempt * (1 + secrets.randbelow(100) / 100))
        raise AssertionError

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


@contextlib.contextmanager
def _faults() -> Iterator[None]:
    """A database that is away or full, as one error."""
    try:
        yield
    except sa.exc.OperationalError as error:
        if getattr(error.orig, "sqlstate", None) in _RETRIED:
            raise
        raise DatabaseGoneError("The database cannot be used now.", where=type(error.orig).__name__) from error
    except (sa.exc.InterfaceError, sa.exc.TimeoutError, sa.exc.PendingRollbackError) as error:
        raise DatabaseGoneError("The database cannot be reached.", where=type(error).__name__) from error
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated:
            raise DatabaseGoneError("The connection to the database broke.") from error
        raise


def open_database(url: str, *, synchronous: str = "NORMAL", pool: int = 16) -> Database:
    """The database at `url`: `sqlite:///FILE` or `postgresql://…`. Its tables are made by `migrate`.

    `synchronous` is SQLite's: NORMAL survives the death of the process, FULL that of the machine too.

    Raises:
        UsageError: `url` is no URL of SQLite or PostgreSQL.
    """
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise UsageError("--database is no URL.", advice="Say sqlite:///FILE or postgresql://HOST/NAME.") from None
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        name = parsed.get_backend_name()
        raise UsageError(f"--database names {name}.", advice="SQLite and PostgreSQL are supported.")
    common: dict[str, Any] = {"json_serializer": _as_is, "json_deserializer": _as_is, "pool_size": pool}
    common["hide_parameters"] = True  # errors are logged, and what a statement carries is people's data
    if parsed.get_backend_name() == "postgresql":
        engine = sa.create_engine(
            parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, max_overflow=0,
            connect_args={} if "connect_timeout" in parsed.query else {"connect_timeout": CONNECT_SECONDS}, **common,
        )  # fmt: skip
        return Database(engine)
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(parsed, poolclass=sa.QueuePool, max_overflow=0, **common)
    _tune_sqlite(engine, synchronous)
    return Database(engine)


def _as_is(text: Any) -> Any:
    return text


def _tune_sqlite(engine: sa.Engine, synchronous: str) -> None:
    @sa.event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun by us, not by the driver
        for pragma in (*_PRAGMAS, f"synchronous={synchronous}"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begun(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("scimops_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
