"""The quick pass over delimited text: prove in whole arrays that every record is regular, before Polars parses.

Regular means: every quote is where RFC 4180 has it and every line ends in LF or CRLF. Records of another width and
blank lines are cut out. Whatever this pass cannot vouch for it leaves to the careful one.
"""

from __future__ import annotations

import codecs
import mmap
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scimops.idp.source import MAX_RECORD, Source
from scimops.idp.table import RejectedRow, Rejects

_CHUNK = 2 << 20
_QUOTE, _NEWLINE, _RETURN, _TAB, _SPACE = 34, 10, 13, 9, 32
Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
_HIGH_CONTROL = re.compile(rb"\xc2[\x80-\x9f]")


class IrregularError(Exception):
    """The quick pass met something that it cannot vouch for."""


@dataclass
class Layout:
    """What stands before the first record: `lines` of it, `size` bytes (None where that cannot be told)."""

    headers: list[str]
    delimiter: str
    lines: int
    size: int | None


@dataclass
class Body:
    """The records in a form that Polars reads without loss: one record each, all of the header's width."""

    path: Path
    skip_lines: int
    row: Numbers
    line: Numbers
    rejected: list[RejectedRow] = field(default_factory=list)
    controls: bool = False
    breaks: bool = False


@lru_cache(maxsize=256)
def width_reason(found: int, expected: int) -> str:
    """Why a record of `found` values is rejected."""
    what = "too short" if found < expected else "too long"
    return f"{what}: {found} values, the header has {expected}"


def scan(source: Source, layout: Layout, begin: int, rejects: Rejects) -> Body:
    """The records of the UTF-8 text `source` from byte `begin` on, each proved, numbered and of the header's width.

    Raises:
        IrregularError: quotes or line ends are not as in RFC 4180, or a record of another width spans lines.
    """
    return _Scan(source, layout, begin, rejects).body


class _Scan:
    def __init__(self, source: Source, layout: Layout, begin: int, rejects: Rejects) -> None:
        self.delimiter, self.width, self.rejects = ord(layout.delimiter), len(layout.headers), rejects
        self.row, self.line, self.controls, self.breaks = 0, layout.lines, False, False
        self.rows: list[Numbers] = []
        self.lines: list[Numbers] = []
        self.cuts: list[tuple[int, int]] = []
        path = source.path
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as view:
            position = begin
            while position < len(view):
                chunk, quotes = _chunk(view, position)
                self._take(chunk, quotes, position)
                position += len(chunk)
            if self.cuts:
                path = self._without_cuts(view, source.workspace.new(".csv"))
        row, line = _join(self.rows), _join(self.lines)
        self.body = Body(path, layout.lines, row, line, rejects.rows, self.controls, self.breaks)

    def _take(self, chunk: bytes, quotes: Numbers, position: int) -> None:
        records = _records_of(chunk, quotes, self.delimiter)
        self.controls = self.controls or records.controls
        self.breaks = self.breaks or records.breaks
        count = len(records.start)
        row = np.arange(self.row + 1, self.row + 1 + count)
        line = self.line + 1 + records.line
        odd = (records.width != self.width) | (records.end - records.start <= 1)
        if self.width == 1:
            odd |= np.frombuffer(chunk, np.uint8)[records.start] == _SPACE
        if odd.any():
            good, blank = self._look(chunk, position, records, np.flatnonzero(odd))
            row -= np.cumsum(blank)
            for index in np.flatnonzero(~good & ~blank).tolist():
                reason = width_reason(int(records.width[index]), self.width)
                text = chunk[records.start[index] : records.end[index]].decode("utf-8", "replace")
                self.rejects.add(int(row[index]), int(line[index]), reason, text.rstrip("\r"))
            count -= int(blank.sum())
            row, line = row[good], line[good]
        self.rows.append(row)
        self.lines.append(line)
        self.row += count
        self.line += records.newlines

    def _look(self, chunk: bytes, position: int, records: _Records, odd: Numbers) -> tuple[Flags, Flags]:
        """Which records are good and which are blank lines; everything that is not good is cut out."""
        good, blank = np.ones(len(records.start), bool), np.zeros(len(records.start), bool)
        for index in odd.tolist():
            begin, end = int(records.start[index]), int(records.end[index])
            text = chunk[begin:end]
            blank[index] = not text.strip(b" \r")
            good[index] = not blank[index] and records.width[index] == self.width
            if not good[index]:
                if b"\n" in text:
                    raise IrregularError
                self._cut(position + begin, position + end + 1)
        return good, blank

    def _cut(self, begin: int, end: int) -> None:
        if self.cuts and self.cuts[-1][1] == begin:
            begin = self.cuts.pop()[0]
        self.cuts.append((begin, end))

    def _without_cuts(self, view: mmap.mmap, path: Path) -> Path:
        with path.open("wb") as out:
            kept = 0
            for begin, end in [*self.cuts, (len(view), len(view))]:
                for step in range(kept, begin, _CHUNK):
                    out.write(view[step : min(begin, step + _CHUNK)])
                kept = end
        return path


