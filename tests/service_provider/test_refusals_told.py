"""What the provisioning log tells of refusals: who was meant by a creation, and a token that has ended."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from managing import MadeSetting, ManagementClient, Platform
from test_upkeep import lines, wait_for_lines

from scimops.attributes import CORE
from scimops.audit.logs.provisioning_log import events_of
from scimops.service_provider import authentication
from scimops.service_provider.erasure import erase_person
from scimops.service_provider.setting_tokens import revoke_all
from scimops.service_provider.tables import settings, tokens
from scimops.tokens import make_token


@pytest.fixture
def made(setting_factory: Callable[..., MadeSetting]) -> MadeSetting:
    return setting_factory(token_name="entra")


def body(**changed: Any) -> dict[str, Any]:
    mail = [{"value": "anna@example.com", "type": "work"}]
    return {"schemas": [CORE], "userName": "anna@example.com", "externalId": "x-anna-7", "emails": mail} | changed


# -- Who was meant --------------------------------------------------------------------------------


def told(admin: ManagementClient, made: MadeSetting) -> list[dict[str, Any]]:
    return list(admin.data("GET", f"/api/scim/{made.id}/scimops/log")["scimops"]["lines"])


@pytest.mark.parametrize(("changed", "status", "query"), [
    ({}, 409, 'userName eq "anna@example.com" and externalId eq "x-anna-7"'),
    ({"externalId": None}, 409, 'userName eq "anna@example.com"'),
    ({"userName": None}, 400, 'externalId eq "x-anna-7"'),
    ({"emails": []}, 400, 'userName eq "anna@example.com" and externalId eq "x-anna-7"'),
    ({"userName": 'a"b\\ ırmak 😀 \x07', "emails": []}, 400,
     'userName eq "a\\"b\\\\ ırmak 😀 \\u0007" and externalId eq "x-anna-7"'),
    ({"userName": "\x00", "externalId": "\ud83d", "emails": []}, 400, 'userName eq "\\u0000"'),
    ({"userName": "x" * 9000, "externalId": 7}, 400, f'userName eq "{"x" * 320}"'),
])  # fmt: skip
def test_a_refused_creation_tells_who_was_meant(
    platform: Platform, admin: ManagementClient, made: MadeSetting, changed: dict[str, Any], status: int, query: str
) -> None:
    assert platform.scim(made.token, "POST", "/Users", body()).status_code == 201
    sent, headers = json.dumps(body(**changed)), made.headers | {"Content-Type": "application/scim+json"}
    assert platform.http.post("/scim/v2/Users", content=sent, headers=headers).status_code == status
    line = told(admin, made)[-1]
    assert (line["operation"], line["status"], line["resource_id"], line["query"]) == ("create", status, None, query)


def test_an_audit_finds_the_person_of_a_refused_creation(
    platform: Platform, admin: ManagementClient, made: MadeSetting
) -> None:
    platform.scim(made.token, "POST", "/Users", body(userName="ırmak", emails=[]))
    (event,) = events_of(told(admin, made)[-1])
    assert (event.operation, event.outcome, event.userName, event.externalId) == (
        "create",
        "failure",
        "ırmak",
        "x-anna-7",
    )


@pytest.mark.parametrize("sent", [b"", b"[]", b"7", b"{", b'{"userName": {}}', b"[" * 100_000])
def test_what_names_nobody_is_told_without_a_name(
    platform: Platform, admin: ManagementClient, made: MadeSetting, sent: bytes
) -> None:
    headers = made.headers | {"Content-Type": "application/scim+json"}
    assert platform.http.post("/scim/v2/Users", content=sent, headers=headers).status_code == 400
    assert [line["query"] for line in told(admin, made)] == [None]


def test_a_refused_group_names_no_person(platform: Platform, admin: ManagementClient, made: MadeSetting) -> None:
    assert platform.scim(made.token, "POST", "/Groups", {"externalId": "g"}).status_code == 400
    assert [line["query"] for line in told(admin, made)] == [None]


@pytest.mark.parametrize("named", ["anna@example.com", "x-anna-7", "IRMAK"])
def test_one_who_was_only_refused_is_erased_from_the_log(platform: Platform, made: MadeSetting, named: str) -> None:
    name = "irmak" if named == "IRMAK" else "anna@example.com"
    platform.scim(made.token, "POST", "/Users", body(emails=[], userName=name))
    platform.scim(made.token, "POST", "/Users", body(emails=[], userName="bob@example.com", externalId="x-bob-8"))
    assert erase_person(platform.database, named).lines_of_provisioning_log == 1
    assert [line.query for line in lines(platform.database)] == [
        'userName eq "erased" and externalId eq "erased"', 'userName eq "bob@example.com" and externalId eq "x-bob-8"',
    ]  # fmt: skip


# -- Tokens that have ended -----------------------------------------------------------------------


def end(platform: Platform, made: MadeSetting, how: str) -> None:
    with platform.database.write() as connection:
        if how == "revoked":
            revoke_all(connection, made.n)
        elif how == "expired":
            past = dt.datetime.now(dt.UTC) - dt.timedelta(days=2)
            connection.execute(sa.update(tokens).values(expires=past))
        else:
            connection.execute(sa.update(settings).values(deleted=dt.datetime.now(dt.UTC)))


@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_a_token_that_has_ended_is_told_of_once_a_minute(platform: Platform, made: MadeSetting, how: str) -> None:
    end(platform, made, how)
    clock = 1000.0
    platform.authenticator.clock = lambda: clock
    for _ in range(4):
        assert platform.scim(made.token, "POST", "/Users", body()).status_code == 401
    wait_for_lines(platform.database, 1)
    clock += authentication.TOLD_SECONDS - 1
    assert platform.scim(made.token, "GET", "/Users").status_code == 401
    clock += 1
    assert platform.scim(made.token, "GET", "/Users?filter=userName%20eq%20%22anna%22").status_code == 401
    wait_for_lines(platform.database, 2)
    first, second = lines(platform.database)
    assert (first.operation, second.operation) == ("create", "search")
    for line in (first, second):
        assert (line.status, line.token, line.setting_n, line.company_id) == (401, "entra", made.n, made.company_id)
        assert (line.resource_type, line.query, line.resource_id, line.changes) == ("Users", None, None, None)
        assert how in line.detail
        assert made.token not in str(line)


def test_an_audit_reads_that_the_token_was_refused(
    platform: Platform, admin: ManagementClient, made: MadeSetting
) -> None:
    end(platform, made, "expired")
    platform.scim(made.token, "POST", "/Users", body())
    wait_for_lines(platform.database, 1)
    (event,) = events_of(told(admin, made)[0])
    assert (event.operation, event.outcome, event.reason, event.actor) == (
        "create",
        "failure",
        "token_rejected",
        "entra",
    )


def test_others_are_not_told_of(platform: Platform, made: MadeSetting, setting_factory: Callable[..., Any]) -> None:
    other = setting_factory()
    end(platform, made, "deleted")
    for token in (made.token, made.token[:-1] + "x", f"{other.token}x", make_token().reveal()):
        assert platform.scim(token, "GET", "/Users").status_code == 401
    end(platform, made, "revoked")
    with platform.database.write() as connection:
        connection.execute(sa.update(settings).values(deleted=None))
    assert platform.scim(made.token, "GET", "/Users").status_code == 401  # what this one leaves comes after the others
    wait_for_lines(platform.database, 1)
    assert [line.setting_n for line in lines(platform.database)] == [made.n]


def test_memory_of_what_was_told_is_bounded(
    platform: Platform, setting_factory: Callable[..., MadeSetting], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authentication, "KEPT_TOKENS", 2)
    for _ in range(4):
        made = setting_factory()
        end(platform, made, "revoked")
        platform.scim(made.token, "GET", "/Users")
    assert len(platform.authenticator._told) == 2


def test_the_answer_waits_for_no_writer(platform: Platform, made: MadeSetting) -> None:
    end(platform, made, "revoked")
    with platform.database.write() as connection:
        assert platform.scim(made.token, "GET", "/Users").status_code == 401
        connection.rollback()
    wait_for_lines(platform.database, 1)
