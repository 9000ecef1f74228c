"""Users and groups as identity providers POST and PUT them: what scim2-models then makes of them."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from pydantic import ValidationError
from scim2_models import Context, EnterpriseUser, Group, InvalidValueException, ScimPolicy, User

from scimops.attributes import CORE, ENTERPRISE
from scimops.service_provider.tolerance import normal_resource

POLICY = ScimPolicy(unknown=ScimPolicy.Unknown.ignore)
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
CUSTOM = "urn:ietf:params:scim:schemas:extension:acme:2.0:User"
MANAGER = {"value": "m1", "$ref": "Users/m1"}


def read(sent: dict[str, Any], kind: Any = "User") -> dict[str, Any]:
    """What scim2-models makes of a user named u, or a group named g, sent with these attributes."""
    name = {"displayName": "g"} if kind == "Group" else {"userName": "u"}
    model: Any = Group if kind == "Group" else User[EnterpriseUser]
    normal = normal_resource(name | sent, kind)
    found = model.model_validate(normal, scim_ctx=Context.RESOURCE_CREATION_REQUEST, scim_policy=POLICY).model_dump()
    return {key: value for key, value in found.items() if key != "schemas" and name.get(key) != value}


def enterprise(**wanted: Any) -> dict[str, Any]:
    return {ENTERPRISE: wanted}


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        # never kept, read-only
        ({"password": "s3cret", "Password": "x", "id": "7"}, {}),
        ({"meta": {"resourceType": "x"}, "groups": [{"value": "g"}]}, {}),
        # booleans in strings (Entra without aadOptscim062020)
        ({"active": "True"}, {"active": True}),
        ({"active": "false"}, {"active": False}),
        ({"Active": False}, {"active": False}),
        ({"active": [{"value": "False"}]}, {"active": False}),
        ({"roles": [{"value": "r", "primary": "True"}]}, {"roles": [{"value": "r", "primary": True}]}),
        ({"emails": [{"Primary": "false", "Type": "work", "VALUE": "a@x.com"}]},
         {"emails": [{"value": "a@x.com", "type": "work", "primary": False}]}),
        # blank (RFC 7643 §2.5)
        ({"title": None, "nickName": "", "locale": "  ", "emails": [], "name": {}}, {}),
        ({"active": "", "addresses": None, "userType": [], "photos": ""}, {}),
        ({"name": {"givenName": "", "familyName": "F", "honorificPrefix": None}}, {"name": {"familyName": "F"}}),
        ({"name": {"givenName": None}}, {}),
        ({"phoneNumbers": [{"type": "work", "value": ""}, {"type": "mobile", "value": "1"}]},
         {"phoneNumbers": [{"type": "mobile", "value": "1"}]}),
        ({"addresses": [{"country": None, "type": "other", "primary": False}]}, {}),
        ({"addresses": [{"formatted": "1 Road\nTown", "region": ""}]}, {"addresses": [{"formatted": "1 Road\nTown"}]}),
        # a manager is an id
        (enterprise(manager="m1"), enterprise(manager=MANAGER)),
        (enterprise(manager={"value": "m1"}), enterprise(manager=MANAGER)),
        (enterprise(manager=[{"$ref": "http://.../m1", "value": "m1"}]), enterprise(manager=MANAGER)),
        (enterprise(Manager={"Value": "m1", "displayName": "Sue"}), enterprise(manager=MANAGER)),
        (enterprise(manager={"managerId": "m1", "displayName": "Sue"}), enterprise(manager=MANAGER)),
        (enterprise(managerId="m1"), enterprise(manager=MANAGER)),
        (enterprise(manager="a/b c"), enterprise(manager={"value": "a/b c", "$ref": "Users/a%2Fb%20c"})),
        (enterprise(manager=""), {}),
        (enterprise(manager=[]), {}),
        (enterprise(manager={"value": ""}), {}),
        (enterprise(manager={"managerId": "", "displayName": "Sue"}), {}),
        ({"manager": "m1"}, enterprise(manager=MANAGER)),
        ({"manager": None}, {}),
        ({"managerId": "m1", "manager": ""}, enterprise(manager=MANAGER)),
        ({f"{ENTERPRISE}:manager.value": "m1"}, enterprise(manager=MANAGER)),
        # the extension, wherever it was put
        ({f"{ENTERPRISE}:department": "Sales"}, enterprise(department="Sales")),
        ({f"{ENTERPRISE.upper()}:DEPARTMENT": "Sales"}, enterprise(department="Sales")),
        ({"department": "Sales", "costCenter": "1", "division": "D", "organization": "O", "employeeNumber": 7},
         enterprise(department="Sales", costCenter="1", division="D", organization="O", employeeNumber="7")),
        ({"department": "bare", **enterprise(department="own")}, enterprise(department="own")),
        ({"department": "bare", **enterprise(department="")}, enterprise(department="bare")),
        ({f"{ENTERPRISE}:department": "a", **enterprise(division="b")}, enterprise(department="a", division="b")),
        ({f"{ENTERPRISE}:department": "a", **enterprise(department="a")}, enterprise(department="a")),
        ({ENTERPRISE: None}, {}),
        ({f"{CORE}:title": "T"}, {"title": "T"}),
        ({f"{CORE}:department": "Sales"}, enterprise(department="Sales")),
        ({CORE: {"title": "T"}}, {"title": "T"}),
        # one for a list, a list for one
        ({"emails": "a@x.com"}, {"emails": [{"value": "a@x.com"}]}),
        ({"emails": {"value": "a@x.com"}}, {"emails": [{"value": "a@x.com"}]}),
        ({"roles": ["r1", {"value": "r2"}]}, {"roles": [{"value": "r1"}, {"value": "r2"}]}),
        ({"title": [{"value": "T"}], "nickName": ["N"]}, {"title": "T", "nickName": "N"}),
        ({"name": [{"givenName": "G"}]}, {"name": {"givenName": "G"}}),
        # dotted names
        ({"name.givenName": "G", "name": {"familyName": "F"}}, {"name": {"familyName": "F", "givenName": "G"}}),
        ({"name": {"familyName": "F"}, "Name.GivenName": "G"}, {"name": {"familyName": "F", "givenName": "G"}}),
        # addresses that are none
        ({"profileUrl": "jo.me"}, {}),
        ({"profileUrl": "https://jo.me/"}, {"profileUrl": "https://jo.me/"}),
        ({"photos": [{"value": "me.png", "type": "photo"}, {"value": "/2.png"}]}, {"photos": [{"value": "/2.png"}]}),
        ({"photos": "AAAA"}, {}),
        # names in any case, numbers as written, what no schema has
        ({"DISPLAYNAME": "D", "USERTYPE": 3}, {"displayName": "D", "userType": "3"}),
        ({"shoeSize": 43, CUSTOM: {"a": 1}}, {}),
    ],
)  # fmt: skip
def test_a_user(sent: dict[str, Any], wanted: dict[str, Any]) -> None:
    before = copy.deepcopy(sent)
    assert read(sent) == wanted
    assert sent == before
    once = normal_resource({"userName": "u"} | sent, "User")
    assert normal_resource(once, "User") == once


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        ({"members": "u1"}, [{"value": "u1"}]),
        ({"members": ["u1", 2]}, [{"value": "u1"}, {"value": "2"}]),
        ({"members": {"value": "u1", "display": "U", "$ref": None}}, [{"value": "u1", "display": "U"}]),
        ({"Members": [{"$ref": "nowhere", "Value": "u1", "type": "User"}]}, [{"value": "u1", "type": "User"}]),
        ({"members": []}, None),
        ({"members": None}, None),
        ({"id": "x", "meta": {}}, None),
        ({"department": "not a user"}, None),
    ],
)
def test_a_group(sent: dict[str, Any], wanted: Any) -> None:
    assert read(sent, "Group") == ({"members": wanted} if wanted else {})


@pytest.mark.parametrize("members", [[{"value": ""}], [""], [{"display": "U"}], [{}], {}, [None], [["u1"]], 1.5])
def test_a_member_without_an_id_is_refused(members: Any) -> None:
    with pytest.raises(InvalidValueException, match="id of a member"):
        normal_resource({"displayName": "g", "members": members}, "Group")


@pytest.mark.parametrize(
    "sent",
    [
        {"active": "perhaps"},
        {"active": 2},
        {"title": ["a", "b"]},
        {"title": {"value": "a", "type": "b"}},
        {"title": True},
        {"nickName": 1.50},
        enterprise(manager=["m1", "m2"]),
        enterprise(manager={"$ref": "https://x/Users/m1"}),
        enterprise(manager=True),
        {ENTERPRISE: "Sales"},
        {"name": "Jo Smith"},
        {"addresses": "1 Road"},
        {"userName": " "},
        {"schemas": {}},
        {"schemas": [1]},
    ],
)
def test_what_is_not_understood_stays_for_scim2_models_to_refuse(sent: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(sent)


@pytest.mark.parametrize(
    "sent",
    [
        {f"{ENTERPRISE}:department": "a", **enterprise(department="b")},
        {"name.givenName": "a", "name": {"givenName": "b"}},
        {"title": "a", f"{CORE}:title": "b"},
        {"manager": "m1", "managerId": "m2"},
    ],
)
def test_two_values_for_one_attribute_are_refused(sent: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueException, match="twice"):
        read(sent)


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        ({}, [CORE]),
        ({"schemas": []}, [CORE]),
        ({"schemas": CORE}, [CORE]),
        ({"Schemas": [CORE.upper(), CORE]}, [CORE]),
        ({"schemas": [CORE], "department": "d"}, [CORE, ENTERPRISE]),
        ({"schemas": [ENTERPRISE], **enterprise(department="")}, [CORE, ENTERPRISE]),
        ({"schemas": ["urn:x"], f"{CUSTOM}:shirt": "M"}, [CORE, CUSTOM, "urn:x"]),
        ({CUSTOM: {"shirt": "M"}}, [CORE, CUSTOM]),
        ({"urn:acme": {"shirt": "M"}}, [CORE, "urn:acme"]),
    ],
)
def test_schemas_name_what_is_used(sent: dict[str, Any], wanted: list[str]) -> None:
    assert normal_resource(sent, "User")["schemas"] == wanted
    assert normal_resource({}, "Group")["schemas"] == [GROUP]


def test_attributes_of_other_extensions_stand_under_their_urn() -> None:
    sent = {f"{CUSTOM}:shirt": "M", f"{CUSTOM}:shoe": "", CUSTOM: {"hat": "L"}}
    assert normal_resource(sent, "User")[CUSTOM] == {"shirt": "M", "hat": "L"}


def test_an_email_is_left_as_it_is() -> None:
    sent = [{"value": "Jo@Intranet.LOCAL"}, {"value": "no address"}]
    assert normal_resource({"emails": sent}, "User")["emails"] == sent
