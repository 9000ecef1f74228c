"""Rules 4 and 7 over small exports: groups and their names, those the platform has, those of an identity provider."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import scimops
from scimops.errors import SourceError
from scimops.preview import UNKNOWN, ExistingGroups, Preview, read_existing_groups
from scimops.setting import parse_setting

Person = Callable[..., dict[str, str]]
Look = Callable[..., Preview]
Landings = Callable[[Preview], list[tuple[str, str | None]]]

JUMPCLOUD = "FirstName,LastName,Username,Email,SystemID,Group1,Group2,Group3\n"
BY_GROUPS = {"criterion": {"idp_groups": True}}


# Rule 7: the identity provider's groups


def test_several_groups_of_one_person(look: Look, landings: Landings) -> None:
    text = JUMPCLOUD + (
        "A,A,a,a@example.com,s,VPN,Lyon,vpn \nB,B,b,b@example.com,s,,Lyon,\nC,C,c,c@example.com,s,,\u200b, \n"
    )
    preview = look(text, group_settings=BY_GROUPS)
    assert landings(preview) == [
        ("idp_group", "VPN\nLyon"),
        ("idp_group", "Lyon"),
        ("fallback_no_idp_group", "Everyone"),
    ]
    assert {group.name: group.members for group in preview.groups} == {"Lyon": 2, "VPN": 1, "Everyone": 1}
    assert preview.people["group_key"].to_list() == ["vpn", "lyon", "everyone"]


def test_groups_of_scim_users(look: Look, landings: Landings) -> None:
    def user(name: str, *groups: str) -> dict[str, object]:
        shown = [{"value": f"g-{group}", "display": group} for group in groups]
        mail = [{"value": f"{name}@example.com", "type": "work"}]
        schemas = ["urn:ietf:params:scim:schemas:core:2.0:User"]
        return {"schemas": schemas, "userName": name, "emails": mail, "active": True, "groups": shown}

    users = [user("a", "Lyon", "VPN"), user("b"), user("c", "LYON")]
    text = json.dumps({"totalResults": 3, "Resources": users})
    preview = look(text, name="users.json", group_settings=BY_GROUPS | {"target_group": None})
    assert landings(preview) == [("idp_group", "Lyon\nVPN"), ("ungrouped", None), ("idp_group", "Lyon")]
    lyon = next(group for group in preview.groups if group.group_key == "lyon")
    assert (lyon.members, lyon.spellings, lyon.name_certain) == (2, {"Lyon": 1, "LYON": 1}, False)


def test_inactive_people_are_in_none_of_their_groups(look: Look) -> None:
    head = JUMPCLOUD.replace("SystemID", "SystemID,suspended")
    text = head + "A,A,a,a@example.com,s,true,VPN,Lyon,\nB,B,b,b@example.com,s,false,VPN,,\n"
    preview = look(text, group_settings=BY_GROUPS)
    assert {group.name: group.members for group in preview.groups} == {"VPN": 1}
    kept = look(text, group_settings=BY_GROUPS | {"inactive": "keep_group"})
    assert {group.name: group.members for group in kept.groups} == {"VPN": 2, "Lyon": 1}


def test_a_control_character_in_a_group_rejects_the_row(look: Look, landings: Landings) -> None:
    text = JUMPCLOUD + "A,A,a,a@example.com,s,VPN,\x1b[31m,\nB,B,b,b@example.com,s,VPN,,\n"
    assert landings(look(text, group_settings=BY_GROUPS)) == [("rejected_unreadable", None), ("idp_group", "VPN")]


def test_an_export_without_groups(look: Look, person: Person, landings: Landings) -> None:
    preview = look([person(1)], group_settings=BY_GROUPS)
    assert landings(preview) == [("fallback_no_idp_group", "Everyone")]


# Rule 4: names, spellings, existing groups


def existing(**names: str) -> ExistingGroups:
    return ExistingGroups(names, "groups.csv")


def test_a_group_is_named_after_the_first_spelling(look: Look, person: Person) -> None:
    words = ["SALES", "sales ", "Sales", "sales"]
    preview = look([person(n, department=word) for n, word in enumerate(words)])
    (group,) = preview.groups
    assert (group.name, group.name_certain, group.members) == ("SALES", False, 4)
    assert group.spellings == {"SALES": 1, "sales ": 1, "Sales": 1, "sales": 1}
    assert preview.groups_frame()["spellings"].to_list() == [4]


def test_a_rejected_person_names_no_group(look: Look, person: Person) -> None:
    (group,) = look([person(1, department="SALES", mail="bad"), person(2, department="Sales")]).groups
    assert (group.name, group.name_certain) == ("Sales", True)


def test_spellings_that_differ_in_spaces_only_leave_the_name_certain(look: Look, person: Person) -> None:
    (group,) = look([person(1, department="Human  Resources "), person(2, department="Human Resources")]).groups
    assert (group.name, group.name_certain, len(group.spellings)) == ("Human Resources", True, 2)


def test_names_that_no_order_decides(look: Look, person: Person) -> None:
    people = [
        person(1, department="SALES"),
        person(2, department="sales"),
        person(3, department="EVERYONE"),
        person(4, department="r&d"),
    ]
    preview = look(people, existing=existing(sales="Sales Dept"), group_settings={"aliases": {"R&D": "Engineering"}})
    assert {(group.name, group.name_certain, group.exists) for group in preview.groups} == {
        ("Sales Dept", True, True), ("Everyone", True, False), ("Engineering", True, False),
    }  # fmt: skip


def test_existing_groups_unknown_and_none_at_all_are_two_things(look: Look, person: Person) -> None:
    assert look([person(1)], existing=UNKNOWN).groups[0].exists is None
    assert look([person(1)], existing=existing()).groups[0].exists is False
    assert look([person(1)], existing=existing(sales="SALES")).groups[0].exists is True


@pytest.mark.parametrize(
    ("name", "text", "names"),
    [
        ("g.csv", "name\nSales\nSatış\n", {"sales": "Sales", "satiş": "Satış"}),
        ("g.csv", "id,displayName\n2,SALES\n1,Sales\n", {"sales": "Sales"}),
        ("g.csv", "name,isScimGroup\nSALES,false\nSales,TRUE\n", {"sales": "Sales"}),
        ("g.csv", "name,own,isScimGroup\nSALES,,true\nSales,yes,\n", {"sales": "Sales"}),
        ("g.csv", "name,createdOn\nSALES,2024-05-14\nSales,2023-01-01\n", {"sales": "Sales"}),
        ("g.csv", "name,id\n,1\n\u200b,2\n", {}),
        ("g.csv", "name\n", {}),
        ("g.json", '[{"name": "Sales", "isScimGroup": true, "id": 7}]', {"sales": "Sales"}),
        ("g.json", '{"results": [{"name": "Sales"}, {"name": null}]}', {"sales": "Sales"}),
        ("g.json", "[]", {}),
    ],
)
def test_reading_existing_groups(tmp_path: Path, name: str, text: str, names: dict[str, str]) -> None:
    (tmp_path / name).write_text(text, "utf-8")
    found = read_existing_groups(tmp_path / name)
    assert (found.names, found.source, found.known) == (names, name, True)


@pytest.mark.parametrize(
    ("text", "says"),
    [("id,title\n1,Sales\n", "no column `name`"), ("name,id\nSales\n", "row 1 cannot be read"), ("", "is empty")],
)
def test_files_that_hold_no_existing_groups(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "g.csv").write_text(text, "utf-8")
    with pytest.raises(SourceError, match=says):
        read_existing_groups(tmp_path / "g.csv")


def test_the_column_of_the_idp_groups_may_be_named(tmp_path):
    path = tmp_path / "users.csv"
    path.write_text("Email,Teams,Active\na@example.com,Red; Blue,yes\nb@example.com,Blue,yes\nc@example.com,,yes\n")
    setting = parse_setting(
        "name: Teams\ncolumns: {groups: Teams}\ngroup_settings: {target_group: All, criterion: {idp_groups: true}}\n"
    )
    preview = scimops.preview_export(scimops.read_export(path), setting)
    assert {group.name: group.members for group in preview.groups} == {"Blue": 2, "Red": 1, "All": 1}
