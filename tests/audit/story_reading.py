"""Reads the story's files: both sides matched, the logs replayed, what all files say of each person."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from typing import Any

from scimops.audit.people import Met, meet
from scimops.audit.state import State, load_state
from scimops.idp import read_export
from scimops.preview import preview_export
from scimops.samples.story import Story
from scimops.samples.story_world import OUTAGE
from scimops.setting import load_setting


def met_of(story: Story) -> tuple[Met, State]:
    state = load_state(story.state)
    preview = preview_export(read_export(story.exports[-1]), load_setting(story.setting))
    return meet(preview, state.snapshot), state


def groups_there(state: State) -> dict[str, list[str]]:
    """The groups of each target user, by name."""
    names = dict(state.snapshot.groups.select("id", "name").iter_rows())
    found: dict[str, list[str]] = defaultdict(list)
    for group, user in state.snapshot.members.select("group_id", "user_id").iter_rows():
        found[user].append(names[group])
    return found


def replayed(story: Story) -> dict[str, dict[str, Any]]:
    """The people whom the setting made, as the provisioning log and the audit log leave them."""
    lines = [json.loads(line) for line in story.logs[1].read_text("utf-8").splitlines()]
    lines += [line | {"at": line["logDate"]} for line in json.loads(story.logs[2].read_text("utf-8"))]
    people: dict[str, dict[str, Any]] = {}
    for line in sorted(lines, key=lambda line: str(line["at"]).removesuffix("Z")):
        if "logDate" in line:
            _by_hand(people, line)
        elif line["status"] < 400 and line["operation"] in ("create", "patch", "delete"):
            _by_request(people, line)
    return {user: person | {"active": person["active"] == "true"} for user, person in people.items()}


def _by_request(people: dict[str, dict[str, Any]], line: dict[str, Any]) -> None:
    user = line["resource_id"]
    if line["operation"] == "delete":
        people.pop(user)
        return
    if line["operation"] == "create":
        assert user not in people
        people[user] = {"active": None, "group": None, "department": None, "userName": None}
    for change in line["changes"]:
        name = change["attribute"].rpartition(":")[2]
        if name in people[user]:
            assert people[user][name] == change["old"], line
            people[user][name] = change["new"]
            if (name, change["new"]) == ("active", "false"):
                people[user]["group"] = None
    for move in line["moves"]:
        assert people[move["user"]]["group"] == move["before"], line
        people[move["user"]]["group"] = move["after"]


def _by_hand(people: dict[str, dict[str, Any]], line: dict[str, Any]) -> None:
    operation, entity, user = line["operation"], line["entityName"], line["entityResourceId"]
    if (operation, entity) == ("Delete", "TargetUser"):
        people.pop(user)
    elif (operation, entity) == ("Update", "TargetUser"):
        people[user] |= {"active": "false", "group": None}
    elif (operation, entity) == ("Delete", "TargetGroupUser"):
        people[json.loads(line["oldValue"])["userResourceId"]]["group"] = None
    elif (operation, entity) == ("Delete", "TargetGroup"):
        for person in people.values():
            person["group"] = None if person["group"] == json.loads(line["oldValue"])["name"] else person["group"]


def fingerprints(story: Story, handles: dict[str, str]) -> dict[str, list[Any]]:
    """What all files say of each handle, by externalId or employee's number; times of the outage left out."""
    told: dict[str, list[Any]] = defaultdict(list)
    for path in story.exports:
        for row in csv.DictReader(path.open(encoding="utf-8")):
            if row["id"] in handles:
                told[handles[row["id"]]].append((path.name, row))
    for row in csv.DictReader(story.hr.open(encoding="utf-8")):
        told[handles[row["Employee ID"]]].append(row)
    state = load_state(story.state)
    there = groups_there(state)
    assert state.enrolments is not None
    auto = {one: name for one, name, on, _ in state.enrolments.iter_rows() if on}
    groups = dict(state.snapshot.groups.select("name", "id").iter_rows())
    offered: dict[str, set[str]] = defaultdict(set)
    for enrolment, group in state.enrolment_groups.iter_rows():
        offered[group] |= {enrolment} & auto.keys()
    reports = set(state.enrolled.iter_rows())
    for user in state.snapshot.users.iter_rows(named=True):
        if user["externalId"] in handles:
            held = there[user["id"]]
            due = {one for name in held for one in offered[groups[name]]}
            told[handles[user["externalId"]]].append(
                (user, held, {auto[one]: (one, user["id"]) in reports for one in due})
            )
    for record in json.loads(story.logs[0].read_text("utf-8"))["value"]:
        key, at = record["sourceIdentity"]["id"], record["activityDateTime"]
        if key in handles and not f"{OUTAGE[0]:%Y-%m-%dT%H}" <= at < f"{OUTAGE[1]:%Y-%m-%dT%H:%M}":
            parts = ("activityDateTime", "provisioningAction", "provisioningStatusInfo", "modifiedProperties")
            told[handles[key]].append([record[part] for part in parts])
    return told
