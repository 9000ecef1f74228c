"""`scimops demo` as anybody tries it: two audited jobs, and the ledger verified at the end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scimops.jobs.history import runs
from scimops.jobs.verify import verify


@pytest.mark.long
@pytest.mark.parametrize("elsewhere", [False, True])
def test_the_demo_runs_its_notebooks_and_verifies_the_ledger(tmp_path: Path, elsewhere: bool) -> None:
    ledger = tmp_path / ("state.ndjson" if elsewhere else "demo/runs.ndjson")
    environment = {key: value for key, value in os.environ.items() if key != "SCIMOPS_LEDGER"}
    environment |= {"SCIMOPS_CONFIG": str(tmp_path / "config")}
    environment |= {"SCIMOPS_LEDGER": str(ledger)} if elsewhere else {}
    command = [sys.executable, "-m", "scimops", "demo", "--out", "demo"]
    for count in (2, 4):  # once more into the same folder
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert f"is whole: {count} records. Head: {verify(ledger).head}" in done.stdout
        assert "detects accidents, not the owner" in done.stdout
    ran = [(logged.what, logged.record.outcome, logged.record.exit_code) for logged in runs(ledger)]
    assert ran == [("05_review_runs.ipynb", "completed", 0), ("02_preview_groups.ipynb", "completed", 0)] * 2
    assert (tmp_path / "demo/preview/02_preview_groups.html").is_file()
    assert (tmp_path / "demo/review/05_review_runs.html").is_file()
    assert not (tmp_path / "config").exists(), "the demo makes no key"
    ledger.write_bytes(ledger.read_bytes().replace(b'"groups":', b'"groupz":', 1))
    changed = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert changed.returncode == 1
    assert "line 1: it is not what was once written" in changed.stderr
