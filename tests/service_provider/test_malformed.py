"""Whatever comes in, what goes out is a SCIM error (RFC 7644 §3.12) with a status as text, never a 500."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from serving import new_subject, served
from test_placement import by_department, person

USER = json.dumps(person("anna", "Sales"))
BODIES = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "null": b"null",
    "NUL": USER.replace("Sales", "Sa\\u0000les").encode(),
    "half a character": USER.replace("Sales", "\\ud800").encode(),
    "cut UTF-8": USER.encode()[:-3] + b"\xff\xfe}",
    "UTF-16": USER.encode("utf-16"),
    "deep": b'{"x":' * 5000 + b"1" + b"}" * 5000,
    "a huge number": b'{"userName": 1' + b"0" * 5000 + b"}",
    "no number": b'{"userName": NaN}',
    "a huge exponent": b'{"userName": 1e999999}',
    "wrong types": b'{"schemas": 1, "userName": {"a": []}, "emails": true, "name": [1], "active": {}}',
    "e-mails of numbers": b'{"userName": "x", "emails": [1, [2], null, {"value": {"x": 1}}]}',
    "too long": b'{"userName": "' + b"x" * (17 << 20) + b'"}',
    "operations of nothing": b'{"Operations": [null, 1, {}]}',
    "no operation": b'{"Operations": []}',
    "bad path": b'{"Operations": [{"op": "replace", "path": "emails[type eq", "value": 1}]}',
    "unknown operation": b'{"Operations": [{"op": "move", "path": "title", "value": "x"}]}',
    "many operations": json.dumps(
        {"Operations": [{"op": "replace", "path": "title", "value": str(n)} for n in range(20_000)]}
    ).encode(),
    "members of nothing": b'{"displayName": "G", "members": [{"value": null}, {"value": "unknown"}]}',
    "bulk of nothing": b'{"Operations": [{"method": "POST", "path": "/Users"}, {"method": 1}]}',
}
QUERIES = [
    "filter=", "filter=(", "filter=userName", "filter=userName%20eq%20%00", "filter=userName%20eq%20%22%ED%A0%80%22",
    "filter=%FF%FE", "filter=" + "(" * 5000 + ")" * 5000, "filter=userName%20regex%20%22x%22", "filter=nothing%20pr",
    "filter=emails%5Btype%20eq%20%22work%22", "filter=meta.created%20gt%20%22yesterday%22", "sortBy=nothing",
    "startIndex=x", "count=1e9", "count=-1", "startIndex=99999999999999999999", "count=99999999999999999999",
    "cursor=nonsense", "cursor=&startIndex=1", "attributes=%00", "attributes=a%5B", "excludedAttributes=...",
]  # fmt: skip


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    from scimops.service_provider.database import open_database
    from scimops.service_provider.migrations import migrate

    database = open_database(f"sqlite:///{tmp_path_factory.mktemp('malformed') / 'platform.db'}")
    migrate(database)
    with served(database, new_subject(database, by_department())) as client:
        yield client
    database.close()


def is_an_error_or_good(answer: httpx2.Response) -> None:
    assert answer.status_code < 500 or answer.status_code == 501, answer.text  # 501: /Me (RFC 7644 §3.11)
    if answer.status_code >= 400:
        error: dict[str, Any] = answer.json()
        assert error["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
        assert error["status"] == str(answer.status_code)
        assert answer.headers["content-type"] == "application/scim+json"


@pytest.mark.parametrize("method", ["POST /Users", "PUT /Users/{id}", "PATCH /Users/{id}", "POST /Groups", "POST /Bulk",
                                    "POST /Users/.search", "POST /.search"])  # fmt: skip
@pytest.mark.parametrize("body", BODIES)
def test_a_malformed_body_is_answered(client: httpx2.Client, method: str, body: str) -> None:
    found = client.get("/Users", params={"filter": 'userName eq "kept@example.com"'}).json().get("Resources")
    user = (found or [client.post("/Users", json=person("kept", "Sales")).json()])[0]
    verb, path = method.format(id=user["id"]).split(" ")
    is_an_error_or_good(client.request(verb, path, content=BODIES[body]))


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("path", ["/Users", "/Groups", "/"])
def test_a_malformed_query_is_answered(client: httpx2.Client, path: str, query: str) -> None:
    is_an_error_or_good(client.get(f"{path}?{query}"))


@pytest.mark.parametrize(
    "path", ["/Nothing", "/Users/%00", "/Users/%FF", "/Users/a/b/c", "/Me", "/Users/..%2F..", "//"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "NONSENSE"])
def test_a_strange_path_or_method_is_answered(client: httpx2.Client, method: str, path: str) -> None:
    is_an_error_or_good(client.request(method, path, content=b"{}"))


def test_headers_that_are_no_text_are_answered(client: httpx2.Client) -> None:
    headers = {"If-Match": b"\xff\xfe", "X-Odd": b"\xe9", "Content-Type": b"application/scim+json; charset=\xff"}
    is_an_error_or_good(client.post("/Users", content=USER.encode(), headers=headers))
    is_an_error_or_good(client.post("/Users", content=b"x", headers={"Content-Type": "text/plain"}))


def test_a_full_disk_is_503_and_recovers_by_itself(tmp_path: Any) -> None:
    import sqlalchemy as sa

    from scimops.service_provider.database import open_database
    from scimops.service_provider.migrations import migrate

    database = open_database(f"sqlite:///{tmp_path / 'platform.db'}")
    migrate(database)
    full = True

    @sa.event.listens_for(database.engine, "begin")
    def _limit(connection: sa.Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages if full else 1 << 30}")

    with served(database, new_subject(database, by_department())) as client:
        answers = [client.post("/Users", json=person(f"p{number}", "x" * 200)) for number in range(60)]
        refused = next(answer for answer in answers if answer.status_code != 201)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        is_kept = client.get("/Users").json()["totalResults"]
        assert is_kept == len([answer for answer in answers if answer.status_code == 201])
        full = False
        assert client.post("/Users", json=person("late", "Sales")).status_code == 201
    database.close()
