"""Fifty connections with mixed traffic: no error, nobody waits for long, and afterwards everybody is where they belong.

`SCIMOPS_LOAD_SECONDS` says for how long (300 each on SQLite and on PostgreSQL with two workers).
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from test_placement import GROUP, patch, person
from test_serve import Platform

from scimops.attributes import ENTERPRISE

SECONDS = float(os.environ.get("SCIMOPS_LOAD_SECONDS", "300"))
CONNECTIONS, TEAMS, PUSHED = 50, 7, 4
MOSTLY = {
    "look up": 6, "create": 2, "change": 4, "add member": 3, "remove member": 2, "deactivate": 2, "list page": 1,
    "group by name": 2,
}  # fmt: skip
"""Kinds of requests, and how often each comes."""

BY_IDP_GROUPS = "format: 1\nname: Mirrored\ngroup_settings: {target_group: Everyone, criterion: {idp_groups: true}}\n"


@dataclass
class Wire:
    """One setting's end of the wire, over one connection that is kept, and how long each kind of request took."""

    port: int
    token: str
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def ask(self, kind: str, method: str, path: str, body: Any = None) -> Any:
        content = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json"}
        started = time.perf_counter()
        self.connection.request(method, f"/scim/v2{path}", content, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        self.times[kind].append((time.perf_counter() - started) * 1000)
        assert answer.status in (200, 201, 204), f"{kind}: {answer.status} {text.decode()}"
        return json.loads(text) if text else None


@dataclass
class Somebody:
    """A person as the identity provider knows them: what the platform must have in the end."""

    id: str
    name: str
    team: str
    active: bool = True
    pushed: set[str] = field(default_factory=set)


class Worker:
    """One connection of an identity provider, with people of its own and groups that all of its setting share."""

    def __init__(self, number: int, wire: Wire, groups: dict[str, str]) -> None:
        self.number, self.wire, self.groups, self.chance = number, wire, groups, random.Random(number)
        self.people: list[Somebody] = []

    def run(self, until: float) -> None:
        kinds = list(MOSTLY)
        while time.monotonic() < until:
            kind = self.chance.choices(kinds, list(MOSTLY.values()))[0] if len(self.people) > 3 else "create"
            getattr(self, kind.replace(" ", "_"))(kind)

    def _one(self) -> Somebody:
        return self.chance.choice(self.people)

    def look_up(self, kind: str) -> None:
        one = self._one()
        wanted = quote(f'userName eq "{one.name.upper()}@example.com"')
        found = self.wire.ask(kind, "GET", f"/Users?filter={wanted}")
        assert [row["id"] for row in found["Resources"]] == [one.id]

    def create(self, kind: str) -> None:
        name, team = f"p{self.number}-{len(self.people)}", f"Team {self.chance.randrange(TEAMS)}"
        made = self.wire.ask(kind, "POST", "/Users", person(name, team))
        self.people.append(Somebody(made["id"], name, team))

    def change(self, kind: str) -> None:
        one, team = self._one(), f"Team {self.chance.randrange(TEAMS)}"
        department = {"op": "Replace", "path": f"{ENTERPRISE}:department", "value": team}
        title = {"op": "Add", "path": "title", "value": f"Title {self.chance.random()}"}
        self.wire.ask(kind, "PATCH", f"/Users/{one.id}", patch(department, title))
        one.team = team

    def add_member(self, kind: str) -> None:
        one, group = self._one(), self.chance.choice(list(self.groups))
        added = {"op": "Add", "path": "members", "value": [{"value": one.id}]}
        self.wire.ask(kind, "PATCH", f"/Groups/{self.groups[group]}", patch(added))
        one.pushed.add(group)

    def remove_member(self, kind: str) -> None:
        one, group = self._one(), self.chance.choice(list(self.groups))
        removed = {"op": "Remove", "path": f'members[value eq "{one.id}"]'}
        self.wire.ask(kind, "PATCH", f"/Groups/{self.groups[group]}", patch(removed))
        one.pushed.discard(group)

    def deactivate(self, kind: str) -> None:
        """Or the other way round."""
        one = self._one()
        active = {"op": "Replace", "path": "active", "value": not one.active}
        self.wire.ask(kind, "PATCH", f"/Users/{one.id}", patch(active))
        one.active = not one.active

    def list_page(self, kind: str) -> None:
        start = self.chance.randrange(1, 200)
        self.wire.ask(kind, "GET", f"/Users?startIndex={start}&count=50")

    def group_by_name(self, kind: str) -> None:
        name = self.chance.choice(list(self.groups))
        wanted = quote(f'displayName eq "{name.upper()}"')
        found = self.wire.ask(kind, "GET", f"/Groups?filter={wanted}&excludedAttributes=members")
        assert found["totalResults"] == 1


def pushed_groups(wire: Wire, prefix: str) -> dict[str, str]:
    """Groups that the identity provider pushes: name and id."""
    made = [
        wire.ask("", "POST", "/Groups", {"schemas": [GROUP], "displayName": f"{prefix} {number}"})
        for number in range(PUSHED)
    ]
    return {group["displayName"]: group["id"] for group in made}


def groups_of_all(wire: Wire) -> dict[str, set[str]]:
    """Everybody's groups, by id, read page by page."""
    found: dict[str, set[str]] = {}
    while len(page := wire.ask("", "GET", f"/Users?startIndex={len(found) + 1}&count=200")["Resources"]):
        found |= {row["id"]: {group["display"] for group in row.get("groups", [])} for row in page}
    return found


def report(workers: list[Worker], seconds: float) -> list[float]:
    """Prints the figures of each kind; the milliseconds of all requests."""
    times: dict[str, list[float]] = defaultdict(list)
    for worker in workers:
        for kind in MOSTLY:
            times[kind] += worker.wire.times[kind]
    everything = [one for kind in times.values() for one in kind]
    print(f"\n{len(everything) / seconds:.0f} requests a second over {CONNECTIONS} connections, {seconds:.0f} s")  # noqa: T201
    for kind, took in [*times.items(), ("all", everything)]:
        print(f"{kind:14}{len(took):8} requests  p50 {middle(took):7.1f} ms  p99 {late(took):7.1f} ms")  # noqa: T201
    assert all(times[kind] for kind in MOSTLY)
    return everything


middle = statistics.median


def late(took: list[float]) -> float:
    """The time that one request in a hundred takes longer than."""
    return sorted(took)[len(took) * 99 // 100]


def started_twice(tmp_path: Path, *options: str) -> tuple[Platform, dict[str, str]]:
    """A platform with a setting by department and one by the identity provider's groups; the token of each."""
    platform, tokens = Platform(tmp_path), {}
    (tmp_path / "groups.yaml").write_text(BY_IDP_GROUPS)
    for criterion, setting in (("department", "setting.yaml"), ("groups", "groups.yaml")):
        file = f"{criterion}.json"
        with platform.started("--setting", setting, "--credentials-file", file, *options) as server:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
        tokens[criterion] = json.loads((tmp_path / file).read_text())["token"]
    return platform, tokens


@pytest.mark.long
@pytest.mark.timeout(SECONDS + 300)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_fifty_connections_with_mixed_traffic(request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> None:
    options: list[str] = []
    if kind == "postgresql":
        options = ["--workers", "2", "--database", request.getfixturevalue("empty_postgres_url")]
    platform, tokens = started_twice(tmp_path, *options)
    with platform.started(*options) as server:
        shared = {name: pushed_groups(Wire(platform.port, token), name) for name, token in tokens.items()}
        workers = []
        for number in range(CONNECTIONS):
            criterion = ("department", "groups")[number % 2]
            workers.append(Worker(number, Wire(platform.port, tokens[criterion]), shared[criterion]))
        started = time.monotonic()
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            for running in [pool.submit(worker.run, started + SECONDS) for worker in workers]:
                running.result()
        took = report(workers, time.monotonic() - started)
        belong: dict[str, Callable[[Somebody], set[str]]] = {
            "department": lambda one: {one.team} | one.pushed,
            "groups": lambda one: one.pushed or {"Everyone"},
        }
        for criterion, token in tokens.items():
            people = [one for worker in workers if worker.wire.token == token for one in worker.people]
            expected = {one.id: belong[criterion](one) if one.active else set() for one in people}
            assert groups_of_all(Wire(platform.port, token)) == expected
        server.send_signal(signal.SIGTERM)
        server.wait(30)
    said = (tmp_path / "err.txt").read_text().lower()
    assert not [word for word in ("locked", "deadlock", "fault", "traceback", "not logged") if word in said], said
    assert late(took) < 10 * middle(took)
