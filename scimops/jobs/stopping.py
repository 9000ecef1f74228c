"""Being told to stop: Ctrl-C, SIGTERM and a terminal that hangs up, noted instead of raised wherever Python stands."""

from __future__ import annotations

import asyncio
import signal
import threading
from types import FrameType
from typing import Any, Final, Self

EXIT_CODES: Final = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 143}
"""A cancelled run's exit code by the signal that cancelled it."""


class Stopping:
    """A context in which signals ask to stop; the first one asks, a second one asks to wait no longer.

    A signal that is ignored already (`nohup`) stays so. Outside of the main thread nothing is listened to.
    """

    def __init__(self) -> None:
        self.signal = ""
        self.asked, self.hurry = asyncio.Event(), asyncio.Event()
        self.loop: asyncio.AbstractEventLoop | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for name in EXIT_CODES:
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        event = self.hurry if self.signal else self.asked
        self.signal = self.signal or signal.Signals(number).name
        if self.loop is not None and not self.loop.is_closed():
            self.loop.call_soon_threadsafe(event.set)  # a signal comes between any two steps of the loop
        else:
            event.set()
