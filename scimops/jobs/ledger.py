"""The ledger: one file to which each run adds a line, chained to the line before it. Only ever added to.

A line is one JSON object in the canonical form of RFC 8785, as far as there are no fractions: keys sorted, no white
space, UTF-8, a newline at the end. Its keys:

| key | what it is |
|---|---|
| `format` | 1 |
| `number` | 1, 2, 3 … |
| `previous` | `hash` of the line before; 64 zeros in the first |
| `written` | when, by the clock of the computer; the order of runs is that of the chain |
| `clock_back_ms` | only where that clock went back since the line before: by how much |
| `torn` | only after lines whose writer was killed in the middle: size and SHA-256 of each |
| `record` | the run (:mod:`scimops.jobs.record`) |
| `key` | only in a signed line: the public key, 64 hexadecimal digits |
| `hash` | SHA-256 of the line's canonical form without `hash` and `signature` |
| `signature` | Ed25519 signature of the 64 letters of `hash` |

A torn line stays where it is: the next writer ends it with :data:`TORN` and names it in its own line.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from scimops.config import ledger_file
from scimops.errors import ScimopsError
from scimops.jobs.kernel_seam import redacted
from scimops.jobs.record import RunRecord
from scimops.jobs.signing import Signer, signer

FIRST: Final = "0" * 64
TORN: Final = b" #torn\n"
LONGEST: Final = 16 << 20
"""Bytes of a line at most: a run that read a hundred thousand files."""

_WAIT = 120.0
_BLOCK = 1 << 16


class LedgerError(ScimopsError):
    """The ledger cannot be read or written, or is damaged so that nothing may be added to it."""


@dataclass(frozen=True)
class Written:
    """What a line came to: its number and hash, and whether it is signed; `head` is what a summary carries."""

    number: int
    hash: str
    signed: bool

    @property
    def head(self) -> str:
        """Number and hash; `scimops runs verify --head` checks against it."""
        return f"{self.number}:{self.hash}"


@dataclass(frozen=True)
class _End:
    """The end of a ledger: its last whole line, torn ones after it, and what is needed to go on."""

    last: dict[str, Any] | None
    torn: list[dict[str, Any]]
    mend: bytes  # what ends the last bytes


def canonical(value: Any) -> bytes:
    """The one way to write `value`: keys sorted, no white space, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def hash_of(entry: dict[str, Any]) -> str:
    """The hash that an entry must have."""
    return hashlib.sha256(canonical({k: v for k, v in entry.items() if k not in ("hash", "signature")})).hexdigest()


def read_line(line: bytes) -> dict[str, Any] | None:
    """The entry of a line; None where it is not exactly what was once written."""
    try:
        entry = json.loads(line)
        good = isinstance(entry, dict) and canonical(entry) + b"\n" == line and entry["hash"] == hash_of(entry)
    except (ValueError, KeyError, RecursionError):
        return None
    return entry if good else None


def append(record: RunRecord, ledger: Path | None = None) -> Written:
    """Add a run to the ledger, on disk when this returns; secrets are taken out of every text first.

    Args:
        record: the run.
        ledger: the file; where not given :func:`scimops.config.ledger_file`.

    Raises:
        LedgerError: it cannot be written, or its last line is damaged.
    """
    path = ledger or ledger_file()
    document, signs = redacted(record.model_dump(mode="json")), signer()
    with _locked(path), _writing(path):
        with _open(path) as stream:
            end = _end(stream, path)
            entry = _entry(document, end, signs)
            _add(stream, end.mend, canonical(entry) + b"\n")
        if entry["number"] == 1:
            _sync_folder(path.parent)
    return Written(entry["number"], entry["hash"], signs is not None)


def ready(ledger: Path | None = None) -> None:
    """Look whether a run can be added, before it runs.

    Raises:
        LedgerError: as in :func:`append`.
    """
    path = ledger or ledger_file()
    signer()
    with _locked(path), _writing(path), _open(path) as stream:
        _end(stream, path)


def is_empty(ledger: Path | None = None) -> bool:
    """Is there no run yet?"""
    path = ledger or ledger_file()
    return not path.exists() or path.stat().st_size == 0


