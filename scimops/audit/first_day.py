"""The first cycle of an identity provider, followed: arrived of expected, and the first errors by their cause."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from scimops.audit.told import SHOWN, Logs, evidence, moment
from scimops.backend import open_backend

if TYPE_CHECKING:
    import narwhals as nw

    from scimops.audit.coverage import Coverage

_BY = ("source", "operation", "reason")


@dataclass(frozen=True)
class FirstDay:
    """How far the first cycle is at the time `at`.

    `expected`: people who should be there in the end; `arrived` of them, and `not_due_yet`. `missing`: the others, by
    `lost_at` and `cause`: `people`, and of the first of them `file`, `row`, `evidence`. `errors`: lines of the logs
    that did not succeed, by `source`, `operation`, `reason`: `lines`, `first`, `last`, and of the first `status`,
    `detail`, `evidence`. Both begin with the most.
    """

    at: str
    expected: int
    arrived: int
    not_due_yet: int
    missing: pl.DataFrame
    errors: pl.DataFrame


def first_day(coverage: Coverage, logs: Logs, since: dt.datetime, *, backend: str = "polars") -> FirstDay:
    """Follow a first cycle that began at `since`.

    Args:
        coverage: of now.
        logs: what the logs say.
        since: earlier lines of the logs are left out.
        backend: `polars`, or a Spark master.
    """
    counts = coverage.counts
    waiting = coverage.people.filter(pl.col("status").is_in(["lost", "cannot_tell"]))
    missing = waiting.group_by("lost_at", "cause", maintain_order=True).agg(
        people=pl.len(), file=pl.first("file"), row=pl.first("row"), evidence=pl.col("evidence").drop_nulls().first()
    )
    errors = failures(logs, since, backend=backend)
    missing = missing.sort("people", descending=True, maintain_order=True)
    early = counts["not_due_yet"]
    expected = counts["arrived"] + waiting.height + early
    return FirstDay(coverage.at, expected, counts["arrived"], early, missing, errors)


def failures(logs: Logs, since: dt.datetime, *, backend: str = "polars") -> pl.DataFrame:
    """The lines since a time that did not succeed, by `source`, `operation`, `reason` (:class:`FirstDay`: `errors`)."""
    if logs.path is None:
        kinds = dict.fromkeys((*_BY, "first", "last", "detail", "evidence"), pl.String)
        return pl.DataFrame(schema=kinds | {"lines": pl.Int64, "status": pl.Int64}).select(*_BY, *_SHOWN)
    found = open_backend(backend).run(lambda events: _failures(events, moment(since)), events=logs.path)
    # of lines at one time, any may be the first
    once = found.sort("at", "file", "row").unique(_BY, keep="first").with_columns(evidence=evidence(), first="at")
    return once.sort("lines", "first", *_BY, descending=[True, *[False] * 4]).select(*_BY, *_SHOWN)


_SHOWN = ("lines", "first", "last", "status", "detail", "evidence")


def _failures(events: nw.LazyFrame[Any], since: str) -> nw.LazyFrame[Any]:
    """The first lines of each kind, with how many there are."""
    import narwhals as nw

    bad = nw.col("outcome").is_in(["failure", "skipped"]) & (nw.coalesce(nw.col("reason"), nw.lit("")) != "no_change")
    lines = events.filter((nw.col("at") >= since) & bad).select(*SHOWN)
    lines = lines.with_columns(reason=nw.coalesce(nw.col("reason"), nw.lit("other")))
    told = lines.group_by(*_BY).agg(lines=nw.len(), at=nw.col("at").min(), last=nw.col("at").max())
    told = told.with_columns(lines=nw.col("lines").cast(nw.Int64))
    return lines.join(told, on=[*_BY, "at"], how="inner")
