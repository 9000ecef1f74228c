"""`scimops runs` as a person and a scheduler use it, over a ledger made by the real writer."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import pty
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import jsonschema
import polars as pl
import pytest

from scimops.cli import main
from scimops.jobs.ledger import append
from scimops.jobs.record import Code, File, Notebook, Outcome, RunRecord, Where, Who, begin, end
from scimops.jobs.verify import Why, verify
from scimops.schemas import read_schema
from scimops.touched import hashed


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


class Desk:
    """A ledger, and `scimops runs` beside it, by the real entry in this process: a process each takes seconds."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.ledger = folder, folder / "state" / "runs.ndjson"
        self.capture, self.monkeypatch = capture, monkeypatch
        places = {"SCIMOPS_CONFIG": str(folder / "config"), "SCIMOPS_LEDGER": str(self.ledger), "COLUMNS": "220"}
        for name, value in places.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "stdin", (folder / "nobody").open("w+"))

    def run(self, *words: str) -> Done:
        self.monkeypatch.setattr(sys, "argv", ["scimops", "runs", *words])
        self.capture.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Done(int(ended.value.code or 0), *self.capture.readouterr())

    def good(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def document(self, *words: str) -> dict:
        """What it prints with `--json`, held to its schema."""
        done = json.loads(self.good(*words, "--json"))
        jsonschema.validate(done, read_schema(f"runs_{words[0]}"))
        return done

    def add(
        self, hours_ago: float, outcome: str = "completed", code: int = 0, name: str = "02_preview_groups", **more
    ) -> str:
        """A run of a notebook; gives its id."""
        time = dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours_ago)
        book = Notebook(name=f"{name}.ipynb", path=f"/srv/{name}.ipynb", sha256="a" * 64)
        record = end(begin("preview_groups", "", more.pop("parameters", {})), outcome, code, {"people": 7}, [], [])
        changes = {"kind": "notebook", "command": None, "notebook": book, "started": time, "ended": time}
        record = RunRecord.model_validate(record.model_dump() | changes | more)
        append(record, self.ledger)
        return record.id


@pytest.fixture
def desk(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, capfd, monkeypatch)


def test_an_empty_ledger_helps(desk: Desk) -> None:
    listed = desk.run("list")
    assert (listed.returncode, listed.stdout) == (0, "")
    assert "Nothing ran yet" in listed.stderr
    assert desk.document("list") == {"format": 1, "runs": []}
    assert "Whole and unchanged: 0 records" in desk.good("verify")
    shown = desk.run("show", "2026")
    assert (shown.returncode, "scimops runs list shows" in shown.stderr) == (2, True)
    late = desk.run("overdue", "--every", "24h", "--notebook", "02_preview_groups", "--exit-code")
    assert (late.returncode, "never completed, and never ran" in late.stdout) == (3, True)
    assert "0 runs" in desk.run("export", "--out", "runs.csv").stderr
    assert not desk.ledger.exists()


def test_list_shows_the_newest_first_and_only_what_is_asked_for(desk: Desk) -> None:
    old, failed, other = desk.add(50), desk.add(20, "failed", 1), desk.add(1, name="05_review_runs")

    def ids(*words: str) -> list[str]:
        return [run["record"]["id"] for run in desk.document("list", *words)["runs"]]

    assert ids() == [other, failed, old]
    assert ids("--limit", "1") == [other]
    assert ids("--outcome", "failed") == [failed]
    assert ids("--notebook", "02_preview_groups") == ids("--notebook", "02_preview_groups.ipynb") == [failed, old]
    assert ids("--notebook", "02_preview") == []
    assert ids("--since", "24h") == [other, failed]
    assert ids("--since", "2020-01-01", "--outcome", "completed", "--notebook", "02_preview_groups") == [old]
    assert [line.split()[2] for line in desk.good("list").splitlines()[1:]] == [
        "05_review_runs.ipynb", "02_preview_groups.ipynb", "02_preview_groups.ipynb"
    ]  # fmt: skip
    wrong = desk.run("list", "--outcome", "fialed")
    assert (wrong.returncode, 'Did you mean "failed"?' in wrong.stderr) == (2, True)
    assert desk.run("list", "--since", "soon").returncode == 2


