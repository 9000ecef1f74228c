"""Records of a log to events in Parquet: in slices, so that memory does not grow with the log; each one counted."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from scimops import frames
from scimops.audit.frames import EVENTS
from scimops.audit.logs import entra, okta, platform, provisioning_log, receipts
from scimops.audit.logs.events import SENDING, Event, UnreadableError, changes_text
from scimops.findings import ROW_NUMBERS_KEPT, Finding
from scimops.preview.stage import keyed_people

SLICE = 50_000
"""How many events are in memory at a time."""

QUIET = dt.timedelta(days=3)
"""A log may be silent so long, over a long weekend; a gap is longer, and ten times longer than most of its pauses."""

NAMES_KEPT = 1000
"""Of so many tenants, applications or reasons each is counted by itself: a broken file may have a million."""

_SCHEMA = frames.polars_types(EVENTS)
Record = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """A log that can be read: its source, the keys by which a record is known, its events; whose each record is."""

    source: str
    signature: set[str]
    events_of: Callable[[Record], Iterator[Event]]
    tenant_of: Callable[[Record], str | None] = lambda _: None
    application_of: Callable[[Record], str | None] = lambda _: None


KINDS = (
    Kind("entra", entra.SIGNATURE, entra.events_of, entra.tenant_of, entra.application_of),
    Kind("okta", okta.SIGNATURE, okta.events_of, application_of=okta.application_of),
    Kind("provisioning_log", provisioning_log.SIGNATURE, provisioning_log.events_of),
    Kind("platform_audit", platform.AUDIT_SIGNATURE, platform.events_of_audit_line),
    Kind("platform_jobs", platform.JOB_SIGNATURE, platform.events_of_job),
    Kind("receipts", receipts.SIGNATURE, receipts.events_of),
)


@dataclass
class Log:
    """A log that was read: its events are in `parts`, Parquet of the schema `events` with `user_key`, `email_key`.

    Every record is counted: `records` are the `told`, which tell one event, several or (a step that was not done) none,
    and the `unreadable` by why, with the first hundred numbers. `spans` are the stretches of time without a gap; a log
    that is not whole has none, for nothing may be concluded from its silence.
    """

    file: str
    source: str
    parts: list[Path] = field(default_factory=list)
    records: int = 0
    told: int = 0
    events: int = 0
    unreadable: Counter[str] = field(default_factory=Counter)
    rows: dict[str, list[int]] = field(default_factory=dict)
    tenants: Counter[str] = field(default_factory=Counter)
    applications: Counter[str] = field(default_factory=Counter)
    spans: list[tuple[str, str, str]] = field(default_factory=list)
    problems: list[Finding] = field(default_factory=list)

    def drop(self) -> None:
        """Use nothing of it: neither its events nor its silence."""
        for part in self.parts:
            part.unlink()
        self.parts.clear()
        self.spans.clear()
        self.events = 0


class Reading:
    """Events of one log, a slice at a time; they go into `folder`, as `NAME-0001.parquet` and so on."""

    def __init__(self, file: str, folder: Path, name: str, kind: Kind | None = None) -> None:
        self.log, self.folder, self.name = Log(file, kind.source if kind else ""), folder, name
        self.kind = kind
        self.rows: list[tuple[Any, ...]] = []
        self.minutes: set[int] = set()
        self.zones: set[str] = set()
        self.first = self.last = ""
        self.row = 0
        self.provisioning = False

    def add(self, record: Record | None, why: str = "", row: int = 0) -> None:
        """One record, or why it is none; `row` is its number where records do not come in order."""
        self.log.records += 1
        self.row = row or self.log.records
        if record is not None and self.kind is None:
            self.kind = next((kind for kind in KINDS if kind.signature <= record.keys()), None)
            self.log.source = self.kind.source if self.kind else ""
        if record is None or self.kind is None:
            self._refuse(why or "it is of no log that is known")
            return
        try:
            events = list(self.kind.events_of(record))
        except UnreadableError as error:
            self._refuse(str(error))
            return
        self.log.told += 1
        _count(self.log.tenants, self.kind.tenant_of(record))
        _count(self.log.applications, self.kind.application_of(record))
        for event in events:
            self._keep(event)

    def _refuse(self, why: str) -> None:
        why = _count(self.log.unreadable, why) or why
        rows = self.log.rows.setdefault(why, [])
        if len(rows) < ROW_NUMBERS_KEPT:
            rows.append(self.row)

    def _keep(self, event: Event) -> None:
        self.rows.append(
            (event.at, self.log.source, self.log.file, self.row, event.actor, event.externalId,
             event.userName, event.email, event.resource_id, event.resource_type, event.name, event.operation,
             event.outcome, event.status, event.reason, event.detail, changes_text(event.changes))
        )  # fmt: skip
        self.provisioning |= event.operation != "other" or event.resource_type is not None
        self.zones.add(event.zone)
        self.see(event.at)
        if len(self.rows) >= SLICE:
            self.flush()

    def see(self, at: str) -> None:
        """The log covers this time."""
        self.minutes.add(int(dt.datetime.fromisoformat(at).timestamp()) // 60)
        self.first = min(self.first or at, at)
        self.last = max(self.last, at)

    def flush(self) -> None:
        """Write what is in memory."""
        if not self.rows:
            return
        frame = frames.check(pl.DataFrame(self.rows, schema=_SCHEMA, orient="row"), EVENTS)
        frame = keyed_people(frame)
        path = self.folder / f"{self.name}-{len(self.log.parts) + 1:04}.parquet"
        frame.write_parquet(path)
        self.log.parts.append(path)
        self.log.events += frame.height
        self.rows.clear()

    def gaps(self) -> tuple[list[tuple[int, int]], int]:
        """The gaps as minutes, and the pause that is usual; other logs than those of what was sent have none."""
        minutes = pl.Series(sorted(self.minutes), dtype=pl.Int64)
        pauses = minutes.diff().drop_nulls()
        if pauses.is_empty() or self.log.source not in SENDING:
            return [], 0
        usual = int(pauses.quantile(0.95) or 0)
        longest = max(int(QUIET.total_seconds()) // 60, 10 * usual)
        after = (pauses > longest).arg_true()
        return [(minutes[number], minutes[number + 1]) for number in after], usual

    def spans(self) -> list[tuple[str, str, str]]:
        """The source and each stretch of time without a gap."""
        if not self.first:
            return []
        gaps, _ = self.gaps()
        begins = [self.first, *(time_of(end) for _, end in gaps)]
        ends = [*(time_of(start + 1) for start, _ in gaps), self.last]
        return [(self.log.source, *span) for span in zip(begins, ends, strict=True)]


def time_of(minute: int) -> str:
    """A minute since 1970 as the texts of events have a time."""
    return dt.datetime.fromtimestamp(minute * 60, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def add_all(reading: Reading, records: Iterable[Record]) -> None:
    """Records that came one by one and whole, as a client of the platform gives them."""
    for record in records:
        reading.add(record)
    reading.flush()


def _count(counter: Counter[str], name: str | None) -> str | None:
    """Count `name`, once there are too many as one of the rest; as what it was counted."""
    if name is None:
        return None
    name = name if name in counter or len(counter) < NAMES_KEPT else "others"
    counter[name] += 1
    return name
