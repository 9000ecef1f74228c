"""What the commands of upkeep name: a database that a server made, a company, a target group."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa

from scimops.errors import UsageError
from scimops.grouping import group_key
from scimops.service_provider.database import Database, open_database
from scimops.service_provider.migrations import newest
from scimops.service_provider.tables import companies, groups


def open_made(url: str) -> Database:
    """The database that `scimops serve` made at `url`; nothing is made here.

    Raises:
        UsageError: there is none, or it has the tables of another version.
    """
    parsed = sqlite_path(url)
    if parsed is not None and not parsed.is_file():
        raise UsageError("There is no database.", where=str(parsed), advice="--database URL names the server's.")
    database = open_database(url)
    with database.read() as connection:
        made = sa.inspect(connection).has_table("alembic_version")
        version = connection.scalar(sa.text("SELECT version_num FROM alembic_version")) if made else None
    if version != newest():
        database.close()
        advice = "Start `scimops serve` with it once." if made else "--database URL names the server's."
        raise UsageError("The database has not the tables of this version.", advice=advice)
    return database


def sqlite_path(url: str) -> Path | None:
    """The file of SQLite's database at `url`; None where it is another database's.

    Raises:
        UsageError: `url` is no URL, or names a database in memory.
    """
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise UsageError("--database is no URL.", advice="Say sqlite:///FILE or postgresql://HOST/NAME.") from None
    if parsed.get_backend_name() != "sqlite":
        return None
    if parsed.database in (None, "", ":memory:"):
        raise UsageError("--database names no file.", advice="Say sqlite:///FILE.")
    return Path(str(parsed.database))


def company_of(connection: sa.Connection, named: str | None) -> str:
    """The id of the company with this name or id; of the first one where none is named.

    Raises:
        UsageError: there is none, or several have this name.
    """
    query = sa.select(companies.c.id).order_by(companies.c.created)
    if named is not None:
        query = query.where((companies.c.id == named) | (companies.c.name == named))
    ids = connection.scalars(query.limit(100)).all()
    return _the_one(ids[:1] if named is None else ids, "company", "--company")


def group_of(connection: sa.Connection, company_id: str, named: str) -> str:
    """The id of the company's target group with this name (as grouping compares names) or id.

    Raises:
        UsageError: there is none, or several have this name.
    """
    target = (groups.c.company_id == company_id) & (groups.c.target_n == groups.c.n)
    ids = connection.scalars(sa.select(groups.c.id).where(target, groups.c.id == named)).all()
    if not ids:
        ids = connection.scalars(sa.select(groups.c.id).where(target, groups.c.group_key == group_key(named))).all()
    return _the_one(ids, "target group", "the group")


def _the_one(ids: Sequence[str], what: str, where: str) -> str:
    if len(ids) == 1:
        return ids[0]
    if not ids:
        raise UsageError(f"There is no such {what}.", where=where)
    raise UsageError(f"Several are meant: {', '.join(ids)}.", where=where, advice="Say one by its id.")
