"""scim2-server's own contract for storages, on SQLite and on PostgreSQL; nothing in it is skipped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from scim2_models import EnterpriseUser, Group, ResourceType, ScimProvider, User
from scim2_server.testing import ScimStorageContract
from serving import new_subject

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
    def storage(self, database: Any, provider: ScimProvider) -> Iterator[Storage]:
        subject = new_subject(database, Setting(name="Contract"))
        with database.write() as connection:
            yield Storage(connection, provider, subject.company_id, subject.setting_n, savepoints=True)
