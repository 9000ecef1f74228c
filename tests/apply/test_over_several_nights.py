"""What safeguards remember from night to night, on a real service provider: the window, grace, seats, two masters."""

from __future__ import annotations

import datetime as dt
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from applying import APPLY, PLAN, Company, Person, Run, connected_to, crowd, export
from managing import Platform as Embedded

from scimops.attributes import ENTERPRISE
from scimops.plan.history import REMOVED_NAME
from scimops.schemas import read_schema
from scimops.service_provider.directory import list_settings
from scimops.service_provider.setting_tokens import add_token

PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
BOTH = pytest.mark.parametrize("url", ["server", "client"], indirect=True)
PEOPLE = [Person(one.key) for one in crowd(30)]
GUARDS = "{deactivate: {percent: 20}, leave: {number: 4}, leave_each: {}, empty_groups: null, move: {}}"


@pytest.fixture
def held(url: str, tmp_path: Path) -> Iterator[Company]:
    with connected_to(url) as service_provider:
        yield Company(service_provider, tmp_path)


def setting(safeguards: str, more: str = "") -> None:
    Path("setting.yaml").write_text(
        f"name: Acme\ngroup_settings: {{target_group: Everyone, criterion: {{field: department}}}}\n"
        f"safeguards: {safeguards}\n{more}"
    )


def night(run: Run, *people: Person, code: int = 0) -> dict[str, Any]:
    """Plan and apply; the plan."""
    export(*people)
    planned: dict[str, Any] = json.loads(run(*PLAN, "--json", code=code).stdout)
    jsonschema.validate(planned, read_schema("plan"))
    run("apply", "plan.json", *APPLY, code=code)
    return planned


def verdict(plan: dict[str, Any], name: str) -> tuple[Any, ...]:
    found = next(one for one in plan["safeguards"] if one["safeguard"] == name)
    return found["count"], found.get("past", 0), found["population"], found["limit"], found["held"]


def codes(plan: dict[str, Any]) -> list[str]:
    return [one["code"] for one in plan["findings"]]


@BOTH
def test_what_two_nights_take_away_together_is_held(run: Run) -> None:
    setting(GUARDS)
    assert codes(night(run, *PEOPLE)) == [], "nothing is taken away, so no history is needed"
    second = night(run, *PEOPLE[4:])
    assert (verdict(second, "deactivate"), codes(second)) == ((4, 0, 30, 6, False), [])
    third = night(run, *PEOPLE[7:], code=4)
    assert verdict(third, "deactivate") == (7, 4, 30, 6, True)
    assert third["history"]["applies"] == 2
    assert "people who end (deactivate), 4 of them by earlier applies" in run(*PLAN, code=4).stdout
    run("approve", "plan.json", "--reason", "They left.", "--by", "Ada", "--withheld", str(third["counts"]["withheld"]))
    run("apply", "plan.json", *APPLY)
    Path("plan.approval.json").unlink()
    fourth = night(run, *PEOPLE[8:])
    assert verdict(fourth, "deactivate") == (5, 4, 26 + 1, 5, False), "who was approved by name counts no more"


@BOTH
def test_an_undo_takes_back_what_counted(run: Run) -> None:
    setting(GUARDS)
    night(run, *PEOPLE)
    export(*PEOPLE[5:])
    run(*PLAN)
    run("apply", "plan.json", *APPLY, "--out", "ended")
    export(*PEOPLE[7:])
    assert verdict(json.loads(run(*PLAN, "--json", code=4).stdout), "deactivate") == (7, 5, 30, 6, True)
    run("undo", "ended", *APPLY)
    run("apply", "undo.json", *APPLY)
    export(*PEOPLE[2:])
    assert verdict(json.loads(run(*PLAN, "--json").stdout), "deactivate") == (2, 0, 30, 6, False)


@BOTH
def test_moves_of_two_nights_count_as_leaving(run: Run) -> None:
    setting(GUARDS)
    night(run, *PEOPLE)
    night(run, *(Person(one.key, "Legal") for one in PEOPLE[:3]), *PEOPLE[3:])
    last = night(run, *(Person(one.key, "Legal") for one in PEOPLE[:5]), *PEOPLE[5:], code=4)
    assert verdict(last, "leave") == (5, 3, 30, 4, True)


def test_history_elsewhere_is_named_and_may_be_required(run: Run, tmp_path: Path) -> None:
    setting(GUARDS)
    night(run, *PEOPLE)
    export(*PEOPLE[3:])
    (tmp_path / "new").mkdir()
    lost = json.loads(run(*PLAN, "--out", "new/plan.json", "--json").stdout)
    assert codes(lost) == ["history_missing"]
    error = str(run(*PLAN, "--out", "new/plan.json", "--require-history", code=5).exception)
    assert "no receipts of earlier applies were found" in error
    assert not list((tmp_path / "new").glob("plan-*"))
    found = json.loads(run(*PLAN, "--out", "new/plan.json", "--require-history", "--history", ".", "--json").stdout)
    assert codes(found) == []
    assert "no such folder" in str(run(*PLAN, "--history", "nowhere", code=2).exception)


