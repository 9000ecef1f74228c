"""Operations on groups and members in a plan, and fields as SCIM."""

from __future__ import annotations

from typing import Any

import pytest
from applying import OPEN, Company, Person, crowd

from scimops.apply.resources import fields_of, patch, with_fields
from scimops.setting import Safeguards, Setting

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
CLIENT = pytest.mark.parametrize("url", ["client"], indirect=True)


def steps(acme: Company, people: list[Person], *kinds: str) -> list[tuple[Any, ...]]:
    plan = acme.plan(people)
    return [row for row in plan.operations.select("kind", "userName", "group", "withheld").iter_rows()
            if row[0] in kinds]  # fmt: skip


@CLIENT
def test_groups_come_before_people_and_leaving_after_joining(acme: Company) -> None:
    first = acme.plan([Person("a"), Person("b", "R&D"), Person("c", "")])
    assert first.operations["kind"].to_list() == ["create_group"] * 3 + ["create"] * 3 + ["join"] * 3
    assert first.operations.filter(kind="create_group")["externalId"].to_list() == [
        "scimops:everyone", "scimops:r&d", "scimops:sales",
    ]  # fmt: skip
    acme.apply(first)
    second = [Person("a", "R&D"), Person("b", "R&D", active=False)]  # and c left
    assert steps(acme, second, "create_group", "join", "leave", "update", "deactivate") == [
        ("update", "a@example.com", None, None), ("join", "a@example.com", "R&D", None),
        ("leave", "a@example.com", "Sales", None), ("leave", "b@example.com", "R&D", None),
        ("leave", "c@example.com", "Everyone", None), ("deactivate", "b@example.com", None, None),
        ("deactivate", "c@example.com", None, None),
    ]  # fmt: skip


@CLIENT
def test_an_existing_group_is_joined_and_strangers_in_other_groups_stay(acme: Company) -> None:
    end = acme.service_provider
    acme.apply(acme.plan([Person("a"), Person("b")]))
    own = end.create_group("Chess Club").id
    here = dict(acme.snapshot().users.select("userName", "id").iter_rows())
    assert all(written.ok for written in end.add_members(str(own), [here["b@example.com"]]))
    other = end.create_group("Choir").id
    assert all(written.ok for written in end.add_members(str(other), list(here.values())))
    assert acme.plan([Person("a"), Person("b")]).operations.height == 0
    assert steps(acme, [Person("a", "SALES "), Person("b", "chess club")], "create_group", "join", "leave") == [
        ("leave", "b@example.com", "Sales", None)
    ]


@CLIENT
def test_joining_goes_on_where_leaving_is_withheld(acme: Company) -> None:
    guards = OPEN | {"leave": {"number": 1}, "deactivate": {"number": 0}}
    acme.setting = acme.setting.model_copy(update={"safeguards": Safeguards.model_validate(guards)})
    acme.apply(acme.plan([Person("a"), Person("b"), Person("c")]))
    later = [Person("a", "R&D"), Person("b", "R&D")]
    assert steps(acme, later, "join", "leave", "deactivate") == [
        ("join", "a@example.com", "R&D", None), ("join", "b@example.com", "R&D", None),
        ("leave", "a@example.com", "Sales", "leave"), ("leave", "b@example.com", "Sales", "leave"),
        ("leave", "c@example.com", "Sales", "deactivate"), ("deactivate", "c@example.com", None, "deactivate"),
    ]  # fmt: skip
    verdicts = {each.safeguard: (each.count, each.held) for each in acme.plan(later).verdicts if not each.group}
    assert verdicts["leave"] == (2, True)
    assert verdicts["move"] == (2, False)


@CLIENT
def test_whose_own_step_is_not_done_is_not_moved(acme: Company) -> None:
    acme.apply(acme.plan(crowd(4)))
    plan = acme.plan([Person(one.key, "Board") for one in crowd(4)])
    person = acme.snapshot().users.filter(userName="p0001@example.com")["id"].item()
    department = [{"op": "replace", "path": f"{ENTERPRISE}:department", "value": "Mine"}]
    assert acme.service_provider.patch_user(person, department).ok
    receipts = acme.apply(plan)
    assert dict(receipts.steps.filter(id=person).select("kind", "outcome").iter_rows()) == {
        "update": "changed_meanwhile", "join": "not_done", "leave": "not_done",
    }  # fmt: skip
    assert receipts.steps.filter(outcome="done").height == 3 * 3 + 1


# Fields as SCIM


SETTING = Setting.model_validate(
    {"name": "x", "field_mappings": [{"attribute": 'addresses[type eq "work"].country', "field": "Country"},
                                     {"attribute": 'addresses[type eq "work"].locality', "field": "Town"},
                                     {"attribute": f"{ENTERPRISE}:costCenter", "field": "Cost"}]}
)  # fmt: skip
HELD: dict[str, Any] = {
    "id": "1", "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "a", "title": "Boss",
    "emails": [{"value": "home@example.com", "type": "home"},
               {"value": "a@example.com", "type": "work", "primary": True}],
    "addresses": [{"type": "home", "country": "FR"}], ENTERPRISE.lower(): {"Department": "Sales", "division": "D"},
}  # fmt: skip


@pytest.mark.parametrize(("values", "operations"), [
    ({"department": "R&D"}, [{"op": "replace", "path": f"{ENTERPRISE}:department", "value": "R&D"}]),
    ({"department": None}, [{"op": "remove", "path": f"{ENTERPRISE}:department"}]),
    ({"department": "Sales", "active": True}, [{"op": "replace", "path": "active", "value": True}]),
    ({"email": "b@example.com"}, [{"op": "replace", "path": "emails", "value": [
        {"value": "home@example.com", "type": "home"}, {"type": "work", "primary": True, "value": "b@example.com"}]}]),
    ({"email": None}, [{"op": "replace", "path": "emails", "value": [{"value": "home@example.com", "type": "home"}]}]),
    ({"phone": "1", "lastName": "L"}, [
        {"op": "replace", "path": "phoneNumbers", "value": [{"type": "work", "value": "1"}]},
        {"op": "replace", "path": "name.familyName", "value": "L"}]),
    ({"field.Country": "DE", "field.Town": "Köln"}, [{"op": "replace", "path": "addresses", "value": [
        {"type": "home", "country": "FR"}, {"type": "work", "country": "DE", "locality": "Köln"}]}]),
    ({"field.Cost": "9"}, [{"op": "replace", "path": f"{ENTERPRISE}:costCenter", "value": "9"}]),
    ({"field.Cost": None, "phone": ""}, []),
])  # fmt: skip
def test_a_change_is_small_and_keeps_what_is_beside_it(values: dict[str, Any], operations: list[Any]) -> None:
    after = with_fields(HELD, values, SETTING)
    assert patch(HELD, after, values, SETTING) == operations
    read = fields_of(after, SETTING)
    for name, value in values.items():
        if name != "email" or value:
            assert read[name] == (value or None)
    assert after["title"] == "Boss"
    assert HELD["emails"][1]["value"] == "a@example.com"


def test_who_is_created_has_the_schemas_of_what_they_have() -> None:
    made = with_fields({}, {"userName": "a", "department": "Sales", "active": True, "field.Town": None}, SETTING)
    assert made == {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE], "userName": "a", "active": True,
        ENTERPRISE: {"department": "Sales"},
    }  # fmt: skip
