"""Coverage against the embedded platform on a real port: who arrived, who did not, at which link, and why."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from auditing import NOW, Company

from scimops.audit import coverage as module
from scimops.audit.coverage import Coverage, cover
from scimops.audit.people import meet, of_hr
from scimops.audit.reconcile import reconcile
from scimops.audit.sources import gather
from scimops.audit.state import load_state, without_enrolments
from scimops.client import SnapshotError
from scimops.samples.story import write_story
from scimops.setting import load_setting


def lost(coverage: Coverage) -> dict[str, tuple[str, str, str]]:
    """Of each person who has not arrived: status, link, cause."""
    rows = coverage.people.filter(pl.col("status") != "arrived")
    return {row["userName"].partition("@")[0]: (row["status"], row["lost_at"], row["cause"])
            for row in rows.iter_rows(named=True)}  # fmt: skip


@pytest.fixture
def staffed(acme: Company) -> Company:
    for number in range(4):
        acme.arrives(f"sales{number}")
        acme.arrives(f"engineer{number}", "Engineering")
    return acme


def test_one_enrolment_switched_off_loses_exactly_its_people(staffed: Company) -> None:
    sales = staffed.enrolment("Basics for sales", "Sales")
    staffed.enrolment("Basics for engineers", "Engineering")
    assert staffed.coverage().counts == {
        "arrived": 8, "lost": 0, "not_due_yet": 0, "cannot_tell": 0, "not_meant": 0,
    }  # fmt: skip
    staffed.switch(sales, on=False)
    coverage = staffed.coverage()
    assert lost(coverage) == {f"sales{number}": ("lost", "expected", "auto_enrol_off") for number in range(4)}
    # they are seen in the report all the same: expected is not enrolled, and enrolled is not expected
    people = coverage.people.filter(pl.col("status") == "lost")
    assert people.select("expected", "enrolled").unique().rows() == [(False, True)]


def test_expected_is_no_proof_of_enrolled(staffed: Company) -> None:
    staffed.enrolment("Basics", "Sales", "Engineering")
    staffed.arrives("late")
    assert lost(staffed.coverage()) == {"late": ("lost", "enrolled", "not_in_report")}
    row = staffed.coverage().people.filter(pl.col("userName") == "late@example.com").row(0, named=True)
    assert (row["expected"], row["enrolled"]) == (True, False)


def test_a_group_without_any_enrolment(staffed: Company) -> None:
    staffed.enrolment("Basics", "Sales")
    assert {link for _, link, _ in lost(staffed.coverage()).values()} == {"expected"}
    assert {cause for _, _, cause in lost(staffed.coverage()).values()} == {"no_enrolment"}


def test_enrolments_that_nobody_may_read_are_claimed_of_nobody(staffed: Company) -> None:
    coverage = staffed.coverage(state=without_enrolments(staffed.state().snapshot))
    assert coverage.not_read == ("enrolments",)
    assert coverage.people["expected"].null_count() == coverage.people["enrolled"].null_count() == 8
    assert coverage.counts["arrived"] == 8


def test_who_never_came_is_lost_and_who_is_new_is_not_due_yet(staffed: Company) -> None:
    staffed.enrolment("Basics", "Sales", "Engineering")
    for name, day in (("missing", "2026-11-01"), ("new", NOW.date().isoformat())):
        staffed.arrives(name, created=day)
        staffed.embedded.scim(staffed.token, "DELETE", f"/Users/{_id(staffed, name)}")
    assert lost(staffed.coverage()) == {
        "missing": ("lost", "at_platform", "no_log"), "new": ("not_due_yet", "at_platform", None),
    }  # fmt: skip
    due = staffed.coverage().people.drop_nulls("due").row(0, named=True)["due"]
    assert due == "2026-11-26T01:00:00.000Z"


def test_every_row_is_accounted_for(staffed: Company) -> None:
    staffed.people["bad"] = "x-bad,bad@example.com,no address,Ada,Bad,Sales,true,"
    staffed.people["off"] = "x-off,off@example.com,off@example.com,Ada,Off,Sales,false,"
    staffed.people["cut"] = "x-cut,cut@example.com"
    coverage = staffed.coverage(state=without_enrolments(staffed.state().snapshot))
    assert sum(coverage.counts.values()) == len(staffed.people)
    reasons = dict(coverage.people.filter(pl.col("status") != "arrived").select("cause", "status").iter_rows())
    assert reasons == {"rejected_bad_email": "lost", "rejected_unreadable": "cannot_tell", "inactive": "not_meant"}


def test_inactive_on_the_platform(staffed: Company) -> None:
    staffed.enrolment("Basics", "Sales", "Engineering")
    body = {"Operations": [{"op": "replace", "path": "active", "value": False}],
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}  # fmt: skip
    staffed.embedded.scim(staffed.token, "PATCH", f"/Users/{_id(staffed, 'sales1')}", body)
    assert lost(staffed.coverage()) == {"sales1": ("lost", "active", "no_log")}


def test_a_state_is_the_same_from_disk(staffed: Company, tmp_path: Path) -> None:
    staffed.enrolment("Basics", "Sales")
    state = staffed.state()
    state.save(tmp_path / "state")
    again = load_state(tmp_path / "state")
    assert staffed.coverage(state=again).people.equals(staffed.coverage(state=state).people)
    (tmp_path / "state" / "enrolled.parquet").unlink()
    with pytest.raises(SnapshotError):
        load_state(tmp_path / "state")


def test_new_hires(staffed: Company) -> None:
    staffed.arrives("fresh", created="2026-11-10")
    assert staffed.coverage().since(NOW.date() - dt.timedelta(days=30)).height == 1


def _id(company: Company, name: str) -> str:
    users = company.state().snapshot.users
    return str(users.filter(pl.col("userName") == f"{name}@example.com")["id"].item())


def test_lines_that_reconcile_found_are_not_looked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faults = [("seats_full", "late 4"), ("never_sent", "new 36"), ("moved_by_hand", "Sales 3"), ("bad_email", "new 7")]
    story = write_story(tmp_path, faults)
    state = load_state(story.state)
    sources = gather(story.exports[-1], load_setting(story.setting), state, story.logs, story.hr, story.folder)
    assert sources.hr is not None
    met = meet(sources.preview, state.snapshot)
    population = of_hr(met, sources.hr, story.at.date())
    alone = cover(met, state, population, sources.logs, story.at)
    told = reconcile(met, sources.logs, story.at).told
    assert {"seats_full", "never_sent", "moved_by_hand"} <= set(alone.people["cause"])
    looked_for: list[int] = []
    sift = module.lines_of

    def counted(people: pl.DataFrame, *more: object) -> pl.DataFrame:
        looked_for.append(people.height)
        return sift(people, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "lines_of", counted)
    for part, height in ((told, 0), (told.filter(pl.col("n") != told["n"].max()), 1)):
        assert cover(met, state, population, sources.logs, story.at, told=part).people.equals(alone.people)
        assert looked_for[-1] == height
