"""A plan beside one written by hand in Polars: same export, same people there, as many operations; whole processes.

python -m bench.plan [--size 100k|1m] [--runs 3]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from bench.preview import SIZES, median, target
from bench.process import Cost, run

PROGRAMS = ("bench.plan_subject", "bench.peers.polars_plan")


def bench(size: str, runs: int, folder: Path) -> None:
    export, held = folder / "users.csv", folder / "held"
    run(["-m", "bench.data", str(export), str(SIZES[size])], folder)
    run(["-m", PROGRAMS[0], str(export), str(held), "-"], folder)
    costs: dict[str, list[Cost]] = {program: [] for program in PROGRAMS}
    for _ in range(runs):
        said = {}
        for program in PROGRAMS:
            cost, text = run(["-m", program, str(export), str(held), str(folder / f"{program}.parquet")], folder)
            costs[program].append(cost)
            said[program] = json.loads(text)
        if said[PROGRAMS[0]] != said[PROGRAMS[1]]:
            sys.exit(f"they plan otherwise: {said}")
    ours, peer = (median(costs[program]) for program in PROGRAMS)
    print(f"\nplan of {size} against {size}: {said[PROGRAMS[0]]}")
    for name, cost in (("scimops", ours), ("polars", peer)):
        print(f"{name:12}{cost.cpu:10.2f} cpu s{cost.wall:10.2f} s{cost.peak:10.0f} MiB")
    target("CPU against Polars, at most 1.5 times", ours.cpu / peer.cpu, 1.5)


def main(size: str = "1m", runs: int = 3) -> None:
    with tempfile.TemporaryDirectory(prefix="scimops-bench-") as folder:
        bench(size, runs, Path(folder))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--size", choices=list(SIZES), default="1m")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    main(arguments.size, arguments.runs)
