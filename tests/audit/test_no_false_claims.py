"""What lies near at hand and is not true: each time the audit says what the sources show, and no more."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from telling import document, run, words

from scimops.audit.state import load_state
from scimops.client.snapshot import make_snapshot
from scimops.idp import read_export
from scimops.plan.sources import plan_for
from scimops.samples.story import Story, write_story
from scimops.setting import load_setting

Change = Callable[[pl.DataFrame], pl.DataFrame]


@dataclass
class Edited:
    """A story whose files a test edits, without touching their times."""

    story: Story

    def key(self, handle: str) -> str:
        return str(self.story.people[handle].externalId)

    def user(self, handle: str) -> str:
        return str(self.story.people[handle].user_id)

    def state(
        self, *, users: Change | None = None, members: Change | None = None, read_at: str = "", **more: Any
    ) -> None:
        held = load_state(self.story.state)
        now = held.snapshot
        facts = ("source", "where", "read_at", "capabilities", "cannot_tell", "seats", "tokens")
        kept = {name: getattr(now, name) for name in facts} | ({"read_at": read_at} if read_at else {})
        changed = make_snapshot(
            users(now.users) if users else now.users,
            now.groups,
            members(now.members) if members else now.members,
            **kept,
        )
        shutil.rmtree(self.story.state)
        replace(held, snapshot=changed, **more).save(self.story.state)

    def rewrite(self, path: Path, change: Callable[[str], str]) -> None:
        at = path.stat()
        with path.open(encoding="utf-8", newline="") as stream:
            text = stream.read()
        with path.open("w", encoding="utf-8", newline="") as stream:
            stream.write(change(text))
        os.utime(path, (at.st_atime, at.st_mtime))

    def export(self, handle: str, **values: str) -> None:
        """Other values in the row of today's export."""
        self.cells(self.story.exports[-1], "id", self.key(handle), values)

    def listed(self, handle: str, **values: str) -> None:
        """Other values in the row of the list of employees; `_` stands for a blank."""
        named = {name.replace("_", " "): value for name, value in values.items()}
        self.cells(self.story.hr, "E-mail", str(self.story.people[handle].hr_email), named)

    def cells(self, path: Path, column: str, key: str, values: dict[str, str]) -> None:
        at = path.stat()
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
        row = next(row for row in rows if row[column] == key)
        assert values.keys() <= row.keys()
        row.update(values)
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        os.utime(path, (at.st_atime, at.st_mtime))

    def break_row(self, handle: str) -> None:
        """Two cells more than the header has, so the row cannot be read."""
        self.rewrite(self.story.exports[-1], lambda text: "".join(
            line.rstrip("\r\n") + ",extra,extra\r\n" if self.key(handle) in line else line
            for line in text.splitlines(keepends=True)
        ))  # fmt: skip

    def audited(self, *more: str | Path) -> dict[str, Any]:
        return document(*words(self.story, *more))

    def causes(self, handle: str, *more: str | Path) -> set[tuple[str, str | None]]:
        """Code and cause of all that is found of somebody."""
        keys = (self.key(handle), self.user(handle))
        people = self.audited(*more)["people"]
        return {(one["code"], one["cause"]) for one in people if one["externalId"] in keys or one["user_id"] in keys}

    def sentence(self, who: str, *more: str | Path) -> str:
        _, export, *rest = words(self.story, *more)
        return str(json.loads(run("explain", who, "--export", export, *rest, "--json").stdout)["sentence"])


@pytest.fixture
def edited(tmp_path: Path) -> Edited:
    return Edited(write_story(tmp_path / "story"))


def test_who_was_deactivated_and_is_active_again_was_sent(edited: Edited) -> None:
    leaver = edited.user("leaver 3")
    edited.state(users=lambda users: users.with_columns(active=pl.col("active") | (pl.col("id") == leaver)))
    assert edited.causes("leaver 3") == {("left_still_active", "left_active_again")}


def test_who_was_made_after_a_refusal_was_not_refused(edited: Edited) -> None:
    gone = edited.user("Sales 5")
    edited.state(users=lambda users: users.filter(pl.col("id") != gone),
                 members=lambda members: members.filter(pl.col("user_id") != gone))  # fmt: skip
    log = edited.story.logs[0]
    lines = json.loads(log.read_text("utf-8"))
    made = next(one for one in lines["value"] if one["sourceIdentity"]["id"] == edited.key("Sales 5"))
    error = {"errorCode": "Conflict", "reason": "The licence has no free seat", "errorCategory": "nonServiceFailure"}
    failed = {"status": "failure", "errorInformation": error}
    for at, action in (("2026-09-07T07:40:00Z", "create"), ("2026-10-02T07:40:00Z", "update")):
        more = {"id": at, "activityDateTime": at, "provisioningAction": action, "provisioningStatusInfo": failed}
        lines["value"].append(made | more)
    log.write_text(json.dumps(lines), encoding="utf-8")
    assert edited.causes("Sales 5") == {("lost_made_and_gone", "made_and_gone")}


