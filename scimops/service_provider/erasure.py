"""Erasing a person: out of the people, groups and enrolments, and out of both logs, whose lines stay without them.

Also somebody else's manager is no more named. Which words tell of a person is in `traces`. The order makes an erasure
that was cut off repeatable: what leads to a person (their row, the lines about them) goes last.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from scimops.attributes import ENTERPRISE
from scimops.errors import ScimopsError, UsageError
from scimops.grouping import identity_key
from scimops.resources import flatten
from scimops.service_provider.attribute_places import folded
from scimops.service_provider.database import LOCK_SECONDS, Database, loaded
from scimops.service_provider.management.answers import Caller
from scimops.service_provider.management.audit import record
from scimops.service_provider.placement import now, touch
from scimops.service_provider.provisioning_log import FLUSH_SECONDS
from scimops.service_provider.retention import forget_size
from scimops.service_provider.tables import audit_log, enrolled, memberships, provisioning_log, users
from scimops.service_provider.traces import ERASED, Traces, is_identity, is_naming, may_hold, texts
from scimops.service_provider.upkeep import sqlite_path

BY_COMMAND = Caller("scimops serve erase", None)
_LOG = provisioning_log.c


class NotScrubbedError(ScimopsError):
    """The person is erased, but bytes of what was there may be in SQLite's files still."""


@dataclass
class Erased:
    """How much an erasure removed, or would remove."""

    people: int = 0
    memberships: int = 0
    enrolments: int = 0
    named_as_manager: int = 0
    lines_of_provisioning_log: int = 0
    lines_of_audit_log: int = 0

    def counts(self) -> dict[str, int]:
        """Each count by its name."""
        return {item.name: getattr(self, item.name) for item in fields(self)}


def erase_person(database: Database, named: str, *, dry_run: bool = False) -> Erased:
    """Erase the person whose userName, e-mail address, externalId or resource id is `named`.

    Also one who is in the logs alone, because the identity provider deleted them. With `dry_run` only counts.

    Raises:
        UsageError: nobody is meant, or several people are; their ids are named.
    """
    traces, row, company_id = _traces(database, named)
    erased = Erased()
    last = _erase_lines(database, traces, erased, 0, dry_run)
    with database.read() if dry_run else database.write() as connection:
        _erase_row(connection, row, erased, dry_run)
        _erase_manager(connection, traces, row, erased, dry_run)
        _erase_audit(connection, traces, erased, dry_run)
        for line in _own_lines(connection, traces.ids):
            _erase_line(connection, traces, line, erased, dry_run)
        if not any(erased.counts().values()):
            raise UsageError("Nobody of that name is here, and no line of a log tells of them.")
        if not dry_run:
            forget_size(connection)
            record(connection, company_id, BY_COMMAND, "Erase", "TargetUser", None)
    if not dry_run:
        time.sleep(2 * FLUSH_SECONDS)  # a server at work writes its lines of look-ups a little later
        _erase_lines(database, traces, erased, last - 1000, dry_run, own=True)
    return erased


def scrub(url: str) -> None:
    """Have the bytes of what was deleted gone from SQLite's files: written anew, and nothing left in the -wal file.

    Raises:
        NotScrubbedError: the disk is full, or another program holds the database.
    """
    path = sqlite_path(url)
    if path is None:
        return
    advice = f"Free some space or stop the server, then say: sqlite3 {path} VACUUM"
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=LOCK_SECONDS, isolation_level=None)) as connection:
            connection.execute("VACUUM")
            for _ in range(10):
                if connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0:
                    return
                time.sleep(0.5)
    except sqlite3.Error as error:
        raise NotScrubbedError(f"Erased, but old bytes may be on disk: {error}.", advice=advice) from error
    raise NotScrubbedError("Erased, but a reader holds old bytes in the -wal file.", advice="Stop the server once.")


# -- Who is meant ---------------------------------------------------------------------------------


def _traces(database: Database, named: str) -> tuple[Traces, Any, str | None]:
    """The words that tell of the person; their row and their company, where there is one."""
    with database.read() as connection:
        key = identity_key(named)
        match = (users.c.id == named) | (users.c.user_name_key == key) | (users.c.email_key == key)
        rows = connection.execute(sa.select(users).where(match | (users.c.external_id == named))).all()
        ids = {row.id for row in rows}
        if named not in ids:
            ids |= _ids_in_log(connection, named)
        if len(ids) > 1:
            raise UsageError(f"Several people are meant: {', '.join(sorted(ids))}.", advice="Say one by the id.")
        row = connection.execute(sa.select(users).where(users.c.id.in_(ids))).one_or_none()
        company_id = row.company_id if row else None
        names, facts = _of_row(row)
        for line in _own_lines(connection, ids):
            company_id = line.company_id
            for change in loaded(line.changes) or []:
                names |= set(texts(change["old"], change["new"])) if is_identity(change["attribute"]) else set()
                facts |= _facts(change["attribute"], change["old"], change["new"])
    return Traces(frozenset(ids), frozenset(names or {named} - ids), frozenset(facts)), row, company_id


