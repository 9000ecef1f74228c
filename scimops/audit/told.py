"""What the logs tell of given people: the lines of each, found by whatever key a log has."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from scimops.audit.logs.events import SENDING
from scimops.audit.logs.problems import differing_tenants, said
from scimops.audit.logs.read import read_files
from scimops.backend import Backend
from scimops.touched import file_digest

if TYPE_CHECKING:
    import narwhals as nw

    from scimops.audit.logs.reading import Log
    from scimops.findings import Finding

SHOWN = (
    "at", "source", "file", "row", "actor", "operation", "outcome", "status", "reason", "name", "detail", "changes",
)  # fmt: skip


_LINE = {name: pl.Int64() if name in ("row", "status") else pl.String() for name in SHOWN}


@dataclass(frozen=True)
class Logs:
    """The logs of an audit, staged: Parquet of the schema `events` with `user_key` and `email_key`.

    `spans`: (source, first time, last time) of each stretch without a gap; `path` is None where no log was read.
    `keeper` holds a folder that goes when nobody needs it any more.
    """

    path: Path | None = None
    spans: tuple[tuple[str, str, str], ...] = ()
    files: tuple[str, ...] = ()
    keeper: object = field(default=None, repr=False, compare=False)

    def covered(self, start: pl.Expr, end: pl.Expr, sources: Sequence[str] = SENDING) -> pl.Expr:
        """Does one log cover the whole time from `start` to `end` (texts, ISO 8601 in UTC) without a gap?"""
        spans = [(start >= began) & (end <= ended) for source, began, ended in self.spans if source in sources]
        return pl.any_horizontal([pl.lit(False), *spans]).fill_null(False)


More = Callable[[Path], "list[Log]"]
"""Reads logs that are in no file into a folder (:func:`scimops.audit.sources.live_logs`)."""

STRANGERS = 20
"""A log of what was sent that tells so often of people, and never of one who is known, is of another tenant."""


def read_logs(
    paths: Sequence[Path], folder: Path | None = None, *, known: pl.DataFrame | None = None, more: More | None = None
) -> tuple[Logs, list[Finding]]:  # fmt: skip
    """Read logs into `folder` (one of its own if not given); and what they lack.

    Args:
        paths: files of logs, of any kind.
        folder: where the events go.
        known: externalId, `user_key`, `email_key`, `resource_id` of everybody in the export and on the platform: a log
            of an identity provider that is of none of them is not used.
        more: reads logs that are in no file.

    Raises:
        SourceError: a file cannot be read, or is no log that is known.
    """
    if not paths and more is None:
        return Logs(), []
    keeper = tempfile.TemporaryDirectory(prefix="scimops-") if folder is None else None
    place = Path(keeper.name) if keeper else Path(str(folder))
    paths, twice = _once(paths)
    logs = read_files(paths, place)
    if known is not None:
        _drop_strangers(logs, known)
    differing = differing_tenants(logs)
    logs += more(place) if more else []
    spans = tuple(span for log in logs for span in log.spans)
    some = any(log.parts for log in logs)
    found = [said("log_twice", file=path.name) for path in twice]
    found += [*_overlapping(logs), *differing, *(one for log in logs for one in log.problems)]
    return Logs(place if some else None, spans, tuple(log.file for log in logs), keeper), found


def _once(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Files of which each has other bytes, and those that say the same again: counted once, nothing is doubled."""
    sizes = [path.stat().st_size if path.is_file() else None for path in paths]
    seen: set[str] = set()
    once: list[Path] = []
    twice: list[Path] = []
    for path, size in zip(paths, sizes, strict=True):
        alike = size is not None and sizes.count(size) > 1  # a long log of its own size is not read for this
        digest = file_digest(path) if alike else str(path)
        (twice if digest in seen else once).append(path)
        seen.add(digest)
    return once, twice


SAMPLE = 1_000
"""Events of a log, spread over it, that are looked for in the others; of two logs with many in common it is said."""


