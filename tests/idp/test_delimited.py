"""Delimited text, case by case: encodings, delimiters, line ends, quotes, headers, rejected rows, true numbers."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from scimops.errors import SourceError, UsageError
from scimops.idp import delimited
from scimops.idp.delimited import read_delimited
from scimops.idp.encoding import encoding_of
from scimops.idp.scan import IrregularError, scan
from scimops.idp.table import Rejects, is_password, unique_headers

TEXT = "id;Name;Note\n007;Zoë Müller;a, b\n008;Åse;\n"
CELLS = [["007", "Zoë Müller", "a, b"], ["008", "Åse", ""]]


@pytest.mark.parametrize("wanted", [False, True])
@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", codecs.BOM_UTF8),
        ("utf-8", codecs.BOM_UTF8 * 2),
        ("utf-16-le", b""),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", b""),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("cp1252", b""),
    ],
)
def test_encodings(place: Any, seen: Any, encoding: str, mark: bytes, wanted: bool) -> None:
    table = read_delimited(place(mark + TEXT.encode(encoding)), encoding if wanted else None)
    assert table.encoding == encoding
    assert seen(table).cells == CELLS
    assert seen(table).lines == [2, 3]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_mark_and_with_foreign_letters(place: Any, seen: Any, encoding: str) -> None:
    text = "id,name,department\n" + "1,Анна Иванова,Отдел продаж\n2,山田太郎,営業部\n" * 900
    assert seen(read_delimited(place(text.encode(encoding)))).cells[1] == ["2", "山田太郎", "営業部"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_cp1252_is_found_out_whatever_the_line_ends(place: Any, seen: Any, end: str) -> None:
    table = read_delimited(place(TEXT.replace("\n", end).encode("cp1252")))
    assert (table.encoding, seen(table).cells) == ("cp1252", CELLS)


def test_cp1252_that_shows_only_after_megabytes_of_ascii_and_irregular_quotes(place: Any, seen: Any) -> None:
    data = b'a,b\n1,x"y\n' + b"1,2\n" * (6 << 18) + "3,Müller\n".encode("cp1252")
    table = read_delimited(place(data))
    assert (table.encoding, seen(table).cells[-1]) == ("cp1252", ["3", "Müller"])


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_single_damaged_bytes_reject_their_row_only(place: Any, seen: Any, mark: bytes) -> None:
    table = read_delimited(place(mark + "a,b\n1,Müller\n2,\n3,Zoë\n".encode().replace(b"2,", b"2,\xfc")))
    assert (table.encoding, seen(table).rows, seen(table).rejected) == ("utf-8", [1, 3], [(2, 3)])
    assert "no text" in table.rejected[0].reason


def test_utf16_that_ends_in_half_a_character(place: Any, seen: Any) -> None:
    table = read_delimited(place(TEXT.encode("utf-16")[:-3]))
    assert (seen(table).rows, seen(table).rejected) == ([1], [(2, 3)])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found_out(place: Any, seen: Any, delimiter: str) -> None:
    others = "".join({",", ";", "\t", "|"} - {delimiter})
    text = f'id{delimiter}"Last, First; x"\n007{delimiter}"{others}{others}"\n'
    table = read_delimited(place(text.encode()))
    assert (table.delimiter, seen(table).cells) == (delimiter, [["007", others * 2]])


@pytest.mark.parametrize(("said", "meant"), [("semicolon", ";"), ("TAB", "\t"), ("pipe", "|"), (",", ","), ("~", "~")])
def test_a_delimiter_that_is_said_counts(place: Any, said: str, meant: str) -> None:
    assert read_delimited(place(f"a{meant}b\n1{meant}2\n".encode()), None, said).headers == ["a", "b"]


@pytest.mark.parametrize("said", ["ab", '"', "\n", "\r", "é", "x", "7", " ", "\0"])
def test_what_cannot_delimit_is_refused(place: Any, said: str) -> None:
    with pytest.raises(UsageError):
        read_delimited(place(b"a,b\n"), None, said)


def test_unknown_encoding_is_refused_with_the_nearest(place: Any) -> None:
    with pytest.raises(UsageError, match="utf-16-le"):
        read_delimited(place(b"a,b\n"), "utf-16-leee")


@pytest.mark.parametrize(
    ("text", "cells", "rows", "lines"),
    [
        ("a,b\r\n1,2\n3,4\r\n", [["1", "2"], ["3", "4"]], [1, 2], [2, 3]),
        ("a,b\r1,2\r3,4\r", [["1", "2"], ["3", "4"]], [1, 2], [2, 3]),
        ("a,b\n1,2\r3,4\r\n5,6", [["1", "2"], ["3", "4"], ["5", "6"]], [1, 2, 3], [2, 3, 4]),
        ("a,b\n1,2\r\r\n3,4\n", [["1", "2"], ["3", "4"]], [1, 2], [2, 4]),
        ('a,b\n1,"x\ny"\n3,4\n', [["1", "x\ny"], ["3", "4"]], [1, 2], [2, 4]),
        ('a,b\r\n1,"x\r\n\r\ny"\r\n3,4', [["1", "x\r\n\r\ny"], ["3", "4"]], [1, 2], [2, 5]),
        ('a,b\n"x\ry",2\n3,4\n', [["x\ry", "2"], ["3", "4"]], [1, 2], [2, 4]),
        ("\n \na,b\n\n1,2\n   \n\n3,4\n\n\n", [["1", "2"], ["3", "4"]], [1, 2], [5, 8]),
        ("sep=;\na;b\n1;2\n", [["1", "2"]], [1], [3]),
        ("SEP=;\r\n\r\na;b\r\n1;2\r\n", [["1", "2"]], [1], [4]),
        ("sep=\t\na\tb\n1\t2,3\n", [["1", "2,3"]], [1], [3]),
        ("#TYPE Microsoft.Graph.User\na,b\n1,2\n", [["1", "2"]], [1], [3]),
        ("version:v1.0\na,b\n1,2\n", [["1", "2"]], [1], [3]),
        ('"a\nx",b\n1,2\n', [["1", "2"]], [1], [3]),
        ("a,b\n", [], [], []),
        ("a,b", [], [], []),
        ("a\n1\n\n  \n2\n", [["1"], ["2"]], [1, 2], [2, 5]),
        ('a\n""\n" "\n', [[""], [" "]], [1, 2], [2, 3]),
        ("a,b\n\ufeff1,2\n", [["\ufeff1", "2"]], [1], [2]),
        ('a,b\n1, "2"\n3,x"y"\n', [["1", ' "2"'], ["3", 'x"y"']], [1, 2], [2, 3]),
        ('a,b\n"say ""hi""",""\n', [['say "hi"', ""]], [1], [2]),
        ("a,b\nx\0y,\x1b[31m\n", [["x\0y", "\x1b[31m"]], [1], [2]),
        ("a,b\n=1+1,@x\n", [["=1+1", "@x"]], [1], [2]),
    ],
)
def test_lines_quotes_and_preambles(
    place: Any, seen: Any, text: str, cells: list[list[str]], rows: list[int], lines: list[int]
) -> None:
    found = seen(read_delimited(place(text.encode())))
    assert (found.cells, found.rows, found.lines, found.rejected) == (cells, rows, lines, [])


