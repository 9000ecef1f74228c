"""A job does not overlap itself: one run at a time of a notebook into one folder, by a lock that dies with its process.

The lock is the operating system's, on a file in the output folder. Who holds it stands in a file beside it, for people:
where that process was killed the file is left behind, and the lock is free all the same.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout
from pydantic import BaseModel, Field

from scimops.errors import ScimopsError, UsageError
from scimops.jobs.record import who_runs

_POLL: Final = 0.1
_LOOK_AGAIN: Final = 2.0
"""Seconds after which a waiting run looks again whom it waits for."""


class LockedError(ScimopsError):
    """Another run of the same job is on its way."""


class Holder(BaseModel):
    """Who holds a lock; `run` is empty until that run has an id."""

    run: str = ""
    user: str
    host: str
    pid: int = Field(default_factory=os.getpid)
    since: dt.datetime = Field(default_factory=lambda: dt.datetime.now(dt.UTC))

    def __str__(self) -> str:
        run = f"run {self.run}" if self.run else "a run that has just begun"
        return f"{run}, of {self.user} on {self.host}, process {self.pid}, since {self.since:%Y-%m-%d %H:%M:%S} UTC"


@contextlib.contextmanager
def alone(
    notebook: Path, folder: Path, wait: float = 0, tell: Callable[[str], None] = lambda _: None
) -> Iterator[Callable[[str], None]]:
    """What is inside of `with` is the only run of `notebook` into `folder`; gets a function that notes the run's id.

    Args:
        notebook: the notebook.
        folder: where its output goes; made where it is not there yet.
        wait: seconds to wait for another run to end.
        tell: called with a line for people that says who is waited for.

    Raises:
        LockedError: another run holds it, and did not end in that time; says who.
        UsageError: the folder cannot be made.
    """
    # a run takes whatever is new in its folder for its output, save what ends with .part
    held = folder / f".{notebook.name}.held.part"
    try:
        made = not folder.exists()
        lock = FileLock(folder / f".{notebook.name}.lock", mode=0o600, poll_interval=_POLL)
        _acquire(lock, held, wait, tell)
    except OSError as error:
        raise UsageError(f"no such folder can be made ({error.strerror}).", where=str(folder)) from None
    holder = Holder.model_validate(who_runs().model_dump())

    def note(run: str) -> None:
        draft = held.with_name(f"{held.name}.part")  # so that nobody reads half of it
        with contextlib.suppress(OSError):  # a full disk: the lock is held, and nobody is told by whom
            draft.write_text(holder.model_copy(update={"run": run}).model_dump_json(), encoding="utf-8")
            draft.replace(held)

    try:
        note("")
        yield note
    finally:
        held.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # Windows keeps a file that is open
            Path(lock.lock_file).unlink()
        lock.release()
        if made:
            with contextlib.suppress(OSError):  # it has something in it
                folder.rmdir()


def _acquire(lock: FileLock, held: Path, wait: float, tell: Callable[[str], None]) -> None:
    ends, said = time.monotonic() + wait, ""
    while True:
        left = ends - time.monotonic()
        held.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=min(max(left, 0), _LOOK_AGAIN) if said else 0)
        except Timeout:
            who = _holder(held)
            if left <= 0:
                raise LockedError(
                    f"another run of this notebook into this folder is on its way: {who}.",
                    where=str(held.parent), advice="Wait for its end, say --wait SECONDS, or name another --out.",
                ) from None  # fmt: skip
            if who != said:
                tell(f"Waiting up to {left:.0f} seconds for {who}.")
                said = who
        else:
            return


def _holder(held: Path) -> str:
    try:
        return str(Holder.model_validate_json(held.read_bytes()))
    except (OSError, ValueError):  # it has just begun, or just ended
        return "not known whose"
