"""Guides to a setting: what each tells to send is accepted by the embedded platform and placed as the preview says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from scimops.attributes import CORE, ENTERPRISE, normal_path
from scimops.errors import UsageError
from scimops.idp import IDPS, read_export
from scimops.idp.guides import names, setting_guide, setting_names
from scimops.idp.okta import external_name
from scimops.idp.sends import KEYS, needs_of, resource_of, sample_of, template_of
from scimops.mapping import map_resource
from scimops.present.guide import SAMPLE, TOKEN, UNKNOWN, Code, Grid, Guide, Prose, make_guide, parsed
from scimops.preview import preview_export
from scimops.resources import flatten
from scimops.service_provider.database import Database
from scimops.setting import BUILT_IN_FIELDS, Setting
from tests.service_provider.serving import new_subject, served

GUIDES = ["entra", "jumpcloud", "okta", "onelogin", "other"]
ACME = "urn:ietf:params:scim:schemas:extension:acme:2.0:User"
MAPPINGS = [
    {"attribute": 'addresses[type eq "work"].country', "field": "Region"},
    {"attribute": f"{ACME}:costCenter", "field": "Cost centre"},
    {"attribute": f"{ENTERPRISE}:costCenter", "field": "Old cost centre"},
    {"attribute": "title", "field": "Title"},
]
VALUES = SAMPLE | {
    "department": 'R&D "North"', "Region": "Norway", "Cost centre": "007", "Old cost centre": "42", "Title": "Engineer",
}  # fmt: skip
URL = "https://scim.example.com/scim"


def setting_of(field: str | None = "department", **groups: Any) -> Setting:
    criterion = {"idp_groups": True} if field == "groups" else {"field": field} if field else None
    settings = {"criterion": criterion, "target_group": "Everyone", "aliases": {'R&D "North"': "Engineering"}} | groups
    return Setting.model_validate({"name": "Acme", "field_mappings": MAPPINGS, "group_settings": settings})


def provider(idp: str) -> Any:
    return IDPS["generic" if idp == "other" else idp]


def prose(guide: Guide) -> str:
    return "\n".join(block.markdown for block in guide.blocks if isinstance(block, Prose))


def grid(guide: Guide, caption: str) -> Grid:
    return next(block for block in guide.blocks if isinstance(block, Grid) and block.caption == caption)


# -- What is sent -------------------------------------------------------------


def filled_by_onelogin(template: str, setting: Setting, active: str) -> dict[str, Any]:
    """The template as OneLogin fills it: each macro replaced by text, inside the JSON string it stands in."""
    sources = {need.source: need.field for need in needs_of(IDPS["onelogin"], setting)}
    values = {field: str(value) for field, value in VALUES.items()} | {"active": active}
    filled = re.sub(r"\{\$[\w.]+\}", lambda macro: json.dumps(values[sources[macro[0]]])[1:-1], template)
    assert "{$" not in filled
    return json.loads(filled)


def body_of(idp: str, setting: Setting) -> dict[str, Any]:
    if idp == "onelogin":
        return filled_by_onelogin(make_guide(idp, setting).files["onelogin_scim_template.json"], setting, "true")
    return sample_of(needs_of(provider(idp), setting), VALUES)


@pytest.mark.parametrize("field", ["department", "Region", "Cost centre", None])
@pytest.mark.parametrize("idp", GUIDES)
def test_what_arrives_is_accepted_and_placed_as_the_preview_says(
    idp: str, field: str | None, database: Database, tmp_path: Path
) -> None:
    setting = setting_of(field)
    body = body_of(idp, setting)
    page = tmp_path / "users.json"
    page.write_text(json.dumps({"totalResults": 1, "Resources": [body]}))
    (foreseen,) = preview_export(read_export(page, shape="scim_users"), setting).assignments.to_dicts()
    with served(database, new_subject(database, setting)) as client:
        made = client.post("/Users", json=body)
        assert made.status_code == 201, made.text
        stored = client.get(f"/Users/{made.json()['id']}").json()
    assert [group["display"] for group in stored["groups"]] == [foreseen["group"]]
    expected = {"department": "Engineering", None: "Everyone"}.get(field, VALUES.get(field))
    assert foreseen["group"] == expected
    fields = map_resource(flatten(stored), setting)
    wanted = {name: value for name, value in VALUES.items() if name not in ("active", "externalId")}
    assert {name: fields[name] for name in wanted} == wanted
    assert (stored["active"], fields["externalId"]) == (True, None if idp == "onelogin" else VALUES["externalId"])


@pytest.mark.parametrize(("idp", "said"), [("onelogin", "false"), ("entra", "False")])
def test_inactive_people_are_understood_as_text(idp: str, said: str, database: Database) -> None:
    setting = setting_of()
    body = body_of(idp, setting) | {"active": said}
    with served(database, new_subject(database, setting)) as client:
        made = client.post("/Users", json=body)
        assert (made.status_code, made.json()["active"], made.json().get("groups", [])) == (201, False, [])


def test_onelogins_template_holds_every_field_and_its_schemas() -> None:
    setting = setting_of()
    template = json.loads(make_guide("onelogin", setting).files["onelogin_scim_template.json"])
    assert template["schemas"] == [CORE, ENTERPRISE, ACME]
    held = {normal_path(path) for path in flatten(template)}
    for need in needs_of(IDPS["onelogin"], setting):
        assert need.attribute is not None
        assert (normal_path(need.attribute) in held) == (need.field != "externalId"), need.field
    assert template["active"] == "{$user.active}"
    assert template["phoneNumbers"] == [{"type": "work", "value": "{$user.phone}"}]
    assert template["emails"] == [{"type": "work", "primary": True, "value": "{$user.email}"}]
    assert "manager" not in json.dumps(template)


def test_a_template_names_no_schema_that_it_does_not_use() -> None:
    plain = Setting.model_validate({"name": "x", "field_mappings": [{"attribute": f"{ACME}:a.b", "field": "A"}]})
    needs = [need for need in needs_of(IDPS["onelogin"], plain) if need.field != "department"]
    assert template_of(needs)["schemas"] == [CORE, ACME]
    assert template_of(needs)[ACME] == {"a": {"b": "{$parameters.b}"}}


def test_two_attributes_never_share_a_parameter() -> None:
    needs = {need.field: need.source for need in needs_of(IDPS["onelogin"], setting_of())}
    assert needs["Cost centre"] == "{$parameters.costCenter}"
    assert needs["Old cost centre"] == "{$parameters.costCenter_2}"


@pytest.mark.parametrize(
    ("pairs", "body"),
    [
        ([("title", 1), ("TITLE.x", 2)], {"title": 1}),
        ([("emails", "a"), ("Emails.display", "A")], {"emails": [{"value": "a", "display": "A"}]}),
        ([("roles", "a"), ("roles", "b")], {"roles": [{"value": "a"}]}),
        ([(f"{CORE}:title", 1)], {"title": 1}),
        ([(f"{ENTERPRISE.upper()}:manager", "7")], {ENTERPRISE: {"manager": {"value": "7"}}}),
        (
            [('addresses[type eq "work"].country', "NO"), ('addresses[type eq "home"].country', "SE"),
             ('Addresses[type eq "work"].region', "N")],
            {"addresses": [{"type": "work", "country": "NO", "region": "N"}, {"type": "home", "country": "SE"}]},
        ),
    ],
)  # fmt: skip
def test_a_resource_of_paths(pairs: list[tuple[str, Any]], body: dict[str, Any]) -> None:
    made = resource_of(pairs)
    assert made.pop("schemas") == [CORE, *(urn for urn in body if urn.startswith("urn:"))]
    assert made == body


# -- What has to be mapped ----------------------------------------------------


@pytest.mark.parametrize("idp", GUIDES)
def test_every_field_of_the_setting_has_one_line(idp: str) -> None:
    setting = setting_of()
    table = grid(make_guide(idp, setting), "What this setting needs")
    assert [row[0].text for row in table.rows] == [*KEYS, *BUILT_IN_FIELDS, *(one["field"] for one in MAPPINGS)]
    (marked,) = table.marked
    assert (table.rows[marked][0].text, table.rows[marked][0].note) == ("department", "decides the group")


def test_entra_sends_object_ids_and_country_only_when_told() -> None:
    rows = {row[0].text: row for row in grid(make_guide("entra", setting_of()), "What this setting needs").rows}
    assert (rows["externalId"][1].text, rows["externalId"][4].text) == ("objectId", "to be changed")
    assert "mailNickname" in rows["externalId"][4].note
    assert (rows["Region"][1].text, rows["Region"][4].text) == ("country", "to be added")
    assert rows["department"][2].text == f"{ENTERPRISE}:department"
    assert (rows["Cost centre"][2].text, rows["Cost centre"][3].text) == (f"{ACME}:costCenter", "String")
    assert rows["Cost centre"][1].text == "the one that holds Cost centre"


def test_okta_is_told_external_name_and_namespace() -> None:
    rows = {row[0].text: row for row in grid(make_guide("okta", setting_of()), "What this setting needs").rows}
    assert (rows["Region"][2].text, rows["Region"][2].also) == ("addresses.^[type=='work'].country", CORE)
    assert (rows["Cost centre"][2].text, rows["Cost centre"][2].also) == ("costCenter", ACME)
    assert (rows["department"][4].text, rows["department"][2].also) == ("not verified", ENTERPRISE)
    assert external_name(needs_of(IDPS["okta"], setting_of())[3].path) == "emails.^[primary==true].value"


def test_jumpclouds_extensions_are_not_verified_and_cannot_be_added() -> None:
    needs = {need.field: need for need in needs_of(IDPS["jumpcloud"], setting_of())}
    assert (needs["department"].by_default, needs["Cost centre"].by_default) == (None, None)
    assert "no way to add attributes" in needs["Cost centre"].advice


def test_a_field_without_an_attribute_cannot_be_sent() -> None:
    setting = Setting.model_validate(
        {"name": "x", "columns": {"Cost": "cost"}, "group_settings": {"criterion": {"field": "Cost"}}}
    )
    row = grid(make_guide("entra", setting), "What this setting needs").rows[-1]
    assert (row[0].text, row[2].text, row[4].text) == ("Cost", "none: name one under field_mappings", "cannot be sent")


def test_the_column_of_the_export_names_an_attribute_that_nobody_knows() -> None:
    setting = setting_of().model_copy(update={"columns": {"Cost centre": "extension_1_costCentre"}})
    needs = {need.field: need.source for need in needs_of(IDPS["entra"], setting)}
    assert needs["Cost centre"] == "extension_1_costCentre"


# -- The text -----------------------------------------------------------------


def test_every_identity_provider_with_a_mapping_table_has_a_guide() -> None:
    assert setting_names() == GUIDES
    assert {name for name, one in IDPS.items() if one.sends} == set(GUIDES) - {"other"}
    assert set(names()) >= set(GUIDES) - {"other"}


@pytest.mark.parametrize("field", ["department", "groups", None])
@pytest.mark.parametrize("url", [URL, None])
@pytest.mark.parametrize("idp", GUIDES)
def test_every_name_in_a_guide_has_a_value_and_every_condition_ends(
    idp: str, url: str | None, field: str | None
) -> None:
    guide = make_guide(idp, setting_of(field), url)
    text = prose(guide)
    assert set(re.findall(r"\{\{(.*?)\}\}", text)) <= set(guide.values) | set(UNKNOWN)
    assert ("url" in guide.values) == (url is not None)
    assert ("{{field}}" in text) <= (field == "department")
    assert "# Sources" in text
    assert "goes wrong" in text
    assert not [token for token in parsed(text) if token.type.startswith("html")]


@pytest.mark.parametrize(
    ("idp", "says"),
    [
        ("entra", ["aadOptscim062020", "every\n40 minutes", "assigned users and groups", "Secret token", "Tenant URL"]),
        ("okta", ["Profile Editor", "OAuth Bearer Token", "Test API Credentials", "Deactivate Users"]),
        ("onelogin", ["Include in User\n  Provisioning", "SCIM Bearer Token", "SCIM Base URL", "Pending"]),
        ("jumpcloud", ["test\n   user and a test group", "Unbinding a group deactivates", "Token Key", "Base URL"]),
    ],
)
def test_a_guide_uses_its_identity_providers_own_words(idp: str, says: list[str]) -> None:
    text = prose(make_guide(idp, setting_of()))
    assert [words for words in says if words not in text] == []
    assert "ot verified" in text
    assert "November 2026" in text


def test_entras_url_asks_for_the_rfc() -> None:
    assert make_guide("entra", setting_of(), URL).values["entra_url"] == f"{URL}?aadOptscim062020"


@pytest.mark.parametrize(("field", "there"), [("groups", True), ("department", False)])
def test_groups_are_spoken_of_where_they_are_the_criterion(field: str, there: bool) -> None:
    assert ("groups inside groups are" in setting_guide("entra", {"groups"} if there else set())) == there
    assert ("Find groups by name" in prose(make_guide("okta", setting_of(field)))) == there


@pytest.mark.parametrize("idp", GUIDES)
def test_the_tokens_place_says_so(idp: str) -> None:
    guide = make_guide(idp, setting_of(), URL)
    assert "{{token}}" in prose(guide)
    assert guide.values["token"] == TOKEN
    assert [cell.text for row in grid(guide, "").rows for cell in row][-2:] == ["Token", TOKEN]


@pytest.mark.parametrize("idp", GUIDES)
def test_every_code_in_a_guide_is_json(idp: str) -> None:
    codes = [block for block in make_guide(idp, setting_of()).blocks if isinstance(block, Code)]
    assert len(codes) == (2 if idp == "onelogin" else 1)
    assert all(json.loads(code.text)["schemas"][0] == CORE for code in codes)


@pytest.mark.parametrize(
    ("idp", "url", "says"),
    [
        ("entar", None, 'Did you mean "entra"?'),
        ("scim", None, "Known: entra"),
        ("entra", "scim.example.com", "no web address"),
        ("entra", "javascript:alert(1)", "no web address"),
        ("entra", "https://user:secret@example.com/scim", "more than an address"),
        ("entra", "https://example.com/scim?token=secret", "more than an address"),
    ],
)
def test_what_is_refused(idp: str, url: str | None, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        make_guide(idp, setting_of(), url)
    assert says in str(refused.value)
    assert "secret" not in str(refused.value)
