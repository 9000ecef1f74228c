"""Exports that attack whoever shows them, previewed; and a browser that has no network."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scimops.idp import read_export
from scimops.preview import Preview, preview_export
from scimops.samples import write_sample
from scimops.setting import Setting, quick_setting

if TYPE_CHECKING:
    from playwright.sync_api import Page

Look = Callable[..., Preview]

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
]

COLUMNS = (
    "userPrincipalName", "objectId", "mail", "givenName", "surname", "department", "accountEnabled", "userType",
)  # fmt: skip

DEPARTMENTS = (
    "Sales [/x]", "=cmd|' /C calc'!A0", "<img onerror=alert(1) src=x>", "＝1+1", " @SUM(1)", "R&D;=1+1",
    "![x](http://127.0.0.1:9/x.png)", "#N/A", "_x003D_1", "\u202eabc", "Sales [/x]", 'quoted "name"',
)  # fmt: skip
"""Names that a terminal, a spreadsheet, a page or a notebook could take for something else than a name."""


@pytest.fixture(scope="session")
def look(tmp_path_factory: pytest.TempPathFactory) -> Look:
    """The preview of people as dicts, written as Entra's Download users; keyword arguments are the setting's parts."""

    def preview(people: list[dict[str, str]], **parts: Any) -> Preview:
        out = io.StringIO()
        writer = csv.DictWriter(out, COLUMNS)
        writer.writeheader()
        for number, cells in enumerate(people):
            name = f"u{number}@example.com"
            usual = (name, f"id-{number}", name, "Gi", "Su", "Sales", "True", "Member")
            writer.writerow(dict(zip(COLUMNS, usual, strict=True)) | cells)
        path = tmp_path_factory.mktemp("export") / "users.csv"
        path.write_bytes(out.getvalue().encode())
        groups = {"criterion": {"field": "department"}, "target_group": "Everyone"} | parts.pop("group_settings", {})
        setting = Setting.model_validate({"name": "Test", "group_settings": groups} | parts)
        return preview_export(read_export(path), setting)

    return preview


@pytest.fixture(scope="session")
def hostile(look: Look) -> Preview:
    """People whose departments, names and userNames attack."""
    people = [{"department": name} for name in DEPARTMENTS]
    people += [
        {"givenName": "Ro\x1b[31mbin\x00"},
        {"userPrincipalName": "=1+1@example.com"},
        {"userPrincipalName": "-2+3@example.com", "mail": "-2+3@example.com"},
        {"userPrincipalName": "@SUM(1)"},
        {"department": ""},
        {"accountEnabled": "False"},
        {"mail": "anna@@example.com"},
    ]
    return look(people)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Preview:
    """The nasty sample, by department."""
    path = write_sample(tmp_path_factory.mktemp("sample") / "exportUsers.csv", "entra_download_users")
    return preview_export(read_export(path), quick_setting("department", "Everyone"))


class Visit:
    """A page opened with the network refused: what it asked for, and whether any script of its ran."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        self.dialogs: list[str] = []
        page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        page.route("**/*", self._decide)

    def _decide(self, route: Any) -> None:
        url = route.request.url
        if url.startswith(("file:", "data:", "blob:")):
            route.continue_()
        else:
            self.requests.append(url)
            route.abort()

    def open(self, path: Path) -> None:
        self.page.goto(path.as_uri())


@pytest.fixture
def visit(chromium_path: str) -> Iterator[Visit]:
    """Chromium without a network, at the width of a phone."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        yield Visit(browser.new_page(viewport={"width": 390, "height": 800}))
        browser.close()
