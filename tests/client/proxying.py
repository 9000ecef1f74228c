"""A faulty proxy on a real socket, and scim2-server's own in-memory server on another."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
from ends import Asked, End, Reply, answer, running_end
from scim2_models import (
    Bulk,
    ChangePassword,
    EnterpriseUser,
    ETag,
    Filter,
    Group,
    Patch,
    ResourceType,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    User,
)
from scim2_server.applications.asgi import ASGIApplication
from scim2_server.memory import AsyncInMemoryStorage, InMemoryStorage
from serving import http_client, running

from scimops.connections import Connection

TOKEN_NAME = "SCIMOPS_TEST_SCIM_TOKEN"

Fault = Callable[[Asked, Callable[[], bytes]], Reply]
"""What comes instead; calling the second argument asks the real server and gives what it says."""


def scim_connection(url: str) -> Connection:
    return Connection(name="acme", kind="scim", url=url, token=f"env:{TOKEN_NAME}", timeout=10.0)


def scim_error(status: int, detail: str, kind: str = "", **headers: str) -> bytes:
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": str(status), "detail": detail}
    return answer(body | ({"scimType": kind} if kind else {}), status, "application/scim+json", **headers)


def changed(reply: bytes, change: Callable[[dict[str, Any]], Any]) -> bytes:
    """The same answer with its document changed in place."""
    document = json.loads(reply.partition(b"\r\n\r\n")[2])
    change(document)
    return answer(document, kind="application/scim+json", Date="Sat, 28 Nov 2026 20:00:00 GMT")


@dataclass
class Proxy:
    """`faults` are used up one by one by the requests that `meant` picks; all others are passed on."""

    end: End
    http: httpx2.Client
    meant: Callable[[Asked], bool] = lambda asked: False
    faults: list[Fault] = field(default_factory=list)
    always: Fault | None = None

    @property
    def url(self) -> str:
        return self.end.url

    @property
    def asked(self) -> list[Asked]:
        return self.end.asked

    def fail(self, method: str, path: str, *faults: Fault, always: Fault | None = None) -> None:
        """The next requests of this method whose path begins so come out like this; then all of them as `always`."""
        self.meant = lambda asked: asked.method == method and asked.path.removeprefix("/scim/v2").startswith(path)
        self.faults, self.always = list(faults), always

    def reply(self, asked: Asked) -> Reply:
        self.end.asked.append(asked)
        fault = None
        if self.meant(asked):
            fault = self.faults.pop(0) if self.faults else self.always
        return fault(asked, lambda: self.passed_on(asked)) if fault else self.passed_on(asked)

    def passed_on(self, asked: Asked) -> bytes:
        headers = {name: value for name, value in asked.headers.items() if name not in ("host", "content-length")}
        real = self.http.request(asked.method, asked.path, content=asked.body, headers=headers)
        kept = {name.replace("-", "_"): value for name, value in real.headers.items()
                if name in ("etag", "date", "retry-after", "location")}  # fmt: skip
        return answer(real.content, real.status_code, real.headers.get("content-type", ""), **kept)

    def count(self, method: str, path: str) -> int:
        """How many such requests came."""
        return sum(one.method == method and one.path.startswith(f"/scim/v2{path}") for one in self.asked)


@contextlib.contextmanager
def running_proxy(url: str) -> Iterator[Proxy]:
    with running_end() as end, http_client(url) as http:
        proxy = Proxy(end, http)
        end.reply = proxy.reply  # type: ignore[method-assign]
        yield proxy


@contextlib.contextmanager
def running_peer(page: int = 200, etag: bool = True) -> Iterator[str]:
    """scim2-server's in-memory server; its URL. It asks for no token, and places nobody."""
    config = ServiceProviderConfig(
        patch=Patch(supported=True), bulk=Bulk(supported=False), filter=Filter(supported=True, max_results=page),
        change_password=ChangePassword(supported=False), sort=Sort(supported=True), etag=ETag(supported=etag),
        authentication_schemes=[],
    )  # fmt: skip
    types = [ResourceType.from_resource(User[EnterpriseUser]), ResourceType.from_resource(Group)]
    provider = ScimProvider(models=[User, EnterpriseUser, Group], resource_types=types, config=config)
    with running(ASGIApplication(AsyncInMemoryStorage(InMemoryStorage()), provider)) as url:
        yield f"{url}/v2"


def cut(_asked: Asked, _pass_on: Callable[[], bytes]) -> Reply:
    """The connection is cut before anything is done."""
    return None


def cut_after(_asked: Asked, pass_on: Callable[[], bytes]) -> Reply:
    """It is done, and the connection is cut before the answer."""
    pass_on()
    return None
