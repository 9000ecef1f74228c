"""A snapshot is whole or an error: the embedded platform, scim2-server's own server, and faults on real sockets."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from ends import Asked, answer
from managing import Platform as Embedded
from proxying import TOKEN_NAME, Proxy, changed, running_peer

from scimops import frames
from scimops.client import ServiceProvider, SnapshotError
from scimops.client.snapshot import load_snapshot
from scimops.setting import Setting

Connected = Callable[[str], ServiceProvider]
DEPARTMENTS = ["Sales", "R&D", None]


@pytest.fixture
def people(embedded: Embedded, token: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Seven people, in pages of three; their ids."""
    monkeypatch.setattr("scimops.client.discovery.PAGE", 3)
    work = {"addresses": [{"type": "work", "country": "DE"}]}
    return [embedded.push(token, f"p{n}@example.com", DEPARTMENTS[n % 3], **(work if n == 0 else {})) for n in range(7)]


@pytest.fixture
def peer(connected: Connected, monkeypatch: pytest.MonkeyPatch) -> ServiceProvider:
    monkeypatch.setenv(TOKEN_NAME, "any-token-is-good-there")
    with running_peer(page=3) as url:
        yield connected(url)


def members(snapshot: Any) -> dict[str, list[str]]:
    joined = snapshot.members.join(snapshot.groups, left_on="group_id", right_on="id")
    joined = joined.join(snapshot.users, left_on="user_id", right_on="id").sort("name", "userName")
    return {name: group["userName"].to_list() for (name,), group in joined.group_by("name", maintain_order=True)}


def test_what_the_embedded_platform_holds(
    people: list[str], service_provider: ServiceProvider, setting: Setting
) -> None:
    snapshot = service_provider.read_snapshot(setting)
    assert snapshot.cannot_tell == ()
    assert snapshot.capabilities.placement == "server"
    assert sorted(people) == snapshot.users["id"].to_list()
    first = snapshot.users.filter(userName="p0@example.com").row(0, named=True)
    del first["id"], first["version"]
    assert first == {
        "externalId": "x-p0@example.com", "userName": "p0@example.com", "email": "p0@example.com", "firstName": "Ada",
        "lastName": "P0", "department": "Sales", "phone": "+1 555 0100", "active": True, "userType": None,
        "setting": None, "matched_by": "externalId", "field.Region": "DE",
    }  # fmt: skip
    assert snapshot.users["version"].str.starts_with('W/"').all()
    assert members(snapshot) == {
        "Everyone": ["p2@example.com", "p5@example.com"], "R&D": ["p1@example.com", "p4@example.com"],
        "Sales": ["p0@example.com", "p3@example.com", "p6@example.com"],
    }  # fmt: skip
    assert service_provider.read_snapshot(setting).digest == snapshot.digest


def test_members_of_users_are_those_of_the_groups(
    people: list[str], service_provider: ServiceProvider, setting: Setting
) -> None:
    """The quirk that saves a request for each group is true: both ways give the same."""
    from scimops.client.reading import _group_by_group

    snapshot = service_provider.read_snapshot(setting)
    ids = snapshot.groups["id"].to_list()
    read = _group_by_group(service_provider._session, service_provider.features, ids)
    assert read.sort("group_id", "user_id").equals(snapshot.members)


def test_a_server_that_places_nobody(peer: ServiceProvider, setting: Setting) -> None:
    assert peer.capabilities.placement == "client"
    made = [peer.create_user({"userName": f"p{n}", "externalId": f"x{n}"}).id for n in range(7)]
    group = peer.create_group("Sales").id
    assert all(one.ok for one in peer.add_members(group, made[:5]))
    empty = peer.create_group("Empty").id
    assert all(one.ok for one in peer.add_members(group, [empty]))  # a group in a group is no person
    snapshot = peer.read_snapshot(setting)
    assert snapshot.users.height == 7
    assert snapshot.groups["name"].sort().to_list() == ["Empty", "Sales"]
    assert members(snapshot) == {"Sales": [f"p{n}" for n in range(5)]}
    assert snapshot.users.filter(userName="p0")["active"].to_list() == [None]


def test_nobody_at_all_is_a_whole_snapshot(peer: ServiceProvider, setting: Setting) -> None:
    snapshot = peer.read_snapshot(setting)
    assert (snapshot.users.height, snapshot.groups.height, snapshot.members.height) == (0, 0, 0)


