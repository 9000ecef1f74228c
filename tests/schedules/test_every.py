"""Rhythms: what is understood, what it means in cron's fields, and what is refused."""

from __future__ import annotations

import pytest

from scimops.errors import UsageError
from scimops.schedules.every import read_rhythm
from scimops.schedules.task import task_name


@pytest.mark.parametrize(
    ("every", "at", "on", "cron", "overdue"),
    [
        ("day", "02:30", "", "30 2 * * *", "25h"),
        ("day", "", "", "15 4 * * *", "25h"),
        ("24h", "23:05", "", "5 23 * * *", "25h"),
        ("day", "2:30", "mon,tue,wed,thu,fri", "30 2 * * 1,2,3,4,5", "73h"),
        ("week", "02:30", "", "30 2 * * 1", "169h"),
        ("7d", "02:30", "Sunday", "30 2 * * 0", "169h"),
        ("hour", "", "", "0 * * * *", "2h"),
        ("1h", "00:20", "", "20 * * * *", "2h"),
        ("60m", "", "", "0 * * * *", "2h"),
        ("6h", "03:10", "", "10 3,9,15,21 * * *", "7h"),
        ("12h", "13:00", "sat,sun", "0 1,13 * * 0,6", "133h"),
        ("15m", "", "", "0,15,30,45 * * * *", "1h"),
        ("1m", "", "", "* * * * *", "1h"),
    ],
)
def test_a_rhythm_in_crons_fields(every: str, at: str, on: str, cron: str, overdue: str) -> None:
    rhythm = read_rhythm(every, at, on)
    assert (rhythm.cron, rhythm.overdue) == (cron, overdue)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("fortnight",), '"fortnight" is no rhythm'),
        (("7m",), "Minutes must divide an hour"),
        (("0m",), "no rhythm"),
        (("5h",), "no rhythm"),
        (("2d",), "no rhythm"),
        (("",), "no rhythm"),
        (("15m", "02:30"), "--at is for schedules of hours"),
        (("day", "24:00"), '--at is "24:00", no time of the day. Such as 02:30'),
        (("day", "2.30"), "no time of the day"),
        (("day", "", "mon,"), "no day"),
        (("week", "", "noday"), '"noday"'.replace("noday", "nod")),
        (("day", "", "", "Europe/Berln"), 'Did you mean "Europe/Berlin"?'),
    ],
)
def test_what_is_refused(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_rhythm(*words)
    assert said in str(caught.value)


def test_the_nights_when_the_clocks_are_changed_are_named() -> None:
    assert read_rhythm("day", "02:30", "", "Europe/Berlin").clock_changes(2027) == [
        "On 2027-03-28 there is no 02:30 in Europe/Berlin.",
        "On 2027-10-31 02:30 comes twice in Europe/Berlin.",
    ]
    assert read_rhythm("day", "", "", "Europe/Berlin").clock_changes(2027) == []
    assert read_rhythm("day", "02:30", "", "Europe/Istanbul").clock_changes(2027) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [("02_preview_groups", "02-preview-groups"), ("Nächtlich 50%", "nachtlich-50"), ("日本", "notebook"),
     ("a" * 39 + "-b", "a" * 39)],
)  # fmt: skip
def test_a_name_for_every_scheduler(text: str, name: str) -> None:
    assert task_name(text) == name
