"""What tests of several steps share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from managing import Platform as Embedded

    from scimops.service_provider.database import Database


@pytest.fixture(scope="session", autouse=True)
def own_ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the tests run is written into a ledger of theirs, never into that of who runs them."""
    os.environ["SCIMOPS_LEDGER"] = str(tmp_path_factory.mktemp("ledger") / "runs.ndjson")
    yield
    del os.environ["SCIMOPS_LEDGER"]


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Debian's Chromium. Without it the tests that drive a browser fail; they are never skipped."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("There is no Chromium here. Install the Debian package `chromium`: apt-get install chromium")
    return path


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty SQLite database of the embedded platform; the tests of the service provider have one of each kind."""
    from scimops.service_provider.database import open_database
    from scimops.service_provider.tables import metadata

    opened = open_database(f"sqlite:///{tmp_path / 'platform.db'}")
    metadata.create_all(opened.engine)
    yield opened
    opened.close()


@pytest.fixture
def company(database: Database) -> str:
    """A company on the embedded platform; its id."""
    from scimops.service_provider.directory import create_company

    with database.write() as connection:
        return create_company(connection, "Example Ltd", seats=50)


@pytest.fixture
def embedded(database: Database) -> Iterator[Embedded]:
    """The embedded platform on a real port."""
    from managing import running_platform

    with running_platform(database) as running:
        yield running