def _ids_in_log(connection: sa.Connection, named: str) -> set[str]:
    """Whose lines say that they have or had this name: people that were deleted, or renamed since."""
    key, found = identity_key(named), set()
    people = (_LOG.resource_type == "Users") & _LOG.resource_id.is_not(None) & (_LOG.resource_id != ERASED)
    query = sa.select(_LOG.n, _LOG.resource_id, _LOG.changes).where(people, _LOG.changes.is_not(None))
    for row in _rows(connection, query):
        for change in loaded(row.changes) if may_hold([key], row.changes) else []:
            had = texts(change["old"], change["new"]) if is_identity(change["attribute"]) else ()
            if any(identity_key(text) == key for text in had):
                found.add(row.resource_id)
    own = sa.select(_LOG.n).where(people, _LOG.resource_id == named, _LOG.status < 400).limit(1)
    return found | ({named} if connection.scalar(own) is not None else set())


def _of_row(row: Any) -> tuple[set[str], set[tuple[str, str]]]:
    """The names a person has now, and facts that help to know them."""
    if row is None:
        return set(), set()
    names, facts = {row.user_name, row.email, row.external_id} - {None}, set()
    for attribute, value in flatten(loaded(row.document)).items():
        names |= set(texts(value)) if is_identity(attribute) else set()
        facts |= _facts(attribute, value)
    return names, facts


def _facts(attribute: str, *values: Any) -> set[tuple[str, str]]:
    return {(attribute, text) for text in texts(*values)} if is_naming(attribute) else set()


# -- Taking out -----------------------------------------------------------------------------------


def _erase_row(connection: sa.Connection, row: Any, erased: Erased, dry_run: bool) -> None:
    if row is None:
        return
    if not dry_run:  # a request about this person that is at work is waited for
        connection.execute(sa.select(users.c.n).where(users.c.n == row.n).with_for_update())
    held = connection.scalars(sa.select(memberships.c.group_n).where(memberships.c.user_n == row.n)).all()
    of = sa.select(sa.func.count()).select_from(enrolled).where(enrolled.c.user_n == row.n)
    erased.people, erased.memberships, erased.enrolments = 1, len(held), connection.scalar(of) or 0
    if not dry_run:
        for table in (memberships, enrolled):
            connection.execute(sa.delete(table).where(table.c.user_n == row.n))
        connection.execute(sa.delete(users).where(users.c.n == row.n))
        touch(connection, held)


def _erase_manager(connection: sa.Connection, traces: Traces, row: Any, erased: Erased, dry_run: bool) -> None:
    """Nobody has the person as their manager any more."""
    query = sa.select(users.c.n, users.c.document).where(sa.cast(users.c.document, sa.Text).contains('"manager"'))
    for other in _rows(connection, query, users.c.n):
        document = loaded(other.document)
        manager = (document.get(ENTERPRISE) or {}).get("manager")
        if not manager or traces.without(manager, exact=True) == manager or (row is not None and other.n == row.n):
            continue
        erased.named_as_manager += 1
        if not dry_run:
            del document[ENTERPRISE]["manager"]
            text = json.dumps(document, ensure_ascii=False)
            changed = {"document": text, "folded": folded(text), "version": users.c.version + 1, "modified": now()}
            connection.execute(sa.update(users).where(users.c.n == other.n).values(changed))


def _erase_lines(
    database: Database, traces: Traces, erased: Erased, after: int, dry_run: bool, *, own: bool = False
) -> int:  # fmt: skip
    """Erase the person from other lines (with `own` from theirs too), chunk by chunk; the last line's number."""
    while True:
        with database.read() as connection:
            query = sa.select(provisioning_log).where(_LOG.n > after).order_by(_LOG.n).limit(1000)
            rows = connection.execute(query).all()
        if not rows:
            return after
        told = [row for row in rows if (own or row.resource_id not in traces.ids) and traces.changed(row)]
        if told and not dry_run:
            with database.write() as connection:
                for row in told:
                    _erase_line(connection, traces, row, erased, dry_run)
        elif told:
            erased.lines_of_provisioning_log += len(told)
        after = rows[-1].n


def _erase_line(connection: sa.Connection, traces: Traces, row: Any, erased: Erased, dry_run: bool) -> None:
    changed = traces.changed(row)
    if changed:
        erased.lines_of_provisioning_log += 1
        if not dry_run:
            connection.execute(sa.update(provisioning_log).where(_LOG.n == row.n).values(changed))


def _erase_audit(connection: sa.Connection, traces: Traces, erased: Erased, dry_run: bool) -> None:
    for row in _rows(connection, sa.select(audit_log), audit_log.c.n):
        own = row.entity_id in traces.ids
        new = {
            "entity_id": ERASED if own else row.entity_id,
            "old": ERASED if own and row.old else traces.clean(row.old),
            "new": ERASED if own and row.new else traces.clean(row.new),
        }  # fmt: skip
        if changed := {name: value for name, value in new.items() if value != getattr(row, name)}:
            erased.lines_of_audit_log += 1
            if not dry_run:
                connection.execute(sa.update(audit_log).where(audit_log.c.n == row.n).values(changed))


# -- Small things ---------------------------------------------------------------------------------


def _own_lines(connection: sa.Connection, ids: Collection[str]) -> Iterator[Any]:
    if ids:
        yield from _rows(connection, sa.select(provisioning_log).where(_LOG.resource_id.in_(ids)))


def _rows(connection: sa.Connection, query: sa.Select[Any], key: Any = _LOG.n) -> Iterator[Any]:
    """The rows of a query by their key, few in memory at a time; they may be changed meanwhile."""
    after = 0
    while rows := connection.execute(query.where(key > after).order_by(key).limit(1000)).all():
        yield from rows
        after = rows[-1].n
