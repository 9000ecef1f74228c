"""The notebook 04_audit_provisioning as a job: it reads a real platform, writes a report, its exit code says which."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import polars as pl
import pytest
from managing import Platform as Embedded
from managing import running_platform

from scimops.attributes import CORE
from scimops.connections import Connection, save_connections
from scimops.idp import read_export
from scimops.jobs.history import runs
from scimops.plan.sources import plan_for, read_held
from scimops.platform import connect
from scimops.service_provider.database import open_database
from scimops.service_provider.directory import create_company, create_setting
from scimops.service_provider.management import fixtures
from scimops.service_provider.tables import metadata
from scimops.setting import Setting, save_setting

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "04_audit_provisioning.ipynb"
HEAD = "externalId,userName,email,firstName,lastName,department,active,createdOn\n"
SETTING = Setting.model_validate(
    {"name": "Acme", "group_settings": {"target_group": "Everyone", "criterion": {"field": "department"}}}
)
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
GROUPS = {"Sales": 12, "Legal": 3}


def row(name: str, department: str) -> str:
    address = f"{name}@example.com"
    return f"x-{address},{address},{address},Ada,{name.title()},{department},true,2026-01-05T00:00:00Z\n"


@dataclass
class Ended:
    """A run: its exit code, its `--json` and the folder of its files."""

    code: int
    told: dict[str, Any]
    files: Path


def fill(embedded: Embedded, company: str, folder: Path) -> None:
    """People of two groups, of one of whom auto-enrol is off; one who left is still there; their exports."""
    with embedded.database.write() as writing:
        token = create_setting(writing, company, SETTING).token.reveal()
    rows = []
    for department, count in GROUPS.items():
        for number in range(count):
            embedded.push(token, f"{department.lower()}{number}@example.com", department, phoneNumbers=[])
            rows.append(row(f"{department.lower()}{number}", department))
    whole = HEAD + "".join(rows)
    embedded.push(token, "leaver@example.com", "Sales")
    save_setting(SETTING, folder / "setting.yaml")
    (folder / "people.csv").write_text(whole)
    one = {"schemas": [CORE], "id": "1", "userName": "a@example.com", "emails": [{"value": "a@example.com"}]}
    page = {"schemas": [LIST], "totalResults": 9, "startIndex": 1, "itemsPerPage": 1, "Resources": [one]}
    (folder / "half.json").write_text(json.dumps(page))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with exports, a setting and a connection to a running platform."""
    place = tmp_path_factory.mktemp("audit_job")
    database = open_database(f"sqlite:///{place / 'platform.db'}")
    metadata.create_all(database.engine)
    with database.write() as writing:
        company = create_company(writing, "Example Ltd", seats=50)
    with running_platform(database) as embedded, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCIMOPS_CONFIG", str(place / "config"))
        fill(embedded, company, place)
        made = embedded.credential(company)
        patch.setenv("SCIMOPS_AUDIT_SECRET", made.secret.reveal())
        there = Connection(name="acme", kind="platform", url=embedded.url, client_id=made.client_id,
                           client_secret="env:SCIMOPS_AUDIT_SECRET", company_id=company)  # fmt: skip
        save_connections({"acme": there})
        with connect(there) as platform, database.write() as writing:
            ids = {one["name"]: one["resourceId"] for one in platform.target_groups()}
            for name in GROUPS:
                fixtures.add_enrolment(writing, company, name, [ids[name]], auto_enrol=name != "Legal")
        _, plan = plan_for(read_export(place / "people.csv"), SETTING, read_held("acme", SETTING), place)
        plan.save(place / "plan.json")
        (place / "earlier").mkdir()
        yesterday = (
            (place / "people.csv").read_text().replace(",Legal,", ",Sales,", 1).replace(row("sales0", "Sales"), "")
        )
        (place / "earlier" / "2026-11-20.csv").write_text(yesterday)
        yield place
    database.close()


