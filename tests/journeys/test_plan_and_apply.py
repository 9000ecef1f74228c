"""A person opens 03_plan_and_apply against `scimops serve`: looks at the plan, approves, applies, undoes.

Yesterday's export is there already. Today's lacks some people, others moved, one is renamed, one is new.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from lab import Lab, Shoot, Wire, clean_environment, free_port, menu, open_notebook, run_all, running_lab, save

from scimops.apply import apply
from scimops.client import ServiceProvider, connect
from scimops.connections import Connection
from scimops.grouping import ARRIVING, group_key
from scimops.idp import read_export
from scimops.plan import load_plan, make_plan
from scimops.preview import preview_export
from scimops.setting import Setting, load_setting, save_setting

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NOTEBOOK = "notebooks/03_plan_and_apply.ipynb"
CONNECTIONS = 'format: 1\nconnections:\n  rehearsal: {{kind: scim, url: "{url}/scim/v2", token: "env:SCIMOPS_PUSH"}}\n'
GONE, MOVED, LIMIT = 12, 9, 5
EMPTIES = 2  # of those who moved: each was the last of a group
PANEL = ".scimops-panel"
State = dict[str, tuple[Any, ...]]


@dataclass
class Rehearsal:
    """`scimops serve` with yesterday's people; `leavers` are the userNames that today's export lacks."""

    url: str
    setting: Setting
    service_provider: ServiceProvider
    token: str
    leavers: list[str]
    renamed: str

    def state(self) -> State:
        """Of each person by id: who they are, whether they are active, and their groups."""
        held = self.service_provider.read_snapshot(self.setting)
        names = dict(held.groups.select("id", "name").iter_rows())
        inside: dict[str, list[str]] = {}
        for group, person in held.members.select("group_id", "user_id").iter_rows():
            inside.setdefault(person, []).append(group_key(names[group]))
        return {row["id"]: (row["userName"], row["department"], row["active"], *sorted(inside.get(row["id"], ())))
                for row in held.users.iter_rows(named=True)}  # fmt: skip


@pytest.fixture(scope="module")
def rehearsal(desk: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    folder, port = tmp_path_factory.mktemp("platform"), free_port()
    given = load_setting(desk / "sample_data/setting.yaml")
    guards = given.safeguards.model_copy(update={"deactivate": given.safeguards.deactivate.model_copy(
        update={"number": LIMIT})})  # fmt: skip
    setting = given.model_copy(update={"safeguards": guards})
    save_setting(setting, desk / "notebooks" / "push.yaml")
    command = [sys.executable, "-m", "scimops", "serve", "--port", str(port), "--setting",
               str(desk / "notebooks" / "push.yaml"), "--credentials-file", "made.json"]  # fmt: skip
    with (folder / "server.log").open("wb") as log, pytest.MonkeyPatch.context() as patch:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=clean_environment())
        try:
            url = f"http://127.0.0.1:{port}"
            for _ in range(300):
                try:
                    if httpx2.get(f"{url}/readyz").status_code == 200:
                        break
                except httpx2.TransportError:
                    time.sleep(0.1)
            token = json.loads((folder / "made.json").read_text())["token"]
            patch.setenv("SCIMOPS_PUSH", token)
            known = Connection(name="rehearsal", kind="scim", url=f"{url}/scim/v2", token="env:SCIMOPS_PUSH")
            with connect(known) as service_provider:
                leavers, renamed = fill(desk, setting, service_provider, folder)
                yield Rehearsal(url, setting, service_provider, token, leavers, renamed)
        finally:
            process.terminate()
            process.wait(20)


def fill(desk: Path, setting: Setting, service_provider: ServiceProvider, folder: Path) -> tuple[list[str], str]:
    """Bring yesterday's people there; write today's export. Gives who left, and the new name of who is renamed."""
    with (desk / "sample_data/entra/exportUsers.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if None not in row and None not in row.values()]
    first = preview_export(read_export(written(folder / "all.csv", rows)), setting, channel="apply").people
    unread = set(first.filter(first["reason"] == "rejected_unreadable")["row"])  # with them nobody knows who is gone
    rows = [row for number, row in enumerate(rows, 1) if number not in unread]
    preview = preview_export(read_export(written(folder / "yesterday.csv", rows)), setting, channel="apply")
    there = service_provider.read_snapshot(setting)
    assert apply(make_plan(preview, there), service_provider, folder / "yesterday").exit_code == 0
    ids = preview.people.filter(preview.people["reason"] == "matched")["userName"].to_list()
    leavers, moved, renamed = ids[5 : 5 + GONE], set(ids[40 : 40 + MOVED]), ids[60]
    new_name = f"renamed.{renamed}"
    for row in rows:
        if row["userPrincipalName"] in moved:
            row["department"] = "Marketing" if row["department"] != "Marketing" else "Sales"
        elif row["userPrincipalName"] == renamed:
            row["userPrincipalName"] = new_name
    written(desk / "notebooks" / "today.csv", [row for row in rows if row["userPrincipalName"] not in leavers])
    return leavers, new_name


def written(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def lab(desk: Path, rehearsal: Rehearsal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab whose kernels know the connection and its token; the notebook has its parameters filled in."""
    home = tmp_path_factory.mktemp("home")
    config = home / "scimops"
    config.mkdir(mode=0o700)
    (config / "connections.yaml").write_text(CONNECTIONS.format(url=rehearsal.url))
    (config / "connections.yaml").chmod(0o600)
    book = json.loads((desk / NOTEBOOK).read_text(encoding="utf-8"))
    given = {"export": "today.csv", "setting": "push.yaml", "connection": "rehearsal", "out": "plans"}
    cell = next(one for one in book["cells"] if one["id"] == "parameters")
    cell["source"] = "\n".join(
        f'{name}: str = "{given[name]}"' if (name := line.partition(":")[0]) in given else line
        for line in "".join(cell["source"]).splitlines()
    )
    (desk / NOTEBOOK).write_text(json.dumps(book), encoding="utf-8")
    secrets = {"SCIMOPS_CONFIG": str(config), "SCIMOPS_PUSH": rehearsal.token,
               "SCIMOPS_LEDGER": str(home / "runs.ndjson")}  # fmt: skip
    with running_lab(desk, home, **secrets) as running:
        yield running


