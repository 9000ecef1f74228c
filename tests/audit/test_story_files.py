"""The story's files: right in themselves, and each fault has changed its own people alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pytest
from story_faults import BENIGN, FAULTS, QUIET, Fault
from story_reading import fingerprints, groups_there, met_of, replayed

from scimops.audit.causes import CAUSES, LINKS, STATUSES
from scimops.audit.state import State, load_state
from scimops.errors import UsageError
from scimops.frames import PROVISIONING_LOG
from scimops.grouping import ARRIVING, group_key
from scimops.idp import read_export
from scimops.platform.logs import AuditLine
from scimops.samples.story import PLANTS, Story, write_story
from scimops.samples.story_world import OUTAGE, TODAY

WAITING = ("minute 0", "minute 1")
"""Joined this morning: at the identity provider and not yet on the platform."""

SUMMARY = frozenset({
    "activityDateTime", "changeId", "cycleId", "durationInMilliseconds", "id", "initiatedBy", "jobId",
    "modifiedProperties", "provisioningAction", "provisioningStatusInfo", "provisioningSteps", "servicePrincipal",
    "sourceIdentity", "sourceSystem", "targetIdentity", "targetSystem", "tenantId",
})  # fmt: skip
"""The properties of https://learn.microsoft.com/graph/api/resources/provisioningobjectsummary."""


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return write_story(tmp_path_factory.mktemp("right"))


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return write_story(tmp_path_factory.mktemp("faulty"), [(fault.kind, fault.who) for fault in FAULTS])


def digest(folder: Path) -> dict[str, str]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


# The list


def test_forty_faults_of_every_kind_are_planted_each_on_somebody_else() -> None:
    assert len(FAULTS) == 40
    assert {fault.kind for fault in FAULTS} == set(PLANTS)
    assert len({fault.who for fault in [*FAULTS, *BENIGN]}) == len(FAULTS) + len(BENIGN)


def test_the_answers_are_of_the_closed_lists() -> None:
    reasons = ("rejected_bad_email", "rejected_value_too_long", "out_of_scope")
    for fault in [*FAULTS, *BENIGN]:
        if fault.coverage:
            assert fault.coverage[1] in (None, *LINKS)
            assert fault.coverage[2] in (None, *CAUSES, *reasons)
        for status, cause in [answer for answer in [fault.reconcile, *fault.also.values()] if answer]:
            assert status in STATUSES
            assert cause in (None, *CAUSES)
    for fault in BENIGN:
        assert {answer[0] for answer in (fault.coverage, fault.reconcile) if answer} <= set(QUIET)


# The same bytes


