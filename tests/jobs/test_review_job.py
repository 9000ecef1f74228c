"""The notebook 05_review_runs as a job: it verifies, reports, and its exit code says what it found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import nbformat
import pytest
from chains import grow, lines

from scimops.jobs import RESULT
from scimops.jobs.verify import verify
from scimops.schemas import read_schema

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "05_review_runs.ipynb"


def start(folder: Path, ledger: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "scimops", "run", str(NOTEBOOK), "--out", str(folder), "--json", *words]
    environment = os.environ | {"SCIMOPS_LEDGER": str(folder.with_name("night.ndjson")), "SCIMOPS_CONFIG": str(folder)}
    return subprocess.Popen(
        [*command, "-p", "ledger", str(ledger)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, dict[str, Any]]]:
    """Exit code and `--json` of a review of a whole ledger where a notebook is overdue, and of one that was changed."""
    folder = tmp_path_factory.mktemp("reviews")
    whole, changed = folder / "whole.ndjson", folder / "changed.ndjson"
    head = grow(whole, 8)[-1].head
    written = lines(whole)
    written[3] = written[3].replace(b'"people":7', b'"people":8')
    changed.write_bytes(b"".join(written))
    running = {
        "whole": start(folder / "1", whole, "-p", "head", head, "-p", "every", "24h"),
        "changed": start(folder / "2", changed),
    }
    ended = {}
    for name, process in running.items():
        said, complaint = process.communicate(timeout=120)
        assert said, complaint
        ended[name] = process.returncode, json.loads(said)
    return ended


def outputs(run: dict[str, Any]) -> dict[str, Any]:
    """Each code cell's outputs by its id."""
    return {cell.id: cell.outputs for cell in nbformat.read(run["output"], as_version=4).cells if "outputs" in cell}


def test_a_whole_ledger_with_an_overdue_notebook_is_three(reviews: dict[str, tuple[int, dict[str, Any]]]) -> None:
    code, run = reviews["whole"]
    assert (code, run["outcome"]) == (3, "completed")
    assert run["counts"] == {"records": 8, "signed": 0, "completed": 8, "not_completed": 0, "overdue": 1}
    cells = outputs(run)
    assert "Whole and unchanged: 8 records." in cells["verify"][0]["data"]["text/html"]
    assert (
        "02_preview_groups</b> was not completed within 24h; it never ran." in cells["verify"][0]["data"]["text/html"]
    )
    assert "image/png" in cells["timeline"][0]["data"]
    assert cells["runs"][0]["data"]["text/html"].count("<tr>") == 9
    assert "parameter number" in cells["two"][0]["data"]["text/html"]
    assert "widgets" not in nbformat.read(run["output"], as_version=4).metadata
    page = Path(run["page"]).read_text(encoding="utf-8")
    assert "There are findings" in page
    assert "data:image/png" in page


def test_a_changed_ledger_fails_and_names_the_line(reviews: dict[str, tuple[int, dict[str, Any]]]) -> None:
    code, run = reviews["changed"]
    assert (code, run["outcome"]) == (1, "failed")
    assert "changed.ndjson, line 4: it is not what was once written" in run["message"]
    cells = outputs(run)
    assert "<b>Line 4: </b>" in cells["verify"][0]["data"]["text/html"]
    assert dict(cells["result"][0]["data"][RESULT]["counts"])["records"] == 3
    assert not any("Traceback" in str(output) for output in cells["result"])


def test_json_of_a_run_follows_its_schema_and_carries_the_head(reviews: dict[str, tuple[int, dict[str, Any]]]) -> None:
    folder = Path(reviews["whole"][1]["folder"]).parent
    for _, run in reviews.values():
        jsonschema.validate(run, read_schema("run"))
        assert verify(folder / "night.ndjson", run["head"]).good
    assert {run["head"][0] for _, run in reviews.values()} == {"1", "2"}
