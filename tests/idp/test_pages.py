"""Pages of JSON: without users, several of one export, and groups as SCIM has them."""

from __future__ import annotations

import json

import pytest

import scimops
from scimops.errors import IncompleteSourceError


def page(path, document):
    path.write_text(json.dumps(document))
    return path


def scim_user(name, groups=()):
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name,
        "emails": [{"value": "home@example.com", "type": "home"}, {"value": name, "type": "work"}],
        "groups": list(groups),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("document", "shape"),
    [
        ({"@odata.context": "…", "value": []}, "entra_graph_users"),
        ({"totalCount": 0, "results": []}, "jumpcloud_systemusers_api"),
        ({"totalResults": 0, "Resources": []}, "scim_users"),
    ],
)
def test_a_page_without_users_is_known_by_what_is_around_them(tmp_path, document, shape):
    export = scimops.read_export(page(tmp_path / "p.json", document))
    assert (export.shape.name, export.rows, export.complete) == (shape, 0, True)


def test_an_empty_last_page_belongs_to_the_others(tmp_path):
    user = {
        "id": "1",
        "status": "ACTIVE",
        "profile": {"login": "a@example.com", "firstName": "A", "email": "a@example.com"},
    }
    export = scimops.read_export(page(tmp_path / "1.json", [user]), page(tmp_path / "2.json", []))
    assert (export.shape.name, export.rows) == ("okta_users_api", 1)
    assert export.users()["userName"].to_list() == ["a@example.com"]


def test_pages_are_counted_together(tmp_path):
    first = page(tmp_path / "1.json", {"totalResults": 2, "Resources": [scim_user("a@example.com")]})
    second = page(tmp_path / "2.json", {"totalResults": 2, "Resources": [scim_user("b@example.com")]})
    assert scimops.read_export(first, second).rows == 2
    with pytest.raises(IncompleteSourceError, match="2 users in all and holds 1"):
        scimops.read_export(first)


def test_groups_are_their_names_else_their_ids(tmp_path):
    groups = [
        {"value": "1", "display": "All Staff", "type": "direct"},
        {"value": "2", "display": "VPN"},
        {"value": "3"},
    ]
    document = {"totalResults": 1, "Resources": [scim_user("a@example.com", groups)]}
    users = scimops.read_export(page(tmp_path / "p.json", document)).users()
    assert users["groups"].to_list() == [["All Staff", "VPN", "3"]]
    assert users["email"].to_list() == ["a@example.com"]


def test_a_list_that_powershell_did_not_write_out_is_no_phone_number(tmp_path):
    path = tmp_path / "users.csv"
    path.write_text('"UserPrincipalName","AccountEnabled","BusinessPhones"\n"a@example.com","True","System.String[]"\n')
    assert scimops.read_export(path).users()["phone"].to_list() == [None]
