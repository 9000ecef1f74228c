"""Who vanished from the exports is ended once they have been missing for as long as the setting says."""

from __future__ import annotations

import datetime as dt
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from planning import export, line, plan_of, said, snapshot

from scimops.client.snapshot import Snapshot
from scimops.idp import read_export
from scimops.plan import Plan, load_plan
from scimops.plan.approval import approvable
from scimops.plan.history import MISSING_NAME
from scimops.plan.sources import Past, plan_for
from scimops.present.plan_words import withheld_words
from scimops.setting import Setting

DAY0 = dt.datetime(2026, 1, 1, 2, tzinfo=dt.UTC)
HELD = snapshot({"name": "stays"}, {"name": "gone"}, {"name": "off"})
ROWS = [line("stays"), line("off", active="false")]


def on(day: float, folder: Path, *rows: str, held: Snapshot = HELD, taken: float | None = None) -> Plan:
    """The plan of so many days later; `taken`: the day on which its export was."""
    setting = Setting.model_validate({"name": "Test", "safeguards": {"grace": "3d"}})
    export(folder, *rows)
    seconds = (DAY0 + dt.timedelta(days=day if taken is None else taken)).timestamp()
    os.utime(folder / "people.csv", (seconds, seconds))
    made = read_export(folder / "people.csv")
    there = replace(held, read_at=(DAY0 + dt.timedelta(days=day)).isoformat())
    return plan_for(made, setting, there, folder, past=Past(folder / "history"))[1]


def gone(plan: Plan) -> tuple[str | None, str | None]:
    row = next(one for one in plan.operations.iter_rows(named=True) if one["userName"] == "gone@example.com")
    return row["withheld"], row["due"]


@pytest.mark.parametrize(("day", "held"), [(0.0, True), (2.9, True), (3.0, False), (3.1, False)])
def test_under_at_and_over_the_grace_period(tmp_path: Path, day: float, held: bool) -> None:
    assert gone(on(0, tmp_path, *ROWS)) == ("grace", "2026-01-04T02:00:00+00:00")
    plan = on(day, tmp_path, *ROWS)
    assert gone(plan) == (("grace", "2026-01-04T02:00:00+00:00") if held else (None, None))
    assert ("deactivate", "off@example.com", None) in said(plan), "a row that says inactive has no grace"
    assert plan.exit_code == (4 if held else 3)
    assert [one.count for one in plan.verdicts if one.safeguard == "deactivate"] == [1 if held else 2]


def test_it_is_off_by_default_and_without_memory_somebody_is_missing_since_today(tmp_path: Path) -> None:
    assert Setting(name="Test").safeguards.grace is None
    assert {row[2] for row in said(plan_of(tmp_path, ROWS, HELD))} == {None}
    plan = plan_of(tmp_path, ROWS, HELD, safeguards={"grace": "3d"})
    assert {row[1]: row[2] for row in said(plan)} == {"gone@example.com": "grace", "off@example.com": None}


def test_who_is_back_in_an_export_begins_anew(tmp_path: Path) -> None:
    on(0, tmp_path, *ROWS)
    on(2, tmp_path, *ROWS, line("gone"))
    assert gone(on(3, tmp_path, *ROWS)) == ("grace", "2026-01-07T02:00:00+00:00")
    assert gone(on(6, tmp_path, *ROWS)) == (None, None)


def test_an_old_export_that_is_looked_at_again_teaches_nothing(tmp_path: Path) -> None:
    on(0, tmp_path, *ROWS)
    assert gone(on(9, tmp_path, *ROWS, taken=0))[0] == "grace"
    assert gone(on(9, tmp_path, *ROWS, taken=99))[0] is None, "a time to come counts as today's"
    on(12, tmp_path, *ROWS, line("gone"))
    old = on(13, tmp_path, *ROWS, taken=1)  # older than the one in which they were back
    assert gone(old)[1] == "2026-01-16T02:00:00+00:00", "counted from the latest export"
    assert gone(on(13, tmp_path, *ROWS))[1] == "2026-01-17T02:00:00+00:00"


def test_the_memory_names_nobody_but_by_id_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    on(0, tmp_path, *ROWS)
    path = tmp_path / "history" / MISSING_NAME
    kept = json.loads(path.read_text())["missing"]
    assert kept == {"test": {"latest": "2026-01-01T02:00:00+00:00", "since": {"id-gone": "2026-01-01T02:00:00+00:00"}}}
    assert path.stat().st_mode & 0o777 == 0o600
    on(1, tmp_path, *ROWS, held=replace(HELD, where="elsewhere"))
    assert set(json.loads(path.read_text())["missing"]) == {"test", "elsewhere"}
    for text in ("{", "[]", '{"missing": {"test": 3}}', '{"missing": {"test": {"latest": "", "since": []}}}'):
        path.write_text(text)
        assert gone(on(9, tmp_path, *ROWS))[1] == "2026-01-13T02:00:00+00:00", "what cannot be read is no memory"


def test_it_is_shown_by_name_with_its_date_sealed_and_may_be_approved(tmp_path: Path) -> None:
    plan = on(0, tmp_path, *ROWS)
    plan.save(tmp_path / "plan.json")
    again = load_plan(tmp_path / "plan.json")
    assert (again.digest, gone(again)) == (plan.digest, gone(plan))
    held = again.held.row(0, named=True)
    assert withheld_words(held).endswith("(until 2026-01-04 02:00 UTC)")
    assert approvable(again)["userName"].to_list() == ["gone@example.com"]


def test_who_is_protected_stays_so(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, ROWS, HELD, safeguards={"grace": "3d", "protect": ["gone@*"]})
    assert gone(plan)[0] == "protected"
    assert withheld_words(plan.held.row(0, named=True)) == "protected by the setting"
