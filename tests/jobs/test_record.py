"""The record of a run: whole, true also of a run that was killed, and readable for ever."""

from __future__ import annotations

import json
import multiprocessing
import os
import pty
import re
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import nbformat
import pytest
from chains import a_record, lines
from nbformat.v4 import new_code_cell, new_notebook

import scimops
from scimops import touched
from scimops.credentials import known
from scimops.errors import IncompleteSourceError, ScimopsError
from scimops.jobs.audited import run_audited
from scimops.jobs.history import Wanted, runs
from scimops.jobs.ledger import LedgerError
from scimops.jobs.record import RunRecord, begin, new_id, record_of
from scimops.jobs.run import Run
from scimops.jobs.running import kept, recorded, running_folder, write_broken
from scimops.jobs.verify import verify
from scimops.present.files import write_preview
from scimops.tokens import Secret
from scimops.touched import hashed

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "run-record-1.json"
SAMPLES = ROOT / "sample_data"
FORK = multiprocessing.get_context("fork")


@pytest.fixture(autouse=True)
def _nothing_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCIMOPS_CONFIG", str(tmp_path / "config"))
    touched.forget()


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "runs.ndjson"


def the_only(ledger: Path) -> RunRecord:
    (logged,) = runs(ledger)
    return logged.record


def test_format_1_is_read_for_ever() -> None:
    text = GOLDEN.read_text("utf-8")
    record = RunRecord.model_validate_json(text)
    kept, golden = record.model_dump(mode="json"), json.loads(text)
    assert {name: kept[name] for name in golden} == golden, "what is new since is optional"
    assert record.counts == {"people": 200, "findings": 3}
    assert record.notebook
    assert record.notebook.name == "02_preview_groups.ipynb"


def test_no_fraction_is_in_a_record() -> None:
    def numbers(value: object) -> list[object]:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return [value] if isinstance(value, float) else [found for part in inner for found in numbers(part)]

    assert numbers(a_record().model_dump(mode="json")) == []


def test_a_record_says_who_where_and_with_which_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CTX_DAG_ID", "nightly")
    record = begin("create_setting", "setting check", {"export": ["a.csv"], "dry_run": True, "name": "007"})
    assert record.parameters == {"export": '["a.csv"]', "dry_run": "true", "name": "007"}
    assert record.where.scheduler["AIRFLOW_CTX_DAG_ID"] == "nightly"
    assert record.where.folder == str(Path.cwd())
    assert record.code.scimops == scimops.__version__
    assert record.code.packages["polars"][0].isdigit()
    assert re.fullmatch("[0-9a-f]{40}", str(record.code.commit)) if (ROOT / ".git").exists() else True
    assert (UUID(record.id).version, record.id < begin("s", "c", {}).id) == (7, True)
    assert (record.outcome, record.exit_code, record.ended) == ("broken", None, None)


# -- What was read and written --------------------------------------------------------------------


def test_every_file_that_is_read_and_written_is_there_with_its_hash(tmp_path: Path) -> None:
    export, setting = SAMPLES / "entra" / "exportUsers.csv", SAMPLES / "setting.yaml"
    preview = scimops.preview_export(scimops.read_export(export), scimops.load_setting(setting))
    written = write_preview(preview, tmp_path / "out")
    inputs, outputs = touched.collected()
    assert inputs == [hashed(export), hashed(setting)]
    assert outputs == [hashed(path) for path in written]
    assert all(file["sha256"] for file in outputs)


def test_a_file_that_changed_after_it_was_read_has_no_hash_rather_than_a_wrong_one(tmp_path: Path) -> None:
    small, large = tmp_path / "small.csv", tmp_path / "large.csv"
    small.write_text("a,b\n")
    large.write_bytes(b"x" * (touched.SMALL + 1))
    before = hashed(small)
    for path in (small, large):
        touched.note_read(path)
        path.write_text("something else")
    (kept_small, kept_large), _ = touched.collected()
    assert kept_small == before
    assert (kept_large["sha256"], kept_large["size"]) == (None, touched.SMALL + 1)


def test_what_this_process_wrote_is_no_input(tmp_path: Path) -> None:
    setting = tmp_path / "setting.yaml"
    scimops.save_setting(scimops.quick_setting("department"), setting)
    scimops.load_setting(setting)
    inputs, outputs = touched.collected()
    assert (inputs, outputs) == ([], [hashed(setting)])


def test_a_file_that_is_gone_has_no_hash(tmp_path: Path) -> None:
    path = tmp_path / "draft.csv"
    path.write_text("a")
    touched.note_written(path)
    path.unlink()
    assert touched.collected()[1] == [{"name": str(path), "sha256": None, "size": 1}]


# -- Notebooks ------------------------------------------------------------------------------------