def _overlapping(logs: Sequence[Log]) -> list[Finding]:
    """Say it where two logs of one source tell the same events: other formats of it, or times that overlap.

    An event is the same by second, person and outcome: not every format has fractions of a second, or the values by
    which an update is a deactivation. However many logs there are, each is gone through twice.
    """
    several = Counter(log.source for log in logs if log.parts)
    event = [pl.col("at").str.head(19), pl.coalesce("externalId", "user_key").alias("who"), pl.col("source", "outcome")]
    told = {number: pl.scan_parquet(log.parts).select(*event, n=pl.lit(number)).drop_nulls("who")
            for number, log in enumerate(logs) if log.parts and several[log.source] > 1}  # fmt: skip
    if not told:
        return []
    samples = [events.gather_every(max(1, logs[number].events // SAMPLE)) for number, events in told.items()]
    both = pl.concat(told.values()).join(pl.concat(samples), on=["at", "who", "source", "outcome"], suffix="_later")
    both = both.filter(pl.col("n") < pl.col("n_later")).unique().group_by("n_later", "n").len()
    found = both.filter(pl.col("len") >= STRANGERS).sort("n_later", "n").collect(engine="streaming")
    pairs = found.select("n_later", "n").iter_rows()
    return [said("log_overlaps", file=logs[later].file, other=logs[one].file) for later, one in pairs]


def _drop_strangers(logs: Sequence[Log], known: pl.DataFrame) -> None:
    for log in logs:
        if log.source in ("entra", "okta") and (count := _strangers(log, known)):
            log.drop()
            log.problems.append(said("log_other_tenant", file=log.file, count=count))
        elif log.source in ("entra", "okta") and (count := _elsewhere(log, known["resource_id"].drop_nulls())):
            log.problems.append(said("log_other_application", file=log.file, count=count))


def _strangers(log: Log, known: pl.DataFrame) -> int:
    """How many events of `log` are of people, where those are many and of nobody who is `known`; else 0."""
    if not log.parts:
        return 0
    named = pl.any_horizontal(pl.col("externalId", "user_key", "email_key").is_not_null())
    events = pl.scan_parquet(log.parts).filter(named)
    count = int(events.select(pl.len()).collect(engine="streaming").item())
    for key in known.columns if count >= STRANGERS else []:
        theirs = known.lazy().select(pl.col(key).drop_nulls().unique())
        if events.join(theirs, on=key, how="semi").head(1).collect(engine="streaming").height:
            return 0
    return count if count >= STRANGERS else 0


def _elsewhere(log: Log, ids: pl.Series) -> int:
    """How many people `log` has by an id of theirs, where those are many and none is among the platform's; else 0."""
    if not log.parts or len(ids) < STRANGERS:
        return 0
    told = pl.scan_parquet(log.parts).filter(pl.col("resource_type") == "User").select("resource_id").drop_nulls()
    theirs = told.unique().collect(engine="streaming").to_series()
    return len(theirs) if len(theirs) >= STRANGERS and not theirs.is_in(ids.implode()).any() else 0


def lines_of(people: pl.DataFrame, logs: Logs, computer: Backend) -> pl.DataFrame:
    """The lines on `people` (`p`, externalId, keys, `user_id`), sorted: `p` and :data:`SHOWN`."""
    if logs.path is None or people.is_empty():
        return pl.DataFrame(schema={"p": pl.Int64(), **_LINE})
    few = people if computer.name == "polars" or people.height <= FEW else people.clear()
    wanted = {theirs: few[ours].drop_nulls().unique().to_list() for ours, theirs in _KEYS.items()}
    found = computer.run(lambda people, events: lines(people, events, wanted), people=people, events=logs.path)
    return found.sort("p", "at", "source", "file", "row")


FEW = 20_000
"""A log is sifted by people's keys before anything is joined, then most of it is never read; a cluster is told the keys
one by one, so it does that for so many people only."""

_KEYS = {"externalId": "externalId", "user_key": "user_key", "email_key": "email_key", "user_id": "resource_id"}


def lines(
    people: nw.LazyFrame[Any], events: nw.LazyFrame[Any], wanted: dict[str, list[str]]
) -> nw.LazyFrame[Any]:  # fmt: skip
    """The lines of `events` that share a key with one of `people`; `wanted` are their keys, unless too many."""
    import narwhals as nw

    if any(wanted.values()):
        events = events.filter(
            nw.any_horizontal(
                *[nw.col(key).is_in(values) for key, values in wanted.items() if values], ignore_nulls=True
            )
        )
    parts = []
    for ours, theirs in _KEYS.items():
        meant = people.filter(~nw.col(ours).is_null()).select("p", nw.col(ours).alias(theirs)).unique()
        parts.append(events.join(meant, on=theirs, how="inner").select("p", *SHOWN))
    return nw.concat(parts, how="vertical").unique()


def group_lines(logs: Logs, computer: Backend) -> pl.DataFrame:
    """The deletions of groups: `name` and :data:`SHOWN`, in order of time."""
    if logs.path is None:
        return pl.DataFrame(schema=_LINE)
    return computer.run(_deleted_groups, events=logs.path).sort("at", "row")


def _deleted_groups(events: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    import narwhals as nw

    by_hand = (nw.col("source") == "platform_audit") & (nw.col("operation") == "delete_group")
    return events.filter(by_hand & (nw.col("outcome") == "success")).select(*SHOWN)


def evidence() -> pl.Expr:
    """A line of a log in words: whose, where, when."""
    return pl.format("{} {} row {} at {}", "source", "file", "row", "at")


def moment(time: dt.datetime) -> str:
    """A time as the texts of events have it."""
    return time.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03}Z"
