"""PATCH as the world writes it, sent over HTTP to people and groups made for each case."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from replaying import Score, Wire, corpus, fitting, outside, wires
from scim2_models import EnterpriseUser, Group, User
from test_placement import person

from scimops.service_provider.database import Database

pytestmark = [outside, pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]
"""A PATCH works on a document, whatever the database; those are held to one contract in test_storage_contract."""

PERSON = User[EnterpriseUser]
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
NOT_COMPARED = {"schemas", "meta", "id", "$ref", "groups"}
ADDRESS = {"value": "not.in.any.case@example.com", "type": "other"}
NAME, STREET = "in no case", "1 Main Street"
"""What a person gets whose case has no address, and a group whose case has no name; they are not compared."""

NO_SCHEMA = "a path that no schema has and that no grammar reads is refused; the case takes it for one of its own"
DEVIATIONS = {
    "patch-000": "`schemas` may be missing: it says nothing that the method does not say",
    "patch-036": "it leaves no e-mail address, and a person needs one",
    "patch-050": NO_SCHEMA,
    "patch-056": NO_SCHEMA,
    "patch-066": NO_SCHEMA,
    "patch-085": "attributes that no schema has are ignored, whatever their value",
    "patch-151": "RFC 7644 §3.5.2.2 answers an unassigned required attribute with mutability",
    "patch-155": "attributes that no schema has are ignored, also when removed",
    "patch-220": "it leaves no e-mail address, and a person needs one",
}
"""What is done otherwise than a case expects, and why."""

Effect = Callable[["Case", dict[str, Any]], bool]
EFFECTS: dict[str, Effect] = {
    "patch-245": lambda case, after: [one["value"] for one in after["members"]] == [case.people["another"]],
    "patch-246": lambda case, after: not after.get("members"),
    "patch-250": lambda case, after: streets(after) == {"work": case.value()["streetAddress"], "home": STREET},
    "patch-251": lambda case, after: streets(after) == {"work": case.value(), "home": STREET},
}
"""What the corpus says in words of requests without a resource."""


def streets(person: dict[str, Any]) -> dict[str, str]:
    return {address["type"]: address["streetAddress"] for address in person["addresses"]}


_names = (f"p{number}" for number in count())


class Case:
    """A person or a group as a case has it, on the embedded platform, and what the case's PATCH makes of it."""

    def __init__(self, wire: Wire, case: dict[str, Any]) -> None:
        self.wire, self.case = wire, case
        operations = case.get("operations") or [case.get("operation")]
        self.body = case.get("body") or {"schemas": [PATCH_OP], "Operations": operations}
        self.resource: dict[str, Any] = case.get("resource") or self.plainest()
        self.kind = "Groups" if "members" in json.dumps([self.body, self.resource]) else "Users"
        if self.kind == "Groups":
            self.resource = {"displayName": NAME} | self.resource
        elif not self.resource.get("emails"):
            self.resource = self.resource | {"emails": [ADDRESS]}
        named = {member["value"] for member in self.resource.get("members", ())}
        self.people = {name: wire.made("/Users", person(next(_names))) for name in sorted(named)}
        self.path = f"/{self.kind}/{wire.made(f'/{self.kind}', self.placed(self.resource))}"

    def plainest(self) -> dict[str, Any]:
        """A resource for a request that comes without one; a group has whom the request names, and one more."""
        text = json.dumps(self.body)
        if "members" in text:
            named = re.findall(r'value eq \\*"([^"\\]+)', text)
            return {"displayName": next(_names), "members": [{"value": one} for one in (*named, "another")]}
        addresses = [{"type": kind, "streetAddress": STREET, "country": "US"} for kind in ("work", "home")]
        return {"userName": next(_names), "addresses": addresses}

    def value(self) -> Any:
        """What the first operation writes."""
        return self.body["Operations"][0]["value"]

    def placed(self, value: Any) -> Any:
        """`value` with the ids of the people who are there."""
        text = json.dumps(value)
        for name, there in self.people.items():
            text = re.sub(rf'(\\?"){re.escape(name)}(\\?")', rf"\g<1>{there}\g<2>", text)
        return json.loads(text)

    def read(self) -> dict[str, Any]:
        found: dict[str, Any] = self.wire.send("GET", self.path).json()
        return found

    def problem(self) -> str | None:
        """What came out otherwise than the case expects."""
        before = self.read()
        answer = self.wire.send("PATCH", self.path, self.placed(self.body))
        after = self.read()
        if wanted := self.case.get("expected_error"):
            if answer.status_code != wanted.get("status", 400):
                return f"{answer.status_code}, wanted an error: {answer.text[:200]}"
            if wanted.get("scimType") not in (None, answer.json().get("scimType")):
                return f"{answer.json()}, wanted {wanted['scimType']}"
            return None if after == before else "a refused PATCH changed something"
        if not answer.is_success:
            return f"{answer.status_code}: {answer.text[:200]}"
        if effect := EFFECTS.get(self.case["id"]):
            return None if effect(self, after) else f"without the effect: {after}"
        if "expected_result" in self.case:
            return self.differs(after, self.case["expected_result"], whole=True)
        return self.differs(after, self.case.get("expected_result_subset", {}), whole=False)

    def differs(self, after: dict[str, Any], wanted: dict[str, Any], *, whole: bool) -> str | None:
        known = fitting(Group if self.kind == "Groups" else PERSON, self.placed(wanted))
        got, wanted = plain(after), plain(known)
        names = got.keys() | wanted.keys() if whole else wanted.keys()
        found = {name: (wanted.get(name), got.get(name)) for name in names if wanted.get(name) != got.get(name)}
        return f"wanted and got: {found}" if found else None

    def forget(self) -> None:
        """Remove all that was made for the case."""
        for path in (self.path, *(f"/Users/{there}" for there in self.people.values())):
            self.wire.send("DELETE", path)


def plain(value: Any) -> Any:
    """A value without what a server adds and without blank attributes, lists in one order, members as their ids."""
    if isinstance(value, dict):
        kept = {name: plain(value[name]) for name in sorted(value) if name not in NOT_COMPARED}
        if "members" in kept:
            kept["members"] = sorted(member["value"] for member in kept["members"])
        return {name: item for name, item in kept.items() if item not in (None, [], {}, NAME)}
    if isinstance(value, list):
        return sorted((plain(item) for item in value if item != ADDRESS), key=repr)
    return value


def test_patches(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    score = Score("PATCH corpus", DEVIATIONS)
    with wires(database, "patches") as made:
        for found in corpus("patches.json")["cases"]:
            case = Case(made["patches"], found)
            score.note(found["id"], case.problem())
            case.forget()
    score.close(capsys)
