"""A first cycle as Entra sends it, on SQLite and on PostgreSQL: is the last person as cheap as the first?

    python -m bench.first_cycle [--people 5000]

Each person is looked up by userName, created, and changed by a PATCH that moves them to another group: over eight
connections, each waiting for its answers. Without `--people` it is 5,000, or 100,000 where the environment says
SIZE=full. Then how many durable creates a second SQLite takes, with placement and log in each one's transaction.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

from bench.process import ROOT
from bench.service_provider import PATCH_OP
from bench.serving import ENTERPRISE, Client, Server, person, serve

CONNECTIONS, DEPARTMENTS, CREATES = 8, 40, 3000
SLOWER, GROWN, DURABLE = 1.2, 1.2, 300
BY_DEPARTMENT = "field: department"


@dataclass(frozen=True)
class Part:
    """A part of a cycle: people a second, milliseconds of the server's CPU for one person, MiB at its end."""

    speed: float
    cpu: float
    memory: float


def provision(client: Client, number: int) -> None:
    """One person of a first cycle."""
    name, department = f"cycle{number}", f"Department {number % DEPARTMENTS}"
    wanted = quote(f'userName eq "{name}@example.com"')
    assert client.ask("GET", f"/Users?filter={wanted}")["totalResults"] == 0
    made = client.ask("POST", "/Users", person(name, department))["id"]
    moved = {"op": "Replace", "path": f"{ENTERPRISE}:department", "value": f"Department {(number + 1) % DEPARTMENTS}"}
    title = {"op": "Add", "path": "title", "value": "Manager"}
    client.ask("PATCH", f"/Users/{made}", {"schemas": [PATCH_OP], "Operations": [moved, title]})


def create(client: Client, number: int) -> None:
    """One person, created."""
    client.ask("POST", "/Users", person(f"cycle{number}", f"Department {number % DEPARTMENTS}"))


def measure(server: Server, work: Callable[[Client, int], None], people: int, parts: int) -> list[Part]:
    """So many people in parts of one size, each over all connections."""
    clients = [server.client() for _ in range(CONNECTIONS)]
    size, result = people // parts, []

    def share(client: Client, start: int, end: int) -> None:
        for number in range(start, end, CONNECTIONS):
            work(client, number)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for part in range(parts):
            cpu, started, first = server.cpu(), time.perf_counter(), part * size
            running = [pool.submit(share, client, first + k, first + size) for k, client in enumerate(clients)]
            for one in running:
                one.result()
            seconds = time.perf_counter() - started
            result.append(Part(size / seconds, (server.cpu() - cpu) * 1000 / size, server.memory()))
    return result


def show(where: str, people: int, parts: list[Part]) -> None:
    first, last = parts[0], parts[-1]
    print(f"\n{f'{people:,} people, {where}':44}{'first tenth':>12}{'last':>9}{'ratio':>7}")
    rows = (
        ("ms for a person", 1000 / first.speed, 1000 / last.speed, SLOWER),
        ("CPU ms of the server for a person", first.cpu, last.cpu, SLOWER),
        ("MiB of the server", first.memory, last.memory, GROWN),
    )
    for what, before, after, target in rows:
        missed = "" if after / before <= target else f"  MISSED: {target}"
        print(f"{what:44}{before:12.2f}{after:9.2f}{after / before:7.2f}{missed}")
    print(f"people a second, tenth by tenth: {', '.join(f'{part.speed:.0f}' for part in parts)}")


def on_sqlite(people: int, folder: Path) -> None:
    with serve(folder, BY_DEPARTMENT) as server:
        show("SQLite, 1 worker", people, measure(server, provision, people, 10))


def on_postgresql(people: int, folder: Path) -> None:
    """With a private server, as the tests start one."""
    sys.path.append(str(ROOT / "tests" / "service_provider"))
    from postgres import NoPostgresError, new_database, private_postgres

    with ExitStack() as stack:
        try:
            cluster = stack.enter_context(private_postgres("listen_addresses="))
        except NoPostgresError as error:
            print(f"\nNot measured on PostgreSQL: {error}")
            return
        url = stack.enter_context(new_database(cluster.url))
        server = stack.enter_context(serve(folder, BY_DEPARTMENT, "--database", url, "--workers", "2"))
        show("PostgreSQL, 2 workers", people, measure(server, provision, people, 10))


def durable_creates(folder: Path) -> None:
    with serve(folder, BY_DEPARTMENT) as server:
        measure(server, create, CONNECTIONS * 10, 1)  # the groups are there then, and every connection
        part = measure(server, lambda client, number: create(client, number + CREATES), CREATES, 1)[0]
    missed = "" if part.speed >= DURABLE else f"  MISSED: {DURABLE}"
    print(f"\ndurable creates a second on SQLite, {CONNECTIONS} connections: {part.speed:.0f}{missed}")
    print(f"CPU ms of the server for one: {part.cpu:.2f}")


def main(people: int | None = None) -> None:
    people = people or (100_000 if os.environ.get("SIZE") == "full" else 5_000)
    for measured in (partial(on_sqlite, people), partial(on_postgresql, people), durable_creates):
        with tempfile.TemporaryDirectory(prefix="scimops-bench-") as folder:
            measured(Path(folder))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--people", type=int)
    main(parser.parse_args().people)
