"""Check a ledger, line by line from its start, in flat memory: is it what was once written, and whole?

The chain alone shows every change but two: a tail that was cut off, and a ledger written anew from some line on. Those
show against a head that a summary carried, and, where lines are signed, the second against the public key.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from scimops.config import ledger_file
from scimops.errors import UsageError
from scimops.jobs.ledger import FIRST, LONGEST, TORN, LedgerError, read_line
from scimops.jobs.signing import UNSIGNED, signature_fits

Why = Literal["changed", "removed", "inserted", "swapped", "rewritten", "cut", "torn", "unsigned", "wrong key"]

_OTHER_KEY: Final = "it is signed with another key than the one that was named"


@dataclass
class Verdict:
    """What was found. `line` counts from 1 and is the first bad one; `records` are those before it that are good.

    `head` is number and hash of the last good record, `keys` the public keys of signed records in their order.
    """

    records: int = 0
    signed: int = 0
    keys: list[str] = field(default_factory=list)
    torn: int = 0
    clock_went_back: int = 0
    head: str | None = None
    line: int | None = None
    why: Why | None = None
    message: str = ""

    @property
    def good(self) -> bool:
        """Is all as it was written?"""
        return self.why is None

    @property
    def proves(self) -> str:
        """What a good verdict is worth, in a sentence."""
        if not self.signed:
            return UNSIGNED
        first = self.records - self.signed
        unsigned = f" The first {first:,} came before the key: the chain holds them." if first else ""
        return f"Signed by {', '.join(self.keys)}: nobody without that key wrote or changed it.{unsigned}"

    def to_dict(self) -> dict[str, Any]:
        """What `scimops runs verify --json` prints."""
        return {"format": 1, "good": self.good, **asdict(self), "proves": self.proves if self.good else ""}


class _Bad(Exception):  # noqa: N818  # a finding, no error
    def __init__(self, why: Why, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.why, self.message, self.line = why, message, line


def verify(ledger: Path | None = None, head: str | None = None, key: str | None = None) -> Verdict:
    """Check a ledger.

    Args:
        ledger: the file; where not given :func:`scimops.config.ledger_file`.
        head: what a summary carried: `NUMBER:HASH`. That record must be there.
        key: the public key, as 64 hexadecimal digits, by which the records must be signed.

    Raises:
        UsageError: `head` is none.
        LedgerError: the file cannot be read.
    """
    if head is not None and not re.fullmatch(r"[1-9]\d{0,17}:[0-9a-f]{64}", head):
        raise UsageError("This is no head of a ledger.", advice="It is written NUMBER:HASH in the summary of a run.")
    path = ledger or ledger_file()
    check = _Check(key, head)
    try:
        check.all(_lines(path))
        check.at_the_end()
    except _Bad as bad:
        check.verdict.line, check.verdict.why, check.verdict.message = bad.line or check.line, bad.why, bad.message
        if bad.why == "cut":
            check.verdict.line = None
    return check.verdict


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as stream:
            while line := stream.readline(LONGEST + 2):
                yield line
    except FileNotFoundError:
        return  # no run yet, unless a head says otherwise
    except OSError as error:
        raise LedgerError(f"the ledger cannot be read: {error.strerror}.", where=str(path)) from error


class _Check:
    """The state on the way: the last good record's number and hash, torn lines not yet named."""

    def __init__(self, key: str | None, head: str | None) -> None:
        self.verdict, self.key, self.line = Verdict(), key, 0
        self.previous, self.torn = FIRST, list[dict[str, Any]]()
        number, _, digest = (head or "0:").partition(":")
        self.head_number, self.head_hash = int(number), digest

    def all(self, lines: Iterator[bytes]) -> None:
        """Every line; raises _Bad at the first that is not good."""
        for line in lines:
            self.line += 1
            if not line.endswith(b"\n"):
                raise _Bad("torn", "it has no end: whoever wrote it was killed, or somebody cut it. The next run that "
                                   "is written names it, and the ledger is whole again.")  # fmt: skip
            if line.endswith(TORN):
                self.torn.append({"sha256": hashlib.sha256(line).hexdigest(), "size": len(line)})
                continue
            entry = read_line(line)
            if entry is None:
                raise _Bad("changed", "it is not what was once written: its hash is another.")
            self._placed(entry, lines)
            self._signed(entry)
            self._take(entry)

    def _placed(self, entry: dict[str, Any], lines: Iterator[bytes]) -> None:
        number, expected = entry.get("number"), self.verdict.records + 1
        if not isinstance(number, int) or number < expected:
            raise _Bad("inserted", f"it is record {number}, where record {expected} belongs; it, or one before it, was "
                                   "put in.")  # fmt: skip
        if number > expected:
            after = read_line(next(lines, b"")) or {}
            if after.get("number") == expected:
                raise _Bad("swapped", f"records {expected} and {number} were swapped.")
            raise _Bad("removed", f"records {expected} to {number - 1} were removed." if number - 1 > expected else
                                  f"record {expected} was removed.")  # fmt: skip
        if entry.get("previous") != self.previous:
            raise _Bad("rewritten", "the record before it is another than when this one was written.")
        if entry.get("torn", []) != self.torn:
            raise _Bad("changed", "the torn lines before it are others than when this record was written.")

    def _signed(self, entry: dict[str, Any]) -> None:
        key = entry.get("key")
        if key is None and self.verdict.signed:
            raise _Bad("unsigned", "it is not signed, and records before it are: somebody without the key wrote it.")
        if key is None:
            return
        if self.key and key != self.key:
            raise _Bad("wrong key", f"{_OTHER_KEY}: {key}.")
        if not signature_fits(str(key), entry["hash"], str(entry.get("signature"))):
            raise _Bad("wrong key", "its signature does not fit: it was not made with the key that it names.")

    def _take(self, entry: dict[str, Any]) -> None:
        found = self.verdict
        found.records, found.torn = entry["number"], found.torn + len(self.torn)
        self.previous, self.torn = entry["hash"], []
        found.head = f"{found.records}:{self.previous}"
        found.clock_went_back += "clock_back_ms" in entry
        if "key" in entry:
            found.signed += 1
            if entry["key"] not in found.keys:
                found.keys.append(entry["key"])
        if found.records == self.head_number and self.previous != self.head_hash:
            raise _Bad("rewritten", f"record {self.head_number} is another than the one of the head: from some record "
                                    "on, the ledger was written anew.")  # fmt: skip

    def at_the_end(self) -> None:
        """What only shows once all is read."""
        found = self.verdict
        if self.torn:
            raise _Bad("torn", "a torn line was ended, and no record names it.")
        if found.records < self.head_number:
            raise _Bad("cut", f"the head is of record {self.head_number}, and the ledger ends with {found.records}: "
                              "its tail was cut off.")  # fmt: skip
        if self.key and not found.signed:
            raise _Bad("unsigned", "no record is signed, and a key was named.", 1)
