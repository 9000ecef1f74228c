"""The rhythm of a schedule: how often, at which time of which days, in whose time."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from scimops.errors import UsageError, nearest

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The days of the week as `--on` names them, Monday first."""

_WORDS: Final = {"hour": "1h", "day": "24h", "week": "7d", "1d": "24h", "1w": "7d"}
_EXAMPLES: Final = "15m, hour, 6h, day, week"
_NIGHT: Final = (4, 15)
"""When a day's run begins where nothing is said: summer time begins and ends before, in nearly every country."""


@dataclass(frozen=True)
class Rhythm:
    """Each of `minutes` of each of `hours` on each of `days` (0 is Monday); `zone` is empty for the computer's own."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    zone: str = ""

    @property
    def cron(self) -> str:
        """The five fields of a crontab's line, where Sunday is 0."""
        days = sorted((day + 1) % 7 for day in self.days)
        return f"{_listed(self.minutes, 60)} {_listed(self.hours, 24)} * * {_listed(days, 7)}"

    @property
    def overdue(self) -> str:
        """The span for `runs overdue`: the longest time between two starts, and up to an hour."""
        week = 7 * 24 * 60
        starts = sorted(day * 1440 + hour * 60 + minute
                        for day in self.days for hour in self.hours for minute in self.minutes)  # fmt: skip
        gaps = [after - before for before, after in zip(starts, [*starts[1:], starts[0] + week], strict=True)]
        return f"{max(gaps) // 60 + 1}h"

    def clock_changes(self, year: int) -> list[str]:
        """What happens to a run at one time of the day where the clocks of `zone` are changed in `year`."""
        if not self.zone or len(self.hours) > 1:
            return []
        found, day = [], dt.datetime(year, 1, 1, self.hours[0], self.minutes[0])
        zone = ZoneInfo(self.zone)
        while day.year == year:
            here = day.replace(tzinfo=zone)
            if here.astimezone(dt.UTC).astimezone(zone).replace(tzinfo=None) != day:
                found.append(f"On {day:%Y-%m-%d} there is no {day:%H:%M} in {self.zone}.")
            elif here.utcoffset() != here.replace(fold=1).utcoffset():
                found.append(f"On {day:%Y-%m-%d} {day:%H:%M} comes twice in {self.zone}.")
            day += dt.timedelta(days=1)
        return found


def read_rhythm(every: str, at: str = "", on: str = "", zone: str = "") -> Rhythm:
    """The rhythm of `--every`, `--at`, `--on` and `--time-zone`.

    Raises:
        UsageError: one of them is not understood, or cannot be had.
    """
    if zone and zone not in available_timezones():
        near = nearest(zone, available_timezones())
        raise UsageError(f'There is no time zone "{zone}".', advice=near or "Such as Europe/Berlin, or UTC.")
    found = re.fullmatch(r"([1-9]\d{0,2})([mhd])", _WORDS.get(every, every))
    number, unit = (int(found[1]), found[2]) if found else (0, "")
    days = _days(on)
    if unit == "m" and number < 60 and 60 % number == 0:
        if at:
            raise UsageError("--at is for schedules of hours, days and weeks.", advice="Leave it out.")
        return Rhythm(tuple(range(0, 60, number)), tuple(range(24)), days, zone)
    if (unit == "h" and number < 24 and 24 % number == 0) or (number, unit) == (60, "m"):
        hour, minute = _time(at, (0, 0))
        step = 1 if unit == "m" else number
        return Rhythm((minute,), tuple(range(hour % step, 24, step)), days, zone)
    if (number, unit) in ((24, "h"), (7, "d")):
        hour, minute = _time(at, _NIGHT)
        return Rhythm((minute,), (hour,), days if on or unit == "h" else (0,), zone)
    advice = f"Say {_EXAMPLES}. Minutes must divide an hour, hours a day, so that each day is alike."
    raise UsageError(f'"{every}" is no rhythm that every scheduler keeps.', advice=advice)


def _time(at: str, otherwise: tuple[int, int]) -> tuple[int, int]:
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", at or f"{otherwise[0]}:{otherwise[1]:02}")
    if not found:
        raise UsageError(f'--at is "{at}", no time of the day.', advice="Such as 02:30 or 23:00.")
    return int(found[1]), int(found[2])


def _days(on: str) -> tuple[int, ...]:
    words = [word.strip().lower()[:3] for word in on.split(",")] if on else list(DAYS)
    for word in words:
        if word not in DAYS:
            raise UsageError(f'--on names "{word}", no day.', advice=f"Such as mon or mon,thu: {', '.join(DAYS)}.")
    return tuple(sorted({DAYS.index(word) for word in words}))


def _listed(numbers: tuple[int, ...] | list[int], whole: int) -> str:
    return "*" if len(numbers) == whole else ",".join(map(str, numbers))
