"""SCIM settings over the management API: made once, renamed, their tokens changed without a gap, deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from managing import ManagementClient, Platform

from scimops.attributes import ENTERPRISE
from scimops.service_provider.authentication import KEPT_SECONDS
from scimops.service_provider.management.fields import SCIM_FIELDS
from scimops.service_provider.tables import groups, memberships, tokens, users
from scimops.tokens import looks_like_token

ACME = "urn:example:params:scim:schemas:extension:acme:2.0:User"


@pytest.fixture
def everyone(admin: ManagementClient) -> str:
    """The id of a target group."""
    return str(admin.data("POST", "/api/target-groups", {"name": "Everyone", "priority": "Low"})["resourceId"])


@pytest.fixture
def country(admin: ManagementClient) -> str:
    """The id of a custom field."""
    body = {"name": "Country", "ownerType": "Company", "fieldDataType": "Text"}
    return str(admin.data("POST", "/api/custom-fields", body)["resourceId"])


def ids(admin: ManagementClient) -> dict[str, str]:
    """Name and id of the settings."""
    return {row["name"]: row["resourceId"] for row in admin.search("/api/scim/search")["results"]}


def test_a_setting_is_read_as_it_was_made(admin: ManagementClient, everyone: str, country: str) -> None:
    mapping = {"customFieldResourceId": country, "scimFieldResourceId": "country"}
    body: dict[str, Any] = {
        "name": "Entra ID", "groupResourceId": everyone, "groupBySCIMFieldResourceId": "country",
        "fieldMappings": [mapping], "syncPlatformGroup": False,
        "scimops": {
            "aliases": {"NL": "Netherlands"}, "inactive": "keep_group", "duplicates": "keep_active",
            "identity": {"externalId": "objectId"}, "scope": {"user_types": ["Member"]}, "seats": 500,
            "field_mappings": [{"attribute": f"{ACME}:badge", "field": "Badge"}],
            "token_name": "first", "token_expires_in_days": 10,
        },
    }  # fmt: skip
    made = admin.data("POST", "/api/scim", body)
    assert looks_like_token(made["token"])
    got = admin.data("GET", f"/api/scim/{ids(admin)['Entra ID']}")
    assert made["scimops"] == {"resourceId": got["resourceId"]}
    assert (got["groupName"], got["groupByCustomFieldName"], got["syncPlatformGroup"]) == ("Everyone", "Country", False)
    assert got["mappingDetails"] == [
        {"scimPath": 'addresses[type eq "work"].country', "customFieldName": "Country"},
        {"scimPath": f"{ACME}:badge", "customFieldName": "Badge"},
    ]
    more = got["scimops"]
    assert more["setting"]["group_settings"] == {
        "target_group": "Everyone", "criterion": {"field": "Country", "idp_groups": None},
        "aliases": {"NL": "Netherlands"}, "duplicates": "keep_active", "inactive": "keep_group",
    }  # fmt: skip
    assert more["setting"]["identity"]["externalId"] == "objectId"
    assert more["setting"]["scope"]["user_types"] == ["Member"]
    assert more["setting"]["seats"] == 500
    assert more["capabilities"]["placement"] == "server"
    assert more["capabilities"]["limits"]["email"] == 320
    (token,) = more["tokens"]
    assert (token["name"], token["hint"], token["days_left"], token["warning"], token["last_used"]) == (
        "first", made["token"][-4:], 9, True, None
    )  # fmt: skip
    assert {f["name"] for f in admin.data("GET", "/api/custom-fields/company")} == {"Country", "Badge"}


@pytest.mark.parametrize(
    ("changes", "field", "by_idp"),
    [
        ({}, None, False),
        ({"syncPlatformGroup": True}, None, True),
        ({"groupBySCIMFieldResourceId": "department"}, "department", False),
        ({"scimops": {"group_by": "Badge", "field_mappings": [{"attribute": f"{ACME}:badge", "field": "Badge"}]}},
         "Badge", False),
    ],
)  # fmt: skip
def test_what_decides_the_group(
    admin: ManagementClient, changes: dict[str, Any], field: str | None, by_idp: bool
) -> None:
    admin.data("POST", "/api/scim", {"name": "A"} | changes)
    got = admin.data("GET", f"/api/scim/{ids(admin)['A']}")
    assert (got["groupByCustomFieldName"], got["syncPlatformGroup"]) == (field, by_idp)


def test_a_wrong_setting_is_told_where_and_nothing_is_made(admin: ManagementClient, country: str) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"name": ""}, "name"), ({"name": " "}, "name"), ({"name": "x" * 31}, "name"), ({"name": None}, "name"),
        ({"name": 7}, "name"), ({"nmae": "a"}, 'Did you mean "name"?'),
        ({"syncPlatformGroup": True, "groupBySCIMFieldResourceId": "department"}, "syncPlatformGroup"),
        ({"groupBySCIMFieldResourceId": "country"}, "is no mapped field"),
        ({"groupResourceId": "abcdefghjkmn"}, "groupResourceId"), ({"groupResourceId": "x" * 13}, "groupResourceId"),
        ({"fieldMappings": [{"customFieldResourceId": "x", "scimFieldResourceId": "country"}]}, "fieldMappings.0"),
        ({"fieldMappings": [{"customFieldResourceId": country, "scimFieldResourceId": "x"}]}, "fieldMappings.0"),
        ({"fieldMappings": [{"customFieldResourceId": None}]}, "fieldMappings.0"),
        ({"fieldMappings": [{"customFieldResourceId": country, "scimFieldResourceId": "country"}] * 2}, "twice"),
        ({"scimops": {"field_mappings": [{"attribute": "a b", "field": "B"}]}}, "is no SCIM attribute path"),
        ({"scimops": {"field_mappings": [{"attribute": "title", "field": "department"}]}}, "every person has already"),
        ({"scimops": {"inactive": "sometimes"}}, "inactive"),
        ({"scimops": {"aliases": {"a": "B", "A": "C"}}}, "aliases"),
        ({"scimops": {"token_expires_in_days": 0}}, "tokenExpiresInDays"),
        ({"scimops": {"token_expires_in_days": 2**80}}, "tokenExpiresInDays"),
        ({"scimops": {"seats": -1}}, "seats"), ({"scimops": {"group_by": "Nowhere"}}, "criterion"),
    ]  # fmt: skip
    for changes, where in wrong:
        envelope = admin.refused(400, "POST", "/api/scim", {"name": "A"} | changes)
        assert any(where in message for message in envelope["validationMessages"]), (changes, envelope)
    assert ids(admin) == {}
    assert [row["entityName"] for row in admin.search("/api/audit-logs/search")["results"]] == ["CustomField"]


def test_names_are_one_companys_own_upper_and_lower_case_alike(admin: ManagementClient) -> None:
    admin.data("POST", "/api/scim", {"name": "Straße"})
    admin.data("POST", "/api/scim", {"name": "Okta"})
    assert "name" in admin.refused(409, "POST", "/api/scim", {"name": "STRASSE "})["message"]
    okta = ids(admin)["Okta"]
    admin.refused(409, "PUT", f"/api/scim/{okta}", {"name": "strasse"})
    admin.data("PUT", f"/api/scim/{okta}", {"name": "OKTA"})
    admin.data("DELETE", f"/api/scim/{ids(admin)['Straße']}")
    admin.data("PUT", f"/api/scim/{okta}", {"name": "strasse"})
    got = admin.data("GET", f"/api/scim/{okta}")
    assert (got["name"], got["scimops"]["setting"]["name"]) == ("strasse", "strasse")
    for name in ("", " ", "x" * 31, "a\u0007", None):
        admin.refused(400, "PUT", f"/api/scim/{okta}", {"name": name})
    admin.refused(400, "PUT", f"/api/scim/{okta}", {"name": "A", "syncPlatformGroup": True})


def test_the_fields_that_may_be_mapped_are_a_closed_list(admin: ManagementClient) -> None:
    names = [field["name"] for field in admin.data("GET", "/api/scim/fields")["fields"]]
    assert names == list(SCIM_FIELDS.values())
    assert {"title", "userType", "timezone", "preferredLanguage", 'addresses[type eq "work"].country'} <= set(names)
    assert {f"{ENTERPRISE}:{name}" for name in ("costCenter", "division", "organization", "employeeNumber")} <= set(
        names
    )
    assert all(len(key) <= 12 for key in SCIM_FIELDS)


def test_custom_fields_are_a_companys_own(admin: ManagementClient, country: str) -> None:
    body = {"name": "COUNTRY", "ownerType": "Company", "fieldDataType": "Text"}
    admin.refused(409, "POST", "/api/custom-fields", body)
    admin.refused(400, "POST", "/api/custom-fields", {"name": "x" * 65, "ownerType": "a", "fieldDataType": "b"})
    assert [(f["resourceId"], f["name"]) for f in admin.data("GET", "/api/custom-fields/company")] == [
        (country, "Country")
    ]


def test_a_token_is_changed_without_a_gap(
    platform: Platform, admin: ManagementClient, setting_factory: Callable[..., Any]
) -> None:
    made = setting_factory()
    base = f"/api/scim/{made.id}/scimops/tokens"
    new = admin.data("POST", f"{base}/rotate", {"name": "second", "overlap_hours": 2, "expires_in_days": 90})
    assert platform.scim(made.token, "GET", "/Users").status_code == 200
    assert platform.scim(new["token"], "GET", "/Users").status_code == 200
    old, second = admin.data("GET", base)["scimops"]["tokens"]
    assert (old["state"], old["days_left"], second["name"], second["days_left"]) == ("active", 0, "second", 89)
    assert old["last_used"] is not None
    third = admin.data("POST", f"{base}/rotate", {"overlap_hours": 1000 // 2})
    assert third["scimops"]["name"] == "token 3"
    assert admin.data("GET", base)["scimops"]["tokens"][0]["expires"] == old["expires"]  # never made longer
    admin.data("DELETE", f"{base}/{second['id']}")
    platform.authenticator.forget()
    assert platform.scim(new["token"], "GET", "/Users").status_code == 401
    assert platform.scim(third["token"], "GET", "/Users").status_code == 200
    assert [token["state"] for token in admin.data("GET", base)["scimops"]["tokens"]] == ["active", "revoked", "active"]
    admin.refused(404, "DELETE", f"{base}/abcdefghjkmn")
    admin.refused(400, "POST", f"{base}/rotate", {"overlap_hours": 721})


def test_revoking_ends_the_old_token_and_shows_the_new_one_once(
    platform: Platform, admin: ManagementClient, setting_factory: Callable[..., Any]
) -> None:
    made = setting_factory()
    assert platform.scim(made.token, "GET", "/Users").status_code == 200
    new = admin.data("POST", f"/api/scim/{made.id}/revoke")["results"][0]["token"]
    platform.authenticator.clock = lambda: 10**9 + KEPT_SECONDS
    assert platform.scim(made.token, "GET", "/Users").status_code == 401
    assert platform.scim(new, "GET", "/Users").status_code == 200


def test_a_deleted_settings_people_are_the_companys_own(
    platform: Platform, admin: ManagementClient, setting_factory: Callable[..., Any]
) -> None:
    made, other = setting_factory(), setting_factory()
    person = platform.push(made.token, "ada@example.com", "Sales")
    neighbour = platform.push(other.token, "bo@example.com", "Sales")
    assert admin.search("/api/target-users/search", "ada")["results"][0]["isEditable"] is False
    admin.data("DELETE", f"/api/scim/{made.id}")
    platform.authenticator.forget()
    assert platform.scim(made.token, "GET", "/Users").status_code == 401
    admin.refused(404, "GET", f"/api/scim/{made.id}")
    row = admin.search("/api/target-users/search", "ada")["results"][0]
    assert (row["isEditable"], row["scimSettingName"], row["status"]) == (True, None, "Active")
    sales = next(group for group in admin.data("GET", "/api/target-groups") if group["name"] == "Sales")
    assert (sales["isEditable"], sales["isScimGroup"]) == (True, False)
    people = admin.search(f"/api/target-groups/{sales['resourceId']}/users")["results"]
    assert {p["resourceId"] for p in people} == {person, neighbour}
    assert platform.scim(other.token, "GET", f"/Users/{neighbour}").status_code == 200
    with platform.database.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).where(users.c.setting_n == made.n)) == 0
        kept = sa.select(sa.func.count()).where(memberships.c.setting_n == made.n)
        assert connection.scalar(kept) == 1  # so that a setting that takes Ada over moves her
        assert connection.scalar(sa.select(sa.func.count()).where(groups.c.setting_n == made.n)) == 0
        ends = connection.scalars(sa.select(tokens.c.revoked).where(tokens.c.setting_n == made.n)).all()
        assert None not in ends
    assert admin.data("GET", f"/api/scim/{made.id}/scimops/log")["scimops"]["lines"]


def test_groups_pushed_by_a_deleted_settings_identity_provider(
    platform: Platform, admin: ManagementClient, setting_factory: Callable[..., Any]
) -> None:
    """What was mirrored stays, with its members; what was pushed into another group leaves its members there."""
    admin.data("POST", "/api/target-groups", {"name": "Finance", "priority": "Low"})
    from scimops.setting import quick_setting

    made = setting_factory(quick_setting("idp-groups", "Everyone", "Mirror"))
    ada, bo = (platform.push(made.token, f"{name}@example.com") for name in ("ada", "bo"))
    for name, member in (("finance", ada), ("Legal", bo)):
        body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name,
                "members": [{"value": member}]}  # fmt: skip
        assert platform.scim(made.token, "POST", "/Groups", body).status_code == 201
    before = people_by_group(admin)
    admin.data("DELETE", f"/api/scim/{made.id}")
    assert before == {"Finance": {ada}, "Legal": {bo}, "Everyone": set()}
    assert people_by_group(admin) == before
    with platform.database.read() as connection:
        kinds = connection.execute(sa.select(groups.c.kind, sa.func.count()).group_by(groups.c.kind)).all()
    assert [tuple(kind) for kind in kinds] == [("manual", 3)]


def people_by_group(admin: ManagementClient) -> dict[str, set[str]]:
    """Who is in which target group."""
    return {
        group["name"]: {
            person["resourceId"]
            for person in admin.search(f"/api/target-groups/{group['resourceId']}/users")["results"]
        }
        for group in admin.data("GET", "/api/target-groups")
    }