def _open(path: Path) -> Any:
    """The ledger for adding, its owner's alone where it is made here."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o600), "r+b", buffering=0)


def _entry(document: dict[str, Any], end: _End, signs: Signer | None) -> dict[str, Any]:
    now = dt.datetime.now(dt.UTC)
    entry: dict[str, Any] = {
        "format": 1, "number": 1, "previous": FIRST, "record": document,
        "written": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }  # fmt: skip
    if end.last:
        entry |= {"number": end.last["number"] + 1, "previous": end.last["hash"]}
        back = dt.datetime.fromisoformat(end.last["written"]) - dt.datetime.fromisoformat(entry["written"])
        if back > dt.timedelta(0):
            entry["clock_back_ms"] = round(back.total_seconds() * 1000)
    if end.torn:
        entry["torn"] = end.torn
    if signs:
        entry["key"] = signs.public
    entry["hash"] = hash_of(entry)
    if signs:
        entry["signature"] = signs.sign(entry["hash"])
    return entry


def _end(stream: Any, path: Path) -> _End:
    """The end of the ledger, read backwards.

    Raises:
        LedgerError: the last whole line is not what was once written.
    """
    torn: list[dict[str, Any]] = []
    mend = b""
    for line in lines_backwards(stream):
        whole = line.endswith(b"\n")
        entry = read_line(line if whole else line + b"\n")
        if entry:
            return _End(entry, torn[::-1], mend if whole else b"\n")
        if whole and not line.endswith(TORN):
            raise LedgerError(
                "its last line is damaged, so nothing is added to it.", where=str(path),
                advice="scimops runs verify says more. Keep the file for who asks, and move it away: a new one begins.",
            )  # fmt: skip
        mend = mend if whole else TORN
        ended = line if whole else line + TORN
        torn.append({"sha256": hashlib.sha256(ended).hexdigest(), "size": len(ended)})
    return _End(None, torn[::-1], mend)


def lines_backwards(stream: Any) -> Iterator[bytes]:
    """The lines of a binary stream, the last first; only the last may be without its newline.

    Raises:
        LedgerError: a line is longer than any that was written.
    """
    place, rest = stream.seek(0, os.SEEK_END), b""
    while place:
        start = max(0, place - _BLOCK)
        stream.seek(start)
        block = stream.read(place - start)
        place = start
        rest = block + rest
        if b"\n" in block:
            first, *lines = rest.split(b"\n")
            ended = [line + b"\n" for line in [first, *lines][:-1]] + [lines[-1]] * bool(lines[-1])
            rest = ended.pop(0)
            yield from reversed(ended)
        if len(rest) > LONGEST:
            raise LedgerError(f"a line is longer than {LONGEST:,} bytes.", where=str(getattr(stream, "name", "")))
    if rest:
        yield rest


def _add(stream: Any, mend: bytes, line: bytes) -> None:
    """Write and flush to disk; where the disk is full nothing of it stays."""
    before = os.fstat(stream.fileno()).st_size
    data = memoryview(mend + line)
    try:
        while data:
            data = data[stream.write(data) :]
        os.fsync(stream.fileno())
    except OSError:
        with contextlib.suppress(OSError):  # a file that may only be added to; then the next writer names the torn line
            stream.truncate(before)
        raise


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One writer at a time; the lock goes with the process that holds it."""
    with _writing(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(f"{path}.lock", timeout=_WAIT, mode=0o600, poll_interval=0.01)
        try:
            lock.acquire()
        except Timeout:
            raise LedgerError(
                f"another process has been writing it for {_WAIT:.0f} seconds.", where=str(path),
                advice=f"Who holds {path.name}.lock? End it; the lock goes with it.",
            ) from None  # fmt: skip
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LedgerError(
            f"the ledger cannot be written: {(error.strerror or type(error).__name__).lower()}.", where=str(path),
            advice="Name another place with --ledger or SCIMOPS_LEDGER, or make room.",
        ) from error  # fmt: skip


def _sync_folder(folder: Path) -> None:
    """The name of a new file is on disk too; a folder cannot be opened under Windows."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
