"""The management API over HTTP, held to the platform's OpenAPI file: every path and method at least once."""

from __future__ import annotations

import contract
import httpx2
import pytest
from managing import ManagementClient, Platform
from openapi_core.exceptions import OpenAPIError

from scimops.service_provider.management import fixtures

SEARCH = {"pageNumber": 1, "pageSize": 10, "orderBy": "CreateTime", "ascending": False,
          "filter": {"Condition": "AND", "SearchInputTextValue": ""}}  # fmt: skip


@pytest.mark.skipif(not contract.known(), reason="the platform's OpenAPI file is kept outside the repository; not here")
def test_every_operation_of_the_file_answers_as_the_file_says(
    platform: Platform, admin: ManagementClient, company: str
) -> None:
    custom = admin.data("POST", "/api/custom-fields", {"name": "Country", "ownerType": "Company",
                                                       "fieldDataType": "Text"})["resourceId"]  # fmt: skip
    group = admin.data("POST", "/api/target-groups", {"name": "Everyone", "priority": "Low"})["resourceId"]
    fields = admin.data("GET", "/api/scim/fields")["fields"]
    country = next(f["resourceId"] for f in fields if f["name"] == 'addresses[type eq "work"].country')
    made = admin.data(
        "POST", "/api/scim",
        {"name": "Entra ID", "groupResourceId": group, "groupBySCIMFieldResourceId": country,
         "fieldMappings": [{"customFieldResourceId": custom, "scimFieldResourceId": country}],
         "syncPlatformGroup": False, "scimops": {"token_name": "entra"}},
    )  # fmt: skip
    person = platform.push(made["token"], "ada@example.com", addresses=[{"type": "work", "country": "NL"}])
    setting = admin.search("/api/scim/search")["results"][0]["resourceId"]
    with platform.database.write() as connection:
        enrolment = fixtures.add_enrolment(connection, company, "Phishing basics", [group], auto_enrol=True)
    reads = [
        "/api/companies/my", f"/api/scim/{setting}", "/api/target-groups", f"/api/target-groups/{group}",
        f"/api/target-users/{person}", "/api/target-users/count-summary", "/api/custom-fields/company", "/api/jobs",
        f"/api/enrollments/{enrolment}",
    ]  # fmt: skip
    for path in reads:
        assert admin.data("GET", path)
    admin.data("GET", f"/api/jobs/{admin.data('GET', '/api/jobs')['resourceId']}")
    admin.data("POST", "/api/target-users", {"email": "bo@example.com", "phoneNumber": "+1 555 0101", "firstName": "Bo",
                                             "targetGroupResourceIds": [group]})  # fmt: skip
    for path in (
        "/api/companies/search", "/api/target-groups/search", f"/api/target-groups/{group}/users",
        "/api/target-users/search", "/api/audit-logs/search", "/api/enrollments/search",
        f"/api/training-reports/{enrolment}/users/search",
    ):  # fmt: skip
        assert "results" in admin.search(path)
    admin.data("PUT", f"/api/scim/{setting}", {"name": "Entra"})
    assert admin.data("POST", f"/api/scim/{setting}/revoke")["results"][0]["token"]
    admin.data("DELETE", f"/api/scim/{setting}")
    assert admin.seen == contract.operations()


def test_a_search_is_paged_ordered_and_filtered(admin: ManagementClient) -> None:
    for name in ("Müller", "Sales", "sales EMEA", "R&D 100%"):
        admin.data("POST", "/api/target-groups", {"name": name, "priority": "Low"})
    pages = [admin.search("/api/target-groups/search", pageNumber=n, pageSize=3, orderBy="Name") for n in (1, 2, 3)]
    assert [[g["name"] for g in page["results"]] for page in pages] == [
        ["Müller", "R&D 100%", "Sales"], ["sales EMEA"], []
    ]  # fmt: skip
    assert {page["totalNumberOfPages"] for page in pages} == {2}
    assert {page["totalNumberOfRecords"] for page in pages} == {4}
    down = admin.search("/api/target-groups/search", orderBy="createtime", ascending=False)
    assert [g["name"] for g in down["results"]] == ["R&D 100%", "sales EMEA", "Sales", "Müller"]
    for text, names in {"SALES": ["Sales", "sales EMEA"], "mÜLL": ["Müller"], "0%": ["R&D 100%"], "_": []}.items():
        assert [g["name"] for g in admin.search("/api/target-groups/search", text)["results"]] == names


