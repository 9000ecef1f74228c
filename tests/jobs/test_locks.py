"""A job does not overlap itself: real processes that hold, wait for, are killed with the lock of a notebook."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scimops.cli import main
from scimops.errors import UsageError
from scimops.jobs.history import find
from scimops.jobs.locks import LockedError, alone

HOLD = """
import sys
from pathlib import Path
from scimops.jobs.locks import alone
with alone(Path("job.ipynb"), Path(sys.argv[1])) as note:
    note("0197-the-run")
    print("held", flush=True)
    sys.stdin.read()
"""


def until(there: Callable[[], object]) -> None:
    ends = time.monotonic() + 60
    while not there():
        assert time.monotonic() < ends, "it did not come"
        time.sleep(0.02)


@contextlib.contextmanager
def another_holds(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock until its standard input is closed."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:  # fmt: skip
        assert process.stdout.readline() == "held\n"
        yield process
        process.stdin.close()


def test_who_holds_it_is_said(tmp_path):
    with another_holds(tmp_path) as process, pytest.raises(LockedError) as caught, alone(Path("job.ipynb"), tmp_path):
        pass
    said = str(caught.value)
    assert caught.value.exit_code == 1
    for part in ("run 0197-the-run", f"process {process.pid}", os.uname().nodename, "since 20", "--wait"):
        assert part in said
    with alone(Path("job.ipynb"), tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_another_folder_and_another_notebook_do_not_wait(tmp_path):
    with another_holds(tmp_path), alone(Path("job.ipynb"), tmp_path / "b"), alone(Path("other.ipynb"), tmp_path):
        pass


def test_a_lock_of_a_process_that_was_killed_is_taken_at_once(tmp_path):
    with another_holds(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert (tmp_path / ".job.ipynb.held.part").exists()
        with alone(Path("job.ipynb"), tmp_path) as note:
            note("mine")
            assert json.loads((tmp_path / ".job.ipynb.held.part").read_bytes())["run"] == "mine"


def test_it_waits_and_says_for_whom(tmp_path):
    told: list[str] = []
    with another_holds(tmp_path) as process:

        def tell(line: str) -> None:
            told.append(line)
            process.stdin.close()

        with alone(Path("job.ipynb"), tmp_path, 60, tell):
            pass
    assert [line for line in told if f"process {process.pid}" in line] == told
    assert len(told) == 1
    assert "run 0197-the-run" in told[0]


def test_it_waits_no_longer_than_it_may(tmp_path):
    with another_holds(tmp_path), pytest.raises(LockedError), alone(Path("job.ipynb"), tmp_path, 0.3):
        pass


def test_many_at_once_are_one_after_the_other(tmp_path):
    inside, most = [], []

    def work() -> None:
        with alone(Path("job.ipynb"), tmp_path, 60):
            inside.append(1)
            most.append(len(inside))
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="no such folder"), alone(Path("job.ipynb"), tmp_path / "file" / "x"):
        pass


def test_two_commands(job, tmp_path):
    """The second says whose the lock is; with --wait, for whom it waits."""
    path = job("import pathlib, time\nwhile not pathlib.Path(out, 'go').exists(): time.sleep(0.05)")
    out, ledger = tmp_path / "o", tmp_path / "runs.ndjson"
    command = [sys.executable, "-m", "scimops", "run", str(path), "--out", str(out), "--ledger", str(ledger)]
    held = out / ".job.ipynb.held.part"
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as first:
        until(lambda: held.exists() and json.loads(held.read_bytes())["run"])
        run = json.loads(held.read_bytes())["run"]
        second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert second.returncode == 1
        assert f"run {run}," in second.stderr
        with subprocess.Popen([*command, "--wait", "60"], stderr=subprocess.PIPE, text=True) as third:
            assert f"Waiting up to 60 seconds for run {run}," in third.stderr.readline()
            third.terminate()
        (out / "go").touch()
        assert first.wait(timeout=60) == 0
    written = {Path(file.name).name for file in find(run, ledger).record.outputs}
    assert {name for name in written if name.startswith(".")} == set()
    assert {path.name for path in out.iterdir()} == {"go", "job.ipynb", "job.html"}


def test_a_wrong_parameter_leaves_no_folder(job, tmp_path, monkeypatch):
    words = ["run", str(job()), "-p", "nobody", "1", "--out", str(tmp_path / "o"), "--ledger", str(tmp_path / "l")]
    monkeypatch.setattr(sys, "argv", ["scimops", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert not (tmp_path / "o").exists()
