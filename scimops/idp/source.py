"""From what a user names (a path, standard input, a gzip) to a plain file on disk, within limits.

Nothing here knows identity providers. A source that is no text is refused with one clear error, in bounded memory:
pipes and compressed files are spooled to a private temporary folder that goes with the source.
"""

from __future__ import annotations

import datetime as dt
import gzip
import re
import sys
import tempfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from scimops import config
from scimops.errors import IncompleteSourceError, SourceError, UsageError, nearest
from scimops.idp.encoding import is_json, utf16_of
from scimops.touched import note_read

MAX_RECORD = 16 << 20
"""A record longer than this many bytes is an error: no export has one, and memory stays bounded."""

MAX_DOCUMENT = 1 << 30
"""One JSON document is read into memory as a whole, up to this many bytes; a million users have about as many."""

BOMB_RATIO = 250
"""A gzip or zip that grows by more than this is refused (text packs 5 to 60 times; beyond 64 MiB only)."""

_STEP = 1 << 20
_MAGIC = {
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\xd0\xcf\x11\xe0": "an old or password-protected Excel workbook; save it as .xlsx without a password",
    b"PAR1": "a Parquet file",
    b"SQLite format": "an SQLite database",
    b"\x7fELF": "a program",
    b"BZh": "a bzip2 archive; unpack it first",
    b"\xfd7zXZ": "an xz archive; unpack it first",
    b"\x28\xb5\x2f\xfd": "a zstd archive; unpack it first",
    b"\xff\xfe\x00\x00": "a text in UTF-32; save it as UTF-8",
    b"\x00\x00\xfe\xff": "a text in UTF-32; save it as UTF-8",
    b"<": "a web page (of a sign-in, perhaps) or XML",
}
_NO_TEXT = bytes({*range(9), *range(14, 27)})


