"""The order in which Entra ID, Okta, OneLogin and JumpCloud send what they send, over HTTP; each step is one check.

A step has its body from the corpus, or from the case of Microsoft's documentation that it names. Where the corpus has
none, the step sends the plainest one: a person, a group, the person as they were read, one member more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from replaying import Score, Wire, at, body_of, corpus, outside, status_problem, wires
from test_placement import GROUP, person

from scimops.service_provider.database import Database

pytestmark = outside

Effect = Callable[["Cycle", Any], bool]
Body = Callable[["Cycle"], dict[str, Any]]


class Cycle:
    """One identity provider at work: what it has made, and what stands in the place of the ids in its requests."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.boss, self.bystander = (wire.made("/Users", person(name)) for name in ("boss", "bystander"))
        self.names = {
            "random guid": "none",
            "upn": "new@example.com",
            "email": "new@example.com",
            "name": "displayName",
        }
        self.gone: set[str] = set()

    # -- What is there ---------------------------------------------------------------------

    def ready(self, name: str, method: str) -> str:
        """The id of the person or group that a step is about; made first where no step made one."""
        if name not in self.names or (name in self.gone and method in ("PUT", "PATCH")):
            self.gone.discard(name)
            if name == "id":
                self.names[name] = self.wire.made("/Users", person("new"))
            else:
                self.names[name] = self.wire.made("/Groups", {"schemas": [GROUP], "displayName": "Made"})
                self.stand_by()
        return self.names[name]

    def stand_by(self) -> None:
        """Another member of the group: whom no step is about must stay in it."""
        body = members("add", self.bystander)
        assert self.wire.send("PATCH", f"/Groups/{self.names['gid']}", body).is_success

    def read(self, path: str) -> Any:
        return body_of(self.wire.send("GET", path))

    def user(self) -> Any:
        return self.read(f"/Users/{self.names['id']}")

    def members(self) -> set[str]:
        group = self.read(f"/Groups/{self.names['gid']}")
        return {member["value"] for member in group.get("members", ())}

    # -- Sending ---------------------------------------------------------------------------------

    def step(self, step: dict[str, Any], forms: dict[str, Any], own: Body | None, effect: Effect | None) -> str | None:
        """Send one step: what came out otherwise than expected. `own`: the body, where the corpus only describes it."""
        request = step["request"]
        method, url = request["method"], self.placed(request["url"].rstrip("?"), request["method"])
        body = request.get("body") or forms.get(step.get("body_from_case"))
        body = body or (own(self) if own else self.plain(method, url))
        answer = self.wire.send(method, url, self.placed(json.dumps(body), method) if body else None)
        self.remember(method, url, answer)
        problem = status_problem(answer, step["expected"]["status"])
        if not problem and effect and not effect(self, answer):
            problem = f"without the effect: {answer.text[:200]}"
        return problem

    def placed(self, text: str, method: str) -> str:
        """`text` with what is there in the place of `{id}`, `{gid}`, … and of the ids of Microsoft's documentation."""
        for name in set(re.findall(r"\{(id|gid)\}", text)):
            self.ready(name, method)
        for name, value in {**self.names, "old": self.bystander}.items():
            text = text.replace(f"{{{name}}}", value)
        theirs = self.boss if '"manager"' in text else self.names.get("id", "")
        return re.sub(r'("value": )"[0-9a-f]{8}[0-9a-f-]*"', rf'\1"{theirs}"', text)

    def plain(self, method: str, url: str) -> Any:
        """The body of a step for which the corpus has none."""
        kind = "Groups" if "/Groups" in url else "Users"
        if method == "POST":
            return person("new") if kind == "Users" else {"schemas": [GROUP], "displayName": "Made", "members": []}
        if method == "PUT":
            return self.user() | {"title": "Engineer"}
        return members("add", self.names["id"]) if method == "PATCH" else None

    def remember(self, method: str, url: str, answer: Any) -> None:
        name = "gid" if "/Groups" in url else "id"
        if method == "DELETE":
            self.gone.add(name)
        elif method == "POST" and answer.status_code == 201:
            made = answer.json()
            self.gone.discard(name)
            self.names[name] = made["id"]
            if name == "gid":
                self.stand_by()
            else:
                self.names |= {"upn": made["userName"], "email": made["emails"][0]["value"]}


