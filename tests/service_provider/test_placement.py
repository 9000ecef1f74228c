"""People pushed over HTTP land where the rule says, in the transaction of the very request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from serving import new_company, new_subject, served

from scimops.attributes import ENTERPRISE
from scimops.service_provider.tables import groups, memberships, provisioning_log, users
from scimops.setting import Setting

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def by_department(**more: Any) -> Setting:
    return Setting.model_validate(
        {"name": "S", "group_settings": {"target_group": "Everyone", "criterion": {"field": "department"}, **more}}
    )


def person(name: str, department: str | None = None, **more: Any) -> dict[str, Any]:
    body = {
        "schemas": [CORE, ENTERPRISE], "userName": f"{name}@example.com", "externalId": f"id-{name}",
        "emails": [{"type": "work", "value": f"{name}@example.com", "primary": True}], "active": True, **more,
    }  # fmt: skip
    return body | ({ENTERPRISE: {"department": department}} if department is not None else {})


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH], "Operations": list(operations)}


class Wire:
    """One setting's end of the wire, and what the database says."""

    def __init__(self, database: Any, client: httpx2.Client, subject: Any) -> None:
        self.database, self.client, self.subject = database, client, subject

    def add(self, *args: Any, **more: Any) -> str:
        answer = self.client.post("/Users", json=person(*args, **more))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def patch(self, user: str, *operations: dict[str, Any]) -> httpx2.Response:
        answer = self.client.patch(f"/Users/{user}", json=patch(*operations))
        assert answer.status_code in (200, 204), answer.text
        return answer

    def group_of(self, user: str) -> list[str]:
        groups = self.client.get(f"/Users/{user}").json().get("groups", [])
        return sorted(group["display"] for group in groups)

    def reason(self, user: str) -> str:
        with self.database.read() as connection:
            return str(connection.scalar(sa.select(users.c.reason).where(users.c.id == user)))

    def rows(self, table: sa.Table) -> list[Any]:
        with self.database.read() as connection:
            return list(connection.execute(sa.select(table)).all())


@pytest.fixture
def wire(database: Any, request: pytest.FixtureRequest) -> Iterator[Wire]:
    subject = new_subject(database, getattr(request, "param", by_department()))
    with served(database, subject) as client:
        yield Wire(database, client, subject)


def test_a_person_lands_in_the_group_of_their_value(wire: Wire) -> None:
    anna, ben = wire.add("anna", "Satış"), wire.add("ben", "SATIŞ ")
    assert wire.group_of(anna) == wire.group_of(ben) == ["Satış"]
    assert wire.reason(anna) == wire.reason(ben) == "matched"


def test_blank_falls_back_and_moves_when_the_department_comes(wire: Wire) -> None:
    anna = wire.add("anna", "  ")
    assert (wire.group_of(anna), wire.reason(anna)) == (["Everyone"], "fallback_blank")
    wire.patch(anna, {"op": "Add", "path": f"{ENTERPRISE}:department", "value": "Sales"})
    assert (wire.group_of(anna), wire.reason(anna)) == (["Sales"], "matched")
    moves = [json.loads(r.moves) for r in wire.rows(provisioning_log) if r.moves]
    assert moves[0][0] | {"user": anna, "before": None, "after": "Everyone"} == moves[0][0]
    assert moves[-1] == [
        {"user": anna, "before": "Everyone", "after": "Sales", "reason": "matched", "transient_fallback": True}
    ]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": f"{ENTERPRISE}:department", "value": "Ops"},
        {"op": "Replace", "value": {f"{ENTERPRISE}:department": "Ops"}},
        {"op": "add", "value": {ENTERPRISE: {"department": "Ops"}}},
        {"op": "replace", "path": "department", "value": "Ops"},
    ],
    ids=["path", "dotted key", "nested object", "bare"],
)
def test_every_form_of_patch_gives_one_result(wire: Wire, operation: dict[str, Any]) -> None:
    anna = wire.add("anna", "Sales")
    wire.patch(anna, operation)
    assert wire.group_of(anna) == ["Ops"]


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": f"{ENTERPRISE}:department"},
        {"op": "replace", "path": f"{ENTERPRISE}:department", "value": None},
        {"op": "replace", "path": f"{ENTERPRISE}:department", "value": ""},
        {"op": "replace", "path": f"{ENTERPRISE}:department", "value": []},
    ],
    ids=["remove", "null", "empty", "list"],
)
def test_every_form_of_nothing_is_blank(wire: Wire, operation: dict[str, Any]) -> None:
    anna = wire.add("anna", "Sales")
    wire.patch(anna, operation)
    assert (wire.group_of(anna), wire.reason(anna)) == (["Everyone"], "fallback_blank")


