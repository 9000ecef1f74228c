"""The rehearsal: what an identity provider sent is recorded, and read as an export it says what the server did."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from serving import http_client, running
from test_serve import Platform

from scimops.attributes import ENTERPRISE
from scimops.errors import IncompleteSourceError, SourceError, UsageError
from scimops.grouping import identity_key
from scimops.idp import Export, read_export
from scimops.preview import Preview, preview_export
from scimops.service_provider import rehearsal
from scimops.service_provider.database import Database
from scimops.service_provider.rehearsal_lines import MAX_TEXT
from scimops.service_provider.serve import build
from scimops.service_provider.tables import groups, memberships, users
from scimops.setting import Setting

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
SECRET = "synthetic-Passw0rd-Xq7"
BY_DEPARTMENT = {
    "target_group": "Everyone", "criterion": {"field": "department"}, "duplicates": "keep_first",
    "aliases": {"R&D": "Engineering"},
}  # fmt: skip
BY_GROUPS = {"target_group": "Everyone", "criterion": {"idp_groups": True}}


class Rehearsal:
    """A server that records one setting, and a client of it."""

    def __init__(self, database: Database, made: Any, path: Path) -> None:
        self.database, self.made, self.path = database, made, path

    @contextmanager
    def client(self, **headers: str) -> Iterator[httpx2.Client]:
        name = self.made.setting.name
        setting_id = rehearsal.begin_recording(self.path, self.database, name, "https://x.example/scim/v2")
        recorder = rehearsal.Recorder(self.path, setting_id)
        app = build(self.database, "https://x.example", recorder=recorder)
        sent = self.made.headers | {"Content-Type": "application/scim+json", "User-Agent": "Okta SCIM Client"} | headers
        with running(app) as url, http_client(f"{url}/scim/v2", headers=sent) as client:
            yield client
        recorder.close()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_text("utf-8").splitlines()]

    def preview(self) -> Preview:
        return preview_export(read_export(self.path), self.made.setting)

    def landed(self) -> dict[str, tuple[str, str | None]]:
        """From each userName's key to the reason and group key that the server keeps."""
        member = sa.select(memberships.c.user_n, groups.c.group_key).join(groups, groups.c.n == memberships.c.group_n)
        member = member.where(groups.c.target_n == groups.c.n).subquery()
        query = sa.select(users.c.user_name_key, users.c.reason, users.c.active, member.c.group_key)
        query = query.select_from(users.outerjoin(member, member.c.user_n == users.c.n))
        with self.database.read() as connection:
            found = connection.execute(query.where(users.c.setting_n == self.made.n))
            return {name: (reason, key if active else None) for name, reason, active, key in found}


@pytest.fixture
def rehearse(database: Database, setting_factory: Any, tmp_path: Path) -> Any:
    """Makes a rehearsal of a setting with these group settings."""

    def make(group_settings: dict[str, Any], **parts: Any) -> Rehearsal:
        setting = Setting.model_validate({"name": "Rehearsal", "group_settings": group_settings} | parts)
        return Rehearsal(database, setting_factory(setting), tmp_path / "recording.ndjson")

    return make


def person(name: str, department: str | None = "Sales", **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "userName": f"{name}@example.com", "externalId": name, "active": True,
        "emails": [{"type": "work", "primary": True, "value": f"{name}@example.com"}],
        "name": {"givenName": name.title(), "familyName": "Öz"},
    }  # fmt: skip
    return body | ({ENTERPRISE: {"department": department}} if department else {}) | more


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH], "Operations": list(operations)}


def as_entra(client: httpx2.Client, name: str, department: str | None, **more: Any) -> httpx2.Response:
    """Look up, create with active as text, then set the department, as Entra ID does."""
    client.get("/Users", params={"filter": f'userName eq "{name}@example.com"'})
    made = client.post("/Users", json=person(name, None, active="True", **more))
    if made.status_code == 201 and department:
        change = patch({"op": "Add", "path": f"{ENTERPRISE}:department", "value": department})
        assert client.patch(f"/Users/{made.json()['id']}", json=change).status_code in (200, 204)
    return made


