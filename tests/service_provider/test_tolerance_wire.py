"""Bytes of a request: what is read, what is refused and as what."""

from __future__ import annotations

import json
from typing import Any

import pytest
from scim2_models import (
    EnterpriseUser,
    Group,
    InvalidFilterException,
    InvalidSyntaxException,
    InvalidValueException,
    PayloadTooLargeException,
    SCIMException,
    SearchRequest,
    User,
)

from scimops.attributes import ENTERPRISE
from scimops.service_provider.tolerance import normal_filter, normal_query, read_json
from scimops.service_provider.tolerance_filter import MAX_FILTER_DEPTH, MAX_FILTER_LENGTH
from scimops.service_provider.tolerance_wire import MAX_DEPTH, MAX_QUERY_BYTES

DEEP = b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1)


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b'{"userName": "a"}', {"userName": "a"}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('{"a": "Çağrı 🙂"}'.encode(), {"a": "Çağrı 🙂"}),
        (b'{"a": "\\ud83d\\ude42"}', {"a": "🙂"}),
        (b'{"formatted": "1 Road\\nTown\\r\\n\\tUS"}', {"formatted": "1 Road\nTown\r\n\tUS"}),
        (b'{"a": [1.5, -3, 1e3, true, null]}', {"a": [1.5, -3, 1000.0, True, None]}),
        (b'{"a": 9223372036854775807}', {"a": 2**63 - 1}),
        (b"{}", {}),
    ],
)
def test_json_is_read(body: bytes, wanted: Any) -> None:
    assert read_json(body) == wanted


