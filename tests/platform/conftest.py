"""What tests of the platform's client share: the embedded platform on a real port, over SQLite, and its connections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ends import QUICK, SECRET_NAME, Connected, connection_to
from managing import Platform as Embedded

from scimops.platform import Platform, connect


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
