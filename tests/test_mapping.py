"""From attribute paths to fields: of an export, and of one SCIM resource, by one declaration."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scimops import frames
from scimops.attributes import ENTERPRISE, PATHS
from scimops.errors import SettingError
from scimops.frames import check
from scimops.idp import Export, read_export
from scimops.mapping import LIMITS, MappedUsers, keep_columns, map_resource, map_users
from scimops.resources import flatten
from scimops.setting import BUILT_IN_FIELDS, Setting, load_setting, quick_setting, save_setting

WORK = 'addresses[type eq "work"].country'
PERSON = {
    "userPrincipalName": "anna@example.com", "mail": "a.kurz@example.com", "givenName": "Anna", "surname": "Kurz",
    "department": " Sales ", "accountEnabled": "True", "userType": "Member", "objectId": "7", "telephoneNumber": "+1",
    "country": "Norway", "jobTitle": "Clerk", "alternateEmailAddress": "anna@home.example", "employeeId": "007",
}  # fmt: skip


def setting_of(**parts: Any) -> Setting:
    return Setting.model_validate({"name": "Test"} | parts)


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Export]:
    def write_and_read(**cells: str) -> Export:
        row = PERSON | cells
        with (tmp_path / "users.csv").open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, row)
            writer.writeheader()
            writer.writerow(row)
        return read_export(tmp_path / "users.csv")

    return write_and_read


def one(mapped: MappedUsers) -> dict[str, Any]:
    check(mapped.frame, frames.MAPPED_USERS)
    return mapped.frame.row(0, named=True)


def test_the_built_in_fields_need_no_mapping(read: Callable[..., Export]) -> None:
    row = one(map_users(read(), setting_of()))
    assert {name: row[name] for name in PATHS} == {
        "externalId": "7", "userName": "anna@example.com", "email": "a.kurz@example.com", "firstName": "Anna",
        "lastName": "Kurz", "department": " Sales ", "phone": "+1", "active": True, "userType": "Member",
    }  # fmt: skip
    assert (row["row"], row["line"], row["file"], row["value"], row["idp_groups"]) == (1, 2, "users.csv", None, None)


def test_custom_fields_and_the_criterion(read: Callable[..., Export]) -> None:
    setting = setting_of(
        field_mappings=[{"attribute": WORK, "field": "Region"}, {"attribute": "title", "field": "Job"}],
        columns={"Number": "employeeId"},
        group_settings={"criterion": {"field": "Number"}},
    )
    mapped = map_users(read(), setting)
    row = one(mapped)
    assert (row["field.Region"], row["field.Job"], row["field.Number"], row["value"]) == (
        "Norway",
        "Clerk",
        "007",
        "007",
    )
    assert (mapped.columns["Region"], mapped.columns["Number"]) == ("country", "employeeId")


@pytest.mark.parametrize(
    ("parts", "field", "value"),
    [
        ({"identity": {"userName": "mail"}}, "userName", "a.kurz@example.com"),
        ({"identity": {"externalId": "employeeId"}}, "externalId", "007"),
        ({"columns": {"department": "jobTitle"}}, "department", "Clerk"),
        ({"columns": {"department": "JOBTITLE"}}, "department", "Clerk"),
        ({"columns": {f"{ENTERPRISE}:department": "jobTitle"}}, "department", "Clerk"),
        ({"columns": {"email": "alternateEmailAddress"}}, "email", "anna@home.example"),
        ({"columns": {'emails[type eq "work"].value': "alternateEmailAddress"}}, "email", "anna@home.example"),
        ({"columns": {"email": "alternateEmailAddress"}, "identity": {"email": "mail"}}, "email", "a.kurz@example.com"),
        ({"columns": {"userType": "jobTitle"}}, "userType", "Clerk"),
        ({"field_mappings": [{"attribute": WORK, "field": "R"}], "columns": {"R": "jobTitle"}}, "field.R", "Clerk"),
        ({"field_mappings": [{"attribute": WORK, "field": "R"}], "columns": {WORK: "jobTitle"}}, "field.R", "Clerk"),
        ({"field_mappings": [{"attribute": f"{ENTERPRISE}:Department", "field": "R"}]}, "field.R", " Sales "),
        ({"field_mappings": [{"attribute": "name.givenName", "field": "R"}]}, "field.R", "Anna"),
        (
            {"field_mappings": [{"attribute": 'EMAILS[Type eq "Work"].Value', "field": "R"}]},
            "field.R",
            "a.kurz@example.com",
        ),
    ],
)
def test_the_settings_word_comes_before_the_shapes(
    read: Callable[..., Export], parts: dict[str, Any], field: str, value: str
) -> None:
    assert one(map_users(read(), setting_of(**parts)))[field] == value


@pytest.mark.parametrize(("word", "active"), [("yes", True), ("Terminated", False), ("perhaps", None)])
def test_activity_from_a_column_named_by_hand(read: Callable[..., Export], word: str, active: bool | None) -> None:
    row = one(map_users(read(HRStatus=word), setting_of(columns={"active": "HRStatus"})))
    assert row["active"] is active


def test_an_attribute_that_the_export_lacks(read: Callable[..., Export]) -> None:
    setting = setting_of(field_mappings=[{"attribute": "nickName", "field": "Nick"}])
    mapped = map_users(read(), setting)
    assert "Nick" not in mapped.columns
    assert "field.Nick" not in mapped.frame.columns


@pytest.mark.parametrize(
    ("parts", "where", "says"),
    [
        ({"columns": {"department": "Dept"}}, "columns.department", 'no column "Dept"'),
        ({"columns": {"Number": "employeId"}}, "columns.Number", 'Did you mean "employeeId"?'),
        ({"identity": {"userName": "upn"}}, "identity.userName", 'no column "upn"'),
    ],
)
def test_a_column_that_is_not_there(read: Callable[..., Export], parts: dict[str, Any], where: str, says: str) -> None:
    with pytest.raises(SettingError) as caught:
        map_users(read(), setting_of(**parts))
    assert caught.value.where == where
    assert says in str(caught.value)


def test_a_field_named_like_a_column_of_ours_does_not_hide_it(read: Callable[..., Export]) -> None:
    setting = quick_setting("userType", "Everyone")
    row = one(map_users(read(), setting))
    assert (row["userType"], row["value"], row["field.UserType"]) == ("Member", "Member", "Member")


# One resource, as it comes over the wire


RESOURCE = {
    "externalId": "7",
    "userName": "anna@example.com",
    "name": {"givenName": "Anna", "familyName": "Kurz"},
    "active": True,
    "emails": [
        {"value": "home@example.com", "type": "home"},
        {"value": "work@example.com", "type": "work"},
        {"value": "first@example.com", "type": "other", "primary": True},
    ],
    "phoneNumbers": [{"value": "+1", "type": "mobile"}],
    "addresses": [{"type": "work", "country": "Norway"}],
    "title": "Clerk",
    ENTERPRISE: {"department": "Sales", "employeeNumber": "007"},
}


def test_a_resource_has_the_same_fields() -> None:
    setting = setting_of(
        field_mappings=[{"attribute": WORK, "field": "Region"}, {"attribute": "Title", "field": "Job"}]
    )
    assert map_resource(flatten(RESOURCE), setting) == {
        "externalId": "7", "userName": "anna@example.com", "email": "first@example.com", "firstName": "Anna",
        "lastName": "Kurz", "department": "Sales", "phone": "+1", "active": "true", "userType": None,
        "Region": "Norway", "Job": "Clerk",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("emails", "address"),
    [
        ([{"value": "a@x", "type": "work", "primary": True}, {"value": "b@x", "primary": True}], "a@x"),
        (
            [{"value": "a@x", "type": "home"}, {"value": "b@x", "primary": True}, {"value": "c@x", "type": "work"}],
            "b@x",
        ),
        ([{"value": "a@x", "type": "home"}, {"value": "b@x", "type": "work"}], "b@x"),
        ([{"value": "a@x", "type": "home"}, {"value": "b@x", "type": "other"}], "a@x"),
        ([{"value": ""}, {"value": "b@x"}], "b@x"),
        (["a@x"], "a@x"),
        ([], None),
        ([{"type": "work"}], None),
        (None, None),
    ],
)
def test_of_several_addresses(emails: Any, address: str | None) -> None:
    """Rule 1: work and primary, else primary, else work, else first."""
    assert map_resource(flatten({"userName": "a", "emails": emails}), setting_of())["email"] == address


@pytest.mark.parametrize("blank", [None, "", " ", "\t\u00a0", [], {}])
def test_blank_is_one_thing(blank: Any) -> None:
    resource = {"userName": "a", ENTERPRISE: {"department": blank}, "title": blank}
    fields = map_resource(flatten(resource), setting_of(field_mappings=[{"attribute": "title", "field": "Job"}]))
    assert (fields["department"], fields["Job"]) == (None, None)


def test_attributes_that_are_no_paths_are_passed_over() -> None:
    assert map_resource(flatten({"a b": "x", "userName": "a"}), setting_of())["userName"] == "a"


def test_every_limit_is_of_a_field_with_a_path() -> None:
    assert set(LIMITS) <= set(PATHS)
    assert set(BUILT_IN_FIELDS) <= set(PATHS)


def test_a_guess_that_was_looked_at_is_kept_with_the_setting(tmp_path: Path) -> None:
    (tmp_path / "hr.csv").write_text("Mail,Dept,Status\na@example.com,Sales,left\n", "utf-8")
    export = read_export(tmp_path / "hr.csv")
    kept = keep_columns(quick_setting("department", "Everyone"), export)
    assert kept.columns == {"userName": "Mail", "email": "Mail", "department": "Dept", "active": "Status"}
    save_setting(kept, tmp_path / "kept.yaml")
    again = map_users(export, load_setting(tmp_path / "kept.yaml"))
    assert again.frame.equals(map_users(export, quick_setting("department", "Everyone")).frame)


def test_what_the_setting_says_of_columns_is_kept_too(read: Callable[..., Export]) -> None:
    kept = keep_columns(setting_of(columns={"department": "jobTitle", "Number": "employeeId"}), read())
    assert (kept.columns["department"], kept.columns["Number"], kept.columns["email"]) == (
        "jobTitle",
        "employeeId",
        "mail",
    )
