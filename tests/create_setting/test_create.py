"""A setting is created once, from its document, after everything that matters was said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from managing import Platform as Embedded

from scimops.attributes import CORE, ENTERPRISE
from scimops.create_setting.check import check
from scimops.create_setting.create import create, delete, rename, renew_token, token_taken
from scimops.create_setting.look import Look, look
from scimops.create_setting.record import read_record, record_path
from scimops.errors import ScimopsError, UsageError
from scimops.findings import Finding
from scimops.platform import Platform, UncertainError
from scimops.preview import Preview
from scimops.service_provider.management.fixtures import delete_group_by_hand
from scimops.service_provider.tables import companies
from scimops.setting import Setting, save_setting
from scimops.tokens import TOKENS, Secret

NAME = "rehearsal"
SETTING = Setting.model_validate({
    "name": "Staff",
    "field_mappings": [
        {"attribute": 'addresses[type eq "work"].country', "field": "Country"},
        {"attribute": "urn:example:scim:2.0:User:shift", "field": "Shift"},
    ],
    "group_settings": {
        "target_group": "Everyone", "criterion": {"field": "department"}, "aliases": {"R&D": "Engineering"},
        "duplicates": "keep_first",
    },
})  # fmt: skip

Looked = Callable[..., Preview]


def looked_at(platform: Platform, setting: Setting, document: Path, preview: Preview | None = None) -> Look:
    made = read_record(document).connections.get(NAME)
    return look(platform, setting, preview, made, NAME)


def made(platform: Platform, setting: Setting, document: Path) -> Secret:
    save_setting(setting, document)
    outcome = create(platform, document, setting, looked_at(platform, setting, document), connection=NAME)
    assert outcome.token is not None
    return outcome.token


def codes(found: Look) -> dict[str, Finding]:
    return {finding.code: finding for finding in found.findings}


def push(embedded: Embedded, token: Secret, name: str, department: str | None) -> httpx2.Response:
    emails = [{"type": "work", "value": f"{name}@example.com", "primary": True}]
    body: dict[str, Any] = {"schemas": [CORE, ENTERPRISE], "userName": f"{name}@example.com", "emails": emails}
    return embedded.scim(token.reveal(), "POST", "/Users", body | {ENTERPRISE: {"department": department}})


def test_what_is_made_is_what_the_document_says(platform: Platform, embedded: Embedded, document: Path) -> None:
    token = made(platform, SETTING, document)
    compared = check(platform, document, SETTING, NAME)
    assert (compared.state, compared.differences) == ("matches", [])
    assert {field["name"] for field in platform.custom_fields()} == {"Country", "Shift"}
    assert [group["name"] for group in platform.target_groups()] == ["Everyone"]
    answer = push(embedded, token, "anna", "R&D")
    assert answer.status_code == 201
    shown = embedded.scim(token.reveal(), "GET", f"/Users/{answer.json()['id']}").json()
    assert [group["display"] for group in shown["groups"]] == ["Engineering"]


def test_asked_twice_it_makes_no_second_one(platform: Platform, document: Path) -> None:
    made(platform, SETTING, document)
    again = looked_at(platform, SETTING, document)
    assert "setting_there" in codes(again)
    outcome = create(platform, document, SETTING, again, connection=NAME)
    assert outcome.token is None
    assert len(platform.settings()) == 1


def test_the_record_holds_ids_and_no_secret(platform: Platform, document: Path) -> None:
    token = made(platform, SETTING, document)
    token_taken(document, NAME, "stored", "keyring:staff")
    text = record_path(document).read_text()
    assert token.reveal() not in text
    assert not TOKENS.search(text)
    created = json.loads(text)["connections"][NAME]
    (row,) = platform.settings()
    assert created["setting_id"] == row["resourceId"]
    assert (created["token"], created["token_reference"]) == ("stored", "keyring:staff")
    assert set(created["custom_fields"]) == {"Country", "Shift"}
    assert created["url"].endswith("/scim/v2")


def test_an_answer_that_never_came_is_found_again(
    platform: Platform, embedded: Embedded, document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection breaks after the platform made the setting: no second one, and a token that is good."""
    real = platform.create_setting

    def cut(body: Any) -> Secret:
        real(body)
        raise UncertainError("The answer did not come.")

    monkeypatch.setattr(platform, "create_setting", cut)
    token = made(platform, SETTING, document)
    assert len(platform.settings()) == 1
    assert push(embedded, token, "anna", "Sales").status_code == 201


