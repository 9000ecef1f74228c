"""JSON exports: one document (a list, a page with its wrapper, one user) or one record a line (NDJSON).

Records are decoded one at a time, so each has its row and line, and a document that breaks off is known for what it
is: a part. It is never taken for a smaller company.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from scimops import config
from scimops.errors import SourceError
from scimops.idp.source import MAX_RECORD, Source, encoding_of
from scimops.idp.table import LINE, ROW, Rejects, Table, is_password
from scimops.resources import Flat, flatten

RECORD_KEYS = ("Resources", "Operations", "value", "results", "users", "data", "items")
"""Under which key a wrapper keeps its records: SCIM, SCIM Bulk, Microsoft Graph, JumpCloud, Google, OneLogin."""

_TOTALS = ("totalResults", "totalCount", "@odata.count", "total")
_NEXT = ("@odata.nextLink", "nextPageToken", "nextCursor", "next_link")
_MAX_COLUMNS = 5000
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)
_SPACE = re.compile(r"[ \t\r\n]*")


@dataclass
class _Page:
    """What a document says about itself beside its records."""

    total: int | None = None
    more: str = ""
    broken: str = ""
    bulk: bool = False


@dataclass
class _Columns:
    """Records gathered column by column."""

    rows: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    values: dict[str, list[str | list[str] | None]] = field(default_factory=dict)

    def add(self, row: int, line: int, record: Flat, name: str) -> None:
        """Append one record."""
        for key, value in record.items():
            column = self.values.get(key)
            if column is None:
                if len(self.values) >= _MAX_COLUMNS:
                    raise SourceError(f"it has more than {_MAX_COLUMNS:,} different attributes.", where=name)
                column = self.values[key] = []
            column.extend([None] * (len(self.rows) - len(column)))
            column.append(value)
        self.rows.append(row)
        self.lines.append(line)

    def series(self, header: str) -> pl.Series:
        """One column as strings, or as lists of strings where any record has a list."""
        values = self.values[header]
        values = values + [None] * (len(self.rows) - len(values))
        if any(isinstance(value, list) for value in values):
            lists = [[value] if isinstance(value, str) else value for value in values]
            return pl.Series(header, lists, pl.List(pl.String))
        return pl.Series(header, values, pl.String)


def is_json(head: bytes) -> bool:
    """Does a text begin like JSON?"""
    name, mark = encoding_of(head)
    return head[mark:].decode(name, "ignore").lstrip()[:1] in ("{", "[")


def read_documents(source: Source, encoding: str | None = None) -> Table:
    """The JSON or NDJSON `source` as a table whose columns are named by attribute path.

    Raises:
        SourceError: it is too large for one document, or holds no records.
    """
    name, mark = encoding_of(source.head, encoding)
    page = _Page()
    columns, rejects = _Columns(), Rejects()
    ndjson = _is_ndjson(source, name, mark)
    records = _ndjson(source, name, mark) if ndjson else _document(_text(source, name, mark), page, source.name)
    row = 0
    for row, (line, record, text) in enumerate(records, 1):
        user, reason = _user(record, page.bulk)
        if user is None:
            rejects.add(row, line, f"unreadable: {reason}", "(not shown)" if "password" in text.lower() else text)
        else:
            columns.add(row, line, user, source.name)
    frame = pl.DataFrame({ROW: columns.rows, LINE: columns.lines}, schema={ROW: pl.Int64, LINE: pl.Int64})

    def read(headers: Sequence[str]) -> pl.DataFrame:
        return frame.hstack([columns.series(header) for header in headers])

    return Table(
        headers=list(columns.values), rows=row, read=read, encoding=name, rejected=rejects.rows, kind="json",
        total=page.total, next_page=bool(page.more), broken=page.broken,
    )


def _text(source: Source, encoding: str, mark: int) -> str:
    limit = min(config.max_bytes(), 2 << 30)
    if source.path.stat().st_size > limit:
        raise SourceError(
            f"one JSON document of more than {limit:,} bytes is not read.", where=source.name,
            advice="Save one record a line (NDJSON), or several pages.",
        )
    return source.path.read_bytes()[mark:].decode(encoding, "surrogateescape" if encoding == "utf-8" else "replace")


def _is_ndjson(source: Source, encoding: str, mark: int) -> bool:
    text = source.head[mark:].decode(encoding, "ignore").lstrip()
    first, _, rest = text.partition("\n")
    try:
        return isinstance(json.loads(first), dict) and rest.lstrip()[:1] == "{"
    except (ValueError, RecursionError):
        return False


def _ndjson(source: Source, encoding: str, mark: int) -> Iterator[tuple[int, Any, str]]:
    with source.path.open("rb") as raw:
        raw.seek(mark)
        stream = raw if encoding == "utf-8" else None
        lines: Iterator[bytes | str] = (
            iter(lambda: raw.readline(MAX_RECORD), b"") if stream else iter(raw.read().decode(encoding, "replace").splitlines())
        )
        for number, line in enumerate(lines, 1):
            if len(line) >= MAX_RECORD:
                raise SourceError(f"line {number} has no end within {MAX_RECORD:,} bytes.", where=source.name)
            text = line.decode("utf-8", "surrogateescape") if isinstance(line, bytes) else line
            if text.strip():
                try:
                    yield number, _DECODER.decode(text), text
                except (ValueError, RecursionError):
                    yield number, None, text


def _document(text: str, page: _Page, name: str) -> Iterator[tuple[int, Any, str]]:
    """The records of one document; what its wrapper says goes into `page`."""
    start = _skip(text, 0)
    if text[start] == "[":
        yield from _elements(text, start, page)
        return
    position, found = start + 1, False
    try:
        while text[position := _skip(text, position)] != "}":
            key, position = _DECODER.raw_decode(text, position)
            position = _skip(text, _skip(text, position) + 1)
            if key in RECORD_KEYS and text[position] == "[":
                found, page.bulk = True, key == "Operations"
                position = yield from _elements(text, position, page)
                if page.broken:
                    return
            else:
                value, position = _DECODER.raw_decode(text, position)
                _note(page, key, value)
            position = _skip(text, position)
            position += text[position] == ","
    except (ValueError, IndexError, RecursionError):
        page.broken = "the document breaks off or is no JSON"
        return
    if not found:
        yield 1 + text.count("\n", 0, start), _DECODER.raw_decode(text, start)[0], text[start : start + 200]


def _note(page: _Page, key: str, value: Any) -> None:
    if key in _TOTALS and str(value).isdecimal():
        page.total = int(str(value))
    elif (key in _NEXT and value) or (key == "pagination" and isinstance(value, dict) and value.get("after_cursor")):
        page.more = key


def _elements(text: str, position: int, page: _Page) -> Iterator[tuple[int, Any, str]]:
    """The elements of the list at `position`, with line and text; returns where the list ends."""
    counted, line, number = 0, 1, 0
    position = _skip(text, position + 1)
    try:
        while text[position] != "]":
            number += 1
            line += text.count("\n", counted, position)
            counted = position
            value, end = _DECODER.raw_decode(text, position)
            yield line, value, text[position : min(end, position + 200)]
            position = _skip(text, end)
            if text[position] == ",":
                position = _skip(text, position + 1)
            elif text[position] != "]":
                raise ValueError
    except (ValueError, IndexError, RecursionError):
        page.broken = f"it breaks off in record {number} (line {line})"
        yield line, None, text[position : position + 200]
    return position + 1


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _user(record: Any, bulk: bool) -> tuple[Flat | None, str]:
    """A record as flat columns without passwords, or why it is none."""
    if bulk and isinstance(record, dict):
        if str(record.get("method", "")).upper() not in ("POST", "PUT"):
            return None, f"a bulk operation {record.get('method')} carries no whole user"
        record = record.get("data")
    if not isinstance(record, dict):
        return None, "this is no JSON object"
    try:
        flat = flatten(_without_passwords(record))
        json.dumps(flat, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return None, "it holds half characters (lone surrogates) or is nested too deeply"
    return flat, ""


def _without_passwords(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_passwords(inner) for key, inner in value.items() if not is_password(key)}
    if isinstance(value, list):
        return [_without_passwords(item) for item in value]
    return value
