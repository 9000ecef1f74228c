"""Every call against the embedded platform over HTTP, each request and answer held to the platform's OpenAPI file."""

from __future__ import annotations

from typing import Any

import contract
import httpx2
import pytest
import sqlalchemy as sa
from ends import Connected, caught
from managing import Platform as Embedded

from scimops.platform import Platform, faults
from scimops.service_provider import directory
from scimops.service_provider.management import fixtures
from scimops.service_provider.tables import credentials

NOT_CALLED = {
    ("GET", "/api/target-groups"),  # the search says more: how many people, by which setting
    ("GET", "/api/target-groups/{resourceId}"),
    ("POST", "/api/target-users"),  # people come by SCIM
    ("GET", "/api/target-users/count-summary"),  # its schema says nothing of what it answers
    ("POST", "/api/companies/search"),  # seats; and a reseller's company, below
}
COUNTRY = 'addresses[type eq "work"].country'


def held(platform: Platform) -> set[tuple[str, str]]:
    """From now on each answer of this client and its request are held to the file, where it is; the operations seen."""
    seen: set[tuple[str, str]] = set()

    def hold(response: httpx2.Response) -> None:
        response.read()
        if contract.known() and (operation := contract.check(response)):
            seen.add(operation)

    platform._session._wire._client.event_hooks = {"response": [hold]}
    return seen


@pytest.fixture
def made(platform: Platform, embedded: Embedded) -> dict[str, Any]:
    """A setting with one person in it."""
    field = platform.create_custom_field("Country")
    group = platform.create_target_group("Everyone")
    country = next(one["resourceId"] for one in platform.scim_fields() if one["name"] == COUNTRY)
    token = platform.create_setting(
        {"name": "Entra ID", "groupResourceId": group, "groupBySCIMFieldResourceId": country,
         "fieldMappings": [{"customFieldResourceId": field, "scimFieldResourceId": country}],
         "syncPlatformGroup": False, "scimops": {"aliases": {"NL": "Netherlands"}}}
    )  # fmt: skip
    person = embedded.push(token.reveal(), "ada@example.com", addresses=[{"type": "work", "country": "NL"}])
    setting = next(iter(platform.settings()))["resourceId"]
    return {"field": field, "group": group, "token": token, "person": person, "setting": setting}


@pytest.mark.skipif(not contract.known(), reason="the platform's OpenAPI file is kept outside the repository; not here")
def test_every_request_and_answer_is_as_the_file_says(
    connected: Connected, embedded: Embedded, company: str
) -> None:  # fmt: skip
    platform = connected(company, company_id=company, company_name="Example Ltd")
    seen = held(platform)
    field, group = platform.create_custom_field("Country"), platform.create_target_group("Everyone")
    country = next(one["resourceId"] for one in platform.scim_fields() if one["name"] == COUNTRY)
    body = {"name": "Entra ID", "groupResourceId": group, "groupBySCIMFieldResourceId": country,
            "fieldMappings": [{"customFieldResourceId": field, "scimFieldResourceId": country}],
            "syncPlatformGroup": False}  # fmt: skip
    token = platform.create_setting(body)
    person = embedded.push(token.reveal(), "ada@example.com", addresses=[{"type": "work", "country": "NL"}])
    setting = platform.settings()[0]["resourceId"]
    assert platform.setting(setting)["mappingDetails"] == [{"scimPath": COUNTRY, "customFieldName": "Country"}]
    assert [one["name"] for one in platform.custom_fields()] == ["Country"]
    assert {one["name"] for one in platform.target_groups()} == {"Everyone", "NL"}
    assert [one["resourceId"] for one in platform.target_users()] == [person]
    placed = next(one for one in platform.target_groups() if one["name"] == "NL")
    assert [one["email"] for one in platform.group_users(placed["resourceId"])] == ["ada@example.com"]
    assert platform.user(person)["isActive"] is True
    with embedded.database.write() as connection:
        fixtures.add_enrolment(connection, company, "Basics", [placed["resourceId"]], auto_enrol=True)
    enrolment = platform.enrolments()[0]
    assert enrolment["isAutoEnrollmentActive"] is True
    assert platform.enrolment(enrolment["enrollmentId"]).group_ids == (placed["resourceId"],)
    assert platform.enrolment(enrolment["enrollmentId"]).auto_enrol is True
    report = list(platform.training_report_users(enrolment["enrollmentId"]))
    assert [one["email"] for one in report] == ["ada@example.com"]
    job = platform.jobs()[0]
    steps = platform.job(job["resourceId"])["processResults"]
    assert steps is not None
    assert [step["currentCount"] for step in steps] == [1]
    platform.rename(setting, "Entra")
    assert platform.revoke(setting) != token
    platform.delete(setting)
    assert platform.settings() == []
    assert [line["operation"] for line in platform.audit_log() if line["entityName"] == "ScimSetting"] == [
        "Create", "Update", "Revoke", "Delete"
    ]  # fmt: skip
    assert seen == contract.operations() - NOT_CALLED


