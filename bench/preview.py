"""scimops' preview beside four programs written by hand: same file, same answer for every row, whole processes.

    python -m bench [--size 100k|1m|5m] [--runs 3] [--folder FOLDER]

Without `--size` it is 1m, or 5m where the environment says SIZE=full. The targets are said to be met or missed; only a
wrong answer is an error.
"""

import argparse
import importlib.util
import json
import os
import platform
import statistics
import sys
import tempfile
from pathlib import Path

from bench.process import Cost, run

SIZES = {"1k": 1_000, "10k": 10_000, "100k": 100_000, "1m": 1_000_000, "5m": 5_000_000}
PROGRAMS = {
    "scimops": ("bench.subject",),
    "polars": ("bench.peers.polars",),
    "duckdb": ("bench.peers.duckdb",),
    "pandas": ("bench.peers.pandas",),
    "plain": ("bench.peers.plain",),
    "scimops all": ("bench.subject", "all"),
}
"""`scimops` writes the four columns that the peers write, `scimops all` every column of the assignments."""

SMALL = "100k"
Costs = dict[str, Cost]


def median(costs: list[Cost]) -> Cost:
    return Cost(*(statistics.median(getattr(cost, name) for cost in costs) for name in ("cpu", "wall", "peak")))


def measure(size: str, programs: list[str], runs: int, folder: Path) -> Costs:
    """The medians of `runs` rounds in which each program has its turn; all results are compared, row by row."""
    export = folder / f"users-{size}.csv"
    if not export.exists():
        run(["-m", "bench.data", str(export), str(SIZES[size])], folder)
    costs: dict[str, list[Cost]] = {name: [] for name in programs}
    results = {name: folder / f"{name}-{size}.{'csv' if name == 'plain' else 'parquet'}" for name in programs}
    said: dict[str, dict[str, dict[str, int]]] = {}
    for _ in range(runs):
        for name in programs:
            module, *options = PROGRAMS[name]
            cost, text = run(["-m", module, str(export), str(results[name]), *options], folder)
            costs[name].append(cost)
            said[name] = json.loads(text)
    for name in programs:
        if said[name] != said[programs[0]]:
            sys.exit(f"{name} counts otherwise than {programs[0]}:\n{said[name]}\n{said[programs[0]]}")
    print(run(["-m", "bench.agree", *map(str, results.values())], folder)[1], end="")
    return {name: median(costs[name]) for name in programs}


def show(size: str, costs: Costs) -> None:
    ours = costs["scimops"]
    print(f"\n{size:12}{'cpu s':>10}{'wall s':>10}{'peak MiB':>10}   to scimops: {'cpu':>6}{'wall':>8}{'peak':>8}")
    for name, cost in costs.items():
        ratios = cost.cpu / ours.cpu, cost.wall / ours.wall, cost.peak / ours.peak
        columns = "".join(f"{ratio:8.2f}" for ratio in ratios)
        print(f"{name:12}{cost.cpu:10.2f}{cost.wall:10.2f}{cost.peak:10.0f}{'':13}{columns}")
    print()


def targets(costs: Costs, small: Cost, growth: int) -> None:
    ours, polars = costs["scimops"], costs["polars"]
    target("CPU against Polars, at most 1.5 times", ours.cpu / polars.cpu, 1.5)
    target("CPU against DuckDB, less", ours.cpu / costs["duckdb"].cpu, 1)
    target("CPU against pandas, at most a third", ours.cpu / costs["pandas"].cpu, 1 / 3)
    target("memory against Polars, at most 1.5 times", ours.peak / polars.peak, 1.5)
    target(f"CPU against {SMALL}, {growth} times the rows", ours.cpu / small.cpu, 1.2 * growth)


def target(what: str, found: float, most: float) -> None:
    print(f"{'met' if found <= most else 'MISSED':8}{what:44}{found:6.2f} of {most:.2f}")


def starts(runs: int, folder: Path) -> None:
    """What it costs to begin at all."""
    commands = {
        "python": ["-c", ""],
        "import scimops": ["-c", "import scimops"],
        "import polars": ["-c", "import polars"],
    }
    if importlib.util.find_spec("scimops.cli"):
        commands["scimops --help"] = ["-c", "from scimops.cli import main; main()", "--help"]
    print(f"\n{'start':18}{'cpu s':>8}{'wall s':>10}")
    for name, arguments in commands.items():
        run(arguments, folder)
        cost = median([run(arguments, folder)[0] for _ in range(runs)])
        print(f"{name:18}{cost.cpu:8.3f}{cost.wall:10.3f}")


def bench(size: str, runs: int, folder: Path) -> None:
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {runs} runs, medians of whole processes")
    measure("1k", list(PROGRAMS), 1, folder)
    small = measure(SMALL, list(PROGRAMS), runs, folder)
    show(SMALL, small)
    if size != SMALL:
        costs = measure(size, list(PROGRAMS), runs, folder)
        show(size, costs)
        targets(costs, small["scimops"], SIZES[size] // SIZES[SMALL])
    starts(runs, folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    full = os.environ.get("SIZE") == "full"
    parser.add_argument("--size", choices=["100k", "1m", "5m"], default="5m" if full else "1m")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="keep the files here, and use those that are there")
    arguments = parser.parse_args()
    if arguments.folder:
        arguments.folder.mkdir(parents=True, exist_ok=True)
        bench(arguments.size, arguments.runs, arguments.folder.absolute())
        return
    with tempfile.TemporaryDirectory(prefix="scimops-bench-") as folder:
        bench(arguments.size, arguments.runs, Path(folder))


if __name__ == "__main__":
    main()
