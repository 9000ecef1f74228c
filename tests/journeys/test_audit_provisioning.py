"""A person opens 04_audit_provisioning in JupyterLab, reads the picture, works on the list, asks for one story."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lab import Lab, Shoot, Wire, menu, panel_page, running_lab, save, wait_for_text
from managing import Platform as Embedded
from managing import running_platform

from scimops.connections import Connection
from scimops.platform import connect
from scimops.service_provider.database import open_database
from scimops.service_provider.directory import create_company, create_setting
from scimops.service_provider.management import fixtures
from scimops.service_provider.tables import metadata
from scimops.setting import Setting, save_setting

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NOTEBOOK = "notebooks/04_audit_provisioning.ipynb"
HEAD = "externalId,userName,email,firstName,lastName,department,active,createdOn\n"
GROUPS = {"Sales": 40, "Engineering": 30, "Legal": 6, "Procurement": 4}
SETTING = Setting.model_validate(
    {"name": "Acme", "group_settings": {"target_group": "Everyone", "criterion": {"field": "department"}}}
)
WHOLE = sum(GROUPS.values())
LATE = "late.comer"


def row(name: str, department: str) -> str:
    address = f"{name}@example.com"
    return f"x-{address},{address},{address},Ada,{name.title()},{department},true,2026-01-05T00:00:00Z\n"


def fill(embedded: Embedded, company: str, desk: Path) -> str:
    """Everybody arrives; then a group is deleted, an auto-enrol switched off, one is missing, one left. A secret."""
    with embedded.database.write() as writing:
        token = create_setting(writing, company, SETTING).token.reveal()
    rows = []
    for department, count in GROUPS.items():
        for number in range(count):
            embedded.push(token, f"{department.lower()}{number}@example.com", department, phoneNumbers=[])
            rows.append(row(f"{department.lower()}{number}", department))
    embedded.push(token, "left.long.ago@example.com", "Sales")
    (desk / "people.csv").write_text(HEAD + "".join(rows) + row(LATE, "Sales"))
    save_setting(SETTING, desk / "setting.yaml")
    made = embedded.credential(company)
    (desk / "config" / "credentials").mkdir(mode=0o700, parents=True)
    (desk / "config").chmod(0o700)
    secret = desk / "config" / "credentials" / "acme"
    secret.touch(0o600)
    secret.write_text(made.secret.reveal())
    connections = desk / "config" / "connections.yaml"
    connections.touch(0o600)
    entry = f'kind: platform, url: "{embedded.url}", client_id: {made.client_id}, client_secret: "file:acme"'
    connections.write_text(f"format: 1\nconnections:\n  acme: {{{entry}}}\n")
    return made.secret.reveal()


def go_wrong(embedded: Embedded, company: str, there: Connection) -> None:
    with connect(there) as platform, embedded.database.write() as writing:
        ids = {one["name"]: one["resourceId"] for one in platform.target_groups()}
        for name in GROUPS:
            fixtures.add_enrolment(writing, company, f"Training {name}", [ids[name]], auto_enrol=name != "Legal")
        fixtures.delete_group_by_hand(writing, company, ids["Procurement"])


@pytest.fixture(scope="module")
def lab(desk: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab beside a running platform, the notebook's parameters filled in."""
    database = open_database(f"sqlite:///{desk / 'platform.db'}")
    metadata.create_all(database.engine)
    with database.write() as writing:
        company = create_company(writing, "Example Ltd", seats=200)
    with running_platform(database) as embedded, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCIMOPS_CONFIG", str(desk / "config"))
        fill(embedded, company, desk)
        from scimops.connections import get_connection

        go_wrong(embedded, company, get_connection("acme"))
        book = desk / NOTEBOOK
        text = book.read_text(encoding="utf-8")
        for name, value in (("export", "../people.csv"), ("setting", "../setting.yaml"), ("connection", "acme")):
            assert f'{name}: str = \\"\\"' in text
            text = text.replace(f'{name}: str = \\"\\"', f'{name}: str = \\"{value}\\"')
        book.write_text(text, encoding="utf-8")
        home = tmp_path_factory.mktemp("home")
        with running_lab(desk, home, SCIMOPS_CONFIG=str(desk / "config")) as running:
            yield running
    database.close()


@pytest.fixture(scope="module")
def wire(lab: Lab) -> Wire:
    return Wire(lab.url)


