"""Who may call the management API, and what becomes of requests that are none."""

from __future__ import annotations

import base64
import http.client
import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from managing import COMPANY, ManagementClient, Platform

from scimops.service_provider import directory
from scimops.service_provider.authentication import FAILURES
from scimops.service_provider.database import Database
from scimops.service_provider.management import access


def test_a_token_is_asked_for_with_a_form_and_nothing_else(platform: Platform, company: str) -> None:
    form = platform.form(platform.credential(company))
    answer = platform.http.post("/connect/token", data=form)
    assert answer.json() == {
        "access_token": answer.json()["access_token"], "expires_in": 3600, "token_type": "Bearer", "scope": "api1"
    }  # fmt: skip
    assert answer.headers["cache-control"] == "no-store"
    for refused in (
        platform.http.post("/connect/token", json=form),
        platform.http.post("/connect/token", content=b"grant_type=%ff", headers={"Content-Type": access.FORM}),
        platform.http.post("/connect/token", content=b"\xff\x00", headers={"Content-Type": access.FORM}),
        platform.http.post("/connect/token", data={**form, "grant_type": "password"}),
        platform.http.post("/connect/token", data={**form, "scope": "api2"}),
        platform.http.post("/connect/token", data={**form, "client_id": ["a", "b"]}),
        platform.http.post("/connect/token", data={key: form[key] for key in form if key != "client_secret"}),
    ):
        assert refused.status_code == 400
        assert set(refused.json()) == {"error", "error_description"}
    assert platform.http.get("/connect/token").status_code == 405


def test_a_wrong_credential_is_401_and_says_not_what_is_wrong(platform: Platform, company: str) -> None:
    form = platform.form(platform.credential(company))
    other = platform.form(platform.credential(company))
    wrong = [
        {"client_secret": "x"},
        {"client_id": "x"},
        {"client_id": "\x00"},
        {"client_secret": other["client_secret"]},
    ]
    answers = [platform.http.post("/connect/token", data={**form, **change}) for change in wrong]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1


def test_failures_are_slowed_down_and_a_right_secret_still_works(platform: Platform, company: str) -> None:
    form = platform.form(platform.credential(company))
    statuses = [
        platform.http.post("/connect/token", data={**form, "client_secret": "x"}).status_code
        for _ in range(FAILURES + 2)
    ]
    assert statuses == [401] * FAILURES + [429, 429]
    late = platform.http.post("/connect/token", data={**form, "client_secret": "x"})
    assert 1 <= int(late.headers["retry-after"]) <= 60
    assert platform.http.post("/connect/token", data=form).status_code == 200


def test_an_access_token_is_taken_only_as_it_was_made(platform: Platform, admin: ManagementClient) -> None:
    token = admin.headers["Authorization"].removeprefix("Bearer ")
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    forged = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "x"}).encode()).rstrip(b"=").decode()
    for wrong in (
        "", "Bearer", f"Basic {token}", f"Bearer {token}x", f"Bearer {none}.{body}.",
        f"Bearer {none}.{body}.{signature}", f"Bearer {head}.{forged}.{signature}", f"Bearer {head}.{body}",
        "Bearer a.b.c", "Bearer é.é.é", "Bearer " + "." * 5000,
    ):  # fmt: skip
        answer = platform.http.get("/api/companies/my", headers={"Authorization": wrong.encode("latin-1")})
        assert answer.status_code == 401, wrong
        assert answer.headers["www-authenticate"] == "Bearer"
    assert platform.http.get("/api/companies/my").status_code == 401


def test_an_access_token_ends_after_an_hour_and_with_its_credential(database: Database, company: str) -> None:
    key = "ab" * 32
    with database.write() as connection:
        made = directory.create_credential(connection, company)
        good = {"sub": made.client_id, "scope": "api1", "exp": 2**40}

        def ask(claims: dict[str, object], signed_by: str = key) -> str:
            return access.caller_of(connection, f"Bearer {access.sign(claims, signed_by)}", key, "", "").client_id

        assert ask(good) == made.client_id
        for claims, signed_by in ((good | {"exp": 1}, key), (good | {"sub": "gone"}, key), (good, "cd" * 32)):
            with pytest.raises(access.Refusal, match="access token") as refused:
                ask(claims, signed_by)
            assert refused.value.status == 401