@pytest.mark.parametrize(
    ("body", "readable", "rejected", "reason"),
    [
        ("1,2\n3,4,5\n", [], [(1, 2)], "too short: 2 values, the header has 3"),
        ("1,2,3,4\n3,4,5\n", [2], [(1, 2)], "too long: 4 values, the header has 3"),
        ("1,2,3,\n3,4,5\n", [2], [(1, 2)], "too long"),
        ("\n1\n\n3,4,5\n\n6,7\n", [2], [(1, 3), (3, 7)], "too short: 1 values"),
        ('1,"2,3\n3,4,5\n6,7,8\n', [2, 3], [(1, 2)], "a quote without its partner"),
        ('1,"2"x,3\n3,4,5\n', [2], [(1, 2)], "a quote without its partner"),
        ('1,2,3\n3,4,"5', [1], [(2, 3)], "a quote without its partner"),
        ('1,"2,3\n3,4,5\n6,7,8\n9,"",0\n', [2, 3, 4], [(1, 2)], "a quote without its partner"),
        ('1,"2,3\n3,4,5\n6,7",8,9\n3,4,5\n', [2, 4], [(1, 2), (3, 4)], "a quote without its partner"),
        ('1,"two\nlines"\n3,4,5\n', [2], [(1, 2)], "too short: 2 values"),
    ],
)
def test_rows_that_cannot_be_read_are_rejected_with_their_number(
    place: Any, seen: Any, body: str, readable: list[int], rejected: list[tuple[int, int]], reason: str
) -> None:
    for end in ("\n", "\r\n", "\r"):
        table = read_delimited(place(("a,b,c\n" + body).replace("\n", end).encode()))
        found = seen(table)
        if readable or "," in body:
            assert found.rejected == rejected
            assert reason in table.rejected[0].reason
        if readable:
            assert found.rows == readable


