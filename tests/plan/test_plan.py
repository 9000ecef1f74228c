"""What a plan says of each person: the same table that an admin would write by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from planning import BY_DEPARTMENT, export, line, plan_of, said, snapshot
from polars.testing import assert_frame_equal

from scimops.errors import IncompleteSourceError
from scimops.idp import read_export
from scimops.plan import StalePlanError, load_plan, make_plan
from scimops.preview import preview_export
from scimops.setting import Setting

GOLDEN = Path(__file__).parents[1] / "golden" / "plan-1.json"


def test_each_person_has_the_operation_that_an_admin_expects(tmp_path: Path) -> None:
    people = [
        line("same"), line("new"), line("moved", "Engineering"), line("named", user_name="married@example.com"),
        line("gone-inactive", active="false"), line("back"), line("unknown-inactive", active="false"),
    ]  # fmt: skip
    held = snapshot(
        {"name": "same"}, {"name": "moved"}, {"name": "named"}, {"name": "gone-inactive"},
        {"name": "back", "active": False}, {"name": "left"}, {"name": "left-before", "active": False},
        groups={"Sales": ["id-same", "id-moved", "id-named", "id-gone-inactive", "id-left"]},
    )  # fmt: skip
    plan = plan_of(tmp_path, people, held)
    assert said(plan) == [
        ("reactivate", "back@example.com", None),
        ("rename", "married@example.com", None),
        ("update", "moved@example.com", None),
        ("create", "new@example.com", None),
        ("deactivate", "gone-inactive@example.com", None),
        ("deactivate", "left@example.com", None),
    ]
    assert plan.operations["number"].to_list() == [1, 2, 3, 4, 5, 6]
    changes = {kind: (before and json.loads(before), json.loads(after)) for kind, before, after in
               plan.operations.select("kind", "before", "after").iter_rows()}  # fmt: skip
    assert changes["update"] == ({"department": "Sales"}, {"department": "Engineering"})
    assert changes["create"] == (None, {
        "externalId": "x-new", "userName": "new@example.com", "email": "new@example.com", "firstName": "New",
        "lastName": "Sample", "department": "Sales", "active": True,
    })  # fmt: skip
    moved = plan.operations.filter(pl.col("kind") == "update").row(0, named=True)
    assert (moved["leaves"], moved["joins"]) == (["Sales"], ["Engineering"])
    assert plan.exit_code == 3
    assert plan.counts == {"create": 1, "deactivate": 2, "reactivate": 1, "rename": 1, "update": 1, "withheld": 0}


def test_rejected_and_out_of_scope_rows_remove_nobody(tmp_path: Path) -> None:
    people = [line("a"), line("twice"), line("twice"), "x-mail,mail@example.com,,M,S,Sales,true"]
    held = snapshot({"name": "a"}, {"name": "twice"}, {"name": "mail"})
    assert said(plan_of(tmp_path, people, held)) == []


def test_with_rows_that_cannot_be_read_nobody_left(tmp_path: Path) -> None:
    held = snapshot({"name": "a"}, {"name": "b"})
    assert said(plan_of(tmp_path, [line("a"), "x-b,b@example"], held)) == [
        ("deactivate", "b@example.com", "unreadable_rows")
    ]


def test_two_people_who_share_a_name_are_never_merged(tmp_path: Path) -> None:
    held = snapshot({"name": "a", "externalId": "another"})
    plan = plan_of(tmp_path, [line("a")], held)
    assert said(plan) == []
    assert [each.code for each in plan.findings] == ["identity_clash"]


def test_a_name_is_free_before_it_is_taken_and_a_swap_is_withheld(tmp_path: Path) -> None:
    held = snapshot(*({"name": name} for name in "abcde"))
    chain = [line("a", user_name="b@example.com"), line("b", user_name="c@example.com"),
             line("c", user_name="free@example.com"),
             line("d", user_name="e@example.com"), line("e", user_name="d@example.com")]  # fmt: skip
    done = said(plan_of(tmp_path, chain, held))
    assert [name for _, name, withheld in done if not withheld] == [
        "free@example.com",
        "c@example.com",
        "b@example.com",
    ]
    assert {name: withheld for _, name, withheld in done if withheld} == {
        "d@example.com": "rename_swap", "e@example.com": "rename_swap",
    }  # fmt: skip


def test_deleting_is_asked_for_and_takes_only_who_ended(tmp_path: Path) -> None:
    held = snapshot({"name": "a"}, {"name": "gone"}, {"name": "ended", "active": False})
    guards = {"safeguards": {"minimum": 1000}}
    plan = plan_of(tmp_path, [line("a")], held, delete=True, **guards)
    assert said(plan) == [("deactivate", "gone@example.com", None), ("delete", "ended@example.com", None)]
    changes = plan.operations.select("before", "after", pl.col("changed").list.join(","))
    assert changes.rows() == [('{"active":true}', '{"active":false}', "active"), ('{"active":false}', None, "")]


def test_a_column_that_the_export_has_not_makes_nothing_blank(tmp_path: Path) -> None:
    path = tmp_path / "few.csv"
    path.write_text("userName,email\na@example.com,a@example.com\n")
    setting = Setting.model_validate({"name": "Test"})
    preview = preview_export(read_export(path), setting, channel="apply")
    assert said(make_plan(preview, snapshot({"name": "a"}))) == []


def test_a_part_of_an_export_makes_no_plan(tmp_path: Path) -> None:
    path = tmp_path / "part.json"
    one = {"id": "1", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "a@example.com"}
    path.write_text(json.dumps({"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
                                "totalResults": 250, "Resources": [one]}))  # fmt: skip
    preview = preview_export(
        read_export(path, allow_incomplete=True), Setting.model_validate({"name": "Test"}), channel="apply"
    )
    with pytest.raises(IncompleteSourceError, match="No plan is made"):
        make_plan(preview, snapshot({"name": "a"}))


@pytest.mark.parametrize("kind", ["deactivate", "leave", "move"])
@pytest.mark.parametrize(("limit", "count", "held"), [
    ({"number": 3}, 2, False), ({"number": 3}, 3, False), ({"number": 3}, 4, True),
    ({"percent": 10}, 3, False), ({"percent": 10}, 4, False), ({"percent": 10}, 5, True),
    ({"number": 0}, 1, True), ({}, 30, False), ({"number": 30, "percent": 10}, 5, True),
])  # fmt: skip
def test_safeguards_under_at_and_over(tmp_path: Path, kind: str, limit: dict[str, int], count: int, held: bool) -> None:
    names = [f"p{number:02}" for number in range(40)]
    off = {"deactivate": {}, "leave": {}, "leave_each": {}, "delete": {}, "move": {}, "empty_groups": None}
    guards = {"safeguards": off | {kind: limit, "minimum": 20}}
    there_now = snapshot(*({"name": name} for name in names), groups={"Sales": [f"id-{name}" for name in names]})
    if kind == "deactivate":
        people = [line(name) for name in names[count:]]
    else:
        people = [line(name, "Engineering" if number < count else "Sales") for number, name in enumerate(names)]
    plan = plan_of(tmp_path, people, there_now, **guards)
    expected = kind if held else None
    assert {withheld for *_, withheld in said(plan)} == {expected}
    assert (plan.held.height, plan.exit_code) == ((count, 4) if held else (0, 3))
    verdict = next(each for each in plan.verdicts if each.safeguard == kind)
    assert (verdict.count, verdict.held) == (count, held)


def test_a_share_says_nothing_below_the_minimum(tmp_path: Path) -> None:
    held = snapshot(*({"name": name} for name in "abcde"))
    assert {row[2] for row in said(plan_of(tmp_path, [line("a")], held))} == {None}
    guards = {"safeguards": {"minimum": 5}}
    assert {row[2] for row in said(plan_of(tmp_path, [line("a")], held, **guards))} == {"deactivate"}


def test_one_group_alone_and_an_emptied_one(tmp_path: Path) -> None:
    held = snapshot(*({"name": name} for name in "abcd"), groups={"Sales": ["id-a", "id-b", "id-c", "id-d"]})
    people = [line(name, "Other") for name in "abc"] + [line("d")]
    guards = {"safeguards": {"minimum": 4, "leave": {}}}
    plan = plan_of(tmp_path, people, held, **guards)
    assert {row[2] for row in said(plan)} == {"leave_each"}
    assert [(each.group, each.count, each.population, each.limit) for each in plan.verdicts if each.group] == [
        ("Sales", 3, 4, 2)
    ]
    emptied = plan_of(tmp_path, [line(name, "Other") for name in "abcd"], held)
    assert {row[2] for row in said(emptied)} == {"empty_groups"}


def test_removals_are_withheld_and_additions_go_on_or_all_stops(tmp_path: Path) -> None:
    held = snapshot({"name": "a"}, {"name": "b"})
    guards: dict[str, Any] = {"deactivate": {"number": 0}}
    plan = plan_of(tmp_path, [line("a"), line("new")], held, safeguards=guards)
    assert said(plan) == [("create", "new@example.com", None), ("deactivate", "b@example.com", "deactivate")]
    stopped = plan_of(tmp_path, [line("a"), line("new")], held, safeguards=guards | {"over": "stop"})
    assert said(stopped) == [("create", "new@example.com", "stopped"), ("deactivate", "b@example.com", "deactivate")]


def test_protected_people_are_never_removed(tmp_path: Path) -> None:
    held = snapshot({"name": "a"}, {"name": "Boss"}, {"name": "svc-backup"})
    guards = {"safeguards": {"protect": ["BOSS@example.com", "svc-*"]}}
    assert [row[2] for row in said(plan_of(tmp_path, [line("a")], held, **guards))] == ["protected", "protected"]


def test_a_plan_is_read_back_only_as_it_was_made(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, [line("a", "Engineering"), line("new")], snapshot({"name": "a"}, {"name": "gone"}))
    path = tmp_path / "plan.json"
    plan.save(path)
    again = load_plan(path)
    assert again.digest == plan.digest
    assert_frame_equal(again.operations, plan.operations)
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text(path.read_text().replace('"Engineering"', '"Marketing"', 1).replace("Engineering", "Marketing"))
    with pytest.raises(StalePlanError, match="changed after it was made"):
        load_plan(path)
    path.write_text("{}")
    with pytest.raises(StalePlanError, match="no plan"):
        load_plan(path)


def test_a_plan_of_the_first_version_is_read_for_ever() -> None:
    plan = load_plan(GOLDEN)
    assert [row[0] for row in said(plan)] == ["update", "create", "create", "deactivate", "deactivate"]
    assert plan.digest == json.loads(GOLDEN.read_text())["seal"]
    assert (plan.history, plan.operations["due"].null_count()) == (None, 5)


def test_two_plans_of_one_state_have_one_digest(tmp_path: Path) -> None:
    held, people = snapshot({"name": "a"}, {"name": "b"}), export(tmp_path, line("a"), line("c"))
    setting = Setting.model_validate({"name": "Test", "group_settings": BY_DEPARTMENT})
    first, second = (make_plan(preview_export(people, setting, channel="apply"), held) for _ in range(2))
    assert first.digest == second.digest
