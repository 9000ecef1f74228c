"""One program as a whole process: what it costs from start to exit."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Cost:
    """CPU seconds of all threads, seconds on the clock, the highest MiB of memory held at one time."""

    cpu: float
    wall: float
    peak: float


def run(arguments: Sequence[str], folder: Path) -> tuple[Cost, str]:
    """The cost of `python ARGUMENTS` and what it wrote to standard output.

    This process must stay small: Linux counts the memory of the parent, until the child is itself, as the child's.

    Raises:
        SystemExit: the program failed; its last words are shown.
    """
    with (folder / "stdout").open("w+") as out, (folder / "stderr").open("w+") as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *arguments], stdout=out, stderr=errors, cwd=ROOT, env=_environment(folder)
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        errors.seek(0)
        if process.returncode:
            sys.exit(f"{' '.join(arguments)} ended with {process.returncode}:\n{errors.read()[-3000:]}")
        unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
        return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / unit), out.read()


def _environment(folder: Path) -> dict[str, str]:
    """As after an installation: modules are compiled, the first run sees to it.

    NumPy loads without the threads of its linear algebra, which no program here uses; scimops' commands see to that.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {"OPENBLAS_NUM_THREADS": "1"} | kept | {"PYTHONPYCACHEPREFIX": str(folder / "compiled")}