def test_same_arguments_same_bytes(right: Story, faulty: Story, tmp_path: Path) -> None:
    again = write_story(tmp_path / "again", [(fault.kind, fault.who) for fault in FAULTS])
    assert digest(again.folder) == digest(faulty.folder)
    other = digest(write_story(tmp_path / "other", seed=2).folder)
    assert {name for name, value in digest(right.folder).items() if other[name] == value} == {
        "setting.yaml", "state/state.json",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("faults", "people"), [([("left_renamd", "leaver 4")], 600), ([("taken", "new 400")], 600), ([], 100)]
)
def test_what_is_not_there_cannot_be_planted(faults: list[tuple[str, str]], people: int, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        write_story(tmp_path, faults, people=people)
    assert list(tmp_path.iterdir()) == []


# Without faults everything is right


def test_everybody_is_in_the_group_of_the_rule_and_matched_once(right: Story) -> None:
    met, state = met_of(right)
    assert met.matched.clashes.is_empty()
    assert set(met.matched.pairs["matched_by"]) == {"externalId"}
    there = groups_there(state)
    pairs = dict(met.matched.pairs.select("n", "id").iter_rows())
    names = {group.group_key for group in met.preview.groups}
    assert names == {group_key(name) for name in right_groups(state)}
    waiting = {right.people[handle].externalId for handle in WAITING}
    for n, external_id, reason, key in met.preview.people.select("n", "externalId", "reason", "group_key").iter_rows():
        assert reason in (*ARRIVING, "inactive")
        if reason == "inactive":
            assert n not in pairs or not there[pairs[n]]
        elif external_id in waiting:
            assert n not in pairs
        else:
            assert [group_key(name) for name in there[pairs[n]]] == [key]


def right_groups(state: State) -> list[str]:
    return state.snapshot.groups.filter(pl.col("setting").is_not_null())["name"].to_list()


def test_values_and_active_are_those_of_the_export(right: Story) -> None:
    met, _ = met_of(right)
    fields = ["userName", "email", "firstName", "lastName", "department", "phone", "field.Region"]
    both = met.matched.pairs.join(met.rows, on="n").join(met.users, left_on="id", right_on="id", suffix="_there")
    assert both.height > 550
    for name in fields:
        assert both.filter(pl.col(name).ne_missing(pl.col(f"{name}_there"))).is_empty(), name
    assert both.filter((pl.col("reason") != "inactive") != pl.col("active_there")).is_empty()


def test_whoever_is_active_is_in_the_report_of_each_enrolment_of_their_group(right: Story) -> None:
    state = load_state(right.state)
    assert state.enrolments is not None
    offers = state.enrolment_groups.join(state.enrolments.filter("auto_enrol"), left_on="enrolment_id", right_on="id")
    due = state.snapshot.members.join(offers, on="group_id").select("enrolment_id", "user_id")
    assert due.height > 600
    assert due.join(state.enrolled, on=["enrolment_id", "user_id"], how="anti").is_empty()
    own = state.snapshot.groups.filter(pl.col("setting").is_not_null())["id"]
    assert set(own) <= set(offers["group_id"])


def test_groups_are_large_enough_for_what_is_said_of_them(right: Story) -> None:
    _, state = met_of(right)
    assert min(len(right.group(name)) for name in right_groups(state)) >= 15


def test_the_list_of_employees_and_the_exports_tell_of_joining_and_leaving(right: Story) -> None:
    hr = read_export(right.hr)
    assert hr.rejected == []
    people = hr.users().select("email", "active", "hiredOn", "leftOn")
    gone = people.filter(pl.col("leftOn") <= TODAY)
    assert gone.height >= 12
    assert set(gone["active"]) == {False}
    assert people.filter(pl.col("hiredOn") > TODAY).height == 2
    days = people["hiredOn"].to_list()
    assert sum(0 <= (TODAY - day).days <= 30 for day in days) >= 12
    assert sum(0 <= (TODAY - day).days <= 90 for day in days) >= 45
    counts = [read_export(path).rows for path in right.exports]
    assert counts[0] < counts[2] < counts[3] < counts[5]  # newcomers
    assert read_export(right.exports[0]).users().filter(~pl.col("active")).is_empty()
    assert {path.stem for path in right.exports} >= {"2026-11-24", "2026-11-25"}


# The logs tell how the platform came to be what it is


@pytest.mark.parametrize("name", ["right", "faulty"])
def test_the_logs_replayed_are_the_state(name: str, request: pytest.FixtureRequest) -> None:
    story: Story = request.getfixturevalue(name)
    state = load_state(story.state)
    there = groups_there(state)
    ours = state.snapshot.users.filter(pl.col("setting").is_not_null())
    shown = {
        user: {
            "active": active,
            "group": next(iter(there[user]), None),
            "department": department,
            "userName": user_name,
        }
        for user, active, department, user_name in ours.select("id", "active", "department", "userName").iter_rows()
    }
    assert replayed(story) == shown


def test_the_logs_have_the_shapes_of_those_who_write_them(faulty: Story) -> None:
    lines = [json.loads(line) for line in faulty.logs[1].read_text("utf-8").splitlines()]
    assert [line["n"] for line in lines] == list(range(1, len(lines) + 1))
    assert {tuple(line) for line in lines} == {tuple(PROVISIONING_LOG.names)}
    lines = json.loads(faulty.logs[2].read_text("utf-8"))
    assert {frozenset(line) - {"auditDescription"} for line in lines} == {frozenset(AuditLine.__annotations__)}
    records = json.loads(faulty.logs[0].read_text("utf-8"))["value"]
    assert {frozenset(record) for record in records} == {SUMMARY}
    assert len({record["id"] for record in records}) == len(records)
    outcomes = {record["provisioningStatusInfo"]["status"] for record in records}
    assert outcomes == {"success", "failure", "skipped"}
    actions = {record["provisioningAction"] for record in records}
    assert actions == {"create", "update", "disable", "delete", "other"}


def test_both_logs_cover_the_weeks_without_a_gap(right: Story, faulty: Story) -> None:
    for story, path in [(right, 0), (right, 1), (faulty, 0)]:
        times = sorted(_times(story.logs[path]))
        assert (times[0][:13], times[-1][:13]) == ("2026-09-07T08", "2026-11-25T08")
        stamps = pl.Series(times).str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ")
        longest = stamps.diff().dt.total_minutes().max()
        assert isinstance(longest, int)
        assert longest <= 121
    silent = [time for time in _times(faulty.logs[1]) if f"{OUTAGE[0]:%Y-%m-%dT%H}" < time < f"{OUTAGE[1]:%Y-%m-%dT%H}"]
    assert silent == []  # without a token nobody knows whose requests these are


def _times(path: Path) -> Iterable[str]:
    if path.suffix == ".ndjson":
        return [json.loads(line)["at"] for line in path.read_text("utf-8").splitlines()]
    return [record["activityDateTime"] for record in json.loads(path.read_text("utf-8"))["value"]]


# With faults


def test_each_fault_changed_its_own_people_and_nobody_else(right: Story, faulty: Story) -> None:
    named = [*right.people.items(), *faulty.people.items()]
    handles = {key: handle for handle, one in named for key in (one.externalId, one.employee_id) if key}
    before, after = fingerprints(right, handles), fingerprints(faulty, handles)
    changed = {handle for handle in before | after if before.get(handle) != after.get(handle)}
    assert changed == {handle for fault in FAULTS for handle in people_of(fault, right)}


def people_of(fault: Fault, story: Story) -> list[str]:
    if fault.kind == "two_accounts":  # the first account stays what it was
        return [*fault.also]
    group = fault.people.removeprefix("group:")
    return story.group(group) if group else [fault.who, *fault.also]


def test_every_kind_alone_leaves_files_that_can_be_read(tmp_path: Path) -> None:
    """Some kinds change more than their people (seats, a token's outage): each must stand alone, too."""
    for kind, who in (("seats_full", "late 5"), ("token_expired", "token 1"), ("duplicate_there", "Sales 3")):
        story = write_story(tmp_path / kind, [(kind, who)])
        met, state = met_of(story)
        assert met.matched.clashes.is_empty()
        shown = set(state.snapshot.users.filter(pl.col("setting").is_not_null())["id"])
        assert set(replayed(story)) == shown
        absent = met.rows.join(met.matched.pairs, on="n", how="anti").filter(pl.col("reason") != "inactive")
        assert absent.height == len(WAITING) + (kind != "duplicate_there")
    full = load_state(tmp_path / "seats_full" / "state").snapshot
    assert full.seats == full.users.filter("active").height