def test_show_a_run_whole(desk: Desk) -> None:
    desk.add(1, parameters={"export": "[/x]users\x1b[31m.csv"})
    (run,) = desk.document("list")["runs"]
    text = desk.good("show", run["record"]["id"][:12])
    for part in (run["record"]["who"]["host"], "a" * 64, "counts people", "[/x]users", f"1:{run['hash']}"):
        assert part in text
    assert "\x1b" not in text
    assert desk.document("show", run["record"]["id"])["record"] == run["record"]
    RunRecord.model_validate(run["record"])
    desk.add(1)
    several = desk.run("show", "0")
    assert (several.returncode, "Several runs begin with 0" in several.stderr) == (2, True)


def test_diff_says_what_differs_and_nothing_else(desk: Desk) -> None:
    files = [desk.folder / "one.csv", desk.folder / "other.csv"]
    for path in files:
        path.write_text(path.name)
    ids = [
        desk.add(1, parameters={"export": path.name, "same": "x"}, inputs=[hashed(path) | {"name": "/data/users.csv"}])
        for path in files
    ]
    found = desk.document("diff", *ids)["differences"]
    assert [row["what"] for row in found] == ["parameter export", "input users.csv"]
    assert (found[0]["one"], found[0]["other"]) == ("one.csv", "other.csv")
    assert "other.csv" in desk.good("diff", *ids)
    assert desk.good("diff", ids[0], ids[0]) == ""


def test_verify_says_the_head_and_what_is_wrong(desk: Desk) -> None:
    desk.run("key")
    desk.add(2)
    desk.add(1)
    head = desk.document("verify")["head"]
    key = str(desk.folder / "config" / "ledger.pub")
    sound = desk.good("verify", "--head", head, "--key", key)
    assert head in sound
    assert "nobody without that key" in sound
    whole = desk.ledger.read_text()
    desk.ledger.write_text("".join(whole.splitlines(keepends=True)[:1]))
    cut = desk.run("verify", "--head", head)
    assert (cut.returncode, "its tail was cut off. (cut)" in cut.stdout) == (1, True)
    assert "shows only against a head" in desk.run("verify").stderr
    desk.ledger.write_text(whole.replace('"people":7', '"people":8', 1))
    changed = desk.run("verify", "--json")
    jsonschema.validate(json.loads(changed.stdout), read_schema("runs_verify"))
    assert (changed.returncode, json.loads(changed.stdout)["line"]) == (1, 1)
    assert (desk.run("verify", "--head", "7").returncode, desk.run("verify", "--key", "no").returncode) == (2, 2)
    assert desk.run("verify", "--key", str(desk.folder / "config" / "ledger.key")).returncode == 2


def test_a_missed_night_is_an_exit_code(desk: Desk) -> None:
    watch = ("overdue", "--every", "24h", "--notebook", "02_preview_groups", "--exit-code")
    desk.add(30)
    desk.add(1, name="02_preview_groups_other")
    late = desk.run(*watch)
    assert (late.returncode, "last completed at" in late.stdout) == (3, True)
    desk.add(2, "failed", 1)
    failed = desk.run(*watch)
    assert (failed.returncode, ": failed." in failed.stdout) == (3, True)
    assert desk.run(*watch[:-1]).returncode == 0
    desk.add(1, "completed", 3)
    assert desk.run(*watch).returncode == 0
    assert desk.document(*watch[:-1])["overdue"] == []
    both = desk.document(*watch[:-1], "--notebook", "never", "--notebook", "02_preview_groups_other", "--every", "30m")
    assert [row["notebook"] for row in both["overdue"]] == ["02_preview_groups", "never", "02_preview_groups_other"]
    assert [bool(row["last_run"]) for row in both["overdue"]] == [True, False, True]


