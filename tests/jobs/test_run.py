"""A notebook as a job, in a real kernel: result, exit code, report, events, and what the ledger is given."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell

from scimops.jobs.record import new_id
from scimops.jobs.run import run_notebook


def cells_of(run):
    return nbformat.read(run.output, as_version=4).cells


def test_a_job_on_the_command_line(job, tmp_path):
    path = job(
        new_markdown_cell("# A job"),
        "print(who, limit)",
        "from pathlib import Path\nPath(out, 'people.csv').write_text('a')",
        "from scimops.jobs import result\nresult({'people_moved': 1234}, exit_code=3)",
    )
    (tmp_path / "p.yaml").write_text('who: "007"\nlimit: 12\n')
    earlier = new_id()
    words = ["-f", "p.yaml", "-p", "limit", "13", "--out", "a{b} _c", "--events", "e.ndjson", "--continues", earlier]
    done = subprocess.run(
        [sys.executable, "-m", "scimops", "run", "job.ipynb", *words, "--json"],
        check=False, cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    run, folder = json.loads(done.stdout), tmp_path / "a{b} _c"
    assert done.returncode == 3, done.stderr
    assert (run["outcome"], run["exit_code"], run["counts"]) == ("completed", 3, {"people_moved": 1234})
    assert run["parameters"] == {"who": "007", "limit": "13", "out": str(folder)}
    assert run["notebook_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert [each["path"] for each in run["outputs"]] == ["job.html", "job.ipynb", "people.csv"]
    for each in run["outputs"]:
        assert each["sha256"] == hashlib.sha256((folder / each["path"]).read_bytes()).hexdigest()
        assert each["size"] == (folder / each["path"]).stat().st_size
    assert earlier < run["id"]
    assert run["started"] < run["ended"]

    events = [json.loads(line) for line in (tmp_path / "e.ndjson").read_text().splitlines()]
    assert [event["event"] for event in events][:2] == ["run_started", "cell_started"]
    assert [event["status"] for event in events if event["event"] == "cell_ended"] == ["completed"] * 5
    assert events[-1]["event"] == "run_ended"
    assert {event["run"] for event in events} == {run["id"]}
    assert "Cell 5 of 5: completed" in done.stderr

    first = nbformat.read(run["output"], as_version=4).cells[0].source
    assert first.startswith("# Completed: exit code 3\n\nThere are findings")
    assert "| people moved | 1,234 |" in first
    assert f"| continues | {earlier} |" in first
    page = Path(run["page"]).read_text()
    assert page.index("Completed: exit code 3") < page.index("A job")
    assert "007 13" in page
    assert "print(who" not in page
    assert "<script src=" not in page
    assert sorted(each.name for each in folder.iterdir()) == ["job.html", "job.ipynb", "people.csv"]  # no part is left


def test_an_expected_error_is_none_and_an_output_notebook_runs_again_with_one_report(job, tmp_path):
    expected = new_code_cell("1 / 0", metadata={"tags": ["raises-exception"]})
    last = "from scimops.jobs import result\nprint('OUT=' + out)\nresult({}, exit_code=4 * out.endswith('2'))"
    ended = []
    run = run_notebook(job(expected, last), folder=tmp_path / "1", on_end=ended.append)
    assert (run.outcome, run.exit_code) == ("completed", 0)
    assert ended == [run]
    again = run_notebook(Path(run.output), [("out", str(tmp_path / "2"))], folder=tmp_path / "2")
    assert again.exit_code == 4
    cells = cells_of(again)
    assert [cell.source.splitlines()[0] for cell in cells if cell.cell_type == "markdown"] == [
        "# Completed: exit code 4"
    ]
    assert "A safeguard withheld" in cells[0].source
    assert cells[-1].outputs[0].text == f"OUT={tmp_path / '2'}\n"


def test_an_error_of_ours_keeps_its_exit_code_and_has_no_traceback(job, tmp_path):
    cell = (
        "from scimops.errors import IncompleteSourceError\nclass Deeper(IncompleteSourceError): pass\n"
        "raise Deeper('half a <b>file</b>.')"
    )
    ended = []
    run = run_notebook(job(cell, "print(1)"), folder=tmp_path / "out", on_end=ended.append)
    assert (run.outcome, run.exit_code, run.message) == ("failed", 5, "half a <b>file</b>.")
    assert ended == [run]
    page = (tmp_path / "out" / "job.html").read_text()
    assert "Traceback" not in page
    assert "half a &lt;b&gt;file" in page
    assert "half a <b>" not in page


def test_ids_sort_by_time():
    ids = []
    for _ in range(5):
        ids.append(new_id())
        time.sleep(0.002)
    assert ids == sorted(ids)
    assert all(each[14] == "7" and each[19] in "89ab" for each in ids)
