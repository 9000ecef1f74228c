"""The table of exit codes of `scimops run`, each code by a real process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

PARAMETERS = 'who: str = ""\nout: str = ""\nlimit: int = 10'
ENDINGS = """
import os, pathlib, signal, sys, time
from scimops import jobs
from scimops.errors import IncompleteSourceError
if who == "result":
    jobs.result({}, exit_code=limit)
elif who == "error":
    1 / 0
elif who == "source":
    raise IncompleteSourceError("half a file.")
elif who == "dead":
    os.kill(os.getpid(), signal.SIGKILL)
elif who == "endless":
    pathlib.Path(out, "begun").touch()
    time.sleep(600)
"""

TABLE: dict[int, tuple[str, list[str], int]] = {
    0: ("Completed: exit code 0", ["-p", "who", "result", "-p", "limit", "0"], 0),
    1: ("Failed: exit code 1", ["-p", "who", "error"], 0),
    2: ("", ["-p", "limit", "many"], 0),
    3: ("There are findings", ["-p", "who", "result", "-p", "limit", "3"], 0),
    4: ("A safeguard withheld", ["-p", "who", "result", "-p", "limit", "4"], 0),
    5: ("Failed: exit code 5", ["-p", "who", "source"], 0),
    124: ("Timed out: exit code 124", ["-p", "who", "endless", "--cell-timeout", "1"], 0),
    130: ("Cancelled: exit code 130", ["-p", "who", "endless"], signal.SIGINT),
    138: ("The kernel died: exit code 138", ["-p", "who", "dead"], 0),
    143: ("Cancelled: exit code 143", ["-p", "who", "endless"], signal.SIGTERM),
}
"""Each code with what the report says, what is asked for, and the signal that is sent once it has begun."""


def ran(notebook: Path, folder: Path, words: list[str], sent: int) -> int:
    """The exit code of a run into `folder`."""
    command = [sys.executable, "-m", "scimops", "run", str(notebook), "--out", str(folder), "--quiet", *words]
    environment = os.environ | {"SCIMOPS_LEDGER": str(folder.with_suffix(".ndjson"))}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while sent and process.poll() is None:
        if (folder / "begun").exists():
            process.send_signal(sent)
            break
        time.sleep(0.05)
    return process.wait(120)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path, int], tuple[int, str]]]:
    """All runs of the table, a few at a time; gives one's exit code and the first lines of its report."""
    with ThreadPoolExecutor(4) as pool:
        folder, started = tmp_path_factory.mktemp("runs"), {}

        def result(notebook: Path, code: int) -> tuple[int, str]:
            for each, (_, words, sent) in TABLE.items():
                if each not in started:
                    started[each] = pool.submit(ran, notebook, folder / str(each), words, sent)
            found = started[code].result()
            report = folder / str(code) / "job.ipynb"
            return found, report.read_text() if report.exists() else ""

        yield result


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One notebook that ends in every way."""
    spec = {"name": "python3", "language": "python", "display_name": "Python 3"}
    cells = [new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}), new_code_cell(ENDINGS)]
    path = tmp_path_factory.mktemp("notebook") / "job.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": spec}), path)
    return path


@pytest.mark.parametrize("code", TABLE)
def test_the_exit_code(runs: Callable[[Path, int], tuple[int, str]], notebook: Path, code: int) -> None:
    found, report = runs(notebook, code)
    assert found == code
    assert TABLE[code][0] in report
    assert bool(report) == (code != 2), "wrong usage runs nothing"


def test_the_readme_has_this_table() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    table = readme[readme.index("| exit code | outcome |") :].partition("\n\n")[0]
    assert [code for code in TABLE if f"{code}" not in table] == []
