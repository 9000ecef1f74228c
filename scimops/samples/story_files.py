"""The files of the story beside its logs: the setting, an export a day, the list of employees, the platform's state."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from scimops.audit.frames import ENROLLED, ENROLMENT_GROUPS, ENROLMENTS
from scimops.audit.state import State
from scimops.capabilities import Capabilities
from scimops.client.columns import MEMBERS, groups_frame, users_frame
from scimops.client.snapshot import make_snapshot
from scimops.frames import Schema, polars_types
from scimops.samples.story_world import ALIASES, AUDITED, FALLBACK, SETTING, TODAY, Employee, World
from scimops.samples.tables import CSV_FORMATS

EXPORT_DAYS = (
    dt.date(2026, 7, 31), dt.date(2026, 8, 31), dt.date(2026, 9, 30), dt.date(2026, 10, 31), dt.date(2026, 11, 24),
    TODAY,
)  # fmt: skip
"""The month ends of the quarter and since, yesterday and today."""

_EXPORTED = dt.time(7, 45)


def setting_text(seats: int) -> str:
    """The setting, as YAML."""
    aliases = "".join(f"    {value}: {group}\n" for value, group in ALIASES.items())
    return f"""\
# The setting of the story.
format: 1
name: {SETTING}
field_mappings:
  - attribute: 'addresses[type eq "work"].country'
    field: Region
group_settings:
  target_group: {FALLBACK}
  criterion:
    field: department
  aliases:
{aliases}allowed_domains:
  - example.com
  - example.org
seats: {seats}
scope:
  user_types: [Member]
"""


def seats(world: World) -> int:
    """Seats of the licence: as many as are taken where it is full, some more elsewhere."""
    taken = sum(target.active for target in world.targets())
    return taken if world.seats_are_full else taken + 25


def write_exports(world: World, folder: Path) -> tuple[Path, ...]:
    """`exports/DAY.csv` of each day, with the time of a quarter to eight (UTC) of that day."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for day in EXPORT_DAYS:
        taken = dt.datetime.combine(day, _EXPORTED, dt.UTC)
        rows = [_cells(one, day) for one in world.people.values() if _in_export(one, taken)]
        path = folder / f"{day}.csv"
        path.write_text(_csv(CSV_FORMATS["entra_download_users"].header.split(","), rows), "utf-8", newline="")
        os.utime(path, (taken.timestamp(), taken.timestamp()))
        paths.append(path)
    return tuple(paths)


def _in_export(one: Employee, taken: dt.datetime) -> bool:
    return one.has_account and one.created <= taken and (one.removed is None or taken.date() < one.removed)


def _cells(one: Employee, day: dt.date) -> list[str]:
    shape = CSV_FORMATS["entra_download_users"]
    cells = dict(zip(shape.header.split(","), shape.row(one.on(day)), strict=True))
    cells["createdDateTime"] = _us(one.created)
    cells["employeeHireDate"] = _us(dt.datetime.combine(one.hired, dt.time())) if one.employed else ""
    return list(cells.values())


def _us(moment: dt.datetime) -> str:
    hour = (moment.hour + 11) % 12 + 1
    half = "AM" if moment.hour < 12 else "PM"
    return f"{moment.month}/{moment.day}/{moment.year} {hour}:{moment.minute:02d}:{moment.second:02d} {half}"


def employees_text(world: World) -> str:
    """The list of employees: leavers with their last day, and people whose first day lies ahead."""
    header = ["Employee ID", "First name", "Last name", "E-mail", "Department", "Status", "Hire date", "Leave date"]
    rows = [
        [one.person.employee_number, one.person.first, one.person.last, one.hr_email, one.person.department.strip(),
         "Left" if one.left else "Active", str(one.hired), str(one.left or "")]
        for one in world.people.values() if one.employed
    ]  # fmt: skip
    return _csv(header, rows)


def _csv(header: list[str], rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *rows])
    return out.getvalue()


def state_of(world: World) -> State:
    """The platform as the embedded platform's management API shows it."""
    targets = world.targets()
    users = users_frame(
        [one.values | {"id": one.id, "active": one.active, "setting": one.setting,
                       "matched_by": "externalId" if one.values.get("externalId") else "email"} for one in targets],
        ["Region"],
    )  # fmt: skip
    own = [{"id": n, "name": name, "setting": SETTING, "editable": True} for name, n in world.groups.items()]
    by_hand = [{"id": n, "name": name, "setting": None, "editable": True} for name, n in world.by_hand.items()]
    ids = world.groups | world.by_hand
    pairs = [(ids[one.group], one.id) for one in targets if one.group and one.active]
    said = Capabilities("the embedded platform", rules=frozenset({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}),
                        limits={"settingName": 30, "groupName": 64, "department": 256}, own=True)  # fmt: skip
    snapshot = make_snapshot(
        users, groups_frame([*own, *by_hand]), pl.DataFrame(pairs, MEMBERS, orient="row"), source="management",
        where="story", read_at=AUDITED.isoformat(timespec="seconds"), capabilities=said, seats=seats(world),
        tokens=("entra",),
    )  # fmt: skip
    enrolments = [(one.id, one.name, one.auto, True) for one in world.enrolments]
    groups = [(one.id, ids[name]) for one in world.enrolments for name in one.groups]
    seen = [(one.id, user) for one in world.enrolments for user in sorted(one.seen)]
    return State(snapshot, _frame(enrolments, ENROLMENTS), _frame(groups, ENROLMENT_GROUPS), _frame(seen, ENROLLED))


def _frame(rows: Sequence[tuple[object, ...]], schema: Schema) -> pl.DataFrame:
    return pl.DataFrame(rows, polars_types(schema), orient="row")
