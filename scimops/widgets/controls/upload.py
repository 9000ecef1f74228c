"""Files that arrive in pieces and are put on disk: private, in order, within a limit.

A browser sends `start`, then for each file `file` and its `chunk` messages, then `end`; each is answered before the
next is sent. Nothing here knows widgets. A file keeps its name and its time of change, because both say when an export
was taken.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

CHUNK = 1 << 20
"""Bytes in one message: far below what a Jupyter server lets through (10 MB), and small enough to show progress."""

LIMIT = 2 << 30
"""Bytes of all files of one upload."""

_ODD = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]')
_LONGEST = 120


class UploadError(Exception):
    """Why a piece is not taken, in words for the person."""


@dataclass
class _Current:
    """The upload that is under way."""

    id: str
    folder: Path
    left: int
    paths: list[Path] = field(default_factory=list)
    stream: BinaryIO | None = None
    expected: int = 0
    received: int = 0
    modified: float = 0.0


class Uploads:
    """Takes uploads, one at a time, into a private temporary folder (0700, files 0600) that goes with this object."""

    def __init__(self, on_files: Callable[[list[Path]], None], limit: int = LIMIT) -> None:
        self._on_files = on_files
        self.limit = limit
        self._home: tempfile.TemporaryDirectory[str] | None = None
        self._count = 0
        self._current: _Current | None = None

    def take(self, message: Mapping[str, Any], buffers: Sequence[Any] = ()) -> str:
        """Take one message; what was wrong with it, empty where all is well."""
        steps = {"start": self._start, "file": self._file, "chunk": self._chunk, "end": self._end}
        step = steps.get(str(message.get("kind")))
        if step is None:
            self.cancel()
            return ""
        try:
            step(message, buffers)
        except UploadError as error:
            self.cancel()
            return str(error)
        except OSError as error:
            self.cancel()
            return f"The file cannot be written on this computer: {error.strerror or error}."
        return ""

    def cancel(self) -> None:
        """End the upload under way and remove what it has left on disk."""
        current, self._current = self._current, None
        if current is not None:
            if current.stream is not None:
                current.stream.close()
            shutil.rmtree(current.folder, ignore_errors=True)

    def keep(self, paths: Sequence[Path]) -> None:
        """Remove all finished uploads but the one that `paths` belong to."""
        kept = {path.parent for path in paths}
        for folder in Path(self._home.name).iterdir() if self._home else ():
            if folder not in kept and not (self._current and folder == self._current.folder):
                shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Remove everything."""
        self.cancel()
        home, self._home = self._home, None
        if home is not None:
            home.cleanup()

    def _start(self, message: Mapping[str, Any], _: Sequence[Any]) -> None:
        self.cancel()
        size = int(message["size"])
        if size > self.limit:
            raise UploadError(too_large(size, self.limit))
        if self._home is None:
            self._home = tempfile.TemporaryDirectory(prefix="scimops-", ignore_cleanup_errors=True)
        self._count += 1
        folder = Path(self._home.name) / str(self._count)
        folder.mkdir(mode=0o700)
        self._current = _Current(str(message["upload"]), folder, size)

    def _under_way(self, message: Mapping[str, Any]) -> _Current:
        if self._current is None or message.get("upload") != self._current.id:
            raise UploadError("This upload was ended by another one.")
        return self._current

    def _file(self, message: Mapping[str, Any], _: Sequence[Any]) -> None:
        current = self._under_way(message)
        self._finish(current)
        current.expected = int(message["size"])
        if current.expected > current.left:
            raise UploadError("The file is larger than was said.")
        current.left -= current.expected
        current.received, current.modified = 0, float(message.get("modified") or 0)
        path = current.folder / safe_name(str(message["name"]), [other.name for other in current.paths])
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        current.stream = os.fdopen(handle, "wb")
        current.paths.append(path)

    def _chunk(self, message: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        current = self._under_way(message)
        if current.stream is None or len(buffers) != 1 or message.get("offset") != current.received:
            raise UploadError("A piece of the file got lost on its way. Try again.")
        piece = memoryview(buffers[0]).cast("B")
        current.received += len(piece)
        if len(piece) > CHUNK or current.received > current.expected:
            raise UploadError("The file is larger than was said. Did it change? Try again.")
        current.stream.write(piece)

    def _end(self, message: Mapping[str, Any], _: Sequence[Any]) -> None:
        current = self._under_way(message)
        self._finish(current)
        self._current = None
        self._on_files(current.paths)

    def _finish(self, current: _Current) -> None:
        if current.stream is None:
            return
        if current.received != current.expected:
            raise UploadError("The file did not arrive whole. Try again.")
        current.stream.close()
        current.stream = None
        if current.modified > 0:
            os.utime(current.paths[-1], (current.modified, current.modified))


def too_large(size: int, limit: int) -> str:
    """The sentence for a file beyond the limit."""
    return (
        f"{size / 1e9:,.1f} GB is more than the {limit / 1e9:,.1f} GB that can be dropped here. "
        "Give its path instead: then nothing is copied."
    )


def safe_name(name: str, taken: Sequence[str] = ()) -> str:
    """A file name that is harmless on every system and still recognisable; unlike any of `taken`."""
    last = re.split(r"[/\\]", name)[-1]
    stem, dot, suffix = _ODD.sub("_", last).strip(" .").rpartition(".")
    stem, suffix = (stem, dot + suffix) if stem else (suffix, "")
    stem = stem[: _LONGEST - len(suffix[:20])] or "export"
    result, number = stem + suffix[:20], 1
    while result in taken:
        number += 1
        result = f"{stem}-{number}{suffix[:20]}"
    return result
