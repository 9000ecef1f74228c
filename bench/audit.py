"""Coverage and reconcile beside the mere reading of their inputs with Polars; whole processes.

python -m bench.audit [--size 100k|1m] [--runs 1]; five log lines a person.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path

from bench.preview import SIZES, median, target
from bench.process import Cost, run

SUBJECT = "bench.audit_subject"


def bench(size: str, runs: int, folder: Path) -> None:
    export = folder / "users.csv"
    run(["-m", "bench.data", str(export), str(SIZES[size])], folder)
    run(["-m", SUBJECT, str(export), str(folder), "make", str(5 * SIZES[size])], folder)
    costs: dict[str, list[Cost]] = {"audit": [], "read": []}
    asked: list[float] = []
    for _ in range(runs):
        for what, series in costs.items():
            cost, text = run(["-m", SUBJECT, str(export), str(folder), what, str(folder / "result.parquet")], folder)
            series.append(cost)
            told = json.loads(text)
            print(f"{what}: {told}")
            if what == "audit":
                asked.append(sum(told["cpu s"][step] for step in ("match", "reconcile", "coverage")))
    ours, reading = median(costs["audit"]), median(costs["read"])
    for name, cost in (("audit", ours), ("reading", reading)):
        print(f"{name:12}{cost.cpu:10.2f} cpu s{cost.wall:10.2f} s{cost.peak:10.0f} MiB")
    print(f"the whole audit, with start, preview and writing, against reading: {ours.cpu / reading.cpu:.2f} times")
    ratio = statistics.median(asked) / reading.cpu
    target("CPU of coverage and reconcile against reading alone, under 3 times", ratio, 3)


def main(size: str = "1m", runs: int = 1) -> None:
    with tempfile.TemporaryDirectory(prefix="scimops-bench-") as folder:
        bench(size, runs, Path(folder))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--size", choices=list(SIZES), default="1m")
    parser.add_argument("--runs", type=int, default=1)
    arguments = parser.parse_args()
    main(arguments.size, arguments.runs)
