"""Two companies with two settings: every route sees its own only; and no token is where it should not be."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from managing import ManagementClient, Platform

from scimops.service_provider import directory
from scimops.service_provider.database import Database
from scimops.service_provider.management import ACTIONS, fixtures
from scimops.service_provider.tables import audit_log, metadata
from scimops.tokens import TOKENS

SEARCH = {"pageNumber": 1, "pageSize": 1000, "orderBy": "CreateTime", "ascending": True, "filter": {}}


class World:
    """One company with everything in it; every name in it has the company's mark."""

    def __init__(self, platform: Platform, mark: str) -> None:
        with platform.database.write() as connection:
            self.company = directory.create_company(connection, f"{mark} Ltd")
        self.admin, self.mark = platform.client(self.company), mark
        call = self.admin.data
        group = call("POST", "/api/target-groups", {"name": f"{mark} hand", "priority": "Low"})["resourceId"]
        body = {"name": f"{mark} field", "ownerType": "Company", "fieldDataType": "Text"}
        field = call("POST", "/api/custom-fields", body)["resourceId"]
        made = [call("POST", "/api/scim", {"name": f"{mark} {n}", "groupBySCIMFieldResourceId": "department"})
                for n in (1, 2)]  # fmt: skip
        self.tokens = [one["token"] for one in made]
        setting = made[0]["scimops"]["resourceId"]
        person = platform.push(self.tokens[0], f"{mark}1@example.com", f"{mark} placed")
        other = platform.push(self.tokens[1], f"{mark}2@example.com", f"{mark} placed")
        body = {"email": f"{mark}3@example.com", "phoneNumber": "1", "targetGroupResourceIds": [group]}
        by_hand = call("POST", "/api/target-users", body)["resourceId"]
        with platform.database.write() as connection:
            enrolment = fixtures.add_enrolment(connection, self.company, f"{mark} training", [group])
        job = call("GET", "/api/jobs")["resourceId"]
        token = call("GET", f"/api/scim/{setting}/scimops/tokens")["scimops"]["tokens"][0]["id"]
        self.ids = {
            "scim": setting, "target-groups": group, "target-users": person, "jobs": job, "enrollments": enrolment,
            "training-reports": enrolment, "token": token,
        }  # fmt: skip
        self.own = {self.company, group, field, person, other, by_hand, enrolment, token, setting, job}

    def url(self, path: str) -> str:
        """A path with this company's ids."""
        return path.replace("{id}", self.ids.get(path.split("/")[2], "")).replace("{token}", self.ids["token"])


def body_for(path: str, world: World) -> dict[str, Any]:
    """A body that the path takes."""
    mark = world.mark
    if path.endswith(("/search", "/users")):
        return SEARCH
    return {
        "/api/scim": {"name": f"{mark} new"}, "/api/scim/{id}": {"name": f"{mark} renamed"},
        "/api/scim/{id}/scimops/tokens/rotate": {"name": f"{mark} token"},
        "/api/target-groups": {"name": f"{mark} new", "priority": "Low"},
        "/api/target-users": {"email": f"{mark}9@example.com", "phoneNumber": "1"},
        "/api/custom-fields": {"name": f"{mark} new", "ownerType": "Company", "fieldDataType": "Text"},
    }[path]  # fmt: skip


def test_every_route_sees_its_own_company_only(platform: Platform) -> None:
    one, two = World(platform, "zqone"), World(platform, "zqtwo")
    order = {"GET": 0, "POST": 1, "PUT": 2, "DELETE": 3}
    routes = sorted(
        (
            (order[method], method, path, action)
            for path, actions in ACTIONS.items()
            for method, action in actions.items()
        ),
        key=lambda route: (route[0], -route[2].count("/"), route[2]),
    )
    before = state(platform.database, two.company)
    walked = 0
    for _, method, path, action in routes:
        options = {"body": body_for(path, one)} if action.body else {}
        if "{" in path:  # the other's ids: as if they did not exist
            for url in {two.url(path), one.url(path).replace(one.ids["scim"], two.ids["scim"])} - {one.url(path)}:
                envelope = one.admin.refused(404, method, url, **options)
                assert "zqtwo" not in str(envelope)
        answer = one.admin.call(method, one.url(path), **options)
        assert answer.status_code == 200, (method, path, answer.text)
        assert "zqtwo" not in answer.text, (method, path)
        assert not [known for known in two.own if known in answer.text], (method, path)
        walked += 1
    assert walked == sum(len(actions) for actions in ACTIONS.values())
    assert state(platform.database, two.company) == before


