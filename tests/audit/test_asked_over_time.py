"""`scimops audit --timeline --applied`: what came since the last apply, day by day, from export to export."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import jsonschema
import openpyxl
import polars as pl
import pytest
from telling import FAULTS, document, run, words

from scimops.audit.state import load_state
from scimops.audit.told import moment
from scimops.idp import read_export
from scimops.plan.sources import plan_for
from scimops.present.audit_over_time import by_group
from scimops.preview import preview_export
from scimops.samples.story import Story, write_story
from scimops.schemas import read_schema
from scimops.setting import load_setting

OVER_TIME = ["drift", "changes_by_day", "settings_changed", "groups_over_time", "since_export"]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return write_story(tmp_path_factory.mktemp("story"), FAULTS)


@pytest.fixture(scope="module")
def said(story: Story) -> str:
    """What an audit over time prints; its files are in `out`. The plan was made of yesterday's export."""
    _, plan = plan_for(
        read_export(story.exports[-2]), load_setting(story.setting), load_state(story.state).snapshot, story.folder
    )
    plan.save(story.folder / "plan.json")
    return run(*words(
        story, "--timeline", "--applied", story.folder / "plan.json", "--exports", story.exports[0].parent,
        "--out", story.folder / "out", "--evidence", story.folder / "e.zip",
    )).stdout  # fmt: skip


def of(story: Story) -> dict[str, Any]:
    return dict(json.loads((story.folder / "out" / "audit.json").read_text()))


