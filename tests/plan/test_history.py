"""What earlier applies took away counts towards the limits, within the window, once, and while it lasts."""

from __future__ import annotations

import datetime as dt
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from planning import export, line, plan_of, said, snapshot

from scimops.errors import IncompleteSourceError, UsageError
from scimops.plan import Plan
from scimops.plan.history import REMOVED, REMOVED_NAME, History, keep_removed, read_history
from scimops.plan.sources import Past, plan_for
from scimops.setting import Setting
from scimops.widgets.controls.plan_session import Given, PlanSession

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)  # when the snapshots of these tests are read
OFF = {"deactivate": {}, "leave": {}, "leave_each": {}, "delete": {}, "move": {}, "empty_groups": None}
NAMES = [f"p{number:02}" for number in range(40)]


def history(kind: str, count: int, group_key: str | None = None, name: str = "past") -> History:
    """So many removals yesterday."""
    ids = [f"id-{name}{number:02}" for number in range(count)]
    rows = [(kind, one, f"{one.removeprefix('id-')}@example.com", group_key, "2025-12-31T01:00:00.000+00:00")
            for one in ids]  # fmt: skip
    return History("2025-12-25T00:00:00.000+00:00", 1, removed=pl.DataFrame(rows, schema=REMOVED, orient="row"))


def ended(plan: Plan, folder: Path, at: str = "2025-12-31T01:00:00.000+00:00", outcome: str = "done") -> Path:
    """The folder of an apply that did all of `plan`."""
    folder.mkdir(parents=True)
    plan.save(folder / "plan.json")
    steps = plan.operations.select(
        "number", "kind", "id", "userName", "group_key", "after", at=pl.lit(at), outcome=pl.lit(outcome)
    )
    document = {"plan": plan.digest, "where": "test", "dry_run": False, "steps": steps.to_dicts()}
    (folder / "receipts.json").write_text(json.dumps(document))
    when = dt.datetime.fromisoformat(at).timestamp()
    os.utime(folder / "receipts.json", (when, when))
    return folder


def leaving(folder: Path, *names: str, **more: Any) -> Plan:
    """A plan by which these people end."""
    held = snapshot(*({"name": name} for name in (*names, "stays")))
    return plan_of(folder, [line("stays")], held, safeguards=OFF, **more)


@pytest.mark.parametrize("kind", ["deactivate", "delete", "leave"])
@pytest.mark.parametrize(("limit", "past", "count", "held"), [
    ({"number": 5}, 3, 1, False), ({"number": 5}, 3, 2, False), ({"number": 5}, 3, 3, True),
    ({"number": 5}, 6, 0, False), ({"percent": 10}, 4, 0, False), ({"percent": 10}, 3, 1, False),
    ({"percent": 10}, 4, 1, True), ({}, 30, 9, False), ({"number": 40, "percent": 10}, 3, 2, True),
])  # fmt: skip
def test_earlier_removals_count(
    tmp_path: Path, kind: str, limit: dict[str, int], past: int, count: int, held: bool
) -> None:
    """Under, at and over; the share is of the people they were taken from: of 40 and those who are gone since."""
    ids = NAMES
    people: list[dict[str, Any]] = [{"name": name} for name in ids]
    before = history(kind, past, "sales")
    rows = [line(name) for name in ids]
    if kind == "leave":
        before = history(kind, past, "legal", name="p")  # p00 … are there still, and not in Legal any more
        count = min(count, 40 - past)
        rows = [line(name, "Other" if 40 - count <= number else "Sales") for number, name in enumerate(ids)]
    elif kind == "deactivate":
        people += [{"name": f"past{number:02}", "active": False} for number in range(past)]
        rows = rows[count:]
    else:
        people = [{"name": name, "active": number >= count} for number, name in enumerate(ids)]
        rows = rows[count:]
    there = snapshot(*people, groups={"Sales": [f"id-{name}" for name in ids]})
    guards = {"safeguards": OFF | {kind: limit}}
    plan = plan_of(tmp_path, rows, there, delete=kind == "delete", history=before, **guards)
    verdict = next(one for one in plan.verdicts if one.safeguard == kind)
    assert (verdict.count, verdict.past) == ((past + count, past) if count else (0, 0))
    assert (verdict.held, plan.exit_code) == (held, 4 if held else 3 if plan.operations.height else 0)


def test_a_share_counts_from_the_minimum_of_people_there_were(tmp_path: Path) -> None:
    held = snapshot(*({"name": name} for name in "abcd"), {"name": "past00", "active": False})
    guards = {"safeguards": OFF | {"deactivate": {"percent": 20}, "minimum": 5}}
    before = history("deactivate", 1)
    assert said(plan_of(tmp_path, [line(name) for name in "abc"], held, history=before, **guards))[0][2] == "deactivate"
    assert said(plan_of(tmp_path, [line(name) for name in "abc"], held, **guards))[0][2] is None


