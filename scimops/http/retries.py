"""Asking again, where asking twice does no harm: waits grow and are shuffled, and `Retry-After` is obeyed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import tenacity

from scimops.http.faults import PlatformError

T = TypeVar("T")


@dataclass(frozen=True)
class Retries:
    """How often and how long; seconds. A platform that asks to wait longer than `longest` is not waited for."""

    attempts: int = 4
    first: float = 0.5
    most: float = 8.0
    longest: float = 60.0
    in_all: float = 180.0

    def run(self, work: Callable[[], T]) -> T:
        """The result of `work`, done again after an error that may pass."""
        asking = tenacity.Retrying(
            retry=tenacity.retry_if_exception(self._may_pass), wait=self._wait, reraise=True,
            stop=tenacity.stop_after_attempt(self.attempts) | tenacity.stop_after_delay(self.in_all),
        )  # fmt: skip
        return asking(work)

    def _may_pass(self, error: BaseException) -> bool:
        return isinstance(error, PlatformError) and error.repeatable and (error.wait or 0) <= self.longest

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait if isinstance(error, PlatformError) and error.wait is not None else 0.0
        own = min(self.first * 2.0 ** (state.attempt_number - 1), self.most)
        return max(asked, own) + random.uniform(0, own)  # noqa: S311  # spreads clients, hides nothing
