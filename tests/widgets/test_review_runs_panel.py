"""The panel of review_runs without a browser: what it shows, what it keeps, what it does with what goes wrong."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import ipywidgets
import polars as pl
import pytest
from ipywidgets.widgets import widget as widget_module

from scimops.errors import UsageError
from scimops.idp import read_export
from scimops.jobs.ledger import LedgerError, append
from scimops.jobs.record import Notebook, RunRecord, begin, end
from scimops.jobs.verify import verify
from scimops.present.files import write_preview
from scimops.preview import Preview, preview_export
from scimops.preview.compare import compare
from scimops.samples import SETTING, write_sample
from scimops.setting import load_setting, quick_setting
from scimops.touched import hashed
from scimops.widgets.controls.runs_session import SHOWN
from scimops.widgets.review_runs import ReviewRunsPanel, review_runs

Make = Callable[..., ReviewRunsPanel]


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCIMOPS_PANEL", "1")
    monkeypatch.setenv("SCIMOPS_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("SCIMOPS_LEDGER", str(tmp_path / "runs.ndjson"))
    return tmp_path / "runs.ndjson"


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[ReviewRunsPanel] = []

    def build(*given: Any, **named: Any) -> ReviewRunsPanel:
        made.append(review_runs(*given, **named))
        assert made[-1].wait()
        return made[-1]

    yield build
    for panel in made:
        panel.wait()
    ipywidgets.Widget.close_all()


def add(
    ledger: Path, hours_ago: float = 1, outcome: str = "completed", name: str = "02_preview_groups", **more: Any
) -> str:
    """A run of a notebook; gives its id."""
    time = dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours_ago)
    book = Notebook(name=f"{name}.ipynb", path=f"/srv/{name}.ipynb", sha256="a" * 64)
    record = end(begin("", "", more.pop("parameters", {})), "completed", 0, {}, [], more.pop("outputs", []))
    changes = {"kind": "notebook", "command": None, "notebook": book, "started": time, "ended": time}
    record = RunRecord.model_validate(record.model_dump() | changes | {"outcome": outcome} | more)
    append(record, ledger)
    return record.id


def shown(panel: ReviewRunsPanel) -> str:
    """All that stands on the panel's screens, tags taken away."""
    board = panel._shown
    return unescape(re.sub(r"<[^>]*>", " ", " ".join([*board.top.regions.values(), *board.screen.regions.values()])))


def do(panel: ReviewRunsPanel, action: str, **values: Any) -> str:
    panel._shown.screen._on_action(
        action, {key: one if isinstance(one, list) else [one] for key, one in values.items()}
    )
    assert panel.wait()
    return shown(panel)


def press_verify(panel: ReviewRunsPanel) -> str:
    panel._shown.verify_button.click()
    assert panel.wait()
    return str(panel._shown.top.regions["verdict"])


def with_people(folder: Path, ledger: Path, *previews: Preview) -> list[str]:
    """A run for each preview that left its people file."""
    ids = []
    for number, preview in enumerate(previews):
        files = [hashed(path) for path in write_preview(preview, folder / f"run{number}")]
        ids.append(add(ledger, 2 - number, outputs=files))
    return ids


@pytest.fixture
def previews(tmp_path: Path) -> tuple[Preview, Preview]:
    """Two exports a month apart: somebody moved, somebody came, somebody left, and the order is another."""
    path = write_sample(tmp_path / "before.csv", "entra_download_users")
    (tmp_path / "setting.yaml").write_text(SETTING, encoding="utf-8")
    head, *rows = path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    (tmp_path / "after.csv").write_text("".join([head, *rows[5:60][::-1]]), encoding="utf-8")
    one = preview_export(read_export(path), load_setting(tmp_path / "setting.yaml"))
    return one, preview_export(read_export(tmp_path / "after.csv"), quick_setting("city", "Everyone"))


def test_an_empty_ledger_says_what_to_do(ledger: Path, make: Make) -> None:
    panel = make()
    assert "Nothing ran yet" in shown(panel)
    assert "scimops run notebooks/02_preview_groups.ipynb" in shown(panel)
    assert "Whole and unchanged: 0 records." in press_verify(panel)
    assert "Nothing ran yet" in panel.table()._repr_html_()
    for view in ("one", "two"):
        assert do(panel, "view", value=view)
    panel.timeline()
    assert "There is no run" in panel.one()._repr_html_()


def test_runs_are_listed_found_shown_whole_and_compared(ledger: Path, make: Make) -> None:
    ids = [
        add(ledger, 3, parameters={"export": "<img src=x>.csv"}),
        add(ledger, 2, "failed"),
        add(ledger, 1, name="05_x"),
    ]
    panel = make()
    assert "3 runs" in shown(panel)
    assert "1 run" in do(panel, "search", text="", outcome="failed")
    assert "No run is so" in do(panel, "search", text="nothing like it", outcome="")
    whole = do(panel, "show", value=ids[0])
    assert f"1:{verify(ledger).head}"[:2] in whole
    assert "not signed" in whole
    assert "<img" not in "".join(panel._shown.screen.regions.values())
    compared = do(panel, "compare", run=ids[:2])
    assert "parameter export" in compared
    assert "Neither run left a people file" in compared
    assert "1 runs are ticked. Tick two" in " ".join(do(panel, "compare", run=ids[:1]).split())
    assert "There is no run" in do(panel, "show", value="0190")
    assert panel.frame["id"].to_list() == ids[::-1]


