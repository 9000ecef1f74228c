"""One JupyterLab and one Chromium for all journeys of a module: each takes seconds to start."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lab import REPOSITORY, Lab, Shoot, browser, running_lab

from scimops.samples import write_all

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of one's own with the notebooks and the sample data."""
    folder = tmp_path_factory.mktemp("desk")
    shutil.copytree(REPOSITORY / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".*", "*.yaml"))
    write_all(folder / "sample_data")
    return folder


@pytest.fixture(scope="module")
def lab(desk: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab over the desk."""
    with running_lab(desk, tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(scope="module")
def chromium(chromium_path: str) -> Iterator[Browser]:
    """Chromium, driven."""
    with browser(chromium_path) as running:
        yield running


@pytest.fixture
def shoot(tmp_path: Path) -> Shoot:
    """Keep a picture of the page for people to look at, in the folder SCIMOPS_SCREENSHOTS."""
    folder = Path(os.environ.get("SCIMOPS_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)

    def keep(page: Page, name: str) -> None:
        page.evaluate("document.querySelector('.scimops-cards')?.scrollIntoView()")
        page.screenshot(path=str(folder / f"{name}.png"))

    return keep
