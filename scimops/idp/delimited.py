"""Delimited text: CSV, TSV and their relatives, with every record accounted for.

CSV readers disagree without saying so: short rows are padded, blank lines shift row numbers, a stray quote swallows
half a file. So the layout of the file is decided here. A quick pass (:mod:`scimops.idp.scan`) proves that every
record has the header's width and that every quote is where RFC 4180 has it; then Polars parses. A file whose quotes,
line ends or encoding are irregular takes the careful way: Python's csv module, record by record, starting afresh at
the next line where a record cannot be read.
"""

from __future__ import annotations

import codecs
import csv
from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
import polars as pl

from scimops.errors import SourceError, UsageError
from scimops.idp.encoding import Encoding, encoding_of, is_text, read_lines
from scimops.idp.scan import Body, IrregularError, Layout, scan, width_reason
from scimops.idp.source import MAX_RECORD, Source
from scimops.idp.table import LINE, ROW, Rejects, Table, empty_frame, is_password, unique_headers

_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "pipe": "|"}
_CANDIDATES = (",", ";", "\t", "|")
_SAMPLE = 20
_STEP = 4 << 20
_MAX_LINES = 100_000
"""How many lines one record may span: whatever has more is a quote without its partner."""

_MAX_COLUMNS = 20_000
Line = tuple[int, str]


def read_delimited(source: Source, encoding: str | None = None, delimiter: str | None = None) -> Table:
    """The delimited text `source` as a table.

    Raises:
        SourceError: there is no header, or a line is longer than 16 MiB.
        UsageError: `encoding` or `delimiter` is not one we know.
    """
    wanted = _wanted(delimiter)
    found = encoding_of(source.path, source.head, encoding)
    layout = _layout(source, found, wanted)
    return _table(source, found.name, layout, _body(source, found, layout))


def _wanted(delimiter: str | None) -> str | None:
    if not delimiter:
        return None
    one = _DELIMITERS.get(delimiter.lower(), delimiter)
    if not _can_delimit(one):
        raise UsageError(f'"{delimiter}" is not a delimiter.', advice=f"Allowed: {', '.join(_DELIMITERS)}.")
    return one


def _can_delimit(text: str) -> bool:
    return len(text) == 1 and text.isascii() and not text.isalnum() and text not in ' "\r\n\0'


def _body(source: Source, encoding: Encoding, layout: Layout) -> Body:
    if layout.size is not None:
        with suppress(IrregularError, UnicodeDecodeError):
            if encoding.clean:
                return scan(source, layout, encoding.mark + layout.size, _rejects(layout))
            return scan(_as_utf8(source, encoding), layout, layout.size, _rejects(layout))
    return _rewrite(source, encoding, layout)


def _as_utf8(source: Source, encoding: Encoding) -> Source:
    """The same text in UTF-8, without a mark.

    Raises:
        UnicodeDecodeError: not all of it is text in this encoding.
    """
    copy = replace(source, path=source.workspace.new(".csv"))
    decoder = codecs.getincrementaldecoder(encoding.name)()
    with source.path.open("rb") as stream, copy.path.open("wb") as out:
        stream.seek(encoding.mark)
        while block := stream.read(_STEP):
            out.write(decoder.decode(block).encode())
        decoder.decode(b"", final=True)
    return copy


def _rejects(layout: Layout) -> Rejects:
    return Rejects(any(is_password(header) for header in layout.headers))


def _table(source: Source, encoding: str, layout: Layout, body: Body) -> Table:
    kept = {header: str(number) for number, header in enumerate(layout.headers) if not is_password(header)}
    schema: dict[str, type[pl.DataType]] = {str(number): pl.String for number in range(len(layout.headers))}
    state = source.state if body.path == source.path else None

    def scan_columns(headers: Sequence[str]) -> pl.LazyFrame:
        if not len(body.row):
            return empty_frame(headers).lazy()
        columns = [pl.col(kept[header]).alias(header) for header in headers]
        if state and source.state != state:
            raise SourceError("it was changed while it was read.", where=source.name, advice="Read it again.")
        lazy = pl.scan_csv(
            body.path,
            has_header=False,
            skip_lines=body.skip_lines,
            schema=schema,
            separator=layout.delimiter,
            glob=False,
        )
        numbers = pl.LazyFrame({ROW: body.row, LINE: body.line})
        # Polars refuses to join what is not of one height, so no record is lost between counting and reading
        return pl.concat([numbers, lazy.select(columns)], how="horizontal") if columns else numbers

    return Table(
        headers=list(kept),
        rows=len(body.row) + len(body.rejected),
        scan=scan_columns,
        encoding=encoding,
        delimiter=layout.delimiter,
        rejected=body.rejected,
        controls=body.controls,
        breaks=body.breaks,
    )


