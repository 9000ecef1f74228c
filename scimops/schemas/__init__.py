"""The JSON Schemas of scimops' documents and of what its commands print with `--json`: the contract.

The files beside this one are written by `python -m scimops.schemas`; a test holds them to the code.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """The names of all schemas."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def read_schema(name: str) -> dict[str, Any]:
    """The schema `name`."""
    return dict(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")))