def test_deactivation_hides_the_group_and_activation_restores_it(wire: Wire) -> None:
    anna = wire.add("anna", "Sales")
    wire.patch(anna, {"op": "Replace", "path": "active", "value": "False"})
    assert (wire.group_of(anna), wire.reason(anna)) == ([], "inactive")
    wire.patch(anna, {"op": "replace", "path": f"{ENTERPRISE}:department", "value": "Ops"})
    assert wire.group_of(anna) == []
    wire.patch(anna, {"op": "replace", "value": {"active": True}})
    assert (wire.group_of(anna), wire.reason(anna)) == (["Ops"], "matched")


def test_a_group_deleted_by_hand_returns_with_all_its_people(wire: Wire) -> None:
    anna, ben = wire.add("anna", "Sales"), wire.add("ben", "Sales")
    with wire.database.write() as connection:
        connection.execute(sa.delete(memberships))
        connection.execute(sa.delete(groups))
    assert wire.group_of(ben) == []
    wire.patch(anna, {"op": "replace", "path": "title", "value": "Boss"})
    assert wire.group_of(anna) == wire.group_of(ben) == ["Sales"]


def test_a_placed_group_is_not_the_identity_providers_to_change(wire: Wire) -> None:
    anna = wire.add("anna", "Sales")
    (group,) = wire.client.get("/Groups", params={"filter": 'displayName eq "sales"'}).json()["Resources"]
    refused = wire.client.patch(
        f"/Groups/{group['id']}", json=patch({"op": "remove", "path": f'members[value eq "{anna}"]'})
    )
    assert refused.status_code == 403
    assert refused.json()["status"] == "403"
    assert wire.client.delete(f"/Groups/{group['id']}").status_code == 403
    assert wire.group_of(anna) == ["Sales"]


def test_a_pushed_group_under_another_criterion_is_kept_but_not_mirrored(wire: Wire) -> None:
    anna = wire.add("anna", "Sales")
    made = wire.client.post("/Groups", json={"schemas": [GROUP], "displayName": "Admins", "members": [{"value": anna}]})
    assert made.status_code == 201
    pushed = next(row for row in wire.rows(groups) if row.kind == "pushed")
    assert pushed.target_n is None
    assert wire.reason(anna) == "matched"


def test_delete_and_a_second_post(wire: Wire) -> None:
    anna = wire.add("anna", "Sales")
    assert wire.client.delete(f"/Users/{anna}").status_code == 204
    assert wire.client.get(f"/Users/{anna}").status_code == 404
    again = wire.add("anna", "Sales")
    assert again != anna
    assert wire.group_of(again) == ["Sales"]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"emails": []}, "emails"),
        ({"emails": [{"value": "anna@@example.com"}]}, "e-mail"),
        ({"userName": " "}, "userName"),
        ({"title": "nul\0"}, ""),
        ({"name": {"familyName": "x" * 257}}, "lastName"),
    ],
)
def test_whom_the_rule_rejects_is_answered_400_and_not_kept(wire: Wire, change: dict[str, Any], word: str) -> None:
    refused = wire.client.post("/Users", json=person("anna", "Sales") | change)
    assert refused.status_code == 400
    assert word in refused.json()["detail"]
    assert wire.rows(users) == []
    assert wire.rows(groups) == []


