"""A SCIM server as processes of its own, what it costs, and a client that costs little."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.process import ROOT

SETTING = "format: 1\nname: Bench\ngroup_settings: {target_group: Everyone, criterion: {%s}}\n"
CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@dataclass
class Server:
    """A running server. `path` is where SCIM begins."""

    process: psutil.Popen
    port: int
    path: str = "/scim/v2"
    token: str = ""

    def _all(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]

    def cpu(self) -> float:
        """CPU seconds of all its processes so far."""
        return sum(times.user + times.system for times in (process.cpu_times() for process in self._all()))

    def memory(self) -> float:
        """MiB of memory that its processes hold now."""
        return sum(process.memory_info().rss for process in self._all()) / (1 << 20)

    def client(self) -> Client:
        """A connection of its own."""
        return Client(self)


class Client:
    """One connection that is kept. http.client, because a client that works harder than the server measures itself."""

    def __init__(self, server: Server) -> None:
        self.path = server.path
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        self.headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/scim+json"}
        self.used = time.monotonic()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer as JSON; None where it has no body.

        Raises:
            SystemExit: the server refused.
        """
        content = None if body is None else json.dumps(body).encode()
        if time.monotonic() - self.used > 2:
            self.connection.close()  # uvicorn closes what was idle for five seconds; the next request opens it
        self.connection.request(method, self.path + path, content, self.headers)
        answer = self.connection.getresponse()
        text, self.used = answer.read(), time.monotonic()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path} was answered {answer.status}: {text.decode()}")
        return json.loads(text) if text else None


@contextmanager
def started(arguments: list[str], folder: Path, port: int, ready: str, path: str = "/scim/v2") -> Iterator[Server]:
    """`python ARGUMENTS` in `folder` until it answers at `ready`; ended afterwards.

    Raises:
        SystemExit: it does not start; its last words are shown.
    """
    log = folder / "server.log"
    with log.open("a") as out:
        process = psutil.Popen([sys.executable, *arguments], cwd=folder, stdout=out, stderr=subprocess.STDOUT)
    try:
        for _ in range(1200):
            if process.poll() is not None or _answers(port, ready):
                break
            time.sleep(0.1)
        if process.poll() is not None or not _answers(port, ready):
            raise SystemExit(f"the server did not start:\n{log.read_text()[-3000:]}")
        yield Server(process, port, path)
    finally:
        process.terminate()
        process.wait(60)


def _answers(port: int, path: str) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serve(folder: Path, criterion: str, *options: str) -> Iterator[Server]:
    """`scimops serve` in `folder`; a second start there finds its data and its token again."""
    (folder / "setting.yaml").write_text(SETTING % criterion)
    credentials, port = folder / "credentials.json", free_port()
    command = ["-m", "scimops", "serve", "--setting", "setting.yaml", "--port", str(port), *options]
    if not credentials.exists():
        command += ["--credentials-file", credentials.name]
    with started(command, folder, port, "/readyz") as server:
        server.token = json.loads(credentials.read_text())["token"]
        yield server


@contextmanager
def serve_peer(folder: Path, people: int) -> Iterator[Server]:
    """scim2-server's own in-memory server with so many people in it, half of them in one group."""
    port = free_port()
    command = [str(ROOT / "bench" / "peer.py"), str(port), str(people)]
    with started(command, folder, port, "/v2/ServiceProviderConfig", "/v2") as server:
        yield server


def person(name: str, department: str | None = None) -> dict[str, Any]:
    """A person as Entra creates one (its application template's attributes)."""
    return {
        "schemas": [CORE, ENTERPRISE], "externalId": f"id-{name}", "userName": f"{name}@example.com", "active": True,
        "displayName": f"Person {name}", "title": "Engineer", "preferredLanguage": "en-GB",
        "emails": [{"primary": True, "type": "work", "value": f"{name}@example.com"}],
        "name": {"formatted": f"Person {name}", "familyName": name, "givenName": "Person"},
        "phoneNumbers": [{"type": "work", "value": "+44 20 7946 0000"}],
        "meta": {"resourceType": "User"}, ENTERPRISE: {"department": department or "Sales", "employeeNumber": name},
    }  # fmt: skip
