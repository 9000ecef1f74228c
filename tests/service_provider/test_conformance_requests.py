"""What Okta and Microsoft test a service provider with, sent over HTTP; each step is one check.

Okta: the SPEC and the CRUD test of its integration network. Microsoft: the forms in its documentation, and the Postman
collection of SCIMReferenceCode.
"""

from __future__ import annotations

import json
import re
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from replaying import (
    Score,
    Wire,
    at,
    body_of,
    corpus,
    filled_in,
    outside,
    postman_captures,
    postman_problem,
    runscope_problem,
    status_problem,
    wires,
)
from test_placement import GROUP, person

from scimops.service_provider.database import Database

pytestmark = outside
_names = (f"p{number}" for number in count())


def cases(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = corpus(f"requests/{name}.json")["cases"]
    return found


# -- Okta -----------------------------------------------------------------------------------------


def runscope(wire: Wire, case: dict[str, Any], variables: dict[str, str]) -> str | None:
    """Send one step; what it captures is there for the next ones."""
    request = filled_in(case["request"], variables)
    headers = {name: value if isinstance(value, str) else value[0] for name, value in request["headers"].items()}
    answer = wire.send(request["method"], request["url"], request["body"], headers)
    for capture in case["captures"]:
        value = at(body_of(answer), capture["property"]) if capture["name"] else None
        variables |= {capture["name"]: value} if isinstance(value, str) else {}
    return runscope_problem(case, answer, variables)


def test_oktas_spec_test(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    score = Score("Okta's SPEC test", {})
    with wires(database, "okta") as made:
        wire = made["okta"]
        there = person(next(_names)) | {"name": {"givenName": "Ada", "familyName": "There"}}
        wire.made("/Users", there)  # the test asks for one who is there before it
        email = "Runscope123Abcdefghi456@atko.com.example"
        variables = {
            "SCIMBaseURL": "", "auth": f"Bearer {wire.token}", "randomGivenName": "Runscope123",
            "randomFamilyName": "Abcdefghi456", "randomEmail": email, "randomUsername": email,
            "randomUsernameCaps": email.upper(), "InvalidUserEmail": "abcdefgh@atko.com.example",
            "UserIdThatDoesNotExist": "010101001010101011001010101011",
        }  # fmt: skip
        for case in cases("okta_spec_test_20"):
            score.note(case["id"], runscope(wire, case, variables))
    score.close(capsys)


class Okta:
    """Okta's part in its CRUD test: what its own API is asked to do, it does over SCIM, as its documentation says."""

    def __init__(self, wire: Wire, variables: dict[str, str]) -> None:
        self.wire, self.variables = wire, variables

    def does(self, request: dict[str, Any]) -> None:
        """One step that the test sends to Okta."""
        path, body = request["url"].partition("/api/v1/")[2], request["body"] or {}
        if request["method"] == "POST" and re.fullmatch(r"apps/[^/]+/users", path):
            self.assign(body["profile"])
        elif request["method"] == "PUT":
            self.update(name={"givenName": body["profile"]["firstName"], "familyName": body["profile"]["lastName"]})
        elif path.endswith("lifecycle/deactivate") or request["method"] == "DELETE":
            self.patch(active=False)

    def found(self) -> dict[str, Any] | None:
        answer = self.wire.send("GET", f'/Users?filter=userName eq "{self.variables["okta_user_email"]}"')
        people: list[dict[str, Any]] = answer.json()["Resources"]
        return people[0] if people else None

    def assign(self, profile: dict[str, Any]) -> None:
        name = {"givenName": profile["givenName"], "familyName": profile["familyName"]}
        if self.found():
            self.update(name=name, active=True)
            return
        emails = [{"primary": True, "value": profile["email"], "type": profile["emailType"]}]
        self.wire.made("/Users", {"userName": profile["email"], "name": name, "emails": emails, "active": True})

    def update(self, **changes: Any) -> None:
        there = self.found() or {}
        assert self.wire.send("PUT", f"/Users/{there['id']}", there | changes).status_code == 200

    def patch(self, **value: Any) -> None:
        body = {"Operations": [{"op": "replace", "value": value}]}
        assert self.wire.send("PATCH", f"/Users/{(self.found() or {})['id']}", body).is_success


def test_oktas_crud_test(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    """The steps that look at the service provider are the checks; those before them are played by :class:`Okta`."""
    score = Score("Okta's CRUD test", {})
    first, last, email = "Runscope123", "Abcdefghi456", "Runscope123Abcdefghi456@atko.com.example"
    with wires(database, "okta") as made:
        wire = made["okta"]
        variables = {
            "SCIMUrl": "", "SCIMAuth": f"Bearer {wire.token}", "okta_user_firstname": first, "okta_user_email": email,
            "okta_user_lastname": last, "okta_user_firstname_update": f"{first}update",
        }  # fmt: skip
        okta = Okta(wire, variables)
        for case in cases("okta_crud_test_20"):
            if "{{oktaOrgUrl}}" in case["request"]["url"]:
                okta.does(filled_in(case["request"], variables))
            else:
                score.note(case["id"], runscope(wire, case, variables))
    score.close(capsys)


# -- Microsoft ---------------------------------------------------------------------------------------


def form(wire: Wire, request: dict[str, Any], unknown: bool) -> Any:
    """One documented form, with the ids of people and a group that are there in the place of the documented ones."""
    user, member = (wire.made("/Users", person(next(_names))) for _ in range(2))
    group = {"schemas": [GROUP], "displayName": next(_names), "members": [{"value": member}]}
    url, group_id = request["url"], wire.made("/Groups", group)
    if not unknown:
        url = re.sub(r"/Users/[^/?]+", f"/Users/{user}", url)
        url = re.sub(r"/Groups/[^/?]+", f"/Groups/{group_id}", url)
    text = json.dumps(request["body"]) if request["body"] is not None else None
    if text and "members" in text:
        text = re.sub(r'("value": )"[0-9a-f-]{8,}"', rf'\1"{member}"', text)
        text = re.sub(r'members\[value eq \\"[^"\\]*\\"\]', rf'members[value eq \\"{member}\\"]', text)
    return wire.send(request["method"], url, text)


def test_the_forms_of_microsofts_documentation(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    score = Score("Microsoft's documentation", {})
    with wires(database, "entra") as made:
        for case in cases("entra_mslearn_forms"):
            wanted = case["expected"]["status"]
            score.note(case["id"], status_problem(form(made["entra"], case["request"], wanted == 404), wanted))
    score.close(capsys)


ALWAYS = {
    "003": "the path is /ServiceProviderConfig (RFC 7644 §4); this one is the reference code's own",
    "028": "how a member is called is not the client's to say: RFC 7643 §4.2 gives a member no display name",
    "065": "a member is a person who is there, and this id is nobody's",
    "066": "as 065",
    "077": "the setting's target group stays when it is empty: trainings hang on it",
}
AS_WRITTEN = {
    "019": "two people with one address: 409, or they would overwrite each other",
    "023": "a member is the person who was refused in 019",
    "032": "removes the person who was refused in 019",
    "036": "a person needs an address that mail can reach",
    "038": "looks for the person who was refused in 036",
    "039": "as 038",
    "040": "removes the person who was refused in 036",
    "043": "five people with one externalId: they are one person, the others are answered 409",
    "044": "counts the person who was refused in 043",
    "045": "as 043",
    "046": "as 043",
    "053": "as 043",
    "058": "counts the people who were refused in 043 to 053",
    "059": "as 058",
    "061": "finds the people who were refused in 043 to 053",
    "063": "as 058",
    "071": "removes the person who was refused in 043",
    "072": "removes the person who was refused in 045",
    "073": "removes the person who was refused in 046",
    "074": "removes the person who was refused in 053",
}
"""What the collection expects and is not done, by the end of a step's id."""


@pytest.mark.parametrize("own", [False, True], ids=["as written", "own identifiers"])
def test_microsofts_postman_collection(database: Database, capsys: pytest.CaptureFixture[str], own: bool) -> None:
    """Once as it is written; once with an address and an externalId of its own for each person, since it gives five
    people the same ones."""
    deviations = ALWAYS | ({} if own else AS_WRITTEN)
    prefix = "entra_scimreferencecode_postman"
    name = f"Microsoft's Postman collection, {'own identifiers' if own else 'as written'}"
    score = Score(name, {f"{prefix}-{step}": reason for step, reason in deviations.items()})
    with wires(database, "entra") as made:
        variables: dict[str, str] = {}
        for case in cases(prefix):
            score.note(case["id"], postman(made["entra"], case, variables, own))
    score.close(capsys)


def postman(wire: Wire, case: dict[str, Any], variables: dict[str, str], own: bool) -> str | None:
    """Send one step and hold its tests against the answer; what it keeps is there for the next ones."""
    request = filled_in(case["request"], variables)
    body = request["body"]
    if isinstance(body, dict) and (own or body.get("externalId") == "${__UUID}"):
        body["externalId"] = str(uuid4())
        for email in body.get("emails", ()) if own else ():
            local, _, domain = email["value"].partition("@")
            email["value"] = f"{next(_names)}.{local}@{domain or 'example.com'}"
    named = re.search(r"\{\{(\w+)\}\}", case["request"]["url"])
    own_id = variables.get(named[1] if named else "id1", "")
    answer = wire.send(request["method"], request["url"], body, request["headers"])
    postman_captures(case, answer, variables)
    return postman_problem(case, answer, own_id)
