"""A person opens 05_review_runs in JupyterLab, verifies, compares two runs; a byte that is changed on disk shows."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lab import Lab, Shoot, Wire, menu, panel_page, running_lab, save, wait_for_text

from scimops.idp import read_export
from scimops.jobs.ledger import append
from scimops.jobs.record import Notebook, RunRecord, begin, end
from scimops.jobs.verify import verify
from scimops.present.files import write_preview
from scimops.preview import preview_export
from scimops.preview.compare import compare
from scimops.setting import load_setting, quick_setting
from scimops.touched import hashed

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from scimops.preview.compare import Comparison

NOTEBOOK = "notebooks/05_review_runs.ipynb"
NIGHTS = 12


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state") / "runs.ndjson"


@pytest.fixture(scope="module")
def moved(desk: Path, ledger: Path) -> Comparison:
    """Twelve nights in the ledger, some of which ended badly; who moved between the last two, whose files are there."""
    export = read_export(desk / "sample_data/entra/exportUsers.csv")
    settings = load_setting(desk / "sample_data/setting.yaml"), quick_setting("city", "Everyone")
    previews = [preview_export(export, setting) for setting in settings]
    bad = {3: ("failed", 1), 7: ("timed_out", 124), 8: ("kernel_died", 138)}
    for night in range(NIGHTS, 0, -1):
        began = dt.datetime.now(dt.UTC).replace(hour=2, minute=0) - dt.timedelta(days=night)
        outputs: list[Any] = []
        if night <= 2:
            folder = desk / f"night{night}"
            outputs = [hashed(path) for path in write_preview(previews[2 - night], folder)]
        outcome, code = bad.get(night, ("completed", 0))
        record = end(
            begin("", "", {"criterion": "city" if night == 1 else "department"}), "completed", code, {}, [], outputs
        )
        for number, name in ((2, "preview_groups"), (4, "audit_provisioning")):
            book = Notebook(name=f"0{number}_{name}.ipynb", path=f"/srv/0{number}_{name}.ipynb", sha256="a" * 64)
            times = {"started": began, "ended": began + dt.timedelta(minutes=40 * number), "milliseconds": 2_400_000}
            ran = {"kind": "notebook", "command": None, "notebook": book, "step": name, "outcome": outcome, **times}
            record = RunRecord.model_validate(
                record.model_dump() | ran | {"id": f"019{night:02x}{number}00-1c00-7abc-8def-0123456789ab"}
            )
            append(record, ledger)
            record = record.model_copy(update={"outputs": []})
            outcome, code = "completed", 0
    return compare(*previews)


@pytest.fixture(scope="module")
def lab(desk: Path, ledger: Path, moved: Comparison, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(desk, tmp_path_factory.mktemp("home"), SCIMOPS_LEDGER=str(ledger)) as running:
        yield running


@pytest.fixture(scope="module")
def wire(lab: Lab) -> Wire:
    return Wire(lab.url)


@pytest.fixture(scope="module")
def page(lab: Lab, wire: Wire, chromium: Browser) -> Iterator[Page]:
    with panel_page(chromium, wire, lab, NOTEBOOK) as opened:
        yield opened


def in_sight(page: Page) -> None:
    page.evaluate("document.querySelector('.scimops-panel').scrollIntoView()")


def press_verify(page: Page) -> None:
    page.get_by_role("button", name="Verify", exact=True).click()


def test_the_table_and_the_timeline_are_there(page: Page, shoot: Shoot) -> None:
    assert page.locator(".scimops-panel tbody tr").count() == 2 * NIGHTS
    assert page.locator(".jp-RenderedImage img").count() == 1
    assert page.locator(".jp-RenderedImage img").evaluate("one => one.naturalWidth") > 600
    assert f"{2 * NIGHTS} runs of 2 notebooks and commands" in page.inner_text(".jp-Notebook")
    assert page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    in_sight(page)
    shoot(page, "review_1_opened")
    page.locator(".jp-RenderedImage").scroll_into_view_if_needed()
    shoot(page, "review_2_timeline")


def test_verify_by_a_click_gives_the_head_to_copy(page: Page, ledger: Path, shoot: Shoot) -> None:
    in_sight(page)
    press_verify(page)
    wait_for_text(page, ".scimops-panel .scimops-verdict-region", f"Whole and unchanged: {2 * NIGHTS} records.")
    verdict = page.locator(".scimops-panel .scimops-verdict-region")
    assert verdict.locator("code").inner_text() == verify(ledger).head
    assert "detects accidents, not the owner" in verdict.inner_text()
    verdict.get_by_role("button", name="Copy the head").click()
    page.wait_for_function("document.querySelector('.scimops-verdict-region button.copy').textContent !== 'Copy'")
    shoot(page, "review_3_verified")


def test_two_runs_are_compared_and_who_moved_is_named(page: Page, moved: Comparison, shoot: Shoot) -> None:
    page.get_by_label("Find a run").fill("02_preview")
    wait_for_text(page, ".scimops-panel .scimops-pager", f"{NIGHTS} runs")
    for box in page.locator(".scimops-panel tbody input[type=checkbox]").all():
        box.uncheck()
    page.get_by_role("button", name="Compare the two ticked").click()
    wait_for_text(page, ".scimops-panel .scimops-problem-region", "0 runs are ticked.")
    for box in page.locator(".scimops-panel tbody input[type=checkbox]").all()[:2]:
        box.check()
    page.get_by_role("button", name="Compare the two ticked").press("Enter")
    view = page.locator(".scimops-panel [data-region=view]")
    wait_for_text(page, ".scimops-panel [data-region=view]", "parameter criterion")
    assert page.locator(".scimops-problem-region").inner_text() == ""
    assert f"{moved.people.height} people moved, {moved.unchanged} stayed." in view.inner_text()
    view.locator("summary").press("Enter")
    somebody = moved.people["userName"].drop_nulls()[0]
    assert somebody in view.inner_text()
    in_sight(page)
    shoot(page, "review_4_side_by_side")


def test_the_cells_below_show_what_was_chosen_and_the_notebook_keeps_no_names(
    page: Page, lab: Lab, moved: Comparison
) -> None:
    page.locator(".jp-CodeCell", has_text="review.verify()").first.locator(".jp-InputArea-editor").click()
    menu(page, "Run", "notebook:run-all-below")
    cell = page.locator(".jp-CodeCell", has_text="review.two()")
    cell.locator("table", has_text="parameter criterion").first.wait_for()
    content = json.dumps(save(page, lab.folder / NOTEBOOK), ensure_ascii=False)
    assert f"{moved.people.height} people moved" in content
    names = {name for name in moved.people["userName"].drop_nulls() if "@" in name}
    assert len(names) > 50
    assert [name for name in names if name in content] == []


def test_keys_are_the_panels_own(page: Page) -> None:
    cells = page.locator(".jp-Cell").count()
    page.locator(".scimops-panel .scimops-tabs button[value=one]").focus()
    page.keyboard.press("Enter")
    wait_for_text(page, ".scimops-panel [data-region=view]", "parameters criterion")
    assert page.evaluate("document.activeElement.value") == "one"
    page.keyboard.type("ddxx")  # JupyterLab's commands to delete and to cut a cell
    page.get_by_label("Public key").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Verify"
    assert page.locator(".jp-Cell").count() == cells


def test_a_byte_that_was_changed_on_disk_is_found(page: Page, ledger: Path, wire: Wire, shoot: Shoot) -> None:
    lines = ledger.read_bytes().splitlines(keepends=True)
    lines[6] = lines[6].replace(b'"criterion":"department"', b'"criterion":"departmenT"')
    ledger.write_bytes(b"".join(lines))
    page.get_by_role("button", name="Verify", exact=True).press("Enter")
    wait_for_text(page, ".scimops-panel .scimops-verdict-region", "Line 7: it is not what was once written")
    in_sight(page)
    shoot(page, "review_5_changed")
    assert wire.foreign == []
    assert wire.errors == []
