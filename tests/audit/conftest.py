"""The embedded platform with a setting, and a connection to its management API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from auditing import SETTING, Company
from ends import QUICK, SECRET_NAME, connection_to
from managing import Platform as Embedded

from scimops.platform import connect
from scimops.service_provider.directory import create_setting


@pytest.fixture
def acme(embedded: Embedded, company: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    with embedded.database.write() as connection:
        token = create_setting(connection, company, SETTING).token.reveal()
    made = embedded.credential(company)
    monkeypatch.setenv(SECRET_NAME, made.secret.reveal())
    with connect(connection_to(embedded.url, client_id=made.client_id), QUICK) as opened:
        yield Company(embedded, opened, company, token, tmp_path)
