"""Files of logs, whichever they are, to events in Parquet: in slices, so that memory does not grow with the log."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from scimops import frames
from scimops.audit.frames import EVENTS
from scimops.audit.logs import entra, platform, provisioning_log
from scimops.audit.logs.documents import Page, records
from scimops.audit.logs.events import NO_ZONE, Event, UnreadableError, changes_text
from scimops.audit.logs.problems import CATALOGUE
from scimops.errors import SourceError
from scimops.findings import Finding, finding
from scimops.idp.source import Workspace, open_source
from scimops.preview.stage import keyed

SLICE = 50_000
"""How many events are in memory at a time."""

QUIET = dt.timedelta(days=3)
"""A log may be silent so long, over a long weekend; a gap is longer, and ten times longer than most of its pauses."""

_KINDS = {"string": pl.String, "int64": pl.Int64}
_SCHEMA = {column.name: _KINDS[column.type] for column in EVENTS.columns}


@dataclass(frozen=True)
class Kind:
    """A log that can be read: its source, the keys by which a record is known, its events, whose tenant it is."""

    source: str
    signature: frozenset[str]
    events_of: Callable[[dict[str, Any]], Iterator[Event]]
    tenant_of: Callable[[dict[str, Any]], str | None] = lambda _: None


KINDS = (
    Kind("entra", frozenset(entra.SIGNATURE), entra.events_of, entra.tenant_of),
    Kind("provisioning_log", frozenset(provisioning_log.SIGNATURE), provisioning_log.events_of),
    Kind("platform_audit", frozenset(platform.AUDIT_SIGNATURE), platform.events_of_audit_line),
    Kind("platform_jobs", frozenset(platform.JOB_SIGNATURE), platform.events_of_job),
)


@dataclass
class Log:
    """A log that was read: its events are in `parts`, Parquet of the schema `events` with `user_key`, `email_key`.

    Every record is counted: `records` are those that told events and the `unreadable`. `spans` are the stretches of
    time without a gap; a log that is not whole has none, for nothing may be concluded from its silence.
    """

    file: str
    source: str
    parts: list[Path] = field(default_factory=list)
    records: int = 0
    events: int = 0
    unreadable: list[tuple[int, str]] = field(default_factory=list)
    tenants: Counter[str] = field(default_factory=Counter)
    spans: list[tuple[str, str, str]] = field(default_factory=list)
    problems: list[Finding] = field(default_factory=list)


def read_log(path: Path, folder: Path, name: str = "log") -> Log:
    """Read one file of a log; its events go into `folder`, as `NAME-0001.parquet` and so on.

    Raises:
        SourceError: the file cannot be read, or is no log that is known.
    """
    source = open_source(path, Workspace())
    page = Page()
    reading = _Reading(Log(source.name, ""), folder, name)
    for record, why in records(source, page):
        reading.add(record, why)
    reading.flush()
    log = reading.log
    if not log.source:
        raise SourceError("is no log that scimops knows.", where=str(path),
                          advice="Known are Entra ID's provisioning log as JSON, and the platform's logs.")  # fmt: skip
    log.problems = list(_problems(log, page, reading))
    if not page.broken and not page.more:
        log.spans = [(log.source, *span) for span in reading.spans()]
    return log


class _Reading:
    """Events of one log, a slice at a time."""

    def __init__(self, log: Log, folder: Path, name: str) -> None:
        self.log, self.folder, self.name = log, folder, name
        self.kind: Kind | None = None
        self.rows: list[tuple[Any, ...]] = []
        self.minutes: set[int] = set()
        self.zones: set[str] = set()
        self.first = self.last = ""

    def add(self, record: Any, why: str) -> None:
        """One record, or why it is none."""
        self.log.records += 1
        if record is not None and self.kind is None:
            self.kind = next((kind for kind in KINDS if kind.signature <= record.keys()), None)
            self.log.source = self.kind.source if self.kind else ""
        if record is None or self.kind is None:
            self.log.unreadable.append((self.log.records, why or "it is of no log that is known"))
            return
        try:
            events = list(self.kind.events_of(record))
        except UnreadableError as error:
            self.log.unreadable.append((self.log.records, str(error)))
            return
        if tenant := self.kind.tenant_of(record):
            self.log.tenants[tenant] += 1
        for event in events:
            self._keep(event)

    def _keep(self, event: Event) -> None:
        self.rows.append(
            (event.at, self.log.source, self.log.file, self.log.records, event.actor, event.externalId,
             event.userName, event.email, event.resource_id, event.resource_type, event.name, event.operation,
             event.outcome, event.status, event.reason, event.detail, changes_text(event.changes))
        )  # fmt: skip
        self.minutes.add(int(dt.datetime.fromisoformat(event.at).timestamp()) // 60)
        self.zones.add(event.zone)
        self.first = min(self.first or event.at, event.at)
        self.last = max(self.last, event.at)
        if len(self.rows) >= SLICE:
            self.flush()

    def flush(self) -> None:
        """Write what is in memory."""
        if not self.rows:
            return
        frame = frames.check(pl.DataFrame(self.rows, schema=_SCHEMA, orient="row"), EVENTS)
        frame = frame.with_columns(keyed(frame, "userName", "user_key"), keyed(frame, "email", "email_key"))
        path = self.folder / f"{self.name}-{len(self.log.parts) + 1:04}.parquet"
        frame.write_parquet(path)
        self.log.parts.append(path)
        self.log.events += frame.height
        self.rows.clear()

    def gaps(self) -> tuple[list[tuple[int, int]], int]:
        """The gaps as minutes, and the pause that is usual."""
        minutes = pl.Series(sorted(self.minutes), dtype=pl.Int64)
        pauses = minutes.diff().drop_nulls()
        if pauses.is_empty():
            return [], 0
        usual = int(pauses.quantile(0.95) or 0)
        longest = max(int(QUIET.total_seconds()) // 60, 10 * usual)
        after = (pauses > longest).arg_true()
        return [(minutes[number], minutes[number + 1]) for number in after], usual

    def spans(self) -> list[tuple[str, str]]:
        """The stretches of time without a gap."""
        if not self.first:
            return []
        gaps, _ = self.gaps()
        begins = [self.first, *(_text(end) for _, end in gaps)]
        ends = [*(_text(start + 1) for start, _ in gaps), self.last]
        return list(zip(begins, ends, strict=True))


def _text(minute: int) -> str:
    return dt.datetime.fromtimestamp(minute * 60, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _problems(log: Log, page: Page, reading: _Reading) -> Iterator[Finding]:
    """What the log lacks, each said plainly."""
    missing = page.broken or ("the next page is not in it" if page.more else "")
    if not missing and page.total is not None and page.total > log.records:
        missing = f"it says {page.total:,} records in all and holds {log.records:,}"
    if missing:
        yield _said("log_incomplete", file=log.file, missing=missing)
    by_why: dict[str, list[int]] = {}
    for number, why in log.unreadable:
        by_why.setdefault(why, []).append(number)
    for why, numbers in by_why.items():
        yield _said("log_unreadable", count=len(numbers), rows=numbers[:100], file=log.file, why=why)
    if not log.events + len(reading.rows):
        yield _said("log_empty", file=log.file)
    gaps, usual = reading.gaps()
    if gaps:
        shown = "; ".join(f"{_text(start)[:16]}Z to {_text(end)[:16]}Z" for start, end in gaps[:10])
        yield _said("log_gap", count=len(gaps), file=log.file, usual=f"{usual:,} minutes", gaps=shown)
    named = sorted(reading.zones - {NO_ZONE})
    if len(reading.zones) > 1:
        yield _said("log_zones_mixed", file=log.file, zones=", ".join([*named, *reading.zones & {NO_ZONE}]))
    elif reading.zones == {NO_ZONE}:
        yield _said("log_no_zone", file=log.file)
    if len(log.tenants) > 1:
        shown = ", ".join(f"{tenant} ({count:,})" for tenant, count in log.tenants.most_common(5))
        yield _said("log_two_tenants", file=log.file, tenants=shown)


def _said(code: str, *, count: int = 0, rows: list[int] | None = None, **values: Any) -> Finding:
    return finding(code, count=count, row_numbers=rows or (), catalogue=CATALOGUE, **values)
