"""`scimops demo` as anybody tries it: the whole story as audited jobs against a platform of its own."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from scimops.cli.demo_company import DELETED, NEW, SWITCHED_OFF, make_company
from scimops.idp import read_export
from scimops.jobs.history import Logged, runs
from scimops.jobs.verify import verify

COMMAND = [sys.executable, "-m", "scimops", "demo", "--out", "demo"]
JOBS = [
    ("setting create", 0), ("01_create_setting.ipynb", 0), ("02_preview_groups.ipynb", 0),
    ("03_plan_and_apply.ipynb", 0), ("04_audit_provisioning.ipynb", 0), ("04_audit_provisioning.ipynb", 3),
    ("05_review_runs.ipynb", 0),
]  # fmt: skip


@dataclass
class Told:
    """A demo that ran in `folder` of somebody who never used scimops, whose home is `home`."""

    folder: Path
    home: Path
    out: str
    err: str

    @property
    def ran(self) -> list[Logged]:
        return list(reversed(list(runs(self.folder / "demo/runs.ndjson"))))


def run_demo(folder: Path, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("SCIMOPS_", "XDG_"))}
    environment |= {"HOME": str(home), "PYTHONIOENCODING": "utf-8", **more}
    return subprocess.run(COMMAND, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder, home = tmp_path_factory.mktemp("demo"), tmp_path_factory.mktemp("home")
    done = run_demo(folder, home)
    assert done.returncode == 0, done.stderr
    return Told(folder, home, done.stdout, done.stderr)


@pytest.mark.long
def test_the_whole_story_is_told_by_audited_jobs(told: Told) -> None:
    ledger = told.folder / "demo/runs.ndjson"
    assert f"is whole: {len(JOBS)} records. Head: {verify(ledger).head}" in told.out
    assert "detects accidents, not the owner" in told.out
    assert [(one.what, one.record.exit_code) for one in told.ran] == JOBS
    assert all(one.record.outcome == "completed" for one in told.ran)
    order = ["Connection:", "Setting:", "Guide:", "Preview:", "Plan and apply:", "Audit of the first day:",
             "The identity provider takes over", "Audit of the second day:", "Review of runs:"]  # fmt: skip
    places = [told.err.index(words) for words in order]
    assert places == sorted(places)


@pytest.mark.long
def test_where_to_look_is_there(told: Told) -> None:
    named = [Path(line.strip()) for line in told.out.splitlines() if line.startswith("  /")]
    assert len(named) == 6
    report = re.search(r"person by person: (.*)", told.out)
    assert report
    for path in (*named, Path(report[1])):
        assert path.is_file(), path
    assert f"scimops lab {told.folder / 'demo'}" in told.out


@pytest.mark.long
def test_the_audit_finds_what_went_wrong_and_nothing_else(told: Told) -> None:
    first, second = (one.record.counts for one in told.ran if one.what.startswith("04"))
    assert (first["arrived"], first["lost"], first["left_still_active"]) == (first["meant"], 0, 0)
    coverage = pl.read_parquet(told.folder / "demo/audit/files/coverage.parquet")
    lost = coverage.filter(status="lost")
    assert (second["arrived"], second["lost"]) == (coverage.filter(status="arrived").height, lost.height)
    why = dict(lost.group_by("cause").len().iter_rows())
    groups = dict(coverage.group_by("group").len().iter_rows())
    assert why == {"value_stale": 1, "group_deleted": groups[DELETED], "auto_enrol_off": groups[SWITCHED_OFF]}
    assert second["left_still_active"] == 1


@pytest.mark.long
def test_no_secret_is_left_and_nothing_outside_is_touched(told: Told) -> None:
    kept = sorted((told.folder / "demo/story/config/credentials").iterdir())
    secrets = [path.read_bytes().strip() for path in kept]
    assert len(secrets) == 2
    for path in (path for path in told.folder.rglob("*") if path.is_file() and path not in kept):
        assert not [secret for secret in secrets if secret in path.read_bytes()], path
    for secret in secrets:
        assert secret.decode() not in told.out + told.err
    assert not [path for path in told.home.rglob("*") if "scimops" in str(path.relative_to(told.home))]


@pytest.mark.long
def test_the_platform_is_stopped_at_the_end(told: Told) -> None:
    port = re.search(r"on port (\d+); it ends with the demo", told.err)
    assert port
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{port[1]}/healthz", timeout=5)


@pytest.mark.long
def test_its_platform_starts_again_as_it_says(told: Told) -> None:
    command = re.search(r"^  scimops (serve --port (\d+) .*)$", told.out, re.MULTILINE)
    config = re.search(r"SCIMOPS_CONFIG=(\S+) in its environment", told.out)
    assert command
    assert config
    own = {**os.environ, "SCIMOPS_CONFIG": config[1]}
    program = [sys.executable, "-m", "scimops"]
    with subprocess.Popen([*program, *command[1].split()], env=own, cwd=told.folder) as platform:
        try:
            for _ in range(600):
                with contextlib.suppress(urllib.error.URLError):
                    urllib.request.urlopen(f"http://127.0.0.1:{command[2]}/readyz", timeout=5).close()
                    break
                time.sleep(0.1)
            done = subprocess.run([*program, "connection", "test", "demo"], env=own, cwd=told.folder, check=False)
        finally:
            platform.terminate()
    assert done.returncode == 0


@pytest.mark.long
def test_once_more_into_the_same_folder_with_a_ledger_elsewhere(told: Told, tmp_path: Path) -> None:
    ledger = tmp_path / "state.ndjson"
    done = run_demo(told.folder, told.home, SCIMOPS_LEDGER=str(ledger))
    assert done.returncode == 0, done.stderr
    assert f"The ledger {ledger} is whole: {len(JOBS)} records." in done.stdout
    ledger.write_bytes(ledger.read_bytes().replace(b'"groups":', b'"groupz":', 1))
    changed = run_demo(told.folder, told.home, SCIMOPS_LEDGER=str(ledger))
    assert changed.returncode == 1
    assert "it is not what was once written" in changed.stderr
    assert "Traceback" not in changed.stderr


def test_its_company_changes_as_it_says(tmp_path: Path) -> None:
    company = make_company(tmp_path)
    before, after = (read_export(path).users() for path in (company.yesterday, company.today))
    came = after.join(before, on="externalId", how="anti")
    assert (came.height, len(company.new)) == (NEW, NEW)
    gone = before.join(after, on="externalId", how="anti")["externalId"].to_list()
    assert gone == [row["id"] for row in company.left]
    both = before.join(after, on="externalId").filter(pl.col("department") != pl.col("department_right"))
    assert both["externalId"].to_list() == [row["id"] for row in company.moved]
    assert {DELETED, SWITCHED_OFF} <= set(before["department"])
