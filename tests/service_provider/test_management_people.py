"""Target groups, target users, enrolments, jobs and the provisioning log over the management API."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from managing import ManagementClient, Platform

from scimops.attributes import ENTERPRISE
from scimops.frames import PROVISIONING_LOG
from scimops.service_provider.management import fixtures
from scimops.service_provider.tables import provisioning_log
from scimops.setting import parse_setting

COUNTRY = parse_setting(
    "format: 1\nname: Country\nfield_mappings: [{attribute: 'addresses[type eq \"work\"].country', field: Country}]\n"
    "group_settings: {target_group: Everyone, criterion: {field: Country}}"
)


def new_user(admin: ManagementClient, email: str, **more: Any) -> str:
    return str(
        admin.data("POST", "/api/target-users", {"email": email, "phoneNumber": "+1 555 0101"} | more)["resourceId"]
    )


def new_group(admin: ManagementClient, name: str) -> str:
    return str(admin.data("POST", "/api/target-groups", {"name": name, "priority": "High"})["resourceId"])


def test_a_group_made_by_hand(admin: ManagementClient) -> None:
    key = new_group(admin, "  Sales  EMEA ")
    got = admin.data("GET", f"/api/target-groups/{key}")
    assert got.pop("createDate").endswith("Z")
    assert got == {
        "resourceId": key, "name": "Sales EMEA", "priority": "High", "isEditable": True, "isScimGroup": False,
        "isGoogleGroup": False,
    }  # fmt: skip
    row = admin.search("/api/target-groups/search")["results"][0]
    assert (row["companyName"], row["userCount"], row["userCountWithPhoneNumber"]) == ("Example Ltd", 0, 0)
    for twin in ("sales emea", "SALES\u200b EMEA"):
        assert "name" in admin.refused(409, "POST", "/api/target-groups", {"name": twin, "priority": "Low"})["message"]
    for wrong in ("", " ", "x" * 65, "\u200b", "a\u0007"):
        admin.refused(400, "POST", "/api/target-groups", {"name": wrong, "priority": "Low"})
    admin.refused(400, "POST", "/api/target-groups", {"name": "A"})


def test_a_person_made_by_hand(admin: ManagementClient) -> None:
    group = new_group(admin, "Interns")
    body = {"name": "Country", "ownerType": "Company", "fieldDataType": "Text"}
    field = admin.data("POST", "/api/custom-fields", body)["resourceId"]
    key = new_user(
        admin, "Zoë@Example.com", firstName="Zoë", lastName="O'Neill", department="R&D", priority="High",
        customFields=[{"resourceId": field, "value": "NL"}], targetGroupResourceIds=[group, group],
        timeZoneId="Europe/Amsterdam", preferredLanguageId="nl", managerFirstName="Bo", managerEmail="bo@example.com",
    )  # fmt: skip
    got = admin.data("GET", f"/api/target-users/{key}")
    assert got == {
        "resourceId": key, "email": "Zoë@Example.com", "firstName": "Zoë", "lastName": "O'Neill", "department": "R&D",
        "priority": "High", "isActive": True, "phoneNumber": "+1 555 0101", "timeZoneId": "Europe/Amsterdam",
        "preferredLanguageId": "nl", "managerFirstName": "Bo", "managerLastName": None,
        "managerEmail": "bo@example.com", "managerFullName": "Bo",
        "customFieldValues": [
            {"resourceId": field, "name": "Country", "dataType": "Text", "value": "NL", "timestampValue": None}
        ],
        "scimops": {
            "externalId": None, "userName": None, "reason": "ungrouped",
            "groups": [{"resourceId": group, "name": "Interns"}],
        },
    }  # fmt: skip
    row = admin.search(f"/api/target-groups/{group}/users")["results"][0]
    assert (row["resourceId"], row["isEditable"], row["scimSettingName"], row["status"]) == (key, True, None, "Active")
    assert row["customFieldValues"] == got["customFieldValues"]
    for text in ("zoë@", "ZOË", "o'neill"):
        assert admin.search("/api/target-users/search", text)["totalNumberOfRecords"] == 1, text
    assert admin.search("/api/target-users/search", "familyname")["totalNumberOfRecords"] == 0
    assert admin.search("/api/target-groups/search")["results"][0]["userCountWithPhoneNumber"] == 1


def test_a_wrong_person_is_told_where(
    admin: ManagementClient, setting_factory: Callable[..., Any], platform: Platform
) -> None:
    new_user(admin, "ada@example.com")
    admin.refused(409, "POST", "/api/target-users", {"email": "ADA@example.com", "phoneNumber": "1"})
    platform.push(setting_factory().token, "bo@example.com", "Sales")
    sales = next(g["resourceId"] for g in admin.data("GET", "/api/target-groups") if g["name"] == "Sales")
    message = admin.refused(409, "POST", "/api/target-users", {"email": "Bo@example.com", "phoneNumber": "1"})[
        "message"
    ]
    assert "bo@" not in message.lower()
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"email": "nobody"}, "email"), ({"email": "a b@example.com"}, "email"), ({"email": "x" * 321}, "email"),
        ({"phoneNumber": ""}, "phoneNumber"), ({"phoneNumber": None}, "phoneNumber"), ({"isActive": "yes"}, "isActive"),
        ({"firstName": "x" * 257}, "firstName"),
        ({"customFields": [{"resourceId": "x", "value": "y"}]}, "customFields"),
        ({"targetGroupResourceIds": ["abcdefghjkmn"]}, "targetGroupResourceIds"),
        ({"targetGroupResourceIds": [sales]}, "targetGroupResourceIds"),
    ]  # fmt: skip
    for change, where in wrong:
        body = {"email": "new@example.com", "phoneNumber": "1"} | change
        messages = admin.refused(400, "POST", "/api/target-users", body)["validationMessages"]
        assert any(where in message for message in messages), (change, messages)
    assert admin.data("GET", "/api/target-users/count-summary")["totalCount"] == 2


def test_what_scim_made_is_shown_as_the_preview_maps_it(
    platform: Platform, admin: ManagementClient, setting_factory: Callable[..., Any]
) -> None:
    made = setting_factory(COUNTRY)
    person = platform.push(
        made.token, "ada@example.com", "R&D", addresses=[{"type": "work", "country": "NL"}], timezone="Europe/Paris",
        preferredLanguage="fr",
    )  # fmt: skip
    row = admin.search("/api/target-users/search")["results"][0]
    shown = {
        "resourceId": person, "email": "ada@example.com", "firstName": "Ada", "lastName": "Ada", "department": "R&D",
        "status": "Active", "isEditable": False, "scimSettingName": "Country", "phoneNumber": "+1 555 0100",
        "timeZone": "Europe/Paris", "preferredLanguage": "fr",
    }  # fmt: skip
    assert {key: row[key] for key in shown} == shown
    assert [(v["name"], v["value"]) for v in row["customFieldValues"]] == [("Country", "NL")]
    assert row["scimops"]["externalId"] == "x-ada@example.com"
    assert (row["scimops"]["reason"], [g["name"] for g in row["scimops"]["groups"]]) == ("matched", ["NL"])
    group = next(g for g in admin.search("/api/target-groups/search")["results"] if g["name"] == "NL")
    assert (group["isEditable"], group["isScimGroup"], group["userCount"]) == (False, True, 1)
    assert group["scimSettingName"] == "Country"


@pytest.mark.parametrize("keep", [False, True])
def test_people_who_are_not_active_are_in_no_group_unless_they_are_kept(
    platform: Platform, admin: ManagementClient, setting_factory: Callable[..., Any], keep: bool
) -> None:
    """They show in a group, and are counted in it, only where their setting keeps them there."""
    inactive = "keep_group" if keep else "no_group"
    made = setting_factory(parse_setting(
        f"format: 1\nname: S\ngroup_settings: {{criterion: {{field: department}}, inactive: {inactive}}}"
    ))  # fmt: skip
    ada, bo = (platform.push(made.token, f"{name}@example.com", "Sales") for name in ("ada", "bo"))
    off = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
           "Operations": [{"op": "replace", "path": "active", "value": False}]}  # fmt: skip
    assert platform.scim(made.token, "PATCH", f"/Users/{bo}", off).is_success
    group = admin.search("/api/target-groups/search")["results"][0]
    assert group["userCount"] == (2 if keep else 1)
    url = f"/api/target-groups/{group['resourceId']}/users"
    assert {p["resourceId"] for p in admin.search(url)["results"]} == ({ada, bo} if keep else {ada})
    others = admin.search(url, excludeGroupUsers=True)["results"]
    assert {p["resourceId"] for p in others} == (set() if keep else {bo})
    assert admin.data("GET", "/api/target-users/count-summary") == {
        "totalCount": 2, "activeCount": 1, "inactiveCount": 1, "deletedCount": 0
    }  # fmt: skip
    company = admin.search("/api/companies/search")["results"][0]
    assert (company["targetUserCount"], company["inactiveTargetUserCount"]) == (1, 1)


def test_who_should_be_enrolled_and_who_is(
    platform: Platform, admin: ManagementClient, setting_factory: Callable[..., Any], company: str
) -> None:
    made = setting_factory()
    ada = platform.push(made.token, "ada@example.com", "Sales")
    sales = admin.data("GET", "/api/target-groups")[0]["resourceId"]
    with platform.database.write() as connection:
        auto = fixtures.add_enrolment(connection, company, "Basics", [sales], auto_enrol=True)
        once = fixtures.add_enrolment(connection, company, "Once", [sales], auto_enrol=False)
    bo = platform.push(made.token, "bo@example.com", "sales")
    assert enrolled(admin, auto) == enrolled(admin, once) == {ada}
    with platform.database.write() as connection:
        assert fixtures.enrol_new(connection, company) == 1
        assert fixtures.enrol_new(connection, company) == 0
    assert (enrolled(admin, auto), enrolled(admin, once)) == ({ada, bo}, {ada})
    rows = admin.search("/api/enrollments/search")["results"]
    assert [(row["name"], row["isAutoEnrollmentActive"]) for row in rows] == [("Basics", True), ("Once", False)]
    one, other = (admin.data("GET", f"/api/enrollments/{key}") for key in (auto, once))
    assert one["targetGroupResourceIds"] == other["targetGroupResourceIds"] == [sales]
    assert "enrollmentAutoEnroll" in one
    assert "enrollmentAutoEnroll" not in other
    with pytest.raises(Exception, match="target group"), platform.database.write() as connection:
        fixtures.add_enrolment(connection, company, "Wrong", ["abcdefghjkmn"])


def enrolled(admin: ManagementClient, enrolment: str) -> set[str]:
    results = admin.search(f"/api/training-reports/{enrolment}/users/search", orderBy="Email")["results"]
    assert {row["enrollmentId"] for row in results} <= {enrolment}
    return {row["targetUserResourceId"] for row in results}


def test_a_group_deleted_by_hand_comes_back_with_its_people(
    platform: Platform, admin: ManagementClient, setting_factory: Callable[..., Any], company: str
) -> None:
    made = setting_factory()
    ada, bo = (platform.push(made.token, f"{name}@example.com", "Sales") for name in ("ada", "bo"))
    sales = admin.data("GET", "/api/target-groups")[0]["resourceId"]
    with platform.database.write() as connection:
        fixtures.delete_group_by_hand(connection, company, sales)
    assert admin.data("GET", "/api/target-groups") == []
    line = admin.search("/api/audit-logs/search")["results"][-1]
    assert (line["operation"], line["entityName"], line["userName"]) == ("Delete", "TargetGroup", "fixture")
    cy = platform.push(made.token, "cy@example.com", "Sales")
    again = admin.data("GET", "/api/target-groups")[0]["resourceId"]
    people = admin.search(f"/api/target-groups/{again}/users")["results"]
    assert {person["resourceId"] for person in people} == {ada, bo, cy}


def test_jobs_are_what_one_setting_did_on_one_day(
    platform: Platform, admin: ManagementClient, setting_factory: Callable[..., Any]
) -> None:
    assert admin.data("GET", "/api/jobs")["scimops"] == {"jobs": []}
    made = setting_factory()
    platform.push(made.token, "ada@example.com", "Sales")
    assert platform.scim(made.token, "POST", "/Users", {"userName": "x"}).status_code == 400
    job = admin.data("GET", "/api/jobs")
    assert job["name"].startswith("SCIM Setting 1 ")
    assert job["isFinished"] is False
    with platform.database.write() as connection:
        yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
        connection.execute(sa.update(provisioning_log).values(at=yesterday))
    job = admin.data("GET", "/api/jobs")["scimops"]["jobs"][0]
    assert job["isFinished"] is True
    assert job["errorMessage"] == "1 of 2 requests were refused."
    (step,) = admin.data("GET", f"/api/jobs/{job['resourceId']}")["processResults"]
    assert (step["currentCount"], step["targetCount"], step["existsError"]) == (1, 2, True)
    assert step["processErrors"][0]["errorMessage"].startswith("400 ")
    for wrong in ("0", "1", "9" * 18, "9" * 40, "-1", "abc", str(job["jobId"] + 1)):
        admin.refused(404, "GET", f"/api/jobs/{wrong}")


def test_the_provisioning_log_is_paged_and_filtered(
    platform: Platform, admin: ManagementClient, setting_factory: Callable[..., Any]
) -> None:
    made = setting_factory()
    people = [platform.push(made.token, f"p{n}@example.com", "Sales") for n in range(5)]
    assert platform.scim(made.token, "POST", "/Users", {"userName": "x"}).status_code == 400
    assert platform.scim(made.token, "DELETE", f"/Users/{people[0]}").status_code == 204
    lines = log(admin, made.id)
    assert [line["status"] for line in lines] == [201] * 5 + [400, 204]
    assert {line["token"] for line in lines} == {"token 1"}
    assert all(list(line) == PROVISIONING_LOG.names for line in lines)
    assert log(admin, made.id, limit="2") == lines
    assert log(admin, made.id, limit="3", order="newest") == lines[::-1]
    assert log(admin, made.id, status="4xx") == log(admin, made.id, status="400") == [lines[5]]
    assert log(admin, made.id, resource_id=people[0]) == [lines[0], lines[6]]
    assert log(admin, made.id, operation=lines[6]["operation"]) == [lines[6]]
    assert log(admin, made.id, since=lines[6]["at"])[-1] == lines[6]
    assert log(admin, made.id, until="2020-01-01T00:00:00Z") == []
    assert log(admin, made.id, since="2020-01-01") == lines
    assert lines[1]["moves"][0]["after"] == "Sales"
    url = f"/api/scim/{made.id}/scimops/log"
    for wrong in (
        "limit=0", "limit=1001", "operation=%00", "until=9999-12-31T23:59:59-14:00", "cursor=x", "status=9", "a=b",
        "cursor=99999999999999999999", "since=soon", "order=up", "since=0001-01-01T00:00:00%2B14:00",
    ):  # fmt: skip
        admin.refused(400, "GET", f"{url}?{wrong}")


def log(admin: ManagementClient, setting: str, **query: str) -> list[dict[str, Any]]:
    """Every line, page by page."""
    lines: list[dict[str, Any]] = []
    while True:
        page = admin.data("GET", f"/api/scim/{setting}/scimops/log", params=query)["scimops"]
        lines += page["lines"]
        if page["next"] is None:
            return lines
        assert len(page["lines"]) == int(query["limit"])
        query["cursor"] = page["next"]


def test_a_settings_people_are_read_by_key(
    platform: Platform, admin: ManagementClient, setting_factory: Callable[..., Any]
) -> None:
    made = setting_factory()
    people = [platform.push(made.token, f"p{n}@example.com", "Sales" if n else None) for n in range(3)]
    new_user(admin, "hand@example.com")
    url = f"/api/scim/{made.id}/scimops/users"
    first = admin.data("GET", url, params={"limit": "2"})["scimops"]
    rest = admin.data("GET", url, params={"limit": "2", "cursor": first["next"]})["scimops"]
    assert rest["next"] is None
    rows = first["users"] + rest["users"]
    assert [row["resourceId"] for row in rows] == people
    assert [row["scimops"]["userName"] for row in rows] == [f"p{n}@example.com" for n in range(3)]
    assert [row["scimops"]["reason"] for row in rows] == ["fallback_blank", "matched", "matched"]
    assert ENTERPRISE not in rows[0]