def test_verify_says_the_head_and_then_the_line(ledger: Path, make: Make) -> None:
    for _ in range(5):
        add(ledger)
    panel, head = make(), verify(ledger).head
    good = press_verify(panel)
    assert f"<code>{head}</code>" in good
    assert "detects accidents, not the owner" in good
    whole = ledger.read_bytes()
    ledger.write_bytes(whole.replace(b'"exit_code":0', b'"exit_code":3', 1))
    assert "<b>Line 1: </b>it is not what was once written" in press_verify(panel)
    with pytest.raises(LedgerError, match=r"line 1: .*\(changed\)"):
        panel.must_be_whole()
    ledger.write_bytes(whole[: whole.rindex(b"\n", 0, -1) + 1])
    assert "Whole and unchanged: 4 records" in press_verify(panel)
    panel._shown.head.value = head
    assert "its tail was cut off" in press_verify(panel)
    panel._shown.head.value = "7"
    press_verify(panel)
    assert "This is no head of a ledger" in shown(panel)


def test_who_moved_is_what_compare_says(
    ledger: Path, make: Make, previews: tuple[Preview, Preview], tmp_path: Path
) -> None:
    ids = with_people(tmp_path, ledger, *previews)
    panel, expected = make(), compare(*previews)
    found = panel._review.pair()
    assert found is not None
    assert found.moved is not None
    assert found.moved.people.equals(expected.people)
    assert (found.moved.moves, found.moved.unchanged) == (expected.moves, expected.unchanged)
    assert sorted(map(str, found.moved.groups)) == sorted(map(str, expected.groups))
    somebody = expected.people["userName"].drop_nulls()[0]
    words = do(panel, "compare", run=ids)
    assert f"{expected.people.height} people moved" in words
    assert somebody in words
    cell = panel.two()._repr_html_()
    assert f"{expected.people.height} people moved" in cell
    assert somebody not in cell
    (tmp_path / "run0" / "assignments.parquet").unlink()
    assert "the people file is gone" in do(panel, "compare", run=ids)
    pl.DataFrame({"x": [1]}).write_parquet(tmp_path / "run0" / "assignments.parquet")
    assert "not what the run wrote" in do(panel, "compare", run=ids)
    assert "left a people file" in do(panel, "compare", run=[ids[1], add(ledger)])


def test_no_name_is_in_any_widgets_state(
    ledger: Path, make: Make, previews: tuple[Preview, Preview], tmp_path: Path
) -> None:
    panel = make()
    do(panel, "compare", run=with_people(tmp_path, ledger, *previews))
    state = json.dumps([widget.get_state() for widget in widget_module._instances.values()], default=repr)
    names = [name for name in compare(*previews).people["userName"].drop_nulls() if "@" in name]
    assert len(names) > 100
    assert [name for name in names if name in state] == []


def test_of_many_runs_only_the_newest_are_shown_and_that_is_said(ledger: Path, make: Make) -> None:
    line = None
    for number in range(3):
        add(ledger, 3 - number)
    line = ledger.read_bytes().splitlines(keepends=True)[0]
    ledger.write_bytes(line * SHOWN + ledger.read_bytes())
    panel = make()
    assert (panel.frame.height, panel._review.more) == (SHOWN, True)
    words = shown(panel)
    assert f"1 to 50 of {SHOWN} runs; older ones are in the ledger and not shown" in words
    assert str(panel._shown.screen.regions["view"]).count("<tr>") == 51
    assert f"Shown: the newest 30 of {SHOWN} runs; older ones" in panel.table()._repr_html_()
    assert make(since="1h").frame.is_empty()


def test_in_a_job_it_reports_without_a_widget(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCIMOPS_PANEL", "0")
    add(ledger, 30)
    add(ledger, 2, "failed")
    panel = review_runs(every="24h", notebooks="02_preview_groups, 04_never")
    assert panel.widget is None
    said = panel.verify()._repr_html_()
    assert "02_preview_groups</b> was not completed within 24h" in said
    assert "04_never</b> was not completed within 24h; it never ran" in said
    assert panel.counts == {"records": 2, "signed": 0, "completed": 1, "not_completed": 1, "overdue": 2}
    assert panel.exit_code == 3
    panel.must_be_whole()
    assert review_runs(every="48h", notebooks="02_preview_groups").exit_code == 0
    with pytest.raises(UsageError, match="no notebook"):
        review_runs(every="24h")
    with pytest.raises(UsageError, match="no span"):
        review_runs(since="soon")
