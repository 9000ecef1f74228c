"""The journal of an apply: a line before each step and one after, on disk before anything is sent.

Lines are JSON: the first says the plan (`plan`, its digest); `{"intent": NUMBER}` stands before a step,
`{"receipt": {…}}` after it. Only ever added to. A step with an intent and no receipt was in flight when its process
was killed, and may have happened.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import getpass
import json
import os
import socket
import threading
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from filelock import FileLock, Timeout

from scimops.apply.receipts import Receipt
from scimops.errors import UsageError
from scimops.plan import StalePlanError

NAME = "journal.ndjson"


def now() -> str:
    """The time, ISO 8601 in UTC."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")


class Journal:
    """The journal of one plan in `folder`; a context manager. May be used by several threads.

    `receipts`: of what is known, by number; `in_flight`: begun, and how it ended is not known.

    Raises:
        UsageError: the folder has the journal of another plan.
    """

    def __init__(self, folder: Path, digest: str) -> None:
        self._path = folder / NAME
        self.receipts: dict[int, Receipt] = {}
        self.in_flight: set[int] = set()
        self._lock = threading.Lock()
        begun = self._path.exists() and self._read(digest)
        self._handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        if not begun:
            self._write({"format": 1, "plan": digest, "at": now()})
        os.fsync(self._handle)

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        os.fsync(self._handle)
        os.close(self._handle)

    def intend(self, numbers: Iterable[int]) -> None:
        """These steps are about to be done; it is on disk when this returns."""
        with self._lock:
            self._write(*({"intent": number, "at": now()} for number in numbers))
        os.fsync(self._handle)

    def add(self, receipt: Receipt) -> None:
        """A step has ended."""
        with self._lock:
            self.receipts[receipt.number] = receipt
            self._write({"receipt": {key: value for key, value in asdict(receipt).items() if value is not None}})

    def _write(self, *lines: dict[str, object]) -> None:
        # one write, begun and ended by a line feed: a line torn by a kill stays a line of its own
        text = "".join(f"\n{json.dumps(line, ensure_ascii=False)}\n" for line in lines)
        left = memoryview(text.encode("utf-8", "surrogatepass"))
        while left:
            left = left[os.write(self._handle, left) :]

    def _read(self, digest: str) -> bool:
        """Was it begun?"""
        begun = False
        with self._path.open("rb") as stream:
            for line in stream:
                try:
                    document = json.loads(line)
                except ValueError:  # empty, or torn
                    continue
                if "plan" in document:
                    begun = True
                    if document["plan"] != digest:
                        raise UsageError("This folder has the journal of another plan.", where=str(self._path.parent),
                                         advice="Name another folder for this plan.")  # fmt: skip
                elif "intent" in document:
                    self.in_flight.add(document["intent"])
                    self.receipts.pop(document["intent"], None)
                elif "receipt" in document:
                    receipt = Receipt(**document["receipt"])
                    self.receipts[receipt.number] = receipt
                    self.in_flight.discard(receipt.number)
        return begun


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """What is inside of `with` is the only apply in `folder`; the lock goes with its process.

    Raises:
        StalePlanError: another one is on its way; says whose.
    """
    lock, held = FileLock(folder / ".apply.lock", mode=0o600), folder / ".apply.held"
    try:
        lock.acquire(timeout=0)
    except Timeout:
        with contextlib.suppress(OSError):
            who = held.read_text("utf-8")
            raise StalePlanError(f"Another apply is on its way in this folder: {who}.", where=str(folder),
                                 advice="Wait for its end; then make the plan again.") from None  # fmt: skip
        raise StalePlanError("Another apply is on its way in this folder.", where=str(folder),
                             advice="Wait for its end; then make the plan again.") from None  # fmt: skip
    try:
        held.touch(mode=0o600)
        held.write_text(f"{getpass.getuser()} on {socket.gethostname()}, process {os.getpid()}, since {now()}", "utf-8")
        yield
    finally:
        held.unlink(missing_ok=True)
        lock.release()
