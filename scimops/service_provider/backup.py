"""A copy of the platform's database while it serves: of one moment, checked, for its owner's eyes only."""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import sqlite3
from pathlib import Path

import sqlalchemy as sa

from scimops.errors import ScimopsError, UsageError
from scimops.service_provider.database import LOCK_SECONDS
from scimops.service_provider.upkeep import sqlite_path


class BackupError(ScimopsError):
    """The copy could not be made, or is not whole; there is none then."""


def back_up(url: str, target: Path) -> int:
    """Copy SQLite's database at `url` to the new file `target` (mode 0600); its size in bytes.

    `VACUUM INTO` copies what one reading transaction sees, so writers go on meanwhile, and free pages are left out.
    The copy has another name until it is whole, checked and on disk.

    Raises:
        UsageError: `target` is there already, or there is nothing to copy; for PostgreSQL, with the line to say.
        BackupError: the disk is full, or the database is damaged.
    """
    source = sqlite_path(url)
    if source is None:
        raise UsageError("PostgreSQL has a tool of its own for this.", advice=_pg_dump(url, target))
    if not source.is_file():
        raise UsageError("There is no database.", where=str(source), advice="--database URL names the server's.")
    _refuse_taken(target)
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _copy(source, partial)
        with partial.open("rb+") as stream:
            os.fsync(stream.fileno())
        size = partial.stat().st_size
        _refuse_taken(target)
        partial.rename(target)
    except (OSError, sqlite3.Error) as error:
        raise BackupError(f"There is no copy: {error}.", where=str(target)) from error
    finally:
        partial.unlink(missing_ok=True)
    return size


def _copy(source: Path, target: Path) -> None:
    with contextlib.closing(sqlite3.connect(source, timeout=LOCK_SECONDS, isolation_level=None)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'companies'").fetchone():
            raise UsageError("This is no database of `scimops serve`.", where=str(source))
        connection.execute("VACUUM INTO ?", (str(target),))
    with contextlib.closing(sqlite3.connect(target)) as copy:
        found = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise BackupError("The copy is damaged, so the database may be too.", where=str(source))


def _refuse_taken(target: Path) -> None:
    if os.path.lexists(target):
        raise UsageError("It is there already.", where=str(target), advice="Name a new file.")


def _pg_dump(url: str, target: Path) -> str:
    parsed = sa.make_url(url)
    shown = sa.URL.create(
        "postgresql", parsed.username, None, parsed.host, parsed.port, parsed.database,
        {name: value for name, value in parsed.query.items() if name.lower() != "password"},
    )  # fmt: skip
    words = ["pg_dump", "--format=custom", f"--file={target}", shown.render_as_string()]
    return f"Say: {shlex.join(words)} (it asks for the password, or takes it from PGPASSWORD or ~/.pgpass)."
