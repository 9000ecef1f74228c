"""An approval is of one plan, for a limited time, and of what can be approved at all."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from planning import line, plan_of, snapshot

from scimops.plan import Plan, StalePlanError
from scimops.plan.approval import approvable, approve, load_approval

GUARDS: dict[str, Any] = {"deactivate": {"number": 0}, "protect": ["boss@*"]}
DAY = dt.timedelta(days=1)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """One stays, two left, of whom one is protected; two want each other's userName."""
    now = snapshot(*({"name": name} for name in ("a", "gone", "boss", "d", "e")))
    swap = [line("d", user_name="e@example.com"), line("e", user_name="d@example.com")]
    return plan_of(tmp_path, [line("a"), *swap], now, safeguards=GUARDS)


def fits(key: str, digest: str, signature: str) -> bool:
    return signature == f"{key} signed {digest}"


def test_it_covers_what_can_be_approved_and_nothing_else(plan: Plan) -> None:
    approval = approve(plan, "Ada", "They left.", DAY)
    covered = plan.held.filter([approval.covers(number) for number in plan.held["number"]])
    assert covered["userName"].to_list() == ["gone@example.com"] == approvable(plan)["userName"].to_list()
    assert (approval.digest, approval.withheld, plan.held.height) == (plan.digest, 1, 4)


def test_it_is_read_back(plan: Plan, tmp_path: Path) -> None:
    unsigned = approve(plan, "Ada", "They left.", DAY)
    signed = replace(unsigned, key="k", signature=f"k signed {unsigned.content}")
    for approval, needed in ((unsigned, False), (signed, False), (signed, True)):
        approval.save(tmp_path / "approval.json")
        assert load_approval(tmp_path / "approval.json", plan, fits, signed=needed) == approval


@pytest.mark.parametrize(("change", "said"), [
    ({"digest": "0" * 64}, "approves another plan"),
    ({"valid_until": "2020-01-01T00:00:00+00:00"}, "The approval ended"),
    ({"reason": "Another."}, "changed after it was signed"),
    ({"withheld": 400}, "changed after it was signed"),
    ({"left_out": []}, "changed after it was signed"),
    ({"signature": ""}, "is not signed"),
    ({"signature": "", "key": ""}, "is not signed"),
    ({"surprise": 1}, "no approval"),
    ({"valid_until": 5}, "no approval"),
])  # fmt: skip
def test_a_changed_one_is_refused(plan: Plan, tmp_path: Path, change: dict[str, Any], said: str) -> None:
    approval = approve(plan, "Ada", "They left.", DAY)
    approval = replace(approval, key="k", signature=f"k signed {approval.content}")
    path = tmp_path / "approval.json"
    approval.save(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(StalePlanError, match=said) as refused:
        load_approval(path, plan, fits, signed=True)
    assert refused.value.exit_code == 5


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", "no JSON"])
def test_what_is_no_approval(plan: Plan, tmp_path: Path, text: str) -> None:
    (tmp_path / "approval.json").write_text(text)
    with pytest.raises(StalePlanError, match="no approval"):
        load_approval(tmp_path / "approval.json", plan, fits)
