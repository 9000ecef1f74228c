"""Ledgers made by the real writer, and tampering with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scimops.jobs.ledger import Written, append, canonical, hash_of
from scimops.jobs.record import RunRecord, begin, end


def a_record(**parameters: Any) -> RunRecord:
    """A command that was done."""
    return end(begin("create_setting", "setting check", parameters), "completed", 0, {"people": 7}, [], [])


def grow(ledger: Path, records: int) -> list[Written]:
    return [append(a_record(number=number, name='Zoë\n😀 \\ "quoted"'), ledger) for number in range(1, records + 1)]


def lines(ledger: Path) -> list[bytes]:
    return ledger.read_bytes().splitlines(keepends=True)


def forged(entry: dict[str, Any], **changes: Any) -> bytes:
    """A line whose hash is right, as anybody can compute it."""
    entry = {**entry, **changes}
    entry["hash"] = hash_of(entry)
    return canonical(entry) + b"\n"
