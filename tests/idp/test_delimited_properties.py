"""Delimited text against Python's csv module: whatever records are written, the same are read, with true numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from scimops.errors import SourceError
from scimops.idp import scan
from scimops.idp.delimited import read_delimited

NASTY = st.sampled_from([*'",;\t|\n\r \0\ufeff\u2028\x85\x1aé€😀=', "\r\n", '""', "a,b", "007", "sep=;", "#TYPE"])
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
TEXTS = st.lists(st.one_of(NASTY, ANY), max_size=5).map("".join)
STYLES: list[tuple[str, Any]] = [
    *((end, quoting) for end in ("\n", "\r\n") for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC)),
    ("\r", csv.QUOTE_ALL),  # Python 3.11 leaves a line feed unquoted where lines end in CR
]
EXAMPLES = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


@dataclass
class Expected:
    """What Python's csv module reads: blank lines and records of another width set apart."""

    rows: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    cells: list[list[str]] = field(default_factory=list)
    rejected: list[tuple[int, int]] = field(default_factory=list)
    swallowed: bool = False


def expected(text: str, delimiter: str, strict: bool = False) -> Expected:
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(iter(lines), delimiter=delimiter, strict=strict)
    found, width, number = Expected(), 0, 0
    while True:
        start = reader.line_num
        record = next(reader, None)
        if record is None:
            return found
        blank = lines[start].strip(" \r\n") if width else lines[start].strip()
        if reader.line_num == start + 1 and not blank:
            continue
        if not width:
            width = len(record)
            continue
        number += 1
        if len(record) == width:
            found.rows.append(number)
            found.lines.append(start + 1)
            found.cells.append(record)
        else:
            found.rejected.append((number, start + 1))
            found.swallowed |= reader.line_num > start + 1


@pytest.fixture(scope="module", params=[scan._CHUNK, 64], ids=["one chunk", "many chunks"], autouse=True)
def _chunks(request: pytest.FixtureRequest) -> Iterator[None]:
    """The quick pass takes four megabytes at a time; with 64 bytes records meet the ends of chunks."""
    before, scan._CHUNK = scan._CHUNK, request.param
    yield
    scan._CHUNK = before


@st.composite
def tables(draw: st.DrawFn, ragged: bool = False) -> tuple[str, str, int]:
    """A header and records as text, the delimiter, the width."""
    width = draw(st.integers(1, 4))
    wide = st.lists(TEXTS, min_size=width, max_size=width)
    short = st.lists(TEXTS.map(lambda text: "".join(text.split())), min_size=1, max_size=6)
    records = draw(st.lists(st.one_of(wide, short) if ragged else wide, max_size=8))
    delimiter = draw(st.sampled_from(",;\t|"))
    end, quoting = draw(st.sampled_from(STYLES))
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerows([[f"h{number}" for number in range(width)], *records])
    text = out.getvalue()
    return text.removesuffix(end) if draw(st.booleans()) else text, delimiter, width


@EXAMPLES
@given(tables(ragged=True), st.sampled_from(["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "utf-16"]))
@example(('h0,h1\r\n"",""\r\n', ",", 2), "utf-8")
def test_the_same_records_as_pythons_csv_module(place: Any, seen: Any, table: Any, encoding: str) -> None:
    text, delimiter, width = table
    wanted = expected(text, delimiter)
    assume(not wanted.swallowed)
    said = encoding if encoding in ("utf-16-le", "utf-16-be") else None
    found = seen(read_delimited(place(text.encode(encoding)), said, delimiter if width == 1 else None))
    assert (found.rows, found.lines, found.rejected) == (wanted.rows, wanted.lines, wanted.rejected)
    assert found.cells == wanted.cells


@EXAMPLES
@given(tables(), st.data())
def test_any_mutation_leaves_every_row_accounted_for(place: Any, seen: Any, table: Any, data: st.DataObject) -> None:
    text, delimiter, _ = table
    raw = bytearray(text.encode())
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(raw)))
        piece = data.draw(st.sampled_from([b'"', b"\n", b"\r", delimiter.encode(), b"\xff", b"\xc3", b"\0", b"x", b""]))
        raw[at : at + data.draw(st.integers(0, 2))] = piece
    try:
        table = read_delimited(place(bytes(raw)), None, delimiter)
    except SourceError:
        return
    found = seen(table)  # every row is readable or rejected, and numbered once
    assert found.lines == sorted(found.lines)
    try:
        wanted = expected(raw.decode(table.encoding).removeprefix("\ufeff"), delimiter, strict=True)
    except (csv.Error, UnicodeDecodeError):
        return
    if not wanted.swallowed and not bytes(raw).startswith((b"sep=", b"#TYPE")):
        assert (found.rows, found.lines, found.cells) == (wanted.rows, wanted.lines, wanted.cells)
