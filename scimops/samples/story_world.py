"""The company of the story: who works there, what the identity provider, the platform and its enrolments hold.

:func:`make_world` builds one in which everything is right; the faults change it afterwards, files are written last.
A handle names a person for ever: `Sales 3` is the fourth of the long-standing people of the group Sales, `new 5` the
sixth newcomer since provisioning was switched on, `token 0` one of two days in November, `late 0` one of the last two
days, `leaver 2` the third who left, `minute 0` joined this morning, `ahead 0` will join, `stranger 0` was made by hand.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field, replace
from typing import Any

from scimops.samples.people import Person, synthetic_people

AUDITED = dt.datetime(2026, 11, 25, 8, 0, tzinfo=dt.UTC)
"""When the platform was read."""

STARTED = dt.datetime(2026, 9, 7, 8, 0, tzinfo=dt.UTC)
"""When provisioning was switched on; the logs begin then."""

TODAY = AUDITED.date()
SETTING, FALLBACK = "Acme Entra", "All Employees"
CYCLE = dt.timedelta(minutes=40)
OUTAGE = (dt.datetime(2026, 11, 10, tzinfo=dt.UTC), dt.datetime(2026, 11, 12, 7, 30, tzinfo=dt.UTC))
"""Two days in which the token may have expired; nobody but the people `token N` changes in them."""

ALIASES = {"R&D": "Engineering", "Research": "Engineering"}
DEPARTMENTS = {
    "Engineering": 90, "R&D": 20, "Research": 18, "Sales": 84, "Customer Support": 66, "Operations": 54,
    "Marketing": 44, "Information Technology": 40, "Finance": 34, "Human Resources": 28, "Legal": 24,
    "Procurement": 24, "Facilities": 24, "": 24,
}  # fmt: skip
BUSY = ("Engineering", "Sales", "Customer Support", "Operations", "Marketing", "Information Technology")
"""Departments in which people come, go and move; the others stay as they are, so that a whole group can be a fault."""

QUIET = 10
"""The first people of each group change nothing of themselves: they are for faults."""

TRAININGS = {
    "Secure Coding": ("Engineering", "Information Technology"),
    "Selling Safely": ("Sales", "Marketing", "Customer Support"),
}
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass
class Target:
    """A target user: `values` by the names of `snapshot_users`; `setting` is None for people made by hand."""

    id: str
    values: dict[str, str | None]
    group: str | None
    setting: str | None = SETTING
    active: bool = True


@dataclass
class Employee:
    """One account and its person. `past`: before that day these attributes of `person` had these values."""

    handle: str
    person: Person
    hired: dt.date
    created: dt.datetime
    left: dt.date | None = None
    removed: dt.date | None = None
    has_account: bool = True
    employed: bool = True
    hr_email: str = ""
    target: Target | None = None
    past: list[tuple[dt.date, dict[str, Any]]] = field(default_factory=list)

    @property
    def group(self) -> str:
        """The group that the rule gives."""
        return group_of(self.person.department)

    def on(self, day: dt.date) -> Person:
        """The account as it was on that day."""
        person = self.person
        for until, values in sorted(self.past, key=lambda one: one[0], reverse=True):
            if day < until:
                person = replace(person, **values)
        return person


@dataclass
class Sent:
    """One thing that the identity provider did, or tried to do, about somebody.

    `action`: Graph's provisioningAction. `status`: the platform's answer; None where its log has no line of it.
    `skip`: why the identity provider left it. `move`: the group before (none: made) and after,
    where the grouping value decided; who is not active any more keeps a membership that is hidden (design rule 9).
    """

    at: dt.datetime
    who: Employee
    action: str
    person: Person
    target_id: str | None = None
    outcome: str = "success"
    status: int | None = None
    detail: str = ""
    skip: str = ""
    changes: list[tuple[str, Any, Any]] = field(default_factory=list)
    move: tuple[str | None, str] | None = None


@dataclass
class Enrolment:
    """An enrolment, for groups by name, and the ids of the target users in its report."""

    id: str
    name: str
    groups: list[str]
    auto: bool = True
    seen: set[str] = field(default_factory=set)


@dataclass
class World:
    """Everything the files are written from."""

    seed: int
    draw: random.Random
    people: dict[str, Employee] = field(default_factory=dict)
    extra: dict[str, Target] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    audit: list[dict[str, Any]] = field(default_factory=list)
    enrolments: list[Enrolment] = field(default_factory=list)
    groups: dict[str, str] = field(default_factory=dict)
    by_hand: dict[str, str] = field(default_factory=dict)
    seats_are_full: bool = False
    token_expired: bool = False

    def new_id(self) -> str:
        """An id as the platform gives them."""
        return "".join(_LETTERS[int(self.draw.random() * len(_LETTERS))] for _ in range(12))

    def targets(self) -> list[Target]:
        """Everybody on the platform."""
        return [one.target for one in self.people.values() if one.target] + list(self.extra.values())

    def enrol(self, target: Target) -> None:
        """Put somebody into the reports of the enrolments of their group."""
        for enrolment in self.enrolments:
            enrolment.seen.discard(target.id)
            if enrolment.auto and target.group in enrolment.groups:
                enrolment.seen.add(target.id)

    def note(self, at: dt.datetime, operation: str, entity: str, entity_id: str, *, old: Any = None, new: Any = None,
             actor: str = "admin@example.com") -> None:  # fmt: skip
        """Add a line to the platform's audit log."""
        self.audit.append({"at": at, "operation": operation, "entity": entity, "id": entity_id, "old": old, "new": new,
                           "actor": actor})  # fmt: skip


