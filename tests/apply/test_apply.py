"""Preview, plan, apply, a fresh snapshot: everybody where the preview said; and back again."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from applying import Company, Person, crowd, tomorrow

from scimops.apply import load_receipts
from scimops.plan.inverse import inverse

BOTH = pytest.mark.parametrize("url", ["server", "client"], indirect=True)


@BOTH
def test_everybody_lands_where_the_preview_says_and_undo_brings_the_first_state_back(acme: Company) -> None:
    today = crowd(30)
    first = acme.apply(acme.plan(today))
    assert (first.exit_code, first.findings, first.counts["done"]) == (0, [], first.steps.height)
    assert acme.landed() == acme.expected(today)
    assert acme.plan(today).operations.height == 0

    before, later = acme.state(), tomorrow(today)
    groups_before = acme.snapshot().groups["name"].to_list()
    plan = acme.plan(later)
    assert set(plan.operations["kind"]) >= {"update", "rename", "create", "deactivate"}
    second = acme.apply(plan)
    assert (second.exit_code, second.findings, second.stopped) == (0, [], "")
    assert acme.landed() == acme.expected(later)
    assert acme.plan(later).operations.height == 0

    undone = acme.apply(inverse(plan, second, acme.snapshot(), delete=True))
    assert (undone.exit_code, undone.findings) == (0, [])
    assert acme.state() == before
    if plan.source.placement == "client":
        assert acme.snapshot().groups["name"].to_list() == groups_before


@BOTH
def test_a_dry_run_sends_nothing_and_says_the_same(acme: Company) -> None:
    acme.apply(acme.plan(crowd(20)))
    before, plan = acme.snapshot().digest, acme.plan(tomorrow(crowd(20)))
    said: list[str] = []
    tried = acme.apply(plan, "one", dry_run=True, tell=said.append)
    assert tried.dry_run
    assert "nothing is sent" in said[0]
    assert acme.snapshot().digest == before
    assert (tried.findings, tried.counts["done"]) == ([], plan.operations.height)
    assert acme.apply(plan, "one").counts == tried.counts


@BOTH
def test_what_is_done_already_is_not_sent_and_receipts_are_read_back(acme: Company) -> None:
    people = crowd(12)
    plan = acme.plan(people)
    receipts = acme.apply(plan, "one")
    again = load_receipts(acme.folder / "one" / "receipts.json")
    assert again.to_dict() == receipts.to_dict()
    assert acme.apply(plan, "one").steps.drop("at").equals(receipts.steps.drop("at"))  # from the journal
    other = acme.apply(plan, "two")
    assert (other.counts, other.exit_code) == ({"already": plan.operations.height, "withheld": 0}, 0)
    assert not inverse(plan, other, acme.snapshot()).operations.height


@BOTH
def test_renames_in_a_chain_are_done_in_their_order(acme: Company) -> None:
    acme.apply(acme.plan([Person("a"), Person("b"), Person("c")]))
    chain = [Person("a", user_name="b@example.com"), Person("b", user_name="c@example.com"),
             Person("c", user_name="free@example.com")]  # fmt: skip
    plan = acme.plan(chain)
    assert acme.apply(plan).exit_code == 0
    assert {row[0]: row[1] for row in acme.state().values()} == {
        "x-a": "b@example.com", "x-b": "c@example.com", "x-c": "free@example.com",
    }  # fmt: skip


@BOTH
def test_who_changed_meanwhile_is_reported_and_left_and_the_rest_is_done(acme: Company) -> None:
    people = crowd(60)
    acme.apply(acme.plan(people))
    plan = acme.plan([Person(one.key, "Marketing") for one in people[:50]])
    ids = dict(acme.snapshot().users.select("userName", "id").iter_rows())
    enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    moved, gone = ids["p0001@example.com"], ids["p0002@example.com"]
    path = f"{enterprise}:department"
    assert acme.service_provider.patch_user(moved, [{"op": "replace", "path": path, "value": "Board"}]).ok
    assert acme.service_provider.delete_user(gone).ok
    left = ids["p0055@example.com"]
    assert acme.service_provider.patch_user(left, [{"op": "replace", "path": "title", "value": "Boss"}]).ok
    receipts = acme.apply(plan)
    left_alone = receipts.steps.filter(pl.col("outcome") == "changed_meanwhile")
    by_id = set(left_alone["id"])
    expected = {moved, gone} | ({left} if plan.source.placement == "server" else set())
    assert by_id == expected
    assert "department" in left_alone.filter(pl.col("id") == moved)["said"].item()
    assert not receipts.findings
    state = acme.state()
    assert state[moved][5] == "Board"
    departments = {person: row[5] for person, row in state.items() if row[6] is not False}
    assert sum(value == "Marketing" for value in departments.values()) == 48


def test_what_is_withheld_is_done_only_with_an_approval_of_this_plan(acme: Company) -> None:
    from dataclasses import dataclass

    from scimops.plan import StalePlanError

    @dataclass
    class Approval:
        digest: str

        def covers(self, number: int) -> bool:
            return True

    acme.setting = acme.setting.model_copy(update={"safeguards": type(acme.setting.safeguards)(minimum=1)})
    acme.apply(acme.plan(crowd(8)))
    plan = acme.plan(crowd(2))
    assert plan.held.height == 6
    with pytest.raises(StalePlanError, match="another plan"):
        acme.apply(plan, approved=Approval("0" * 64))
    withheld = acme.apply(plan, "one")
    assert (withheld.counts, withheld.exit_code) == ({"withheld": 6}, 4)
    assert all(row[6] is not False for row in acme.state().values())
    approved = acme.apply(plan, "one", approved=Approval(plan.digest))
    assert (approved.counts, approved.exit_code) == ({"done": 6, "withheld": 0}, 0)


def test_nothing_of_the_token_is_in_what_is_written(acme: Company, token: str) -> None:
    acme.apply(acme.plan(crowd(3)), "one")
    written = [path for path in Path(acme.folder, "one").iterdir() if path.is_file()]
    assert {path.name for path in written} >= {"journal.ndjson", "plan.json", "receipts.json"}
    for path in written:
        assert token not in path.read_text()
        assert path.stat().st_mode & 0o077 == 0
    lines = [json.loads(line) for line in (acme.folder / "one" / "journal.ndjson").read_text().split("\n") if line]
    assert {"plan", "intent", "receipt"} == {next(iter(line.keys() & {"plan", "intent", "receipt"})) for line in lines}
