"""Filters of other servers, sent over HTTP to people who are as those servers' people; each filter is one check."""

from __future__ import annotations

import datetime as dt
from itertools import count
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from replaying import Score, Wire, corpus, fitting, outside, wires
from scim2_models import EnterpriseUser, SCIMException, ScimFilter, User

from scimops.service_provider.database import Database
from scimops.service_provider.tables import users
from scimops.service_provider.tolerance import normal_filter

pytestmark = outside
PERSON = User[EnterpriseUser]
_names = (f"p{number}" for number in count())

NO_ATTRIBUTE = (
    16, 20, 21, 25, 26, 30, 31, 75, 76, 80, 81, 85, 86, 90, 91, 95, 96, 100, 101, 105, 106, 110, 111, 115, 120, 121,
    160, 161, 166, 170, 171, 185, 186, 190, 191, 195, 196, 210, 220, 221, 225, 226, 230, 296, 300, 301, 435, 436,
)  # fmt: skip
NO_GRAMMAR = (165, 200, 201, 211, 235, 236, 241, 250, 251, 255, 256)
DEVIATIONS = {
    **{f"filter-{n:03}": "no schema here has that attribute: a slip of the pen is told" for n in NO_ATTRIBUTE},
    **{f"filter-{n:03}": "outside the grammar, and no identity provider is known to send it" for n in NO_GRAMMAR},
    "filter-046": "single quotes are taken for double ones: there is no other meaning",
    "filter-050": "a value without quotes is a text: Microsoft's documentation prints it",
    "filter-125": "of `schemas` those are kept that the User type has (RFC 7643 §3)",
    "filter-321": "every User has the User schema, whether the resource said so or not",
    "filter-346": "disputed in the corpus: `ne` holds of an unassigned attribute",
    "filter-350": "versions are the service provider's",
    "filter-351": "a phone number without a number is none and is not kept",
}
"""What is done otherwise than the corpus expects, and why. The attributes that other servers have and these schemas
have not are declared, and then compared, in test_filters."""


class People:
    """The people of one data set, on the embedded platform, in order.

    Who has no userName or no address gets one that no filter names, since both are required; an address that mail
    cannot reach gets a local part. Times are the data set's, written into the database: no client can send them.
    """

    def __init__(self, database: Database, wire: Wire, resources: list[dict[str, Any]]) -> None:
        self.wire, self.resources = wire, resources
        self.ids = [wire.made("/Users", sent(resource)) for resource in resources]
        with database.write() as connection:
            for resource, made in zip(resources, self.ids, strict=True):
                meta = resource.get("meta") or {}
                times = {"created": meta.get("created"), "modified": meta.get("lastModified")}
                given = {name: dt.datetime.fromisoformat(time) for name, time in times.items() if time}
                if given:
                    connection.execute(sa.update(users).where(users.c.id == made).values(given))

    def problem(self, case: dict[str, Any]) -> str | None:
        """What came out otherwise than the corpus expects of a filter."""
        query = case.get("raw_query") or f"filter={quote(case['filter'])}"
        answer = self.wire.send("GET", f"/Users?{query}&count=100")
        if case["expect"].startswith("invalid"):
            refused = answer.status_code == 400 and answer.json().get("scimType") == "invalidFilter"
            return None if refused else f"{answer.status_code}, wanted 400 invalidFilter: {answer.text[:200]}"
        if answer.status_code != 200:
            return f"{answer.status_code}: {answer.text[:200]}"
        found = {self.ids.index(person["id"]) for person in answer.json().get("Resources", ())}
        if "meta." in case["filter"]:  # every person here has times, not every one of the data set
            found = {place for place in found if self.resources[place].get("meta")}
        if "match_ids" in case:
            ids = [resource["id"] for resource in self.resources]
            wanted = {ids.index(each) for each in case["match_ids"]}
            same = found == wanted or ("may grow" in case.get("note", "") and wanted <= found)
            return None if same else f"found {found}, wanted {wanted}"
        wanted_count = case["match_count"] if "match_count" in case else int(case.get("matches", len(found)))
        return None if len(found) == wanted_count else f"found {found}, wanted {wanted_count}"


def sent(resource: dict[str, Any]) -> dict[str, Any]:
    """A person of a data set as a client sends them here."""
    name = next(_names)
    kept = {key: value for key, value in fitting(PERSON, resource).items() if value}
    emails = [dict(email) for email in kept.get("emails", ())]
    for email in emails:
        if email.get("type") == "work" and "@" not in email["value"]:
            email["value"] = f"{name}@{email['value']}"
    if not emails or "@" not in emails[0]["value"]:
        emails.insert(0, {"value": f"{name}@z.zz"})
    return {"userName": name} | kept | {"emails": emails}


def test_the_filters_of_other_servers(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    """A filter without people of its own is only asked: whether it is answered or refused."""
    found = corpus("filters.json")
    score = Score("filter corpus", DEVIATIONS)
    with wires(database, *found["datasets"]) as made:
        people = {name: People(database, made[name], data["resources"]) for name, data in found["datasets"].items()}
        for case in found["filters"]:
            score.note(case["id"], people[case.get("dataset", "abc")].problem(case))
    score.close(capsys)


def tree(text: str) -> Any:
    """The parsed form of a filter, None where it is none."""
    try:
        return str(ScimFilter(text).ast)
    except SCIMException:
        return None


def test_filters_that_were_right_stay_as_they_are() -> None:
    texts = [case["filter"] for case in corpus("filters.json")["filters"]]
    right = [text for text in texts if tree(text)]
    changed = {text for text in right if tree(normal_filter(text)) != tree(text)}
    assert changed == {'phoneNumbers[primary eq "true"]'}  # a string for a boolean becomes a boolean
    assert len(right) > 100
