"""What `scimops audit --out` and `--json` give: files for their owner alone, no formula, no markup, no network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import openpyxl
import polars as pl
import pytest
from planning import snapshot
from playwright.sync_api import sync_playwright
from telling import FAULTS, document, run, words

from scimops.audit.state import without_enrolments
from scimops.samples.story import Story, write_story
from scimops.schemas import read_schema

NASTY = ("=cmd|' /C calc'!A0", "<img src=x onerror=alert(1)>", "Sales [/x]", "\u202eabc", "@SUM(1)")
FILES = ["audit.json", "audit.xlsx", "coverage.parquet", "reconciled.parquet", "report.html"]
EXCEPTIONS = """\
format: 1
exceptions:
  - {person: "<b>*", status: not_ours, owner: "=1+1", reason: "[red]x[/red]", until: 2030-01-31}
  - {person: "*", status: left_still_active, owner: "<i>Ada</i>", reason: "+x", until: 2030-01-31}
"""


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return write_story(tmp_path_factory.mktemp("story"), FAULTS)


@pytest.fixture
def hostile(tmp_path: Path) -> list[str | Path]:
    """The words of an audit of people and groups whose names attack."""
    rows = [f'x-{n},u{n}@example.com,u{n}@example.com,"{name}",Sample,"{name}",true\n' for n, name in enumerate(NASTY)]
    rows += ['=1,"=1+1@example.com",=1@example.com,A,B,Sales,true\n', "@x,@SUM(1),at@example.com,A,B,Sales,false\n"]
    (tmp_path / "people.csv").write_text(
        "externalId,userName,email,firstName,lastName,department,active\n" + "".join(rows)
    )
    (tmp_path / "s.yaml").write_text(
        'name: "<script>alert(1)</script>"\ngroup_settings: {target_group: Everyone, criterion: {field: department}}\n'
    )
    held = [{"name": f"u{n}", "department": name} for n, name in enumerate(NASTY[1:])]
    held += [{"name": "<b>left", "userName": "<b>left@example.com"}, {"name": "@x", "userName": "@SUM(1)"}]
    without_enrolments(snapshot(*held, groups={NASTY[1]: ["id-u0"]})).save(tmp_path / "state")
    (tmp_path / "e.yaml").write_text(EXCEPTIONS)
    return ["audit", tmp_path / "people.csv", "--setting", tmp_path / "s.yaml", "--state", tmp_path / "state",
            "--exceptions", tmp_path / "e.yaml", "--keep", tmp_path / "keep", "--out", tmp_path / "out"]  # fmt: skip


def test_the_document_follows_its_schema_and_adds_up(story: Story, tmp_path: Path) -> None:
    (tmp_path / "e.yaml").write_text(EXCEPTIONS)
    whole = ("--exceptions", tmp_path / "e.yaml", "--keep", tmp_path / "keep", "--people", story.hr)
    for more in ((), whole, whole):
        found = document(*words(story, *more, "--out", tmp_path / "out"))
        jsonschema.validate(found, read_schema("audit"))
        assert json.loads((tmp_path / "out" / "audit.json").read_text()) == found
        for one in found["questions"]:
            assert sum(one["totals"].values()) == one["population"], one["name"]
        counted = {one["code"]: one["count"] for one in found["findings"]}
        told: dict[str, int] = {}
        for one in found["people"]:
            if one["exception"] is None:
                told[one["code"]] = told.get(one["code"], 0) + 1
        assert {code: count for code, count in counted.items() if code in told} == told
        assert sum(loss["people"] for loss in found["losses"]) == found["coverage"]["lost"]


def test_the_files_are_their_owners_alone(story: Story, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    said = run(*words(story, "--out", out))
    assert sorted(path.name for path in out.iterdir()) == FILES
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in out.iterdir())
    assert out.stat().st_mode & 0o777 == 0o700
    assert "report.html" in said.stderr
    found = document(*words(story))
    coverage = pl.read_parquet(out / "coverage.parquet")
    assert dict(coverage["status"].value_counts().iter_rows()) == {k: v for k, v in found["coverage"].items() if v}
    assert pl.read_parquet(out / "reconciled.parquet").height == sum(found["reconciled"].values())


def test_the_workbook_has_a_sheet_for_each_question_with_filters(story: Story, tmp_path: Path) -> None:
    run(*words(story, "--people", story.hr, "--out", tmp_path / "out"))
    found = json.loads((tmp_path / "out" / "audit.json").read_text())
    book = openpyxl.load_workbook(tmp_path / "out" / "audit.xlsx")
    names = [one["name"].replace("_", " ").capitalize() for one in found["questions"]]
    assert [name for name in book.sheetnames if name in names] == names
    for sheet in book:
        assert sheet.freeze_panes == "A2", sheet.title
        assert sheet.auto_filter.ref == sheet.dimensions, sheet.title
    arrived = book["Arrived"]
    columns = [cell.value for cell in arrived[1]]
    dates = [row[columns.index("since")].value for row in arrived.iter_rows(min_row=2)]
    assert all(isinstance(day, str) and len(day) == 10 for day in dates if day), "days are text, not broken numbers"
    todo = [[cell.value for cell in row] for row in book["To do"].iter_rows(min_row=2)]
    assert len(todo) == len(found["people"])
    assert all(row[0] and row[3] for row in todo), "words and advice for everybody"


def test_nothing_of_a_hostile_name_runs(hostile: list[str | Path], tmp_path: Path, chromium_path: str) -> None:
    shown = run(*hostile)
    assert "\u202eabc" not in shown.stdout
    book = openpyxl.load_workbook(tmp_path / "out" / "audit.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "b"}, "no formula"
    texts = [cell.value for cell in cells if isinstance(cell.value, str)]
    assert not [text for text in texts if text.lstrip()[:1] in tuple("=+-@＝")]
    assert "'=1+1" in texts
    heard: list[str] = []
    with sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 800})
        page.on("dialog", lambda dialog: (heard.append(dialog.message), dialog.dismiss()))
        page.on("console", lambda message: heard.append(message.text))
        page.on("request", lambda request: heard.append(request.url))
        page.goto((tmp_path / "out" / "report.html").as_uri())
        assert heard == [(tmp_path / "out" / "report.html").as_uri()]
        assert page.locator("script, img, main i:not(.a):not(.b)").count() == 0
        text = page.locator("main").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, "readable on a phone"
        assert page.locator("h1").inner_text() == "Did everybody arrive? <script>alert(1)</script>"
        browser.close()
    for said in ("<b>left@example.com", "@SUM(1)", "<i>Ada</i>", "[red]x[/red]", "matches nothing", "✓ accepted"):
        assert said in text
    found: dict[str, Any] = json.loads((tmp_path / "out" / "audit.json").read_text())
    jsonschema.validate(found, read_schema("audit"))
    assert found["not_read"] == ["enrolments"]
    assert "The enrolments were not readable either" in text
