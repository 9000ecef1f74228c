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
SURE = ("fsync=off", "full_page_writes=off", "max_connections=200", "listen_addresses=")
"""What is committed survives the server, though not this computer."""

FAST = (*SURE, "synchronous_commit=off")


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


class Cluster:
    """A private server in a temporary folder, which tests may stop and start."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder, self.user = folder, _other_user()
        self.url = f"postgresql://postgres@/postgres?host={folder}"
        self._options = " ".join(f"-c {option}" for option in (*options, f"unix_socket_directories={folder}"))
        if self.user:
            os.chown(folder, self.user["user"], self.user["group"])
        how = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        _run(program("initdb"), "-D", str(folder / "data"), *how, **self.user)

    def start(self) -> None:
        """Start it; ready afterwards."""
        self._control("start", "-w", "-t", "60", "-l", str(self.folder / "log"), "-o", self._options)

    def stop(self) -> None:
        """End it at once, as if it crashed: every connection breaks."""
        self._control("stop", "-m", "immediate")

    def _control(self, *command: str) -> None:
        _run(program("pg_ctl"), *command, "-D", str(self.folder / "data"), **self.user)


@contextmanager
def private_postgres(*options: str) -> Iterator[Cluster]:
    """A private server, started, with settings such as `fsync=off`.

    Raises:
        NoPostgresError: PostgreSQL is not here or does not start, with how to install it.
    """
    folder = Path(tempfile.mkdtemp(prefix="scimops-pg-"))
    try:
        cluster = Cluster(folder, *options)
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_postgres() -> Iterator[str]:
    """The URL of a server: the one in SCIMOPS_TEST_POSTGRES, else a private one.

    Raises:
        NoPostgresError: there is none, with how to install it.
    """
    if given := os.environ.get("SCIMOPS_TEST_POSTGRES"):
        yield given
        return
    with private_postgres(*FAST) as cluster:
        yield cluster.url


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
