"""Does the identity provider send it: shares by field, and what is never sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from scimops import frames
from scimops.idp import Export
from scimops.preview import Preview
from scimops.preview.checks.sending import SENDING
from scimops.preview.sends import Sends, does_idp_send, sends_of
from scimops.setting import Setting

Row = dict[str, str]
Person = Callable[..., Row]
Read = Callable[..., Export]
Look = Callable[..., Preview]

REGION = [{"attribute": 'addresses[type eq "work"].country', "field": "Region"}]
BY_GROUPS = {"criterion": {"idp_groups": True}}


def setting_of(**parts: Any) -> Setting:
    groups = {"criterion": {"field": "department"}, "target_group": "Everyone"}
    return Setting.model_validate({"name": "Test", "group_settings": groups} | parts)


def line(sends: Sends, field: str) -> dict[str, Any]:
    (found,) = [row for row in sends.frame.iter_rows(named=True) if row["field"] == field]
    return found


def codes(sends: Sends) -> set[str]:
    return {finding.code for finding in sends.findings}


@pytest.fixture
def some(read: Read, person: Person) -> Export:
    """Four people: one without department, one without country, one guest; nobody has a title."""
    cells = [{"department": ""}, {"country": ""}, {"userType": "Guest", "country": " "}, {}]
    return read([person(n, **{"country": "NO"} | one) for n, one in enumerate(cells, 1)])


def test_each_field_has_one_line_with_its_share(some: Export) -> None:
    sends = does_idp_send(some, setting_of(field_mappings=REGION))
    assert sends.frame["field"].to_list() == [
        "externalId", "userName", "active", "email", "firstName", "lastName", "department", "phone", "Region",
    ]  # fmt: skip
    department = {"criterion": True, "people": 4, "with_value": 3, "percent": 75, "by_default": True}
    assert line(sends, "department").items() >= (department | {"column": "department", "source": "department"}).items()
    region = {"criterion": False, "people": 4, "with_value": 2, "percent": 50, "by_default": False}
    assert line(sends, "Region").items() >= (region | {"column": "country", "source": "country"}).items()
    phone = {"column": None, "with_value": None, "percent": None, "people": 4}
    assert line(sends, "phone").items() >= phone.items()


def test_people_out_of_scope_are_not_counted(some: Export) -> None:
    sends = does_idp_send(some, setting_of(field_mappings=REGION, scope={"user_types": ["Member"]}))
    assert (line(sends, "Region")["people"], line(sends, "Region")["with_value"]) == (3, 2)


def test_a_user_name_in_place_of_an_address_is_no_address(read: Read, person: Person) -> None:
    sends = does_idp_send(read([person(1, mail=""), person(2)]), setting_of())
    assert (line(sends, "email")["with_value"], line(sends, "email")["percent"]) == (1, 50)
    assert "email_from_username" in codes(sends)


def test_shares_are_rounded_down_so_that_100_means_everybody(read: Read, person: Person) -> None:
    people = [person(n, department="Sales" if n else "") for n in range(200)]
    assert line(does_idp_send(read(people), setting_of()), "department")["percent"] == 99


def test_a_column_that_is_not_there_is_not_nought(read: Read, person: Person) -> None:
    people = [{name: cell for name, cell in person(n).items() if name != "department"} for n in range(3)]
    sends = does_idp_send(read(people), setting_of())
    assert line(sends, "department").items() >= {"column": None, "with_value": None, "percent": None}.items()
    assert "column_missing" in codes(sends)


def test_an_export_without_people(read: Read, person: Person) -> None:
    sends = does_idp_send(read(",".join(person(1)) + "\n"), setting_of())
    assert (line(sends, "department")["people"], line(sends, "department")["percent"]) == (0, None)


def test_another_identity_provider_may_be_asked(some: Export) -> None:
    setting = setting_of(field_mappings=REGION)
    sends = does_idp_send(some, setting, idp="onelogin")
    assert line(sends, "department")["source"] == "{$parameters.department}"
    assert line(sends, "department")["by_default"] is False
    assert line(does_idp_send(some, setting, idp="jumpcloud"), "department")["by_default"] is None


@pytest.mark.parametrize(
    ("idp", "parts", "there", "absent"),
    [
        ("entra", {"field_mappings": REGION}, {"stale_at_service_provider", "fields_not_sent_by_default"},
         {"sending_not_verified", "criterion_not_sent_by_default", "nested_groups"}),
        ("entra", {"group_settings": BY_GROUPS}, {"nested_groups"}, {"stale_at_service_provider"}),
        ("okta", {}, {"sending_not_verified"}, {"stale_at_service_provider", "nested_groups"}),
        ("onelogin", {}, {"criterion_not_sent_by_default"}, {"sending_not_verified", "case_only_change"}),
        ("jumpcloud", {}, {"sending_not_verified"}, {"criterion_not_sent_by_default"}),
        ("scim", {}, set(), {"sending_not_verified", "criterion_not_sent_by_default", "criterion_without_attribute"}),
    ],
)  # fmt: skip
def test_what_is_never_sent(some: Export, idp: str, parts: dict[str, Any], there: set[str], absent: set[str]) -> None:
    found = codes(does_idp_send(some, setting_of(**parts), idp=idp))
    assert there <= found
    assert found.isdisjoint(absent)


def test_entra_does_not_send_a_change_of_case(read: Read, person: Person) -> None:
    export = read([person(1), person(2, department="SALES")])
    assert "case_only_change" in codes(does_idp_send(export, setting_of()))
    assert "case_only_change" not in codes(does_idp_send(export, setting_of(), idp="okta"))


def test_jumpclouds_extension_attributes_are_named(some: Export) -> None:
    mapped = [{"attribute": "urn:ietf:params:scim:schemas:extension:acme:2.0:User:unit", "field": "Unit"}]
    (found,) = [
        one
        for one in does_idp_send(some, setting_of(field_mappings=mapped), idp="jumpcloud").findings
        if one.code == "sending_not_verified"
    ]
    assert "department, Unit" in found.message
    assert "test with one person" in found.advice


def test_a_criterion_without_an_attribute(read: Read, person: Person) -> None:
    setting = setting_of(columns={"Cost": "costCenter"}, group_settings={"criterion": {"field": "Cost"}})
    sends = does_idp_send(read([person(1, costCenter="7"), person(2, costCenter="8")]), setting)
    assert line(sends, "Cost").items() >= {"attribute": None, "source": "costCenter", "with_value": 2}.items()
    assert "criterion_without_attribute" in codes(sends)


def test_findings_are_those_of_the_preview(look: Look, person: Person) -> None:
    preview = look([person(1, country="NO"), person(2, department="SALES")], field_mappings=REGION)
    sends = sends_of(preview)
    assert [one for one in sends.findings if one not in preview.findings] == []
    assert len(codes(sends)) == len(sends.findings)


def test_in_pandas(some: Export) -> None:
    frame = does_idp_send(some, setting_of()).to_pandas()
    assert frame.columns.tolist() == frames.SENDS.names
    assert frame["with_value"].dtype == pd.Int64Dtype()
    assert frame.set_index("field").loc["phone", "with_value"] is pd.NA


def test_every_check_says_what_it_looks_for() -> None:
    assert all(check.__doc__ for check in SENDING)
