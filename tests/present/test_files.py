"""Every writer of a file, with an export that attacks; then the folder of a preview."""

from __future__ import annotations

import csv
import io
import json
import re
import stat
import sys

import openpyxl
import polars as pl
import pytest

from scimops.errors import UsageError
from scimops.present import files, workbook
from scimops.present.files import WRITERS, write_file, write_preview

RUNS = re.compile(r"^\s*[=+\-@＝＋－＠]|^[\t\r]")
RAW = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def check_csv(path, preview):
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    text = data.decode("utf-8-sig")
    assert not RAW.search(text)
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert header == preview.assignments.columns
    assert len(rows) == preview.rows
    for row in rows:
        assert not [cell for cell in row if RUNS.search(cell)]
    departments = [row[header.index("department")] for row in rows]
    assert departments[:3] == ["Sales [/x]", "'=cmd|' /C calc'!A0", "<img onerror=alert(1) src=x>"]
    assert "'=1+1@example.com" in [row[header.index("userName")] for row in rows]


def check_xlsx(path, preview):
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["People", "Groups", "Reasons", "Findings"]
    for sheet in book:
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref == sheet.dimensions
        assert all(cell.font.bold for cell in sheet[1])
        cells = [cell for row in sheet.iter_rows(min_row=2) for cell in row if cell.value is not None]
        assert {cell.data_type for cell in cells} <= {"s", "n", "b", "inlineStr"}
        assert not [cell.value for cell in cells if isinstance(cell.value, str) and RUNS.search(cell.value)]
    people = [dict(zip((cell.value for cell in book["People"][1]), row, strict=True)) for row in book["People"].values][
        1:
    ]
    assert len(people) == preview.rows
    assert people[0]["department"] == "Sales [/x]"
    assert people[1]["department"] == "'=cmd|' /C calc'!A0"
    assert people[7]["department"] == "#N/A"
    assert (people[0]["row"], people[0]["active"]) == (1, True)
    assert sum(row[0] for row in list(book["Reasons"].values)[1:]) == preview.rows
    assert len(list(book["Findings"].values)) == len(preview.findings) + 1
    assert len(list(book["Groups"].values)) == len(preview.groups) + 1


def check_parquet(path, preview):
    assert pl.read_parquet(path).equals(preview.assignments)
    assert "=cmd|' /C calc'!A0" in pl.read_parquet(path)["department"]


def check_json(path, preview):
    assert json.loads(path.read_text(encoding="utf-8")) == preview.to_dict()
    assert not RAW.search(path.read_text(encoding="utf-8"))


def check_html(path, preview):
    text = path.read_text(encoding="utf-8")
    assert "<img onerror" not in text
    assert "&lt;img onerror=alert(1) src=x&gt;" in text
    assert "Sales [/x]" in text
    assert not RAW.search(text)


CHECKS = {".csv": check_csv, ".xlsx": check_xlsx, ".parquet": check_parquet, ".json": check_json, ".html": check_html}


def test_every_writer_has_a_check():
    assert set(CHECKS) == set(WRITERS)


@pytest.mark.parametrize("suffix", sorted(WRITERS))
def test_writer(suffix, hostile, tmp_path):
    path = write_file(hostile, tmp_path / f"preview{suffix}")
    CHECKS[suffix](path, hostile)
    assert list(tmp_path.iterdir()) == [path]


def test_an_unknown_ending_is_said_with_those_that_are_known(hostile, tmp_path):
    with pytest.raises(UsageError, match=r"no format \".xls\".*\.xlsx"):
        write_file(hostile, tmp_path / "preview.xls")


def test_the_folder(hostile, tmp_path):
    paths = write_preview(hostile, tmp_path / "made" / "here")
    assert [str(path.relative_to(tmp_path / "made" / "here")) for path in paths] == [
        "assignments.parquet", "assignments.csv", "preview.xlsx", "groups.csv", "preview.json", "summary.html",
        "fix.csv", "fix-how-to.txt", "charts/groups.png", "charts/reasons.png",
    ]  # fmt: skip
    assert sorted(path for path in (tmp_path / "made" / "here").rglob("*") if path.is_file()) == sorted(paths)
    for path in paths:
        if path.suffix == ".csv":
            rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""))
            assert not [cell for row in rows for cell in row if RUNS.search(cell)], path
        elif path.suffix == ".png":
            assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_the_folder_is_its_owners_alone(sample, tmp_path):
    for path in write_preview(sample, tmp_path / "out"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "out" / "charts").stat().st_mode) == 0o700


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_a_folder_that_was_there_keeps_its_permissions(sample, tmp_path):
    tmp_path.chmod(0o755)
    write_preview(sample, tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_a_file_is_there_whole_or_as_it_was(sample, tmp_path, monkeypatch):
    path = tmp_path / "preview.json"
    path.write_text("before")

    def breaks(_preview, draft):
        draft.write_text("half")
        raise OSError("no space left")

    monkeypatch.setitem(files.WRITERS, ".json", breaks)
    with pytest.raises(OSError, match="no space left"):
        write_file(sample, path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_more_people_than_a_sheet_holds(sample, tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "ROWS_AT_MOST", 50)
    book = openpyxl.load_workbook(write_file(sample, tmp_path / "preview.xlsx"))
    assert book.sheetnames[0] == "Note"
    assert "The sheet People holds the first 50 of 200 rows" in book["Note"]["A2"].value
    assert book["People"].max_row == 51


def test_texts_of_a_workbook_come_back(tmp_path):
    texts = ["a & b < c > d", "two\nlines", "one\rline", " spaces ", "x" * 40_000, "Ünïcödé 漢字", "_x0041_"]
    path = tmp_path / "book.xlsx"
    workbook.write_workbook({"Sheet": pl.DataFrame({"text": texts, "number": range(7)})}, path)
    read = [row[0] for row in list(openpyxl.load_workbook(path)["Sheet"].values)[1:]]
    assert read[:4] == texts[:4]
    assert (len(read[4]), read[4][-1], read[5]) == (32_767, "…", texts[5])
    assert read[6] in ("_x0041_", "_x005F_x0041_")  # Excel shows the first; openpyxl may leave its way of writing


def test_an_empty_export(look, tmp_path):
    assert len(write_preview(look([]), tmp_path / "out")) == 10