def test_who_was_taken_out_of_another_group_was_not_taken_out_of_this_one(edited: Edited) -> None:
    who = edited.user("Sales 7")
    edited.state(members=lambda members: members.filter(pl.col("user_id") != who))
    log = edited.story.logs[2]
    lines = json.loads(log.read_text("utf-8"))
    old = json.dumps({"group": "VIP Champions", "userResourceId": who})
    lines.append({"resourceId": "logX", "userName": "admin@example.com", "entityResourceId": who, "newValue": None,
                  "entityName": "TargetGroupUser", "oldValue": old, "operation": "Delete",
                  "logDate": "2026-09-10T07:30:00Z"})  # fmt: skip
    log.write_text(json.dumps(lines), encoding="utf-8")
    assert edited.causes("Sales 7") == {("lost_no_log", "no_log")}
    lines[-1]["oldValue"] = old.replace("VIP Champions", "Sales")
    log.write_text(json.dumps(lines), encoding="utf-8")
    assert edited.causes("Sales 7") == {("lost_moved_by_hand", "moved_by_hand")}


def test_what_our_own_apply_did_is_not_the_identity_providers(edited: Edited, tmp_path: Path) -> None:
    who, name = edited.user("Sales 7"), edited.story.people["Sales 7"].userName
    edited.state(users=lambda users: users.with_columns(active=pl.col("active") & (pl.col("id") != who)))
    step = {"number": 1, "kind": "deactivate", "outcome": "done", "id": who, "userName": name, "status": 200,
            "said": "", "at": "2026-11-20T09:00:00.000Z", "before": '{"active":true}',
            "after": '{"active":false}'}  # fmt: skip
    (tmp_path / "receipts.json").write_text(json.dumps({"format": 1, "steps": [step]}))
    more = ("--log", tmp_path / "receipts.json")
    assert edited.causes("Sales 7", *more) == {("lost_deactivated_by_apply", "deactivated_by_apply")}
    assert 'is not active on the platform, so in no training by the group "Sales" today' in edited.sentence(who, *more)


def test_who_is_rejected_today_and_came_before_is_still_there(edited: Edited) -> None:
    edited.export("Sales 7", mail="katrin@@example.com")
    said = edited.sentence(edited.key("Sales 7"))
    assert 'is active on the platform and in the group "Sales" today' in said
    assert "is in no group" not in said


def test_who_need_not_be_trained_yet_may_be_in_the_group_already(tmp_path: Path) -> None:
    edited = Edited(write_story(tmp_path / "story", [("not_in_report", "Sales 8")]))
    edited.export("Sales 8", createdDateTime="11/25/2026 7:00:00 AM", employeeHireDate="")
    assert 'is in the group "Sales", not in its training yet' in edited.sentence(edited.key("Sales 8"))


def test_other_letters_of_the_same_address_are_no_other_name(tmp_path: Path) -> None:
    edited = Edited(write_story(tmp_path / "story", [("left_never_sent", "leaver 6")]))
    edited.export("leaver 6", mail=str(edited.story.people["leaver 6"].email).upper())
    assert edited.causes("leaver 6") == {("left_still_active", "left_never_sent")}


def test_who_stands_in_a_row_that_cannot_be_read_is_not_lost(edited: Edited) -> None:
    edited.break_row("Sales 7")
    found = edited.audited()
    assert (found["coverage"]["lost"], found["coverage"]["cannot_tell"]) == (0, 1)
    unread = next(one for one in found["people"] if one["code"] == "lost_rejected_unreadable")
    said = edited.sentence(f"{unread['file']}:{unread['row']}")
    assert "nobody can tell" in said
    assert "is in no group" not in said


