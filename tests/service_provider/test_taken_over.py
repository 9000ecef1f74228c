"""A new setting brings people who are the company's own: left by a deleted setting, or made by hand (rule 11)."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from serving import new_company, new_subject, served

from scimops.attributes import CORE, ENTERPRISE
from scimops.service_provider.database import Database, new_id
from scimops.service_provider.directory import Subject, delete_setting
from scimops.service_provider.placement import now
from scimops.service_provider.tables import enrolled, enrolments, groups, memberships, provisioning_log, users
from scimops.setting import Setting, quick_setting

GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"


def person(name: str, department: str | None, **more: Any) -> dict[str, Any]:
    emails = [{"type": "work", "value": f"{name}@example.com", "primary": True}]
    user = {"schemas": [CORE, ENTERPRISE], "userName": f"{name}@example.com", "emails": emails}
    return user | {ENTERPRISE: {"department": department}} | more


def by_department(name: str) -> Setting:
    return quick_setting("department", "Everyone", name)


def one_after_the_other(database: Database, first: Setting, second: Setting, person: dict[str, Any]) -> Subject:
    """A person whom `first` brought, whose setting is deleted; gives the second setting."""
    company = new_company(database)
    old = new_subject(database, first, company)
    with served(database, old) as client:
        assert client.post("/Users", json=person).status_code == 201
    with database.write() as connection:
        delete_setting(connection, company, old.setting_id)
    return new_subject(database, second, company)


def groups_of(database: Database) -> list[str]:
    """The groups that anybody is in, as the database has them."""
    with database.read() as connection:
        query = sa.select(groups.c.name).join(memberships, memberships.c.group_n == groups.c.n)
        return sorted(connection.scalars(query))


def posted(client: httpx2.Client, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post("/Users", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_people_of_a_deleted_setting_are_taken_over(database: Database) -> None:
    """With another externalId, which counts for the setting that brought it alone; nobody is in two groups."""
    second = one_after_the_other(
        database, by_department("Old"), by_department("New"), person("anna", "Sales", externalId="asmith")
    )
    with database.read() as connection:
        before = connection.execute(sa.select(users)).one()
    with served(database, second) as client:
        anna = posted(client, person("anna", "Research", externalId="3f2b"))
        assert client.get(f"/Users/{anna['id']}").json()["groups"][0]["display"] == "Research"
        assert client.post("/Users", json=person("anna", "Research")).status_code == 409  # there is one Anna
    with database.read() as connection:
        after = connection.execute(sa.select(users)).one()
        line = connection.execute(
            sa.select(provisioning_log).where(provisioning_log.c.setting_n == second.setting_n)
        ).first()
    assert (after.id, after.created, after.version) == (before.id, before.created, before.version + 1)
    assert anna["externalId"] == after.external_id == "3f2b"
    assert groups_of(database) == ["Research"]
    assert line is not None
    assert json.loads(line.moves)[0] | {"before": "Sales", "after": "Research"} == json.loads(line.moves)[0]
    assert {"attribute": "externalId", "old": "asmith", "new": "3f2b"} in json.loads(line.changes)


def test_nobody_is_enrolled_twice(database: Database) -> None:
    """What a person was enrolled in stays theirs."""
    second = one_after_the_other(database, by_department("Old"), by_department("New"), person("anna", "Sales"))
    with database.write() as connection:
        enrolment = {"id": new_id(), "company_id": second.company_id, "name": "E", "auto_enrol": True, "created": now()}
        connection.execute(sa.insert(enrolments).values(enrolment | {"document": "{}"}))
        n = connection.scalar(sa.select(users.c.n))
        connection.execute(sa.insert(enrolled).values(enrolment_id=enrolment["id"], user_n=n, status="Completed"))
    with served(database, second) as client:
        posted(client, person("anna", "Sales"))
    with database.read() as connection:
        assert connection.execute(sa.select(enrolled.c.user_n, enrolled.c.status)).all() == [(n, "Completed")]


def test_the_identity_providers_groups_say_anew_who_is_in_them(database: Database) -> None:
    mirror = quick_setting("idp-groups", "Everyone", "Mirror")
    second = one_after_the_other(database, by_department("Old"), mirror, person("anna", "Sales"))
    with served(database, second) as client:
        anna = posted(client, person("anna", "Sales"))
        assert groups_of(database) == ["Everyone"]
        body = {"schemas": [GROUP], "displayName": "Legal", "members": [{"value": anna["id"]}]}
        assert client.post("/Groups", json=body).status_code == 201
    assert groups_of(database) == ["Legal"]


@pytest.mark.parametrize(("address", "status"), [("anna@example.com", 201), ("other@example.com", 409)])
def test_who_was_made_by_hand_is_matched_by_address(database: Database, address: str, status: int) -> None:
    """They have no userName; what they joined by hand stays theirs. Another's address stays another's."""
    second = one_after_the_other(database, by_department("Old"), by_department("New"), person("other", None))
    with database.write() as connection:
        columns = {"company_id": second.company_id, "version": 1, "created": now(), "modified": now()}
        hand = {"email": "anna@example.com", "email_scim": "anna@example.com", "email_key": "anna@example.com"}
        row = columns | hand | {"id": new_id(), "active": True, "reason": "ungrouped", "document": "{}", "folded": "{}"}
        user_n = connection.scalar(sa.insert(users).values(row).returning(users.c.n))
        group = columns | {"id": new_id(), "kind": "manual", "name": "Pilot", "group_key": "pilot", "scim_key": "pilot"}
        group_n = connection.scalar(sa.insert(groups).values(group).returning(groups.c.n))
        connection.execute(sa.update(groups).where(groups.c.n == group_n).values(target_n=group_n))
        connection.execute(sa.insert(memberships).values(group_n=group_n, user_n=user_n))
    body = person("anna", "Sales") | {"emails": [{"type": "work", "value": address}]}
    with served(database, second) as client:
        answer = client.post("/Users", json=body)
        assert answer.status_code == status, answer.text
    if status == 201:
        assert answer.json()["id"] == row["id"]
        assert groups_of(database) == ["Everyone", "Pilot", "Sales"]  # the other one still has Everyone
    else:
        assert "other@" not in answer.text


def test_people_of_a_living_setting_are_not_taken(database: Database) -> None:
    company = new_company(database)
    first, second = (new_subject(database, by_department(name), company) for name in ("One", "Two"))
    with served(database, first, second) as client:
        posted(client, person("anna", "Sales"))
        headers = {"Authorization": f"Bearer {second.setting_id}"}
        answer = client.post("/Users", json=person("anna", "Ops"), headers=headers)
        assert (answer.status_code, answer.json()["scimType"]) == (409, "uniqueness")
    assert groups_of(database) == ["Sales"]
