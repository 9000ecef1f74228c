"""What can go wrong, in words an admin understands; findings, which are no errors, are in :mod:`scimops.findings`.

The tree of errors (the number is the command's exit code)::

    ScimopsError 1
    ├── UsageError 2            a wrong option, parameter or name
    │   └── SettingError 2      a wrong setting: line, key, what is allowed
    ├── SourceError 1           a file that cannot be read as an export
    │   └── ShapeTieError 2     two shapes fit the file equally well
    ├── IncompleteSourceError 5 a file, or a list on the platform, that was not read whole
    └── PlatformError 1         the platform, or the way to it: its own tree in scimops.http.faults
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from scimops.findings import CATALOGUE, LEVELS, ROW_NUMBERS_KEPT, Code, Finding, Level, finding, people

__all__ = [
    "CATALOGUE", "LEVELS", "ROW_NUMBERS_KEPT", "Code", "Finding", "IncompleteSourceError", "Level", "ScimopsError",
    "SettingError", "ShapeTieError", "SourceError", "UsageError", "finding", "nearest", "people",
]  # fmt: skip


class ScimopsError(Exception):
    """The root of all errors that scimops raises on purpose: what was wrong, where, what to do."""

    exit_code = 1

    def __init__(self, message: str, *, advice: str = "", where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.where = where

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows (IPython's protocol): the message, no traceback."""
        return [f"{type(self).__name__}: {self}"]

    def __str__(self) -> str:
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head} {self.advice}".strip()


class UsageError(ScimopsError):
    """A wrong option, parameter or name."""

    exit_code = 2


class SettingError(UsageError):
    """A wrong setting: the file and line, the key, what is allowed there."""


class SourceError(ScimopsError):
    """A file that cannot be read as an export."""


class ShapeTieError(SourceError):
    """Two or more shapes fit the file equally well; `--shape` decides."""

    exit_code = 2


class IncompleteSourceError(ScimopsError):
    """A file or a list of which only a part was read; never taken for "the others left"."""

    exit_code = 5


def nearest(word: str, allowed: Iterable[str]) -> str:
    """A clause that names the nearest right word, or the empty string."""
    by_fold = {name.casefold(): name for name in allowed}
    close = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    return f'Did you mean "{by_fold[close[0]]}"?' if close else ""