def as_okta(client: httpx2.Client, name: str, department: str | None, **more: Any) -> httpx2.Response:
    """Look up, create whole with a password, then replace whole, as Okta does."""
    client.get("/Users", params={"filter": f'userName eq "{name}@example.com"', "startIndex": 1, "count": 100})
    body = person(name, "Nowhere", password=SECRET, groups=[], locale="en-US", **more)
    made = client.post("/Users", json=body)
    if made.status_code == 201:
        body = person(name, department, password=SECRET, id=made.json()["id"], **more)
        assert client.put(f"/Users/{made.json()['id']}", json=body).status_code == 200
    return made


def compare(preview: Preview, landed: dict[str, tuple[str, str | None]]) -> dict[str, Any]:
    """Everybody at the server is where the preview says, nobody else is said to arrive; the rows by name."""
    rows = {row["userName"].partition("@")[0]: row for row in preview.assignments.to_dicts()}
    assert len(rows) == preview.rows
    said = {identity_key(row["userName"]): row for row in rows.values() if not row["reason"].startswith("rejected")}
    assert {name: (row["reason"], row["group_key"]) for name, row in said.items()} == landed
    return rows


@pytest.mark.parametrize("send", [as_entra, as_okta])
def test_the_preview_of_a_recording_is_what_the_server_did(rehearse: Any, send: Any) -> None:
    rehearsing = rehearse(BY_DEPARTMENT)
    with rehearsing.client() as client:
        ids = {
            name: send(client, name, department).json()["id"]
            for name, department in [("anna", "R&D"), ("bert", "Sales"), ("cleo", "SALES "), ("dora", None),
                                     ("emil", "Legal"), ("finn", "Legal")]
        }  # fmt: skip
        moved = patch({"op": "Replace", "path": f"{ENTERPRISE}:department", "value": "Finance"})
        client.patch(f"/Users/{ids['bert']}", json=moved)
        client.patch(f"/Users/{ids['cleo']}", json=patch({"op": "Replace", "path": "active", "value": "False"}))
        client.patch(f"/Users/{ids['emil']}", json=patch({"op": "replace", "value": {"active": False}}))
        client.patch(f"/Users/{ids['emil']}", json=patch({"op": "replace", "value": {"active": True}}))
        assert client.delete(f"/Users/{ids['finn']}").status_code == 204
        for _ in range(3):  # identity providers ask again and again
            assert send(client, "gina", "Legal", emails=[]).status_code == 400
            assert send(client, "hugo", "Legal", emails=[{"value": "ANNA@example.com"}]).status_code == 409
        assert send(client, "ivan", "x" * 257, emails=[]).status_code == 400
        assert send(client, "ivan", "Legal").status_code == 201  # in the end
        assert send(client, "anna", "Sales").status_code == 409  # she is there already
    preview = rehearsing.preview()
    rows = compare(preview, rehearsing.landed())
    reasons = {name: row["reason"] for name, row in rows.items()}
    assert reasons == {
        "anna": "alias", "bert": "matched", "cleo": "inactive", "dora": "fallback_blank", "emil": "matched",
        "ivan": "matched", "gina": "rejected_no_email", "hugo": "rejected_duplicate",
    }  # fmt: skip
    counts = preview.export.recording
    assert counts is not None
    assert (counts["deleted"], counts["refused"], counts["people_before"], counts["runs"]) == (1, 2, 0, 1)
    assert preview.export.users()["groups"].null_count() == preview.rows
    text = rehearsing.path.read_text("utf-8")
    assert SECRET not in text
    assert rehearsing.made.token not in text
    assert "bearer" not in text.lower()
    assert {line["user_agent"] for line in rehearsing.lines()[1:]} == {"Okta SCIM Client"}
    assert "Öz" in text


