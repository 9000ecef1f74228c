"""What tests of the platform's client share: the embedded platform on a real port, over SQLite, and its connections."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "service_provider"))  # as pytest itself does for the tests there

from ends import QUICK, SECRET_NAME, Connected, connection_to
from managing import Platform as Embedded
from managing import running_platform

from scimops.platform import Platform, connect
from scimops.service_provider import directory
from scimops.service_provider.database import Database, open_database
from scimops.service_provider.tables import metadata


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'scimops.db'}")
    with opened.write() as connection:
        metadata.create_all(connection)
    yield opened
    opened.close()


@pytest.fixture
def company(database: Database) -> str:
    with database.write() as connection:
        return directory.create_company(connection, "Example Ltd", seats=50)


@pytest.fixture
def embedded(database: Database) -> Iterator[Embedded]:
    with running_platform(database) as running:
        yield running


@pytest.fixture
def connected(embedded: Embedded, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connected]:
    """Connects with a new credential: of a company, or of a reseller (None), and what the connection says besides."""
    opened: list[Platform] = []

    def open_one(owner: str | None, url: str = "", **more: Any) -> Platform:
        made = embedded.credential(owner)
        name = f"{SECRET_NAME}_{len(opened)}"
        monkeypatch.setenv(name, made.secret.reveal())
        connection = connection_to(url or embedded.url, client_id=made.client_id, client_secret=f"env:{name}", **more)
        opened.append(connect(connection, QUICK))
        return opened[-1]

    yield open_one
    for platform in opened:
        platform.close()


@pytest.fixture
def platform(connected: Connected, company: str) -> Platform:
    """The client of a company's admin."""
    return connected(company, company_id=company, company_name="Example Ltd")
