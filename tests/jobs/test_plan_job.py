"""The notebook 03_plan_and_apply as a job: it plans, applies what is allowed, and its exit code says which."""

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
import pytest
from managing import running_platform

from scimops.apply import apply, load_receipts
from scimops.client import ServiceProvider, connect
from scimops.connections import Connection
from scimops.idp import read_export
from scimops.plan import load_plan, make_plan
from scimops.preview import preview_export
from scimops.service_provider.database import open_database
from scimops.service_provider.directory import create_company, create_setting
from scimops.service_provider.tables import metadata
from scimops.setting import Setting, save_setting

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "03_plan_and_apply.ipynb"
HEAD = "externalId,userName,email,firstName,lastName,department,active\n"
SETTING = Setting.model_validate(
    {"name": "Acme", "group_settings": {"target_group": "Everyone", "criterion": {"field": "department"}},
     "safeguards": {"deactivate": {"number": 2}}}
)  # fmt: skip
CODES = {0: "nothing to do", 3: "changes that were not applied", 4: "something is withheld", 5: "half a list"}


def row(number: int, department: str = "Sales") -> str:
    name = f"person{number}@example.com"
    return f"x{number},{name},{name},Anna,Sample,{department},true\n"


@dataclass
class Ended:
    """A run: its exit code, its `--json`, what its notebook and page hold."""

    code: int
    told: dict[str, Any]
    out: Path


def job(folder: Path, code: int, *given: str) -> Ended:
    out = folder / f"{code}"
    words = [part for pair in (f"out={out}", f"setting={folder / 'setting.yaml'}", *given)
             for part in ("-p", *pair.split("=", 1))]  # fmt: skip
    command = [sys.executable, "-m", "scimops", "run", str(NOTEBOOK), "--out", str(out), "--json", "--quiet", *words]
    environment = os.environ | {"SCIMOPS_LEDGER": str(folder / f"{code}.ndjson"), "SCIMOPS_CONFIG": str(folder)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return Ended(done.returncode, json.loads(done.stdout), out)


@pytest.fixture(scope="module")
def service_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServiceProvider, Path]]:
    """One that holds thirty people, and the folder with its connection, exports and a snapshot of it."""
    folder = tmp_path_factory.mktemp("plan_job")
    database = open_database(f"sqlite:///{folder / 'platform.db'}")
    metadata.create_all(database.engine)
    with database.write() as writing:
        token = create_setting(writing, create_company(writing, "Example Ltd", seats=50), SETTING).token.reveal()
    save_setting(SETTING, folder / "setting.yaml")
    (folder / "before.csv").write_text(HEAD + "".join(row(number) for number in range(30)))
    (folder / "more.csv").write_text(HEAD + "".join(row(number) for number in range(32)))
    today = [row(number, "Marketing" if number == 9 else "Sales") for number in range(5, 31)]
    (folder / "today.csv").write_text(HEAD + "".join(today))
    (folder / "half.json").write_text(json.dumps({"Resources": [], "totalResults": 9, "schemas": [
        "urn:ietf:params:scim:api:messages:2.0:ListResponse"]}))  # fmt: skip
    with running_platform(database) as platform, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCIMOPS_PUSH", token)
        known = Connection(name="acme", kind="scim", url=f"{platform.url}/scim/v2", token="env:SCIMOPS_PUSH")
        file = folder / "connections.yaml"
        file.write_text(
            f'format: 1\nconnections:\n  acme: {{kind: scim, url: "{known.url}", token: "{known.token}"}}\n'
        )
        file.chmod(0o600)
        with connect(known) as connected:
            preview = preview_export(read_export(folder / "before.csv"), SETTING, channel="apply")
            plan = make_plan(preview, connected.read_snapshot(SETTING))
            assert apply(plan, connected, folder / "filled").exit_code == 0
            connected.read_snapshot(SETTING).save(folder / "snapshot")
            yield connected, folder
    database.close()


@pytest.fixture(scope="module")
def jobs(service_provider: tuple[ServiceProvider, Path]) -> dict[int, Ended]:
    """One run for each exit code, a few at a time; only the one that ends with 4 may write."""
    _, folder = service_provider
    held = f"snapshot={folder / 'snapshot'}"
    given = {
        0: (f"export={folder / 'before.csv'}", held, "connection=acme", "apply=true"),
        3: (f"export={folder / 'more.csv'}", held, "connection=acme"),
        4: (f"export={folder / 'today.csv'}", "connection=acme", "apply=true"),
        5: (f"export={folder / 'half.json'}", held, "connection=acme", "apply=true"),
    }
    with ThreadPoolExecutor(4) as pool:
        started = {code: pool.submit(job, folder, code, *words) for code, words in given.items()}
    return {code: each.result() for code, each in started.items()}


@pytest.mark.parametrize("code", CODES)
def test_the_exit_code_says_what_came_of_it(jobs: dict[int, Ended], code: int) -> None:
    assert (jobs[code].code, jobs[code].told["exit_code"]) == (code, code), jobs[code].told["message"]


def test_what_is_allowed_is_applied_and_the_rest_is_withheld(
    jobs: dict[int, Ended], service_provider: tuple[ServiceProvider, Path]
) -> None:
    connected, _ = service_provider
    done = jobs[4]
    assert done.told["counts"] == {"create": 1, "change": 1, "end": 0, "withheld": 5, "done": 2}
    plan = load_plan(done.out / "plan.json")
    receipts = load_receipts(done.out / f"apply-{plan.digest[:12]}" / "receipts.json")
    assert (receipts.plan, receipts.counts) == (plan.digest, {"done": 2, "withheld": 5})
    users = connected.read_snapshot(SETTING).users
    assert (users.height, int(users["active"].fill_null(True).sum())) == (31, 31)


def test_without_apply_nothing_is_written_there(jobs: dict[int, Ended]) -> None:
    assert jobs[3].told["counts"] == {"create": 2, "change": 0, "end": 0, "withheld": 0}
    assert load_plan(jobs[3].out / "plan.json").counts == {"create": 2, "withheld": 0}
    assert list(jobs[3].out.glob("apply-*")) == []
    assert not (jobs[5].out / "plan.json").exists(), "half a list makes no plan"


def test_its_notebook_and_page_show_the_plan_and_name_nobody(jobs: dict[int, Ended]) -> None:
    for code in (0, 3, 4):
        book = nbformat.read(jobs[code].told["output"], as_version=4)
        assert "widgets" not in book.metadata
        written = Path(jobs[code].told["output"]).read_text() + Path(jobs[code].told["page"]).read_text()
        assert "@example.com" not in written
    cells = {cell.id: cell.outputs for cell in nbformat.read(jobs[4].told["output"], as_version=4).cells
             if "outputs" in cell}  # fmt: skip
    assert "image/png" in cells["flow"][0]["data"]
    assert "too many would be deactivated" in cells["withheld"][0]["data"]["text/html"]
    assert "2 of 2 operations done." in cells["apply"][0]["data"]["text/html"]