WRONG_SEARCHES: list[tuple[dict[str, object], str]] = [
    ({"orderBy": None}, "orderBy"),
    ({"filter": None}, "filter"),
    ({"orderBy": "Nmae"}, 'orderBy: is no such name. Did you mean "Name"?'),
    ({"pageNumber": 0}, "pageNumber"),
    ({"pageNumber": 2**70}, "pageNumber"),
    ({"pageNumber": True}, "pageNumber"),
    ({"pageSize": 1001}, "pageSize"),
    ({"pageSize": "10"}, "pageSize"),
    ({"ascending": 1}, "ascending"),
    ({"filter": {"searchInputTextValue": 1}}, "filter.searchInputTextValue"),
    ({"filter": {"condition": "XOR"}}, "filter.condition"),
    ({"filter": {"filterGroups": [{"filterItems": []}]}}, "filter.filterGroups"),
]


def test_a_wrong_search_is_told_where(admin: ManagementClient) -> None:
    for change, where in WRONG_SEARCHES:
        envelope = admin.refused(400, "POST", "/api/target-groups/search", SEARCH | change)
        assert envelope["status"] == "VALIDATION_ERROR"
        assert any(where in message for message in envelope["validationMessages"]), change


def test_some_searches_need_all_their_keys(admin: ManagementClient) -> None:
    for path in ("/api/companies/search", "/api/enrollments/search"):
        messages = admin.refused(400, "POST", path, {})["validationMessages"]
        assert [message.partition(":")[0] for message in messages] == [
            "pageNumber", "pageSize", "orderBy", "ascending", "filter"
        ]  # fmt: skip


def test_the_contract_itself_notices_what_differs() -> None:
    if not contract.known():
        pytest.skip("the platform's OpenAPI file is kept outside the repository; not here")
    request = httpx2.Request("GET", "http://x/api/target-groups")
    for row in ({"nmae": "a"}, {"name": 1}, {"createDate": "yesterday"}, "a"):
        body = {"data": [row], "status": "SUCCESS", "message": None, "validationMessages": []}
        with pytest.raises(OpenAPIError):
            contract.check(httpx2.Response(200, json=body, request=request))
    wrong = httpx2.Request("POST", "http://x/api/target-groups", json={"name": "x" * 65, "priority": "Low"})
    with pytest.raises(OpenAPIError):
        contract.check(httpx2.Response(200, json={"data": {"resourceId": "a"}, "status": "SUCCESS"}, request=wrong))


def test_the_audit_log_has_each_action_and_no_secret(admin: ManagementClient) -> None:
    token = admin.data("POST", "/api/scim", {"name": "Okta"})["token"]
    setting = admin.search("/api/scim/search")["results"][0]["resourceId"]
    admin.data("PUT", f"/api/scim/{setting}", {"name": "Okta 2"}, headers={"User-Agent": f"curl {token} " + "x" * 300})
    admin.data("DELETE", f"/api/scim/{setting}")
    lines = admin.search("/api/audit-logs/search")["results"]
    assert [(line["operation"], line["entityName"]) for line in lines] == [
        ("Create", "ScimSetting"), ("Update", "ScimSetting"), ("Delete", "ScimSetting")
    ]  # fmt: skip
    assert lines[1]["oldValue"] == '{"name": "Okta"}'
    assert lines[1]["newValue"] == '{"name": "Okta 2"}'
    assert {line["userName"] for line in lines} == {lines[0]["userName"]}
    assert lines[0]["userName"].startswith("scimops_client_")
    assert {line["ip"] for line in lines} == {"127.0.0.1"}
    assert len(lines[1]["userAgent"]) == 200
    assert token not in str(lines)
    assert [line["operation"] for line in admin.search("/api/audit-logs/search", "delete")["results"]] == ["Delete"]


def test_a_failed_action_leaves_no_line(admin: ManagementClient) -> None:
    admin.refused(400, "POST", "/api/scim", {"name": "x" * 31})
    admin.refused(404, "DELETE", "/api/scim/abcdefghjkmn")
    assert admin.search("/api/audit-logs/search")["totalNumberOfRecords"] == 0
