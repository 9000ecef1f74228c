"""What a hurried person gets wrong: the message says what it was, and nobody is said to have left for it."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
from planning import HEADER, line, snapshot
from telling import document, run, words

from scimops.audit.state import without_enrolments
from scimops.present import evidence_verify
from scimops.samples.story import Story, write_story


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return write_story(tmp_path_factory.mktemp("story"))


def test_who_is_not_on_the_list_of_employees_is_named(story: Story, tmp_path: Path) -> None:
    with story.hr.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    gone = story.people["Sales 0"].email
    hr = tmp_path / "hr.csv"
    with hr.open("w", encoding="utf-8", newline="") as to:
        writer = csv.DictWriter(to, list(rows[0]))
        writer.writeheader()
        writer.writerows(row for row in rows if row["E-mail"].casefold() != str(gone).casefold())
    known, found = (document(*words(story, "--people", path)) for path in (story.hr, hr))
    named = [{one["email"] for one in each["people"] if one["code"] == "not_on_list"} for each in (known, found)]
    assert named == [set(), {gone}]
    message = next(one["message"] for one in found["findings"] if one["code"] == "not_on_list")
    assert message == "1 person is in no row of the list of employees, and still active."


def test_the_same_log_twice_is_counted_once(story: Story) -> None:
    again = [word for log in story.logs for word in ("--log", log)]
    found = [document(*words(story, "--timeline", *more)) for more in ((), again)]
    lines = [next(q["population"] for q in each["questions"] if q["name"] == "changes_by_day") for each in found]
    assert lines[0] == lines[1] > 0
    told = [one["message"] for one in found[1]["findings"] if one["code"] == "log_twice"]
    assert len(told) == len(story.logs)


def test_a_folder_of_logs_is_all_of_them(story: Story) -> None:
    by_file = document(*words(story))
    folder = [str(word) for word in words(story) if word != "--log" and word not in {str(log) for log in story.logs}]
    assert document(*folder, "--log", story.logs[0].parent)["losses"] == by_file["losses"]


def test_an_earlier_export_that_is_no_older_is_said(story: Story, tmp_path: Path) -> None:
    copy = tmp_path / "yesterday.csv"
    copy.write_bytes(story.exports[-2].read_bytes())
    os.utime(copy, (2_000_000_000, 2_000_000_000))
    found = document(*words(story, "--timeline", "--exports", copy))
    assert "yesterday.csv" in next(one["message"] for one in found["findings"] if one["code"] == "export_not_older")
    assert "since_export" not in {one["name"] for one in found["questions"]}


def test_nobody_left_by_the_export_of_another_company(tmp_path: Path) -> None:
    without_enrolments(snapshot(*({"name": f"here{n}"} for n in range(12)))).save(tmp_path / "state")
    (tmp_path / "s.yaml").write_text("name: Acme\n")
    (tmp_path / "people.csv").write_text(HEADER + "".join(line(f"there{n}") + "\n" for n in range(12)))
    found = document("audit", tmp_path / "people.csv", "--setting", tmp_path / "s.yaml", "--state", tmp_path / "state")
    assert found["reconciled"].get("left_still_active", 0) == 0
    assert found["reconciled"]["maybe_left"] == 12
    assert {one["code"]: one["level"] for one in found["findings"]}["few_in_common"] == "error"


def test_a_file_where_a_folder_should_be(story: Story, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    said = [sys.executable, "-m", "scimops", *map(str, words(story, "--out", tmp_path / "out"))]
    done = subprocess.run(said, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "fault of scimops" not in done.stderr
    assert f"{tmp_path / 'out'}: File exists." in done.stderr


def test_a_plan_or_evidence_that_is_not_there(story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no such file" in str(run(*words(story, "--applied", tmp_path / "p.json"), code=5).exception)
    assert evidence_verify.main([str(tmp_path / "e.zip")]) == 2
    assert "no such file" in capsys.readouterr().out
