"""How flat the embedded platform is: the same requests among 100 people and among 100,000 (a group holds half of them).

Whole requests over HTTP to `scimops serve`, one after the other; medians, as ratios within one run.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import sqlalchemy as sa

from scimops.grouping import identity_key
from scimops.service_provider.attribute_places import scim_key
from scimops.service_provider.database import new_id, open_database
from scimops.service_provider.filters import folded
from scimops.service_provider.placement import now
from scimops.service_provider.tables import groups, memberships, settings, users

SETTING = "format: 1\nname: Bench\ngroup_settings: {target_group: Everyone, criterion: {idp_groups: true}}\n"
CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
ROUNDS, PORT, LIMIT = 200, 8643, 1.5


def person(name: str) -> dict[str, Any]:
    emails = [{"value": f"{name}@example.com", "type": "work", "primary": True}]
    return {"schemas": [CORE], "userName": f"{name}@example.com", "externalId": f"id-{name}", "emails": emails}


def fill(folder: Path, people: int) -> str:
    """People as rows, half of them in one group; the id of the group."""
    database, moment = open_database(f"sqlite:///{folder / 'scimops-platform.db'}"), now()
    with database.write() as connection:
        setting = connection.execute(sa.select(settings)).one()
        owner = {"company_id": setting.company_id, "setting_n": setting.n, "version": 1, "created": moment}
        owner["modified"] = moment
        rows = []
        for number in range(people):
            document = person(f"person{number}")
            name, text = document["userName"], json.dumps(document)
            rows.append(owner | {
                "id": new_id(), "external_id": document["externalId"], "user_name": name, "email": name,
                "user_name_scim": scim_key(name), "email_scim": scim_key(name), "user_name_key": identity_key(name),
                "email_key": identity_key(name), "active": True, "reason": "idp_group", "document": text,
                "folded": folded(text),
            })  # fmt: skip
        connection.execute(sa.insert(users), rows)
        group = owner | {"id": new_id(), "kind": "pushed", "name": "Half", "group_key": "half", "scim_key": "half"}
        n = connection.execute(sa.insert(groups).values(group).returning(groups.c.n)).scalar_one()
        connection.execute(sa.update(groups).values(target_n=n))
        half = sa.select(sa.literal(n), users.c.n, users.c.setting_n).order_by(users.c.n).limit(people // 2)
        connection.execute(sa.insert(memberships).from_select(["group_n", "user_n", "setting_n"], half))
    database.close()
    return str(group["id"])


def requests(client: httpx2.Client, group: str, people: int) -> dict[str, Callable[[int], httpx2.Response]]:
    made: list[str] = []

    def create(number: int) -> httpx2.Response:
        answer = client.post("/Users", json=person(f"new{number}"))
        made.append(answer.json()["id"])
        return answer

    def patch(path: str, operation: dict[str, Any]) -> httpx2.Response:
        return client.patch(path, json={"Operations": [operation]})

    return {
        "look up by userName": lambda number: client.get(
            "/Users", params={"filter": f'userName eq "PERSON{number * 7919 % people}@example.com"'}
        ),
        "create a person": create,
        "change a person": lambda number: patch(
            f"/Users/{made[number]}", {"op": "replace", "path": "title", "value": "T"}
        ),
        "add one member": lambda number: patch(
            f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": made[number]}]}
        ),
        "remove one member": lambda number: patch(
            f"/Groups/{group}", {"op": "remove", "path": f'members[value eq "{made[number]}"]'}
        ),
    }  # fmt: skip


def measure(people: int) -> dict[str, float]:
    """Median milliseconds of each request among so many people."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "setting.yaml").write_text(SETTING)
        command = [sys.executable, "-m", "scimops", "serve", "--setting", "setting.yaml", "--port", str(PORT)]
        token = ""
        for start in ("empty", "filled"):
            more = ["--credentials-file", "credentials.json"] if start == "empty" else []
            server = subprocess.Popen(
                [*command, *more], cwd=folder, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
            )
            try:
                wait()
                if start == "empty":
                    token = json.loads((folder / "credentials.json").read_text())["token"]
                    group = fill(folder, people)
                    continue
                headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"}
                with httpx2.Client(base_url=f"http://127.0.0.1:{PORT}/scim/v2", headers=headers) as client:
                    return {what: median(ask) for what, ask in requests(client, group, people).items()}
            finally:
                server.terminate()
                server.wait()
    raise AssertionError


def median(ask: Callable[[int], httpx2.Response]) -> float:
    times = []
    for number in range(ROUNDS):
        started = time.perf_counter()
        answer = ask(number)
        times.append((time.perf_counter() - started) * 1000)
        assert answer.status_code < 300, answer.text
    return statistics.median(times)


def wait() -> None:
    for _ in range(300):
        try:
            if httpx2.get(f"http://127.0.0.1:{PORT}/readyz").status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise SystemExit("scimops serve did not start")


def main() -> None:
    few, many = measure(100), measure(100_000)
    print(f"\n{'one request, median ms':24} {'100':>8} {'100,000':>8} {'ratio':>6}")
    for what, before in few.items():
        ratio = many[what] / before
        verdict = "" if ratio <= LIMIT else f"MISSED: {LIMIT}"
        print(f"{what:24} {before:8.2f} {many[what]:8.2f} {ratio:6.2f} {verdict}")


if __name__ == "__main__":
    main()