def test_one_group_that_people_left_before(tmp_path: Path) -> None:
    names = ["past00", "a", "b", "c"]
    held = snapshot(*({"name": name} for name in names), groups={"Sales": ["id-a", "id-b", "id-c"]})
    guards = {"safeguards": OFF | {"leave_each": {"percent": 40}, "minimum": 4}}
    rows = [line("past00"), line("a", "Other"), line("b"), line("c")]
    plan = plan_of(tmp_path, rows, held, history=history("leave", 1, "sales"), **guards)
    assert [(one.count, one.population, one.limit, one.past) for one in plan.verdicts if one.group] == [(2, 4, 1, 1)]
    assert ("update", "a@example.com", "leave_each") in said(plan)


def test_who_is_back_counts_no_more_whoever_brought_them(tmp_path: Path) -> None:
    guards = {"safeguards": OFF | {"deactivate": {"number": 1}, "delete": {"number": 1}, "leave": {"number": 1}}}
    people = [{"name": name} for name in ("past00", "a", "b")]
    for kind in ("deactivate", "leave"):
        held = snapshot(*people, groups={"Sales": ["id-past00", "id-a"]})
        rows = [line("past00"), line("b", "Other" if kind == "leave" else "Sales")]
        plan = plan_of(tmp_path, rows, held, history=history(kind, 1, "sales"), **guards)
        assert {one.past for one in plan.verdicts} == {0}
        assert {row[2] for row in said(plan)} == {None}
    anew = snapshot({"name": "past00", "id": "id-new"}, {"name": "a", "active": False})
    plan = plan_of(tmp_path, [line("past00")], anew, delete=True, history=history("delete", 1), **guards)
    assert said(plan) == [("delete", "a@example.com", None)]
    asleep = snapshot({"name": "past00", "active": False}, {"name": "a"}, {"name": "b"})
    plan = plan_of(tmp_path, [line("past00"), line("b")], asleep, history=history("deactivate", 1), **guards)
    assert [row for row in said(plan) if row[0] == "deactivate"] == [("deactivate", "a@example.com", None)]


def test_receipts_are_found_read_once_and_only_within_the_window(tmp_path: Path) -> None:
    plan = leaving(tmp_path, "anna", "ben")
    ended(plan, tmp_path / "h" / "plan-1")
    ended(plan, tmp_path / "h" / "20251230T000000Z" / "apply-2", at="2025-12-30T01:00:00.000+00:00")
    old = ended(plan, tmp_path / "h" / "plan-0", at="2025-12-01T01:00:00.000+00:00")
    (old / "receipts.json").write_text("this is not opened")
    os.utime(old / "receipts.json", (1764550000, 1764550000))
    found = read_history(tmp_path / "h", "test", NOW, "7d")
    assert (found.applies, found.older, found.unclear, found.known) == (2, True, (), True)
    assert sorted(found.removed["id"]) == ["id-anna", "id-anna", "id-ben", "id-ben"]
    assert read_history(tmp_path / "h", "test", NOW, "30h").removed.height == 2
    assert read_history(tmp_path / "h", "test", NOW, None).since == ""
    late = ended(plan, tmp_path / "late" / "plan-1", at="2025-12-20T01:00:00.000+00:00")  # begun again since
    os.utime(late / "receipts.json", (NOW.timestamp(), NOW.timestamp()))
    again = read_history(tmp_path / "late", "test", NOW, "7d")
    assert (again.applies, again.removed.height) == (1, 0)
    other = read_history(tmp_path / "h", "elsewhere", NOW, "7d")
    assert (other.applies, other.removed.height) == (0, 0)


def test_what_an_apply_keeps_beside_its_receipts_says_the_same(tmp_path: Path) -> None:
    place = ended(leaving(tmp_path, "anna", "ben"), tmp_path / "h" / "plan-1")
    slow = read_history(tmp_path / "h", "test", NOW, "7d")
    steps = pl.DataFrame(json.loads((place / "receipts.json").read_text())["steps"], schema_overrides=REMOVED)
    keep_removed(place, leaving(tmp_path, "anna", "ben"), steps)
    assert (place / REMOVED_NAME).stat().st_mode & 0o777 == 0o600
    (place / "plan.json").unlink()  # is not needed any more
    fast = read_history(tmp_path / "h", "test", NOW, "7d")
    assert (fast.removed.equals(slow.removed), fast.sent.equals(slow.sent)) == (True, True)
    assert (fast.removed.height, fast.sent.height) == (2, 2)


@pytest.mark.parametrize("change", ["dry", "refused", "approved"])
def test_what_was_not_done_or_was_approved_by_name_does_not_count(tmp_path: Path, change: str) -> None:
    plan = leaving(tmp_path, "anna")
    if change == "approved":
        held = snapshot({"name": "anna"}, {"name": "stays"})
        plan = plan_of(tmp_path, [line("stays")], held, safeguards=OFF | {"deactivate": {"number": 0}})
        assert plan.held.height == 1
    place = ended(plan, tmp_path / "h" / "plan-1", outcome="refused" if change == "refused" else "done")
    if change == "dry":
        ended(plan, place / "dry_run")
        text = (place / "receipts.json").read_text()
        (place / "receipts.json").write_text(text.replace('"dry_run": false', '"dry_run": true'))
    assert read_history(tmp_path / "h", "test", NOW, "7d").removed.is_empty()