@pytest.fixture
def page(chromium: Browser, lab: Lab) -> Iterator[Page]:
    page, wire = chromium.new_page(viewport={"width": 1280, "height": 1100}), Wire(lab.url)
    wire.watch(page)
    yield page
    assert (wire.foreign, wire.errors) == ([], [])
    page.close()


def view(page: Page, name: str) -> None:
    page.locator(f"{PANEL} .scimops-tabs button[value={name}]").click()
    page.locator(f"{PANEL} .scimops-tabs button[value={name}][aria-pressed=true]").wait_for()


def approve(page: Page, number: str) -> None:
    page.get_by_label("How many operations are to be approved?").fill(number)
    page.get_by_label("Why is that right?").fill("They left at the end of November; the list is signed.")
    page.get_by_role("button", name="Approve", exact=True).click()


def press_apply(page: Page) -> None:
    page.get_by_role("button", name="to rehearsal").click()
    page.locator(PANEL).get_by_text("A fresh snapshot is as the plan says.").wait_for(timeout=60_000)


def test_plan_approve_apply_undo(page: Page, lab: Lab, desk: Path, rehearsal: Rehearsal, shoot: Shoot) -> None:
    before = rehearsal.state()
    open_notebook(page, lab, NOTEBOOK)
    run_all(page)
    assert rehearsal.state() == before, "running all cells changes nothing"
    panel, text = page.locator(PANEL), page.locator(f"{PANEL} [data-region=view]")
    plan = load_plan(desk / "notebooks/plans/plan.json")
    held, all_of_them = plan.held.height, GONE + MOVED + 1
    assert (plan.operations.height, held) == (all_of_them, GONE + EMPTIES)
    text.get_by_text(rehearsal.leavers[0], exact=True).first.wait_for()
    assert [name for name in rehearsal.leavers if name not in text.inner_text()] == []
    assert f"Held back: people to deactivate: {GONE} of" in panel.inner_text()
    shoot(page, "plan_1_withheld")

    view(page, "flow")
    picture = text.locator("img")
    picture.wait_for()
    assert picture.evaluate("one => one.naturalWidth") > 600
    assert f"{MOVED} people moved" in text.inner_text()
    shoot(page, "plan_2_flow")
    view(page, "groups")
    shoot(page, "plan_3_groups")
    view(page, "people")
    page.get_by_label("Find a person").fill(rehearsal.renamed.removeprefix("renamed."))
    text.get_by_text("is renamed").first.wait_for()
    assert rehearsal.renamed in text.inner_text()
    page.wait_for_function(f"document.querySelectorAll('{PANEL} [data-region=view] tbody tr').length === 1")
    shoot(page, "plan_4_person")

    view(page, "withheld")
    approve(page, "11")
    panel.get_by_text("“11” is not the number of what can be approved.").wait_for()
    approve(page, f"{held}")
    panel.get_by_text(f"Approved: {held} operations.").wait_for()
    shoot(page, "plan_5_approved")
    press_apply(page)
    shoot(page, "plan_6_applied")
    today = preview_export(read_export(desk / "notebooks/today.csv"), rehearsal.setting, channel="apply").placed
    wanted = {row["userName"]: row["group_keys"] for row in today.iter_rows(named=True) if row["reason"] in ARRIVING}
    after = rehearsal.state()
    assert {row[0]: "\n".join(row[3:]) or None for row in after.values() if row[2] is not False} == wanted
    assert {row[0] for row in after.values() if row[2] is False} == set(rehearsal.leavers)

    page.locator(".jp-CodeCell", has_text="work.numbers()").first.locator(".jp-InputArea-editor").click()
    menu(page, "Run", "notebook:run-all-below")
    page.locator(".jp-CodeCell", has_text="work.apply(apply)").get_by_text("operations done.").wait_for()
    page.locator(".jp-CodeCell", has_text="work.flow()").first.scroll_into_view_if_needed()
    content = json.dumps(save(page, desk / NOTEBOOK), ensure_ascii=False)
    assert f"{all_of_them} operations" in content
    people = {row[0] for row in (*before.values(), *after.values())}
    assert len(people) > 100
    assert [name for name in people if name in content] == []
    assert rehearsal.token not in content

    page.get_by_role("button", name="Undo: plan the way back").click()
    panel.get_by_text("The plan that undoes what was applied").wait_for()
    shoot(page, "plan_7_undo")
    press_apply(page)
    assert rehearsal.state() == before