def test_a_reseller_says_for_which_company(platform: Platform, company: str) -> None:
    with platform.database.write() as connection:
        other = directory.create_company(connection, "Other Ltd", seats=5)
    reseller = platform.client(None)
    assert "header" in reseller.refused(400, "GET", "/api/target-groups")["message"]
    for wrong in ("abcdefghjkmn", "x' OR 1=1", "x" * 300):
        reseller.refused(403, "GET", "/api/target-groups", headers={COMPANY: wrong})
    for one in (company, other):
        acting = platform.client(None, acting_for=one)
        acting.data("POST", "/api/target-groups", {"name": f"Group of {one}", "priority": "Low"})
        assert [group["name"] for group in acting.data("GET", "/api/target-groups")] == [f"Group of {one}"]
    assert {row["resourceId"] for row in reseller.data("GET", "/api/companies/my")} == {company, other}
    assert reseller.search("/api/companies/search")["totalNumberOfRecords"] == 2
    found = reseller.search("/api/companies/search", "OTHER")["results"]
    assert [(row["companyResourceId"], row["numberOfUsers"], row["isNumberOfUsersLimited"]) for row in found] == [
        (other, "5", True)
    ]


def test_a_company_speaks_for_itself_only(platform: Platform, admin: ManagementClient, company: str) -> None:
    with platform.database.write() as connection:
        other = directory.create_company(connection, "Other Ltd")
    assert admin.data("GET", "/api/target-groups", headers={COMPANY: company}) == []
    admin.refused(403, "GET", "/api/target-groups", headers={COMPANY: other})
    admin.refused(403, "GET", "/api/companies/my", headers={COMPANY: other})
    assert [row["resourceId"] for row in admin.data("GET", "/api/companies/my")] == [company]
    assert admin.search("/api/companies/search")["totalNumberOfRecords"] == 1


DEEP = b"[" * 100_000 + b"]" * 100_000
BODIES = {
    "not JSON": b"{", "nothing": b"", "not UTF-8": b'{"name":"\xff"}', "UTF-16": '{"name":"a"}'.encode("utf-16"),
    "deep": DEEP, "deep object": b'{"name":' * 5000 + b"1" + b"}" * 5000, "NUL": b'{"name":"a\\u0000"}',
    "half a character": b'{"name":"\\ud800"}', "NUL in a key": b'{"na\\u0000me":"a"}', "NaN": b'{"name":NaN}',
    "Infinity": b'{"pageSize":1e999}', "a number too long": b'{"pageSize":' + b"9" * 5000 + b"}",
    "a huge number": b'{"name":1e308,"pageNumber":1e308}', "a list": b"[]", "a text": b'"x"', "null": b"null",
    "a number": b"1",
    "wrong types": b'{"name":{},"priority":[],"filter":7,"email":[1],"phoneNumber":true}',
    "bell": b'{"name":"a\\u0007","priority":"Low"}', "unknown key": b'{"name":"a","priority":"Low","nmae":1}',
}  # fmt: skip


def test_malformed_bodies_are_400_on_every_path_that_takes_one(platform: Platform, admin: ManagementClient) -> None:
    from scimops.service_provider.management import ACTIONS

    with_body = [(m, path) for path, actions in ACTIONS.items() for m, action in actions.items() if action.body]
    assert len(with_body) > 12
    headers = admin.headers | {"Content-Type": "application/json"}
    for method, path in with_body:
        for what, body in BODIES.items():
            if what in ("bell", "unknown key") and path != "/api/target-groups":
                continue
            url = path.replace("{id}", "abcdefghjkmn")
            answer = platform.http.request(method, url, content=body, headers=headers)
            assert answer.status_code == 400, (method, path, what, answer.text)
            assert answer.json()["message"], what


VALID: dict[str, dict[str, object]] = {
    "/api/scim": {"name": "A", "groupResourceId": None, "groupBySCIMFieldResourceId": "department",
                  "fieldMappings": [], "syncPlatformGroup": False,
                  "scimops": {"aliases": {"a": "b"}, "identity": {"externalId": "id"}, "scope": {"user_types": ["x"]},
                              "seats": 1, "columns": {"email": "mail"}, "max_age": "7d", "token_name": "t",
                              "field_mappings": [{"attribute": "title", "field": "Title"}]}},
    "/api/target-groups": {"name": "A", "priority": "Low"},
    "/api/target-users": {"email": "a@example.com", "phoneNumber": "1", "customFields": [{"resourceId": "x"}],
                          "isActive": True, "targetGroupResourceIds": []},
    "/api/custom-fields": {"name": "A", "ownerType": "Company", "fieldDataType": "Text", "sortOrder": 1},
    "/api/target-users/search": {"pageNumber": 1, "pageSize": 5, "orderBy": "Email", "ascending": True,
                                 "filter": {"searchInputTextValue": "a", "condition": "AND", "filterGroups": []}},
    "/api/enrollments/search": {"pageNumber": 1, "pageSize": 5, "orderBy": "Name", "ascending": True, "filter": {}},
}  # fmt: skip
ODD: list[object] = [
    None, True, 0, -1, 2**31, 2**63, 2**64, 1.5, 1e300, "", " ", "\n", "a" * 5000, "\u202e", "İ", "😀", "%", "'", "{}",
    [], {}, [None], {"": ""}, [[[[]]]], {"a": {"b": 1}}, "9999999999999999999", "scimops",
]  # fmt: skip


