"""What is there once a plan is done: groups and seats, with what is withheld counted apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from planning import line, plan_of, snapshot
from polars.testing import assert_frame_equal

from scimops.client.snapshot import Snapshot
from scimops.plan import load_plan
from scimops.plan.outcome import seats_after

GROUPS = {"Sales": ["id-a", "id-b", "id-c", "id-gone"], "Legal": ["id-d"]}
PEOPLE = [line("a"), line("b", "Engineering"), line("c", "Legal"), line("d", "Legal"), line("new"),
          line("sleeper", active="false"), line("back")]  # fmt: skip


def held(placement: str) -> Snapshot:
    made = snapshot(
        {"name": "a"}, {"name": "b"}, {"name": "c"}, {"name": "d", "department": "Legal"}, {"name": "gone"},
        {"name": "back", "active": False}, groups=GROUPS,
    )  # fmt: skip
    return replace(made, capabilities=replace(made.capabilities, placement=placement))  # type: ignore[arg-type]


@pytest.mark.parametrize("placement", ["server", "client"])
def test_groups_and_seats_before_and_after(tmp_path: Path, placement: str) -> None:
    plan = plan_of(tmp_path, PEOPLE, held(placement), seats=6)
    rows = {row["group"]: tuple(row.values())[2:] for row in plan.groups.to_dicts()}
    # before, leaves, joins, after, withheld: b and c move, gone ends; new and back join
    assert rows == {"Sales": (4, 3, 2, 3, 0), "Legal": (1, 0, 1, 2, 0), "Engineering": (0, 0, 1, 1, 0)}
    assert plan.seats == {"before": 5, "after": 6, "after_approval": 6, "limit": 6}
    assert [one.code for one in plan.findings] == []
    assert next(iter(rows)) == "Sales", "what changes most comes first"


@pytest.mark.parametrize("placement", ["server", "client"])
def test_what_is_withheld_is_counted_apart_and_seats_are_short(tmp_path: Path, placement: str) -> None:
    guards = {"deactivate": {"number": 0}, "minimum": 1000}
    plan = plan_of(tmp_path, PEOPLE, held(placement), seats=6, safeguards=guards)
    rows = {row["group"]: tuple(row.values())[2:] for row in plan.groups.to_dicts()}
    assert rows["Sales"] == (4, 2, 1, 3, 2), "gone stays, so one of the two who start has no seat"
    assert plan.seats == {"before": 5, "after": 6, "after_approval": 6, "limit": 6}
    assert [one.message for one in plan.findings] == [
        "7 seats are needed to do all of this, the licence has 6; 1 person who would start is withheld."
    ]
    open_plan = plan_of(tmp_path, PEOPLE, held(placement), seats=6, safeguards=guards | {"seats": False})
    assert open_plan.seats["after"] == 7
    assert open_plan.findings[0].message.endswith("the licence has 6; 0 people who would start are withheld.")


def test_who_is_placed_elsewhere_though_nothing_differs_is_a_finding(tmp_path: Path) -> None:
    now = snapshot({"name": "a"}, {"name": "b"}, groups={"Sales": ["id-a"], "Legal": ["id-b"]})
    plan = plan_of(tmp_path, [line("a"), line("b")], now)
    assert plan.operations.is_empty()
    assert plan.groups.is_empty(), "nothing moves them"
    assert [(one.code, one.count) for one in plan.findings] == [("other_group", 1)]


def test_groups_are_read_back(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, PEOPLE, held("server"))
    plan.save(tmp_path / "plan.json")
    assert_frame_equal(load_plan(tmp_path / "plan.json").groups, plan.groups)


def test_who_is_created_and_deleted_takes_and_frees_a_seat() -> None:
    names = ("number", "kind", "id", "after", "withheld")
    rows = [
        (1, "create", None, '{"userName": "a \\"active\\":false", "active": true}', None),
        (2, "create", None, '{"userName": "b", "active": false}', None),
        (3, "delete", "id-on", None, None), (4, "delete", "id-off", None, None),
        (5, "deactivate", "id-two", '{"active":false}', "deactivate"),
        (6, "update", "id-on", '{"department":"Sales"}', None),
    ]  # fmt: skip
    ours = pl.DataFrame({"id": ["id-on", "id-off", "id-two"], "active": [True, False, None]})
    taken = seats_after(ours, pl.DataFrame(rows, schema=names, orient="row"), None)
    assert taken == {"before": 2, "after": 2, "after_approval": 1, "limit": None}