def run(folder: Path, name: str, *words: str) -> Ended:
    """The notebook as a job; `words` after its name."""
    out = folder / name
    command = [sys.executable, "-m", "scimops", "run", str(NOTEBOOK), "--out", str(out), "--json", "--quiet", *words]
    environment = os.environ | {"SCIMOPS_LEDGER": str(folder / f"{name}.ndjson")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return Ended(done.returncode, json.loads(done.stdout), out / "files")


def job(folder: Path, name: str, export: str, *given: str) -> Ended:
    more = (f"export={folder / export}", f"setting={folder / 'setting.yaml'}", f"out={folder / name / 'files'}")
    return run(folder, name, *(part for pair in (*more, "connection=acme", *given)
                               for part in ("-p", *pair.split("=", 1))))  # fmt: skip


def each(folder: Path) -> Ended:
    """The same for the one company of a file of companies, where what was found makes it 3."""
    parameters = {"export": str(folder / "people.csv"), "setting": str(folder / "setting.yaml"),
                  "fail_on": "left_still_active"}  # fmt: skip
    entry = {"name": "Acme", "connection": "acme", "parameters": parameters}
    (folder / "companies.yaml").write_text(json.dumps({"format": 1, "companies": [entry]}))
    return run(folder, "each", "--each", str(folder / "companies.yaml"))


@pytest.fixture(scope="module")
def jobs(folder: Path) -> dict[int, Ended]:
    with ThreadPoolExecutor(3) as pool:
        started = {
            0: pool.submit(
                job,
                folder,
                "night",
                "people.csv",
                f"keep={folder / 'kept'}",
                f"exports={folder / 'earlier'}",
                f"applied={folder / 'plan.json'}",
            ),
            3: pool.submit(each, folder),
            5: pool.submit(job, folder, "half", "half.json"),
        }
    return {code: one.result() for code, one in started.items()}


@pytest.mark.parametrize("code", [0, 3, 5])
def test_the_exit_code_says_how_it_is(jobs: dict[int, Ended], code: int) -> None:
    assert (jobs[code].code, jobs[code].told["exit_code"]) == (code, code), jobs[code].told


def test_its_counts_are_those_of_the_platform_and_in_the_ledger(jobs: dict[int, Ended], folder: Path) -> None:
    whole = sum(GROUPS.values())
    expected = {"meant": whole, "arrived": GROUPS["Sales"], "lost": GROUPS["Legal"], "cannot_tell": 0,
                "not_due_yet": 0, "left_still_active": 1}  # fmt: skip
    assert jobs[0].told["counts"] == expected
    record = next(iter(runs(folder / "night.ndjson"))).record
    assert (record.step, record.counts) == ("audit_provisioning", expected)
    assert {Path(file.name).name for file in record.inputs} >= {"people.csv", "setting.yaml"}
    assert {Path(file.name).name for file in record.outputs} >= {"report.html", "audit.xlsx", "arrivals.parquet"}


def test_it_runs_for_each_company_with_the_same_parameters(jobs: dict[int, Ended]) -> None:
    (company,) = jobs[3].told["companies"]
    assert (company["name"], company["exit_code"], company["counts"]["lost"]) == ("Acme", 3, GROUPS["Legal"])
    assert company["counts"]["left_still_active"] == 1


def test_the_report_is_an_artefact_and_names_them(jobs: dict[int, Ended]) -> None:
    document = json.loads((jobs[0].files / "audit.json").read_text(encoding="utf-8"))
    assert document["coverage"]["lost"] == GROUPS["Legal"]
    assert "leaver@example.com" in (jobs[0].files / "report.html").read_text(encoding="utf-8")
    lost = pl.read_parquet(jobs[0].files / "coverage.parquet").filter(status="lost")
    assert set(lost["group"]) == {"Legal"}
    assert set(lost["cause"]) == {"auto_enrol_off"}
    listed = {one["path"] for one in jobs[0].told["outputs"]}
    assert {"files/report.html", "files/audit.xlsx", "files/audit.json"} <= listed
    assert not (jobs[5].files / "report.html").exists(), "half a list makes no report"


def test_the_logs_that_the_platform_shows_are_read(jobs: dict[int, Ended]) -> None:
    document = json.loads((jobs[0].files / "audit.json").read_text(encoding="utf-8"))
    assert "acme" in document["sources"]["logs"]


def test_what_is_kept_is_there_for_the_next_night(jobs: dict[int, Ended], folder: Path) -> None:
    assert jobs[0].code == 0
    assert {path.name for path in (folder / "kept").iterdir()} >= {"last_audit.json", "arrivals.parquet"}


def test_its_notebook_and_page_show_the_picture_and_name_nobody(jobs: dict[int, Ended]) -> None:
    book = nbformat.read(jobs[0].told["output"], as_version=4)
    assert "widgets" not in book.metadata
    cells = {cell.id: cell.outputs for cell in book.cells if "outputs" in cell}
    assert "image/png" in cells["picture"][0]["data"]
    assert "12 of 15 people arrived." in cells["picture"][1]["data"]["text/html"]
    assert "its auto-enrol is off" in cells["work"][0]["data"]["text/html"]
    assert "1 came = 1" in cells["drift"][0]["data"]["text/html"], (
        "who left is there, and in no row of what was applied"
    )
    over_time = [one["data"].get("text/html", "") for one in cells["trends"]]
    assert sum("image/png" in one["data"] for one in cells["trends"]) == 2, "the logs by day, the groups by export"
    assert any("Sales 12 → 12" in one or "Legal 2 → 3" in one for one in over_time)
    assert "1 came + 1 moved + 13 unchanged = 15" in over_time[-1]
    written = Path(jobs[0].told["output"]).read_text() + Path(jobs[0].told["page"]).read_text()
    assert "@example.com" not in written