def test_receipts_older_than_the_window_are_not_opened(run: Run, tmp_path: Path) -> None:
    setting(GUARDS)
    night(run, *PEOPLE)
    night(run, *PEOPLE[4:])
    long_ago = time.time() - 8 * 86400
    for path in tmp_path.glob("plan-*/*.json"):
        path.write_text("not opened")
        os.utime(path, (long_ago, long_ago))
    assert list(tmp_path.glob(f"plan-*/{REMOVED_NAME}"))
    export(*PEOPLE[8:])
    plan = json.loads(run(*PLAN, "--require-history", "--json").stdout)
    assert verdict(plan, "deactivate") == (4, 0, 26, 5, False)


def test_who_vanished_is_ended_days_later(run: Run, held: Company) -> None:
    setting("{grace: 2d}")
    today = dt.datetime.now(dt.UTC)

    def on(days_ago: float, *people: Person, code: int) -> dict[str, Any]:
        export(*people)
        taken = (today - dt.timedelta(days=days_ago)).timestamp()
        os.utime("people.csv", (taken, taken))
        planned: dict[str, Any] = json.loads(run(*PLAN, "--json", code=code).stdout)
        jsonschema.validate(planned, read_schema("plan"))
        run("apply", "plan.json", *APPLY, code=code)
        return planned

    on(3, *PEOPLE, code=0)
    first = on(2.5, *PEOPLE[1:], code=4)
    due = (today - dt.timedelta(days=0.5)).isoformat(timespec="seconds")
    assert [(one["userName"], one["withheld"], one["due"]) for one in first["operations"]] == [
        ("p0000@example.com", "grace", due)
    ]
    assert f"(until {due[:10]} {due[11:16]} UTC)" in run(*PLAN, code=4).stdout
    on(1.5, *PEOPLE[2:], code=4)
    last = on(0.1, *PEOPLE[2:], code=4)
    assert {one["userName"]: one["withheld"] for one in last["operations"]} == {
        "p0000@example.com": None, "p0001@example.com": "grace",
    }  # fmt: skip
    ended = {row[1] for row in held.state().values() if row[6] is False}
    assert ended == {"p0000@example.com"}
    run(*PLAN, code=4)
    run("approve", "plan.json", "--reason", "She left.", "--by", "Ada", "--withheld", "1")
    run("apply", "plan.json", *APPLY, "--out", "approved")
    assert {row[1] for row in held.state().values() if row[6] is False} == {"p0000@example.com", "p0001@example.com"}


@BOTH
def test_seats_are_filled_in_the_order_of_the_export_and_no_further(run: Run, held: Company) -> None:
    setting(GUARDS, "seats: 3\n")
    plan = night(run, Person("a"), Person("b"), Person("c"), Person("d", "Legal"), code=4)
    assert {one["userName"] or one["group"] for one in plan["operations"] if one["withheld"] == "seats"} <= {
        "d@example.com", "Legal",
    }  # fmt: skip
    assert sorted(row[1] for row in held.state().values()) == [f"{one}@example.com" for one in "abc"]
    assert codes(plan) == ["seats_short"]
    again = night(run, Person("b"), Person("c"), Person("d", "Legal"))
    assert again["seats"] == {"before": 3, "after": 3, "after_approval": 3, "limit": 3}


def test_an_identity_provider_that_pushes_too_is_seen(
    run: Run, held: Company, embedded: Embedded, company: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting(GUARDS)
    night(run, *PEOPLE)
    moved = Person(PEOPLE[0].key, "Legal")
    assert codes(night(run, moved, *PEOPLE[1:])) == []
    with embedded.database.write() as connection:
        (own,) = list_settings(connection, company)
        okta = add_token(connection, own.n, "okta").secret.reveal()
    person = next(key for key, row in held.state().items() if row[1] == "p0000@example.com")
    patch = {"op": "replace", "path": f"{ENTERPRISE}:department", "value": "Sales"}
    sent = embedded.scim(okta, "PATCH", f"/Users/{person}", {"schemas": [PATCH_OP], "Operations": [patch]})
    assert sent.status_code == 204, sent.text
    seen = json.loads(run(*PLAN, "--json").stdout)
    assert [one["message"] for one in seen["findings"]] == [
        "Somebody else pushes to this setting, too: 1 person has other values than scimops last sent "
        "(p0000@example.com)."
    ]

    made = embedded.credential(company)
    monkeypatch.setenv("SCIMOPS_TEST_SECRET", made.secret.reveal())
    (tmp_path / "config" / "connections.yaml").write_text(
        f"format: 1\nconnections:\n  acme:\n    kind: platform\n    url: {embedded.url}\n"
        f"    client_id: {made.client_id}\n    client_secret: env:SCIMOPS_TEST_SECRET\n"
    )
    through = json.loads(run(*PLAN, "--json").stdout)
    (found,) = [one["message"] for one in through["findings"] if one["code"] == "two_masters"]
    assert "2 of its tokens were used lately (" in found
    assert "okta" in found
