"""The promise: people pushed over the wire land exactly where the preview of the same export said.

Each identity provider's people go in its own request forms, in random order, over eight connections. People who clash
over a userName or an e-mail address: exactly one of them is there, whoever came first.
"""

from __future__ import annotations

import json
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from scimops.attributes import ENTERPRISE
from scimops.grouping import REJECTED, identity_key
from scimops.idp import read_export
from scimops.preview import Preview, preview_export
from scimops.samples import write_sample
from scimops.service_provider.database import Database
from scimops.service_provider.tables import groups, memberships, provisioning_log, users
from scimops.setting import Setting
from tests.service_provider.serving import new_subject, served

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
SHAPES = {
    "entra": "entra_graph_users",
    "okta": "okta_users_api",
    "onelogin": "onelogin_users_api",
    "jumpcloud": "jumpcloud_systemusers_api",
}
SETTING = {
    "name": "Journey",
    "group_settings": {
        "target_group": "Everyone", "criterion": {"field": "department"},
        "aliases": {"R&D": "Engineering", "Research": "Engineering"},
    },
}  # fmt: skip


def body_of(row: dict[str, Any]) -> dict[str, Any]:
    """A person as a SCIM resource: what any identity provider makes of them."""
    body: dict[str, Any] = {"schemas": [CORE, ENTERPRISE], "userName": row["userName"] or ""}
    body["active"] = row["active"] is not False
    if row["externalId"]:
        body["externalId"] = row["externalId"]
    body["emails"] = [{"type": "work", "primary": True, "value": row["email"]}] if row["email"] else []
    body["name"] = {"givenName": row["firstName"] or "", "familyName": row["lastName"] or ""}
    if row["department"] is not None:
        body[ENTERPRISE] = {"department": row["department"]}
    return body


def push(client: httpx2.Client, idp: str, row: dict[str, Any]) -> int:
    """One person in the identity provider's own requests; the status that decides."""
    body = body_of(row)
    if idp in ("entra", "okta"):
        name = str(body["userName"]).replace("\\", "\\\\").replace('"', '\\"')
        found = client.get("/Users", params={"filter": f'userName eq "{name}"'})
        if found.status_code == 200 and found.json()["totalResults"]:
            return 409  # taken: this identity provider would have matched somebody else's account
    if idp == "entra":  # active is text, a change follows the creation
        made = client.post("/Users", json=body | {"active": str(body["active"]), "roles": []})
        if made.status_code == 201:
            operations = [
                {"op": "Add", "path": 'emails[type eq "work"].value', "value": row["email"]},
                {"op": "Replace", "path": f"{ENTERPRISE}:department", "value": row["department"]},
            ]
            change = {"schemas": [PATCH], "Operations": operations}
            changed = client.patch(f"/Users/{made.json()['id']}", json=change)
            assert changed.status_code in (200, 204), changed.text
        return made.status_code
    if idp == "okta":
        body |= {"groups": [], "password": "synthetic-Passw0rd", "locale": "en-US"}
    if idp == "onelogin":
        body |= {"id": None, "schemas": [CORE]}
        body.setdefault(ENTERPRISE, {})["manager"] = ""
    made = client.post("/Users", json=body)
    if made.status_code == 201 and idp == "jumpcloud":
        made = client.put(f"/Users/{made.json()['id']}", json=body | {"groups": []})
        assert made.status_code == 200, made.text
        return 201
    return made.status_code


@pytest.mark.parametrize("size", [500, pytest.param(20_000, marks=[pytest.mark.long, pytest.mark.timeout(3600)])])
@pytest.mark.parametrize("idp", SHAPES)
def test_each_person_lands_where_the_preview_said(idp: str, size: int, database: Database, tmp_path: Path) -> None:
    export = read_export(write_sample(tmp_path / "export.json", SHAPES[idp], size, seed=7))
    preview = preview_export(export, Setting.model_validate(SETTING))
    people = preview.assignments.filter(preview.assignments["reason"] != "rejected_unreadable").to_dicts()
    subject = new_subject(database, preview.setting)
    random.Random(7).shuffle(people)
    with served(database, subject) as client, ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda row: push(client, idp, row), people))
    assert set(statuses) <= {201, 400, 409}
    clashes = compare(preview, people, statuses, where_they_are(database))
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(preview.reasons.items()))
    print(f"{idp}: {export.rows} people: {reasons}; {moves(database)} moves, {clashes} in clashes")  # noqa: T201


def where_they_are(database: Database) -> dict[str, tuple[str, str | None]]:
    """From each userName's key to the reason and the key of the group the person is in."""
    shown = memberships.join(groups, groups.c.n == memberships.c.group_n)
    member = sa.select(memberships.c.user_n, groups.c.group_key).select_from(shown).subquery()
    query = sa.select(users.c.user_name_key, users.c.reason, users.c.active, member.c.group_key)
    query = query.select_from(users.outerjoin(member, member.c.user_n == users.c.n))
    with database.read() as connection:
        return {name: (reason, key if active else None) for name, reason, active, key in connection.execute(query)}


def moves(database: Database) -> int:
    """How many changes of a person's group the provisioning log tells."""
    with database.read() as connection:
        lines = connection.scalars(sa.select(provisioning_log.c.moves).where(provisioning_log.c.moves.is_not(None)))
        return sum(len(json.loads(line)) for line in lines)


def compare(
    preview: Preview, people: list[dict[str, Any]], statuses: list[int], landed: dict[str, tuple[str, str | None]]
) -> int:
    """How many people clash, after everybody was found where the preview said."""
    lost = []
    for row, status in zip(people, statuses, strict=True):
        key = identity_key(row["userName"] or "")
        if row["reason"] == "rejected_duplicate":
            lost.append((key, identity_key(row["email"]), status))
        elif row["reason"] in REJECTED:
            assert status == 400, row
        else:
            assert status == 201, row
            assert landed[key] == (row["reason"], row["group_key"]), row
    assert sum(preview.reasons.values()) == preview.export.rows
    assert len(landed) == statuses.count(201)
    assert lost, "the sample has people who clash"
    for name, email, _ in lost:
        rivals = [status for other, address, status in lost if other == name or address == email]
        assert sorted(rivals) == [201] + [409] * (len(rivals) - 1)
    return len(lost)
