"""The runs in a ledger: listed from its end, found, compared, overdue, their artefacts pruned. Nothing is checked here.

The file is mapped into memory and searched from its end, so that the newest runs of a million come at once.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from scimops.config import ledger_file
from scimops.errors import UsageError
from scimops.jobs.ledger import LedgerError
from scimops.jobs.record import RunRecord

_UNITS: Final = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_SLACK: Final = dt.timedelta(days=1)
"""A run that was written so long before the time that is asked for ends the search; a clock may have gone back."""


@dataclass(frozen=True)
class Logged:
    """A run and its place in the chain."""

    number: int
    hash: str
    signed: bool
    record: RunRecord

    @property
    def head(self) -> str:
        """Number and hash, as a summary carries them."""
        return f"{self.number}:{self.hash}"

    @property
    def what(self) -> str:
        """The notebook or the command."""
        return self.record.notebook.name if self.record.notebook else str(self.record.command)

    @property
    def when_done(self) -> dt.datetime:
        """Its end; where it broke off unseen, its beginning."""
        return self.record.ended or self.record.started


@dataclass(frozen=True)
class Wanted:
    """Which runs; `notebook` is a name with or without `.ipynb`, `since` a time of their beginning."""

    outcome: str | None = None
    notebook: str | None = None
    since: dt.datetime | None = None

    def needle(self) -> bytes:
        """Bytes that stand in every line that is wanted."""
        if self.notebook:
            return b'"notebook":{"name":' + json.dumps(self.notebook, ensure_ascii=False).encode().removesuffix(b'"')
        return f'"outcome":"{self.outcome}"'.encode() if self.outcome else b"\n"

    def takes(self, record: RunRecord) -> bool:
        """Is this one wanted?"""
        name = record.notebook.name if record.notebook else None
        return (
            (self.outcome is None or record.outcome == self.outcome)
            and (self.notebook is None or name in (self.notebook, f"{self.notebook}.ipynb"))
            and (self.since is None or record.started >= self.since)
        )


ALL: Final = Wanted()


def runs(ledger: Path | None = None, wanted: Wanted = ALL) -> Iterator[Logged]:
    """The runs that are wanted, the newest first.

    Raises:
        LedgerError: the file cannot be read.
    """
    needle = wanted.needle()
    with _mapped(ledger or ledger_file()) as data:
        for line in _lines_with(data, needle):
            logged = _logged(line)
            if logged and wanted.since and logged.when_done < wanted.since - _SLACK:
                return
            if logged and wanted.takes(logged.record):
                yield logged


def find(run_id: str, ledger: Path | None = None) -> Logged | None:
    """The run of this id; the beginning of it is enough where only one has it. None where there is none.

    Raises:
        UsageError: several begin so.
        LedgerError: the file cannot be read.
    """
    if not re.fullmatch("[0-9A-Za-z-]{1,60}", run_id):
        return None
    found: dict[str, Logged] = {}
    with _mapped(ledger or ledger_file()) as data:
        for line in _lines_with(data, f'"id":"{run_id}'.encode()):
            logged = _logged(line)
            if logged and logged.record.id == run_id:
                return logged
            if logged and logged.record.id.startswith(run_id):
                found.setdefault(logged.record.id, logged)
            if len(found) > 1:
                raise UsageError(f"Several runs begin with {run_id}: {', '.join(found)} …", advice="Give more of it.")
    return next(iter(found.values()), None)


def the_run(run_id: str, ledger: Path | None = None) -> Logged:
    """The run of this id.

    Raises:
        UsageError: there is none, or several begin so.
    """
    found = find(run_id, ledger)
    if found is None:
        raise UsageError(f'There is no run "{run_id}".', advice="scimops runs list shows their ids.")
    return found


def lines_of(record: RunRecord) -> list[tuple[str, str]]:
    """A record's parts as name and text; what is not there is left out."""
    return _flat("", record.model_dump(mode="json"))


def differences(one: RunRecord, other: RunRecord) -> list[tuple[str, str, str]]:
    """What differs between two runs: what it is, and its value in each; files by hash, so that a moved one is equal."""
    left, right = _facts(one), _facts(other)
    names = [*left, *(name for name in right if name not in left)]
    return [(n, left.get(n, "—"), right.get(n, "—")) for n in names if left.get(n) != right.get(n)]