def a_run(folder: Path, **more: Any) -> Run:
    """As the engine tells of it."""
    output = {"path": "02_preview_groups.ipynb", "sha256": "b" * 64, "size": 3}
    told = {
        "notebook": "02_preview_groups.ipynb", "outcome": "timed_out", "exit_code": 124, "counts": {"people": 3},
        "message": "", "output": "", "page": "", "folder": str(folder), "seconds": 1.5, "id": new_id(),
        "started": "2026-11-25T02:00:00.000Z", "ended": "2026-11-25T02:00:01.500Z", "parameters": {"export": "u.csv"},
        "notebook_path": "/srv/02_preview_groups.ipynb", "notebook_sha256": "a" * 64, "outputs": (output,),
        "continues": "019ab8a0-1c00-7abc-8def-0123456789ab",
    }  # fmt: skip
    return Run(**(told | more))


def test_the_record_of_a_notebook(tmp_path: Path) -> None:
    export = hashed(SAMPLES / "setting.yaml")
    written = {"name": str(tmp_path / "02_preview_groups.ipynb"), "sha256": None, "size": 1}
    run, begun = a_run(tmp_path), begin("s", "c", {})
    record = record_of(run, begun, inputs=[export], outputs=[written, export], digests={"plan": "abc"})
    assert (record.kind, record.step, record.id, record.continues) == (
        "notebook",
        "preview_groups",
        run.id,
        run.continues,
    )
    assert (record.outcome, record.exit_code, record.counts) == ("timed_out", 124, {"people": 3})
    assert (record.milliseconds, record.code, record.who) == (1500, begun.code, begun.who)
    assert record.notebook
    assert record.notebook.sha256 == "a" * 64
    assert [(file.name, file.sha256) for file in record.outputs] == [
        (str(tmp_path / "02_preview_groups.ipynb"), "b" * 64), (export["name"], export["sha256"])
    ]  # fmt: skip
    assert [file.name for file in record.inputs] == [export["name"]]
    assert (record.digests, record.folder) == ({"plan": "abc"}, str(tmp_path))


def test_the_record_of_a_notebook_that_has_not_ended_is_broken(tmp_path: Path) -> None:
    record = record_of(a_run(tmp_path, ended="", outcome="failed", outputs=()))
    assert (record.outcome, record.exit_code, record.ended, record.counts) == ("broken", None, None, {})


def a_notebook(path: Path, source: str) -> Path:
    spec = {"name": "python3", "language": "python", "display_name": "Python 3"}
    first = new_code_cell('who: str = "nobody"', metadata={"tags": ["parameters"]})
    nbformat.write(new_notebook(cells=[first, new_code_cell(source)], metadata={"kernelspec": spec}), path)
    return path


def test_a_notebook_in_a_real_kernel_is_in_the_ledger_with_what_it_read_and_wrote(tmp_path: Path, ledger: Path) -> None:
    setting, saved = SAMPLES / "setting.yaml", tmp_path / "saved.yaml"
    source = (
        f"import scimops\nfrom scimops.jobs import result\nsetting = scimops.load_setting({str(setting)!r})\n"
        f"scimops.save_setting(setting, {str(saved)!r})\nresult({{'people': 7}}, exit_code=3)"
    )
    notebook = a_notebook(tmp_path / "07_try.ipynb", source)
    run, written = run_audited(notebook, [("who", "007")], tmp_path / "out", ledger=ledger)
    record = the_only(ledger)
    assert (record.id, record.step, record.outcome, record.exit_code) == (run.id, "try", "completed", 3)
    assert (record.counts, record.parameters) == ({"people": 7}, {"who": "007"})
    assert [file.model_dump() for file in record.inputs] == [hashed(setting)]
    outputs = {Path(file.name).name: file.sha256 for file in record.outputs}
    assert outputs == {path.name: hashed(path)["sha256"] for path in (saved, Path(run.output), Path(run.page))}
    assert written.head == verify(ledger).head


def test_a_notebook_whose_runner_was_killed_is_broken(tmp_path: Path, ledger: Path) -> None:
    notebook = a_notebook(tmp_path / "07_try.ipynb", "import time\ntime.sleep(60)")
    (tmp_path / "p.yaml").write_text('who: "007"\n')
    earlier = new_id()
    code = (
        f"from pathlib import Path\nfrom scimops.jobs.audited import run_audited\nrun_audited(Path({str(notebook)!r}),"
        f"parameters_file=Path('p.yaml'), continues={earlier!r},"
    )
    runner = subprocess.Popen([sys.executable, "-c", f"{code} ledger=Path({str(ledger)!r}))"], cwd=tmp_path)
    deadline = time.monotonic() + 60
    while not (tmp_path / "out" / "07_try" / "07_try.ipynb").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    runner.kill()
    runner.wait()
    (broken,) = write_broken(ledger)
    assert (broken.outcome, broken.kind, broken.step) == ("broken", "notebook", "try")
    assert (broken.parameters, broken.continues) == ({"who": "007"}, earlier)
    assert [logged.record.id for logged in runs(ledger, Wanted(notebook="07_try"))] == [broken.id]
    assert broken.id in (tmp_path / "out" / "07_try" / "07_try.ipynb").read_text()
    assert verify(ledger).good


def test_an_outcome_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="outcome"):
        record_of(a_run(tmp_path, outcome="done"))


# -- Commands -------------------------------------------------------------------------------------


