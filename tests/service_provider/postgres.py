"""A private PostgreSQL for the tests: a cluster in a temporary folder, reached by a socket in it, gone afterwards."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

INSTALL = (
    "There is no PostgreSQL here, and these tests are never skipped. Install the Debian package `postgresql`: "
    "apt-get install postgresql. Or name a running server in SCIMOPS_TEST_POSTGRES, such as "
    "postgresql://USER:PASSWORD@HOST/postgres, whose user may create databases."
)
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200", "listen_addresses=")


class NoPostgresError(Exception):
    """PostgreSQL's programs are not here, or do not start."""


def program(name: str) -> str:
    """The path of one of PostgreSQL's programs, on the PATH or where Debian puts it."""
    found = shutil.which(name)
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    if found is None and not places:
        raise NoPostgresError(INSTALL)
    return str(Path(found or places[-1]).resolve())


def _other_user() -> dict[str, Any]:
    """Whom the server runs as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise NoPostgresError("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`.")


def _run(*command: str, **user: Any) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", timeout=120, **user)
    if done.returncode:
        raise NoPostgresError(f"{Path(command[0]).name} failed: {done.stdout}{done.stderr}\n{INSTALL}")


@contextmanager
def running_postgres() -> Iterator[str]:
    """The URL of a server: the one in SCIMOPS_TEST_POSTGRES, else a private one.

    Raises:
        NoPostgresError: there is none, with how to install it.
    """
    if given := os.environ.get("SCIMOPS_TEST_POSTGRES"):
        yield given
        return
    initdb, pg_ctl, user = program("initdb"), program("pg_ctl"), _other_user()
    folder = Path(tempfile.mkdtemp(prefix="scimops-pg-"))
    try:
        if user:
            os.chown(folder, user["user"], user["group"])
        data, log = folder / "data", folder / "log"
        _run(initdb, "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N", **user)
        options = " ".join(f"-c {option}" for option in (*FAST, f"unix_socket_directories={folder}"))
        _run(pg_ctl, "start", "-w", "-t", "60", "-D", str(data), "-l", str(log), "-o", options, **user)
        try:
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            _run(pg_ctl, "stop", "-m", "immediate", "-D", str(data), **user)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def new_database(server: str, template: str | None = None) -> Iterator[str]:
    """The URL of a database of its own on the server at the URL `server`, dropped afterwards."""
    name = f"scimops_{os.getpid()}_{secrets.token_hex(4)}"
    like = f'TEMPLATE "{template}"' if template else ""
    _execute(server, f'CREATE DATABASE "{name}" {like}')
    try:
        yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        _execute(server, f'DROP DATABASE "{name}" WITH (FORCE)')


def _execute(server: str, statement: str) -> None:
    engine = sa.create_engine(
        sa.make_url(server).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT"
    )
    for attempt in range(20):
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql(statement)
            return
        except sa.exc.OperationalError:  # the template is in use by another test that is being made
            if attempt == 19:
                raise
            time.sleep(0.05 * (attempt + 1))
