"""`scimops audit` as a user runs it: what is printed first, exit codes, exceptions, one night after the other."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import polars as pl
import pytest
from auditing import HEADER, Company
from ends import SECRET_NAME
from telling import FAULTS, document, run, words

from scimops.audit.state import load_state
from scimops.samples.story import Story, write_story

OPEN = """\
format: 1
exceptions:
  - {person: "*", cause: auto_enrol_off, owner: Ada, reason: Bought in May., until: 2027-01-31}
  - {person: "*", status: left_still_active, owner: Ada, reason: They leave slowly., until: 2027-01-31}
"""


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return write_story(tmp_path_factory.mktemp("story"), FAULTS)


def test_first_how_many_arrived_then_where_the_others_were_lost_then_who_left(story: Story) -> None:
    said = run(*words(story, "--people", story.hr)).stdout
    found = document(*words(story, "--people", story.hr))
    arrived, meant = found["coverage"]["arrived"], found["meant"]
    assert said.splitlines()[0] == f"{arrived} of {meant} arrived."
    lines = said.splitlines()
    places = [next(n for n, line in enumerate(lines) if title in line)
              for title in ("Where the others were lost", "Left, and still active on the platform")]  # fmt: skip
    assert places == sorted(places)
    switched_off = next(line for line in lines if "its auto-enrol is off" in line)
    assert switched_off.split()[0] == str(len(story.group("Human Resources")))
    assert "Switch auto-enrol on" in switched_off
    for handle in ("leaver 4", "leaver 6"):
        assert any(line.startswith(str(story.people[handle].userName)) for line in lines[places[1] :]), handle
    assert "Campaigns cannot be read" in said


def test_it_fails_on_a_level_or_a_code_where_asked(story: Story) -> None:
    assert "to be failed on" not in run(*words(story)).stderr
    assert "left_still_active" in run(*words(story, "--fail-on", "error"), code=3).stderr
    run(*words(story, "--fail-on", "lost_auto_enrol_off"), code=3)
    run(*words(story, "--fail-on", "lost_seats_full", "--fail-on", "log_gap"))
    record = json.loads(Path(os.environ["SCIMOPS_LEDGER"]).read_text().splitlines()[-2])["record"]
    assert (record["command"], record["exit_code"], record["counts"]["lost"] > 0) == ("audit", 3, True)
    wrong = run(*words(story, "--fail-on", "lost_auto_enrol"), code=2)
    assert 'Did you mean "lost_auto_enrol_off"?' in str(wrong.exception)


def test_what_was_accepted_is_shown_and_does_not_fail(story: Story, tmp_path: Path) -> None:
    path = tmp_path / "e.yaml"
    path.write_text(OPEN)
    codes = ("--fail-on", "lost_auto_enrol_off", "--fail-on", "left_still_active")
    accepted = run(*words(story, *codes, "--exceptions", path))
    people = len(story.group("Human Resources"))
    assert f"{people + 2} findings accepted by exceptions" in accepted.stdout
    assert f"{people} people" in next(line for line in accepted.stdout.splitlines() if "2027-01-31" in line)
    found = document(*words(story, "--exceptions", path))
    assert {"lost_auto_enrol_off", "left_still_active"}.isdisjoint(one["code"] for one in found["findings"])
    lines = {one["code"]: one["exception"] for one in found["people"] if one["exception"]}
    assert lines == {"lost_auto_enrol_off": 3, "left_still_active": 4}
    path.write_text(OPEN.replace("2027-01-31", "2026-11-24"))
    ended = run(*words(story, *codes, "--fail-on", "exception_ended", "--exceptions", path), code=3)
    assert "ENDED" in ended.stdout
    assert "exception_ended" in ended.stderr


def test_one_night_after_the_other(story: Story, tmp_path: Path) -> None:
    before = write_story(tmp_path / "before", [("never_sent", "new 36"), ("never_sent", "new 33")])
    keep = ("--keep", tmp_path / "keep")
    first = document(*words(before, *keep))["since_last"]
    assert (first["last"], first["new"], first["solved"]) == (None, len(document(*words(before))["people"]), [])
    second = document(*words(story, *keep))
    since = second["since_last"]
    new = {one["userName"] for one in second["people"] if one["new"]}
    assert [one["userName"] for one in since["solved"]] == [before.people["new 33"].userName]
    assert story.people["leaver 4"].userName in new
    assert story.people["new 36"].userName not in new
    assert since["still"] + since["new"] == len(second["people"])
    third = run(*words(story, *keep)).stdout
    assert f"0 new, 0 solved, {len(second['people'])} still open." in third
    assert (tmp_path / "keep").stat().st_mode & 0o777 == 0o700
    other = run(*words(story, *keep, "--people", story.hr), code=2)
    assert "about other people" in str(other.exception)


def test_a_part_is_never_audited(story: Story, tmp_path: Path) -> None:
    hr = tmp_path / "hr.csv"
    hr.write_text(story.hr.read_text().splitlines()[0] + "\n")
    assert "it holds nobody" in str(run(*words(story, "--people", hr), code=5).exception)
    nothing = run("audit", story.exports[-1], "--setting", story.setting, "--state", tmp_path / "no", code=5)
    assert "no whole" in str(nothing.exception)
    assert "--connection NAME, or --state" in str(
        run("audit", story.exports[-1], "--setting", story.setting, code=2).exception
    )


def test_through_the_management_api_one_enrolment_switched_off(
    acme: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        acme.arrives(f"sales{number}")
        acme.arrives(f"engineer{number}", "Engineering")
    sales = acme.enrolment("Basics for sales", "Sales")
    acme.enrolment("Basics for engineers", "Engineering")
    made = acme.embedded.credential(acme.company_id)
    config = tmp_path / "config"
    config.mkdir(mode=0o700)
    monkeypatch.setenv("SCIMOPS_CONFIG", str(config))
    monkeypatch.setenv(SECRET_NAME, made.secret.reveal())
    (config / "connections.yaml").write_text(
        f"format: 1\nconnections:\n  acme:\n    kind: platform\n    url: {acme.embedded.url}\n"
        f"    client_id: {made.client_id}\n    client_secret: env:{SECRET_NAME}\n"
    )
    (tmp_path / "people.csv").write_text(HEADER + "".join(f"{line}\n" for line in acme.people.values()))
    (tmp_path / "s.yaml").write_text(
        "name: Acme\ngroup_settings: {target_group: Everyone, criterion: {field: department}}\n"
    )
    said = ("audit", tmp_path / "people.csv", "--setting", tmp_path / "s.yaml", "--connection", "acme")
    assert run(*said, "--fail-on", "warning").stdout.splitlines()[0] == "6 of 6 arrived."
    acme.switch(sales, on=False)
    found = document(*said, "--fail-on", "warning", code=3)
    assert sorted(one["userName"] for one in found["people"]) == [f"sales{number}@example.com" for number in range(3)]
    assert found["losses"] == [{"lost_at": "expected", "cause": "auto_enrol_off", "people": 3}]
    out = tmp_path / "out"
    run(*said, "--out", out, "--save-state", tmp_path / "state", "--evidence", tmp_path / "e.zip")
    with ZipFile(tmp_path / "e.zip") as archive:
        names = [one["name"] for one in json.loads(archive.read("manifest.json"))["inputs"]]
    assert "state/snapshot/users.parquet" in names
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    again = document(*said[:4], "--state", tmp_path / "state")
    assert again["losses"] == found["losses"]
    assert pl.read_parquet(out / "coverage.parquet")["enrolled"].to_list() == [True] * 6


def test_a_first_cycle_that_has_not_begun(story: Story) -> None:
    assert "has not begun" in str(run(*words(story, "--first-day", "2030-01-01"), code=2).exception)


def test_a_period_new_hires_and_the_first_day_are_questions_too(story: Story, tmp_path: Path) -> None:
    more = ("--people", story.hr, "--period", "2026-Q4", "--exports", story.folder / "exports", "--new-hires", "30",
            "--new-hires", "90", "--first-day", "2026-09-07", "--out", tmp_path / "out")  # fmt: skip
    found = {one["name"]: one for one in document(*words(story, *more))["questions"]}
    names = ["joined_2026-Q4", "new_in_30_days", "new_in_90_days", "first_day", "first_errors"]
    assert list(found)[-5:] == names
    for name in names:
        assert sum(found[name]["totals"].values()) == found[name]["population"] > 0, name
    joined = {row["userName"] for row in found["joined_2026-Q4"]["rows"]}
    assert story.people["new 36"].userName in joined
    assert story.people["Sales 0"].userName not in joined
    assert found["new_in_30_days"]["population"] < found["new_in_90_days"]["population"]
    sheets = openpyxl.load_workbook(tmp_path / "out" / "audit.xlsx").sheetnames
    assert [name.replace("_", " ").capitalize() for name in names] == sheets[-6:-1]
    shown = run(*words(story, *more)).stdout
    assert "How far is the first cycle?" in shown
    assert "Say --period" in str(run(*words(story, "--exports", story.folder), code=2).exception)
    assert "is no period" in str(run(*words(story, "--period", "soon"), code=2).exception)


def test_a_night_that_was_left_out_is_said(story: Story, tmp_path: Path) -> None:
    """The folder that is kept tells it: three nights, then none, then this one."""
    for day in (18, 19, 20):
        state = load_state(story.state)
        earlier = replace(state, snapshot=replace(state.snapshot, read_at=f"2026-11-{day}T08:00:00+00:00"))
        earlier.save(tmp_path / f"state{day}")
        said = words(story, "--keep", tmp_path / "keep")
        said[said.index("--state") + 1] = str(tmp_path / f"state{day}")
        run(*said)
    codes = [one["code"] for one in document(*words(story, "--keep", tmp_path / "keep"))["findings"]]
    assert codes[0] == "runs_missing"