def test_a_rejected_row_shows_its_text_unless_there_are_passwords(place: Any) -> None:
    assert read_delimited(place(b"a,b\nanna\n")).rejected[0].text == "anna"
    assert "s3cret" not in read_delimited(place(b"a,Password\n1,s3cret,x\n")).rejected[0].text


def test_of_many_rejected_rows_all_are_numbered_and_a_thousand_shown(place: Any) -> None:
    rejected = read_delimited(place(b"a,b\n" + b"x\n" * 1500 + b"1,2\n")).rejected
    assert [row.row for row in rejected] == list(range(1, 1501))
    assert [bool(row.text) for row in rejected] == [True] * 1000 + [False] * 500


@pytest.mark.parametrize("end", ["\n", "\r"])
def test_password_columns_are_gone_at_once(place: Any, end: str) -> None:
    source = place(f"user,Password [Required],passwordChanged{end}anna,s3cret,2026{end}".encode())
    table = read_delimited(source)
    assert table.headers == ["user", "passwordChanged"]
    assert "s3cret" not in str(table.read(table.headers).rows())
    with pytest.raises(KeyError):
        table.read(["Password [Required]"])
    assert not any(b"s3cret" in path.read_bytes() for path in source.workspace.folder.iterdir())


@pytest.mark.parametrize(
    "name",
    ["Password", "password_hash", "initialPassword", "Initial password [passwordProfile] Required", "PWD", "Passwort",
     "Kennwort", "userPassword", "One-time password", "Password Hash Function [UPLOAD ONLY]", "recovery_question",
     "attributes.Passwd", "Salt", "Contraseña", "Update password"],
)  # fmt: skip
def test_what_is_a_password_column(name: str) -> None:
    assert is_password(name)


@pytest.mark.parametrize(
    "name",
    ["Password never expires", "passwordChanged", "Last password change time stamp", "lastPasswordChangeDateTime",
     "Change Password at Next Sign-In", "passwordPolicies", "password_expired", "Secretary", "Department", "Compass",
     "Passport number", "password_changed_at"],
)  # fmt: skip
def test_what_is_only_about_passwords(name: str) -> None:
    assert not is_password(name)


def test_header_names_are_made_unique(place: Any, seen: Any) -> None:
    assert unique_headers(["a", "", " a ", "a (2)", "", "@row"]) == [
        "a", "column 2", "a (2)", "a (2) (2)", "column 5", "@row (2)",
    ]  # fmt: skip
    found = seen(read_delimited(place(b"a,,a,@line,*,^a$\n1,2,3,4,5,6\n")))
    assert found.headers == ["a", "column 2", "a (2)", "@line (2)", "*", "^a$"]
    assert found.cells == [["1", "2", "3", "4", "5", "6"]]


@pytest.mark.parametrize("name", ["users [1].csv", "users*.csv", "users?.csv", "~users.csv", "ü ser.csv"])
def test_a_file_name_is_never_a_pattern(place: Any, seen: Any, name: str) -> None:
    place(b"a,b\n8,9\n", "users1.csv")
    assert seen(read_delimited(place(b"a,b\n1,2\n", name))).cells == [["1", "2"]]


