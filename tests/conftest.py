"""What tests of several steps share."""

from __future__ import annotations

import shutil

import pytest


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Debian's Chromium. Without it the tests that drive a browser fail; they are never skipped."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("There is no Chromium here. Install the Debian package `chromium`: apt-get install chromium")
    return path
