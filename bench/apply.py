"""An apply of creates beside a bare load generator: the same bodies, connections and server, by turns.

    python -m bench.apply [--people 2000] [--runs 3]

Every run begins with a fresh database of `scimops serve` (SQLite). Without `--people` it is 2,000, or 20,000 where the
environment says SIZE=full.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.process import run
from bench.serving import serve

WAYS = ("bare", "apply")
LEAST = 0.8
TOKEN = "SCIMOPS_BENCH_TOKEN"  # a name


@dataclass(frozen=True)
class Sent:
    """Creates a second, until the last one and with what follows; CPU milliseconds of client and server for one."""

    speed: float
    whole: float
    client: float
    server: float


def measure(way: str, people: int) -> Sent:
    """One run at a fresh server."""
    with tempfile.TemporaryDirectory(prefix="scimops-bench-") as name:
        folder = Path(name)
        with serve(folder, "field: department") as server:
            os.environ[TOKEN], before = server.token, server.cpu()
            url = f"http://127.0.0.1:{server.port}{server.path}"
            cost, text = run(["-m", "bench.apply_subject", way, url, name, str(people)], folder)
            theirs = server.cpu() - before
    seconds = json.loads(text)
    return Sent(people / seconds["sent"], people / seconds["whole"], cost.cpu * 1000 / people, theirs * 1000 / people)


def main(people: int | None = None, runs: int = 3) -> None:
    people = people or (20_000 if os.environ.get("SIZE") == "full" else 2_000)
    turns = [{way: measure(way, people) for way in WAYS} for _ in range(runs)]
    print(f"\n{people:,} creates, {runs} runs, medians")
    print(f"{'':12}{'creates/s':>12}{'with check':>12}{'client ms':>12}{'server ms':>12}")
    for way in WAYS:
        all_of = [turn[way] for turn in turns]
        shown = [statistics.median(getattr(one, name) for one in all_of) for name in Sent.__dataclass_fields__]
        print(f"{way:12}{shown[0]:12.0f}{shown[1]:12.0f}{shown[2]:12.2f}{shown[3]:12.2f}")
    ratio = statistics.median(turn["apply"].speed / turn["bare"].speed for turn in turns)
    print(f"an apply's creates a second, of the load generator's: {ratio:.2f}"
          + ("" if ratio >= LEAST else f"  MISSED: {LEAST}"))  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--people", type=int)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    main(arguments.people, arguments.runs)
