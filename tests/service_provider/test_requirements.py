"""Requirements of the RFCs that replayed requests and the catalogue of requirements showed to be unmet once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from replaying import Wire, wires
from test_placement import person

from scimops.service_provider.database import Database

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
TWO = [{"type": "work", "value": "anna@example.com"}, {"type": "home", "value": "anna@example.org"}]


@pytest.fixture
def wire(database: Database) -> Iterator[Wire]:
    with wires(database, "one") as made:
        yield made["one"]


def addresses(wire: Wire, user: str) -> list[str]:
    return [email["value"] for email in wire.send("GET", f"/Users/{user}").json()["emails"]]


def removal(value: Any) -> dict[str, Any]:
    return {"Operations": [{"op": "Remove", "path": "emails", "value": value}]}


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ([{"type": "home"}], ["anna@example.com"]),
        ({"value": "anna@example.com", "type": "work"}, ["anna@example.org"]),
        ([{"type": "home", "value": "anna@example.com"}, {"value": "ANNA@example.org"}], ["anna@example.com"]),
        (["anna@example.org"], ["anna@example.com"]),
    ],
)
def test_one_of_two_addresses_is_removed_by_its_value(wire: Wire, value: Any, left: list[str]) -> None:
    anna = wire.made("/Users", person("anna", emails=TWO))
    assert wire.send("PATCH", f"/Users/{anna}", removal(value)).is_success
    assert addresses(wire, anna) == left


@pytest.mark.parametrize("value", [[{"type": "home"}, {"type": "work"}], {"display": "x"}, [{"unknown": "x"}]])
def test_the_last_address_is_not_removed(wire: Wire, value: Any) -> None:
    anna = wire.made("/Users", person("anna", emails=TWO))
    assert wire.send("PATCH", f"/Users/{anna}", removal(value)).status_code in (204, 400)
    assert len(addresses(wire, anna)) == 2


@pytest.mark.parametrize("emails", [{}, {"emails": None}, {"Emails": []}])
def test_who_is_made_inactive_without_an_address_keeps_theirs(wire: Wire, emails: dict[str, Any]) -> None:
    anna = wire.made("/Users", person("anna", emails=TWO))
    body = {"userName": "anna@example.com", "title": "Gone", **emails}
    assert wire.send("PUT", f"/Users/{anna}", body | {"active": True}).status_code == 400
    answer = wire.send("PUT", f"/Users/{anna}", body | {"active": "False"})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["active"], answer.json()["title"]) == (False, "Gone")
    assert addresses(wire, anna) == ["anna@example.com", "anna@example.org"]


def test_nobody_is_found_by_being_made_inactive(wire: Wire) -> None:
    assert wire.send("PUT", "/Users/nobody", {"userName": "x", "active": False}).status_code == 404


def test_the_schemas_speak_of_people_in_the_words_of_the_rfc(wire: Wire) -> None:
    found = {one["name"]: one["description"] for one in wire.send("GET", "/Schemas").json()["Resources"]}
    assert (found["User"], found["Group"]) == ("User Account", "Group")


def test_only_schemas_that_are_there_are_named(wire: Wire) -> None:
    """RFC 7643 §3: `schemas` holds the URNs of the resource type's schemas, each once; an unknown one fails nothing."""
    unknown = "urn:example:unknown:2.0:User"
    body = person("anna", "Sales")
    user = wire.made("/Users", body | {"schemas": [*body["schemas"], unknown, unknown], unknown: {"a": "b"}})
    read = wire.send("GET", f"/Users/{user}").json()
    assert sorted(read["schemas"]) == sorted(body["schemas"])
    assert unknown not in read


@pytest.mark.parametrize(
    ("value", "status"), [("aGVsbG8=", 201), ("aGVs\nbG8=", 201), ("!!!", 400), ("aGVsbG8", 400), ("hellö", 400)]
)
def test_a_certificate_is_base64(wire: Wire, value: str, status: int) -> None:
    """RFC 7643 §2.3.6: what is no Base64 is refused, never kept as something else."""
    answer = wire.send("POST", "/Users", person("anna", x509Certificates=[{"value": value}]))
    assert answer.status_code == status, answer.text
