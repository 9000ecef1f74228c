"""One thread that does a panel's work, one thing after the other.

JupyterLab delivers what a person does on a kernel's main thread or on others beside it (subshells). Everything that
takes time or changes a panel is handed to its worker, so that it happens in order, and the person can go on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

Task = Callable[[], None]


@dataclass
class _Waiting:
    due: float
    key: str
    task: Task


class Worker:
    """Runs tasks one after the other on a thread that ends when nothing is left to do.

    `on_fault` is told of an exception that a task lets out; the worker goes on.
    """

    def __init__(self, on_fault: Callable[[Exception], None]) -> None:
        self._on_fault = on_fault
        self._changed = threading.Condition()
        self._waiting: list[_Waiting] = []
        self._thread: threading.Thread | None = None

    def later(self, task: Task, key: str = "", wait: float = 0.0) -> None:
        """Do `task` after `wait` seconds, after what is waiting already.

        A task with the same `key` that has not begun is dropped: of many quick changes only the last is computed.
        """
        with self._changed:
            if key:
                self._waiting = [other for other in self._waiting if other.key != key]
            self._waiting.append(_Waiting(time.monotonic() + wait, key, task))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="scimops-panel", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def wait(self, seconds: float = 60.0) -> bool:
        """Wait until nothing is left to do; False where that takes longer than `seconds`."""
        with self._changed:
            return self._changed.wait_for(lambda: self._thread is None, seconds)

    def _run(self) -> None:
        while (task := self._next()) is not None:
            try:
                task()
            except Exception as fault:  # whatever it is, the panel says so and stays usable
                self._on_fault(fault)

    def _next(self) -> Task | None:
        """The next task, once it is due; None, and no thread any more, where there is none."""
        with self._changed:
            while self._waiting:
                first = min(self._waiting, key=lambda waiting: waiting.due)
                left = first.due - time.monotonic()
                if left <= 0:
                    self._waiting.remove(first)
                    return first.task
                self._changed.wait(left)
            self._thread = None
            self._changed.notify_all()
            return None
