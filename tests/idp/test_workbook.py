"""Excel workbooks: values as text, rows of the sheet as lines, damaged and hostile files refused."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest

from scimops.errors import SourceError
from scimops.idp import read_export
from scimops.idp.workbook import read_workbook

Change = Callable[[str, bytes], bytes]


def workbook(*sheets: list[list[Any]], formats: dict[str, str] | None = None) -> bytes:
    book = openpyxl.Workbook()
    for number, rows in enumerate(sheets):
        sheet = book.active if number == 0 else book.create_sheet()
        assert sheet is not None
        for row in rows:
            sheet.append(row)
        for cell, number_format in (formats or {}).items():
            sheet[cell].number_format = number_format
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def rewritten(data: bytes, change: Change) -> bytes:
    """The same archive with each member changed by `change(name, content)`."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return out.getvalue()


def in_sheet(old: bytes, new: bytes) -> Change:
    return lambda name, content: content.replace(old, new) if name.endswith("sheet1.xml") else content


PEOPLE: list[list[Any]] = [["id", "name", "since"], ["007", 'Zoë, "Z"', dt.date(2024, 5, 1)]]
PEOPLE.append(["008", "two\nlines", None])


def test_values_become_text(place: Any, seen: Any) -> None:
    row = ["007", 7, 7.0, 7.5, True, dt.datetime(2024, 5, 1, 8, 30), dt.datetime(2024, 5, 1), None, " x"]
    found = seen(read_workbook(place(workbook([list("abcdefghi"), row]), "users.xlsx")))
    assert found.cells == [["007", "7", "7", "7.5", "true", "2024-05-01T08:30:00", "2024-05-01", "", " x"]]


def test_leading_zeros_that_a_number_shows_are_kept(place: Any, seen: Any) -> None:
    data = workbook([["a", "b", "c"], [7, 12345, 7]], formats={"A2": "00000", "B2": "000", "C2": "0.00"})
    assert seen(read_workbook(place(data, "users.xlsx"))).cells == [["00007", "12345", "7"]]


def test_lines_are_rows_of_the_sheet(place: Any, seen: Any) -> None:
    blank: list[list[Any]] = [[None, None, None]]
    data = workbook(blank + [PEOPLE[0]] + blank * 2 + [PEOPLE[1]] + blank + [PEOPLE[2]] + [["9", "x", "y", "too long"]])
    table = read_workbook(place(data, "users.xlsx"))
    assert (table.encoding, table.delimiter, table.kind) == ("xlsx", None, "csv")
    found = seen(table)
    assert (found.rows, found.lines) == ([1, 2], [5, 7])
    assert found.cells == [["007", 'Zoë, "Z"', "2024-05-01"], ["008", "two\nlines", ""]]
    assert (found.rejected, "too long" in table.rejected[0].reason) == ([(3, 8)], True)


def test_the_first_sheet_with_content_counts(place: Any, seen: Any) -> None:
    assert seen(read_workbook(place(workbook([], PEOPLE, [["other"]]), "users.xlsx"))).rows == [1, 2]


def test_header_only_and_header_in_two_lines(place: Any, seen: Any) -> None:
    assert seen(read_workbook(place(workbook([["a", "b"]]), "users.xlsx"))).rows == []
    found = seen(read_workbook(place(workbook([["a\nx", "b"], ["1", "2"]]), "users.xlsx")))
    assert (found.headers, found.lines) == (["a\nx", "b"], [2])


@pytest.mark.parametrize("ref", [b"A1", b"A1:B2", b"A1:XFD1048576"])
def test_what_a_sheet_says_of_its_size_is_not_believed(place: Any, seen: Any, ref: bytes) -> None:
    data = rewritten(workbook(PEOPLE), in_sheet(b'ref="A1:C3"', b'ref="' + ref + b'"'))
    assert seen(read_workbook(place(data, "users.xlsx"))).cells[1] == ["008", "two\nlines", ""]


def test_a_row_number_beyond_all_sheets_does_not_hang(place: Any) -> None:
    data = rewritten(workbook(PEOPLE), in_sheet(b'<row r="3"', b'<row r="999999999999"'))
    with pytest.raises(SourceError, match="1,048,576 rows"):
        read_workbook(place(data, "users.xlsx"))


def test_password_columns_are_gone(place: Any, seen: Any) -> None:
    found = seen(read_workbook(place(workbook([["user", "Password"], ["anna", "s3cret"]]), "users.xlsx")))
    assert (found.headers, found.cells) == (["user"], [["anna"]])


def test_recognised_by_its_columns_like_any_file(place: Any) -> None:
    header = ["User Id", "Status", "Username", "First name", "Last name", "Primary email"]
    export = read_export(place(workbook([header, ["1", "ACTIVE", "anna", "Anna", "Ax", "a@example.com"]]), "x").path)
    assert (export.shape.name, export.users()["active"].to_list()) == ("okta_console", [True])
    assert read_export(place(gzip.compress(workbook(PEOPLE)), "users").path).rows == 2


def test_a_workbook_without_rows(place: Any) -> None:
    with pytest.raises(SourceError, match="no rows"):
        read_workbook(place(workbook([], [[None]]), "users.xlsx"))


BILLION = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + b"".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">'.encode() for n in range(9)
) + b"]>"  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        in_sheet(b"</row>", b""),
        in_sheet(b"<sheetData>", b"<sheetData><c><<"),
        in_sheet(b"<worksheet", BILLION + b"<worksheet"),
        in_sheet(b'<c r="A2"', b'<c r="ZZZZZ2"'),
        lambda name, content: b"" if name.endswith("workbook.xml") else content,
        lambda name, content: b"<x/>" if name.endswith(".rels") else content,
        lambda name, content: content[: len(content) // 2],
    ],
)
def test_a_damaged_workbook_is_one_clear_error(place: Any, change: Change) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        read_workbook(place(rewritten(workbook(PEOPLE), change), "users.xlsx"))


def test_a_workbook_cut_anywhere_is_one_clear_error(place: Any) -> None:
    data = workbook(PEOPLE)
    for cut in range(4, len(data), 97):
        with pytest.raises(SourceError):
            read_workbook(place(data[:cut], "users.xlsx"))


def _archive(name: str, size: int) -> bytes:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(name, "w", force_zip64=True) as member,
    ):
        for _ in range(size >> 20):
            member.write(bytes(1 << 20))
    return out.getvalue()


def test_a_zip_bomb_is_refused_without_unpacking(place: Any) -> None:
    with pytest.raises(SourceError, match="grows beyond"):
        read_workbook(place(_archive("xl/worksheets/sheet1.xml", 80 << 20), "users.xlsx"))


def test_a_zip_that_lies_about_its_size_is_refused_too(place: Any) -> None:
    data = _archive("xl/worksheets/sheet1.xml", 80 << 20)
    lying = data.replace((80 << 20).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    with pytest.raises(SourceError, match="cannot be read"):
        read_workbook(place(lying, "users.xlsx"))


def test_any_other_zip_is_no_export(place: Any) -> None:
    with pytest.raises(SourceError, match="zip archive"):
        read_workbook(place(_archive("users.csv", 0), "users.zip"))
