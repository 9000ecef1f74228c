"""What tests of the SCIM client share: a setting of the embedded platform, and connections to whatever speaks SCIM."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from ends import QUICK
from managing import Platform as Embedded
from proxying import TOKEN_NAME, Proxy, running_proxy, scim_connection

from scimops.client import ServiceProvider, connect
from scimops.service_provider.directory import create_setting
from scimops.setting import Setting

SETTING = Setting.model_validate(
    {
        "name": "Acme", "field_mappings": [{"attribute": 'addresses[type eq "work"].country', "field": "Region"}],
        "group_settings": {"target_group": "Everyone", "criterion": {"field": "department"}},
    }
)  # fmt: skip


@pytest.fixture
def setting() -> Setting:
    return SETTING


@pytest.fixture
def token(embedded: Embedded, company: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The token of a setting that groups by department, also in the environment."""
    with embedded.database.write() as connection:
        made = create_setting(connection, company, SETTING).token.reveal()
    monkeypatch.setenv(TOKEN_NAME, made)
    return made


@pytest.fixture
def connected() -> Iterator[Callable[[str], ServiceProvider]]:
    """Connects to the SCIM endpoint at a URL."""
    with ExitStack() as stack:
        yield lambda url: stack.enter_context(connect(scim_connection(url), QUICK))


@pytest.fixture
def service_provider(embedded: Embedded, token: str, connected: Callable[[str], ServiceProvider]) -> ServiceProvider:
    """The embedded platform, by its SCIM endpoint."""
    return connected(f"{embedded.url}/scim/v2")


@pytest.fixture
def proxy(embedded: Embedded, token: str) -> Iterator[Proxy]:
    """A faulty proxy in front of the embedded platform."""
    with running_proxy(embedded.url) as running:
        yield running


@pytest.fixture
def proxied(proxy: Proxy, connected: Callable[[str], ServiceProvider]) -> ServiceProvider:
    """The embedded platform, by way of the proxy."""
    found = connected(f"{proxy.url}/scim/v2")
    proxy.asked.clear()
    return found
