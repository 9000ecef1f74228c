"""A person walks through 01_create_setting against `scimops serve`: four panels, the token to the clipboard.

Then every file of the walk is searched for the token, and with it a client creates a person, who lands where the panel
said.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from lab import Lab, Wire, clean_environment, free_port, menu, open_notebook, run_all, running_lab, save, wait_for_text

from scimops.attributes import CORE, ENTERPRISE
from scimops.setting import load_setting
from scimops.tokens import TOKENS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NOTEBOOK = "notebooks/01_create_setting.ipynb"
CONNECTIONS = """\
format: 1
connections:
  rehearsal: {{kind: platform, url: "{url}", client_id: {client_id}, client_secret: "env:SCIMOPS_ADMIN"}}
"""
WAITING = '.scimops-token[data-state="waiting"]'
COPIED = '.scimops-token[data-state="copied"]'


@dataclass
class Served:
    """The embedded platform as a process of its own."""

    url: str
    folder: Path
    client_id: str
    client_secret: str

    def scim(self, token: str, method: str, path: str, body: Any = None) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/scim+json"}
        return httpx2.request(method, f"{self.url}/scim/v2{path}", headers=headers, json=body)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder, port = tmp_path_factory.mktemp("platform"), free_port()
    command = [sys.executable, "-m", "scimops", "serve", "--port", str(port), "--credentials-file", "made.json"]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=clean_environment())
        try:
            url = f"http://127.0.0.1:{port}"
            for _ in range(300):
                try:
                    if httpx2.get(f"{url}/readyz").status_code == 200:
                        break
                except httpx2.TransportError:
                    time.sleep(0.1)
            made = json.loads((folder / "made.json").read_text())
            yield Served(url, folder, made["client_id"], made["client_secret"])
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, served: Served) -> Path:
    """Where JupyterLab and scimops keep what is the user's own."""
    home = tmp_path_factory.mktemp("home")
    config = home / "scimops"
    config.mkdir(mode=0o700)
    file = config / "connections.yaml"
    file.write_text(CONNECTIONS.format(url=served.url, client_id=served.client_id))
    file.chmod(0o600)
    return home


@pytest.fixture(scope="module")
def lab(desk: Path, home: Path, served: Served) -> Iterator[Lab]:
    """JupyterLab whose kernels know the connection and its secret."""
    secrets = {"SCIMOPS_CONFIG": str(home / "scimops"), "SCIMOPS_ADMIN": served.client_secret}
    with running_lab(desk, home, **secrets) as running:
        yield running


@pytest.fixture
def page(chromium: Browser, lab: Lab) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 1000})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    wire = Wire(lab.url)
    wire.watch(page)
    yield page
    assert wire.foreign == []
    context.close()


def names_of(served: Served, home: Path) -> list[str]:
    """The settings on the platform, as the command line lists them."""
    env = clean_environment() | {"SCIMOPS_CONFIG": str(home / "scimops"), "SCIMOPS_ADMIN": served.client_secret}
    command = [sys.executable, "-m", "scimops", "setting", "list", "--connection", "rehearsal", "--json"]
    listed = subprocess.run(command, env=env, capture_output=True, check=True)
    return [row["name"] for row in json.loads(listed.stdout)["settings"]]


def panel(page: Page, number: int) -> Any:
    """One of the four panels."""
    return page.locator(".scimops-panel").nth(number)


def picture(page: Page, number: int, name: str) -> None:
    """A picture of one panel for people to look at, where SCIMOPS_SCREENSHOTS names a folder."""
    if folder := os.environ.get("SCIMOPS_SCREENSHOTS"):
        panel(page, number).screenshot(path=str(Path(folder) / f"{name}.png"))


def walk(page: Page) -> int:
    """Name, platform, fields, groups; how many people the panel says land in the group Nordics."""
    panel(page, 0).get_by_label("Name of the setting").fill("Walk")
    panel(page, 0).locator("select").select_option("rehearsal")
    panel(page, 0).get_by_text("Connected: rehearsal.").wait_for()
    country = panel(page, 1).get_by_label('Custom field for addresses[type eq "work"].country')
    country.fill("Country")
    country.press("Enter")
    panel(page, 1).get_by_text("Saved in").wait_for()
    panel(page, 2).locator("select").select_option("Country")
    panel(page, 2).get_by_label("Aliases").fill("Denmark = Nordics")
    group = panel(page, 2).locator("tr", has_text="Nordics")
    group.wait_for()
    for number, name in enumerate(("name", "fields", "groups")):
        picture(page, number, f"create-{number + 1}-{name}")
    return int(group.locator("td").nth(1).inner_text().replace(",", ""))


