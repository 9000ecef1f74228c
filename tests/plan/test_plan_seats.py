"""Who would start beyond the free seats of the licence is withheld: the last of the export, by name, approvable."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from planning import line, plan_of, said, snapshot

from scimops.client.snapshot import Snapshot, load_snapshot
from scimops.plan.approval import approvable, approve

THERE = [{"name": name} for name in ("a", "b", "c")]
ROWS = [line("a"), line("b"), line("c")]


def placed(made: Snapshot, placement: str) -> Snapshot:
    return replace(made, capabilities=replace(made.capabilities, placement=placement))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seats", "starts", "held"), [(6, 2, 0), (6, 3, 0), (6, 4, 1), (3, 2, 2), (2, 1, 1), (3, 0, 0)]
)
def test_starts_under_at_and_over_the_free_seats(tmp_path: Path, seats: int, starts: int, held: int) -> None:
    new = [line(f"new{number}") for number in range(starts)]
    plan = plan_of(tmp_path, [*ROWS, *new], snapshot(*THERE), seats=seats)
    withheld = [row[1] for row in said(plan) if row[2] == "seats"]
    assert withheld == [f"new{number}@example.com" for number in range(starts - held, starts)]
    assert (plan.held.height, plan.seats["after"]) == (held, 3 + starts - held)
    assert plan.exit_code == (4 if held else 3 if starts else 0)
    verdict = next(one for one in plan.verdicts if one.safeguard == "seats")
    assert (verdict.count, verdict.population, verdict.limit) == (starts, seats, max(0, seats - 3))
    assert [one.code for one in plan.findings if one.code == "seats_short"] == (["seats_short"] if held else [])
    approval = approve(plan, "Ada", "More seats were bought.", dt.timedelta(hours=1)) if held else None
    assert approvable(plan).height == held
    assert approval is None or approval.left_out == ()


def test_without_a_licence_or_with_the_safeguard_off_nobody_is_withheld(tmp_path: Path) -> None:
    new = [*ROWS, line("new")]
    assert plan_of(tmp_path, new, snapshot(*THERE)).held.is_empty()
    plan = plan_of(tmp_path, new, snapshot(*THERE), seats=3, safeguards={"seats": False})
    assert plan.held.is_empty()
    assert "seats_short" in [one.code for one in plan.findings]


def test_who_ends_frees_a_seat_unless_that_is_withheld(tmp_path: Path) -> None:
    rows = [line("a"), line("b", active="false"), line("back"), line("new")]
    held = snapshot(*THERE, {"name": "back", "active": False})  # b ends, c is gone, back and new start
    assert plan_of(tmp_path, rows, held, seats=3).held.is_empty()
    kept = plan_of(tmp_path, rows, held, seats=3, safeguards={"protect": ["c@*"]})
    assert [row for row in said(kept) if row[2]] == [
        ("create", "new@example.com", "seats"), ("deactivate", "c@example.com", "protected"),
    ]  # fmt: skip
    stopped = plan_of(tmp_path, rows, held, seats=3, safeguards={"protect": ["c@*"], "over": "stop"})
    assert sorted(row[2] or "" for row in said(stopped)) == ["protected", "seats", "stopped", "stopped"]


def test_in_the_order_of_the_export_whoever_starts(tmp_path: Path) -> None:
    held = snapshot(*THERE, {"name": "late", "active": False}, {"name": "early", "active": False})
    plan = plan_of(tmp_path, [line("early"), *ROWS, line("new"), line("late")], held, seats=4)
    assert [row[:2] for row in said(plan) if row[2] == "seats"] == [
        ("reactivate", "late@example.com"), ("create", "new@example.com"),
    ]  # fmt: skip


def test_what_follows_from_a_start_waits_with_it(tmp_path: Path) -> None:
    held = placed(snapshot(*THERE, groups={"Sales": ["id-a", "id-b", "id-c"]}), "client")
    rows = [*ROWS, line("first", "Legal"), line("second", "Legal"), line("third", "Board")]
    plan = plan_of(tmp_path, rows, held, seats=4)
    done = [(kind, group) for kind, group, why in plan.operations.select("kind", "group", "withheld").iter_rows()
            if why is None]  # fmt: skip
    assert done == [("create_group", "Legal"), ("create", None), ("join", "Legal")]
    assert sorted(plan.held["kind"]) == ["create", "create", "create_group", "join", "join"]
    assert set(plan.held["withheld"]) == {"seats"}


def test_seats_that_the_platform_says_count_where_the_setting_says_none(tmp_path: Path) -> None:
    held = replace(snapshot(*THERE), seats=3)
    held.save(tmp_path / "held")
    kept = load_snapshot(tmp_path / "held")
    plan = plan_of(tmp_path, [*ROWS, line("new")], kept)
    assert (plan.seats["limit"], [row[2] for row in said(plan)]) == (3, ["seats"])
    assert plan_of(tmp_path, [*ROWS, line("new")], kept, seats=4).held.is_empty()
