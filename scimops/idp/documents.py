"""JSON exports: one document (a list, a page with its wrapper, one user) or one record a line (NDJSON).

Records are decoded one at a time, so each has its row and line, and a document that breaks off is known for what it
is: a part. It is never taken for a smaller company.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import polars as pl

from scimops.errors import SourceError
from scimops.idp.encoding import Encoding, encoding_of, is_text, read_lines
from scimops.idp.source import MAX_DOCUMENT, MAX_RECORD, Source
from scimops.idp.table import LINE, ROW, Rejects, Table, is_password, mentions_password
from scimops.resources import Flat, flatten

RECORD_KEYS = ("Resources", "Operations", "value", "results", "users", "data", "items")
"""Under which key a wrapper keeps its records: SCIM, SCIM Bulk, Microsoft Graph, JumpCloud, Google, OneLogin."""

_TOTALS = ("totalResults", "totalCount", "@odata.count", "total")
_NEXT = ("@odata.nextLink", "nextPageToken", "nextCursor", "next_link")
_MAX_COLUMNS = 5000
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_SPACE = re.compile(r"[ \t\r\n]*")
_NO_JSON = (ValueError, IndexError, RecursionError)
Found = tuple[int, Any, str]


@dataclass
class _Page:
    """What a document says about itself beside its records."""

    total: int | None = None
    more: bool = False
    broken: str = ""
    bulk: bool = False
    keys: list[str] = field(default_factory=list)


@dataclass
class Columns:
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


def read_documents(source: Source, encoding: str | None = None) -> Table:
    """The JSON or NDJSON `source` as a table whose columns are named by attribute path.

    Raises:
        SourceError: it is too large for one document, or has too many attributes.
        UsageError: `encoding` is not one we know.
    """
    found = encoding_of(source.path, source.head, encoding)
    page, columns, rejects = _Page(), Columns(), Rejects()
    records = _lines(source, found, page) if _is_ndjson(source, found) else _document(_text(source, found), page)
    row = 0
    for row, (line, record, text) in enumerate(records, 1):
        user, reason = user_of(record, page.bulk)
        if user is None:
            rejects.add(row, line, f"unreadable: {reason}", "(not shown)" if mentions_password(text) else text)
        else:
            columns.add(row, line, user, source.name)
    table = table_of(columns, rejects, row, found.name)
    table.total, table.next_page, table.wrapper, table.broken = page.total, page.more, page.keys, page.broken
    return table


def table_of(columns: Columns, rejects: Rejects, rows: int, encoding: str) -> Table:
    """Records that were gathered as a table; `rows` counts the rejected ones too."""
    frame = pl.DataFrame({ROW: columns.rows, LINE: columns.lines}, schema={ROW: pl.Int64, LINE: pl.Int64})

    def scan(headers: Sequence[str]) -> pl.LazyFrame:
        return frame.hstack([columns.series(header) for header in headers]).lazy()

    return Table(
        headers=list(columns.values), rows=rows, scan=scan, encoding=encoding, rejected=rejects.rows, kind="json"
    )  # fmt: skip


def _text(source: Source, encoding: Encoding) -> str:
    if source.path.stat().st_size > MAX_DOCUMENT:
        raise SourceError(
            f"one JSON document of more than {MAX_DOCUMENT:,} bytes is not read.",
            where=source.name,
            advice="Save one record a line (NDJSON), or several pages.",
        )
    with source.path.open("rb") as stream:
        stream.seek(encoding.mark)
        return stream.read().decode(encoding.name, encoding.errors)


def _is_ndjson(source: Source, encoding: Encoding) -> bool:
    """Is the first line a whole object, and does another one follow?"""
    lines = read_lines(source.path, encoding, MAX_RECORD, source.name)
    try:
        first, second = islice((text for _, text in lines if text.strip()), 2)
        return second.lstrip().startswith("{") and isinstance(_DECODER.decode(first), dict)
    except (ValueError, RecursionError, SourceError):
        return False


def _lines(source: Source, encoding: Encoding, page: _Page) -> Iterator[Found]:
    for number, text in read_lines(source.path, encoding, MAX_RECORD, source.name):
        if text.strip():
            try:
                yield number, _DECODER.decode(text), text
            except (ValueError, RecursionError):
                if not text.endswith(("\n", "\r")):
                    page.broken = f"it breaks off in line {number}"
                yield number, None, text


def _document(text: str, page: _Page) -> Iterator[Found]:
    """The records of one document; what its wrapper says goes into `page`."""
    try:
        start = _skip(text, 0)
        read = _elements(text, start, page) if text[start] == "[" else _wrapper(text, start, page)
        end = yield from read
        if not page.broken and _skip(text, end) < len(text):
            page.broken = "it goes on behind the end of its JSON document"
    except _NO_JSON:
        page.broken = "the document breaks off or is no JSON"


def _wrapper(text: str, start: int, page: _Page) -> Generator[Found, None, int]:
    """The records of the object at `start`, or the object itself where it wraps none; returns where it ends."""
    found = False
    position = _skip(text, start + 1)
    done = text[position] == "}"
    while not done:
        key, position = _DECODER.raw_decode(text, position)
        position = _expect(text, position, ":")
        page.keys.append(key)
        if key in RECORD_KEYS and text[position] == "[":
            found, page.bulk = True, key == "Operations"
            position = yield from _elements(text, position, page)
            if page.broken:
                return position
        else:
            value, position = _DECODER.raw_decode(text, position)
            _note(page, key, value)
        position = _skip(text, position)
        done = text[position] == "}"
        position = position if done else _expect(text, position, ",")
    if not found and page.total is None and not page.more:
        yield 1 + text.count("\n", 0, start), _DECODER.raw_decode(text, start)[0], text[start : start + 200]
    return position + 1


def _note(page: _Page, key: str, value: Any) -> None:
    if key in _TOTALS and re.fullmatch("[0-9]{1,18}", str(value)):
        page.total = int(str(value))
    elif (key in _NEXT and value) or (key == "pagination" and isinstance(value, dict) and value.get("after_cursor")):
        page.more = True


def _elements(text: str, position: int, page: _Page) -> Generator[Found, None, int]:
    """The elements of the list at `position`, with line and text; returns where the list ends."""
    counted, line, number = 0, 1, 0
    position = _skip(text, position + 1)
    try:
        while number or text[position] != "]":
            number += 1
            line += text.count("\n", counted, position)
            counted = position
            value, end = _DECODER.raw_decode(text, position)
            yield line, value, text[position : min(end, position + 200)]
            position = _skip(text, end)
            if text[position] == "]":
                break
            position = _expect(text, position, ",")
    except _NO_JSON:
        page.broken = f"it breaks off in record {number} (line {line})"
        yield line, None, text[position : position + 200]
    return position + 1


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _expect(text: str, position: int, mark: str) -> int:
    position = _skip(text, position)
    if text[position] != mark:
        raise ValueError(mark)
    return _skip(text, position + 1)


def user_of(record: Any, bulk: bool) -> tuple[Flat | None, str]:
    """A record as flat columns without passwords, or why it is none."""
    if bulk and isinstance(record, dict):
        if str(record.get("method", "")).upper() not in ("POST", "PUT"):
            return None, f"a bulk operation {record.get('method')} carries no whole user"
        record = record.get("data")
    if not isinstance(record, dict):
        return None, "this is no JSON object"
    try:
        flat = flatten(_without_passwords(record))
        if not is_text(json.dumps(flat, ensure_ascii=False)):
            return None, "it holds half characters (lone surrogates)"
    except RecursionError:
        return None, "it is nested too deeply"
    kept = {key: value for key, value in flat.items() if not is_password(key)}
    return {f"{key} (2)" if key in (ROW, LINE) else key: value for key, value in kept.items()}, ""


def _without_passwords(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_passwords(inner) for key, inner in value.items() if not is_password(key)}
    if isinstance(value, list):
        return [_without_passwords(item) for item in value if not _is_secret(item)]
    return value


def _is_secret(item: Any) -> bool:
    """Is it a pair of name and value whose name is a password's?"""
    names = [item.get(key) for key in ("name", "type", "key")] if isinstance(item, dict) else []
    return any(isinstance(name, str) and is_password(name[:100]) for name in names)