def rows_of(found: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    return {one["name"]: one["rows"] for one in found["questions"] if one["name"] in OVER_TIME}


@pytest.mark.usefixtures("said")
def test_everything_over_time_is_a_question_that_adds_up(story: Story) -> None:
    found = of(story)
    jsonschema.validate(found, read_schema("audit"))
    assert [one["name"] for one in found["questions"]][-5:] == OVER_TIME
    for one in found["questions"]:
        assert sum(one["totals"].values()) == one["population"] > 0, one["name"]
    rows = rows_of(found)
    kinds = {(row["userName"], row["kind"]) for row in rows["drift"]}
    assert (story.people["leaver 4"].userName, "gone") not in kinds
    assert (story.people["Operations 6"].userName, "out_of_group") in kinds
    assert [row["operation"] for row in rows["settings_changed"]].count("create_setting") == 1
    for path in story.exports:
        export = read_export(path)
        placed = sum(group.members for group in preview_export(export, load_setting(story.setting)).groups)
        at = moment(export.taken_at)
        assert sum(row["members"] for row in rows["groups_over_time"] if row["at"] == at) == placed
    before, now = (set(read_export(path).users()["userName"]) for path in story.exports[-2:])
    assert {row["userName"] for row in rows["since_export"] if row["change"] == "came"} == now - before != set()


def test_it_is_shown_in_the_terminal_the_page_and_the_workbook(story: Story, said: str) -> None:
    titles = [one["title"] for one in of(story)["questions"]][-5:]
    assert [title for title in titles if title in said] == titles
    page = (story.folder / "out" / "report.html").read_text()
    assert all(f">{title}</h2>" in page for title in titles)
    sheets = openpyxl.load_workbook(story.folder / "out" / "audit.xlsx").sheetnames
    assert [name.replace("_", " ").capitalize() for name in OVER_TIME] == sheets[-6:-1]


@pytest.mark.usefixtures("said")
def test_it_is_evidence_too(story: Story) -> None:
    with zipfile.ZipFile(story.folder / "e.zip") as archive:
        manifest = json.loads(archive.read("manifest.json"))
        names = {one["name"] for one in manifest["inputs"]}
    assert {"plan.json", story.exports[-2].name} <= {name.rpartition("/")[2] for name in names}
    assert set(OVER_TIME) <= {one["name"] for one in manifest["questions"]}


@pytest.mark.usefixtures("said")
def test_what_does_not_go_together_is_said(story: Story, tmp_path: Path) -> None:
    assert "--timeline or --applied" in str(run(*words(story, "--exports", tmp_path), code=2).exception)
    plan = ("--applied", story.folder / "plan.json")
    assert "is not here" in str(run(*words(story, *plan), code=5).exception)
    (tmp_path / "2026-11-20.csv").write_text(
        "externalId,userName,email,firstName,lastName,department,active\n"
        + "".join(f"s{n},s{n}@example.net,s{n}@example.net,Ada,Stranger,Sales,true\n" for n in range(9))
    )
    other = run(*words(story, "--timeline", "--exports", tmp_path), code=5)
    assert "2026-11-20.csv and " in str(other.exception)
    assert "few people in common" in str(other.exception)
    # of the older ones too, each beside the next
    older = run(*words(story, "--timeline", "--exports", tmp_path, "--exports", story.exports[-2]), code=5)
    assert f"2026-11-20.csv and {story.exports[-2].name}: they have few people" in str(older.exception)
    assert "no such file" in str(run(*words(story, "--timeline", "--exports", tmp_path / "no"), code=1).exception)


def test_a_mask_covers_groups_that_an_earlier_export_named_after_people(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCIMOPS_MASK_KEY", "0123456789abcdef" * 2)
    kept = tmp_path / "2026-11-23.csv"
    text = story.exports[-2].read_text(encoding="utf-8-sig")
    assert text.count(",Legal,") > 1
    name = read_export(story.exports[-2]).users().row(0, named=True)
    whole = f"{name['firstName']} {name['lastName']}"
    kept.write_text(text.replace(",Legal,", f",{whole},"), encoding="utf-8")
    masked = words(story, "--timeline", "--exports", kept, "--mask", "env:SCIMOPS_MASK_KEY", "--out", tmp_path / "out")
    assert whole in json.dumps(document(*masked[:-4], "--out", tmp_path / "plain"), ensure_ascii=False)
    found = json.dumps(document(*masked), ensure_ascii=False)
    assert whole.casefold() not in found.casefold()
    assert name["userName"] not in found
    assert whole not in (tmp_path / "out" / "report.html").read_text()


def test_a_mask_covers_groups_that_the_applied_plan_named_after_people(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCIMOPS_MASK_KEY", "0123456789abcdef" * 2)
    name = read_export(story.exports[-2]).users().row(0, named=True)
    whole, old = f"{name['firstName']} {name['lastName']}", tmp_path / "2026-11-23.csv"
    text = story.exports[-2].read_text(encoding="utf-8-sig")
    old.write_text(text.replace(",Legal,", f",{whole},"), encoding="utf-8")
    _, plan = plan_for(read_export(old), load_setting(story.setting), load_state(story.state).snapshot, story.folder)
    plan.save(tmp_path / "plan.json")
    asked = ("--applied", tmp_path / "plan.json", "--exports", old)
    assert whole in json.dumps(document(*words(story, *asked)), ensure_ascii=False)
    assert whole not in json.dumps(
        document(*words(story, *asked, "--mask", "env:SCIMOPS_MASK_KEY")), ensure_ascii=False
    )


def test_an_empty_earlier_export_is_refused_and_one_named_like_todays_is_read(story: Story, tmp_path: Path) -> None:
    same = tmp_path / story.exports[-1].name
    same.write_bytes(story.exports[-2].read_bytes())
    os.utime(same, (1_760_000_000, 1_760_000_000))
    named = read_export(same).taken_at < read_export(story.exports[-1]).taken_at
    found = document(*words(story, "--timeline", "--exports", same))
    assert named == ("since_export" in {one["name"] for one in found["questions"]})
    nobody = tmp_path / "2026-11-22.csv"
    nobody.write_text(story.exports[-2].read_text(encoding="utf-8-sig").splitlines()[0] + "\n")
    assert "holds nobody" in str(run(*words(story, "--timeline", "--exports", nobody), code=5).exception)


def test_two_exports_of_one_minute_have_a_column_each() -> None:
    taken = [f"2026-11-25T08:00:00.{part}00Z" for part in (1, 2)]
    sizes = pl.DataFrame([(at, "a.csv", "sales", "Sales", members) for members, at in enumerate(taken)],
                         schema=["at", "file", "group_key", "group", "members"], orient="row")  # fmt: skip
    assert by_group(sizes).rows() == [("Sales", 0, 1)]
