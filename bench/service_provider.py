"""One request to the embedded platform: how flat it is, and what it costs beside scim2-server's in-memory server.

    python -m bench.service_provider

Whole requests over HTTP, one after the other: the same ones to `scimops serve` (SQLite, durable, with the log) among
100, 10,000 and 100,000 people, half of them in one group, and to the peer (:mod:`bench.peer`) among 100 and 10,000.
All servers run side by side and take turns; medians, and CPU seconds of the server's processes, as ratios in one run.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from bench.serving import Server, person, serve, serve_peer
from scimops.grouping import identity_key
from scimops.service_provider.attribute_places import scim_key
from scimops.service_provider.database import new_id, open_database
from scimops.service_provider.filters import folded
from scimops.service_provider.placement import now
from scimops.service_provider.tables import groups, memberships, settings, users

PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
OURS, PEERS = (100, 10_000, 100_000), (100, 10_000)
ROUNDS, BLOCK, FEW = 200, 25, 5
FLAT, CHEAP = 1.5, 1.5
KINDS = ("look up by userName", "create a person", "change a person", "add one member", "remove one member")


def fill(folder: Path, people: int) -> None:
    """People as rows, half of them in one group."""
    database, moment = open_database(f"sqlite:///{folder / 'scimops-platform.db'}"), now()
    with database.write() as connection:
        setting = connection.execute(sa.select(settings)).one()
        owner = {"company_id": setting.company_id, "setting_n": setting.n, "version": 1, "created": moment}
        owner["modified"] = moment
        rows = []
        for number in range(people):
            document = person(f"person{number}")
            del document["meta"]
            name, text = document["userName"], json.dumps(document)
            rows.append(owner | {
                "id": new_id(), "external_id": document["externalId"], "user_name": name, "email": name,
                "user_name_scim": scim_key(name), "email_scim": scim_key(name), "user_name_key": identity_key(name),
                "email_key": identity_key(name), "active": True, "reason": "idp_group", "document": text,
                "folded": folded(text),
            })  # fmt: skip
        connection.execute(sa.insert(users), rows)
        group = owner | {"id": new_id(), "kind": "pushed", "name": "Half", "group_key": "half", "scim_key": "half"}
        n = connection.execute(sa.insert(groups).values(group).returning(groups.c.n)).scalar_one()
        connection.execute(sa.update(groups).values(target_n=n))
        half = sa.select(sa.literal(n), users.c.n, users.c.setting_n).order_by(users.c.n).limit(people // 2)
        connection.execute(sa.insert(memberships).from_select(["group_n", "user_n", "setting_n"], half))
    database.close()


@contextmanager
def serve_filled(folder: Path, people: int) -> Iterator[Server]:
    """`scimops serve` with so many people in it."""
    with serve(folder, "idp_groups: true"):
        pass
    fill(folder, people)
    with serve(folder, "idp_groups: true") as server:
        yield server


@dataclass
class Subject:
    """One server among so many people, and what each kind of request cost there."""

    server: Server
    people: int
    peer: bool
    times: dict[str, list[float]] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.client, self.made = self.server.client(), list[str]()
        half = quote('displayName eq "Half"')
        found = self.client.ask("GET", f"/Groups?excludedAttributes=members&filter={half}")
        self.group = found["Resources"][0]["id"]
        self.asks: dict[str, Callable[[int], Any]] = dict(
            zip(KINDS, (self._look_up, self._create, self._change, self._add, self._remove), strict=True)
        )

    def _look_up(self, number: int) -> None:
        wanted = f'userName eq "PERSON{number * 7919 % self.people}@example.com"'
        assert self.client.ask("GET", f"/Users?filter={quote(wanted)}")["totalResults"] == 1

    def _create(self, number: int) -> None:
        self.made.append(self.client.ask("POST", "/Users", person(f"new{number}"))["id"])

    def _patch(self, path: str, operation: dict[str, Any]) -> None:
        self.client.ask("PATCH", path, {"schemas": [PATCH_OP], "Operations": [operation]})

    def _change(self, number: int) -> None:
        self._patch(f"/Users/{self.made[number]}", {"op": "Replace", "path": "title", "value": "Manager"})

    def _add(self, number: int) -> None:
        value = [{"value": self.made[number]}]
        self._patch(f"/Groups/{self.group}", {"op": "Add", "path": "members", "value": value})

    def _remove(self, number: int) -> None:
        self._patch(f"/Groups/{self.group}", {"op": "Remove", "path": f'members[value eq "{self.made[number]}"]'})

    def rounds(self, kind: str) -> int:
        """The peer copies all members of a group for each change, so it is asked only a few times."""
        return FEW if self.peer and self.people > 1000 and kind.endswith("member") else ROUNDS

    def ask(self, kind: str, numbers: range) -> None:
        """A block of requests of one kind."""
        for number in numbers:
            started = time.perf_counter()
            self.asks[kind](number)
            self.times.setdefault(kind, []).append((time.perf_counter() - started) * 1000)

    def median(self, kind: str) -> float:
        """Milliseconds of one request."""
        return statistics.median(self.times[kind])

    def cost(self, kind: str) -> float:
        """Milliseconds of the server's CPU for one request."""
        return self.cpu[kind] * 1000 / len(self.times[kind])