def test_pushed_groups_are_the_peoples_groups(rehearse: Any) -> None:
    rehearsing = rehearse(BY_GROUPS)
    with rehearsing.client() as client:
        a, b, c, d = (client.post("/Users", json=person(name)).json()["id"] for name in "abcd")
        red = client.post("/Groups", json={"displayName": "Red", "members": [{"value": a}, {"value": b}]}).json()["id"]
        blue = client.post("/Groups", json={"displayName": "Blue"}).json()["id"]
        gone = client.post("/Groups", json={"displayName": "Gone", "members": [{"value": d}]}).json()["id"]
        join = patch({"op": "Add", "path": "members", "value": [{"value": c}, {"value": b}]})
        leave = patch({"op": "Remove", "path": f'members[value eq "{b}"]'})
        assert client.patch(f"/Groups/{blue}", json=join).status_code in (200, 204)
        assert client.patch(f"/Groups/{blue}", json=leave).status_code in (200, 204)
        assert client.put(f"/Groups/{red}", json={"displayName": "Red", "members": [{"value": b}]}).status_code == 200
        assert client.delete(f"/Groups/{gone}").status_code == 204
    assert read_export(rehearsing.path).users()["groups"].to_list() == [[], ["Red"], ["Blue"], []]
    rows = compare(rehearsing.preview(), rehearsing.landed())
    assert {name: row["reason"] for name, row in rows.items()} == {
        "a": "fallback_no_idp_group", "b": "idp_group", "c": "idp_group", "d": "fallback_no_idp_group",
    }  # fmt: skip


def test_parallel_changes_and_bulk(rehearse: Any) -> None:
    rehearsing = rehearse(BY_DEPARTMENT)
    with rehearsing.client() as client:
        operations = [
            {"method": "POST", "path": "/Users", "bulkId": str(n), "data": person(f"p{n}", password=SECRET)}
            for n in range(6)
        ]
        operations.append({"method": "POST", "path": "/Users", "bulkId": "x", "data": person("x", emails=[])})
        operations.append(
            {"method": "POST", "path": "/Users", "bulkId": "y", "data": person("y", userName="P1@example.com")}
        )
        answer = client.post("/Bulk", json={"schemas": [BULK], "Operations": operations}).json()["Operations"]
        assert [one["status"] for one in answer] == ["201"] * 6 + ["400", "409"]
        ids = [one["location"].rpartition("/")[2] for one in answer[:6]]

        def move(number: int) -> None:
            change = patch({"op": "replace", "path": f"{ENTERPRISE}:department", "value": f"Team {number % 5}"})
            assert client.patch(f"/Users/{ids[number % 6]}", json=change).status_code in (200, 204)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(move, range(60)))
    export = read_export(rehearsing.path)
    assert (export.rows, export.rejected) == (8, [])
    landed = rehearsing.landed()
    rows = rehearsing.preview().assignments.to_dicts()
    assert {row["userName"]: row["group_key"] for row in rows[:6]} == {name: key for name, (_, key) in landed.items()}
    assert [row["reason"] for row in rows[6:]] == ["rejected_no_email", "rejected_duplicate"]
    assert SECRET not in rehearsing.path.read_text()


def test_what_no_schema_has_is_a_column_all_the_same(rehearse: Any) -> None:
    rehearsing = rehearse(BY_DEPARTMENT)
    urn = "urn:ietf:params:scim:schemas:extension:acme:2.0:User"
    with rehearsing.client() as client:
        made = client.post("/Users", json=person("anna", **{urn: {"region": "North", "desk": "7"}, "shoe": "38"}))
        change = patch(
            {"op": "replace", "path": f"{urn}:region", "value": "South"}, {"op": "remove", "path": f"{urn}:desk"}
        )
        assert client.patch(f"/Users/{made.json()['id']}", json=change).status_code in (200, 204)
    export = read_export(rehearsing.path)
    (row,) = export.users().to_dicts()
    assert (row[f"custom.{urn}:region"], row["custom.shoe"]) == ("South", "38")
    assert f"{urn}:desk" not in export.headers
    assert export.column_of(f"{urn}:region") == f"{urn}:region"


HIDDEN = [
    {"password": SECRET}, {"PassWord": SECRET}, {"urn:ietf:params:scim:schemas:core:2.0:User:password": SECRET},
    {"x": [{"y": {"password": {"value": SECRET}}}]}, {"attributes": [{"name": "password", "value": SECRET}]},
]  # fmt: skip
HIDDEN_PATCHES = [
    {"op": "replace", "path": "password", "value": SECRET}, {"OP": "Replace", "Path": "PASSWORD", "Value": SECRET},
    {"op": "add", "path": "urn:ietf:params:scim:schemas:core:2.0:User:password", "value": SECRET},
    {"op": "replace", "value": {"password": SECRET, "displayName": "A"}},
    {"op": "replace", "value": {"Password": SECRET}},
]  # fmt: skip
NO_JSON = [
    f'{{"password": "{SECRET}"'.encode(), f'{{"p\\u0061ssword": "{SECRET}"'.encode(),
    b'"' + SECRET.encode() + b'\xff password"',
]  # fmt: skip


