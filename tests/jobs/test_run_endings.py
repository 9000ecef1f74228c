"""How a run ends that does not end well: outcome and exit code, said in the notebook, the page and by the command."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from scimops.jobs.run import run_notebook

ENDLESS = "print('it begins', flush=True)\nimport time\ntry:\n    time.sleep(600)\nfinally:\n    print('put away')"


@pytest.mark.parametrize(
    ("cells", "outcome", "code", "said", "status"),
    [
        (["1 / 0"], "failed", 1, "ZeroDivisionError: division by zero", "failed"),
        (["import sys\nsys.exit(7)"], "failed", 1, "Cell 3 of 4 called sys.exit(7)", "failed"),
        (["exit()"], "failed", 1, "Cell 3 of 4 called exit()", "failed"),
        (
            ["import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"], "kernel_died", 138,
            "(signal 9, as when memory runs out)", "kernel_died",
        ),
    ],
    ids=["error", "sys.exit", "exit", "killed"],
)  # fmt: skip
def test_a_cell_that_ends_the_run(job, statuses, tmp_path, cells, outcome, code, said, status):
    run = run_notebook(job(*cells, "print('after')"), folder=tmp_path / "out")
    assert (run.outcome, run.exit_code) == (outcome, code)
    assert said in run.message
    assert statuses(run.output) == ["completed", "completed", status, "not_run"]
    assert f"exit code {code}" in nbformat.read(run.output, as_version=4).cells[0].source.splitlines()[0]


@pytest.mark.parametrize(
    ("limits", "said"), [({"cell_timeout": 2.0}, "--cell-timeout"), ({"timeout": 6.0}, "--timeout")]
)
def test_an_endless_cell_is_interrupted_at_its_limit(job, statuses, tmp_path, limits, said):
    run = run_notebook(job(ENDLESS, "print('after')"), folder=tmp_path / "out", **limits)
    assert (run.outcome, run.exit_code) == ("timed_out", 124)
    assert said in run.message
    assert statuses(run.output)[-2:] == ["timed_out", "not_run"]
    page = (tmp_path / "out" / "job.html").read_text()
    assert "put away" in page, "an interrupted cell has time to put away what it has in hand, and that is reported"
    assert "Timed out: exit code 124" in page


def test_a_signal_cancels_the_run_and_ends_the_kernel(job, statuses, tmp_path):
    cell = f"import os, pathlib\npathlib.Path(out, 'kernel').write_text(str(os.getpid()))\n{ENDLESS}"
    path, runs = job(cell, "print('after')"), {}
    for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        command = [sys.executable, "-m", "scimops", "run", str(path), "--out", str(tmp_path / str(code))]
        runs[code] = number, subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    for code, (number, process) in runs.items():
        mark = tmp_path / str(code) / "kernel"
        while not (mark.exists() and mark.read_text()):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(number)
        _, complaint = process.communicate(timeout=60)
        assert process.returncode == code, complaint
        assert "Cancelled by" in complaint
        assert statuses(mark.parent / "job.ipynb")[-2:] == ["cancelled", "not_run"]
        assert f"Cancelled: exit code {code}" in (mark.parent / "job.html").read_text()
        assert not alive(int(mark.read_text()))


def alive(pid: int) -> bool:
    """Is there such a process, and is it no corpse?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_full_disk_stops_the_run_and_keeps_what_was_whole(job, tmp_path):
    path = job("print('x' * 2_000_000)", f"open({str(tmp_path / 'after')!r}, 'w')")
    command = [sys.executable, "-m", "scimops", "run", str(path), "--out", str(tmp_path / "out")]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000)),
    )  # fmt: skip
    assert done.returncode == 1
    assert "the report cannot be written (File too large), so the run was stopped" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "after").exists(), "what cannot be reported does not go on"
    left = nbformat.read(tmp_path / "out" / "job.ipynb", as_version=4)
    assert left.cells[0].source.startswith("# Not ended")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["job.ipynb"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-p", "limit", "many"], 'must be a whole number, not "many"'),
        (["-f", "nowhere.yaml"], "there is no such file"),
        (["--timeout", "0"], "--timeout must be more than 0 seconds"),
        (["--continues", "yesterday"], "takes the id of a run"),
        (["-p", "who"], "-p needs a name and a value"),
        (["more"], "belongs to no option"),
    ],
)
def test_wrong_usage_runs_nothing(job, tmp_path, words, said):
    from typer.testing import CliRunner

    from scimops.cli import app

    done = CliRunner().invoke(app, ["run", str(job()), "--out", str(tmp_path / "out"), *words])
    assert getattr(done.exception, "exit_code", 2) == 2
    assert said in str(done.exception) + done.output
    assert not (tmp_path / "out").exists()


def test_a_kernel_that_is_not_there(job, tmp_path):
    from scimops.errors import UsageError

    path = job()
    path.write_text(path.read_text().replace('"name": "python3"', '"name": "cobol"'))
    with pytest.raises(UsageError, match='its kernel "cobol" is not installed here'):
        run_notebook(path, folder=tmp_path / "out")