def test_a_command_is_in_the_ledger_with_what_it_touched(ledger: Path) -> None:
    with recorded("create_setting", "setting check", {"document": "s.yaml"}, ledger) as recording:
        scimops.load_setting(SAMPLES / "setting.yaml")
        recording.counts["people"] = 5
        recording.digests["setting"] = "abc"
    record = the_only(ledger)
    assert (record.outcome, record.exit_code, record.counts) == ("completed", 0, {"people": 5})
    assert [file.name for file in record.inputs] == [str(SAMPLES / "setting.yaml")]
    assert recording.written
    assert recording.written.head == verify(ledger).head
    assert not list(running_folder(ledger).iterdir())


class Exit(Exception):
    """As the command line's own."""

    def __init__(self, code: int) -> None:
        self.exit_code = code


@pytest.mark.parametrize(
    ("error", "outcome", "code"),
    [
        (ScimopsError("x"), "failed", 1),
        (IncompleteSourceError("x"), "failed", 5),
        (Exit(3), "completed", 3),
        (Exit(1), "failed", 1),
        (KeyboardInterrupt(), "cancelled", 130),
        (Exit(130), "cancelled", 130),
        (ValueError("x"), "failed", 1),
    ],
)
def test_a_command_that_ends_otherwise(ledger: Path, error: BaseException, outcome: str, code: int) -> None:
    with pytest.raises(type(error)), recorded("s", "c", {}, ledger):
        raise error
    assert (the_only(ledger).outcome, the_only(ledger).exit_code) == (outcome, code)


ASKING = """
import os, pathlib
os.login_tty(0)
from scimops.cli import app, common, main
from scimops.jobs.running import recorded

@app.command()
def ask():
    with recorded("s", "c", {}, pathlib.Path("runs.ndjson").absolute()):
        common.confirmed("Go on?", "")
main()
"""


@pytest.mark.parametrize("answer", [b"n\n", b"\x03"], ids=["no", "Ctrl-C"])
def test_a_no_to_a_question_is_cancelled(tmp_path: Path, ledger: Path, answer: bytes) -> None:
    ours, side = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", ASKING, "ask"], cwd=tmp_path, stdin=side, stdout=side, stderr=side
    )
    os.close(side)
    seen = b""
    while b"Go on?" not in seen:
        seen += os.read(ours, 4096)
    # A Ctrl-C between Python's look at signals and its read of the terminal is lost: a person presses again.
    for _ in range(5):
        os.write(ours, answer)
        with suppress(subprocess.TimeoutExpired):
            process.wait(12)
            break
    assert process.returncode == 130
    os.close(ours)
    assert (the_only(ledger).outcome, the_only(ledger).exit_code) == ("cancelled", 130)


def test_nothing_begins_where_the_ledger_cannot_be_written(ledger: Path) -> None:
    ledger.write_bytes(b"no line of ours\n")
    begun = []
    with pytest.raises(LedgerError, match="damaged"), recorded("s", "c", {}, ledger):
        begun.append(1)
    assert begun == []


# -- Killed ---------------------------------------------------------------------------------------


def kill_one(ledger: Path, record: RunRecord, when_written: bool = False) -> None:
    def die() -> None:
        with kept(record, ledger) as write:
            if when_written:
                Path.unlink = lambda *_, **__: os._exit(9)  # killed between the ledger and the file beside it
                write(record)
            os._exit(9)

    runner = FORK.Process(target=die)
    runner.start()
    runner.join(30)
    assert runner.exitcode == 9


def test_a_run_that_was_killed_is_written_as_broken_by_the_next(ledger: Path) -> None:
    secret = known(Secret("correct horse battery"))
    killed = begin("audit", "audit", {"token": secret.reveal()})
    kill_one(ledger, killed)
    (left,) = running_folder(ledger).glob("*.json")
    assert secret.reveal() not in left.read_text()
    with recorded("s", "c", {}, ledger):
        pass
    last, broken = (logged.record for logged in runs(ledger))
    assert (broken.id, broken.outcome, broken.ended) == (killed.id, "broken", None)
    assert last.outcome == "completed"
    assert verify(ledger).good
    assert not list(running_folder(ledger).iterdir())


def test_one_that_was_killed_after_it_was_written_is_written_once(ledger: Path) -> None:
    killed = a_record()
    kill_one(ledger, killed, when_written=True)
    assert len(list(running_folder(ledger).glob("*.json"))) == 1
    assert write_broken(ledger) == []
    assert (the_only(ledger).id, the_only(ledger).outcome) == (killed.id, "completed")


def test_one_that_still_runs_is_left_alone(ledger: Path) -> None:
    with kept(begin("s", "slow", {}), ledger) as write:
        with recorded("s", "quick", {}, ledger):
            pass
        assert [logged.record.command for logged in runs(ledger)] == ["quick"]
        write(a_record())
    assert len(lines(ledger)) == 2


def test_a_runner_that_forgets_to_write_is_broken(ledger: Path) -> None:
    with kept(begin("s", "c", {}), ledger):
        pass
    assert the_only(ledger).outcome == "broken"