def test_no_password_and_no_token_is_in_a_recording(rehearse: Any) -> None:
    rehearsing = rehearse(BY_DEPARTMENT)
    token = rehearsing.made.token
    with rehearsing.client() as client:
        made = client.post("/Users", json=person("anna")).json()["id"]
        for number, hidden in enumerate(HIDDEN):
            client.post("/Users", json=person(f"p{number}") | hidden)
            client.put(f"/Users/{made}", json=person("anna") | hidden)
            client.post("/Users", json=person("refused", emails=[]) | hidden)
            operation = {"method": "POST", "path": "/Users", "bulkId": "1", "data": person(f"q{number}") | hidden}
            client.post("/Bulk", json={"schemas": [BULK], "Operations": [operation]})
        for operation in HIDDEN_PATCHES:
            client.patch(f"/Users/{made}", json=patch(operation))
            nested = {"method": "PATCH", "path": f"/Users/{made}", "data": patch(operation)}
            client.post("/Bulk", json={"schemas": [BULK], "Operations": [nested]})
        for body in NO_JSON:
            assert client.post("/Users", content=body).status_code == 400
        client.get("/Users", params={"filter": f'password eq "{SECRET}"'})
        client.get("/Users", params={"token": token, "access_token": token})
        client.put(f"/Users/{made}", json=person("anna", displayName=token, nickName=f"Bearer {token}"))
        client.get(f"/Users/{token}", headers={"User-Agent": token})
        client.get("/Users", headers={"Authorization": "Bearer wrong-token-of-somebody"})
    text = rehearsing.path.read_text("utf-8")
    assert len(rehearsing.lines()) == 1 + 1 + 4 * len(HIDDEN) + 2 * len(HIDDEN_PATCHES) + len(NO_JSON) + 5
    for secret in (SECRET, token, "wrong-token"):
        assert secret not in text
    assert '"body": {"userName": "p0@example.com"' in text


def test_what_is_no_json_is_kept_as_text_within_limits(rehearse: Any) -> None:
    rehearsing = rehearse(BY_DEPARTMENT)
    bodies = [b'{"userName": "an', b'{"userName": "\xff\xfe"}', b"x" * (MAX_TEXT + 5), b"[" * 60_000, b'{"a": 1e999}']
    with rehearsing.client() as client:
        statuses = [client.post("/Users", content=body).status_code for body in bodies]
        big = client.post("/Users", json=person("anna", nickName="x" * (1 << 20)))
        surrogate = client.post("/Users", content=b'{"userName": "\\ud800"}')
    assert statuses == [400] * len(bodies)
    assert (big.status_code, surrogate.status_code) == (201, 400)
    cut, wrong, long, deep, number, huge, half = rehearsing.lines()[1:]
    assert (cut["body_text"], "\\xff" in wrong["body_text"]) == ('{"userName": "an', True)
    assert len(long["body_text"]) == MAX_TEXT
    assert str(MAX_TEXT + 5) in long["note"]
    assert all("no JSON" in line["note"] for line in (cut, wrong, long, deep, number))
    assert "body" not in huge
    assert "bytes are not kept" in huge["note"]
    assert half["body"] == {"userName": "\ud800"}
    assert len(read_export(rehearsing.path).rejected) == 1  # the half character
    assert read_export(rehearsing.path).users()["userName"].to_list() == ["anna@example.com"]


def test_only_this_setting_is_recorded_and_strangers_without_what_they_say(rehearse: Any, setting_factory: Any) -> None:
    rehearsing, other = rehearse(BY_DEPARTMENT), setting_factory()
    with rehearsing.client() as client:
        assert client.post("/Users", json=person("other"), headers=other.headers).status_code == 201
        stranger = client.post("/Users?x=secret-query", json=person("stranger"), headers={"Authorization": "Bearer no"})
    assert stranger.status_code == 401
    _, line = rehearsing.lines()
    assert (line["status"], line["path"], line["query"], "body" in line) == (401, "/scim/v2/Users", None, False)
    assert read_export(rehearsing.path).rows == 0