def group_of(department: str) -> str:
    """The group that the setting gives to a department."""
    name = ALIASES.get(department, department).strip()
    return {"SALES": "Sales", "sales": "Sales", "": FALLBACK}.get(name, name)


def values_of(person: Person) -> dict[str, str | None]:
    """A person as the platform holds them once everything has arrived."""
    return {
        "externalId": person.object_id, "userName": person.user_name, "email": person.email,
        "firstName": person.first, "lastName": person.last, "department": person.department or None,
        "phone": person.phone, "Region": person.place.country,
    }  # fmt: skip


def cycle_after(moment: dt.datetime) -> dt.datetime:
    """When the identity provider's next cycle begins."""
    since = moment - STARTED
    return STARTED + (since // CYCLE + 1) * CYCLE


def working_day(first: dt.date, number: int) -> dt.date:
    """The `number`th working day from `first` on."""
    day = first
    while number or day.weekday() > 4:
        day += dt.timedelta(days=1)
        number = max(0, number - (day.weekday() < 5))
    return day


def make_world(seed: int, people: int) -> World:
    """The company of `people` in which everything is right, without what was sent (:mod:`story_history`)."""
    world = World(seed, random.Random(f"scimops story {seed}"))  # noqa: S311  # nothing here is a secret
    crowd = list(synthetic_people(people, seed, nasty=False))
    for person in crowd:
        person.active = True
    newcomers = _newcomers(crowd, people)
    _settled(world, crowd, people)
    for handle, (person, day, hour) in newcomers.items():
        _join(world, handle, person, day, hour)
    names = dict.fromkeys(group_of(name) for name in DEPARTMENTS)
    world.groups = {name: world.new_id() for name in names}
    world.by_hand = {"Board Members": world.new_id()}
    for one in world.people.values():
        if one.has_account and one.person.active and one.hired < TODAY:
            one.target = Target(world.new_id(), values_of(one.person), one.group)
    _strangers(world)
    _enrolments(world)
    return world


def _newcomers(crowd: list[Person], people: int) -> dict[str, tuple[Person, dt.date, int]]:
    """Who joined or joins since provisioning was switched on: the last of the crowd, with day and hour (UTC)."""
    days: dict[str, tuple[dt.date, int]] = {}
    count = max(24, people // 14)
    for number in range(count):  # until 6 November and from the 13th to the 20th
        day = working_day(dt.date(2026, 9, 9), number * 49 // count)
        days[f"new {number}"] = (day if day < dt.date(2026, 11, 9) else working_day(day, 4), 7)
    days |= {f"token {number}": (dt.date(2026, 11, 10 + number % 2), 8) for number in range(4)}
    days |= {f"late {number}": (dt.date(2026, 11, 23 + number // 3), 7 + number % 3) for number in range(6)}
    days |= {f"minute {number}": (TODAY, 7) for number in range(2)}
    days |= {f"ahead {number}": (dt.date(2026, 12, 1 + 6 * number), 7) for number in range(2)}
    found = {}
    for number, (handle, (day, hour)) in enumerate(days.items()):
        person = crowd.pop()
        person.department = BUSY[number % len(BUSY)]
        found[handle] = (person, day, hour)
    return found


def _settled(world: World, crowd: list[Person], people: int) -> None:
    """The long-standing people: those who left, and the rest by departments in fixed shares."""
    for number in range(max(12, people // 40)):
        person = crowd.pop()
        person.department = BUSY[number % len(BUSY)]
        _stand(world, f"leaver {number}", person)
    total = sum(DEPARTMENTS.values())
    names = [name for name, share in DEPARTMENTS.items() for _ in range(share * len(crowd) // total)]
    names += ["Engineering"] * (len(crowd) - len(names))
    counts: dict[str, int] = {}
    for person, name in zip(crowd, names, strict=True):
        group = group_of(name)
        number = counts.get(group, 0)
        counts[group] = number + 1
        # some spellings of one key (design rule 2); the first of the file keeps the plain one
        person.department = {12: "SALES", 13: "sales "}.get(number, name) if group == "Sales" else name
        _stand(world, f"{group} {number}", person)


def _stand(world: World, handle: str, person: Person) -> None:
    created = dt.datetime.fromisoformat(person.created)
    world.people[handle] = Employee(handle, person, created.date(), created, hr_email=person.email)


def _join(world: World, handle: str, person: Person, day: dt.date, hour: int) -> None:
    created = dt.datetime.combine(day, dt.time(hour, 25, 10), dt.UTC)
    one = Employee(handle, person, day, created, hr_email=person.email)
    if handle == "ahead 0":  # nobody has made an account yet
        one.has_account = False
    elif handle.startswith("ahead"):  # there is one, to be switched on on the first day
        one.created = dt.datetime(2026, 11, 20, 9, 12, 10, tzinfo=dt.UTC)
        person.active = False
    world.people[handle] = one


def _strangers(world: World) -> None:
    """People whom an administrator made by hand: no externalId, no userName, in a group of their own."""
    for number, name in enumerate(("Ada", "Bo", "Cleo", "Dov")):
        email = f"{name.lower()}.guest@board.example.org"
        values: dict[str, str | None] = {"email": email, "firstName": name, "lastName": "Guest"}
        target = Target(world.new_id(), values, "Board Members", setting=None)
        world.extra[f"stranger {number}"] = target
        made = STARTED + dt.timedelta(days=1, minutes=number)
        world.note(made, "Create", "TargetUser", target.id, new={"groups": [world.by_hand["Board Members"]]})


def _enrolments(world: World) -> None:
    """One enrolment of each group's own, and trainings for several groups at once; all with auto-enrol on."""
    plans = {f"Security Basics: {name}": [name] for name in world.groups}
    plans |= {name: list(groups) for name, groups in TRAININGS.items()}
    world.enrolments = [Enrolment(world.new_id(), name, groups) for name, groups in plans.items()]
    world.enrolments.append(Enrolment(world.new_id(), "Board Briefing", ["Board Members"], auto=False))
    for number, one in enumerate(world.enrolments):
        world.note(STARTED + dt.timedelta(hours=2, minutes=number), "Create", "Enrolment", one.id,
                   new={"name": one.name, "isAutoEnrollmentActive": one.auto})  # fmt: skip
    for target in world.targets():
        world.enrol(target)
