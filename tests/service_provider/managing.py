"""A client of the management API and a running platform, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import contract
import httpx2
from serving import http_client, running
from starlette.applications import Starlette
from starlette.routing import Mount

from scimops.attributes import CORE, ENTERPRISE
from scimops.service_provider import directory
from scimops.service_provider.app import ScimEndpoint
from scimops.service_provider.authentication import Authenticator
from scimops.service_provider.database import Database
from scimops.service_provider.management import routes
from scimops.setting import Setting

COMPANY = "X-KEEPNET-Company-Id"


@dataclass(frozen=True)
class MadeSetting:
    """A setting in the database, with its token."""

    company_id: str
    n: int
    id: str
    setting: Setting
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """What a SCIM request as this setting carries."""
        return {"Authorization": f"Bearer {self.token}"}


@dataclass
class ManagementClient:
    """Calls the API as one credential; every good answer is held to the platform's OpenAPI file, where that is here."""

    http: httpx2.Client
    headers: dict[str, str]
    seen: set[tuple[str, str]] = field(default_factory=set)
    answers: list[httpx2.Response] = field(default_factory=list)

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> httpx2.Response:
        """One request; the answer is kept for hunts."""
        headers = self.headers | options.pop("headers", {})
        response = self.http.request(method, path, json=body, headers=headers, **options)
        self.answers.append(response)
        if contract.known() and (operation := contract.check(response)):
            self.seen.add(operation)
        envelope = response.json()
        assert set(envelope) <= {"data", "status", "message", "validationMessages"}
        assert (envelope["status"] == "SUCCESS") == response.is_success
        return response

    def data(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """The data of an answer that must be good."""
        response = self.call(method, path, body, **options)
        assert response.status_code == 200, response.text
        return response.json()["data"]

    def refused(self, status: int, method: str, path: str, body: Any = None, **options: Any) -> dict[str, Any]:
        """The envelope of an answer that must have this status."""
        response = self.call(method, path, body, **options)
        assert response.status_code == status, response.text
        envelope: dict[str, Any] = response.json()
        assert "data" not in envelope
        assert envelope["message"]
        return envelope

    def search(self, path: str, text: str = "", **changes: Any) -> Any:
        """The data of a search as the platform's documentation writes it."""
        body = {
            "pageNumber": 1, "pageSize": 100, "orderBy": "CreateTime", "ascending": True,
            "filter": {"Condition": "AND", "SearchInputTextValue": text},
        }  # fmt: skip
        if not path.startswith(("/api/companies", "/api/enrollments", "/api/training")):
            body["filter"] = {"condition": "AND", "searchInputTextValue": text}
        return self.data("POST", path, body | changes)


@dataclass
class Platform:
    """A running platform over a database."""

    database: Database
    url: str
    http: httpx2.Client
    authenticator: Authenticator
    seen: set[tuple[str, str]] = field(default_factory=set)
    answers: list[httpx2.Response] = field(default_factory=list)

    def credential(self, company_id: str | None) -> directory.NewCredential:
        """A new credential."""
        with self.database.write() as connection:
            return directory.create_credential(connection, company_id)

    def form(self, made: directory.NewCredential) -> dict[str, str]:
        """The token request of a credential."""
        return {
            "grant_type": "client_credentials", "client_id": made.client_id, "client_secret": made.secret.reveal(),
            "scope": "api1",
        }  # fmt: skip

    def client(self, company_id: str | None, acting_for: str | None = None) -> ManagementClient:
        """A client with a new credential of a company, or of a reseller (None)."""
        response = self.http.post("/connect/token", data=self.form(self.credential(company_id)))
        assert response.status_code == 200, response.text
        if contract.known() and (operation := contract.check(response)):
            self.seen.add(operation)
        headers = {"Authorization": f"Bearer {response.json()['access_token']}"}
        headers |= {COMPANY: acting_for} if acting_for else {}
        return ManagementClient(self.http, headers, self.seen, self.answers)

    def scim(self, token: str, method: str, path: str, body: Any = None) -> httpx2.Response:
        """One SCIM request with a setting's token."""
        return self.http.request(
            method, f"/scim/v2{path}", json=body, headers={"Authorization": f"Bearer {token}"}
        )  # fmt: skip

    def push(self, token: str, name: str, department: str | None = None, **more: Any) -> str:
        """A person as an identity provider pushes them; the id."""
        body = {
            "schemas": [CORE, ENTERPRISE], "userName": name, "externalId": f"x-{name}",
            "name": {"givenName": "Ada", "familyName": name.partition("@")[0].title()},
            "emails": [{"value": name, "type": "work", "primary": True}],
            "phoneNumbers": [{"value": "+1 555 0100", "type": "work"}],
            ENTERPRISE: {"department": department}, "active": True,
        }  # fmt: skip
        response = self.scim(token, "POST", "/Users", body | more)
        assert response.status_code == 201, response.text
        return str(response.json()["id"])


@contextmanager
def running_platform(database: Database) -> Iterator[Platform]:
    """The management API and the SCIM endpoint on a real port."""
    authenticator = Authenticator(database)
    endpoint = ScimEndpoint(database, authenticator.subject_of, "https://scim.example.com")
    app = Starlette(routes=[*routes(database), Mount("/scim", endpoint)])
    with running(app) as url, http_client(url) as http:
        yield Platform(database, url, http, authenticator)
    endpoint.later.close()
