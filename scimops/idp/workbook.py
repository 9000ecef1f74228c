"""Excel workbooks (.xlsx): the first sheet with content, its first non-blank row the header."""

from __future__ import annotations

import csv
import datetime as dt
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import polars as pl

from scimops.errors import SourceError
from scimops.idp.delimited import read_delimited
from scimops.idp.source import BOMB_RATIO, Source
from scimops.idp.table import LINE, Table

_MAX_UNPACKED = 2 << 30
_MAX_STRINGS = 512 << 20
"""The table of shared strings is held in memory as a whole."""

_MAX_ROWS = 1 << 20
"""Excel has no more rows; a damaged file may claim more and never end."""


def read_workbook(source: Source) -> Table:
    """The workbook `source` as a table of strings; `line` is the row of the sheet.

    Text stays as it is (leading zeros too); whole numbers are written without a point, and with the leading zeros that
    their cell shows; dates as ISO 8601.

    Raises:
        SourceError: it is no workbook, is damaged, a zip bomb, or has no header.
    """
    import openpyxl

    _refuse_bomb(source)
    copy = replace(source, path=source.workspace.new(".csv"))
    try:
        # a stream, because openpyxl would judge a path by its name; its warnings are about styles and drawings
        with (
            warnings.catch_warnings(action="ignore"),
            source.path.open("rb") as stream,
            closing(openpyxl.load_workbook(stream, read_only=True, data_only=True)) as book,
        ):
            numbers = _write(book, copy)
    except SourceError:
        raise
    except Exception as error:  # openpyxl raises whatever its XML reader meets in a damaged file
        raise SourceError(
            f"the workbook cannot be read ({type(error).__name__}).",
            where=source.name,
            advice="Save it again as .xlsx.",
        ) from error
    table = read_delimited(copy, "utf-8", ",")
    lines = table.scan

    def scan(headers: Sequence[str]) -> pl.LazyFrame:
        known = pl.col(LINE).replace_strict(numbers, return_dtype=pl.Int64) if numbers else pl.col(LINE)
        return lines(headers).with_columns(known)

    table.rejected = [replace(row, line=numbers.get(row.line or 0)) for row in table.rejected]
    table.scan, table.encoding, table.delimiter = scan, "xlsx", None
    return table


def _refuse_bomb(source: Source) -> None:
    try:
        with zipfile.ZipFile(source.path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
        raise SourceError("this zip file is damaged or no workbook.", where=source.name) from error
    if not any(member.filename.startswith("xl/") for member in members):
        raise SourceError("this is a zip archive, not an export.", where=source.name, advice="Unpack it first.")
    unpacked, packed = sum(m.file_size for m in members), sum(m.compress_size for m in members)
    strings = sum(member.file_size for member in members if "/worksheets/" not in member.filename)
    bomb = unpacked > 64 << 20 and unpacked > packed * BOMB_RATIO
    if bomb or unpacked > _MAX_UNPACKED or strings > _MAX_STRINGS:
        raise SourceError("it grows beyond all measure when unpacked; that is no export.", where=source.name)


def _write(book: Any, copy: Source) -> dict[int, int]:
    """Write the sheet as CSV; from the line of each record there to its row in the sheet."""
    numbers: dict[int, int] = {}
    with copy.path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
        width, line = 0, 1
        for number, values in _rows(book, copy.name):
            width = width or max(index for index, value in enumerate(values, 1) if value)
            cells = [*values[:width], *[""] * (width - len(values)), *[value for value in values[width:] if value]]
            writer.writerow(cells)
            numbers[line] = number
            line += 1 + sum(cell.count("\n") for cell in cells)
    if not numbers:
        raise SourceError("the workbook has no rows.", where=copy.name, advice="Put the users on its first sheet.")
    return numbers


def _rows(book: Any, name: str) -> Iterator[tuple[int, list[str]]]:
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # what a file says of its own size is often wrong, and rows beyond it would be lost
        found = False
        for number, row in enumerate(sheet.iter_rows(), 1):
            if number > _MAX_ROWS:
                raise SourceError(f"its sheet has more than {_MAX_ROWS:,} rows.", where=name)
            values = [_text(cell) for cell in row]
            if any(values):
                found = True
                yield number, values
        if found:
            return


def _text(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        whole = str(int(value)) if float(value).is_integer() else str(value)
        zeros = cell.number_format or ""
        return whole.zfill(len(zeros)) if zeros.strip("0") == "" else whole
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, dt.date) else str(value)
