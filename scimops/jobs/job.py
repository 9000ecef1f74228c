"""What a run's parts tell one another: the engine what to do, and the engine how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scimops.jobs.stopping import Stopping

COMPLETED, FAILED, TIMED_OUT, KERNEL_DIED, CANCELLED = "completed", "failed", "timed_out", "kernel_died", "cancelled"


@dataclass(frozen=True)
class Ending:
    """How a run ended: outcome, exit code, and what was wrong in words (empty where nothing was)."""

    outcome: str = COMPLETED
    exit_code: int = 0
    message: str = ""


@dataclass
class Job:
    """What the engine is told of one run; it puts the executed notebook and the ending there.

    `banner` stands in the notebook's first cell while it runs. Limits are seconds. `tell` is called with each event.
    """

    output: Path
    banner: Any
    where: Path
    environment: Mapping[str, str]
    timeout: float | None
    cell_timeout: float | None
    stopping: Stopping
    tell: Callable[[dict[str, Any]], None]
    notebook: Any = None
    ending: Ending = field(default_factory=lambda: Ending(FAILED, 1, "It did not run."))
