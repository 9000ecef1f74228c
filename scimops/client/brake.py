"""How many requests are under way at a time: fewer as soon as the other end asks to wait, slowly more again."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

MOST = 8
"""Requests under way at most: as many as :class:`scimops.http.exchange.Wire` has connections."""


class Brake:
    """A limit that is halved when the other end is busy and grows by one after as many good answers as it is.

    Answers to requests that were under way at a halving do not halve again: they tell of the same moment.
    """

    def __init__(self, longest: float, start: int = 4) -> None:
        self._limit, self._longest = float(start), longest
        self._running, self._not_before, self._pressed = 0, 0.0, 0.0
        self._changed = threading.Condition()

    @property
    def limit(self) -> int:
        """How many may be under way now."""
        return int(self._limit)

    @contextmanager
    def slot(self) -> Iterator[float]:
        """Waits until one more may be under way; gives the moment."""
        with self._changed:
            while (wait := self._not_before - time.monotonic()) > 0 or self._running >= self.limit:
                self._changed.wait(wait if wait > 0 else None)
            self._running += 1
        try:
            yield time.monotonic()
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify()

    def press(self, began: float, seconds: float | None) -> None:
        """The other end is busy, said the answer to a request of the moment `began`; it asks to wait `seconds`."""
        with self._changed:
            now = time.monotonic()
            if began > self._pressed:
                self._pressed, self._limit = now, max(self._limit / 2, 1.0)
            self._not_before = max(self._not_before, now + min(seconds or 0.0, self._longest))

    def ease(self) -> None:
        """A good answer."""
        with self._changed:
            self._limit = min(self._limit + 1 / self._limit, MOST)
            self._changed.notify()
