"""Delimited text: CSV, TSV and their relatives, with every record accounted for.

CSV readers disagree without saying so: short rows are padded, blank lines shift row numbers, a stray quote swallows
half a file. So the shape of the file is decided here. One vectorised pass over the bytes proves that every record
has the header's width and that every quote is where RFC 4180 has it; then Polars parses. Records of another width
are cut out and reported. A file whose quotes or line ends are irregular takes the careful way: Python's csv module,
record by record, starting afresh at the next line where a record cannot be read.
"""

from __future__ import annotations

import csv
import io
import mmap
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from scimops.errors import SourceError, UsageError
from scimops.idp.source import MAX_RECORD, Source, encoding_of, legacy_encoding
from scimops.idp.table import LINE, ROW, RejectedRow, Rejects, Table, empty_frame, is_password, unique_headers

_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "pipe": "|"}
_CANDIDATES = (",", ";", "\t", "|")
_CHUNK = 4 << 20
Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
_QUOTE, _NEWLINE, _RETURN = 34, 10, 13


@dataclass
class _Preamble:
    """What stands before the first record."""

    headers: list[str]
    delimiter: str
    lines: int
    size: int | None


@dataclass
class _Body:
    """The records in a form that Polars reads without loss: one record each, all of the header's width."""

    path: Path
    skip_lines: int
    row: Numbers
    line: Numbers
    rejected: list[RejectedRow] = field(default_factory=list)
    controls: bool = False


class _IrregularError(Exception):
    """The quick pass met quotes or line ends that it cannot vouch for."""


def read_delimited(source: Source, encoding: str | None = None, delimiter: str | None = None) -> Table:
    """The delimited text `source` as a table.

    Raises:
        SourceError: there is no header, or a record is longer than 16 MiB.
        UsageError: `encoding` or `delimiter` is not one we know.
    """
    wanted = _DELIMITERS.get((delimiter or "").lower(), delimiter)
    if wanted and len(wanted) != 1:
        raise UsageError(f'"{delimiter}" is not a delimiter.', advice=f"Allowed: {', '.join(_DELIMITERS)}.")
    name, mark = encoding_of(source.head, encoding)
    body = None
    try:
        start = _preamble(source, name, mark, wanted)
    except SourceError:
        if encoding or name != "utf-8" or mark:
            raise
        name = "cp1252"
        start = _preamble(source, name, mark, wanted)
    if name == "utf-8" and start.size is not None:
        try:
            body = _Scan(source, start, mark + start.size).body
        except _IrregularError:
            pass
        except UnicodeDecodeError as error:
            name = name if encoding else legacy_encoding(bytes(error.object))
            start = _preamble(source, name, mark if name == "utf-8" else 0, wanted)
    if body is None:
        body = _rewrite(source, name, mark, start)
    return _table(source, name, start, body)


def _table(source: Source, encoding: str, start: _Preamble, body: _Body) -> Table:
    positions = {header: number for number, header in enumerate(start.headers)}
    schema: dict[str, type[pl.DataType]] = {str(number): pl.String for number in range(len(start.headers))}

    def read(headers: Sequence[str]) -> pl.DataFrame:
        if not len(body.row):
            return empty_frame(headers)
        columns = [pl.col(str(positions[header])).alias(header) for header in headers]
        lazy = pl.scan_csv(
            body.path, has_header=False, skip_lines=body.skip_lines, schema=schema, separator=start.delimiter
        )
        frame = lazy.select(columns).collect() if columns else pl.DataFrame()
        if columns and frame.height != len(body.row):
            raise SourceError(f"{len(body.row):,} records were counted, {frame.height:,} read.", where=source.name)
        return pl.DataFrame({ROW: body.row, LINE: body.line}).hstack(frame)

    return Table(
        headers=[header for header in start.headers if not is_password(header)],
        rows=len(body.row) + len(body.rejected),
        read=read,
        encoding=encoding,
        delimiter=start.delimiter,
        rejected=body.rejected,
        controls=body.controls,
    )


def _lines(source: Source, encoding: str, mark: int) -> Iterator[tuple[int, str]]:
    """Numbered lines with their ends (CRLF, LF or CR); undecodable bytes become surrogates or U+FFFD."""
    errors = "replace" if encoding.startswith("utf-16") else "surrogateescape"
    with source.path.open("rb") as raw:
        raw.seek(mark)
        stream = io.TextIOWrapper(raw, encoding=encoding, errors=errors, newline="")
        number = 0
        while text := stream.readline(MAX_RECORD):
            number += 1
            if len(text) >= MAX_RECORD:
                raise SourceError(
                    f"line {number} has no end within {MAX_RECORD:,} characters.", where=source.name,
                    advice="This is no export, or its line ends were lost on the way.",
                )
            yield number, text