@pytest.mark.parametrize("undone", [False, True])
def test_what_was_undone_is_no_evidence_of_what_is_there_now(edited: Edited, tmp_path: Path, undone: bool) -> None:
    story, who = edited.story, edited.user("Sales 7")
    held = replace(load_state(story.state).snapshot, read_at="2026-11-24T08:00:00.000+00:00")
    _, plan = plan_for(read_export(story.exports[-2]), load_setting(story.setting), held, story.folder)
    plan.save(tmp_path / "plan.json")
    edited.state(members=lambda members: members.filter(pl.col("user_id") != who))
    member = json.dumps({"group": "Sales", "userResourceId": who})
    lines = [{"resourceId": at, "userName": "eve@example.com", "entityResourceId": who, "entityName": "TargetGroupUser",
              "oldValue": member if verb == "Delete" else None, "newValue": None if verb == "Delete" else member,
              "operation": verb, "logDate": f"2026-11-24T{at}:00Z"}
             for at, verb in (("12:00", "Delete"), ("13:00", "Create"))[: 1 + undone]]  # fmt: skip
    log = story.logs[2]
    log.write_text(json.dumps([*json.loads(log.read_text("utf-8")), *lines]), encoding="utf-8")
    found = edited.audited("--applied", tmp_path / "plan.json", "--exports", story.exports[-2])
    (drift,) = (one for one in found["questions"] if one["name"] == "drift")
    (row,) = (one for one in drift["rows"] if one["kind"] == "out_of_group")
    assert row["actor"] == (None if undone else "eve@example.com")


@pytest.mark.parametrize("attribute", ["costCenter", "department"])
def test_another_attribute_that_got_the_same_value_made_no_difference(
    edited: Edited, tmp_path: Path, attribute: str
) -> None:
    story, who = edited.story, edited.user("Sales 5")
    held = replace(load_state(story.state).snapshot, read_at="2026-11-24T08:00:00.000+00:00")
    _, plan = plan_for(read_export(story.exports[-2]), load_setting(story.setting), held, story.folder)
    plan.save(tmp_path / "plan.json")
    legal = pl.when(pl.col("id") == who).then(pl.lit("Legal")).otherwise("department")
    edited.state(users=lambda users: users.with_columns(department=legal))
    log = story.logs[2]
    old, new = (json.dumps({attribute: value, "id": who}) for value in ("Sales", "Legal"))
    line = {"resourceId": "logX", "userName": "eve@example.com", "entityResourceId": who, "entityName": "TargetUser",
            "oldValue": old, "newValue": new, "operation": "Update", "logDate": "2026-11-24T12:00:00Z"}  # fmt: skip
    log.write_text(json.dumps([*json.loads(log.read_text("utf-8")), line]), encoding="utf-8")
    found = edited.audited("--applied", tmp_path / "plan.json", "--exports", story.exports[-2])
    (drift,) = (one for one in found["questions"] if one["name"] == "drift")
    (row,) = (one for one in drift["rows"] if one["what"] == "department")
    assert (row["there"], row["actor"]) == ("Legal", "eve@example.com" if attribute == "department" else None)


@pytest.mark.parametrize(
    "values",
    [{"Leave_date": "2026-11-25"}, {"Hire_date": "2026-10-01", "Leave_date": "2025-03-31"}, {"Status": "On leave"}],
    ids=["today is the last day", "hired again", "a status nobody knows"],
)
def test_who_has_not_left_is_no_leaver(edited: Edited, values: dict[str, str]) -> None:
    edited.listed("Sales 7", **values)
    found = edited.audited("--people", edited.story.hr, "--period", "2026")
    assert "left_still_active" not in found["reconciled"]
    (joined,) = (one for one in found["questions"] if one["name"] == "joined_2026")
    assert all(not row["left"] for row in joined["rows"] if row["email"] == edited.story.people["Sales 7"].email)
    told = {one["code"]: one["message"] for one in found["findings"]}
    unknown = '1 person of the list has a status in the column "Status" that is not known, such as "On leave".'
    assert told.get("status_unknown") == (unknown if "Status" in values else None)


def test_a_day_in_another_form_is_read_or_said(edited: Edited) -> None:
    edited.listed("Sales 7", Leave_date="31.10.2026")
    more = ("--people", edited.story.hr)
    assert edited.audited(*more)["reconciled"]["left_still_active"] == 1
    edited.listed("Sales 7", Leave_date="10/31/2026")
    found = edited.audited(*more)
    assert "left_still_active" not in found["reconciled"]
    (told,) = (one for one in found["findings"] if one["code"] == "dates_unread")
    assert told["message"] == (
        '1 date in the column "Leave date" of hr.csv cannot be read, such as "10/31/2026".'
    )  # fmt: skip
    run(*words(edited.story, *more, "--fail-on", "dates_unread"), code=3)


def test_a_platform_that_was_read_long_before_the_export_is_said(edited: Edited) -> None:
    assert "old_state" not in {one["code"] for one in edited.audited()["findings"]}
    edited.state(read_at="2026-10-20T08:00:00+00:00")
    told = edited.audited()["findings"][0]
    assert (told["code"], told["level"]) == ("old_state", "error")
    assert "864 hours before the export was taken" in told["message"]