def test_saved_and_loaded_it_is_the_same(
    people: list[str], service_provider: ServiceProvider, setting: Setting, tmp_path: Path
) -> None:
    snapshot = service_provider.read_snapshot(setting)
    snapshot.save(tmp_path / "s")
    loaded = load_snapshot(tmp_path / "s")
    assert loaded.users.equals(snapshot.users)
    assert loaded.members.equals(snapshot.members)
    assert (loaded.digest, loaded.read_at, loaded.capabilities) == (
        snapshot.digest, snapshot.read_at, snapshot.capabilities,
    )  # fmt: skip
    assert (tmp_path / "s").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "s" / "users.parquet").stat().st_mode & 0o777 == 0o600
    frames.check(loaded.users, frames.SNAPSHOT_USERS)


@pytest.mark.parametrize("harm", ["row", "cut", "gone", "document"])
def test_a_saved_snapshot_that_was_changed_is_refused(
    people: list[str], service_provider: ServiceProvider, setting: Setting, tmp_path: Path, harm: str
) -> None:
    service_provider.read_snapshot(setting).save(tmp_path)
    users = tmp_path / "users.parquet"
    if harm == "row":
        pl.read_parquet(users).head(6).write_parquet(users)
    elif harm == "cut":
        users.write_bytes(users.read_bytes()[:-9])
    elif harm == "gone":
        users.unlink()
    else:
        (tmp_path / "snapshot.json").write_text("{}")
    with pytest.raises(SnapshotError, match="no whole snapshot"):
        load_snapshot(tmp_path)


# Faults of the way


def page_of(asked: Asked) -> bool:
    return asked.method == "GET" and asked.path.startswith("/scim/v2/Users?count=3") and "filter=" not in asked.path


def by_index(service_provider: ServiceProvider) -> None:
    """Have its pages read by index, though it gives cursors too."""
    service_provider.features = replace(service_provider.features, cursor=False)


