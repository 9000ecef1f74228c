"""Changes over SCIM: what each gives, and that nothing is sent twice where twice is not the same as once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ends import QUICK, SECRET, Asked, answer, caught
from managing import Platform as Embedded
from proxying import TOKEN_NAME, Proxy, cut, cut_after, running_peer, scim_connection, scim_error

from scimops.client import ServiceProvider, connect, faults
from scimops.connections import Connection
from scimops.credentials import CredentialError, known
from scimops.errors import ScimopsError, UsageError
from scimops.http import faults as http
from scimops.tokens import Secret

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ANNA: dict[str, Any] = {
    "userName": "anna@example.com", "externalId": "x-anna", "emails": [{"type": "work", "value": "anna@example.com"}],
    "active": True, ENTERPRISE: {"department": "Sales"},
}  # fmt: skip
MOVE = [{"op": "replace", "path": f"{ENTERPRISE}:department", "value": "R&D"}]


def test_a_user_from_creation_to_deletion(service_provider: ServiceProvider) -> None:
    made = service_provider.create_user(ANNA)
    assert (made.operation, made.status, made.ok, made.again) == ("create user", 201, True, False)
    assert made.id
    assert made.version == 'W/"1"'
    found = service_provider.find_user(user_name="ANNA@example.com")
    assert found == service_provider.user(made.id) == service_provider.find_user(external_id="x-anna")
    moved = service_provider.patch_user(made.id, MOVE, made.version)
    assert (moved.ok, moved.version) == (True, 'W/"2"')
    late = service_provider.replace_user(made.id, ANNA, made.version)
    assert (late.status, late.ok, late.advice) == (412, False, "Make the plan again.")
    put = service_provider.replace_user(made.id, ANNA, moved.version)
    assert put.ok
    assert service_provider.user(made.id)[ENTERPRISE]["department"] == "Sales"
    assert service_provider.delete_user(made.id).status == 204
    assert service_provider.user(made.id) is None
    assert service_provider.find_user(user_name="anna@example.com") is None
    assert service_provider.delete_user(made.id).status == 404


def test_what_is_refused_is_a_result_that_says_why(service_provider: ServiceProvider) -> None:
    assert service_provider.create_user(ANNA).ok
    twice = service_provider.create_user(ANNA | {"externalId": "other"})
    assert (twice.status, twice.ok, twice.again) == (409, False, False)
    assert twice.said.startswith("uniqueness: ")
    bad = service_provider.create_user({"userName": "no-address"})
    assert bad.status == 400
    assert bad.said
    assert "anna" not in repr(twice)


def test_groups_and_members_in_batches(
    connected: Callable[[str], ServiceProvider], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_NAME, "any-token-is-good-there")
    with running_peer() as url:
        peer = connected(url)
        ids = [str(peer.create_user({"userName": f"p{n}"}).id) for n in range(7)]
        object.__setattr__(peer.features.known, "members_at_once", 3)
        try:
            group = str(peer.create_group('Sales "EU"', "g-1").id)
            added = list(peer.add_members(group, ids))
            removed = list(peer.remove_members(group, ids[:2]))
        finally:
            object.__setattr__(peer.features.known, "members_at_once", 100)
        assert [one.changed for one in added] == [tuple(ids[:3]), tuple(ids[3:6]), tuple(ids[6:])]
        assert all(one.ok for one in added + removed)
        found = peer.find_group(name='Sales "EU"')
        assert found
        assert found["id"] == peer.find_group(external_id="g-1")["id"] == group
        assert {one["value"] for one in peer.group(group)["members"]} == set(ids[2:])
        assert peer.delete_group(group).ok
        assert peer.group(group) is None


def test_a_create_that_was_cut_after_the_write_is_found_and_not_sent_again(
    proxy: Proxy, proxied: ServiceProvider
) -> None:
    proxy.fail("POST", "/Users", cut_after)
    made = proxied.create_user(ANNA)
    assert (made.ok, made.again) == (True, True)
    assert made.id == proxied.find_user(user_name="anna@example.com")["id"]
    assert made.version == 'W/"1"'
    assert proxy.count("POST", "/Users") == 1


@pytest.mark.parametrize(
    "fault", [cut, lambda _a, _p: answer(b"", 503, Retry_After="0"), lambda _a, _p: answer(b"", 502)]
)
def test_a_create_that_never_arrived_is_looked_for_and_then_sent_again(
    proxy: Proxy, proxied: ServiceProvider, fault: Any
) -> None:
    proxy.fail("POST", "/Users", fault)
    made = proxied.create_user(ANNA)
    assert (made.status, made.again) == (201, True)
    order = [one.method for one in proxy.asked]
    assert order == ["POST", "GET", "POST"]


def test_a_create_that_failed_after_the_write_is_found(proxy: Proxy, proxied: ServiceProvider) -> None:
    def fail_after(_asked: Asked, pass_on: Callable[[], bytes]) -> bytes:
        pass_on()
        return scim_error(500, "boom")

    proxy.fail("POST", "/Users", fail_after, lambda _a, _p: scim_error(500, "boom"))
    made = proxied.create_user(ANNA)
    assert (made.ok, made.again) == (True, True)
    other = ANNA | {"userName": "b@example.com", "externalId": "x-b"}
    failed = proxied.create_user(other)
    assert (failed.ok, failed.status, failed.again, failed.said) == (False, 500, True, "boom")
    assert proxy.count("POST", "/Users") == 2


def test_a_create_that_stays_cut_is_uncertain(proxy: Proxy, proxied: ServiceProvider) -> None:
    proxy.fail("POST", "/Users", always=cut)
    with pytest.raises(http.UncertainError, match="that is not known"):
        proxied.create_user(ANNA)
    assert proxy.count("POST", "/Users") == 2


def test_somebody_else_of_that_name_is_not_taken_for_ours(
    proxy: Proxy, proxied: ServiceProvider, embedded: Embedded, token: str
) -> None:
    """The connection is cut and meanwhile another client makes a person with the same userName."""
    other = dict(ANNA, externalId="somebody else")

    def meddle(_asked: Any, _pass_on: Any) -> None:
        assert embedded.scim(token, "POST", "/Users", other).status_code == 201

    proxy.fail("POST", "/Users", meddle)
    refused = proxied.create_user(ANNA)
    assert (refused.ok, refused.status) == (False, 409)


def test_429_is_waited_for_and_sent_again(proxy: Proxy, proxied: ServiceProvider) -> None:
    before = proxied._session.brake.limit
    proxy.fail("POST", "/Users", lambda _a, _p: scim_error(429, "slow down", Retry_After="1"))
    made = proxied.create_user(ANNA)
    assert (made.status, made.again) == (201, False)
    assert proxied._session.brake.limit < before


def test_who_stays_busy_stops_everything(proxy: Proxy, proxied: ServiceProvider) -> None:
    proxy.fail("POST", "/Users", always=lambda _a, _p: scim_error(429, "slow down"))
    with pytest.raises(http.BusyError, match="429"):
        proxied.create_user(ANNA)
    assert proxy.count("POST", "/Users") == QUICK.attempts


@pytest.mark.parametrize("fault", [cut, cut_after])
def test_what_is_the_same_twice_is_sent_again(proxy: Proxy, proxied: ServiceProvider, fault: Any) -> None:
    made = proxied.create_user(ANNA)
    proxy.fail("PATCH", "/Users", fault)
    assert proxied.patch_user(made.id, MOVE).again
    proxy.fail("DELETE", "/Users", fault)
    gone = proxied.delete_user(made.id)
    assert (gone.ok, gone.again) == (True, True)
    assert proxied.user(made.id) is None


def test_a_version_that_our_own_cut_try_changed_is_to_be_looked_at(proxy: Proxy, proxied: ServiceProvider) -> None:
    made = proxied.create_user(ANNA)
    proxy.fail("PATCH", "/Users", cut_after)
    moved = proxied.patch_user(made.id, MOVE, made.version)
    assert (moved.status, moved.ok, moved.again, moved.advice) == (412, False, True, "Read it and compare.")


def test_a_filter_that_is_ignored_finds_nobody_else(proxy: Proxy, proxied: ServiceProvider) -> None:
    proxied.create_user(ANNA)

    def everybody(asked: Asked, _pass_on: Any) -> bytes:
        return proxy.passed_on(Asked("GET", "/scim/v2/Users", asked.headers, b""))

    proxy.fail("GET", "/Users", always=everybody)
    assert proxied.find_user(user_name="nobody@example.com") is None
    assert proxied.find_user(user_name="anna@example.com")


def test_each_keeps_the_order_and_makes_everybody_once(service_provider: ServiceProvider) -> None:
    people = [ANNA | {"userName": f"p{n}@example.com", "externalId": f"x{n}",
                      "emails": [{"type": "work", "value": f"p{n}@example.com"}]} for n in range(40)]  # fmt: skip
    results = list(service_provider.each(service_provider.create_user, people))
    assert [person for person, _ in results] == people
    assert all(written.status == 201 for _, written in results)
    assert len({written.id for _, written in results}) == 40


def test_an_error_ends_each(proxy: Proxy, proxied: ServiceProvider) -> None:
    proxy.fail("GET", "/Users", always=lambda _a, _p: scim_error(401, "no"))
    begun: list[int] = []

    def look(number: int) -> Any:
        begun.append(number)
        return proxied.user(str(number))

    with pytest.raises(http.CredentialsError):
        list(proxied.each(look, range(1000)))
    assert len(begun) < 100


# Errors


FAULTS: list[tuple[bytes, type[ScimopsError], str]] = [
    (scim_error(401, "unauthorised"), http.CredentialsError, "does not take the token"),
    (scim_error(403, "not yours"), http.ForbiddenError, "It says: not yours"),
    (scim_error(400, "bad filter", "invalidFilter"), http.RefusedError, "(400, invalidFilter). It says: bad filter"),
    (scim_error(400, "too old", "expiredCursor"), faults.CursorError, "too old"),
    (scim_error(409, "taken", "uniqueness"), faults.ConflictError, "somebody else with the same"),
    (scim_error(412, "old"), faults.ChangedError, "since it was read"),
    (scim_error(500, "boom"), http.ServerFaultError, "failed (500)"),
    (scim_error(418, f"said {SECRET}"), http.RefusedError, "It says: said [secret]"),
    (answer(b"<html>gone</html>", 404, "text/html"), http.AddressError, "There is no SCIM endpoint"),
    (answer(b"", 302, Location="https://u:p@elsewhere.example/x?y=1"), http.RedirectError, "elsewhere.example/x; no"),
]


@pytest.mark.parametrize(("reply", "kind", "words"), FAULTS)
def test_faults_say_what_where_and_what_to_do(
    proxy: Proxy, proxied: ServiceProvider, caplog: pytest.LogCaptureFixture, token: str, reply: bytes,
    kind: type[ScimopsError], words: str,
) -> None:  # fmt: skip
    known(Secret(SECRET))
    proxy.fail("GET", "/Users", always=lambda _a, _p: reply)
    error = caught(kind, lambda: proxied.find_user(user_name="x"), caplog, token)
    assert words in str(error)
    assert error.advice
    assert "filter=" not in caplog.text  # who was looked for


def test_a_token_that_was_renewed_is_fetched_again(
    embedded: Embedded, token: str, service_provider: ServiceProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    service_provider._session._token = Secret("a-token-of-last-year")
    assert service_provider.find_user(user_name="x") is None
    monkeypatch.setenv(TOKEN_NAME, "a-token-of-last-year")
    with pytest.raises(http.CredentialsError, match="does not take the token"):
        connect(scim_connection(f"{embedded.url}/scim/v2"), QUICK)


def test_a_connection_to_a_management_api_is_refused() -> None:
    other = Connection(
        name="acme", kind="platform", url="https://x.example", client_id="a", client_secret="env:SCIMOPS_X"
    )
    with pytest.raises(UsageError, match="not to a SCIM endpoint"):
        connect(other)


def test_a_token_that_is_not_there(embedded: Embedded, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN_NAME, raising=False)
    with pytest.raises(CredentialError, match="is not set"):
        connect(scim_connection(f"{embedded.url}/scim/v2"))


def test_a_url_without_scim(embedded: Embedded, token: str) -> None:
    with pytest.raises(ScimopsError, match="There is no SCIM endpoint") as found:
        connect(scim_connection(f"{embedded.url}/nowhere"), QUICK)
    assert found.value.exit_code == 2
    assert "/scim/v2" in found.value.advice