def _preamble(source: Source, encoding: str, mark: int, delimiter: str | None) -> _Preamble:
    """Find the header behind blank lines, `sep=;` and PowerShell's `#TYPE`, and the delimiter that it uses."""
    lines = _lines(source, encoding, mark)
    size = 0
    plain = True
    for number, text in lines:
        plain = plain and text.endswith("\n")
        size += len(text.encode("utf-8", "surrogateescape"))
        bare = text.strip()
        if bare.lower().startswith("sep=") and len(bare) == 5:
            delimiter = delimiter or bare[4]
        elif bare and not bare.startswith("#TYPE"):
            break
    else:
        raise SourceError("there is no header line.", where=source.name, advice="Export again with column names.")
    following = list(islice(lines, 20))
    delimiter = delimiter or _guess_delimiter(text, [line for _, line in following])
    header = next(_records(iter([(number, text), *following]), delimiter, None))
    if header.fields is None or not _is_text(header.fields):
        raise SourceError("the header line cannot be read.", where=f"{source.name}, line {number}")
    whole = plain and header.taken == 1
    return _Preamble(unique_headers(header.fields), delimiter, number + header.taken - 1, size if whole else None)


def _guess_delimiter(header: str, following: list[str]) -> str:
    """The candidate that splits the header into most columns; where two do, the one that later lines agree with."""

    def score(candidate: str) -> tuple[int, int]:
        widths = [len(next(csv.reader([line], delimiter=candidate), [])) for line in [header, *following]]
        return widths[0], sum(width == widths[0] for width in widths)

    return max(_CANDIDATES, key=score)


class _Scan:
    """The quick pass: prove each record regular, number it, cut out those of another width.

    Raises:
        _IrregularError: quotes or line ends are not as in RFC 4180.
        UnicodeDecodeError: the bytes are not UTF-8.
    """

    def __init__(self, source: Source, start: _Preamble, begin: int) -> None:
        self.start, self.width, self.begin = start, len(start.headers), begin
        self.rejects = Rejects(any(is_password(header) for header in start.headers))
        self.row, self.line, self.controls = 0, start.lines, False
        self.rows: list[Numbers] = []
        self.lines: list[Numbers] = []
        self.cuts: list[tuple[int, int]] = []
        path = source.path
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as view:
            position = begin
            while position < len(view):
                chunk = _chunk(view, position)
                self._take(chunk, position)
                position += len(chunk)
            if self.cuts:
                path = self._without_cuts(view, source.workspace.new(".csv"))
        self.body = _Body(path, start.lines, _join(self.rows), _join(self.lines), self.rejects.rows, self.controls)

    def _take(self, chunk: bytes, position: int) -> None:
        if not chunk.isascii():
            chunk.decode("utf-8")
        records = _records_of(chunk, ord(self.start.delimiter))
        self.controls = self.controls or records.controls
        count = len(records.start)
        row = np.arange(self.row + 1, self.row + 1 + count)
        line = self.line + 1 + records.line
        odd = np.flatnonzero((records.width != self.width) | (records.end - records.start <= 1))
        if len(odd):
            good, blank = self._look(chunk, position, records, odd)
            row -= np.cumsum(blank)
            for index in np.flatnonzero(~good & ~blank).tolist():
                reason = _width_reason(int(records.width[index]), self.width)
                text = chunk[records.start[index] : records.end[index]].decode()
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
            blank[index] = not chunk[begin:end].strip(b" \r")
            good[index] = not blank[index] and records.width[index] == self.width
            if not good[index]:
                self.cuts.append((position + begin, position + end + 1))
        return good, blank

    def _without_cuts(self, view: mmap.mmap, path: Path) -> Path:
        with path.open("wb") as out:
            kept = 0
            for begin, end in [*self.cuts, (len(view), len(view))]:
                for step in range(kept, begin, _CHUNK):
                    out.write(view[step : min(begin, step + _CHUNK)])
                kept = end
        return path


def _chunk(view: mmap.mmap, position: int) -> bytes:
    """Whole records from `position` on, about four megabytes of them.

    Whether a newline ends a record depends on the quotes before it, and a chunk begins outside quotes.
    """
    size = _CHUNK
    while True:
        chunk = view[position : position + size]
        if position + len(chunk) == len(view):
            return chunk
        end = chunk.rfind(b"\n") + 1
        while end and chunk.count(b'"', 0, end) % 2:
            end = chunk.rfind(b"\n", 0, end - 1) + 1
        if end:
            return chunk[:end]
        if size > MAX_RECORD:
            raise _IrregularError
        size *= 2


@dataclass
class _Records:
    """Records of one chunk: begin, end (without the line feed), fields, lines from the chunk's first line."""

    start: Numbers
    end: Numbers
    width: Numbers
    line: Numbers
    newlines: int
    controls: bool