def test_bodies_with_one_odd_value_are_answered_and_never_a_fault(platform: Platform, admin: ManagementClient) -> None:
    counts: dict[int, int] = {}
    for path, valid in VALID.items():
        for body in with_odd_values(valid):
            answer = platform.http.post(path, json=body, headers=admin.headers)
            counts[answer.status_code] = counts.get(answer.status_code, 0) + 1
            assert answer.status_code in (200, 400, 409), (path, body, answer.text)
    assert counts[400] > 400


def with_odd_values(valid: dict[str, object]) -> Iterator[dict[str, object]]:
    """`valid` with one value after the other replaced by one odd value after the other."""
    for key, value in valid.items():
        for odd in ODD:
            yield {**valid, key: odd}
        if isinstance(value, dict):
            for inner in with_odd_values(value):
                yield {**valid, key: inner}


def test_of_two_at_once_one_gets_the_name(platform: Platform, admin: ManagementClient) -> None:
    bodies: dict[str, dict[str, object]] = {
        "/api/scim": {"name": "Twice"}, "/api/target-groups": {"name": "Twice", "priority": "Low"},
        "/api/custom-fields": {"name": "Twice", "ownerType": "Company", "fieldDataType": "Text"},
        "/api/target-users": {"email": "twice@example.com", "phoneNumber": "1"},
    }  # fmt: skip
    with ThreadPoolExecutor(8) as pool:
        for path, body in bodies.items():
            asked = [pool.submit(platform.http.post, path, json=body, headers=admin.headers) for _ in range(8)]
            assert sorted(one.result().status_code for one in asked) == [200] + [409] * 7, path


def test_strange_requests_are_refused_and_never_a_fault(
    platform: Platform, admin: ManagementClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "scimops")
    for path in ("%00", "%FF%FE", "%ED%A0%80", "..%2F..", "a" * 2000, "'; drop table users", "%F0%9F%92%A9"):
        for under in ("scim", "target-groups", "target-users", "jobs", "enrollments", "scim/x/scimops/tokens"):
            assert admin.refused(404, "DELETE" if under.endswith("tokens") else "GET", f"/api/{under}/{path}")
    assert admin.refused(404, "GET", "/api/nothing/here")
    assert admin.refused(405, "PATCH", "/api/scim")
    assert admin.call("DELETE", "/api/scim/search").status_code == 405
    assert admin.call("PUT", "/api/target-groups").headers["allow"] == "GET, POST"
    big = b'{"name":"' + b"x" * (1 << 20) + b'"}'
    headers = admin.headers | {"Content-Type": "application/json"}
    assert platform.http.post("/api/scim", content=big, headers=headers).status_code == 413
    assert platform.http.post("/api/scim", content=iter([big]), headers=headers).status_code == 413
    text = admin.headers | {"Content-Type": "text/xml"}
    assert platform.http.post("/api/scim", content=b"<a/>", headers=text).status_code == 415
    assert raw(platform.url, "GET", "/api/companies/my", {"Authorization": b"Bearer \xff\xfe"}) == 401
    assert raw(platform.url, "GET", "/api/companies/my", admin.headers | {"User-Agent": b"\xff\xfe\x01"}) == 200
    assert not caplog.records


def raw(url: str, method: str, path: str, headers: dict[str, str | bytes]) -> int:
    """The status of a request whose headers no client library would send."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    connection.putrequest(method, path)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    return connection.getresponse().status


def test_a_database_that_is_away_is_503_and_nothing_is_lost(platform: Platform, admin: ManagementClient) -> None:
    broken = platform.database.engine

    class Away:
        dialect = broken.dialect

        def connect(self) -> object:
            import sqlalchemy as sa

            raise sa.exc.OperationalError("select", {}, Exception("away"))

    object.__setattr__(platform.database, "engine", Away())
    try:
        answer = admin.call("GET", "/api/target-groups")
    finally:
        object.__setattr__(platform.database, "engine", broken)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert admin.data("GET", "/api/target-groups") == []