def test_a_process_that_died_in_between_goes_on(
    platform: Platform, embedded: Embedded, document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = platform.create_setting

    def die(body: Any) -> Secret:
        real(body)
        raise KeyboardInterrupt

    monkeypatch.setattr(platform, "create_setting", die)
    with pytest.raises(KeyboardInterrupt):
        made(platform, SETTING, document)
    monkeypatch.undo()
    assert "found_again" in codes(looked_at(platform, SETTING, document))
    token = made(platform, SETTING, document)
    assert len(platform.settings()) == 1
    assert push(embedded, token, "anna", "Sales").status_code == 201


def test_a_name_of_somebody_else_is_taken(platform: Platform, document: Path) -> None:
    made(platform, SETTING, document)
    other = document.with_name("other.yaml")
    found = looked_at(platform, SETTING, other)
    assert found.refused
    with pytest.raises(UsageError, match="which was not made from this document"):
        create(platform, other, SETTING, found, connection=NAME)
    assert len(platform.settings()) == 1


def test_what_is_said_first(platform: Platform, embedded: Embedded, document: Path, looked: Looked) -> None:
    other = document.with_name("other.yaml")
    token = made(platform, SETTING.model_copy(update={"name": "Old"}), other)
    assert push(embedded, token, "anna", "Sales").status_code == 201
    found = codes(looked_at(platform, SETTING, document, looked(SETTING)))
    assert found["people_of_another_setting"].count == 1
    assert "Old (1)" in found["people_of_another_setting"].message
    assert "Sales (SCIM setting Old, 1 person)" in found["groups_there"].message
    assert {"fixed_at_creation"} <= set(found)
    assert "undocumented" not in found  # the embedded platform says what it does
    delete(platform, other, NAME)
    found = codes(looked_at(platform, SETTING, document, looked(SETTING)))
    assert "people_of_another_setting" not in found
    assert "takes them over" in found["people_there"].advice


def test_a_look_changes_nothing(platform: Platform, document: Path, looked: Looked) -> None:
    found = looked_at(platform, SETTING, document, looked(SETTING))
    assert (found.fields_to_make, found.make_target_group) == (["Country", "Shift"], True)
    assert platform.settings() == platform.target_groups() == platform.custom_fields() == []
    assert not record_path(document).exists()


def test_what_changed_later_needs_a_new_setting(platform: Platform, document: Path) -> None:
    made(platform, SETTING, document)
    groups = SETTING.group_settings.model_copy(update={"aliases": {"R&D": "Research"}, "target_group": "Alle"})
    changed = SETTING.model_copy(update={"name": "Staff 2", "group_settings": groups})
    compared = check(platform, document, changed, NAME)
    assert compared.state == "differs"
    assert {one.what: one.fixed for one in compared.differences} == {
        "name": False, "target group": True, "aliases": True,
    }  # fmt: skip
    assert any("scimops setting delete" in step for step in compared.steps)
    assert any(f"delete {document.name} " in step for step in compared.steps)  # the record is beside this document
    renamed = check(platform, document, SETTING.model_copy(update={"name": "Staff 2"}), NAME)
    assert [one.what for one in renamed.differences] == ["name"]
    assert renamed.steps == []


def test_rename_renew_delete(platform: Platform, embedded: Embedded, document: Path) -> None:
    token = made(platform, SETTING, document)
    rename(platform, document, NAME, "Personal")
    assert [row["name"] for row in platform.settings()] == ["Personal"]
    new = renew_token(platform, document, NAME)
    embedded.authenticator.forget()
    assert push(embedded, token, "anna", "Sales").status_code == 401
    assert push(embedded, new, "anna", "Sales").status_code == 201
    delete(platform, document, NAME)
    assert platform.settings() == []
    with pytest.raises(UsageError, match="Nothing was created from this document"):
        renew_token(platform, document, NAME)


def test_a_column_that_no_attribute_carries_is_refused(platform: Platform, document: Path) -> None:
    by_city = Setting.model_validate(
        {"name": "City", "columns": {"City": "city"}, "group_settings": {"criterion": {"field": "City"}}}
    )
    with pytest.raises(UsageError, match="no SCIM attribute carries"):
        looked_at(platform, by_city, document)


def test_a_field_of_another_type_forbids_it(
    platform: Platform, document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The embedded platform knows text alone, so the answer of one that knows dates is put in its place."""
    field = {"resourceId": "f00000000001", "name": "country", "ownerType": "Company", "fieldDataType": "Date"}
    monkeypatch.setattr(platform, "custom_fields", lambda: [field])
    found = looked_at(platform, SETTING, document)
    assert "of the type Date" in codes(found)["field_of_another_type"].message
    assert found.refused


def test_a_group_that_was_deleted_meanwhile(platform: Platform, embedded: Embedded, document: Path) -> None:
    """Between the look and the creation: nothing is made, and the next try makes the group again."""
    group = platform.create_target_group("Everyone")
    save_setting(SETTING, document)
    seen = looked_at(platform, SETTING, document)
    with embedded.database.write() as connection:
        company = connection.scalar(sa.select(companies.c.id))
        delete_group_by_hand(connection, company, group)
    with pytest.raises(ScimopsError, match="target group is not there"):
        create(platform, document, SETTING, seen, connection=NAME)
    assert platform.settings() == []
    assert made(platform, SETTING, document)
    assert [row["name"] for row in platform.target_groups()] == ["Everyone"]
