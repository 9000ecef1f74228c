"""What tests of the embedded platform share: a database (SQLite and PostgreSQL), a company, settings, a real server."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import postgres
import pytest
import sqlalchemy as sa
from filled import NASTY, Filled
from managing import MadeSetting, ManagementClient, Platform, running_platform

from scimops.service_provider.database import Database, open_database
from scimops.service_provider.tables import metadata
from scimops.setting import Setting, quick_setting


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server. Where there is none the tests fail; they are never skipped."""
    try:
        context = postgres.running_postgres()
        url = context.__enter__()
    except postgres.NoPostgresError as error:
        pytest.fail(str(error), pytrace=False)
    try:
        yield url
    finally:
        context.__exit__(None, None, None)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """The name of a PostgreSQL database that has the tables; each test gets a copy of it."""
    with postgres.new_database(postgres_server) as url:
        make_tables(url)
        yield str(sa.make_url(url).database)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file that has the tables; each test gets a copy of it."""
    file = tmp_path_factory.mktemp("template") / "scimops.db"
    make_tables(f"sqlite:///{file}")
    return file


@pytest.fixture
def empty_postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of a PostgreSQL database without any table."""
    with postgres.new_database(postgres_server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh database with tables, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path)
        yield f"sqlite:///{tmp_path / 'scimops.db'}"
        return
    server, template = request.getfixturevalue("postgres_server"), request.getfixturevalue("postgres_template")
    with postgres.new_database(server, template) as url:
        yield url


def make_tables(url: str) -> None:
    """Make the tables in the database at `url`."""
    opened = open_database(url)
    try:
        with opened.write() as connection:
            metadata.create_all(connection)
    finally:
        opened.close()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An opened database with fresh tables: each test runs on SQLite and on PostgreSQL."""
    opened = open_database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def company(database: Database) -> str:
    """The id of a company."""
    from scimops.service_provider import directory

    with database.write() as connection:
        return directory.create_company(connection, "Example Ltd")


@pytest.fixture
def setting_factory(database: Database, company: str) -> Callable[..., MadeSetting]:
    """Makes settings: `setting_factory(group_by="department", target_group="Everyone")`, or any `Setting`."""
    from scimops.service_provider import directory

    made: list[MadeSetting] = []

    def make(
        setting: Setting | None = None, *, company_id: str | None = None, group_by: str | None = "department",
        target_group: str | None = "Everyone", **token: Any,
    ) -> MadeSetting:  # fmt: skip
        setting = setting or quick_setting(group_by, target_group, f"Setting {len(made) + 1}")
        owner = company_id or company
        with database.write() as connection:
            new = directory.create_setting(connection, owner, setting, **token)
        made.append(MadeSetting(owner, new.n, new.id, setting, new.token.reveal()))
        return made[-1]

    return make


@pytest.fixture
def platform(database: Database) -> Iterator[Platform]:
    """The management API and the SCIM endpoint on a real port, over the database of the test."""
    with running_platform(database) as running:
        yield running


@pytest.fixture
def admin(platform: Platform, company: str) -> ManagementClient:
    """A client with a credential of the company."""
    return platform.client(company)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def kept_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One database for all tests that need no more than a transaction: making a new one takes longer than they do."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('kept') / 'scimops.db'}"
        else:
            url = stack.enter_context(postgres.new_database(request.getfixturevalue("postgres_server")))
        make_tables(url)
        opened = open_database(url)
        stack.callback(opened.close)
        yield opened


@pytest.fixture
def connection(kept_database: Database) -> Iterator[sa.Connection]:
    """A writing transaction on fresh tables, once on SQLite and once on PostgreSQL; undone afterwards."""
    with kept_database.write() as opened:
        yield opened
        opened.rollback()


@pytest.fixture
def filled(connection: sa.Connection) -> Filled:
    """Nasty people of one setting, and others whom no search may show."""
    filled = Filled(connection, NASTY)
    Filled(connection, NASTY)
    return filled