def _records_of(chunk: bytes, delimiter: int) -> _Records:
    buffer = np.frombuffer(chunk, np.uint8)
    newline = buffer == _NEWLINE
    special = newline | (buffer == delimiter)
    returns = chunk.count(b"\r")
    if returns != chunk.count(b"\r\n"):
        raise _IrregularError
    if b'"' in chunk:
        special |= buffer == _QUOTE
        place = _outside_quotes(buffer, np.flatnonzero(special), delimiter)
    else:
        place = np.flatnonzero(special)
    stops = np.flatnonzero(buffer[place] == _NEWLINE)
    end, width = place[stops], np.diff(stops, prepend=-1)
    last = int(end[-1]) + 1 if len(end) else 0
    if last < len(chunk):  # the file's last record has no line end
        end, width = np.append(end, len(chunk)), np.append(width, len(place) - (stops[-1] + 1 if len(stops) else 0) + 1)
    start = np.concatenate([np.zeros(1, np.int64), end[:-1] + 1])
    newlines = int(np.count_nonzero(newline))
    line = np.arange(len(start))
    if newlines != len(stops):
        line = np.searchsorted(np.flatnonzero(newline), start)
    low = int(np.count_nonzero(buffer < 32)) - newlines - returns - chunk.count(b"\t")
    controls = low > 0 or b"\x7f" in chunk or b"\xc2" in chunk
    return _Records(start, end, width, line, newlines, controls)


def _outside_quotes(buffer: Bytes, place: Numbers, delimiter: int) -> Numbers:
    """Of the places of quotes, delimiters and newlines, the delimiters and newlines that stand outside quotes.

    An opening quote must begin a field and a closing one end it (or be the first half of a doubled one).
    """
    kind = buffer[place]
    quote = kind == _QUOTE
    inside = np.bitwise_xor.accumulate(quote.view(np.uint8)).view(bool)
    if len(inside) and inside[-1]:
        raise _IrregularError
    opening, closing = place[quote & inside], place[quote & ~inside]
    before = buffer[opening - 1]
    first = opening == 0
    if not (first | (before == delimiter) | (before == _NEWLINE) | (before == _QUOTE)).all():
        raise _IrregularError
    last = closing == len(buffer) - 1
    after = buffer[np.minimum(closing + 1, len(buffer) - 1)]
    fine = last | (after == delimiter) | (after == _NEWLINE) | (after == _RETURN) | (after == _QUOTE)
    if not fine.all():
        raise _IrregularError
    return place[~quote & ~inside]


def _width_reason(found: int, expected: int) -> str:
    what = "too short" if found < expected else "too long"
    return f"{what}: {found} values, the header has {expected}"


def _join(parts: list[Numbers]) -> Numbers:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _rewrite(source: Source, encoding: str, mark: int, start: _Preamble) -> _Body:
    """The careful way: read with the csv module and write what is good as plain UTF-8 CSV for Polars."""
    lines = _lines(source, encoding, mark)
    deque(islice(lines, start.lines), maxlen=0)
    rejects = Rejects(any(is_password(header) for header in start.headers))
    rows, places = array("q"), array("q")
    path = source.workspace.new(".csv")
    damaged = "\ufffd" if encoding.startswith("utf-16") else ""
    number = 0
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter=start.delimiter, lineterminator="\n")
        for number, record in enumerate(_records(lines, start.delimiter, len(start.headers)), 1):
            reason = _reason(record, len(start.headers), damaged)
            if reason:
                rejects.add(number, record.line, reason, record.text.rstrip("\r\n"))
                continue
            writer.writerow(record.fields or [])
            rows.append(number)
            places.append(record.line)
    return _Body(path, 0, np.array(rows, np.int64), np.array(places, np.int64), rejects.rows, True)


@dataclass(frozen=True)
class _Record:
    line: int
    fields: list[str] | None
    taken: int
    text: str


def _records(lines: Iterator[tuple[int, str]], delimiter: str, width: int | None) -> Iterator[_Record]:
    """Records one by one; where one cannot be read, its first line alone is given up and the next begins anew."""
    csv.field_size_limit(MAX_RECORD)
    waiting: deque[tuple[int, str]] = deque()

    def following(taken: list[tuple[int, str]]) -> Iterator[str]:
        while item := waiting.popleft() if waiting else next(lines, None):
            taken.append(item)
            yield item[1]

    while item := waiting.popleft() if waiting else next(lines, None):
        number, text = item
        if not text.strip(" \r\n"):
            continue
        taken = [item]
        fields: list[str] | None
        try:
            fields = next(csv.reader(chain([text], following(taken)), delimiter=delimiter, strict=True))
        except csv.Error:
            fields = None
        if len(taken) > 1 and (fields is None or (width and len(fields) != width)):
            waiting.extendleft(reversed(taken[1:]))
            taken, fields = taken[:1], None
        yield _Record(number, fields, len(taken), text)


def _reason(record: _Record, width: int, damaged: str) -> str:
    """Why a record cannot be taken, or the empty string."""
    if record.fields is None:
        return "unreadable: a quote without its partner"
    if len(record.fields) != width:
        return _width_reason(len(record.fields), width)
    if not _is_text(record.fields) or (damaged and damaged in "".join(record.fields)):
        return "unreadable: bytes that are no text in this encoding"
    return ""


def _is_text(fields: list[str]) -> bool:
    """Without surrogates, which stand for bytes that could not be decoded."""
    try:
        "".join(fields).encode()
    except UnicodeEncodeError:
        return False
    return True