@pytest.mark.parametrize(
    ("body", "error", "says"),
    [
        (b"", InvalidSyntaxException, "not JSON"),
        (b"{", InvalidSyntaxException, "line 1 column 2"),
        (b"[]", InvalidSyntaxException, "object"),
        (b'"text"', InvalidSyntaxException, "object"),
        (b"null", InvalidSyntaxException, "object"),
        (b'{"a": 1} {"b": 2}', InvalidSyntaxException, "Extra data"),
        (b'{"a": 1,}', InvalidSyntaxException, "not JSON"),
        (b"{'a': 1}", InvalidSyntaxException, "not JSON"),
        (b'{"a": NaN}', InvalidSyntaxException, "NaN"),
        (b'{"a": -Infinity}', InvalidSyntaxException, "Infinity"),
        (b'{"a": 1e999}', InvalidValueException, "too large"),
        (b'{"a": 9223372036854775808}', InvalidValueException, "too large"),
        (b'{"a": ' + b"9" * 100_000 + b"}", InvalidValueException, "too large"),
        (b'{"a": "\xff"}', InvalidSyntaxException, "UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', InvalidSyntaxException, "UTF-8"),
        ('{"a": "b"}'.encode("utf-16"), InvalidSyntaxException, "UTF-8"),
        (b'{"a": "x\\u0000"}', InvalidValueException, "control"),
        (b'{"a": ["x\\u001b[31m"]}', InvalidValueException, "control"),
        (b'{"a": {"b\\u0008": 1}}', InvalidValueException, "control"),
        (b'{"a": "\x7f"}', InvalidValueException, "control"),
        ('{"a": "\x85"}'.encode(), InvalidValueException, "control"),
        (b'{"a": "raw\x00nul"}', InvalidSyntaxException, "control character"),
        (b'{"a": "\\ud800"}', InvalidValueException, "surrogate"),
        (b'{"a": 1, "a": 1}', InvalidSyntaxException, "twice"),
        (b'{"x": {"userName": 1, "username": 1}}', InvalidSyntaxException, "twice"),
        (DEEP, InvalidSyntaxException, "deeper"),
        (b'{"a":' * 200_000, InvalidSyntaxException, "deeper"),
        (b"[" * 1_000_000, InvalidSyntaxException, "deeper"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_no_json_is_refused(body: bytes, error: type[SCIMException], says: str) -> None:
    with pytest.raises(error, match=says):
        read_json(body)


def test_a_body_has_limits() -> None:
    assert read_json(DEEP[5:-1])
    with pytest.raises(PayloadTooLargeException, match="11 bytes, 10"):
        read_json(b'{"a":"bcd"}', max_bytes=10)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (b"", {}),
        (b"Filter=userName%20eq%20%22a%22", {"filter": 'userName eq "a"'}),
        (b"startindex=0&COUNT=100&sortby=userName&sortorder=Descending",
         {"startIndex": "0", "count": "100", "sortBy": "userName", "sortOrder": "descending"}),
        (b"excludedattributes=members", {"excludedAttributes": "members"}),
        (b"attributes=emails%5Btype+eq+%22work%22%5D,%20id,,department",
         {"attributes": f"emails,id,{ENTERPRISE}:department"}),
        (b"filter=userName+eq+%22onelogin-test-user01%22&", {"filter": 'userName eq "onelogin-test-user01"'}),
        (b"filter=userName%20eq%20%22a+b@x.com%22", {"filter": 'userName eq "a+b@x.com"'}),
        (b"filter=userName+eq+%22a%2Bb@x.com%22", {"filter": 'userName eq "a+b@x.com"'}),
        (b'filter=userName eq "a+b"', {"filter": 'userName eq "a+b"'}),
        (b"aadOptscim062020&count=&cursor=", {"cursor": ""}),
        (b"count=5&Count=5", {"count": "5"}),
        (b"count=-1&startIndex=%2B7", {"count": "-1", "startIndex": "7"}),
        (b"count=99999999999999999999&startIndex=-99999999999999999999",
         {"count": "999999999", "startIndex": "-999999999"}),
        (b"filter=displayName+eq+%22%C3%87a%C4%9Fr%C4%B1%22", {"filter": 'displayName eq "Çağrı"'}),
    ],
)  # fmt: skip
def test_a_query_is_read(query: bytes, wanted: dict[str, str]) -> None:
    assert normal_query(query) == wanted


@pytest.mark.parametrize(
    ("query", "error"),
    [
        (b"filter=userName+eq+%22%FF%22", InvalidSyntaxException),
        (b"count=5&count=6", InvalidSyntaxException),
        (b"filter=userName+pr&Filter=id+pr", InvalidSyntaxException),
        (b"count=ten", InvalidValueException),
        (b"startIndex=1.0", InvalidValueException),
        ("count=٣".encode(), InvalidValueException),
        (b"filter=", InvalidFilterException),
        (b"filter", InvalidFilterException),
        (b"filter=userName+eq+%22a%00%22", InvalidValueException),
        (b"filter=userName+eq+%22a%5Cu0000%22", InvalidValueException),
        (b"filter=displayName+eq+%22R&D%22", InvalidFilterException),
        (b"filter=userName+eq+%22" + b"a" * MAX_FILTER_LENGTH + b"%22", InvalidFilterException),
        (b"filter=" + b"(" * (MAX_FILTER_DEPTH + 1) + b"id+pr" + b")" * (MAX_FILTER_DEPTH + 1), InvalidFilterException),
        (b"a=" + b"b" * MAX_QUERY_BYTES, InvalidSyntaxException),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_no_query_is_refused(query: bytes, error: type[SCIMException]) -> None:
    with pytest.raises(error):
        normal_query(query)


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        ('userName eq "a"', 'userName eq "a"'),
        ("userName eq bjensen@x.com", 'userName eq "bjensen@x.com"'),
        ("userName eq 'b jensen'", 'userName eq "b jensen"'),
        ("userName EQ 'say \"x\"'", 'userName eq "say \\"x\\""'),
        ("displayName eq O'Brien", 'displayName eq "O\'Brien"'),
        (r"userName eq CORP\ann", r'userName eq "CORP\\ann"'),
        ("externalId eq 701984", 'externalId eq "701984"'),
        ("externalId eq 007", 'externalId eq "007"'),
        ("userName eq true", 'userName eq "true"'),
        ("id eq 12", 'id eq "12"'),
        ("active eq True", "active eq true"),
        ('active eq "False"', "active eq false"),
        ("active eq 'false' and title pr", "active eq false and title pr"),
        ("title eq NULL", "title eq null"),
        ('emails[primary eq "True"].value eq a@x.com', 'emails[primary eq true].value eq "a@x.com"'),
        ('emails[type eq "work"] pr', 'emails[type eq "work"]'),
        ('emails[type eq "work"].value pr', 'emails[type eq "work"].value pr'),
        ("emails[type eq work and value co x.com]", 'emails[type eq "work" and value co "x.com"]'),
        ("not (userName eq a or userName eq b)", 'not (userName eq "a" or userName eq "b")'),
        ("NOT(title PR)", "not(title pr)"),
        ("department eq Sales", f'{ENTERPRISE}:department eq "Sales"'),
        (f"{ENTERPRISE}:manager eq a1", f'{ENTERPRISE}:manager.value eq "a1"'),
        ("id eq a0-b0 and manager eq 00aa", f'id eq "a0-b0" and {ENTERPRISE}:manager.value eq "00aa"'),
        ("manager pr", f"{ENTERPRISE}:manager pr"),
        ("meta.Created gt 2015-10-10T14:38:21.86-07:00", 'meta.Created gt "2015-10-10T14:38:21.86-07:00"'),
        ("name.FamilyName eq Employee and (emails.Value co a.com or emails.Value co b.org)",
         'name.FamilyName eq "Employee" and (emails.Value co "a.com" or emails.Value co "b.org")'),
    ],
)  # fmt: skip
def test_a_filter_is_put_into_the_grammar(sent: str, wanted: str) -> None:
    assert normal_filter(sent) == wanted
    assert normal_filter(wanted) == wanted
    assert SearchRequest[User[EnterpriseUser]](filter=wanted).filter == wanted


def test_a_filter_on_members() -> None:
    assert normal_filter("id eq g1 and members eq 12") == 'id eq "g1" and members eq "12"'
    assert SearchRequest[Group](filter=normal_filter("members[value eq 12] pr"))


@pytest.mark.parametrize(
    "sent", ["userName eq John Smith", "userName", "eq", "userName eq", "(", 'emails[type eq "work"', "userName = x",
             'userName eq "a" title pr', "userName eq (a)", "userName eq a)", 'userName eq "\\x"']
)  # fmt: skip
def test_what_is_no_filter_stays_for_scim2_models_to_refuse(sent: str) -> None:
    with pytest.raises(ValueError, match="filter"):
        SearchRequest[User[EnterpriseUser]](filter=normal_filter(sent))


def test_details_hold_no_value() -> None:
    body = json.dumps({"password": "s3cret\x00"}).encode()
    with pytest.raises(InvalidValueException) as caught:
        read_json(body)
    assert "s3cret" not in str(caught.value)