@pytest.mark.parametrize(
    "data",
    [b"\n\n", b"  \n", b"sep=;\n", b"#TYPE x\n\n", b"\xef\xbb\xbf", b'"a,b\n1,2\n', b'"a"b,c\n', b"\xff\xfe\x00"],
)
def test_without_a_header_there_is_no_export(place: Any, data: bytes) -> None:
    with pytest.raises(SourceError, match="header"):
        read_delimited(place(data))


@pytest.mark.parametrize("data", [b"a,b\n" + b"x" * (17 << 20), b"y" * (17 << 20), b'a,b\n1,"' + b"x," * (9 << 20)])
def test_a_line_without_end_is_refused(place: Any, data: bytes) -> None:
    with pytest.raises(SourceError, match="no end within 16,777,216 characters"):
        read_delimited(place(data))


def test_too_many_columns_are_refused(place: Any) -> None:
    with pytest.raises(SourceError, match="columns"):
        read_delimited(place(b"," * 30_000 + b"\n"))


def test_a_field_of_three_megabytes_and_three_hundred_columns(place: Any, seen: Any) -> None:
    head, row = ",".join(f"c{n}" for n in range(300)), ",".join(str(n) for n in range(299))
    found = seen(read_delimited(place(f'{head}\n{row},"{"x" * 3_000_000}\n"\n{row},1\n{row}\n'.encode())))
    assert (len(found.cells[0][299]), found.lines, found.rejected) == (3_000_001, [2, 4], [(3, 5)])
    assert len(seen(read_delimited(place(b'"' + b"h" * 200_000 + b'",b\n1,2\n'))).headers[0]) == 200_000


def test_a_changed_file_is_not_read_as_the_counted_one(place: Any) -> None:
    table = read_delimited(place(b"a,b\n1,2\n"))
    place(b"a,b\n1,2\n3,4\n")
    with pytest.raises(SourceError, match="changed"):
        table.read(["a"])


def test_a_record_lost_between_counting_and_reading_is_an_error(place: Any) -> None:
    source = place(b"a,b\n1,2\n3,4\n")
    encoding = encoding_of(source.path, source.head)
    layout = delimited._layout(source, encoding, None)
    body = scan(source, layout, layout.size or 0, Rejects())
    body.row, body.line = np.array([1, 2, 3]), np.array([2, 3, 4])
    for columns in (["a"], ["a", "b"]):
        with pytest.raises(Exception, match=r"(?i)height|length|records"):
            delimited._table(source, "utf-8", layout, body).read(columns)


def _both(source: Any) -> tuple[Any, ...]:
    """What the quick pass makes of a source, and what the careful one does."""
    encoding = encoding_of(source.path, source.head)
    layout = delimited._layout(source, encoding, None)
    assert layout.size is not None
    quick = scan(source, layout, encoding.mark + layout.size, Rejects())
    careful = delimited._rewrite(source, encoding, layout)
    return tuple((delimited._table(source, "utf-8", layout, body), body) for body in (quick, careful))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_quick_and_the_careful_pass_agree(place: Any, seen: Callable[..., Any], end: str) -> None:
    lines = ['1,"a, b",x', "short", "", "2,,", 'long,1,2,3,"4"', '3,"two', 'lines, ""quoted""",y', "  "]
    lines += ['"",é,\x1b', "4,5,6"]
    data = end.join(["\ufeffa,b,c", *lines * 40]).encode()
    (quick, quick_body), (careful, careful_body) = _both(place(data))
    assert vars(seen(quick)) == vars(seen(careful))
    assert quick_body.rejected == careful_body.rejected
    assert (quick.rows, len(quick.rejected)) == (280, 80)


@pytest.mark.parametrize(
    "body", ['1,2"3\n', '1,"2" \n', "1,2\r3,4\n", "\ufeff1,2\n", '1,"2\n', '1,2,"x\ny"\n', '"1""x,2\n']
)
def test_the_quick_pass_vouches_for_nothing_irregular(place: Any, body: str) -> None:
    with pytest.raises(IrregularError):
        _both(place(f"a,b\n{body}".encode()))