@pytest.mark.parametrize("broken", ["torn", "running", "no receipts", "other plan"])
def test_receipts_that_cannot_be_read_are_said(tmp_path: Path, broken: str) -> None:
    place = ended(leaving(tmp_path, "anna"), tmp_path / "h" / "plan-1")
    if broken == "torn":
        (place / "receipts.json").write_text("{")
    elif broken == "running":
        (place / ".apply.held").touch()
    elif broken == "no receipts":
        (place / "receipts.json").rename(place / "journal.ndjson")
    else:
        leaving(tmp_path, "ben").save(place / "plan.json")
    found = read_history(tmp_path / "h", "test", NOW, "7d")
    assert (found.unclear, found.known) == (("plan-1",), False)
    held = snapshot({"name": "gone"}, {"name": "stays"})
    plan = plan_of(tmp_path, [line("stays")], held, history=found)
    assert [one.code for one in plan.findings if one.code != "other_group"] == ["history_unclear"]
    assert "plan-1" in plan.findings[-1].message


def test_missing_history_is_said_where_something_is_taken_away_and_stops_where_it_is_required(tmp_path: Path) -> None:
    held, setting = snapshot({"name": "gone"}, {"name": "stays"}), Setting.model_validate({"name": "Test"})
    empty = Past(tmp_path / "none")

    def findings(*rows: str, past: Past = empty) -> list[str]:
        _, plan = plan_for(export(tmp_path, *rows), setting, held, tmp_path, past=past)
        return [one.code for one in plan.findings]

    assert findings(line("stays")) == ["history_missing"]
    assert findings(line("stays"), line("gone"), line("new")) == []
    with pytest.raises(IncompleteSourceError, match="no receipts of earlier applies"):
        findings(line("stays"), line("gone"), past=Past(tmp_path / "none", required=True))
    ended(leaving(tmp_path, "anna"), tmp_path / "h" / "plan-1")
    assert findings(line("stays"), past=Past(tmp_path / "h", required=True)) == []
    (tmp_path / "h" / "plan-1" / "receipts.json").unlink()
    (tmp_path / "h" / "plan-1" / "journal.ndjson").touch()
    with pytest.raises(IncompleteSourceError, match="have not ended, or cannot be read: plan-1"):
        findings(line("stays"), past=Past(tmp_path / "h", required=True))
    setting.safeguards.window = None
    assert findings(line("stays")) == []
    with pytest.raises(UsageError, match="has no window"):
        findings(line("stays"), past=Past(tmp_path / "h", required=True))


def test_the_panel_and_the_notebook_look_in_the_same_place(tmp_path: Path) -> None:
    (tmp_path / "setting.yaml").write_text("name: Test\n")
    snapshot({"name": "gone"}, {"name": "stays"}).save(tmp_path / "held")
    export(tmp_path, line("stays"))
    given = Given(str(tmp_path / "people.csv"), str(tmp_path / "setting.yaml"), snapshot=str(tmp_path / "held"),
                  out=str(tmp_path / "out"), require_history=True)  # fmt: skip
    with pytest.raises(IncompleteSourceError):
        PlanSession(given).make()
    ended(leaving(tmp_path, "anna"), tmp_path / "out" / "apply-1")
    export(tmp_path, line("stays"))
    session = PlanSession(given)
    session.make()
    assert (session.plan.history or {})["applies"] == 1
    elsewhere = PlanSession(replace(given, out="", history=str(tmp_path / "out")))
    elsewhere.make()
    assert elsewhere.plan.history == session.plan.history


def test_ten_nights_of_ten_percent_are_held(tmp_path: Path) -> None:
    """With the usual safeguards: 20 % within 7 days."""
    names, gone, nights = [f"p{number:03}" for number in range(200)], 0, []
    for night in range(10):
        read_at = (NOW + dt.timedelta(days=night)).isoformat()
        there = snapshot(*({"name": name, "active": number >= gone} for number, name in enumerate(names)))
        there = replace(there, read_at=read_at)
        leave = (200 - gone) // 10
        found = read_history(tmp_path / "h", "test", NOW + dt.timedelta(days=night), "7d")
        rows = [line(name) for name in names[gone + leave :]]
        plan = plan_of(tmp_path, rows, there, history=found)
        nights.append(plan.held.height == 0)
        at = (NOW + dt.timedelta(days=night, hours=1)).isoformat(timespec="milliseconds")
        ended(plan, tmp_path / "h" / f"plan-{night}", at, "done" if nights[-1] else "not_done")
        gone += leave if nights[-1] else 0
    assert nights[:3] == [True, True, False]
    assert gone <= 200 * 2 // 5, "at most a fifth in each of the two weeks"
