"""Two plans side by side: what is new, gone and changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from planning import line, plan_of, snapshot

from scimops.plan import Plan
from scimops.plan.compare import PlanComparison, compare_plans, is_plan
from scimops.schemas import read_schema

NOW = snapshot({"name": "a"}, {"name": "b"}, {"name": "c"}, groups={"Sales": ["id-a", "id-b", "id-c"]})
OPEN = {"minimum": 1000, "empty_groups": None}


def rows(comparison: PlanComparison) -> list[tuple[str, str, str | None, str | None, list[str]]]:
    columns = ("change", "userName", "kind_before", "kind_after", "differs")
    return list(comparison.operations.select(columns).iter_rows())


@pytest.fixture
def older(tmp_path: Path) -> Plan:
    return plan_of(tmp_path, [line("a"), line("b", "Legal"), line("c", "Legal"), line("new")], NOW, safeguards=OPEN)


def test_new_gone_and_changed(tmp_path: Path, older: Plan) -> None:
    people = [line("a", "Legal"), line("b", "Finance"), line("newer")]
    found = compare_plans(older, plan_of(tmp_path, people, NOW, safeguards=OPEN))
    assert rows(found) == [
        ("new", "a@example.com", None, "update", []),
        ("new", "newer@example.com", None, "create", []),
        ("gone", "new@example.com", "create", None, []),
        ("changed", "b@example.com", "update", "update", ["after", "joins"]),
        ("changed", "c@example.com", "update", "deactivate", ["kind", "before", "after", "leaves", "joins", "why"]),
    ]
    assert (found.counts, found.unchanged) == ({"new": 2, "gone": 1, "changed": 2}, 0)
    assert found.sources == ["They were made of different exports."]
    jsonschema.validate(found.to_dict(), read_schema("compare_plans"))


def test_a_plan_does_not_differ_from_itself(older: Plan) -> None:
    found = compare_plans(older, older)
    assert (rows(found), found.unchanged, found.sources) == ([], 3, [])


def test_a_safeguard_alone_changes_what_is_withheld(tmp_path: Path, older: Plan) -> None:
    people = [line("a"), line("b", "Legal"), line("c", "Legal"), line("new")]
    held = plan_of(tmp_path, people, NOW, safeguards=OPEN | {"move": {"number": 0}})
    found = compare_plans(older, held)
    assert [(row[0], row[4]) for row in rows(found)] == [("changed", ["withheld"])] * 2
    assert (found.unchanged, found.sources) == (1, ["They were made with different settings."])


def test_members_are_compared_group_by_group(tmp_path: Path) -> None:
    client = replace(NOW, capabilities=replace(NOW.capabilities, placement="client"))
    one = plan_of(tmp_path, [line("a"), line("b", "Legal"), line("c")], client, safeguards=OPEN)
    two = plan_of(tmp_path, [line("a"), line("b", "Finance"), line("c")], client, safeguards=OPEN)
    changes = compare_plans(one, two).operations
    assert sorted(changes.select("change", "kind_after", "kind_before", "group").iter_rows(), key=str) == sorted(
        [("new", "join", None, "Finance"), ("new", "create_group", None, "Finance"),
         ("gone", None, "join", "Legal"), ("gone", None, "create_group", "Legal"),
         ("changed", "update", "update", None)], key=str,
    )  # fmt: skip


def test_a_plan_is_known_by_its_end(tmp_path: Path, older: Plan) -> None:
    plan, other = tmp_path / "plan.json", tmp_path / "people.csv"
    older.save(plan)
    assert is_plan(plan)
    assert not is_plan(other)
    assert not is_plan(tmp_path / "missing.json")
    plan.write_text(plan.read_text() + "{}")
    assert not is_plan(plan)