def test_what_is_written_out_of_order_is_read_in_order(rehearse: Any) -> None:
    """Requests that are served at once may be recorded in another order than the database took them in."""
    rehearsing = rehearse(BY_GROUPS)
    with rehearsing.client() as client:
        a, b = (client.post("/Users", json=person(name)).json()["id"] for name in "ab")
        group = client.post("/Groups", json={"displayName": "Old", "members": [{"value": a}]}).json()["id"]
        for department in ("Legal", "Finance"):
            change = patch({"op": "replace", "path": f"{ENTERPRISE}:department", "value": department})
            client.patch(f"/Users/{a}", json=change)
        client.patch(f"/Groups/{group}", json=patch({"op": "remove", "path": f'members[value eq "{a}"]'}))
        client.patch(f"/Groups/{group}", json=patch({"op": "add", "path": "members", "value": [{"value": a}]}))
        client.put(f"/Groups/{group}", json={"displayName": "New", "members": [{"value": b}]})
        client.patch(f"/Groups/{group}", json=patch({"op": "add", "path": "members", "value": [{"value": a}]}))
        client.patch(f"/Groups/{group}", json=patch({"op": "remove", "path": f'members[value eq "{b}"]'}))
    head, *lines = rehearsing.path.read_text("utf-8").splitlines(keepends=True)
    for order in (lines, lines[::-1], lines[::2] + lines[1::2], lines[1::2] + lines[::2]):
        rehearsing.path.write_text(head + "".join(order), "utf-8")
        people = {row["userName"][0]: row for row in read_export(rehearsing.path).users().to_dicts()}
        assert (people["a"]["department"], people["a"]["groups"], people["b"]["groups"]) == ("Finance", ["New"], [])


# The file


def test_a_recording_goes_on_and_is_its_owners_alone(rehearse: Any) -> None:
    rehearsing = rehearse(BY_DEPARTMENT)
    with rehearsing.client() as client:
        made = client.post("/Users", json=person("anna")).json()["id"]
    rehearsing.path.chmod(0o644)
    with rehearsing.path.open("ab") as file:
        file.write(b'{"at": "2026-')  # a server that was killed while it wrote
    assert read_export(rehearsing.path).recording["cut"] == 1  # type: ignore[index]
    with rehearsing.client() as client:
        change = patch({"op": "replace", "path": f"{ENTERPRISE}:department", "value": "Legal"})
        client.patch(f"/Users/{made}", json=change)
    export = read_export(rehearsing.path)
    assert export.users()["department"].to_list() == ["Legal"]
    assert export.recording is not None
    counts = {name: export.recording[name] for name in ("runs", "cut", "people_before", "requests")}
    assert counts == {"runs": 2, "cut": 1, "people_before": 0, "requests": 2}
    assert rehearsing.path.stat().st_mode & 0o777 == 0o600


def test_any_other_file_is_refused_and_left_alone(rehearse: Any, setting_factory: Any, tmp_path: Path) -> None:
    rehearsing = rehearse(BY_DEPARTMENT)
    with rehearsing.client():
        pass
    other = setting_factory()
    target = tmp_path / "victim.csv"
    target.write_text("userName\nanna\n")
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(target)
    os.mkfifo(pipe)
    for path in (target, link, pipe, tmp_path, tmp_path / "no" / "folder"):
        with pytest.raises(UsageError, match="Name a new file") as caught:
            rehearsal.begin_recording(path, rehearsing.database, "Rehearsal", "u")
        assert caught.value.exit_code == 2
    with pytest.raises(UsageError, match="a recording of Rehearsal"):
        rehearsal.begin_recording(rehearsing.path, rehearsing.database, other.setting.name, "u")
    assert target.read_text() == "userName\nanna\n"


