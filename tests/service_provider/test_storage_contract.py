"""scim2-server's own contract for storages, on SQLite and on PostgreSQL; nothing in it is skipped."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from scim2_models import EnterpriseUser, Group, ResourceType, ScimProvider, User
from scim2_server.testing import ScimStorageContract

from scimops.service_provider.directory import create_company, create_setting
from scimops.service_provider.protocol import configuration
from scimops.service_provider.storage import Storage
from scimops.setting import Setting


class TestStorage(ScimStorageContract):
    """Rows without a placement: the contract's people have no e-mail address."""

    @staticmethod
    def require(supported: bool, feature: str) -> None:
        """The contract skips what a service does not announce; ours announces all of it."""
        assert supported, feature

    def search_request_or_skip(self, models: Any, **parameters: Any) -> Any:
        return self.search_request(models, **parameters)

    def search_or_skip(self, storage: Any, resource_types: Any, search_request: Any) -> Any:
        return self.search(storage, resource_types, search_request)

    @pytest.fixture
    def provider(self) -> ScimProvider:
        types = [ResourceType.from_resource(User[EnterpriseUser]), ResourceType.from_resource(Group)]
        return ScimProvider(models=[User, EnterpriseUser, Group], resource_types=types, config=configuration())

    @pytest.fixture
    def storage(self, connection: sa.Connection, provider: ScimProvider) -> Storage:
        company = create_company(connection, "Acme")
        setting = create_setting(connection, company, Setting(name="Contract"))
        return Storage(connection, provider, company, setting.n, savepoints=True)
