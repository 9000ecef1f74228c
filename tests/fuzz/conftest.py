"""The marker of tests that take as many random files as they are told."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Says what the marker means, so that it is known where markers are strict."""
    config.addinivalue_line("markers", "fuzz: random files, SCIMOPS_FUZZ_FILES of them; also part of the long tests")