def test_one_clash_one_winner_and_nothing_of_the_other_in_the_answer(wire: Wire) -> None:
    wire.add("anna", "Sales")
    for other in ({"userName": "ANNA@example.com"}, {"userName": "b@x.example"}):
        refused = wire.client.post("/Users", json=person("anna", "Ops") | {"externalId": "other"} | other)
        assert refused.status_code == 409
        assert refused.json()["scimType"] == "uniqueness"
        assert "id-anna" not in refused.text
    assert len(wire.rows(users)) == 1
    assert {row.status for row in wire.rows(provisioning_log)} == {201, 409}


def test_two_settings_of_a_company_see_only_their_own(database: Any) -> None:
    company = new_company(database)
    named = [by_department().model_copy(update={"name": name}) for name in ("Ours", "Theirs")]
    ours, theirs = (new_subject(database, setting, company) for setting in named)
    with served(database, ours, theirs) as client:
        wire = Wire(database, client, ours)
        anna = wire.add("anna", "Sales")
        other = {"Authorization": f"Bearer {theirs.setting_id}"}
        assert client.get(f"/Users/{anna}", headers=other).status_code == 404
        assert client.get("/Users", headers=other).json()["totalResults"] == 0
        assert client.delete(f"/Users/{anna}", headers=other).status_code == 404
        clash = client.post("/Users", json=person("anna", "Ops"), headers=other)
        assert clash.status_code == 409
        made = client.post("/Users", json=person("ben", "sales"), headers=other)
        assert made.status_code == 201
        (group,) = client.get("/Groups", headers=other).json()["Resources"]
        assert [member["value"] for member in group["members"]] == [made.json()["id"]]
        assert len([row for row in wire.rows(groups) if row.kind == "placed"]) == 1


IDP_GROUPS = by_department(criterion={"idp_groups": True})


@pytest.mark.parametrize("wire", [IDP_GROUPS], indirect=True)
def test_the_identity_providers_groups_are_mirrored(wire: Wire) -> None:
    anna, ben = wire.add("anna"), wire.add("ben")
    assert (wire.group_of(anna), wire.reason(anna)) == (["Everyone"], "fallback_no_idp_group")
    made = wire.client.post("/Groups", json={"schemas": [GROUP], "displayName": "Admins", "externalId": "g1"}).json()
    for form in ({"op": "Add", "path": "members", "value": [{"value": anna}]},
                 {"op": "add", "value": {"members": [{"value": ben}]}}):  # fmt: skip
        assert wire.client.patch(f"/Groups/{made['id']}", json=patch(form)).status_code == 204
    assert wire.group_of(anna) == wire.group_of(ben) == ["Admins"]
    assert wire.reason(anna) == "idp_group"
    form = {"op": "remove", "path": f'members[value eq "{anna}"]'}
    assert wire.client.patch(f"/Groups/{made['id']}", json=patch(form)).status_code == 204
    assert (wire.group_of(anna), wire.reason(anna)) == (["Everyone"], "fallback_no_idp_group")


def test_parallel_changes_without_a_version_all_succeed(wire: Wire) -> None:
    anna = wire.add("anna", "Sales")

    def change(number: int) -> int:
        body = patch({"op": "replace", "path": "title", "value": f"Title {number}"})
        return wire.client.patch(f"/Users/{anna}", json=body).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(change, range(40))) == {204}
    with_old_version = wire.client.patch(
        f"/Users/{anna}", json=patch({"op": "replace", "path": "title", "value": "x"}), headers={"If-Match": 'W/"1"'}
    )
    assert with_old_version.status_code == 412