def test_nobody_left_where_a_part_of_the_export_is_missing(edited: Edited) -> None:
    def first_records(text: str) -> str:
        return "".join(text.splitlines(keepends=True)[:420])

    edited.rewrite(edited.story.exports[-1], first_records)
    found = edited.audited("--people", edited.story.hr)
    assert "left_still_active" not in found["reconciled"]
    assert found["reconciled"]["maybe_left"] > 100
    assert "not_in_idp" not in {one["cause"] for one in found["losses"]}
    (told,) = (one for one in found["findings"] if one["code"] == "many_absent")
    assert told["level"] == "error"


def test_a_log_of_another_application_is_said(edited: Edited) -> None:
    log = edited.story.logs[0]
    assert "log_other_application" not in {one["code"] for one in edited.audited()["findings"]}
    lines = json.loads(log.read_text("utf-8"))
    for number, one in enumerate(lines["value"]):
        one["targetIdentity"]["id"] = f"payroll-{number % 300}"
    log.write_text(json.dumps(lines), encoding="utf-8")
    told = next(one for one in edited.audited()["findings"] if one["code"] == "log_other_application")
    assert told["message"].startswith("Of the ids that 300 people have in ")


def test_the_same_events_in_another_format_are_said(edited: Edited, tmp_path: Path) -> None:
    log, more = edited.story.logs[0], tmp_path / "ProvisioningLogs.csv"
    assert "log_overlaps" not in {one["code"] for one in edited.audited()["findings"]}
    rows = [
        {"Date": one["activityDateTime"], "Action": one["provisioningAction"], "Source ID": one["sourceIdentity"]["id"],
         "Status": one["provisioningStatusInfo"]["status"], "Change ID": one["changeId"]}
        for one in json.loads(log.read_text("utf-8"))["value"]
    ]  # fmt: skip
    with more.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    told = [one["message"] for one in edited.audited("--log", more)["findings"] if one["code"] == "log_overlaps"]
    assert told == [f"ProvisioningLogs.csv tells events that {log.name} tells too."]


def test_the_silence_of_a_log_of_sign_ins_proves_nothing(tmp_path: Path) -> None:
    edited = Edited(write_story(tmp_path / "story", [("never_sent", "new 36")]))
    assert edited.causes("new 36") == {("lost_never_sent", "never_sent")}
    signed_in = {"eventType": "user.session.start", "outcome": {"result": "SUCCESS"}, "actor": {}}
    days = [f"2026-{month:02}-{day:02}T08:00:00.000Z" for month in (9, 10, 11) for day in range(1, 26)]
    log = tmp_path / "okta.json"
    log.write_text(json.dumps([signed_in | {"uuid": at, "published": at} for at in days]))
    edited.story = replace(edited.story, logs=[log])
    assert edited.causes("new 36") == {("lost_no_log", "no_log")}
    assert "log_no_provisioning" in {one["code"] for one in edited.audited()["findings"]}


def test_nothing_is_solved_because_nobody_looked(tmp_path: Path) -> None:
    faults = [("never_sent", "new 36"), ("left_refused", "leaver 5"), ("auto_enrol_off", "Human Resources"),
              ("value_stale", "Operations 6")]  # fmt: skip
    edited, kept = Edited(write_story(tmp_path / "story", faults)), ("--keep", tmp_path / "kept")
    first = edited.audited(*kept)
    count = len(first["people"])
    assert first["since_last"]["new"] == count

    def night(at: str, *more: str | Path, **changed: Any) -> dict[str, int]:
        edited.state(read_at=f"2026-11-25T{at}:00+00:00", **changed)
        found = edited.audited(*kept, *more)["since_last"]
        return {name: found[name] if isinstance(found[name], int) else len(found[name])
                for name in ("new", "still", "solved", "untold")}  # fmt: skip

    logs, edited.story = edited.story.logs, replace(edited.story, logs=[])
    assert night("08:10") == {"new": 0, "still": count, "solved": 0, "untold": 0}  # the causes are others: no log
    edited.story = replace(edited.story, logs=logs)
    held = load_state(edited.story.state)
    untrained = sum(one["code"] == "lost_auto_enrol_off" for one in first["people"])
    blind = night("08:20", enrolments=None)
    assert blind == {"new": 0, "still": count - untrained, "solved": 0, "untold": untrained}
    edited.break_row("Operations 6")
    broken = night("08:30", enrolments=held.enrolments)
    # the row that cannot be read, and who is on the platform in no row, are new; who stands in it is not solved
    assert broken == {"new": 2, "still": count - 1, "solved": 0, "untold": 1}
