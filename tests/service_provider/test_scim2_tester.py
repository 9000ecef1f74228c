"""scim2-tester, an independent client that checks a service provider against RFC 7643 and 7644, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server
from serving import new_subject, served

from scimops.setting import Setting

SETTINGS = {
    "department": {"criterion": {"field": "department"}, "target_group": "Everyone"},
    "idp groups": {"criterion": {"idp_groups": True}, "target_group": "Everyone"},
}


@pytest.mark.parametrize(
    ("database_url", "groups"), [("sqlite", "department"), ("postgresql", "idp groups")], indirect=["database_url"]
)  # the databases are held to one contract in test_storage_contract
def test_scim2_tester_finds_nothing(groups: str, database: Any) -> None:
    setting = Setting.model_validate({"name": "T", "group_settings": SETTINGS[groups]})
    with served(database, new_subject(database, setting)) as client:
        scim = SyncSCIMClient(client)
        scim.discover()
        results = check_server(scim)
    wrong = [
        f"{result.status.name} {result.title}: {result.reason}" for result in results if result.status != Status.SUCCESS
    ]
    assert results
    assert wrong == [], "\n".join(wrong)
