"""What is measured: as many creates sent by `scimops.apply`, or by a bare load generator.

`python -m bench.apply_subject apply|bare URL FOLDER PEOPLE`, where a service provider is that holds nobody. Both make
the plan, and send its bodies over as many connections; the load generator keeps no journal and no receipts, looks at
nothing but the status, and has its bodies ready as bytes.
"""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2

from scimops import preview_export, read_export
from scimops.apply import apply
from scimops.apply.resources import with_fields
from scimops.client import ServiceProvider, connect
from scimops.client.brake import MOST
from scimops.client.session import SCIM
from scimops.connections import Connection
from scimops.plan import Plan, make_plan
from scimops.setting import Setting

TOKEN = "SCIMOPS_BENCH_TOKEN"  # a name
DEPARTMENTS = 40
SETTING = Setting.model_validate(
    {"name": "Bench", "group_settings": {"target_group": "Everyone", "criterion": {"field": "department"}}}
)


def planned(service_provider: ServiceProvider, folder: Path, people: int) -> Plan:
    """The plan of so many people who are not there yet."""
    export = folder / "people.csv"
    rows = (f"id-{n},p{n}@example.com,p{n}@example.com,Person{n},Sample,Department {n % DEPARTMENTS}"
            for n in range(people))  # fmt: skip
    export.write_text("\n".join(["externalId,userName,email,firstName,lastName,department", *rows, ""]))
    preview = preview_export(read_export(export), SETTING, channel="apply")
    plan = make_plan(preview, service_provider.read_snapshot(SETTING))
    assert plan.counts == {"create": people, "withheld": 0}, plan.counts
    return plan


def bare(plan: Plan, url: str) -> dict[str, float]:
    """Send the bodies of the plan; the seconds it takes."""
    values = [json.loads(after) for after in plan.operations["after"]]
    bodies = [json.dumps(with_fields({}, one, SETTING), ensure_ascii=False).encode() for one in values]
    headers = {"Authorization": f"Bearer {os.environ[TOKEN]}", "Content-Type": SCIM, "Accept": SCIM}
    limits = httpx2.Limits(max_connections=MOST)
    with (
        httpx2.Client(headers=headers, limits=limits, timeout=120, trust_env=False) as client,
        ThreadPoolExecutor(MOST) as pool,
    ):
        began = time.perf_counter()
        statuses = set(pool.map(lambda body: client.post(f"{url}/Users", content=body).status_code, bodies))
        seconds = time.perf_counter() - began
    assert statuses == {201}, statuses
    return {"sent": seconds, "whole": seconds}


def applied(plan: Plan, service_provider: ServiceProvider, folder: Path) -> dict[str, float]:
    """Apply the plan; the seconds until the last step was done, and until the check against a fresh snapshot was."""
    sent = [0.0]
    began = time.perf_counter()
    receipts = apply(
        plan, service_provider, folder / "applied", on_progress=lambda _: sent.append(time.perf_counter() - began)
    )
    whole = time.perf_counter() - began
    assert (receipts.exit_code, receipts.counts["done"]) == (0, plan.operations.height), receipts
    return {"sent": sent[-1], "whole": whole}


def main(way: str, url: str, folder: Path, people: int) -> None:
    to = Connection(name="bench", kind="scim", url=url, token=f"env:{TOKEN}", timeout=120.0)
    with connect(to) as service_provider:
        plan = planned(service_provider, folder, people)
        said = bare(plan, url) if way == "bare" else applied(plan, service_provider, folder)
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
