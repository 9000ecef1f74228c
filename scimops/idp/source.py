"""From what a user names (a path, standard input, a gzip) to a plain file on disk, within limits.

Nothing here knows identity providers. A source that is no text is refused with one clear error, in bounded memory:
pipes and compressed files are spooled to a private temporary folder that goes with the source.
"""

from __future__ import annotations

import codecs
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

MAX_RECORD = 16 << 20
"""A record longer than this many bytes is an error: no export has one, and memory stays bounded."""

BOMB_RATIO = 250
"""A gzip or zip that grows by more than this is refused (text packs 5 to 60 times; beyond 64 MiB only)."""

_STEP = 1 << 20
_MAGIC = {
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls); save it as .xlsx",
    b"PAR1": "a Parquet file",
    b"SQLite": "an SQLite database",
    b"\x7fELF": "a program",
    b"BZh": "a bzip2 archive; unpack it first",
    b"\xfd7zXZ": "an xz archive; unpack it first",
    b"\x28\xb5\x2f\xfd": "a zstd archive; unpack it first",
}
ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "cp1252")
_ALIASES = {"utf8": "utf-8", "utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-16le": "utf-16-le"}
_ALIASES |= {"utf-16be": "utf-16-be", "windows-1252": "cp1252", "latin-1": "cp1252", "ascii": "utf-8"}


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


