"""What can go wrong on the platform: people deleted or moved by hand, values that never came, trainings that end."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from scimops.samples.story_history import DEPARTMENT, created, evening, send_create, send_disable, there, vanish
from scimops.samples.story_world import BUSY, FALLBACK, Employee, Target, World, values_of


def _at(day: int, hour: int = 14, minute: int = 20) -> dt.datetime:
    return dt.datetime(2026, 11, day, hour, minute, 5, tzinfo=dt.UTC)


def plant_deleted_there(world: World, who: str) -> None:
    """An administrator deleted the target user."""
    one = world.people[who]
    target = there(one)
    world.note(_at(18), "Delete", "TargetUser", target.id, old={"email": target.values["email"]})
    vanish(world, one)


def plant_deactivated_by_hand(world: World, who: str) -> None:
    """An administrator made the target user inactive."""
    target = there(world.people[who])
    world.note(_at(17), "Update", "TargetUser", target.id, old={"status": "Active"}, new={"status": "InActive"})
    target.active, target.group = False, None


def plant_deactivated_by_idp(world: World, who: str) -> None:
    """The account was off for two days; the platform was told of its end and not of its return."""
    one = world.people[who]
    send_disable(world, one, _at(17, 16, 0))
    one.past += [(dt.date(2026, 11, 19), {"active": False}), (dt.date(2026, 11, 17), {"active": True})]


def plant_group_deleted(world: World, who: str) -> None:
    """An administrator deleted the group; nobody of it was sent since, so it did not come back."""
    group_id = world.groups.pop(who)
    world.note(_at(24, 15), "Delete", "TargetGroup", group_id, old={"name": who})
    for target in world.targets():
        if target.group == who:
            target.group = None
    for enrolment in world.enrolments:
        enrolment.groups = [name for name in enrolment.groups if name != who]


def plant_moved_by_hand(world: World, who: str) -> None:
    """An administrator took the person out of the group."""
    target = there(world.people[who])
    old = {"group": target.group, "userResourceId": target.id, "email": target.values["email"]}
    world.note(_at(19), "Delete", "TargetGroupUser", world.groups[target.group or ""], old=old)
    target.group = None


def plant_value_not_sent(world: World, who: str) -> None:
    """The department never came: the person was made without it and landed in the fallback."""
    one = world.people[who]
    target = there(one)
    target.values["department"], target.group = None, FALLBACK
    world.enrol(target)
    for sent in world.sent:
        if sent.who is one and sent.action == "create":
            sent.changes = [change for change in sent.changes if change[0] != DEPARTMENT]
            sent.move = (None, FALLBACK)


def plant_value_stale(world: World, who: str) -> None:
    """The account has another department since 12 November, and it was not sent."""
    one = world.people[who]
    _unsent_department(one, BUSY[(BUSY.index(one.group) + 2) % len(BUSY)], dt.date(2026, 11, 12))


def plant_null_not_sent(world: World, who: str) -> None:
    """The department was emptied on 13 November, which this identity provider never sends."""
    _unsent_department(world.people[who], "", dt.date(2026, 11, 13))


def _unsent_department(one: Employee, department: str, day: dt.date) -> None:
    one.past.append((day, {"department": one.person.department}))
    one.person = replace(one.person, department=department)


def plant_no_enrolment(world: World, who: str) -> None:
    """Nobody ever made an enrolment for the group."""
    gone = [enrolment for enrolment in world.enrolments if enrolment.groups == [who]]
    world.enrolments = [enrolment for enrolment in world.enrolments if enrolment not in gone]
    world.audit = [line for line in world.audit if line["id"] not in {enrolment.id for enrolment in gone}]
    for enrolment in world.enrolments:
        if who in enrolment.groups:
            enrolment.groups.remove(who)
            enrolment.seen -= {target.id for target in world.targets() if target.group == who}


def plant_auto_enrol_off(world: World, who: str) -> None:
    """Auto-enrol of the group's enrolments was switched off; who was enrolled stays so."""
    for enrolment in world.enrolments:
        if who in enrolment.groups:
            enrolment.auto = False
            world.note(_at(16), "Update", "Enrolment", enrolment.id,
                       old={"name": enrolment.name, "isAutoEnrollmentActive": True},
                       new={"name": enrolment.name, "isAutoEnrollmentActive": False})  # fmt: skip


def plant_not_in_report(world: World, who: str) -> None:
    """In the group and expected, and in no report."""
    target = there(world.people[who])
    for enrolment in world.enrolments:
        enrolment.seen.discard(target.id)


def plant_duplicate_there(world: World, who: str) -> None:
    """The account was deleted and made anew on 8 October, in other case, and came as a second person."""
    one, day = world.people[who], dt.date(2026, 10, 8)
    name = one.person.user_name.title()
    before = replace(one.person, key=one.person.key ^ 0xDD, user_name=name, email=name)
    twin = Target(world.new_id(), values_of(before), there(one).group)
    world.extra[f"{who} twin"] = twin
    world.enrol(twin)
    one.past.append((day, {"key": before.key, "user_name": name, "email": name}))
    for sent in world.sent:
        if sent.who is one and sent.action == "create":
            sent.person, sent.target_id, sent.changes = before, twin.id, created(before)
    send_create(world, one, evening(day))
