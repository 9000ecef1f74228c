"""What happened in the weeks of the story, in which everything is right: people come, change, move and leave."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from scimops.attributes import ENTERPRISE
from scimops.samples.people import Person
from scimops.samples.story_world import (
    AUDITED,
    BUSY,
    CYCLE,
    FALLBACK,
    OUTAGE,
    QUIET,
    SETTING,
    STARTED,
    TODAY,
    Employee,
    Sent,
    Target,
    World,
    cycle_after,
    values_of,
)  # fmt: skip

DEPARTMENT = f"{ENTERPRISE}:department"
_PATHS = {
    "externalId": "externalId", "userName": "userName", "email": 'emails[type eq "work"].value',
    "firstName": "name.givenName", "lastName": "name.familyName", "department": DEPARTMENT,
    "phone": 'phoneNumbers[type eq "work"].value', "Region": 'addresses[type eq "work"].country',
}  # fmt: skip
_HEARTBEAT = dt.timedelta(hours=2)


def live_through(world: World) -> None:
    """Write the history of `world`: the first cycle, newcomers, leavers, moves, new names, and what changed nothing."""
    world.note(STARTED - dt.timedelta(minutes=30), "Create", "ScimSetting", world.new_id(), new={"name": SETTING})
    everybody = list(world.people.values())
    for number, one in enumerate(one for one in everybody if one.target and one.created < STARTED):
        send_create(world, one, STARTED + dt.timedelta(milliseconds=1400 * number))
    for one in everybody:
        if one.target and one.created >= STARTED:
            send_create(world, one, cycle_after(one.created) + dt.timedelta(seconds=20))
    leavers = [one for one in everybody if one.handle.startswith("leaver")]
    for number, one in enumerate(leavers):
        leave(world, one, dt.date(2026, 9, 18) + dt.timedelta(days=number * 62 // len(leavers)))
        if number < 3:
            _remove(world, one)
    changing = {name: _last_of(world, name) for name in BUSY}
    for number, name in enumerate(BUSY):
        day = dt.date(2026, 10, 5) + dt.timedelta(days=4 * number)
        change(world, changing[name][-1], day, department=BUSY[(number + 1) % len(BUSY)])
        _marry(world, changing[name][-2], day + dt.timedelta(days=1))
    _idle(world, [one for name in BUSY for one in changing[name][QUIET:-2]])


def _idle(world: World, calm: list[Employee]) -> None:
    """What changes nothing: accounts looked at again every two hours, a report taken on every working day."""
    at, number = STARTED + _HEARTBEAT, 0
    while at <= AUDITED:  # the logs are read after the platform: the last line is of the cycle that begins then
        one = calm[int(world.draw.random() * len(calm))]
        moment = at + dt.timedelta(seconds=5 + number % 30)
        target_id = one.target.id if one.target else None
        world.sent.append(
            Sent(moment, one, "update", one.on(at.date()), target_id, "skipped", 200, skip="RedundantExport")
        )
        at, number = at + _HEARTBEAT, number + 1
    morning = STARTED + dt.timedelta(days=1, hours=1, minutes=10)
    while morning <= AUDITED:
        if morning.weekday() < 5:
            report = world.enrolments[morning.toordinal() % len(world.enrolments)]
            world.note(morning, "Export", "TrainingReport", report.id, actor="trainer@example.com")
        morning += dt.timedelta(days=1)


def send_create(world: World, one: Employee, at: dt.datetime) -> None:
    """`one` arrived: the target user was made at `at`, as the account was then."""
    target = there(one)
    world.sent.append(Sent(at, one, "create", one.person, target.id, "success", 201, changes=created(one.person),
                           move=(None, target.group or FALLBACK)))  # fmt: skip


def there(one: Employee) -> Target:
    """The target user of somebody who has one."""
    if one.target is None:
        raise ValueError(f"{one.handle} is not on the platform of this story")
    return one.target


def created(person: Person) -> list[tuple[str, Any, Any]]:
    """What is sent of somebody new."""
    values = values_of(person)
    return [(_PATHS[name], None, value) for name, value in values.items() if value] + [("active", None, True)]


def send_disable(world: World, one: Employee, at: dt.datetime) -> None:
    """The account was switched off, and so was the target user."""
    target = there(one)
    world.sent.append(Sent(at, one, "disable", replace(one.person, active=False), target.id, "success", 204,
                           changes=[("active", True, False)]))  # fmt: skip
    target.active, target.group = False, None


def evening(day: dt.date) -> dt.datetime:
    """When the cycle after office hours runs."""
    return cycle_after(dt.datetime.combine(day, dt.time(17, 5), dt.UTC)) + dt.timedelta(seconds=40)


def leave(world: World, one: Employee, day: dt.date) -> None:
    """`day` was the last day: the account was switched off in the evening."""
    if day == OUTAGE[0].date() or day == OUTAGE[0].date() + dt.timedelta(days=1):
        day = OUTAGE[1].date()
    one.left = day
    one.past.append((day, {"active": True}))
    one.person = replace(one.person, active=False)
    send_disable(world, one, evening(day))


def _remove(world: World, one: Employee) -> None:
    """The account was deleted thirty days after the last day, and the target user with it."""
    one.removed = (one.left or TODAY) + dt.timedelta(days=30)
    world.sent.append(Sent(evening(one.removed), one, "delete", one.person, there(one).id, "success", 204))
    vanish(world, one)


def vanish(world: World, one: Employee) -> None:
    """There is no target user of theirs any more, in no report either."""
    for enrolment in world.enrolments:
        enrolment.seen.discard(there(one).id)
    one.target = None


def _last_of(world: World, group: str) -> list[Employee]:
    return [one for handle, one in world.people.items() if handle.rpartition(" ")[0] == group]


def change(world: World, one: Employee, day: dt.date, **values: Any) -> None:
    """The account has these values from `day` on, and they were sent."""
    before = one.person
    one.past.append((day, {name: getattr(before, name) for name in values}))
    old_group = one.group
    one.person = replace(before, **values)
    target = there(one)
    told = values_of(one.person)
    changes = [(_PATHS[name], target.values.get(name), value) for name, value in told.items()
               if target.values.get(name) != value]  # fmt: skip
    target.values = told
    move = (old_group, one.group) if one.group != old_group else None
    world.sent.append(Sent(evening(day), one, "update", one.person, target.id, "success", 204, changes=changes,
                           move=move))  # fmt: skip
    if move:
        target.group = one.group
        world.enrol(target)


def _marry(world: World, one: Employee, day: dt.date) -> None:
    """A new family name, and with it another userName and e-mail address: the same person (design rule 11)."""
    name, _, domain = one.person.user_name.partition("@")
    address = f"{name}-berg@{domain}"
    change(world, one, day, last=f"{one.person.last}-Berg", user_name=address, email=address)
    one.hr_email = address


def forget(world: World, one: Employee) -> None:
    """`one` never came to be on the platform, and nothing was sent of them."""
    if one.target is not None:
        vanish(world, one)
    world.sent = [sent for sent in world.sent if sent.who is not one]


_TRIES = [dt.timedelta(0), CYCLE, 2 * CYCLE, 6 * CYCLE, dt.timedelta(days=1)]


def refuse(
    world: World, one: Employee, status: int, detail: str, *, until: dt.datetime = AUDITED, on_wire: bool = True
) -> None:
    """Every try to make `one` failed: at once, in later cycles, then every second day until `until`."""
    forget(world, one)
    first = cycle_after(max(one.created, STARTED)) + dt.timedelta(seconds=20)
    later = [dt.timedelta(days=days) for days in range(3, (TODAY - one.created.date()).days + 1, 2)]
    for pause in [*_TRIES, *later]:
        if first + pause < until:
            world.sent.append(Sent(
                first + pause, one, "create", one.person, None, "failure", status if on_wire else None,
                f"{status} {detail}", changes=created(one.person),
            ))  # fmt: skip
