"""What the tests of create_setting share: the embedded platform on a real port and a client connected to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ends import QUICK, connection_to
from managing import Platform as Embedded

from scimops.idp import read_export
from scimops.platform import Platform, connect
from scimops.preview import Preview, preview_export
from scimops.setting import Setting

EXPORT = """userPrincipalName,displayName,mail,department,accountEnabled,userType,objectId,country
anna@example.com,Anna,anna@example.com,Sales,True,Member,1,NO
ben@example.com,Ben,ben@example.com,SALES,True,Member,2,SE
cleo@example.com,Cleo,cleo@example.com,,True,Member,3,NO
"""


@pytest.fixture
def platform(embedded: Embedded, company: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """A client of the company's management API."""
    made = embedded.credential(company)
    monkeypatch.setenv("SCIMOPS_TEST_ADMIN", made.secret.reveal())
    more = {"client_id": made.client_id, "client_secret": "env:SCIMOPS_TEST_ADMIN", "company_name": "Example Ltd"}
    with connect(connection_to(embedded.url, company_id=company, **more), QUICK) as client:
        yield client


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """Where the setting's document is; not written yet."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder / "setting.yaml"


@pytest.fixture
def looked(tmp_path: Path) -> Callable[[Setting], Preview]:
    """The preview of three people under a setting."""
    path = tmp_path / "exportUsers.csv"
    path.write_text(EXPORT)

    def look(setting: Setting, **more: Any) -> Preview:
        return preview_export(read_export(path), setting, **more)

    return look
