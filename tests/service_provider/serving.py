"""A real service provider on a real port, for tests: `served` gives a client of one setting of one company."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from scimops.service_provider.app import ScimEndpoint
from scimops.service_provider.database import Database
from scimops.service_provider.directory import Subject, create_company, create_setting
from scimops.setting import Setting


@contextlib.contextmanager
def running(app: Any) -> Iterator[str]:
    """`app` behind uvicorn on a free port; gives its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True  # uvicorn takes a moment to see it, and no test needs to wait for that


def http_client(url: str, **options: Any) -> httpx2.Client:
    """A client of a server without TLS: reading the certificates of this computer takes longer than most tests."""
    return httpx2.Client(base_url=url, timeout=60, verify=False, **options)


def new_company(database: Database, name: str = "Acme") -> str:
    """A company; its id."""
    with database.write() as connection:
        return create_company(connection, name)


def new_subject(database: Database, setting: Setting, company: str | None = None) -> Subject:
    """A setting of a company, as a request acts for it."""
    company = company or new_company(database)
    with database.write() as connection:
        made = create_setting(connection, company, setting)
    return Subject(company, made.n, made.id, setting, "test")


@contextlib.contextmanager
def served(database: Database, *subjects: Subject) -> Iterator[httpx2.Client]:
    """A client of `/scim/v2`; the bearer token is the id of the setting that a request acts for."""
    by_id = {subject.setting_id: subject for subject in subjects}
    endpoint = ScimEndpoint(database, lambda header, _: by_id[str(header).removeprefix("Bearer ")], "https://x.example")
    app = Starlette(routes=[Mount("/scim", endpoint)])
    headers = {"Authorization": f"Bearer {subjects[0].setting_id}", "Content-Type": "application/scim+json"}
    with running(app) as url, http_client(f"{url}/scim/v2", headers=headers) as client:
        yield client
    endpoint.later.close()
