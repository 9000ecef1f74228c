"""What the logs tell of given people: the lines of each, found by whatever key a log has."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from scimops.audit.logs.read import read_log
from scimops.backend import Backend

if TYPE_CHECKING:
    import narwhals as nw

    from scimops.findings import Finding

SENDING = ("entra", "okta", "provisioning_log")
"""Logs that have a line for whatever an identity provider sent."""

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


def read_logs(paths: Sequence[Path], folder: Path | None = None) -> tuple[Logs, list[Finding]]:
    """Read files of logs, of any kind, into `folder` (one of its own if not given); and what they lack.

    Raises:
        SourceError: a file cannot be read, or is no log that is known.
    """
    if not paths:
        return Logs(), []
    keeper = tempfile.TemporaryDirectory(prefix="scimops-") if folder is None else None
    place = Path(keeper.name) if keeper else Path(str(folder))
    logs = [read_log(path, place, f"log{number}") for number, path in enumerate(paths, 1)]
    spans = tuple(span for log in logs for span in log.spans)
    some = any(log.parts for log in logs)
    found = [one for log in logs for one in log.problems]
    return Logs(place if some else None, spans, tuple(log.file for log in logs), keeper), found


def lines_of(people: pl.DataFrame, logs: Logs, computer: Backend, folder: Path | None = None) -> pl.DataFrame:
    """The lines on `people` (`p`, externalId, keys, `user_id`), sorted: `p` and :data:`SHOWN`."""
    if logs.path is None or people.is_empty():
        return pl.DataFrame(schema={"p": pl.Int64(), **_LINE})
    found = computer.run(lines, folder, people=people, events=logs.path)
    return found.sort("p", "at", "source", "file", "row")


def lines(people: nw.LazyFrame[Any], events: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The lines of `events` that share a key with one of `people`."""
    import narwhals as nw

    keys = {"externalId": "externalId", "user_key": "user_key", "email_key": "email_key", "user_id": "resource_id"}
    parts = []
    for ours, theirs in keys.items():
        meant = people.filter(~nw.col(ours).is_null()).select("p", nw.col(ours).alias(theirs)).unique()
        parts.append(events.join(meant, on=theirs, how="inner").select("p", *SHOWN))
    return nw.concat(parts, how="vertical").unique(["p", "source", "file", "row"])


def group_lines(logs: Logs, computer: Backend, folder: Path | None = None) -> pl.DataFrame:
    """The deletions of groups: `name` and :data:`SHOWN`, in order of time."""
    if logs.path is None:
        return pl.DataFrame(schema=_LINE)
    return computer.run(_deleted_groups, folder, events=logs.path).sort("at", "row")


def _deleted_groups(events: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    import narwhals as nw

    return events.filter((nw.col("operation") == "delete_group") & (nw.col("outcome") == "success")).select(*SHOWN)


def evidence() -> pl.Expr:
    """A line of a log in words: whose, where, when."""
    return pl.format("{} {} row {} at {}", "source", "file", "row", "at")


def moment(time: dt.datetime) -> str:
    """A time as the texts of events have it."""
    return time.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03}Z"
