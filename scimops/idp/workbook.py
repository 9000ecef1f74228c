"""Excel workbooks (.xlsx): the first sheet with content, its first non-blank row the header."""

from __future__ import annotations

import csv
import datetime as dt
import zipfile
from collections.abc import Iterator
from typing import Any

import openpyxl

from scimops.errors import SourceError
from scimops.idp.delimited import read_delimited
from scimops.idp.source import BOMB_RATIO, Source
from scimops.idp.table import LINE, Table

_MAX_UNPACKED = 2 << 30


def read_workbook(source: Source) -> Table:
    """The workbook `source` as a table of strings; `line` is the row of the sheet.

    Text stays as it is (leading zeros too); whole numbers are written without a point, dates as ISO 8601.

    Raises:
        SourceError: it is no workbook, is damaged, a zip bomb, or has no header.
    """
    _refuse_bomb(source)
    copy = Source(source.name, source.workspace.new(".csv"), source.taken_at, source.taken_from, source.workspace)
    try:
        book = openpyxl.load_workbook(source.path, read_only=True, data_only=True)
        numbers = _write(book, copy)
    except SourceError:
        raise
    except Exception as error:  # openpyxl raises whatever its XML reader meets in a damaged file
        raise SourceError(
            f"the workbook cannot be read ({type(error).__name__}).", where=source.name, advice="Save it again as .xlsx."
        ) from error
    table = read_delimited(copy, "utf-8", ",")
    read_lines = table.read

    def read(headers: Any) -> Any:
        frame = read_lines(headers)
        return frame.with_columns(frame[LINE].replace_strict(numbers, default=None).alias(LINE)) if len(frame) else frame

    table.read, table.encoding, table.delimiter, table.kind = read, "xlsx", None, "csv"
    return table


def _refuse_bomb(source: Source) -> None:
    try:
        with zipfile.ZipFile(source.path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise SourceError("this zip file is damaged or no workbook.", where=source.name) from error
    if "xl/workbook.xml" not in {member.filename for member in members}:
        raise SourceError("this is a zip archive, not an export.", where=source.name, advice="Unpack it first.")
    unpacked, packed = sum(m.file_size for m in members), sum(m.compress_size for m in members)
    if unpacked > _MAX_UNPACKED or (unpacked > 64 << 20 and unpacked > packed * BOMB_RATIO):
        raise SourceError("it grows beyond all measure when unpacked; that is no export.", where=source.name)


def _write(book: Any, copy: Source) -> dict[int, int]:
    """Write the sheet as CSV; from the line of each record there to its row in the sheet."""
    numbers: dict[int, int] = {}
    with copy.path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
        width = line = 0
        for number, values in _rows(book):
            width = width or max(index for index, value in enumerate(values, 1) if value)
            line += 1
            numbers[line] = number
            cells = [*values[:width], *[""] * (width - len(values)), *[value for value in values[width:] if value]]
            writer.writerow([cell.replace("\r", "") for cell in cells])
            line += sum(cell.count("\n") for cell in cells)
    if not numbers:
        raise SourceError("the workbook has no rows.", where=copy.name, advice="Put the users on its first sheet.")
    return numbers


def _rows(book: Any) -> Iterator[tuple[int, list[str]]]:
    for sheet in book.worksheets:
        found = False
        for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
            values = [_cell(value) for value in row]
            if any(values):
                found = True
                yield number, values
        if found:
            return


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    if isinstance(value, (dt.datetime, dt.date)):
        return value.isoformat()
    return str(value)
