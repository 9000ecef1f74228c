"""The execution manager on jupyter-scheduler's own database, without a server: status, files, ledger, no secret."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_scheduler.models import DescribeJob, Status
from jupyter_scheduler.orm import Job, create_session, create_tables

from scimops.jobs.history import Logged, runs
from scimops.jobs.manager import ScimopsExecutionManager

SECRET = "s3cr3t-of-the-manager-0815"


class Window:
    """A job's row in the database, and its folder."""

    def __init__(self, folder: Path, notebook: Path, parameters: dict[str, str]) -> None:
        self.url = f"sqlite:///{folder / 'scheduler.sqlite'}"
        create_tables(self.url)
        with create_session(self.url)() as session:
            job = Job(
                name="night", input_filename=notebook.name, runtime_environment_name="python", parameters=parameters,
                output_formats=["ipynb", "html"],
            )  # fmt: skip
            session.add(job)
            session.commit()
            self.id = str(job.job_id)
        stage = folder / "stage"
        stage.mkdir()
        self.paths = {"input": stage / notebook.name, "ipynb": stage / "o.ipynb", "html": stage / "o.html"}
        notebook.rename(self.paths["input"])

    def run(self) -> DescribeJob:
        paths = {name: str(path) for name, path in self.paths.items()}
        ScimopsExecutionManager(self.id, str(self.paths["input"].parent), self.url, paths).process()
        with create_session(self.url)() as session:
            return DescribeJob.from_orm(session.query(Job).filter(Job.job_id == self.id).one())


@pytest.fixture
def window(tmp_path: Path, job: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Window]:
    monkeypatch.setenv("SCIMOPS_LEDGER", str(tmp_path / "runs.ndjson"))
    monkeypatch.setenv("SCIMOPS_NIGHT_TOKEN", SECRET)
    return lambda *cells, **parameters: Window(tmp_path, job(*cells), parameters)


def logged(folder: Path) -> list[Logged]:
    return list(runs(folder / "runs.ndjson"))


def hunted(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


def test_a_value_is_a_value_and_never_code(window: Callable[..., Window], tmp_path: Path) -> None:
    hostile = "south'; open('pwned', 'w') #"
    made = window(
        "import os, json; print(json.dumps([who, limit]), os.environ['SCIMOPS_NIGHT_TOKEN'])\n"
        "import pathlib; pathlib.Path(out, 'people.txt').write_text('0')",
        who=hostile, limit="007",
    )  # fmt: skip
    done = made.run()
    assert (done.status, done.status_message) == (Status.COMPLETED, None)
    assert done.end_time is not None
    text = nbformat.read(made.paths["ipynb"], as_version=4).cells[-1].outputs[0].text
    assert text == f"{json.dumps([hostile, 7])} [secret]\n"
    assert "Completed: exit code 0" in made.paths["html"].read_text(encoding="utf-8")
    assert "report/people.txt" in (done.packaged_files or [])  # offered where the folder goes along
    (run,) = logged(tmp_path)
    assert (run.record.outcome, run.record.parameters["who"]) == ("completed", hostile)
    assert hunted(tmp_path) == []
    assert list(tmp_path.rglob("pwned")) == []


@pytest.mark.parametrize(
    ("cell", "status", "message", "outcome", "code"),
    [
        ("from scimops.jobs import result; result({}, 3)", Status.COMPLETED, "Exit code 3.", "completed", 3),
        ("from scimops.jobs import result; result({}, 5)", Status.FAILED, "Exit code 5.", "completed", 5),
        ("import os; raise ValueError(os.environ['SCIMOPS_NIGHT_TOKEN'])", Status.FAILED,
         "Exit code 1. ValueError: [secret]", "failed", 1),
        ("import os; os._exit(1)", Status.FAILED, "Exit code 138. The kernel died in", "kernel_died", 138),
    ],
)  # fmt: skip
def test_the_status_is_that_of_the_run(
    window: Callable[..., Window], tmp_path: Path, cell: str, status: Status, message: str, outcome: str, code: int,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    made = window(cell)
    done: Any = made.run()
    assert done.status == status
    assert done.status_message.startswith(message)
    assert made.paths["ipynb"].is_file()
    assert made.paths["html"].is_file()
    (run,) = logged(tmp_path)
    assert (run.record.outcome, run.record.exit_code) == (outcome, code)
    assert hunted(tmp_path) == []
    said = capfd.readouterr().err
    assert "Traceback" not in said
    assert SECRET not in said


def test_a_wrong_parameter_runs_nothing(window: Callable[..., Window], tmp_path: Path) -> None:
    made = window("1", limt="3")
    done = made.run()
    assert done.status == Status.FAILED
    assert 'has no parameter "limt". Did you mean "limit"?' in str(done.status_message)
    assert done.end_time is not None
    assert not made.paths["ipynb"].exists()
    assert logged(tmp_path) == []