def truncated(reply: bytes) -> bytes:
    content = reply.partition(b"\r\n\r\n")[2]
    return answer(content[: len(content) // 2], kind="application/scim+json")


def one_fewer(document: dict[str, Any]) -> None:
    document["Resources"].pop()


def one_twice(document: dict[str, Any]) -> None:
    document["Resources"][-1] = document["Resources"][0]


HARMS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "truncated": (truncated, "JSON is cut off"),
    "total lies": (lambda reply: changed(reply, lambda d: d.update(totalResults=8)), "where the total says 8"),
    "total too small": (lambda reply: changed(reply, lambda d: d.update(totalResults=2)), "where the total says 2"),
    "no total": (lambda reply: changed(reply, lambda d: d.pop("totalResults")), "no totalResults"),
    "empty page": (lambda reply: changed(reply, lambda d: d.update(Resources=[])), "0 came where the total says 7"),
    "a row missing": (lambda reply: changed(reply, one_fewer), "6 came where the total says 7"),
    "a row twice": (lambda reply: changed(reply, one_twice), "came twice"),
    "no ids": (lambda reply: changed(reply, lambda d: d["Resources"][0].pop("id")), "no list of resources with ids"),
    "other JSON": (lambda reply: answer([1, 2]), "it is no object"),
    "a web page": (lambda reply: answer(b"<html>", kind="text/html"), "a web page came"),
}


@pytest.mark.parametrize("name", HARMS)
def test_what_is_not_whole_is_an_error_and_never_fewer_people(
    people: list[str], proxy: Proxy, proxied: ServiceProvider, setting: Setting, name: str
) -> None:
    by_index(proxied)
    harm, words = HARMS[name]
    proxy.meant, proxy.always = page_of, lambda _asked, pass_on: harm(pass_on())
    with pytest.raises(SnapshotError, match=words) as found:
        proxied.read_snapshot(setting)
    assert found.value.exit_code == 5
    assert found.value.advice
    assert found.value.where == 'connection "acme"'


@pytest.mark.parametrize("name", HARMS)
def test_a_fault_that_passes_is_read_over(
    people: list[str], proxy: Proxy, proxied: ServiceProvider, setting: Setting, name: str
) -> None:
    by_index(proxied)
    harm, _ = HARMS[name]
    proxy.meant, proxy.faults = page_of, [lambda _asked, pass_on: harm(pass_on())]
    assert proxied.read_snapshot(setting).users.height == 7


def test_a_missing_page_is_an_error(
    people: list[str], proxy: Proxy, proxied: ServiceProvider, setting: Setting
) -> None:
    """Whoever asks for the second page gets the third, as from a broken cache."""
    by_index(proxied)

    def skip(asked: Asked, pass_on: Callable[[], bytes]) -> bytes:
        if "startIndex=4" in asked.path:
            return proxy.passed_on(Asked("GET", asked.path.replace("startIndex=4", "startIndex=7"), asked.headers, b""))
        return pass_on()

    proxy.meant, proxy.always = page_of, skip
    with pytest.raises(SnapshotError, match="came twice"):
        proxied.read_snapshot(setting)


@pytest.mark.parametrize("way", ["startIndex=1", "cursor="])
@pytest.mark.parametrize("change", ["new", "deleted", "changed", "deleted and new"])
def test_what_changes_meanwhile_is_noticed(
    people: list[str], token: str, embedded: Embedded, proxy: Proxy, proxied: ServiceProvider, setting: Setting,
    change: str, way: str,
) -> None:  # fmt: skip
    """A person in front is deleted and another one made while the first page travels: the total stays the same."""
    if way == "startIndex=1":
        by_index(proxied)
    left = list(people)
    made = 0

    def meddle(asked: Asked, pass_on: Callable[[], bytes]) -> bytes:
        nonlocal made
        reply, made = pass_on(), made + 1
        if "deleted" in change:
            assert embedded.scim(token, "DELETE", f"/Users/{left.pop(0)}").status_code == 204
        if "new" in change:
            embedded.push(token, f"new{made}@example.com", "Sales")
        if change == "changed":
            path = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"
            body = {"Operations": [{"op": "replace", "path": path, "value": f"D{made}"}]}
            assert embedded.scim(token, "PATCH", f"/Users/{people[0]}", body).status_code in (200, 204)
        return reply

    proxy.meant = lambda asked: page_of(asked) and asked.path.endswith(way)
    proxy.faults = [meddle]
    again = proxied.read_snapshot(setting)  # the second reading is whole
    assert again.users.height == 7 + ("new" in change) - ("deleted" in change)
    assert proxy.count("GET", "/Users") > 8
    proxy.always = meddle
    with pytest.raises(SnapshotError, match="tried twice") as found:
        proxied.read_snapshot(setting)
    assert "@" not in str(found.value)


def test_cursors_are_used_where_they_are_announced(
    people: list[str], proxy: Proxy, proxied: ServiceProvider, setting: Setting
) -> None:
    assert proxied.features.cursor
    assert proxied.read_snapshot(setting).users.height == 7
    assert proxy.count("GET", "/Users?count=3&cursor=") == 3
    assert not proxy.count("GET", "/Users?count=3&startIndex=")


def test_a_cursor_that_leads_back_ends(
    people: list[str], proxy: Proxy, proxied: ServiceProvider, setting: Setting
) -> None:
    def same(asked: Asked, pass_on: Callable[[], bytes]) -> bytes:
        return changed(pass_on(), lambda d: (d.pop("totalResults", None), d.update(nextCursor="x")))

    proxy.meant, proxy.always = page_of, same
    with pytest.raises(SnapshotError, match="read already"):
        proxied.read_snapshot(setting)


def test_a_filter_that_is_refused_leaves_the_totals(
    people: list[str], proxy: Proxy, proxied: ServiceProvider, setting: Setting
) -> None:
    proxy.meant = lambda asked: "lastModified" in asked.path
    proxy.always = lambda _asked, _pass_on: answer({"detail": "no", "status": "400"}, 400, "application/scim+json")
    snapshot = proxied.read_snapshot(setting)
    assert snapshot.users.height == 7
    assert any("only their number was compared" in sentence for sentence in snapshot.cannot_tell)


def test_no_value_of_a_person_is_in_the_document(
    people: list[str], service_provider: ServiceProvider, setting: Setting, tmp_path: Path
) -> None:
    service_provider.read_snapshot(setting).save(tmp_path)
    text = (tmp_path / "snapshot.json").read_text()
    assert "@" not in text
    assert json.loads(text)["capabilities"]["own"] is True
