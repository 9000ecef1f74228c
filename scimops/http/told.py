"""Errors on their way out: they say of which connection they are, and nothing of its secrets.

Texts of the other end may repeat what was sent to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from scimops.credentials import redact
from scimops.errors import IncompleteSourceError
from scimops.http.faults import PlatformError

LONGEST_TEXT = 600
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


@contextmanager
def told_here(where: str) -> Iterator[None]:
    """Errors say that they are of `where`, and are cleaned."""
    try:
        yield
    except (PlatformError, IncompleteSourceError) as error:
        error.where = error.where or where
        error.message = cleaned(error.message)
        error.args = (error.message,)
        raise


def cleaned(text: str) -> str:
    """`text` without secrets and control characters, and not too long."""
    text = _CONTROLS.sub(" ", redact(text))
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"