def test_damage_in_the_middle_is_an_error_that_names_the_line(rehearse: Any) -> None:
    rehearsing = rehearse(BY_DEPARTMENT)
    with rehearsing.client() as client:
        for name in ("anna", "bert", "cleo"):
            client.post("/Users", json=person(name))
    lines = rehearsing.path.read_text("utf-8").splitlines(keepends=True)

    def written(*parts: str) -> Path:
        rehearsing.path.write_text("".join(parts), "utf-8")
        return rehearsing.path

    written(*lines[:2], lines[2][:90] + "\n", lines[3])
    with pytest.raises(IncompleteSourceError, match="line 3 of the recording is cut") as caught:
        read_export(rehearsing.path)
    assert caught.value.exit_code == 5
    assert read_export(rehearsing.path, allow_incomplete=True).rows == 2
    for end in range(1, len(lines[3]) - 1, 37):  # cut anywhere in the last line
        assert read_export(written(*lines[:3], lines[3][:end])).rows == 2
    assert read_export(written(*lines[:3], lines[3].rstrip("\n"))).rows == 3
    written(lines[0], '{"at": "x", "lost": 7}\n', *lines[1:])
    with pytest.raises(IncompleteSourceError, match="7 requests before line 2 could not be recorded"):
        read_export(rehearsing.path)
    written(lines[0], lines[1].replace('"user":', '"usr":'), *lines[2:])
    with pytest.raises(SourceError, match="line 2 is no line of a recording"):
        read_export(rehearsing.path)
    written(lines[0].replace('"version": 1', '"version": 2'), *lines[1:])
    with pytest.raises(SourceError, match="version 2"):
        read_export(rehearsing.path)


def test_a_full_disk_changes_no_answer_and_is_said_once(
    rehearse: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    rehearsing = rehearse(BY_DEPARTMENT)
    with rehearsing.client() as client, caplog.at_level(logging.WARNING, "scimops"):
        assert client.post("/Users", json=person("anna")).status_code == 201
        held = rehearsing.path.stat().st_size
        original = rehearsal.os.write
        full = True

        def write(handle: int, data: bytes) -> int:
            """A disk with room for 10 bytes, as write(2) answers on one."""
            return original(handle, data[:10] if full else data)

        monkeypatch.setattr(rehearsal.os, "write", write)
        for name in ("bert", "cleo"):
            assert client.post("/Users", json=person(name)).status_code == 201
        assert rehearsing.path.stat().st_size - held < 25  # what fitted
        full = False
        assert client.post("/Users", json=person("dora")).status_code == 201
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert re.search(r"cannot be written .*serving goes on", said[0])
    assert "2 requests are missing" in said[1]
    assert not re.search("bert|cleo|dora", "".join(said))
    with pytest.raises(IncompleteSourceError, match="line 3 of the recording is cut"):
        read_export(rehearsing.path)
    export = read_export(rehearsing.path, allow_incomplete=True)
    assert export.users()["userName"].to_list() == ["anna@example.com", "dora@example.com"]


def test_memory_grows_with_people_not_with_requests(rehearse: Any) -> None:
    import tracemalloc

    rehearsing = rehearse(BY_DEPARTMENT)
    with rehearsing.client() as client:
        client.post("/Users", json=person("anna"))
    head, line = rehearsing.path.read_text("utf-8").splitlines(keepends=True)

    def peak(requests: int) -> int:
        changed = (line.replace('"version": 1', f'"version": {n}') for n in range(1, requests + 1))
        rehearsing.path.write_text(head + "".join(changed), "utf-8")
        tracemalloc.start()
        export: Export = read_export(rehearsing.path)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (export.rows, export.recording["requests"]) == (1, requests)  # type: ignore[index]
        return used

    peak(10)
    assert peak(4000) < peak(400) + 300_000


# The command


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_command_says_what_it_does(tmp_path: Path, workers: str) -> None:
    platform = Platform(tmp_path)
    options = ("--credentials-file", "c.json", "--rehearse", "r.ndjson", "--workers", workers)
    with platform.started(*options) as server:
        platform.token = json.loads((tmp_path / "c.json").read_text())["token"]
        with platform.client() as client, ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda n: client.post("/Users", json=person(f"p{n}", f"Team {n % 3}")), range(20)))
        assert {one.status_code for one in made} == {201}
        server.terminate()
        server.wait(20)
    said = (tmp_path / "err.txt").read_text()
    assert "Each request of Rehearsal is recorded in r.ndjson" in said
    assert "people's data. Authorization and password are left out" in said
    assert (tmp_path / "r.ndjson").stat().st_mode & 0o777 == 0o600
    export = read_export(tmp_path / "r.ndjson")
    assert (export.rows, export.shape.name, export.complete) == (20, "rehearsal", True)
    assert platform.token not in (tmp_path / "r.ndjson").read_text()