def _chunk(view: mmap.mmap, position: int) -> tuple[bytes, Numbers]:
    """Whole records from `position` on and where their quotes are.

    It is about two megabytes of them: what is made of it stays in the processor's cache.
    Whether a newline ends a record depends on the quotes before it, and a chunk begins outside quotes.
    """
    size = _CHUNK
    while True:
        end = min(position + size, len(view))
        last = end == len(view)
        if not last:
            end = view.rfind(b"\n", position, end) + 1 or end
        chunk = view[position:end]
        quotes = np.flatnonzero(np.frombuffer(chunk, np.uint8) == _QUOTE) if b'"' in chunk else np.zeros(0, np.int64)
        if last or (len(quotes) % 2 == 0 and chunk.endswith(b"\n")):
            return chunk, quotes
        if whole := _last_end(chunk, quotes):
            return chunk[:whole], quotes[: np.searchsorted(quotes, whole)]
        if size > MAX_RECORD:
            raise IrregularError
        size *= 2


def _last_end(chunk: bytes, quotes: Numbers) -> int:
    """Behind the last newline that an even number of quotes precedes; 0 where there is none."""
    end = chunk.rfind(b"\n") + 1
    if np.searchsorted(quotes, end) % 2 == 0:
        return end
    newlines = np.flatnonzero(np.frombuffer(chunk, np.uint8) == _NEWLINE)
    even = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
    return int(even[-1]) + 1 if len(even) else 0


@dataclass
class _Records:
    """Records of one chunk: begin, end (without the line feed), fields, lines from the chunk's first line.

    `controls`: there may be a control character other than tab and line ends; `breaks`: any one within a value.
    """

    start: Numbers
    end: Numbers
    width: Numbers
    line: Numbers
    newlines: int
    controls: bool
    breaks: bool


def _records_of(chunk: bytes, quotes: Numbers, delimiter: int) -> _Records:
    buffer = np.frombuffer(chunk, np.uint8)
    low = np.flatnonzero(buffer < _SPACE)
    kind = buffer[low]
    newlines, returns, tabs = low[kind == _NEWLINE], np.count_nonzero(kind == _RETURN), np.count_nonzero(kind == _TAB)
    if returns and returns != chunk.count(b"\r\n"):
        raise IrregularError
    if b"\xef" in chunk and codecs.BOM_UTF8 in chunk:  # Polars drops a mark in front of a record
        raise IrregularError
    _prove_quotes(buffer, quotes, delimiter)
    end = newlines if chunk.endswith(b"\n") else np.append(newlines, len(chunk))  # the file's last record may have none
    before = np.searchsorted(quotes, end)
    outside = before % 2 == 0
    end, closed = end[outside], before[outside] // 2
    delimiters = _Places(buffer == delimiter)
    quoted = np.cumsum(delimiters.before(quotes[1::2]) - delimiters.before(quotes[::2]))
    width = np.diff(delimiters.before(end) - _from_0(quoted)[closed], prepend=0) + 1
    start = _from_0(end[:-1] + 1)
    line = np.arange(len(start)) if outside.all() else np.searchsorted(newlines, start)
    high = b"\x7f" in chunk or (b"\xc2" in chunk and _HIGH_CONTROL.search(chunk) is not None)
    controls = high or bool(len(low) > len(newlines) + returns + tabs)
    breaks = controls or bool(tabs) or not outside.all()
    return _Records(start, end, width, line, len(newlines), controls, breaks)


def _from_0(numbers: Numbers) -> Numbers:
    return np.concatenate([np.zeros(1, np.int64), numbers])


class _Places:
    """Places with a mark. They are counted 64 at a time, which is much faster than to list them all."""

    def __init__(self, marks: Flags) -> None:
        packed = np.packbits(marks, bitorder="little")
        self.words = np.append(packed, np.zeros(16 - len(packed) % 8, np.uint8)).view("<u8")
        self.sums = _from_0(np.cumsum(np.bitwise_count(self.words), dtype=np.int64))

    def before(self, places: Numbers) -> Numbers:
        """How many marks stand before each of `places`."""
        word = places >> 6
        earlier = (np.uint64(1) << (places & 63).astype(np.uint64)) - np.uint64(1)
        found: Numbers = self.sums[word] + np.bitwise_count(self.words[word] & earlier)
        return found


def _prove_quotes(buffer: Bytes, quotes: Numbers, delimiter: int) -> None:
    """Of the quotes, opening and closing ones in turn, an opening one must begin a field and a closing one end it.

    A closing quote may be the first half of a doubled one, too.
    """
    if len(quotes) % 2:
        raise IrregularError
    opening, closing = quotes[::2], quotes[1::2]
    before = buffer[opening - 1]
    first = opening == 0
    if not (first | (before == delimiter) | (before == _NEWLINE) | (before == _QUOTE)).all():
        raise IrregularError
    last = closing == len(buffer) - 1
    after = buffer[np.minimum(closing + 1, len(buffer) - 1)]
    fine = last | (after == delimiter) | (after == _NEWLINE) | (after == _RETURN) | (after == _QUOTE)
    if not fine.all():
        raise IrregularError


def _join(parts: list[Numbers]) -> Numbers:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)
