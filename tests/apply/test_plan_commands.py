"""The whole way on the command line: plan, look, approve, dry run, apply, plan again, undo."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from applying import APPLY, PLAN, Person, Run, export
from proxying import TOKEN_NAME

from scimops.jobs.ledger import canonical
from scimops.jobs.signing import make_key
from scimops.plan import StalePlanError


def test_the_whole_way(run: Run) -> None:
    names = ("anna", "ben", "cleo", "dora")
    export(*(Person(name) for name in names))
    first = run(*PLAN, "--exit-code", code=3)
    assert ["made", "4"] in [line.split() for line in first.stdout.splitlines()]
    dry = run("apply", "plan.json", *APPLY, "--dry-run", "--json")
    assert json.loads(dry.stdout)["dry_run"] is True
    run("apply", "plan.json", *APPLY)
    assert run(*PLAN, "--exit-code").exit_code == 0, "all is as it should be"

    export(Person("anna", "R&D"), Person("ben"))
    second = run(*PLAN, code=4)
    for said in ("cleo@example.com", "dora@example.com", "too many would be deactivated", "R&D"):
        assert said in second.stdout
    shown = run(*PLAN, "--person", "ANNA@example.com", code=4).stdout
    assert "anna@example.com: changed (matched)" in shown
    assert ["department", "Sales", "R&D"] in [line.split() for line in shown.splitlines()]
    assert run("apply", "plan.json", *APPLY, code=4).stdout.split() == ["done:", "1", "withheld:", "2"]

    run(*PLAN, code=4)
    wrong = run("approve", "plan.json", "--reason", "x", "--withheld", "3", code=2)
    assert "2 are withheld, not 3" in str(wrong.exception)
    run("approve", "plan.json", "--reason", "They left.", "--by", "Ada", "--withheld", "2")
    assert run("apply", "plan.json", *APPLY, "--out", "ended").stdout.split() == ["done:", "2", "withheld:", "0"]
    assert run(*PLAN).exit_code == 0

    back = run("undo", "ended", *APPLY).stdout
    assert ["active", "again", "2"] in [line.split() for line in back.splitlines()]
    run("apply", "undo.json", *APPLY)
    export(Person("anna", "R&D"), *(Person(name) for name in names[1:]))
    assert "nothing: all is as it should be" in run(*PLAN).stdout

    kept = [json.loads(line)["record"] for line in Path("runs.ndjson").read_text().splitlines()]
    assert {record["command"] for record in kept} == {"plan", "approve", "apply", "undo"}
    assert all(record["digests"].get("plan") for record in kept if record["outcome"] == "completed")


def test_an_approval_is_of_one_plan_in_time_and_signed(run: Run) -> None:
    export(*(Person(name) for name in ("anna", "ben", "cleo")))
    run(*PLAN)
    run("apply", "plan.json", *APPLY)
    export(Person("anna"))
    run(*PLAN, code=4)
    make_key()
    run("approve", "plan.json", "--reason", "They left.", "--withheld", "2")
    approval = Path("plan.approval.json")
    good = json.loads(approval.read_text())
    assert len(good["signature"]) == 128

    def refused(**changes: Any) -> str:
        approval.write_bytes(canonical(good | changes))
        error = run("apply", "plan.json", *APPLY, code=5).exception
        assert isinstance(error, StalePlanError)
        return str(error)

    assert "approves another plan" in refused(digest="0" * 64)
    assert "The approval ended" in refused(valid_until="2020-01-01T00:00:00+00:00")
    assert "changed after it was signed" in refused(by="Somebody else")
    assert "no approval" in refused(surprise=1)
    approval.write_bytes(canonical(good))
    plan = Path("plan.json").read_text()
    Path("plan.json").write_text(plan.replace("ben@example.com", "eve@example.com"))
    assert "changed after it was made" in str(run("apply", "plan.json", *APPLY, code=5).exception)
    Path("plan.json").write_text(plan)
    run("apply", "plan.json", *APPLY)


def test_a_saved_snapshot_serves_offline_and_words_are_checked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    export(Person("anna"))
    run(*PLAN, "--save-snapshot", "held")
    monkeypatch.delenv(TOKEN_NAME)
    offline = run(*PLAN[:4], "--snapshot", "held", "--json")
    assert json.loads(offline.stdout)["counts"] == {"create": 1, "withheld": 0}
    assert "Name the service provider" in str(run(*PLAN[:4], code=2).exception)
    assert "no such" in str(run(*PLAN[:3], "missing.yaml", "--snapshot", "held", code=2).exception)
    assert "Nothing is withheld" in str(run("approve", "plan.json", "--reason", "x", code=2).exception)