def overdue(
    notebook: str, every: dt.timedelta, ledger: Path | None = None
) -> tuple[Logged | None, Logged | None] | None:
    """None where the notebook was completed within `every`; else its last run, and its last run that was completed."""
    last: Logged | None = None
    for logged in runs(ledger, Wanted(notebook=notebook)):
        last = last or logged
        if logged.record.outcome == "completed":
            late = logged.when_done < dt.datetime.now(dt.UTC) - every
            return (last, logged) if late else None
    return last, None


def read_span(text: str) -> dt.timedelta:
    """`90m`, `24h`, `7d` or `2w`.

    Raises:
        UsageError: it is none of them.
    """
    found = re.fullmatch(r"(\d{1,6})([mhdw])", text)
    if not found:
        raise UsageError(f'"{text}" is no span of time.', advice="Write a number with m, h, d or w, such as 24h or 7d.")
    return dt.timedelta(seconds=int(found[1]) * _UNITS[found[2]])


def read_since(text: str) -> dt.datetime:
    """A span before now, or a date or time (ISO 8601; UTC where it names no zone).

    Raises:
        UsageError: it is neither.
    """
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError:
        return dt.datetime.now(dt.UTC) - read_span(text)
    return time if time.tzinfo else time.replace(tzinfo=dt.UTC)


def _facts(record: RunRecord) -> dict[str, str]:
    """What two runs are compared by; durations and ids always differ."""
    facts = {"step": record.step, "outcome": record.outcome, "exit code": str(record.exit_code)}
    facts |= {"notebook": record.notebook.sha256 if record.notebook else record.command or ""}
    facts |= {f"parameter {name}": value for name, value in record.parameters.items()}
    facts |= {f"count {name}": str(count) for name, count in record.counts.items()}
    for word, files in (("input", record.inputs), ("output", record.outputs)):
        facts |= {f"{word} {Path(file.name).name}": file.sha256 or "no hash" for file in files}
    facts |= {f"digest {name}": digest for name, digest in record.digests.items()}
    code = record.code
    facts |= {"scimops": code.scimops, "commit": f"{code.commit}{' and changes' if code.dirty else ''}"}
    facts |= {"python": code.python, "user": record.who.user, "host": record.who.host}
    return facts | {f"package {name}": version for name, version in code.packages.items()}


def _flat(name: str, value: Any) -> list[tuple[str, str]]:
    if value is None or value in ({}, []):
        return []
    if isinstance(value, dict) and {"sha256", "size"} <= set(value):
        return [
            (name, f"{value['name']}  {value['size']:,} bytes  {value['sha256'] or 'changed before it was hashed'}")
        ]
    if isinstance(value, dict):
        return [row for key, inner in value.items() for row in _flat(f"{name} {key}".strip(), inner)]
    if isinstance(value, list):
        return [row for inner in value for row in _flat(name.removesuffix("s"), inner)]
    return [(name, str(value))]


def _logged(line: bytes) -> Logged | None:
    """The run of a line; None where it is torn or damaged, which :func:`scimops.jobs.verify.verify` says."""
    try:
        entry: dict[str, Any] = json.loads(line)
        record = RunRecord.model_validate(entry["record"])
        return Logged(int(entry["number"]), str(entry["hash"]), "signature" in entry, record)
    except (ValueError, KeyError, TypeError, RecursionError, ValidationError):
        return None


def _lines_with(data: mmap.mmap | bytes, needle: bytes) -> Iterator[bytes]:
    """The lines that hold `needle`, the last first; a last one without its newline is not whole yet."""
    end = data.rfind(b"\n") + 1
    while end > 0 and (at := data.rfind(needle, 0, end)) >= 0:
        start = data.rfind(b"\n", 0, at) + 1
        yield data[start : data.find(b"\n", at) + 1]
        end = start


@contextlib.contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap | bytes]:
    try:
        with path.open("rb") as stream:
            if path.stat().st_size == 0:
                yield b""
                return
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                yield data
    except FileNotFoundError:
        yield b""
    except OSError as error:
        raise LedgerError(f"the ledger cannot be read: {error.strerror}.", where=str(path)) from error