def test_one_companys_token_of_a_setting_reaches_the_other_by_no_id(platform: Platform) -> None:
    """The id of a token is looked up below its setting, even inside one company."""
    one = World(platform, "zqone")
    second = next(s["resourceId"] for s in one.admin.search("/api/scim/search")["results"] if s["name"] == "zqone 2")
    one.admin.refused(404, "DELETE", f"/api/scim/{second}/scimops/tokens/{one.ids['token']}")
    users = one.admin.data("GET", f"/api/scim/{second}/scimops/users")["scimops"]["users"]
    assert [user["email"] for user in users] == ["zqone2@example.com"]
    lines = one.admin.data("GET", f"/api/scim/{second}/scimops/log")["scimops"]["lines"]
    assert len(lines) == 1


def state(database: Database, company: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of a company."""
    with database.read() as connection:
        return {
            table.name: sorted(
                tuple(str(value) for value in row)
                for row in connection.execute(sa.select(table).where(table.c.company_id == company))
            )
            for table in metadata.sorted_tables
            if "company_id" in table.c
        }


def test_a_token_is_in_the_answer_that_made_it_and_nowhere_else(
    platform: Platform, admin: ManagementClient, setting_factory: Callable[..., Any], tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    credential = platform.credential(None)
    access = platform.http.post("/connect/token", data=platform.form(credential)).json()["access_token"]
    made = admin.data("POST", "/api/scim", {"name": "Okta"})
    setting, shown = made["scimops"]["resourceId"], [made["token"]]
    shown.append(admin.data("POST", f"/api/scim/{setting}/scimops/tokens/rotate", {})["token"])
    shown.append(admin.data("POST", f"/api/scim/{setting}/revoke")["results"][0]["token"])
    assert len(set(shown)) == 3
    platform.push(shown[-1], "ada@example.com", "Sales")
    platform.scim(shown[0], "GET", "/Users")
    secrets = [*shown, credential.secret.reveal(), access]
    for method, path in (("GET", f"/api/scim/{setting}"), ("GET", f"/api/scim/{setting}/scimops/tokens"),
                         ("GET", f"/api/scim/{setting}/scimops/log"), ("GET", "/api/jobs")):  # fmt: skip
        admin.data(method, path)
    admin.search("/api/audit-logs/search")
    admin.search("/api/scim/search")
    found = [text for answer in admin.answers for text in TOKENS.findall(answer.text)]
    assert sorted(found) == sorted(shown)
    for secret in secrets:
        assert secret not in caplog.text
    kept = dump(platform.database) + b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"Okta" in kept
    assert not [secret for secret in secrets if secret.encode() in kept]
    assert not TOKENS.search(kept.decode("latin-1"))


def dump(database: Database) -> bytes:
    """Every value of every table."""
    with database.read() as connection:
        return repr([list(connection.execute(sa.select(table))) for table in metadata.sorted_tables]).encode()


def test_nothing_in_the_management_api_changes_the_audit_log() -> None:
    folder = Path(fixtures.__file__).parent
    written = [
        line for path in folder.rglob("*.py") for line in path.read_text("utf-8").splitlines() if "audit_log" in line
    ]
    assert [line.strip() for line in written if "insert" in line] == [
        "connection.execute(sa.insert(audit_log).values(row))"
    ]
    assert not [line for line in written if "update(" in line or "delete(" in line]
    assert audit_log.name == "audit_log"
