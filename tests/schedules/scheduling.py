"""What tests of schedules share: values that a shell, a template or YAML would change, and what the notebook saw."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HOSTILE = "50% off $(touch pwned) `id` \\\\ \\n \"q\" 's' {{ 7*7 }} %h ${HOME} #\nżółć 😀\u2028\u0085 007: - &a"


@dataclass(frozen=True)
class Said:
    """What the command wrote."""

    stdout: str
    stderr: str


Scheduled = Callable[..., Said]


def given(folder: Path) -> list[object]:
    """What the notebook saw, once it has run."""
    (seen,) = folder.glob("report/*/given.json")
    content: list[object] = json.loads(seen.read_text())
    return content