def test_the_walk(
    page: Page, lab: Lab, desk: Path, home: Path, served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    open_notebook(page, lab, NOTEBOOK)
    run_all(page)
    said = walk(page)
    assert said > 0
    document = desk / "notebooks" / "my_setting.yaml"
    assert load_setting(document).name == "Walk"
    assert names_of(served, home) == []  # nothing was made yet

    fourth = panel(page, 3)
    fourth.get_by_role("button", name="1. Look at the platform").click()
    fourth.get_by_text("cannot be changed after the setting is created").wait_for()
    picture(page, 3, "create-4-look")
    fourth.get_by_role("button", name="2. Create the setting").click()
    page.wait_for_selector(WAITING)
    assert names_of(served, home) == ["Walk"]
    picture(page, 3, "create-5-token")
    page.click(f"{WAITING} .scimops-token-copy")
    page.wait_for_selector(COPIED)
    token = page.evaluate("navigator.clipboard.readText()")
    assert TOKENS.fullmatch(token)
    page.evaluate("navigator.clipboard.writeText('')")

    run_all(page)  # guide and comparison, with the platform as it is now
    page.get_by_text("Document and platform:").first.wait_for()
    picture(page, 3, "create-6-after")
    page.locator(".scimops-guide button.copy").first.click()
    assert page.evaluate("navigator.clipboard.readText()") in page.locator(".scimops-guide").inner_text()
    save(page, desk / NOTEBOOK)
    html = subprocess.run(
        [sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", "--stdout", str(desk / NOTEBOOK)],
        capture_output=True, check=True, env=clean_environment(),
    ).stdout  # fmt: skip
    assert token.encode() not in html

    nordics = {"schemas": [CORE, ENTERPRISE], "userName": "nils@example.com",
               "emails": [{"type": "work", "value": "nils@example.com", "primary": True}],
               "addresses": [{"type": "work", "country": "Denmark"}]}  # fmt: skip
    made = served.scim(token, "POST", "/Users", nordics)
    assert made.status_code == 201
    shown = served.scim(token, "GET", f"/Users/{made.json()['id']}").json()
    assert [group["display"] for group in shown["groups"]] == ["Nordics"]

    hunted = list(files_below(desk, home, served.folder))
    assert len(hunted) > 20
    assert [str(path) for path in hunted if token.encode() in path.read_bytes()] == []
    digest = hashlib.sha256(token.encode()).hexdigest().encode()
    assert any(digest in path.read_bytes() for path in hunted)  # the hunt sees the database, where its hash is
    out, err = capfd.readouterr()
    assert token not in out + err


def test_as_a_job_it_compares_and_reports(desk: Path, home: Path, served: Served, tmp_path: Path) -> None:
    """After the walk: exit 0 where document and platform are alike, 3 where they are not; nothing is created."""
    env = clean_environment() | {"SCIMOPS_CONFIG": str(home / "scimops"), "SCIMOPS_ADMIN": served.client_secret}
    document = desk / "notebooks" / "my_setting.yaml"

    def run(name: str) -> subprocess.CompletedProcess[str]:
        given = ("-p", "setting", str(document), "-p", "connection", "rehearsal", "--out", str(tmp_path / name))
        command = [sys.executable, "-m", "scimops", "run", str(desk / NOTEBOOK), *given]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    before = names_of(served, home)
    assert run("same").returncode == 0
    document.write_text(document.read_text().replace("Nordics", "North"))
    differs = run("other")
    assert differs.returncode == 3, differs.stderr
    page = (tmp_path / "other" / "01_create_setting.html").read_text()
    assert "only by a new setting" in page
    assert "scimops setting delete" in page
    assert names_of(served, home) == before


def files_below(*folders: Path) -> Iterator[Path]:
    """Notebooks, checkpoints, history, workspaces, logs, documents, the database with its WAL."""
    for folder in folders:
        yield from (path for path in folder.rglob("*") if path.is_file())


def test_who_leaves_without_copying_is_warned_and_can_renew(page: Page, lab: Lab, desk: Path, served: Served) -> None:
    """A reload with the token not copied asks first; with a new kernel the token is lost, and is renewed."""
    (desk / "notebooks" / "my_setting.yaml").write_text("format: 1\nname: Leaving\n")
    (desk / "notebooks" / "my_setting.record.json").unlink(missing_ok=True)
    open_notebook(page, lab, NOTEBOOK)
    run_all(page)
    panel(page, 0).locator("select").select_option("rehearsal")
    panel(page, 0).get_by_text("Connected: rehearsal.").wait_for()
    panel(page, 3).get_by_role("button", name="1. Look at the platform").click()
    panel(page, 3).get_by_text("cannot be changed after").wait_for()
    panel(page, 3).get_by_role("button", name="2. Create the setting").click()
    page.wait_for_selector(WAITING)
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.reload()
    assert "beforeunload" in asked
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    wait_for_text(page, "#jp-main-statusbar", "| Idle", 60_000)
    menu(page, "Kernel", "kernelmenu:restart")
    page.locator(".jp-Dialog .jp-mod-accept").click()
    wait_for_text(page, "#jp-main-statusbar", "| Idle", 60_000)
    run_all(page)
    panel(page, 0).locator("select").select_option("rehearsal")
    renew = panel(page, 3).get_by_role("button", name="Renew the token")
    renew.click()
    page.wait_for_selector(WAITING)
    page.click(f"{WAITING} .scimops-token-copy")
    page.wait_for_selector(COPIED)
    token = page.evaluate("navigator.clipboard.readText()")
    assert served.scim(token, "GET", "/Users").status_code == 200
