"""JSON exports: documents, pages, NDJSON; what breaks off is known for a part."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scimops.errors import IncompleteSourceError, SourceError, UsageError
from scimops.idp import read_export
from scimops.idp.documents import RECORD_KEYS, read_documents

PEOPLE = [
    {"userName": "anna", "id": 7, "active": True},
    {"userName": "bo", "id": None, "emails": [{"value": "b@x.org"}]},
]


def dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def lines(*values: Any, end: str = "\n") -> bytes:
    return end.join(json.dumps(value, ensure_ascii=False) for value in values).encode()


@pytest.mark.parametrize("key", RECORD_KEYS[:1] + RECORD_KEYS[2:])
def test_a_page_keeps_its_records_under_a_known_key(place: Any, seen: Any, key: str) -> None:
    found = seen(read_documents(place(dump({"meta": {"a": [1]}, key: PEOPLE, "done": True}), "users.json")))
    assert found.headers == ["userName", "id", "active", "emails"]
    assert found.cells == [["anna", "7", "true", ""], ["bo", "", "", ["b@x.org"]]]


@pytest.mark.parametrize(
    ("data", "rows", "at"),
    [
        (dump(PEOPLE), 2, [1, 1]),
        (json.dumps(PEOPLE, indent=1).encode(), 2, [2, 7]),
        (dump(PEOPLE[0]), 1, [1]),
        (b"\n\n " + dump(PEOPLE[0]) + b"\n", 1, [3]),
        (lines(*PEOPLE), 2, [1, 2]),
        (lines(*PEOPLE, end="\r\n") + b"\r\n\r\n", 2, [1, 2]),
        (b"\n" + lines(*PEOPLE, end="\n\n"), 2, [2, 4]),
        (b"[]", 0, []),
        (b'{"value": [ ]}', 0, []),
        (b'{"schemas": ["x"], "totalResults": 0}', 0, []),
        (b"{}", 1, [1]),
    ],
)
def test_documents_lists_and_lines(place: Any, seen: Any, data: bytes, rows: int, at: list[int]) -> None:
    table = read_documents(place(data, "users.json"))
    assert (table.rows, seen(table).lines, table.broken) == (rows, at, "")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("ndjson", [False, True])
def test_encodings(place: Any, seen: Any, encoding: str, ndjson: bool) -> None:
    people = [{"userName": f"anna.{n}", "name": "Zoë Müller\xa0"} for n in range(3)]
    text = lines(*people) if ndjson else dump(people)
    found = seen(read_documents(place(text.decode().encode(encoding), "users.json")))
    assert [row[1] for row in found.cells] == ["Zoë Müller\xa0"] * 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_line_separators_of_unicode_do_not_end_a_record(place: Any, seen: Any, encoding: str) -> None:
    people = [{"note": "a\u2028b\x85c\u2029"}, {"note": "d"}]
    found = seen(read_documents(place(lines(*people).decode().encode(encoding), "users.ndjson")))
    assert found.cells == [["a\u2028b\x85c\u2029"], ["d"]]


@pytest.mark.parametrize("bad", [b'{"a": "b"', b"[1]", b'"text"', b'{"a": "\\ud800"}', b'{"a": "\xff"}', b"nul"])
def test_a_bad_line_is_rejected_and_the_next_read(place: Any, seen: Any, bad: bytes) -> None:
    data = lines({"a": "1"}, {"a": "ö"}) + b"\n" + bad + b"\n" + lines({"a": "3"})
    table = read_documents(place(data, "users.ndjson"))
    assert (seen(table).rows, seen(table).rejected, table.broken) == ([1, 2, 4], [(3, 3)], "")


def test_damaged_characters_reject_their_record_only(place: Any, seen: Any) -> None:
    data = '[{"a": "é"}, {"a": "x~"}, {"a": "ö"}]'
    for encoding, broken in (("utf-8", b"\xff"), ("utf-16-le", b"\x00\xd8")):
        raw = data.encode(encoding).replace("~".encode(encoding), broken)
        assert seen(read_documents(place(raw, "users.json"))).rows == [1, 3]


@pytest.mark.parametrize(
    "record",
    [
        {"password": "s3cret"}, {"credentials": {"password": {"value": "s3cret"}}}, {"userPassword": ["s3cret"]},
        {"attributes": [{"name": "Password", "value": "s3cret"}]}, {"recovery_question": {"answer": "s3cret"}},
        {"passwordProfile": {"password": "s3cret"}},
    ],
)  # fmt: skip
def test_passwords_are_gone_at_once(place: Any, record: dict[str, Any]) -> None:
    table = read_documents(place(dump([record | {"id": "1"}]), "users.json"))
    assert (table.headers, table.read(["id"])["id"].to_list()) == (["id"], ["1"])
    rejected = read_documents(place(dump([[record]]), "users.json")).rejected
    assert "s3cret" not in rejected[0].text


def test_numbers_stay_as_written(place: Any, seen: Any) -> None:
    found = seen(read_documents(place(b'[{"a": 12345678901234567890123, "b": 1.50, "c": 1e3, "d": NaN, "e": false}]')))
    assert found.cells == [["12345678901234567890123", "1.50", "1e3", "NaN", "false"]]


def test_columns_named_like_ours(place: Any, seen: Any) -> None:
    assert seen(read_documents(place(b'[{"@row": "x", "@line": "y"}]'))).cells == [["x", "y"]]


def test_only_bulk_operations_with_a_whole_user_are_users(place: Any, seen: Any) -> None:
    operations = [{"method": "POST", "data": {"userName": "a"}}, {"method": "delete"}, {"method": "PUT"}]
    table = read_documents(place(dump({"schemas": [], "Operations": operations}), "bulk.json"))
    assert seen(table).cells == [["a"]]
    assert ["DELETE" in row.reason.upper() for row in table.rejected] == [True, False]


WHOLE = json.dumps({"schemas": ["s"], "value": [{"userPrincipalName": f"u{n}@example.com", "id": n} for n in range(3)]})


@pytest.mark.parametrize("cut", range(1, len(WHOLE)))
@pytest.mark.parametrize("name", ["userPrincipalName", "somethingElseHere"])
def test_a_document_cut_anywhere_is_never_a_smaller_company(place: Any, cut: int, name: str) -> None:
    source = place(WHOLE.replace("userPrincipalName", name)[:cut].encode(), "users.json")
    with pytest.raises(IncompleteSourceError) as caught:
        read_export(source.path)
    assert caught.value.exit_code == 5
    assert read_documents(source).broken


@pytest.mark.parametrize(
    "text",
    [WHOLE + "x", WHOLE + WHOLE, WHOLE + "\n" + WHOLE + "]", "[1] [2]", '{"value": [{"id": "1"} {"id": "2"}]}', "[{},]",
     '{"value": [{"id": "1"}],}', '{"value" [{"id": "1"}]}', "[" * 100_000, '[{"a":' * 50_000,
     '{"value": [{"a": tru}]}'],
)  # fmt: skip
def test_what_is_no_json_is_a_part_too(place: Any, text: str) -> None:
    with pytest.raises((IncompleteSourceError, SourceError)):
        read_export(place(text.encode(), "users.json").path)


def test_a_page_without_users_and_with_a_key_without_a_name(place: Any) -> None:
    assert read_export(place(b'{"": 1, "value": []}', "users.json").path).shape.name == "generic"


def test_the_last_line_cut_off_is_a_part(place: Any) -> None:
    people = [{"userPrincipalName": f"u{n}", "businessPhones": ["1"]} for n in range(3)]
    source = place(lines(*people)[:-4], "users.ndjson")
    with pytest.raises(IncompleteSourceError, match="line 3"):
        read_export(source.path)
    export = read_export(source.path, allow_incomplete=True)
    assert (export.rows, len(export.rejected), export.complete) == (3, 1, False)


@pytest.mark.parametrize(
    ("page", "missing"),
    [
        ({"totalCount": 250}, "250 users in all and holds 1"),
        ({"totalResults": 2}, "2 users in all and holds 1"),
        ({"@odata.count": "1,5"}, None),
        ({"@odata.count": 1}, None),
        ({"totalResults": True}, None),
        ({"@odata.nextLink": "https://graph.example.com/x"}, "a next page"),
        ({"nextPageToken": "t"}, "a next page"),
        ({"nextPageToken": ""}, None),
        ({"pagination": {"after_cursor": "c"}}, "a next page"),
        ({"pagination": {"after_cursor": None}}, None),
        ({"total": 1, "nextPageToken": "t"}, None),
    ],
)
def test_a_page_says_what_is_missing(place: Any, page: dict[str, Any], missing: str | None) -> None:
    record = {"userPrincipalName": "anna@example.com", "businessPhones": []}
    for data in (page | {"value": [record]}, {"value": [record]} | page):
        path = place(dump(data), "users.json").path
        export = read_export(path, allow_incomplete=True)
        assert (export.missing is None) == (missing is None)
        assert not missing or missing in str(export.missing)
        if missing:
            with pytest.raises(IncompleteSourceError, match=missing):
                read_export(path)


def test_all_pages_together_are_complete(tmp_path: Any) -> None:
    paths = [tmp_path / f"{n}.json" for n in range(3)]
    for n, path in enumerate(paths):
        path.write_bytes(dump({"totalCount": 3, "value": [{"userPrincipalName": f"u{n}", "mailNickname": "n"}]}))
    assert read_export(*paths).complete
    with pytest.raises(IncompleteSourceError, match="3 users in all and holds 2"):
        read_export(*paths[:2])
    paths[2].write_bytes(paths[1].read_bytes())
    with pytest.raises(UsageError, match="the same page"):
        read_export(*paths)


def test_too_many_attributes_are_refused(place: Any) -> None:
    with pytest.raises(SourceError, match="5,000 different attributes"):
        read_documents(place(dump([{f"a{n}": "x"} for n in range(6000)]), "users.json"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(JSON, max_size=5), st.sampled_from([None, 2]))
def test_any_list_of_values_is_accounted_for(place: Any, seen: Any, values: list[Any], indent: int | None) -> None:
    table = read_documents(place(json.dumps({"value": values}, indent=indent).encode(), "users.json"))
    assert (table.rows, table.broken) == (len(values), "")
    objects = [number for number, value in enumerate(values, 1) if isinstance(value, dict)]
    assert set(seen(table).rows) <= set(objects)
    refused = [row.row for row in table.rejected if row.row in objects]
    assert all("\\ud" in json.dumps(values[row - 1]) for row in refused)