def members(op: str, user: str) -> dict[str, Any]:
    return {"Operations": [{"op": op, "path": "members", "value": [{"value": user}]}]}


# -- What the corpus says in words ---------------------------------------------------------------------


def finds(most: int) -> Effect:
    """At most so many are found."""
    return lambda cycle, answer: answer.json()["totalResults"] <= most


def holds(path: str, value: Any) -> Effect:
    """The person is like this afterwards."""
    return lambda cycle, answer: at(cycle.user(), path) == value


def has_members(user: bool, bystander: bool) -> Effect:
    """Who is in the group afterwards, and nobody else."""
    return lambda cycle, answer: cycle.members() == {
        *([cycle.names["id"]] if user else []), *([cycle.bystander] if bystander else []),
    }  # fmt: skip


def returned(cycle: Cycle, answer: Any) -> bool:
    """The new person is in the answer, with an id."""
    return bool(answer.json()["id"] and answer.json()["userName"])


MANAGER = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ENTRA, OKTA, ONELOGIN, JUMPCLOUD = (
    "entra-initial-cycle", "okta-oin-cycle", "onelogin-cycle", "jumpcloud-activation-and-cycle",
)  # fmt: skip
EFFECTS: dict[tuple[str, int], Effect] = {
    (ENTRA, 0): finds(0), (ENTRA, 1): finds(0), (ENTRA, 2): returned, (ENTRA, 3): finds(1),
    (ENTRA, 5): has_members(user=True, bystander=True),
    (ENTRA, 6): lambda cycle, answer: cycle.user()[MANAGER]["manager"]["value"] == cycle.boss,
    (ENTRA, 9): holds("active", False),
    (ENTRA, 10): lambda cycle, answer: [one["active"] for one in answer.json()["Resources"]] == [False],
    (ENTRA, 11): holds("active", True), (ENTRA, 12): has_members(user=False, bystander=True),
    (OKTA, 1): finds(0), (OKTA, 2): returned,
    (OKTA, 4): lambda cycle, answer: answer.json()["id"] == cycle.names["id"] and answer.json()["title"] == "Engineer",
    (OKTA, 5): finds(1), (OKTA, 8): has_members(user=True, bystander=False),
    (OKTA, 9): has_members(user=True, bystander=False),
    (OKTA, 11): lambda cycle, answer: answer.json().get("Resources", []) == [],
    (OKTA, 12): holds("active", False), (OKTA, 13): holds("active", True),
    ("okta-aiw-cycle", 1): holds("active", False),
    (ONELOGIN, 0): finds(0), (ONELOGIN, 1): returned, (ONELOGIN, 6): has_members(user=True, bystander=True),
    (JUMPCLOUD, 9): has_members(user=True, bystander=True), (JUMPCLOUD, 10): has_members(user=False, bystander=True),
    (JUMPCLOUD, 11): lambda cycle, answer: cycle.user()["active"] is False and bool(cycle.user()["emails"]),
}  # fmt: skip
BODIES: dict[tuple[str, int], Body] = {
    (OKTA, 4): lambda cycle: cycle.user() | {"title": "Engineer", "groups": []},
    ("okta-aiw-cycle", 1): lambda cycle: cycle.user() | {"active": False},
    (JUMPCLOUD, 10): lambda cycle: members("remove", cycle.names["id"]),
    (JUMPCLOUD, 11): lambda cycle: cycle.user() | {"emails": None, "active": False},
}
"""The effects and bodies that the corpus has as words, by the sequence and the number of the step."""


def test_the_sequences_of_the_identity_providers(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    forms = {case["id"]: case["request"]["body"] for case in corpus("requests/entra_mslearn_forms.json")["cases"]}
    score = Score("sequences of identity providers", {})
    sequences = corpus("requests/idp_sequences.json")["sequences"]
    seen = set()
    with wires(database, *(sequence["id"] for sequence in sequences)) as made:
        for sequence in sequences:
            cycle = Cycle(made[sequence["id"]])
            for number, step in enumerate(sequence["steps"]):
                key = (sequence["id"], number)
                seen.add(key)
                problem = cycle.step(step, forms, BODIES.get(key), EFFECTS.get(key))
                score.note(f"{sequence['id']}-{number:02}", problem)
    assert {*EFFECTS, *BODIES} <= seen
    score.close(capsys)
