"""Which files this process read and wrote through scimops, for the record of a run.

A note costs next to nothing: only a small file is hashed at once, a large one when somebody asks (:func:`collected`).
A large one that has changed since, or is gone, then has no hash, which is said rather than guessed.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final, TypedDict

SMALL: Final = 1 << 20
"""Bytes up to which a file is hashed when it is noted: a setting that a command reads and then rewrites."""


class Touched(TypedDict):
    """A file: whole path, SHA-256 and bytes; `sha256` is null where it was gone or changed before it was hashed."""

    name: str
    sha256: str | None
    size: int


_State = tuple[int, int]
_NOT_THERE: Final = (0, 0)

_read: Final[dict[tuple[str, Path, _State], Touched | None]] = {}
_written: Final[dict[Path, _State]] = {}


def note_read(path: Path, name: str = "") -> None:
    """`path` is being read; `name` is what the user called it where that is no path, such as standard input.

    Read twice and changed in between, it counts as two inputs. What this process wrote itself is none.
    """
    state = _state(path)
    key = (name or str(path.absolute()), path.absolute(), state)
    if key not in _read and _written.get(path.absolute()) != state:
        _read[key] = hashed(path, name) if state[0] <= SMALL else None


def note_written(path: Path) -> None:
    """`path` was written, whole."""
    _written[path.absolute()] = _state(path)


def forget() -> None:
    """Begin anew: a run starts."""
    _read.clear()
    _written.clear()


def collected() -> tuple[list[Touched], list[Touched]]:
    """What was read and what was written since the start, or since :func:`forget`, in that order."""
    inputs = [early or hashed(path, name, state) for (name, path, state), early in list(_read.items())]
    return inputs, [hashed(path, "", state) for path, state in list(_written.items())]


def hashed(path: Path, name: str = "", state: _State | None = None) -> Touched:
    """Hash and size of a file now; no hash where it is not in `state` any more."""
    expected = _state(path) if state is None else state
    try:
        digest = file_digest(path)
    except OSError:
        digest = ""
    same = expected != _NOT_THERE and _state(path) == expected
    return {"name": name or str(path.absolute()), "sha256": digest or None if same else None, "size": expected[0]}


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _state(path: Path) -> _State:
    """Size and time of change."""
    try:
        found = path.stat()
    except OSError:
        return _NOT_THERE
    return found.st_size, found.st_mtime_ns
