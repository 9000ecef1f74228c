"""A snapshot of many people from `scimops serve`: the client's CPU beside the server's, and the memory it takes.

    python -m bench.client [--people 100000]

The client is a process of its own. Its CPU is counted from its first line to its end, start and imports included.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from bench.process import run
from bench.serving import serve

QUARTER, MEMORY = 0.25, 400
GROUPS = "idp_groups: true"
FILL = "import pathlib, sys; from bench.service_provider import fill; fill(pathlib.Path(sys.argv[1]), int(sys.argv[2]))"
TOKEN = "SCIMOPS_BENCH_TOKEN"  # a name
PROGRAM = """
import sys
from scimops.client import connect
from scimops.connections import Connection
from scimops.setting import Setting

to = Connection(name="bench", kind="scim", url=sys.argv[1], token="env:SCIMOPS_BENCH_TOKEN", timeout=120.0)
with connect(to) as service_provider:
    snapshot = service_provider.read_snapshot(Setting(name="Bench"))
print(snapshot.users.height, snapshot.groups.height, snapshot.members.height)
"""


def main(people: int = 100_000) -> None:
    with tempfile.TemporaryDirectory(prefix="scimops-bench-") as name:
        folder = Path(name)
        with serve(folder, GROUPS):
            pass
        run(["-c", FILL, name, str(people)], folder)  # elsewhere, for this process must stay small
        with serve(folder, GROUPS) as server:
            program = folder / "snapshot.py"
            program.write_text(PROGRAM)
            run(["-c", "import scimops.client.reading, scim2_models"], folder)  # so that its modules are compiled
            os.environ[TOKEN], before = server.token, server.cpu()
            cost, said = run([str(program), f"http://127.0.0.1:{server.port}{server.path}"], folder)
            theirs = server.cpu() - before
    users, groups, members = map(int, said.split())
    assert (users, groups, members) == (people, 1, people // 2), said
    missed = "" if cost.cpu <= theirs * QUARTER else f"  MISSED: {QUARTER}"
    print(f"\na snapshot of {people:,} people, {cost.wall:.1f} s")
    print(f"CPU seconds: client {cost.cpu:.1f}, server {theirs:.1f}, ratio {cost.cpu / theirs:.2f}{missed}")
    print(f"memory of the client: {cost.peak:.0f} MiB{'' if cost.peak < MEMORY else f'  MISSED: {MEMORY}'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--people", type=int, default=100_000)
    main(parser.parse_args().people)
