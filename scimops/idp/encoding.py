"""How the bytes of a text are read: encodings, byte order marks, lines.

Bytes that are no text in the encoding become lone surrogates, so that whoever meets them can reject that one record
and knows the others to be whole.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from scimops.errors import SourceError, UsageError, nearest

ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be", "cp1252")
_ALIASES = {"utf8": "utf-8", "utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-16le": "utf-16-le"}
_ALIASES |= {"utf-16be": "utf-16-be", "windows-1252": "cp1252", "latin-1": "cp1252", "ascii": "utf-8"}
_MARKS = {"utf-8": codecs.BOM_UTF8, "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE, "cp1252": b""}
_STEP = 1 << 20
_ROOM = 16 << 20
"""Once a block of this size was given back, glibc keeps smaller ones for the next, here and in the quick pass, and does
not ask the system for fresh memory each time. It is never touched, so it costs nothing."""

_HEADER = 32


@dataclass(frozen=True)
class Encoding:
    """An encoding and the length of the byte order mark in front.

    `clean` says that all bytes were seen to be valid; it is told for UTF-8 alone.
    """

    name: str
    mark: int
    clean: bool = False

    @property
    def errors(self) -> str:
        """The name of the error handler that turns bytes which are no text into surrogates."""
        return _DAMAGED if self.name.startswith("utf-16") else "surrogateescape"


def _as_surrogate(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", error.end


_DAMAGED = "scimops.damaged"
codecs.register_error(_DAMAGED, _as_surrogate)


def is_text(value: str) -> bool:
    """Is it free of surrogates, which stand for bytes that could not be decoded?"""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def utf16_of(head: bytes) -> str:
    """`utf-16-le` or `utf-16-be` by byte order mark or by where the zero bytes are, else the empty string.

    The header tells it too: its names are mostly ASCII even where the people's are not.
    """
    if head.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if head.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    for part in (head[:_HEADER], head):
        half = max(1, len(part) // 2)
        odd, even = part[1::2].count(0), part[::2].count(0)
        if odd > half * 0.6 and even < half * 0.1:
            return "utf-16-le"
        if even > half * 0.6 and odd < half * 0.1:
            return "utf-16-be"
    return ""


def first_encoding(head: bytes, wanted: str | None = None) -> Encoding:
    """The encoding of a text that begins with `head`; `utf-8` is a first guess only (see :func:`encoding_of`).

    Raises:
        UsageError: `wanted` is not an encoding we know.
    """
    name = utf16_of(head) or "utf-8"
    if wanted:
        name = _ALIASES.get(wanted.lower(), wanted.lower())
        if name not in ENCODINGS:
            advice = f"Allowed: {', '.join(ENCODINGS)}. {nearest(wanted, ENCODINGS)}"
            raise UsageError(f'"{wanted}" is not an encoding we read.', advice=advice)
    mark, size = _MARKS[name], 0
    while mark and head.startswith(mark, size):  # some tools put a second one in front
        size += len(mark)
    return Encoding(name, size)


def encoding_of(path: Path, head: bytes, wanted: str | None = None) -> Encoding:
    """The encoding of the whole text at `path`, which begins with `head`.

    What is not valid UTF-8 is `cp1252`, unless it says to be UTF-8 (by its mark) or has characters that hardly any
    other text has by chance: then some of it is damaged.

    Raises:
        UsageError: `wanted` is not an encoding we know.
    """
    first = first_encoding(head, wanted)
    if first.name != "utf-8":
        return first
    if _is_utf8(path):
        return Encoding("utf-8", first.mark, clean=True)
    if wanted or first.mark:
        return first
    good = broken = 0
    for text in _decoded(path):
        damaged = text.count("\ufffd")
        good += len(text) - len(text.encode("ascii", "ignore")) - damaged
        broken += damaged
    return first if good * 4 >= broken else Encoding("cp1252", 0)


def _is_utf8(path: Path) -> bool:
    """Are all bytes text in UTF-8? Polars proves that faster than Python decodes."""
    bytes(_ROOM)
    with path.open("rb") as stream:
        while block := stream.read(_STEP):
            if len(block) == _STEP and (end := _whole(block)) < _STEP:
                block = block[:end]
                stream.seek(end - _STEP, io.SEEK_CUR)
            try:
                pl.Series([block], dtype=pl.Binary).cast(pl.String)
            except pl.exceptions.ComputeError:
                return False
    return True


def _whole(block: bytes) -> int:
    """Where the last character begins that may be cut off at the end of `block`; the length where none is."""
    last = next((back for back in range(1, min(4, len(block)) + 1) if block[-back] >= 0xC0), 0)
    return len(block) - last


def _decoded(path: Path) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with path.open("rb") as stream:
        while block := stream.read(_STEP):
            yield decoder.decode(block)
    yield decoder.decode(b"", final=True)


def is_json(head: bytes, wanted: str | None = None) -> bool:
    """Does a text begin like JSON?"""
    encoding = first_encoding(head, wanted)
    return head[encoding.mark :].decode(encoding.name, "ignore").lstrip()[:1] in ("{", "[")


def read_lines(path: Path, encoding: Encoding, longest: int, name: str) -> Iterator[tuple[int, str]]:
    """Numbered lines with their ends (CRLF, LF or CR).

    Raises:
        SourceError: a line is longer than `longest` characters.
    """
    with path.open("rb") as raw:
        raw.seek(encoding.mark)
        stream = io.TextIOWrapper(raw, encoding=encoding.name, errors=encoding.errors, newline="")
        number = 0
        while text := stream.readline(longest):
            number += 1
            if len(text) >= longest:
                raise SourceError(
                    f"line {number} has no end within {longest:,} characters.",
                    where=name,
                    advice="This is no export, or its line ends were lost on the way.",
                )
            yield number, text
