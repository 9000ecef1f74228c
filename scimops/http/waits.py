"""When to ask again: what `Retry-After` says, dates of HTTP, spans of time in words."""

from __future__ import annotations

import datetime as dt
import re
from email.utils import parsedate_to_datetime

from scimops.http.answers import Answer


def seconds_to_wait(answer: Answer) -> float | None:
    """What `Retry-After` says (RFC 9110 §10.2.3): seconds, or a date; None where it says nothing."""
    text = answer.retry_after.strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    until, now = date_of(text), date_of(answer.date) or dt.datetime.now(dt.UTC)
    return max((until - now).total_seconds(), 0.0) if until else None


def date_of(text: str) -> dt.datetime | None:
    """A date of HTTP (RFC 9110 §5.6.7); None where it is none."""
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def span(seconds: float) -> str:
    """`3 minutes`, `20 seconds`."""
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = round(seconds / size)
            return f"{count} {name}{'s' if count > 1 else ''}"
    return f"{seconds:.0f} seconds"