@pytest.fixture(scope="module")
def page(lab: Lab, wire: Wire, chromium: Browser) -> Iterator[Page]:
    with panel_page(chromium, wire, lab, NOTEBOOK) as opened:
        yield opened


VIEW = ".scimops-panel [data-region=view]"


def test_the_picture_comes_first_with_its_numbers(page: Page, shoot: Shoot) -> None:
    arrived = GROUPS["Sales"] + GROUPS["Engineering"]
    cards = page.locator(".scimops-panel .scimops-cards")
    assert f"{arrived} arrived of {WHOLE + 1} people" in " ".join(cards.inner_text().split())
    picture = page.locator(".scimops-panel .scimops-chain-picture")
    assert picture.evaluate("one => one.naturalWidth") > 1000
    assert f"{arrived} of {WHOLE + 1} people arrived." in page.locator(".scimops-picture-region").inner_text()
    assert page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    shoot(page, "audit_1_opened")


def test_the_list_is_filtered_and_says_what_to_do(page: Page, shoot: Shoot) -> None:
    lines = GROUPS["Legal"] + GROUPS["Procurement"] + 2
    page.get_by_label("Why").select_option("lost_group_deleted")
    wait_for_text(page, VIEW, f"{GROUPS['Procurement']} lines")
    assert "was in a group that was deleted by hand" in page.locator(VIEW).inner_text()
    assert "provision one" in page.locator(VIEW).inner_text()
    assert "provisioning_log" in page.locator(VIEW).inner_text() or "audit" in page.locator(VIEW).inner_text()
    page.get_by_label("Why").select_option("")
    page.get_by_label("Find a person").fill("LEFT.long")
    wait_for_text(page, VIEW, "1 line")
    assert "left, and still active on the platform" in page.locator(VIEW).inner_text()
    page.get_by_label("Find a person").fill("")
    page.wait_for_function(
        "lines => [...document.querySelectorAll('.scimops-pager')].some((one) => one.textContent.includes(lines))",
        arg=f"{lines} lines",
    )
    page.evaluate("document.querySelector('.scimops-tabs').scrollIntoView()")
    shoot(page, "audit_2_list")


def test_a_click_on_a_person_tells_their_story(page: Page, shoot: Shoot) -> None:
    page.locator(f"{VIEW} button", has_text=LATE).click()
    wait_for_text(page, VIEW, "What happened")
    told = page.locator(VIEW).inner_text()
    assert "Has an account at the identity provider." in told
    assert "Ada Late.Comer" in told
    shoot(page, "audit_3_one_person")
    page.get_by_label("Whose story?").fill("nobody.like.this")
    page.get_by_label("Whose story?").press("Enter")
    wait_for_text(page, ".scimops-panel .scimops-problem-region", 'Nobody is called "nobody.like.this"')
    page.get_by_label("Whose story?").fill("sales1@example.com")
    page.get_by_label("Whose story?").press("Enter")
    wait_for_text(page, VIEW, "Is seen in the report")
    assert page.locator(".scimops-problem-region").inner_text() == ""


def test_the_other_views(page: Page, shoot: Shoot) -> None:
    views = {"sides": "left, and still active", "drift": "was applied last", "trends": "Nothing is kept",
             "findings": "auto-enrol"}  # fmt: skip
    for view, words in views.items():
        page.locator(f".scimops-tabs button[value={view}]").press("Enter")
        wait_for_text(page, VIEW, words)
        assert page.evaluate("document.activeElement.value") == view
        shoot(page, f"audit_4_{view}")


def test_the_cells_below_count_and_the_notebook_keeps_no_names(page: Page, lab: Lab, wire: Wire, shoot: Shoot) -> None:
    page.locator(".jp-CodeCell", has_text="work.picture()").first.locator(".jp-InputArea-editor").click()
    menu(page, "Run", "notebook:run-all-below")
    cell = page.locator(".jp-CodeCell", has_text="work.work()")
    cell.locator("table", has_text="its auto-enrol is off").first.wait_for()
    cell.scroll_into_view_if_needed()
    shoot(page, "audit_5_cells")
    content = json.dumps(save(page, lab.folder / NOTEBOOK), ensure_ascii=False)
    assert "people arrived." in content
    assert "image/png" in content
    assert "@example.com" not in content
    assert (lab.folder / "config/credentials/acme").read_text() not in content
    assert wire.foreign == []
    assert wire.errors == []