@dataclass
class Workspace:
    """A private temporary folder (mode 0700) for spooled and rewritten files; it goes when nobody holds it."""

    _folder: tempfile.TemporaryDirectory[str] | None = None
    _count: int = field(default=0)

    @property
    def folder(self) -> Path:
        """The folder itself."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="scimops-", ignore_cleanup_errors=True)
        return Path(self._folder.name)

    def new(self, suffix: str = "") -> Path:
        """A path for one more file in the folder."""
        self._count += 1
        return self.folder / f"{self._count}{suffix}"


def open_source(name: str | Path, workspace: Workspace) -> Source:
    """The source `name`; `-` is standard input, gzip is unpacked.

    Raises:
        SourceError: there is no such file, or it is a folder, empty, no text, too large or a compression bomb.
        IncompleteSourceError: a gzip file ends too early.
    """
    if str(name) == "-":
        path = workspace.new()
        _copy(sys.stdin.buffer, path, "standard input")
        source = Source("standard input", path, _now(), "the time of reading", workspace)
    else:
        path = Path(name)
        source = Source(path.name, _existing(path), *_taken_at(path), workspace)
    head = source.head
    if head.startswith(b"\x1f\x8b"):
        source.path = _gunzip(source, workspace)
        head = source.head
    if not head:
        raise SourceError("the file is empty.", where=source.name, advice="Export again; even no users give a header.")
    _refuse_binary(head, source.name)
    return source


def _existing(path: Path) -> Path:
    if path.is_dir():
        raise SourceError("this is a folder, not a file.", where=str(path), advice="Name the file inside it.")
    if not path.exists():
        near = nearest(path.name, [p.name for p in path.parent.iterdir()]) if path.parent.is_dir() else ""
        raise SourceError("there is no such file.", where=str(path), advice=near or "Check the name and the folder.")
    if not path.is_file():
        raise SourceError("this is not a regular file.", where=str(path), advice="Use - to read from a pipe.")
    return path


def _taken_at(path: Path) -> tuple[dt.datetime, str]:
    """When the export was taken: a date in the file's name (as Entra's exportUsers_2026-11-25.csv), else its mtime."""
    changed = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
    found = re.search(r"(20\d\d)-(\d{1,2})-(\d{1,2})", path.name)
    if found:
        try:
            day = dt.datetime(*map(int, found.groups()), tzinfo=dt.UTC)  # type: ignore[misc]  # three ints, no zone
        except ValueError:
            return changed, "the file's modification time"
        if day.date() != changed.date():
            return day, "the date in the file's name"
    return changed, "the file's modification time"


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _copy(stream: BinaryIO | gzip.GzipFile, path: Path, name: str, packed: int = 0) -> None:
    """Copy `stream` to `path`, watching the total, the growth over `packed` bytes and the length of a line."""
    limit, total, line = config.max_bytes(), 0, 0
    with path.open("wb") as out:
        while block := stream.read(_STEP):
            total += len(block)
            newline = max(block.rfind(b"\n"), block.rfind(b"\r"))
            line = len(block) - newline - 1 if newline >= 0 else line + len(block)
            if packed and total > 64 * _STEP and total > packed * BOMB_RATIO:
                raise SourceError(f"it grows more than {BOMB_RATIO} times when unpacked; that is no export.", where=name)
            if total > limit:
                raise SourceError(f"it is larger than {limit:,} bytes.", where=name, advice="Set SCIMOPS_MAX_BYTES.")
            if line > 4 * MAX_RECORD:
                raise SourceError(f"a line has no end after {line:,} bytes.", where=name, advice="Is this an export?")
            out.write(block)


def _gunzip(source: Source, workspace: Workspace) -> Path:
    path = workspace.new()
    try:
        with gzip.open(source.path) as stream:
            _copy(stream, path, source.name, packed=source.path.stat().st_size)
    except EOFError as error:
        raise IncompleteSourceError(
            "the gzip file ends too early.", where=source.name, advice="Copy or export it again."
        ) from error
    except (OSError, zlib.error) as error:
        raise SourceError(f"the gzip file is damaged ({error}).", where=source.name) from error
    return path


def is_workbook(head: bytes) -> bool:
    """Is it a zip, as every .xlsx is?"""
    return head.startswith(b"PK\x03\x04")


def _refuse_binary(head: bytes, name: str) -> None:
    for magic, what in _MAGIC.items():
        if head.startswith(magic):
            raise SourceError(f"this is {what}, not an export.", where=name, advice="Export users as CSV or JSON.")
    if is_workbook(head) or _utf16(head):
        return
    odd = sum(byte < 9 or 13 < byte < 27 for byte in head)
    if odd > max(16, len(head) // 50):
        raise SourceError("this is a binary file, not an export.", where=name, advice="Export users as CSV or JSON.")


def _utf16(head: bytes) -> str:
    """`utf-16-le` or `utf-16-be` by byte order mark or by where the zero bytes are, else the empty string."""
    if head.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if head.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    half = max(1, len(head) // 2)
    odd, even = head[1::2].count(0), head[::2].count(0)
    if odd > half * 0.6 and even < half * 0.1:
        return "utf-16-le"
    if even > half * 0.6 and odd < half * 0.1:
        return "utf-16-be"
    return ""


def encoding_of(head: bytes, wanted: str | None = None) -> tuple[str, int]:
    """The encoding of a text that begins with `head`, and the length of its byte order mark.

    `utf-8` is a first guess only: who meets bytes that are none decides again with :func:`legacy_encoding`.

    Raises:
        UsageError: `wanted` is not an encoding we know.
    """
    if wanted:
        name = _ALIASES.get(wanted.lower(), wanted.lower())
        if name not in ENCODINGS:
            advice = f"Allowed: {', '.join(ENCODINGS)}. {nearest(wanted, ENCODINGS)}"
            raise UsageError(f'"{wanted}" is not an encoding we read.', advice=advice)
    else:
        name = _utf16(head) or "utf-8"
    marks = {"utf-8": codecs.BOM_UTF8, "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
    mark = marks.get(name, b"")
    return name, len(mark) if mark and head.startswith(mark) else 0


def legacy_encoding(chunk: bytes) -> str:
    """For text that is not valid UTF-8: `utf-8` where most of it is (single rows are damaged), else `cp1252`."""
    text = chunk.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    good = sum(not character.isascii() for character in text) - broken
    return "utf-8" if good > broken else "cp1252"