def test_a_reseller_acts_for_the_company_it_names(connected: Connected, embedded: Embedded, company: str) -> None:
    with embedded.database.write() as connection:
        other = directory.create_company(connection, "Other Ltd")
    theirs = connected(None, reseller=True, company_id=other, company_name="Other Ltd")
    held(theirs)
    theirs.create_target_group("Theirs")
    assert theirs.seats() is None
    ours = connected(None, reseller=True, company_id=company, company_name="Example Ltd")
    assert ours.target_groups() == []
    assert ours.seats() == 50


def test_another_company_than_the_connection_names(
    connected: Connected, embedded: Embedded, company: str
) -> None:  # fmt: skip
    with embedded.database.write() as connection:
        other = directory.create_company(connection, "Other Ltd")
    for said in (
        {"company_id": other, "company_name": "Other Ltd"},
        {"reseller": True, "company_id": other, "company_name": "Example Ltd"},
    ):
        platform = connected(None if "reseller" in said else company, **said)
        error = caught(faults.OtherCompanyError, lambda platform=platform: platform.create_target_group("A"))
        assert "Nothing was read or written." in str(error)
        assert "Example Ltd" in str(error)
        assert "Other Ltd" in str(error)
    foreign = connected(None, reseller=True, company_id="abcdefghjkmn", company_name="Nobody")
    assert "Nobody" in str(caught(faults.ForbiddenError, foreign.settings))
    with embedded.database.read() as connection:
        for one in (company, other):
            assert embedded.client(one).data("GET", "/api/target-groups") == []


def test_the_embedded_platform_says_what_it_does(platform: Platform) -> None:
    said = platform.capabilities()
    assert said.own
    assert said.rules == frozenset(range(1, 12))
    assert said.limits["settingName"] == 30
    assert str(platform.scim_url()).endswith("/scim/v2")


def test_our_additions_to_the_api(platform: Platform, made: dict[str, Any]) -> None:
    setting = made["setting"]
    assert [line["operation"] for line in platform.provisioning_log(setting, status="2xx")] == ["create"]
    assert list(platform.provisioning_log(setting, status="409")) == []
    people = list(platform.setting_people(setting))
    assert [(one["scimops"]["externalId"], one["scimops"]["reason"]) for one in people] == [
        ("x-ada@example.com", "alias")
    ]
    new = platform.rotate_token(setting, overlap_hours=1)
    assert new != made["token"]
    tokens = platform.tokens(setting)
    assert len(tokens) == 2
    platform.revoke_token(setting, tokens[0]["id"])
    assert sum(one["state"] == "active" for one in platform.tokens(setting)) == 1
    assert [user["scimSettingName"] for user in platform.target_users("ADA")] == ["Entra ID"]


def test_what_the_embedded_platform_refuses(platform: Platform, made: dict[str, Any]) -> None:
    caught(faults.NameTakenError, lambda: platform.create_setting({"name": "entra id", "syncPlatformGroup": False}))
    caught(faults.NameTakenError, lambda: platform.create_custom_field("COUNTRY"))
    caught(faults.NameTakenError, lambda: platform.create_target_group("EVERYONE"))
    error = caught(faults.RefusedError, lambda: platform.create_setting({"name": "x" * 31, "syncPlatformGroup": False}))
    assert "name: String should have at most 30 characters" in str(error)
    gone = {"name": "x", "groupResourceId": "abcdefghjkmn", "syncPlatformGroup": False}
    assert "is no target group of this company" in str(
        caught(faults.RefusedError, lambda: platform.create_setting(gone))
    )
    platform.delete(made["setting"])
    for call in (platform.setting, platform.revoke, platform.delete):
        caught(faults.NotFoundError, lambda call=call: call(made["setting"]))
    assert len(platform.settings()) == 0


def test_wrong_credentials_and_a_wrong_path(
    connected: Connected, embedded: Embedded, company: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCIMOPS_TEST_WRONG", "scimops_secret_wrong")
    wrong = connected(company)
    wrong._session.connection = wrong._session.connection.model_copy(update={"client_secret": "env:SCIMOPS_TEST_WRONG"})
    caught(faults.CredentialsError, wrong.settings, None, "scimops_secret_wrong")
    for path in ("/scim/v2", "/nothing/here"):
        elsewhere = connected(company, url=embedded.url + path)
        assert "no management API" in str(caught(faults.AddressError, elsewhere.settings))


def test_a_credential_that_was_removed_is_told_at_once(platform: Platform, embedded: Embedded) -> None:
    platform.settings()
    with embedded.database.write() as connection:
        connection.execute(sa.delete(credentials))
    caught(faults.CredentialsError, platform.settings)