@dataclass
class Workspace:
    """A private temporary folder (mode 0700) for spooled and rewritten files; it goes when nobody holds it."""

    _folder: tempfile.TemporaryDirectory[str] | None = None
    _count: int = field(default=0)

    @property
    def folder(self) -> Path:
        """The folder, made when first asked for."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="scimops-", ignore_cleanup_errors=True)
        return Path(self._folder.name)

    def new(self, suffix: str = "") -> Path:
        """A path for one more file in the folder."""
        self._count += 1
        return self.folder / f"{self._count}{suffix}"


@dataclass
class Source:
    """One file on disk, with the name the user gave it and when it was taken.

    `taken_at` is a UTC time; `taken_from` says where it was read from.
    """

    name: str
    path: Path
    taken_at: dt.datetime
    taken_from: str
    workspace: Workspace

    @property
    def head(self) -> bytes:
        """The first 64 KiB."""
        with self.path.open("rb") as stream:
            return stream.read(1 << 16)

    @property
    def state(self) -> tuple[int, int]:
        """Size and time of change, the same as long as nobody writes to the file; zeros where it is gone."""
        try:
            found = self.path.stat()
        except OSError:
            return 0, 0
        return found.st_size, found.st_mtime_ns


def open_source(name: str | Path, workspace: Workspace) -> Source:
    """The source `name`; `-` is standard input, gzip is unpacked.

    Raises:
        SourceError: there is no such file, or it is a folder, empty, no text, too large or a compression bomb.
        IncompleteSourceError: a gzip file ends too early.
        UsageError: there is no standard input.
    """
    try:
        source = _spooled(workspace) if str(name) == "-" else _named(Path(name), workspace)
        note_read(source.path, "" if str(name) != "-" else source.name)
        head = source.head
        if head.startswith(b"\x1f\x8b"):
            source.path = _gunzip(source, workspace)
            head = source.head
    except OSError as error:
        raise SourceError(f"it cannot be read: {error.strerror or error}.", where=str(name)) from error
    if not head:
        raise SourceError("the file is empty.", where=source.name, advice="Export again; even no users give a header.")
    _refuse_binary(head, source.name)
    return source


def _spooled(workspace: Workspace) -> Source:
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:
        raise UsageError("There is no standard input here.", advice="Name a file.")
    path = workspace.new()
    _copy(stream, path, "standard input")
    return Source("standard input", path, dt.datetime.now(dt.UTC), "the time of reading", workspace)


def _named(path: Path, workspace: Workspace) -> Source:
    if path.is_dir():
        raise SourceError("this is a folder, not a file.", where=str(path), advice="Name the file inside it.")
    if not path.exists():
        near = nearest(path.name, [p.name for p in path.parent.iterdir()]) if path.parent.is_dir() else ""
        raise SourceError("there is no such file.", where=str(path), advice=near or "Check the name and the folder.")
    if not path.is_file():
        raise SourceError("this is not a regular file.", where=str(path), advice="Use - to read from a pipe.")
    if path.stat().st_size > config.max_bytes():
        raise _too_large(path.name, config.max_bytes())
    return Source(path.name, path.absolute(), *taken_at(path), workspace)


def taken_at(path: Path) -> tuple[dt.datetime, str]:
    """When the export was taken: a date in the file's name (as Entra's exportUsers_2026-11-25.csv), else its mtime."""
    changed = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
    found = re.search(r"(20\d\d)-(\d{1,2})-(\d{1,2})", path.name)
    if found:
        try:
            day = dt.datetime(int(found[1]), int(found[2]), int(found[3]), tzinfo=dt.UTC)
        except ValueError:
            return changed, "the file's modification time"
        if day.date() != changed.date():
            return day, "the date in the file's name"
    return changed, "the file's modification time"


def _too_large(name: str, limit: int) -> SourceError:
    return SourceError(f"it is larger than {limit:,} bytes.", where=name, advice="Set SCIMOPS_MAX_BYTES to allow more.")


def _copy(stream: BinaryIO | gzip.GzipFile, path: Path, name: str, packed: int = 0) -> None:
    """Copy `stream` to `path`, watching the total, the growth over `packed` bytes and the length of a line.

    A line of text is a record, a line of JSON may be the whole document.
    """
    limit, longest, total, line = config.max_bytes(), 0, 0, 0
    with path.open("wb") as out:
        while block := stream.read(_STEP):
            longest = longest or (MAX_DOCUMENT if is_json(block) else 4 * MAX_RECORD)
            total += len(block)
            newline = max(block.rfind(b"\n"), block.rfind(b"\r"))
            line = len(block) - newline - 1 if newline >= 0 else line + len(block)
            if packed and total > 64 * _STEP and total > packed * BOMB_RATIO:
                raise SourceError(f"it grows more than {BOMB_RATIO} times by unpacking; that is no export.", where=name)
            if total > limit:
                raise _too_large(name, limit)
            if line > longest:
                raise SourceError(f"a line has no end after {line:,} bytes.", where=name, advice="Is this an export?")
            out.write(block)


def _gunzip(source: Source, workspace: Workspace) -> Path:
    path, packed = workspace.new(), source.path.stat().st_size
    try:
        with gzip.open(source.path) as stream:
            _copy(stream, path, source.name, packed)
    except EOFError as error:
        raise IncompleteSourceError(
            "the gzip file ends too early.", where=source.name, advice="Copy or export it again."
        ) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise SourceError(f"the gzip file is damaged ({error}).", where=source.name) from error
    return path


def is_workbook(head: bytes) -> bool:
    """Is it a zip, as every .xlsx is?"""
    return head.startswith(b"PK\x03\x04")


def _refuse_binary(head: bytes, name: str) -> None:
    bare = head.removeprefix(b"\xef\xbb\xbf").lstrip() if b"<" in head[:64] else head
    for magic, what in _MAGIC.items():
        if bare.startswith(magic):
            raise SourceError(f"this is {what}, not an export.", where=name, advice="Export users as CSV or JSON.")
    if is_workbook(head) or utf16_of(head):
        return
    odd = len(head) - len(head.translate(None, _NO_TEXT))
    if odd > max(16, len(head) // 50):
        raise SourceError("this is a binary file, not an export.", where=name, advice="Export users as CSV or JSON.")