def test_the_schema_of_a_record_is_the_records() -> None:
    known = read_schema("runs_show")["$defs"]
    assert set(known["Record"]["properties"]) == set(RunRecord.model_fields)
    for name, part in {"File": File, "Notebook": Notebook, "Who": Who, "Where": Where, "Code": Code}.items():
        assert set(known[f"Record{name}"]["properties"]) == set(part.model_fields)
    assert known["Record"]["properties"]["outcome"]["enum"] == list(get_args(Outcome))
    assert set(read_schema("runs_verify")["properties"]["why"]["enum"]) == {*get_args(Why), None}


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_export_holds_every_run_in_the_order_of_the_chain(desk: Desk, form: str) -> None:
    ids = [desk.add(3, parameters={"formula": "=1+1"}, folder="=cmd()"), desk.add(2, "failed", 1), desk.add(1)]
    out = desk.folder / f"runs.{form}"
    desk.good("export", "--out", str(out))
    read = {
        "csv": lambda: list(csv.DictReader(out.read_text("utf-8-sig").splitlines())),
        "json": lambda: json.loads(out.read_text()),
        "parquet": lambda: pl.read_parquet(out).to_dicts(),
    }[form]()
    assert [row["id"] for row in read] == ids
    assert [row["outcome"] for row in read] == ["completed", "failed", "completed"]
    assert json.loads(read[0]["parameters"]) == {"formula": "=1+1"}
    assert read[0]["folder"] == ("'=cmd()" if form == "csv" else "=cmd()")
    desk.good("export", "--out", str(out), "--format", form, "--outcome", "failed")
    assert desk.run("export", "--out", "runs.xlsx").returncode == 2


def test_prune_removes_what_old_runs_left_and_says_so(desk: Desk) -> None:
    def left(name: str) -> tuple[Path, list[dict]]:
        folder = desk.folder / name
        (folder / "charts").mkdir(parents=True)
        files = [folder / "02_preview_groups.ipynb", folder / "charts" / "groups.png"]
        for path in files:
            path.write_text(name)
        (folder / "02_preview_groups.html").write_text("page")
        return folder, [hashed(path) for path in files]

    old, old_files = left("old")
    shared, shared_files = left("shared")
    mine, mine_files = left("mine")
    (mine / "notes.txt").write_text("keep")
    (mine / "charts" / "groups.png").write_text("changed by a person")
    outside = desk.folder / "elsewhere.csv"
    outside.write_text("x")
    desk.add(24 * 100, folder=str(old), outputs=[*old_files, hashed(outside)])
    desk.add(24 * 100, folder=str(shared), outputs=shared_files)
    desk.add(24 * 100, folder=str(mine), outputs=mine_files)
    desk.add(1, folder=str(shared), outputs=shared_files)
    said = desk.good("prune", "--older-than", "90d", "--dry-run")
    assert "2" in said
    assert old.exists()
    assert desk.run("prune", "--older-than", "90d").returncode == 2
    desk.good("prune", "--older-than", "90d", "--yes")
    assert not old.exists()
    assert outside.exists()
    assert sorted(path.name for path in shared.rglob("*") if path.is_file()) == [
        "02_preview_groups.html", "02_preview_groups.ipynb", "groups.png"
    ]  # fmt: skip
    assert sorted(path.name for path in mine.rglob("*") if path.is_file()) == ["groups.png", "notes.txt"]
    newest = desk.document("list")["runs"][0]["record"]
    assert (newest["command"], newest["parameters"]) == ("runs prune", {"older_than": "90d"})
    assert (newest["counts"]["runs"], newest["counts"]["files"]) == (2, 5)
    assert (verify(desk.ledger).good, verify(desk.ledger).records) == (True, 5)


def test_a_ledger_elsewhere_is_named(desk: Desk) -> None:
    desk.add(1)
    copy = desk.folder / "copy.ndjson"
    copy.write_bytes(desk.ledger.read_bytes())
    desk.ledger.unlink()
    assert len(desk.document("list", "--ledger", str(copy))["runs"]) == 1
    assert "1 records" in desk.good("verify", "--ledger", str(copy))
    assert "No such file" not in desk.run("list").stderr


def test_the_first_run_offers_a_key(desk: Desk) -> None:
    ours, side = pty.openpty()
    code = "from scimops.cli.recording import recorded\nwith recorded('s', 'c', {}): pass"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=side, stdout=side, stderr=side, close_fds=True)
    os.close(side)
    os.write(ours, b"y\n")
    assert process.wait(60) == 0
    os.close(ours)
    assert verify(desk.ledger).signed == 1
    assert (desk.folder / "config" / "ledger.key").stat().st_mode & 0o777 == 0o600
    again = desk.run("key")
    assert (again.returncode, "There is a key already" in again.stderr) == (2, True)


def test_unattended_the_first_run_says_what_it_is_without_a_key(desk: Desk) -> None:
    code = "from scimops.cli.recording import recorded\nwith recorded('s', 'c', {}): pass"
    for expected in (True, False):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, stdin=-3)
        assert ("detects accidents, not the owner" in done.stderr) == expected
    assert verify(desk.ledger).signed == 0
