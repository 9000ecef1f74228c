"""PATCH as identity providers send it: the operations it becomes, and what they do to a user or a group."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from scim2_models import (
    Context,
    EnterpriseUser,
    Group,
    InvalidPathException,
    InvalidSyntaxException,
    InvalidValueException,
    NoTargetException,
    PatchOp,
    PayloadTooLargeException,
    SCIMException,
    ScimPolicy,
    User,
)
from scim2_server.service import scim_exception_of

from scimops.attributes import CORE, ENTERPRISE
from scimops.service_provider.tolerance import MAX_OPERATIONS, MemberChange, member_changes, normal_patch

POLICY = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
MANAGER = {"value": "m1", "$ref": "Users/m1"}
WORK = 'emails[type eq "work"]'
USER: dict[str, Any] = {
    "userName": "u",
    "title": "T",
    "active": True,
    "name": {"givenName": "G", "familyName": "F"},
    "emails": [{"type": "work", "value": "w@x.com"}, {"type": "home", "value": "h@x.com"}],
    "roles": [{"value": "old", "primary": True}],
    ENTERPRISE: {"department": "D", "manager": {"value": "m0", "$ref": "Users/m0"}},
}
TEAM: dict[str, Any] = {"displayName": "g", "members": [{"value": "a"}, {"value": "b"}]}


def operations(*sent: Any, kind: Any = "User") -> list[dict[str, Any]]:
    return list(normal_patch({"Operations": list(sent)}, kind)["Operations"])


def patched(*sent: Any, kind: Any = "User") -> dict[str, Any]:
    """What differs after the operations from USER or TEAM; what is gone is None."""
    model: Any = Group if kind == "Group" else User[EnterpriseUser]
    start = TEAM if kind == "Group" else USER
    held = model.model_validate(copy.deepcopy(start), scim_policy=POLICY)
    data = normal_patch({"Operations": list(sent)}, kind)
    if data["Operations"]:
        try:
            message = PatchOp[model].model_validate(data, scim_ctx=Context.RESOURCE_PATCH_REQUEST, scim_policy=POLICY)
        except ValueError as error:
            raise scim_exception_of(error) from error  # type: ignore[arg-type]
        message.patch(held, POLICY)
    found = held.model_dump()
    return {
        name: found.get(name)
        for name in start.keys() | found.keys() - {"schemas"}
        if found.get(name) != start.get(name)
    }


def op(name: str, path: str | None = None, **value: Any) -> dict[str, Any]:
    return {"op": name, **({} if path is None else {"path": path}), **value}


def extension(**changed: Any) -> dict[str, Any]:
    held = USER[ENTERPRISE] | changed
    return {ENTERPRISE: {name: value for name, value in held.items() if value is not None}}


ADDED_WORK = [{"type": "work", "value": "n@x.com"}, {"type": "home", "value": "h@x.com"}]
BLANK = ("", " ", None, [], [""])
NO_WORK = [{"type": "home", "value": "h@x.com"}]


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        # a manager is an id, its path bare or not (Microsoft's documentation has it bare, and in a list)
        (op("Add", "manager", value=[{"$ref": "http://.../m1", "value": "m1"}]), extension(manager=MANAGER)),
        (op("Replace", "manager", value="m1"), extension(manager=MANAGER)),
        (op("add", f"{ENTERPRISE}:manager", value="m1"), extension(manager=MANAGER)),
        (op("add", f"{ENTERPRISE}:manager", value={"value": "m1"}), extension(manager=MANAGER)),
        (op("add", f"{ENTERPRISE}:manager.value", value="m1"), extension(manager=MANAGER)),
        (op("add", "managerId", value="m1"), extension(manager=MANAGER)),
        (op("add", "manager.managerId", value="m1"), extension(manager=MANAGER)),
        (op("replace", value={ENTERPRISE: {"manager": {"managerId": "m1"}}}), extension(manager=MANAGER)),
        (op("replace", value={"manager": {"value": "m1", "displayName": "S"}}), extension(manager=MANAGER)),
        *((op("Replace", "manager", value=blank), extension(manager=None)) for blank in BLANK),
        (op("Replace", "manager", value={"value": ""}), extension(manager=None)),
        (op("replace", "manager.value", value=""), extension(manager=None)),
        (op("Remove", "manager"), extension(manager=None)),
        (op("remove", "manager", value="m0"), extension(manager=None)),
        (op("remove", f"{ENTERPRISE}:manager.value"), extension(manager=None)),
        # bare names of the extension
        (op("replace", "department", value="E"), extension(department="E")),
        (op("Add", "Department", value=[{"value": "E"}]), extension(department="E")),
        (op("replace", f"{ENTERPRISE.lower()}:DEPARTMENT", value="E"), extension(department="E")),
        (op("replace", "employeeNumber", value=7), extension(employeeNumber="7")),
        (op("replace", value={"department": "E", "costCenter": "1"}), extension(department="E", costCenter="1")),
        # values without a path
        (op("replace", value={f"{ENTERPRISE}:department": "E"}), extension(department="E")),
        (op("replace", value={ENTERPRISE: {"department": "E", "division": None}}), extension(department="E")),
        (op("replace", ENTERPRISE, value={"department": ""}), extension(department=None)),
        (op("replace", value={"name.givenName": "N", "name.familyName": ""}), {"name": {"givenName": "N"}}),
        (op("add", value={"name": {"givenName": "N"}}), {"name": {"givenName": "N", "familyName": "F"}}),
        (op("replace", value={f"{WORK}.value": "n@x.com", "title": "X"}), {"emails": ADDED_WORK, "title": "X"}),
        (op("replace", value={CORE: {"title": "X"}}), {"title": "X"}),
        (op("replace", value={"TITLE": "X", "shoeSize": 3, "no name": 1, "urn:x:2.0:User": {"a": 1}}), {"title": "X"}),
        (op("replace", value={"active": False}), {"active": False}),
        # what nobody writes
        (op("replace", value={"id": "1", "meta": {}, "groups": [], "schemas": [CORE], "password": "p"}), {}),
        (op("replace", value={"id": "1", "title": "X"}), {"title": "X"}),
        (op("replace", "password", value="p"), {}),
        (op("remove", f"{CORE}:Password"), {}),
        # blank removes (RFC 7643 §2.5)
        *((op("add", "title", value=blank), {"title": None}) for blank in BLANK),
        *((op("replace", "title", value=blank), {"title": None}) for blank in BLANK),
        (op("replace", "active", value=None), {"active": None}),
        (op("replace", "emails", value=[]), {"emails": None}),
        (op("add", "emails", value=[]), {}),
        (op("add", "emails", value=None), {}),
        (op("replace", "name", value={}), {}),
        (op("replace", "name", value=""), {"name": None}),
        (op("replace", f"{WORK}.value", value=""), {"emails": [{"type": "work"}, *NO_WORK]}),
        (op("replace", WORK, value=""), {"emails": NO_WORK}),
        # booleans in strings
        (op("Replace", "active", value="False"), {"active": False}),
        (op("Replace", "ACTIVE", value=[{"value": "false"}]), {"active": False}),
        (op("Add", 'roles[primary eq "True"].value', value="new"), {"roles": [{"value": "new", "primary": True}]}),
        (op("add", "roles", value={"value": "new", "primary": "False"}),
         {"roles": [*USER["roles"], {"value": "new", "primary": False}]}),
        # one value or many
        (op("replace", WORK, value="n@x.com"), {"emails": ADDED_WORK}),
        (op("replace", 'EMAILS[Type EQ "work"]', value=[{"Value": "n@x.com"}]), {"emails": ADDED_WORK}),
        (op("replace", "emails[type eq 'work'].value", value="n@x.com"), {"emails": ADDED_WORK}),
        (op("replace", "roles", value="new"), {"roles": [{"value": "new"}]}),
        (op("add", 'addresses[type eq "other"].Formatted', value="HQ\n2"),
         {"addresses": [{"type": "other", "formatted": "HQ\n2"}]}),
        (op("add", 'phoneNumbers[type eq "work"]', value={"value": "1", "display": ""}),
         {"phoneNumbers": [{"type": "work", "value": "1"}]}),
        (op("replace", 'roles[value eq "old"]', value={"value": "", "display": "d"}),
         {"roles": [{"display": "d", "primary": True}]}),
        (op("replace", f"{CORE}:title", value="X"), {"title": "X"}),
        (op("remove", "title", value="whatever"), {"title": None}),
        (op("remove", "emails", value=[{"type": "work"}]), {"emails": NO_WORK}),
        (op("remove", "roles", value="old"), {"roles": None}),
        (op("remove", WORK, value=[{"value": "w@x.com"}]), {"emails": NO_WORK}),
        # addresses that are none
        (op("add", "profileUrl", value="me"), {}),
        (op("add", 'photos[type eq "photo"].value', value="me.png"), {}),
        (op("add", "photos", value=[{"value": "me.png", "type": "photo"}]), {}),
        # form of the message
        ({"OP": "REPLACE", "Path": " title ", "Value": "X", "name": "x"}, {"title": "X"}),
    ],
)  # fmt: skip
def test_a_user(sent: dict[str, Any], wanted: dict[str, Any]) -> None:
    before = copy.deepcopy(sent)
    assert patched(sent) == wanted
    assert sent == before
    if again := operations(sent):
        assert operations(*again) == again


@pytest.mark.parametrize(
    ("sent", "left"),
    [
        (op("add", "members", value="c"), "abc"),
        (op("Add", "members", value=["c", "d"]), "abcd"),
        (op("add", "Members", value={"value": "c"}), "abc"),
        (op("add", "members", value=[{"$ref": None, "value": "c"}]), "abc"),
        (op("add", "members", value={"members": [{"value": "c"}]}), "abc"),
        (op("add", value={"members": ["c"]}), "abc"),
        (op("add", f"{GROUP}:members", value="c"), "abc"),
        (op("add", "members", value=[]), "ab"),
        (op("remove", "members", value="a"), "b"),
        (op("remove", "members", value=["a"]), "b"),
        (op("Remove", "members", value=[{"$ref": "nowhere", "value": "a", "displayName": "x"}]), "b"),
        (op("remove", "members", value={"members": [{"value": "a"}]}), "b"),
        (op("remove", value={"members": [{"value": "a"}]}), "b"),
        (op("remove", "members", value={"members": []}), "ab"),
        (op("remove", "members", value=[]), "ab"),
        (op("remove", 'members[value eq "a"]'), "b"),
        (op("remove", "members[value eq 'a']"), "b"),
        (op("remove", "members[value eq a]"), "b"),
        (op("remove", 'members[VALUE EQ "a" or value eq "b"]'), ""),
        (op("remove", "members"), ""),
        (op("replace", "members", value=["c"]), "c"),
        (op("replace", value={"members": [{"value": "c", "display": "C"}]}), "c"),
        (op("replace", "members", value=[]), ""),
        (op("replace", "members", value=None), ""),
    ],
)
def test_members(sent: dict[str, Any], left: str) -> None:
    found = patched(sent, kind="Group")
    members = TEAM["members"] if found == {} else found.pop("members") or []
    assert found == {}
    assert "".join(member["value"] for member in members) == left
    data = normal_patch({"Operations": [sent]}, "Group")
    changes = member_changes(data)
    assert changes is not None
    assert "".join(followed(["a", "b"], changes)) == left


def followed(members: list[str], changes: list[MemberChange]) -> list[str]:
    """What the storage does, in memory."""
    for change in changes:
        if change.kind == "add":
            members = [*members, *(one for one in change.ids if one not in members)]
        elif change.kind == "remove":
            members = [one for one in members if one not in change.ids]
        else:
            members = list(change.ids)
    return members


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        ([op("add", "members", value="c"), op("Add", "members", value=["d", "c"])], [MemberChange("add", ("c", "d"))]),
        ([op("remove", f'members[value eq "{one}"]') for one in "xyx"], [MemberChange("remove", ("x", "y"))]),
        ([op("remove", 'members[value eq "old"]'), op("add", "members", value=[{"value": "u", "display": "U"}])],
         [MemberChange("remove", ("old",)), MemberChange("add", ("u",))]),
        ([op("remove", "members"), op("replace", "members", value=["c"])],
         [MemberChange("clear"), MemberChange("replace", ("c",))]),
        ([op("replace", value={"members": []})], [MemberChange("clear")]),
        ([op("replace", value={"id": "g1", "members": ["c"]})], [MemberChange("replace", ("c",))]),
        ([op("add", "members", value=[])], []),
        ([op("remove", r'members[value eq "a\"b"]')], [MemberChange("remove", ('a"b',))]),
        ([op("remove", 'members[display eq "a"]')], None),
        ([op("remove", 'members[value eq "a" and type eq "User"]')], None),
        ([op("remove", 'members[not (value eq "a")]')], None),
        ([op("remove", 'members[value eq "a"].display')], None),
        ([op("replace", 'members[value eq "a"].display', value="A")], None),
        ([op("add", 'members[value eq "a"]', value={"value": "a"})], None),
        ([op("add", "members", value={"value": "g2", "type": "Group"})], None),
        ([op("add", "members", value="c"), op("replace", "displayName", value="n")], None),
        ([op("replace", value={"displayName": "n"})], None),
        ([op("replace", "externalId", value="e")], None),
        ([op("remove", "members", value="a"), op("replace", value="x")], None),
    ],
)  # fmt: skip
def test_changes_of_members(sent: list[Any], wanted: Any) -> None:
    assert member_changes(normal_patch({"Operations": sent}, "Group")) == wanted


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ([], InvalidSyntaxException),
        (None, InvalidSyntaxException),
        ("text", InvalidValueException),
        ([True], InvalidValueException),
        ([{"path": "title"}], InvalidSyntaxException),
        ([op("delete", "title")], InvalidSyntaxException),
        ([{"op": "add", "path": 1, "value": "x"}], InvalidPathException),
        ([op("add", "no path", value="x")], InvalidPathException),
        ([op("add", "emails[].value", value="x")], InvalidPathException),
        ([op("add", 'emails[type eq "work].value', value="x")], InvalidPathException),
        ([op("add", "title pr", value="x")], InvalidPathException),
        ([op("add", value={'emails[type eq "work].value': "x"})], InvalidPathException),
        ([op("remove")], NoTargetException),
        ([op("remove", value="x")], NoTargetException),
        ([op("remove", value={"members": None})], NoTargetException),
        ([op("replace", "title", value="x")] * (MAX_OPERATIONS + 1), PayloadTooLargeException),
        ([op("replace", value={f"a{number}": 1 for number in range(MAX_OPERATIONS + 1)})], PayloadTooLargeException),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_what_is_no_patch_is_refused(sent: Any, error: type[SCIMException]) -> None:
    for kind in ("User", "Group"):
        with pytest.raises(error):
            normal_patch({"operations": sent}, kind)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sent", "scim_type"),
    [
        (op("add", "title"), "invalidValue"),
        (op("replace", "title"), "invalidValue"),
        (op("replace", "userName", value=""), "mutability"),
        (op("replace", "id", value="1"), "mutability"),
        (op("remove", CORE), "invalidPath"),
        (op("replace", "groups", value=[]), "mutability"),
        (op("replace", "active", value="perhaps"), "invalidValue"),
        (op("replace", "title", value=["a", "b"]), "invalidValue"),
        (op("replace", "manager", value=["m1", "m2"]), "invalidValue"),
        (op("add", "name", value="Jo"), "invalidValue"),
        (op("replace", value="x"), "invalidValue"),
        (op("replace", 'addresses[type eq "work"]', value="1 Road"), "noTarget"),
        (op("add", 'roles[type sw "x"].value', value="y"), "noTarget"),
        (op("remove", "emails.value", value="w@x.com"), "invalidValue"),
        (op("replace", 'emails[type eq "work"].value[display eq "x"]', value="y"), "invalidPath"),
    ],
)
def test_what_is_not_understood_stays_for_scim2_models_to_refuse(sent: Any, scim_type: str) -> None:
    with pytest.raises(SCIMException) as caught:
        patched(sent)
    assert caught.value.scim_type == scim_type


@pytest.mark.parametrize("name", ["add", "remove", "replace"])
@pytest.mark.parametrize("value", [[{"value": ""}], [{"display": "U"}], [{}], [""], [["a"]], ["c", {"value": None}]])
def test_a_member_without_an_id_is_refused(name: str, value: Any) -> None:
    with pytest.raises(InvalidValueException, match="id of a member"):
        patched(op(name, "members", value=value), kind="Group")


def test_a_message_has_its_schema_and_nothing_else() -> None:
    found = normal_patch({"id": "x", "operations": [op("replace", "password", value="p")]}, "User")
    assert found == {"schemas": [PATCH_OP], "Operations": []}
