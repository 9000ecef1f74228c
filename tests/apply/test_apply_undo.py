"""Undo: exactly what was done, under safeguards, and nobody who changed since."""

from __future__ import annotations

import polars as pl
import pytest
from applying import OPEN, Company, Person, crowd

from scimops.plan import StalePlanError, load_plan
from scimops.plan.inverse import inverse
from scimops.setting import Safeguards

BOTH = pytest.mark.parametrize("url", ["server", "client"], indirect=True)
TITLE = [{"op": "replace", "path": "name.familyName", "value": "Changed"}]


@BOTH
def test_who_was_created_is_deactivated_unless_deleting_is_asked_for(acme: Company) -> None:
    plan = acme.plan(crowd(6))
    receipts = acme.apply(plan)
    back = inverse(plan, receipts, acme.snapshot())
    assert set(back.operations["kind"]) - {"leave", "delete_group"} == {"deactivate"}
    assert acme.apply(back).exit_code == 0
    state = acme.state()
    assert len(state) == 6
    assert all(row[6] is False and len(row) == 7 for row in state.values())
    assert acme.snapshot().groups.is_empty() or acme.placing


@BOTH
def test_who_changed_since_is_left_and_named(acme: Company) -> None:
    plan = acme.plan(crowd(6))
    receipts = acme.apply(plan)
    ids = dict(acme.snapshot().users.select("userName", "id").iter_rows())
    assert acme.service_provider.patch_user(ids["p0001@example.com"], TITLE).ok
    assert acme.service_provider.delete_user(ids["p0002@example.com"]).ok
    back = inverse(plan, receipts, acme.snapshot(), delete=True)
    assert [each.code for each in back.findings] == ["changed_since"]
    assert "p0001@example.com, p0002@example.com" in back.findings[0].message
    acme.apply(back)
    assert [row[1] for row in acme.state().values()] == ["p0001@example.com"]


@BOTH
def test_who_was_deleted_comes_back_under_a_new_id(acme: Company) -> None:
    acme.apply(acme.plan(crowd(8)))
    acme.apply(acme.plan(crowd(6)))  # two left: deactivated
    before = acme.state()
    plan = acme.plan(crowd(6), delete=True)
    assert plan.counts == {"delete": 2, "withheld": 0}
    receipts = acme.apply(plan)
    assert (receipts.exit_code, len(acme.state())) == (0, 6)
    back = inverse(plan, receipts, acme.snapshot())
    assert [each.code for each in back.findings] == ["made_anew"]
    undone = acme.apply(back)
    assert (undone.exit_code, undone.findings) == (0, [])
    assert sorted(acme.state().values()) == sorted(before.values())


@BOTH
def test_an_undo_is_held_by_the_safeguards_too(acme: Company) -> None:
    guards = OPEN | {"deactivate": {"number": 3}, "minimum": 1}
    acme.setting = acme.setting.model_copy(update={"safeguards": Safeguards.model_validate(guards)})
    plan = acme.plan(crowd(6))
    back = inverse(plan, acme.apply(plan), acme.snapshot())
    held = back.operations.filter(pl.col("kind").is_in(["deactivate", "leave"]))
    assert set(held["withheld"]) == {"deactivate"}
    assert back.exit_code == 4
    back.save(acme.folder / "back.json")
    assert load_plan(acme.folder / "back.json").digest == back.digest


def test_receipts_of_another_plan_undo_nothing(acme: Company) -> None:
    receipts = acme.apply(acme.plan(crowd(2)))
    with pytest.raises(StalePlanError, match="another plan"):
        inverse(acme.plan(crowd(3)), receipts, acme.snapshot())


def test_an_undo_can_be_undone(acme: Company) -> None:
    acme.apply(acme.plan(crowd(8)))
    later = [Person(one.key, "Board") for one in crowd(8)]
    plan = acme.plan(later)
    back = inverse(plan, acme.apply(plan), acme.snapshot())
    undone = acme.apply(back)
    acme.apply(inverse(back, undone, acme.snapshot()))
    assert acme.plan(later).operations.height == 0
