"""The platform among things that go wrong or happen at once: a database that goes away, several workers, https.

Real processes throughout: `scimops serve` as a person starts it.
"""

from __future__ import annotations

import json
import os
import re
import signal
import ssl
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from postgres import SURE, Cluster, new_database, private_postgres
from test_placement import person
from test_serve import Platform

from scimops.service_provider.database import open_database
from scimops.service_provider.tables import groups, memberships, provisioning_log, users

BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
CONNECTIONS = 6


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return Platform(tmp_path)


@contextmanager
def serving(platform: Platform, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A first start, whose token the platform's clients have."""
    with platform.started("--credentials-file", "credentials.json", *options) as server:
        platform.token = json.loads((platform.folder / "credentials.json").read_text())["token"]
        yield server


# -- The database goes away in the middle of requests --------------------------------------------


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with private_postgres(*SURE) as running:
        yield running


class Load:
    """Connections that create people without a pause, one after the other or two in a bulk request."""

    def __init__(self, platform: Platform) -> None:
        self.platform, self.stopping = platform, threading.Event()
        self.acknowledged: dict[str, str] = {}  # id → department
        self.asked = 0
        self.refused: list[httpx2.Response] = []

    def __call__(self, connection: int) -> None:
        with self.platform.client() as client:
            for number in range(1_000_000):
                if self.stopping.is_set():
                    return
                self.one(client, f"p{connection}-{number}", f"Team {number % 5}", bulk=connection % 3 == 0)

    def one(self, client: httpx2.Client, name: str, team: str, *, bulk: bool) -> None:
        bodies = [person(f"{name}-{letter}", team) for letter in ("ab" if bulk else "a")]
        self.asked += len(bodies)
        if bulk:
            operations = [{"method": "POST", "path": "/Users", "bulkId": b["userName"], "data": b} for b in bodies]
            answer = client.post("/Bulk", json={"schemas": [BULK], "Operations": operations})
        else:
            answer = client.post("/Users", json=bodies[0])
        if answer.status_code == 200:
            for operation in answer.json()["Operations"]:
                assert str(operation["status"]) == "201", operation
                self.acknowledged[operation["location"].rsplit("/", 1)[1]] = team
        elif answer.status_code == 201:
            self.acknowledged[answer.json()["id"]] = team
        else:
            self.refused.append(answer)

    def wait_for(self, more: int) -> None:
        """Wait until so many more people are acknowledged."""
        wanted = len(self.acknowledged) + more
        wait_until(lambda: len(self.acknowledged) >= wanted)


def wait_until(true: Any) -> None:
    for _ in range(3000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come about in half a minute")


@pytest.mark.parametrize("outages", [2, pytest.param(15, marks=pytest.mark.long)])
def test_a_database_that_goes_away_is_503_and_nothing_acknowledged_is_lost(
    platform: Platform, cluster: Cluster, outages: int
) -> None:
    load = Load(platform)
    with new_database(cluster.url) as url:
        with serving(platform, "--database", url) as server, ThreadPoolExecutor(CONNECTIONS) as pool:
            with platform.client() as client:
                assert client.get("/Users").status_code == 200  # so that the token is remembered when the fault comes
                working = [pool.submit(load, connection) for connection in range(CONNECTIONS)]
                try:
                    for _ in range(outages):
                        load.wait_for(30)
                        before = len(load.refused)
                        cluster.stop()
                        wait_until(lambda before=before: len(load.refused) > before + 2 * CONNECTIONS)
                        assert_away(platform, client)
                        cluster.start()
                        load.wait_for(30)
                finally:
                    load.stopping.set()
                for each in working:
                    each.result()
                assert client.get("/Users").status_code == 200
            assert server.poll() is None
        there, logged = what_is_kept(url)
    print(f"{outages} outages, {load.asked} asked, {len(load.acknowledged)} acknowledged, {len(there)} there")  # noqa: T201
    for answer in load.refused:
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5"), answer.text
        assert answer.json()["status"] == "503"
    assert {user: there.get(user) for user in load.acknowledged} == load.acknowledged
    assert len(there) <= len(load.acknowledged) + outages * CONNECTIONS * 2  # committed, and the answer was cut off
    assert set(load.acknowledged) <= logged
    messages = (platform.folder / "err.txt").read_text()
    assert "cannot be used now" in messages
    assert "Traceback" not in messages
    assert "@example.com" not in messages


def assert_away(platform: Platform, client: httpx2.Client) -> None:
    """Everything says that the database is away; the process itself is alive."""
    for answer in (
        client.get("/Users"),
        client.get("/Groups"),
        httpx2.post(f"{platform.base}/connect/token", data=form(platform)),
    ):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5"), answer.text
    assert httpx2.get(f"{platform.base}/readyz").status_code == 503
    assert httpx2.get(f"{platform.base}/healthz").status_code == 200


def form(platform: Platform) -> dict[str, str]:
    made = json.loads((platform.folder / "credentials.json").read_text())
    return {name: made[name] for name in ("client_id", "client_secret")} | {
        "grant_type": "client_credentials", "scope": "api1"
    }  # fmt: skip


def what_is_kept(url: str) -> tuple[dict[str, str], set[str]]:
    """From each person's id to their group; and the ids whose placing the provisioning log tells."""
    database = open_database(url)
    shown = users.join(memberships, memberships.c.user_n == users.c.n).join(groups, groups.c.n == memberships.c.group_n)
    with database.read() as connection:
        there = {r.id: r.name for r in connection.execute(sa.select(users.c.id, groups.c.name).select_from(shown))}
        moves = connection.scalars(sa.select(provisioning_log.c.moves).where(provisioning_log.c.moves.is_not(None)))
        logged = {move["user"] for line in moves for move in json.loads(line)}
        assert connection.scalar(sa.select(sa.func.count()).select_from(users)) == len(there)
    database.close()
    return there, logged


# -- Several workers -----------------------------------------------------------------------------


def workers_of(platform: Platform) -> list[int]:
    """The processes that serve, as the server's messages name them."""
    return [
        int(pid) for pid in re.findall(r"Started server process \[(\d+)\]", (platform.folder / "err.txt").read_text())
    ]


@contextmanager
def held(pid: int) -> Iterator[None]:
    """A process that stands still, for less than the five seconds after which the server takes it for dead."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def connected_to(platform: Platform, worker: int, workers: list[int], stack: ExitStack) -> list[httpx2.Client]:
    """Clients whose connections are that worker's: all others stand still while they connect."""
    clients = [stack.enter_context(platform.client()) for _ in range(4)]
    with ExitStack() as still:
        for other in workers:
            if other != worker:
                still.enter_context(held(other))
        assert [client.get("/Users").status_code for client in clients] == [200] * 4
    return clients


@pytest.fixture(params=["postgresql", pytest.param("sqlite", marks=pytest.mark.long)])
def empty_url(request: pytest.FixtureRequest) -> str:
    """A database without tables; `scimops serve` names the file of SQLite itself."""
    if request.param == "sqlite":
        return "sqlite:///scimops-platform.db"
    return str(request.getfixturevalue("empty_postgres_url"))


def test_two_workers_serve_one_database_and_one_that_dies_is_replaced(platform: Platform, empty_url: str) -> None:
    with serving(platform, "--database", empty_url, "--workers", "2") as server, ExitStack() as stack:
        wait_until(lambda: len(workers_of(platform)) == 2)
        workers = workers_of(platform)
        clients = [client for pid in workers for client in connected_to(platform, pid, workers, stack)]
        with ThreadPoolExecutor(len(clients)) as pool:
            for number in range(15):  # the same person to all at once
                sent = [pool.submit(client.post, "/Users", json=person(f"p{number}", "Sales")) for client in clients]
                assert sorted(each.result().status_code for each in sent) == [201] + [409] * (len(clients) - 1)
            sent = [
                pool.submit(client.post, "/Users", json=person(f"q{number}", "Ops"))
                for number, client in enumerate(clients * 5)
            ]  # fmt: skip
            assert Counter(each.result().status_code for each in sent) == {201: 40}
        for one in (clients[0], clients[-1]):  # what one worker made, both show
            assert one.get("/Users").json()["totalResults"] == 55
            sizes = {group["displayName"]: len(group["members"]) for group in one.get("/Groups").json()["Resources"]}
            assert sizes == {"Sales": 15, "Ops": 40}
        os.kill(workers[0], signal.SIGKILL)  # another takes its place
        wait_until(lambda: len(workers_of(platform)) == 3)
        workers = workers_of(platform)[1:]
        assert connected_to(platform, workers[1], workers, stack)[0].get("/Users").json()["totalResults"] == 55
        os.kill(server.pid, signal.SIGTERM)
        assert server.wait(20) == 0
        for pid in workers:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)
    with pytest.raises(httpx2.TransportError):
        httpx2.get(f"{platform.base}/healthz")


# -- https ---------------------------------------------------------------------------------------


def test_https_is_served_with_the_certificate_that_is_named(platform: Platform) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
         "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        cwd=platform.folder, check=True, capture_output=True,
    )  # fmt: skip
    platform.base = f"https://localhost:{platform.port}"
    platform.trust = ssl.create_default_context(cafile=platform.folder / "cert.pem")
    options = ("--tls-cert", "cert.pem", "--tls-key", "key.pem", "--host", "localhost")
    with serving(platform, *options), platform.client() as client:
        made = client.post("/Users", json=person("anna", "Sales"))
        assert made.json()["meta"]["location"] == f"{platform.base}/scim/v2/Users/{made.json()['id']}"
        shown = json.loads((platform.folder / "credentials.json").read_text())
        assert shown["url"] == f"{platform.base}/scim/v2"
        with pytest.raises(httpx2.TransportError):
            httpx2.get(f"http://localhost:{platform.port}/healthz")
        with pytest.raises(httpx2.ConnectError, match="certificate"):
            httpx2.get(f"{platform.base}/healthz")  # nobody vouches for it, and httpx asks
