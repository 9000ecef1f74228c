"""Runs on their way: each is begun with a file beside the ledger and a lock that goes with the process.

A runner that is killed leaves its file behind and holds the lock no more: whoever comes next writes that run into the
ledger as broken.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from scimops import touched
from scimops.config import ledger_file
from scimops.errors import ScimopsError
from scimops.jobs.kernel_seam import redacted
from scimops.jobs.ledger import Written, append, canonical, ready
from scimops.jobs.record import Outcome, RunRecord, begin, end
from scimops.jobs.stopping import EXIT_CODES

STEP_CODES: Final = (0, 3, 4)
"""Exit codes with which a step is completed: nothing to say, findings, something withheld."""


def running_folder(ledger: Path) -> Path:
    """Where the files of runs on their way are."""
    return ledger.with_name(f"{ledger.name}.running")


@contextlib.contextmanager
def kept(begun: RunRecord, ledger: Path | None = None) -> Iterator[Callable[[RunRecord], Written]]:
    """A run on its way: what is inside of `with` is the run, and gets the function that writes its record, once.

    Before it starts, the ledger is looked at, and runs that broke off are written down. Where the function was not
    called, or this process is killed, the run stands in the ledger as broken.

    Raises:
        LedgerError: nothing can be added to the ledger; nothing has run.
    """
    path = ledger or ledger_file()
    ready(path)
    write_broken(path)
    folder = running_folder(path)
    folder.mkdir(mode=0o700, exist_ok=True)
    file, lock = folder / f"{begun.id}.json", _lock(folder, begun.id)
    with _gone_after(lock), lock:
        file.write_bytes(canonical(redacted(begun.model_dump(mode="json"))))

        def write(record: RunRecord) -> Written:
            written = append(record, path)
            file.unlink()
            return written

        try:
            yield write
        finally:
            if file.exists():
                write(begun)


def write_broken(ledger: Path | None = None) -> list[RunRecord]:
    """Write runs whose process is gone into the ledger, as broken; gives them.

    Raises:
        LedgerError: the ledger cannot be written.
    """
    from scimops.jobs.history import find

    path, found = ledger or ledger_file(), []
    for file in sorted(running_folder(path).glob("*.json")):
        lock = _lock(file.parent, file.stem)
        with contextlib.suppress(Timeout), _gone_after(lock), lock.acquire(timeout=0):
            if not file.exists():
                continue
            begun = _begun(file)
            # Killed between the ledger and here, it is written already; killed before its file was whole, nothing ran.
            if begun and not find(begun.id, path):
                append(begun, path)
                found.append(begun)
            file.unlink()
    return found


@dataclasses.dataclass
class Recording:
    """What a command adds to its record: the step's counts, digests of plans and receipts, the exit code."""

    counts: dict[str, int] = dataclasses.field(default_factory=dict)
    digests: dict[str, str] = dataclasses.field(default_factory=dict)
    exit_code: int = 0
    written: Written | None = None


@contextlib.contextmanager
def recorded(step: str, command: str, parameters: Mapping[str, Any], ledger: Path | None = None) -> Iterator[Recording]:
    """A command that writes or reads a platform: what is inside of `with` is in the ledger afterwards.

    Args:
        step: name of the step.
        command: its words, without values, such as `setting create`.
        parameters: names and values; never a secret.
        ledger: the file; where not given :func:`scimops.config.ledger_file`.

    Raises:
        LedgerError: nothing can be added to the ledger; the command has not begun. Or it ended, and cannot be written.
    """
    touched.forget()
    begun, recording = begin(step, command, parameters), Recording()
    with kept(begun, ledger) as write:
        try:
            yield recording
        except BaseException as error:
            recording.exit_code = _code_of(error)
            outcome: Outcome = "cancelled" if recording.exit_code in EXIT_CODES.values() else "failed"
            if not isinstance(error, ScimopsError | KeyboardInterrupt) and recording.exit_code in STEP_CODES:
                outcome = "completed"  # the command line ends that way
            recording.written = write(_ended(begun, outcome, recording))
            raise
        recording.written = write(_ended(begun, "completed", recording))


def _ended(begun: RunRecord, outcome: Outcome, recording: Recording) -> RunRecord:
    return end(begun, outcome, recording.exit_code, recording.counts, *touched.collected(), recording.digests)


def _code_of(error: BaseException) -> int:
    """The exit code that an error ends the command with: ours and the command line's have one."""
    if isinstance(error, KeyboardInterrupt):
        return 130
    code = getattr(error, "exit_code", 1)
    return code if isinstance(code, int) else 1


@contextlib.contextmanager
def _gone_after(lock: FileLock) -> Iterator[None]:
    """The lock's file goes with it, but not where another process holds it."""
    try:
        yield
    except Timeout:
        raise
    except BaseException:
        Path(lock.lock_file).unlink(missing_ok=True)
        raise
    Path(lock.lock_file).unlink(missing_ok=True)


def _lock(folder: Path, name: str) -> FileLock:
    return FileLock(folder / f"{name}.lock", mode=0o600)


def _begun(file: Path) -> RunRecord | None:
    try:
        return RunRecord.model_validate_json(file.read_bytes())
    except ValueError:
        return None
