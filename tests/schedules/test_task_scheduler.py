"""The task for Windows: elements, their order and their values as the schema of MS-TSCH (2.5) has them.

No Windows was at hand; the schema's sequences are written out here (in it, `all` is free of order).
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from scheduling import HOSTILE, Scheduled

SEQUENCES = {
    "CalendarTrigger": ("Enabled", "StartBoundary", "EndBoundary", "Repetition", "ExecutionTimeLimit", "RandomDelay",
                        "ScheduleByDay", "ScheduleByWeek"),
    "Exec": ("Command", "Arguments", "WorkingDirectory"),
}  # fmt: skip
PARTS = {
    "Task": {"RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"},
    "Repetition": {"Interval", "Duration", "StopAtDurationEnd"},
    "Principal": {"UserId", "LogonType", "RunLevel"},
    "Settings": {"MultipleInstancesPolicy", "DisallowStartIfOnBatteries", "StopIfGoingOnBatteries",
                 "StartWhenAvailable", "ExecutionTimeLimit"},
    "ScheduleByDay": {"DaysInterval"}, "ScheduleByWeek": {"WeeksInterval", "DaysOfWeek"},
}  # fmt: skip
NAMESPACE = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


def read(path: Path) -> ET.Element:
    assert path.read_bytes().startswith(b"\xff\xfe")  # UTF-16, as Windows itself writes and reads it
    root = ET.fromstring(path.read_bytes().decode("utf-16").split("\r\n", 1)[1])
    for element in root.iter():
        assert element.tag.startswith(NAMESPACE)
        element.tag = element.tag.removeprefix(NAMESPACE)
    return root


@pytest.mark.parametrize(
    ("words", "start", "repetition", "days"),
    [
        (("--every", "day", "--at", "02:30"), "2025-01-01T02:30:00", [], []),
        (("--every", "day", "--at", "02:30", "--time-zone", "UTC"), "2025-01-01T02:30:00Z", [], []),
        (("--every", "week", "--at", "02:30", "--on", "sun,mon"), "2025-01-01T02:30:00", [], ["Monday", "Sunday"]),
        (("--every", "15m"), "2025-01-01T00:00:00", ["PT15M", "P1D"], []),
        (("--every", "6h", "--at", "01:10", "--on", "tue"), "2025-01-01T01:10:00", ["PT360M", "P1D"], ["Tuesday"]),
    ],
)
def test_the_task_is_as_its_schema_has_it(
    schedule: Scheduled, tmp_path: Path, words: tuple[str, ...], start: str, repetition: list[str], days: list[str]
) -> None:
    schedule("--as", "taskscheduler", *words, "-p", "who", HOSTILE, "--timeout", "600", out=tmp_path / "night & <é>")
    root = read(tmp_path / "night & <é>" / "night-e.xml")
    assert root.attrib == {"version": "1.2"}
    for element in root.iter():
        children = [child.tag for child in element]
        if element.tag in SEQUENCES:
            assert children == [tag for tag in SEQUENCES[element.tag] if tag in children]
        if element.tag in PARTS:
            assert set(children) <= PARTS[element.tag]
            assert len(children) == len(set(children))
    assert root.findtext(".//StartBoundary") == start
    assert [part.text for part in root.findall(".//Repetition/*")] == repetition
    assert [day.tag for day in root.findall(".//DaysOfWeek/*")] == days
    assert root.findtext(".//StartWhenAvailable") == "true"
    assert root.findtext(".//MultipleInstancesPolicy") == "IgnoreNew"
    arguments = root.findtext(".//Arguments") or ""
    assert f'"{tmp_path / "night & <é>" / "parameters.yaml"}"' in arguments
    assert "pwned" not in arguments


def test_what_task_scheduler_cannot_do_is_said(schedule: Scheduled, tmp_path: Path) -> None:
    words = ("--as", "taskscheduler", "--every", "day")
    assert "cannot be given a path with '%'" in schedule(*words, code=2).stderr
    assert "or by UTC" in schedule(*words, "--time-zone", "Europe/Berlin", code=2).stderr
