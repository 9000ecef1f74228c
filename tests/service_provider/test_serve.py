"""`scimops serve` as a person starts it: a real process, a real port, killed and started again."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from test_placement import person

from scimops.service_provider.database import open_database
from scimops.service_provider.migrations import migrate
from scimops.service_provider.tables import groups, memberships, metadata, users

SETTING = """\
format: 1
name: Rehearsal
group_settings: {target_group: Everyone, criterion: {field: department}}
"""


class Platform:
    """A folder with a setting, and the server that is started in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "setting.yaml").write_text(SETTING)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"
        self.trust: ssl.SSLContext | bool = False  # whose certificate is good; without TLS nobody asks
        self.token = ""

    @contextmanager
    def started(self, *options: str) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-m", "scimops", "serve", "--setting", "setting.yaml", "--port", str(self.port)]
        with (self.folder / "err.txt").open("a") as errors:
            server = subprocess.Popen(
                [*command, *options], cwd=self.folder, stdout=subprocess.PIPE, stderr=errors, text=True,
                start_new_session=True,
            )  # fmt: skip
        try:
            self.wait(server)
            yield server
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)  # its workers too
            server.wait(10)

    def wait(self, server: subprocess.Popen[str]) -> None:
        with httpx2.Client(verify=self.trust) as client:
            for _ in range(1500):
                assert server.poll() is None, (self.folder / "err.txt").read_text()
                try:
                    if client.get(f"{self.base}/readyz").status_code == 200:
                        return
                except httpx2.TransportError:
                    time.sleep(0.02)
        raise AssertionError("the server did not start")

    def client(self) -> httpx2.Client:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json"}
        return httpx2.Client(base_url=f"{self.base}/scim/v2", headers=headers, timeout=30, verify=self.trust)


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return Platform(tmp_path)


def test_the_token_is_shown_once_and_is_nowhere_else(platform: Platform) -> None:
    with platform.started() as server:
        shown = dict(server.stdout.readline().strip().split(": ") for _ in range(5))  # type: ignore[union-attr]
        assert shown["url"] == f"{platform.base}/scim/v2"
        platform.token = shown["token"]
        with platform.client() as client:
            made = client.post("/Users", json=person("anna", "Sales") | {"password": "synthetic-Passw0rd"})
            assert made.json()["groups"][0]["display"] == "Sales"
            assert made.json()["meta"]["location"].startswith(f"{platform.base}/scim/v2/Users/")
            forged = client.get(f"/Users/{made.json()['id']}", headers={"Host": "evil.example"})
            assert "evil" not in forged.text
        server.send_signal(signal.SIGTERM)
        assert server.wait(20) in (0, -signal.SIGTERM)
        assert server.stdout.read() == ""  # type: ignore[union-attr]
    with platform.started("--public-url", "https://scim.example.com/") as server:
        with platform.client() as client:
            (anna,) = client.get("/Users").json()["Resources"]
            assert anna["meta"]["location"] == f"https://scim.example.com/scim/v2/Users/{anna['id']}"
        server.send_signal(signal.SIGTERM)
        assert server.communicate(timeout=20)[0] == ""
    for path in platform.folder.iterdir():
        for secret in (platform.token, shown["client_secret"], "synthetic-Passw0rd"):
            assert secret.encode() not in path.read_bytes(), path


def test_the_credentials_file_is_its_owners_alone(platform: Platform) -> None:
    with platform.started("--credentials-file", "credentials.json"):
        found = json.loads((platform.folder / "credentials.json").read_text())
        platform.token = found["token"]
        assert (platform.folder / "credentials.json").stat().st_mode & 0o077 == 0
        with platform.client() as client:
            assert client.get("/Users").status_code == 200
            assert client.get("/ServiceProviderConfig", headers={"Authorization": ""}).status_code == 200
            refused = client.get("/Users", headers={"Authorization": "Bearer nonsense"})
            form = {"grant_type": "client_credentials", "scope": "api1"}
            form |= {name: found[name] for name in ("client_id", "client_secret")}
            access = httpx2.post(f"{platform.base}/connect/token", data=form).json()["access_token"]
            listed = httpx2.post(
                f"{platform.base}/api/scim/search", json={}, headers={"Authorization": f"Bearer {access}"}
            )
            assert [row["name"] for row in listed.json()["data"]["results"]] == ["Rehearsal"]
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.long)])
def test_what_was_acknowledged_survives_kill_9(platform: Platform, kills: int) -> None:
    acknowledged: dict[str, str] = {}
    for run in range(kills):
        with platform.started("--credentials-file", f"{run}.json") as server:
            if not platform.token:
                platform.token = json.loads((platform.folder / "0.json").read_text())["token"]
            until = time.monotonic() + 0.5 + run % 5 / 10
            with platform.client() as client:
                number = 0
                while time.monotonic() < until:
                    number += 1
                    made = client.post("/Users", json=person(f"p{run}-{number}", f"Team {number % 7}"))
                    assert made.status_code == 201, made.text
                    acknowledged[made.json()["id"]] = f"Team {number % 7}"
                os.kill(server.pid, signal.SIGKILL)
            server.wait(10)
    database = open_database(f"sqlite:///{platform.folder / 'scimops-platform.db'}")
    shown = users.join(memberships, memberships.c.user_n == users.c.n).join(groups, groups.c.n == memberships.c.group_n)
    with database.read() as connection:
        there = {
            row.id: row.name for row in connection.execute(sa.select(users.c.id, groups.c.name).select_from(shown))
        }
        people = connection.scalar(sa.select(sa.func.count()).select_from(users))
    database.close()
    print(f"{kills} kills, {len(acknowledged)} people acknowledged, {people} there")  # noqa: T201  # the count
    assert {user: there.get(user) for user in acknowledged} == acknowledged
    assert people == len(there) <= len(acknowledged) + kills


def test_the_migrations_make_the_tables_of_this_version(empty_postgres_url: str, tmp_path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    for url in (empty_postgres_url, f"sqlite:///{tmp_path / 'new.db'}"):
        database = open_database(url)
        migrate(database)
        migrate(database)  # a second start has nothing to do
        database.close()
        plain = sa.create_engine(database.engine.url)  # ours hands JSON through, which SQLAlchemy's reflection reads
        with plain.connect() as connection:
            differences: Any = compare_metadata(MigrationContext.configure(connection), metadata)
        plain.dispose()
        assert differences == []
