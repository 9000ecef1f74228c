"""What tests of several steps share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def own_ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the tests run is written into a ledger of theirs, never into that of who runs them."""
    os.environ["SCIMOPS_LEDGER"] = str(tmp_path_factory.mktemp("ledger") / "runs.ndjson")
    yield
    del os.environ["SCIMOPS_LEDGER"]


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Debian's Chromium. Without it the tests that drive a browser fail; they are never skipped."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("There is no Chromium here. Install the Debian package `chromium`: apt-get install chromium")
    return path
