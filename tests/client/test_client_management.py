"""A snapshot through the management API: the embedded platform, and one that shows no more than the published API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from ends import QUICK, connection_to
from managing import Platform as Embedded

from scimops.capabilities import PUBLISHED, Capabilities
from scimops.client import SnapshotError
from scimops.client.management import read_from_platform
from scimops.platform import Platform, connect
from scimops.setting import Setting


@pytest.fixture
def platform(embedded: Embedded, company: str, token: str, monkeypatch: pytest.MonkeyPatch) -> Iterable[Platform]:
    for name, department in [("anna@example.com", "Sales"), ("bo@example.com", None)]:
        embedded.push(token, name, department, addresses=[{"type": "work", "country": "DE"}])
    made = embedded.credential(company)
    monkeypatch.setenv("SCIMOPS_TEST_SECRET", made.secret.reveal())
    with connect(connection_to(embedded.url, client_id=made.client_id), QUICK) as opened:
        yield opened


class Published:
    """The same platform, without our additions."""

    def __init__(self, platform: Platform) -> None:
        self.platform, self.looks = platform, 0
        self.more: list[dict[str, Any]] = []

    def capabilities(self) -> Capabilities:
        return PUBLISHED

    def target_groups(self) -> Iterable[Any]:
        self.looks += 1
        return self.platform.target_groups()

    def group_users(self, group_id: str) -> Iterable[Any]:
        return self.platform.group_users(group_id)

    def target_users(self) -> Iterable[Any]:
        rows = [{key: value for key, value in row.items() if key != "scimops"} for row in self.platform.target_users()]
        return [*rows, *self.more]


def test_the_embedded_platform_shows_all_keys(platform: Platform, setting: Setting) -> None:
    snapshot = read_from_platform(platform, setting, "x")
    assert snapshot.source == "management"
    assert snapshot.users["matched_by"].to_list() == ["externalId"] * 2
    anna = snapshot.users.filter(userName="anna@example.com").row(0, named=True)
    assert (anna["department"], anna["active"], anna["setting"], anna["version"]) == ("Sales", True, "Acme", None)
    assert anna["field.Region"] == "DE"
    names = snapshot.members.join(snapshot.groups, left_on="group_id", right_on="id").sort("name")["name"].to_list()
    assert names == ["Everyone", "Sales"]


def test_the_published_api_matches_by_email_and_says_so(platform: Platform, setting: Setting) -> None:
    snapshot = read_from_platform(Published(platform), setting, "x")
    assert snapshot.users["matched_by"].to_list() == ["email"] * 2
    assert snapshot.users["userName"].null_count() == 2
    assert any("matched by e-mail" in sentence for sentence in snapshot.cannot_tell)


def test_of_two_with_one_address_nobody_can_tell(platform: Platform, setting: Setting) -> None:
    published = Published(platform)
    row = next(iter(published.target_users()))
    published.more = [
        row | {"resourceId": "other", "email": row["email"].upper()},
        row | {"resourceId": "x", "email": None},
    ]
    snapshot = read_from_platform(published, setting, "x")
    assert snapshot.users["matched_by"].null_count() == 3
    assert any("Who 3 target users are" in sentence for sentence in snapshot.cannot_tell)


def test_a_group_that_changes_meanwhile_is_noticed(
    platform: Platform, embedded: Embedded, token: str, setting: Setting
) -> None:
    class Moving(Published):
        def target_users(self) -> Iterable[Any]:
            embedded.push(token, f"new{self.looks}@example.com", "Sales")
            return super().target_users()

    with pytest.raises(SnapshotError, match="the target groups changed"):
        read_from_platform(Moving(platform), setting, "x")
