"""A task for Windows' Task Scheduler (schema "http://schemas.microsoft.com/windows/2004/02/mit/task", MS-TSCH 2.5)."""

from __future__ import annotations

import subprocess
from typing import Final
from xml.etree import ElementTree as ET  # written, never read

from scimops.errors import UsageError
from scimops.schedules.every import Rhythm
from scimops.schedules.task import Made, Task, refuse_letters

SCHEMA: Final = "http://schemas.microsoft.com/windows/2004/02/mit/task"
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def make(task: Task, rhythm: Rhythm) -> Made:
    """The task, in UTF-16, which `schtasks` reads.

    Raises:
        UsageError: a time zone other than UTC, or a path with a letter that Windows replaces.
    """
    if rhythm.zone not in ("", "UTC", "Etc/UTC"):
        raise UsageError("Task Scheduler runs by the computer's own time zone, or by UTC.", advice="Say one of these.")
    refuse_letters(task, '%$"', "Task Scheduler")
    ET.register_namespace("", SCHEMA)
    root = ET.Element(_tag("Task"), version="1.2")
    ET.SubElement(ET.SubElement(root, _tag("RegistrationInfo")), _tag("Description")).text = f"scimops {task.name}"
    _trigger(ET.SubElement(root, _tag("Triggers")), rhythm)
    principal = ET.SubElement(ET.SubElement(root, _tag("Principals")), _tag("Principal"), id="Author")
    _fill(principal, {"LogonType": "S4U", "RunLevel": "LeastPrivilege"})
    limit = f"PT{task.timeout + 120:.0f}S" if task.timeout else "PT0S"
    _fill(ET.SubElement(root, _tag("Settings")), {
        "MultipleInstancesPolicy": "IgnoreNew", "DisallowStartIfOnBatteries": "false",
        "StopIfGoingOnBatteries": "false", "StartWhenAvailable": "true", "ExecutionTimeLimit": limit,
    })  # fmt: skip
    action = ET.SubElement(ET.SubElement(root, _tag("Actions"), Context="Author"), _tag("Exec"))
    _fill(action, {"Command": task.program, "Arguments": subprocess.list2cmdline(task.words[1:])})
    ET.indent(root)
    text = f'<?xml version="1.0" encoding="UTF-16"?>\n{ET.tostring(root, encoding="unicode")}\n'
    file, name = f"{task.name}.xml", f"scimops\\{task.name}"
    notes = [
        "Catch-up: StartWhenAvailable. A run that was missed begins as soon as the computer is on.",
        f"Time zone: {rhythm.zone or 'that of the computer'}. It runs whether or not you are logged on; then Windows "
        "opens no keyring and no network drive of yours: use file: references.",
    ]  # fmt: skip
    notes += [f"Make it a variable of your account: setx {key} {value}" for key, value in task.environment.items()]
    return Made(
        {file: text.replace("\n", "\r\n").encode("utf-16")},
        (f"schtasks /Create /TN {name} /XML {file} (as administrator; /RU ACCOUNT for another account)",),
        (f"schtasks /Query /TN {name} /V /FO LIST", f"schtasks /Run /TN {name} (runs it now)"),
        (f"schtasks /Delete /TN {name}",),
        tuple(notes),
    )


def _trigger(triggers: ET.Element, rhythm: Rhythm) -> None:
    """The schema's order: StartBoundary, Repetition, and then the days."""
    trigger = ET.SubElement(triggers, _tag("CalendarTrigger"))
    utc = "Z" if rhythm.zone else ""
    _fill(trigger, {"StartBoundary": f"2025-01-01T{rhythm.hours[0]:02}:{rhythm.minutes[0]:02}:00{utc}"})
    if len(rhythm.minutes) * len(rhythm.hours) > 1:
        step = 60 // len(rhythm.minutes) if len(rhythm.minutes) > 1 else 24 * 60 // len(rhythm.hours)
        _fill(ET.SubElement(trigger, _tag("Repetition")), {"Interval": f"PT{step}M", "Duration": "P1D"})
    if len(rhythm.days) == 7:
        _fill(ET.SubElement(trigger, _tag("ScheduleByDay")), {"DaysInterval": "1"})
        return
    week = ET.SubElement(trigger, _tag("ScheduleByWeek"))
    _fill(week, {"WeeksInterval": "1"})
    days = ET.SubElement(week, _tag("DaysOfWeek"))
    for day in rhythm.days:
        ET.SubElement(days, _tag(_DAYS[day]))


def _fill(parent: ET.Element, values: dict[str, str]) -> None:
    for name, value in values.items():
        ET.SubElement(parent, _tag(name)).text = value


def _tag(name: str) -> str:
    return f"{{{SCHEMA}}}{name}"