@pytest.mark.parametrize("wire", [IDP_GROUPS], indirect=True)
def test_a_member_of_a_large_group_is_one_row(wire: Wire) -> None:
    """No statement reads the members of a group to add one: the work does not depend on how many there are."""
    anna = wire.add("anna")
    made = wire.client.post("/Groups", json={"schemas": [GROUP], "displayName": "Large"}).json()
    statements: list[str] = []

    def seen(_c: Any, _x: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    sa.event.listen(wire.database.engine, "before_cursor_execute", seen)
    form = {"op": "add", "path": "members", "value": [{"value": anna}]}
    assert wire.client.patch(f"/Groups/{made['id']}", json=patch(form)).status_code == 204
    sa.event.remove(wire.database.engine, "before_cursor_execute", seen)
    reads = [s for s in statements if "memberships" in s and s.lstrip().startswith("SELECT")]
    assert all("user_n IN" in s or "users.n IN" in s for s in reads), reads


CUSTOM = "urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User"
BY_REGION = Setting.model_validate(
    {
        "name": "S",
        "field_mappings": [
            {"attribute": f"{CUSTOM}:Region", "field": "Region"},
            {"attribute": f"{CUSTOM}:Site", "field": "Site"},
            {"attribute": "urn:ietf:params:scim:schemas:extension:Other:2.0:User:Code", "field": "Code"},
        ],
        "group_settings": {"target_group": "Everyone", "criterion": {"field": "Region"}},
    }
)


@pytest.mark.parametrize("wire", [BY_REGION], indirect=True)
def test_the_extensions_of_the_settings_mappings_are_served(wire: Wire) -> None:
    made = wire.client.post("/Users", json=person("anna") | {CUSTOM: {"Region": "EMEA", "Site": "Oslo"}}).json()
    assert made[CUSTOM] == {"Region": "EMEA", "Site": "Oslo"}
    assert wire.group_of(made["id"]) == ["EMEA"]
    wire.patch(made["id"], {"op": "Replace", "path": f"{CUSTOM}:Region", "value": "APAC"})
    assert wire.group_of(made["id"]) == ["APAC"]
    found = wire.client.get("/Users", params={"filter": f'{CUSTOM}:Region eq "apac"'}).json()
    assert found["totalResults"] == 1
    assert CUSTOM in [schema["id"] for schema in wire.client.get("/Schemas").json()["Resources"]]


def test_a_bulk_request_places_people_and_a_failure_undoes_nothing_else(wire: Wire) -> None:
    bulk = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            {"method": "POST", "path": "/Users", "bulkId": "a", "data": person("anna", "Sales") | {"active": "True"}},
            {"method": "POST", "path": "/Users", "bulkId": "b", "data": person("anna", "Ops")},
            {"method": "POST", "path": "/Users", "bulkId": "c", "data": person("carl") | {"department": "Ops"}},
        ],
    }
    answer = wire.client.post("/Bulk", json=bulk).json()
    assert [str(operation["status"]) for operation in answer["Operations"]] == ["201", "409", "201"]
    assert sorted(row.name for row in wire.rows(groups)) == ["Ops", "Sales"]
    assert [len(wire.rows(table)) for table in (users, memberships)] == [2, 2]


def test_bulk_requests_that_cross_give_way_and_are_done_again(wire: Wire) -> None:
    """Two transactions that change the same groups in opposite order are a deadlock, which the client never sees."""

    def send(number: int) -> list[str]:
        people = [person(f"p{number}-{n}", f"Team {n}") for n in range(20)]
        operations = [{"method": "POST", "path": "/Users", "bulkId": p["userName"], "data": p} for p in people]
        bulk = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]}
        answer = wire.client.post("/Bulk", json=bulk | {"Operations": operations[:: 1 if number % 2 else -1]})
        assert answer.status_code == 200, answer.text
        return [str(operation["status"]) for operation in answer.json()["Operations"]]

    with ThreadPoolExecutor(4) as pool:
        assert {status for statuses in pool.map(send, range(8)) for status in statuses} == {"201"}
    assert len(wire.rows(users)) == len(wire.rows(memberships)) == 160
    assert len(wire.rows(groups)) == 20