def _layout(source: Source, encoding: Encoding, delimiter: str | None) -> Layout:
    """Find the header behind blank lines, `sep=;`, PowerShell's `#TYPE` and Entra's `version:v1.0`."""
    lines = read_lines(source.path, encoding, MAX_RECORD, source.name)
    size, plain, first = 0, True, (0, "")
    for first in lines:
        text = first[1]
        plain = plain and text.endswith("\n")
        size += len(text.encode("utf-8", "surrogateescape"))
        bare = text.strip(" \r\n")
        if bare[:4].lower() == "sep=" and _can_delimit(bare[4:]):
            delimiter = delimiter or bare[4:]
        elif bare.strip() and not bare.startswith(("#TYPE", "version:v1")):
            break
    else:
        raise SourceError("there is no header line.", where=source.name, advice="Export again with column names.")
    following = [first, *islice(lines, _SAMPLE)]
    delimiter = delimiter or _guess_delimiter([line for _, line in following])
    header = next(_records(iter(following), delimiter, None))
    if header.fields is None or not is_text("".join(header.fields)):
        raise SourceError("the header line cannot be read.", where=f"{source.name}, line {header.line}")
    if len(header.fields) > _MAX_COLUMNS:
        raise SourceError(f"it has {len(header.fields):,} columns; {_MAX_COLUMNS:,} are read.", where=source.name)
    whole = plain and header.lines == 1
    return Layout(unique_headers(header.fields), delimiter, header.line + header.lines - 1, size if whole else None)


def _guess_delimiter(lines: list[str]) -> str:
    """The candidate that splits the header into most columns; where two do, the one that later lines agree with."""

    def score(candidate: str) -> tuple[int, int]:
        header = len(next(_reader(iter(lines), candidate, strict=False)))
        return header, sum(_width(line, candidate) == header for line in lines)

    return max(_CANDIDATES, key=score)


def _reader(lines: Iterator[str], delimiter: str, strict: bool = True) -> Any:
    csv.field_size_limit(MAX_RECORD)
    return csv.reader(lines, delimiter=delimiter, strict=strict)


def _width(line: str, delimiter: str) -> int:
    """How many values one line has on its own."""
    return len(next(_reader(iter([line]), delimiter, strict=False), []))


def _rewrite(source: Source, encoding: Encoding, layout: Layout) -> Body:
    """The careful way: read with the csv module and write what is good as plain UTF-8 CSV for Polars.

    Every value is quoted, so that no mark, blank line or lone CR in it can mean anything else to Polars.
    """
    lines = read_lines(source.path, encoding, MAX_RECORD, source.name)
    deque(islice(lines, layout.lines), maxlen=0)
    rejects, width = _rejects(layout), len(layout.headers)
    secret = [number for number, header in enumerate(layout.headers) if is_password(header)]
    rows, places = array("q"), array("q")
    path = source.workspace.new(".csv")
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter=layout.delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
        for number, record in enumerate(_records(lines, layout.delimiter, width), 1):
            reason = _reason(record, width, encoding.clean)
            if reason or record.fields is None:
                rejects.add(number, record.line, reason, record.text.rstrip("\r\n"))
                continue
            for index in secret:
                record.fields[index] = ""
            writer.writerow(record.fields)
            rows.append(number)
            places.append(record.line)
    return Body(path, 0, np.array(rows, np.int64), np.array(places, np.int64), rejects.rows, True, True)


@dataclass(slots=True)
class _Record:
    """One record: the line it begins on, its values (None: unreadable), how many lines it has, the first one's text."""

    line: int
    fields: list[str] | None
    lines: int
    text: str


def _records(lines: Iterator[Line], delimiter: str, width: int | None) -> Iterator[_Record]:
    """Records one by one; where one cannot be read, its first line alone is given up and the next begins anew.

    So is one of another width than `width` that swallowed lines which are records by themselves.
    """
    waiting: deque[Line] = deque()
    taken: list[Line] = []

    def following() -> Iterator[str]:
        while item := waiting.popleft() if waiting else next(lines, None):
            taken.append(item)
            if len(taken) > _MAX_LINES:
                raise csv.Error
            yield item[1]

    reader = _reader(following(), delimiter)
    while True:
        taken.clear()
        fields: list[str] | None
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            fields = None
            reader = _reader(following(), delimiter)
        number, text = taken[0]
        swallowed = taken[1:]
        if not swallowed and not text.strip(" \r\n"):
            continue
        wrong = width is not None and fields is not None and len(fields) != width
        if swallowed and (fields is None or (wrong and any(_width(line, delimiter) == width for _, line in swallowed))):
            waiting.extendleft(reversed(swallowed))
            yield _Record(number, None, 1, text)
        else:
            yield _Record(number, fields, len(taken), text)


def _reason(record: _Record, width: int, clean: bool) -> str:
    """Why a record cannot be taken, or the empty string."""
    if record.fields is None:
        return "unreadable: a quote without its partner"
    if len(record.fields) != width:
        return width_reason(len(record.fields), width)
    if not clean and not is_text("".join(record.fields)):
        return "unreadable: bytes that are no text in this encoding"
    return ""