def measure(subjects: list[Subject]) -> None:
    """Every kind of request at every server, in blocks by turns."""
    for kind in KINDS:
        before = [subject.server.cpu() for subject in subjects]
        for start in range(0, ROUNDS, BLOCK):
            for subject in subjects:
                subject.ask(kind, range(start, min(start + BLOCK, subject.rounds(kind))))
        time.sleep(1)  # the log of look-ups follows within half a second, and counts too
        for subject, cpu in zip(subjects, before, strict=True):
            subject.cpu[kind] = subject.server.cpu() - cpu


def verdict(ratio: float, target: float) -> str:
    """A figure's end: nothing where the target is met."""
    return f"{ratio:7.2f}" + ("" if ratio <= target else f"  MISSED: {target}")


def show(ours: dict[int, Subject], peers: dict[int, Subject]) -> None:
    few, many = min(ours), max(ours)
    print(f"\n{'one request, median ms, among':30}{few:>9,}{many:>9,}{'ratio':>7}")
    for kind in KINDS:
        before, after = ours[few].median(kind), ours[many].median(kind)
        print(f"{kind:30}{before:9.2f}{after:9.2f}{verdict(after / before, FLAT)}")
    for people, peer in peers.items():
        us = ours[people]
        head = "".join(f"{name:>9}" for name in ("ms", "peer's", "ratio", "CPU ms", "peer's"))
        print(f"\n{f'among {people:,}, beside in-memory':30}{head}{'ratio':>7}")
        for kind in KINDS:
            ms, theirs, cost, cheap = us.median(kind), peer.median(kind), us.cost(kind), peer.cost(kind)
            shown = f"{ms:9.2f}{theirs:9.2f}{ms / theirs:9.2f}{cost:9.2f}{cheap:9.2f}"
            print(f"{kind:30}{shown}{verdict(cost / cheap, CHEAP)}")
    memory = [f"{us.server.memory():.0f} MiB among {people:,}" for people, us in ours.items()]
    theirs = [f"{peer.server.memory():.0f} among {people:,}" for people, peer in peers.items()]
    print(f"\nthe servers hold {', '.join(memory)}; the peer {', '.join(theirs)}")


def main() -> None:
    with ExitStack() as stack:

        def folder() -> Path:
            return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="scimops-bench-")))

        ours = {n: Subject(stack.enter_context(serve_filled(folder(), n)), n, peer=False) for n in OURS}
        peers = {n: Subject(stack.enter_context(serve_peer(folder(), n)), n, peer=True) for n in PEERS}
        measure([*ours.values(), *peers.values()])
        show(ours, peers)


if __name__ == "__main__":
    main()
