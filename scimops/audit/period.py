"""Everybody who joined in a period, those who left included: arrived when, still there, never arrived and why.

Who joined is told by the list of employees and by all exports that were kept; who arrived by the audits that were kept
and by today's. What neither tells is not guessed: it is counted by its own name.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

import polars as pl

from scimops import frames
from scimops.audit.arrivals import Arrivals, intervals
from scimops.audit.frames import JOINED
from scimops.audit.kept import KeptExport, before, through, with_list
from scimops.audit.people import due_by, last_day
from scimops.audit.same import find, of_list
from scimops.audit.told import moment
from scimops.errors import UsageError

if TYPE_CHECKING:
    from scimops.audit.audit import Audit
    from scimops.idp import Export

SOURCES: dict[str, str] = {
    "hr": "first day on the list of employees",
    "hired": "day of hire in an export",
    "created": "day the account was made, in an export",
    "seen": "first export that has them",
}
"""What tells when somebody joined, the best first."""

STATUSES: dict[str, str] = {
    "lost": "did not arrive",
    "arrived_lost": "had arrived, and are not there today",
    "cannot_tell": "cannot be told",
    "not_told": "today's audit did not ask about them",
    "not_due_yet": "need not be there yet",
    "not_meant": "are out of scope, or have no active account",
    "left_unseen": "left, and no audit saw them arrive",
    "arrived_left": "had arrived, and left",
    "arrived": "arrived, and are there today",
}
"""What became of those who joined, the most pressing first."""

_PERIOD = re.compile(r"([0-9]{4})(?:-(?:[Qq]([1-4])|(0[1-9]|1[0-2])))?")


@dataclass(frozen=True)
class Period:
    """Whole days, from the `first` to the `last`."""

    name: str
    first: dt.date
    last: dt.date


def parse_period(text: str) -> Period:
    """The year, quarter or month that `text` means: `2026`, `2026-Q3`, `2026-09`.

    Raises:
        UsageError: it is none of these.
    """
    found = _PERIOD.fullmatch(text.strip())
    if found is None or found[1] == "0000":
        raise UsageError(
            f'"{text}" is no period.', advice="Say a quarter (2026-Q3), a month (2026-09) or a year (2026)."
        )
    year, start, months = int(found[1]), 1, 12
    if found[2]:
        start, months = 3 * int(found[2]) - 2, 3
    elif found[3]:
        start, months = int(found[3]), 1
    end = start + months - 1
    last = dt.date(year, end, calendar.monthrange(year, end)[1])
    return Period(text.strip().upper(), dt.date(year, start, 1), last)


@dataclass(frozen=True)
class Joined:
    """Who joined in a period (schema `joined`), the most pressing first.

    `everybody`: how many of all people of all sources joined in it, before it, after it, or nobody can tell when; they
    add up. `unclear`: rows of the sources that cannot be read, or of which nobody can tell whose they are.
    """

    period: Period
    people: pl.DataFrame
    everybody: dict[str, int]
    unclear: int
    exports: tuple[str, ...]

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many have each status; they add up to those who joined."""
        counted = Counter(self.people["status"].to_list())
        return {status: counted[status] for status in STATUSES}


def joined_in(
    period: Period, audit: Audit, exports: Sequence[KeptExport] = (), hr: Export | None = None,
    arrivals: Arrivals | None = None,
) -> Joined:  # fmt: skip
    """Everybody who joined in `period`, by the list of employees, the exports kept and the audit's own export.

    Args:
        period: from :func:`parse_period`.
        audit: today's; it says who is there, and why the others are not.
        exports: those kept, from :func:`kept_exports`; those after the audit are left out.
        hr: the list of employees.
        arrivals: what the audits before saw; none: only today's tells who arrived.

    Raises:
        IncompleteSourceError: two exports have few people in common: one is of another company.
        SettingError: an export has no column that the setting names.
    """
    own = audit.preview.export
    kept = before(own, exports)
    everyone = through(chain((one.read() for one in kept), [own]), audit.preview.setting)
    known, more = with_list(everyone.people, hr)
    series: list[KeptExport | Export] = [*kept, own]
    taken = pl.DataFrame(
        {"at": [moment(export.taken_at) for export in series], "whole": [not n for n in everyone.unread]}
    )
    people = _dated(known, taken, audit)
    when = _when(period)
    counted = Counter(people.select(when).to_series().to_list())
    everybody = {name: counted[name] for name in ("in", "before", "after", "not_known")}
    people = people.with_columns(when=when, sure=_sure(period)).filter(pl.col("when") == "in")
    people = _judged(people, audit, arrivals, len(series) - 1)
    rank = pl.col("status").replace_strict({status: n for n, status in enumerate(STATUSES)}, return_dtype=pl.Int64)
    people = people.sort(rank, "joined", "joined_by", "userName", "email", nulls_last=True).select(JOINED.names)
    names = tuple(name for export in series for name in export.files)
    unclear = everyone.unclear + sum(everyone.unread) + more
    return Joined(period, frames.check(people, JOINED), everybody, unclear, names)


def hires(audit: Audit, spans: Sequence[int] = (30, 90)) -> pl.DataFrame:
    """The new hires of the last `spans` of days, by status: `days`, `people`, and a column a status of coverage."""
    today = dt.datetime.fromisoformat(audit.at).date()
    rows = []
    for days in spans:
        new = audit.coverage.since(today - dt.timedelta(days=days)).filter(pl.col("since") <= today)
        counted = Counter(new["status"].to_list())
        rows.append({"days": days, "people": new.height} | {name: counted[name] for name in audit.coverage.counts})
    return pl.DataFrame(rows)


# -- When they came and went ----------------------------------------------------------------------


def _dated(known: pl.DataFrame, taken: pl.DataFrame, audit: Audit) -> pl.DataFrame:
    """`known` with the columns of the schema `joined` on joining and leaving.

    Args:
        known: everybody, by :func:`with_list`.
        taken: of each export `at`, and whether all its rows could be read (`whole`): who is in no row of another one
            may have been there all the same, so it ends no stretch of time.
        audit: today's.
    """
    newest, today = taken.height - 1, dt.datetime.fromisoformat(audit.at).date()
    whole = pl.when("whole").then("at")
    bounds = taken.select("at", before=whole.forward_fill(), after=whole.backward_fill())

    def time(number: pl.Expr, column: str) -> pl.Expr:
        return number.replace_strict(
            pl.Series(range(taken.height)), bounds[column], default=None, return_dtype=pl.String
        )

    joined = pl.coalesce("hr_joined", "idp_joined")
    source = (
        pl.when(pl.col("hr_joined").is_not_null()).then(pl.lit("hr"))
        .when(pl.col("idp_joined").is_not_null()).then("idp_from").otherwise(pl.lit("seen"))
    )  # fmt: skip
    known = known.with_columns(joined=joined, joined_from=source, left_on=pl.coalesce("hr_left", "idp_left"))
    left_on = last_day("left_on", "joined")
    gone, off = (pl.col("last") < newest) & ~pl.lit(audit.unsure), ~pl.col("on")
    begun = (joined <= today).fill_null(True)  # an account that is off before the first day is no leaving
    by_exports = pl.col("employed").is_null() & begun & (gone | off)
    left = (left_on < today).fill_null(by_exports | ~pl.col("employed").fill_null(True))
    known = known.with_columns(left=left, left_on=pl.when(left).then(left_on))
    undated, ended = pl.col("joined").is_null(), pl.col("left") & pl.col("left_on").is_null()
    # who was off before being gone left when the account was switched off
    switched, absent = off.fill_null(False), pl.col("last") + 1
    return known.with_columns(
        joined_after=pl.when(undated).then(time(pl.col("first") - 1, "before")),
        joined_by=pl.when(undated).then(time(pl.col("first"), "at")),
        left_after=pl.when(ended).then(
            pl.when(switched).then(time(pl.col("turned") - 1, "before")).otherwise(time(pl.col("last"), "at"))),
        left_by=pl.when(ended).then(
            pl.when(switched).then(time(pl.col("turned"), "at")).otherwise(time(absent, "after"))),
    )  # fmt: skip


def _when(period: Period) -> pl.Expr:
    """Did they join in the period (`in`), `before`, `after` it, or is it `not_known`?

    Who stands in the oldest export already, without a day, may have joined at any time before.
    """
    day, after, by = pl.col("joined"), _day("joined_after"), _day("joined_by")
    return (
        pl.when(day.is_between(period.first, period.last)).then(pl.lit("in"))
        .when((day < period.first) | (by < period.first)).then(pl.lit("before"))
        .when((day > period.last) | (after > period.last)).then(pl.lit("after"))
        .when(after.is_not_null() & by.is_not_null()).then(pl.lit("in"))
        .otherwise(pl.lit("not_known"))
    )  # fmt: skip


def _sure(period: Period) -> pl.Expr:
    between = (_day("joined_after") >= period.first) & (_day("joined_by") <= period.last)
    return pl.col("joined").is_not_null() | between.fill_null(False)


def _day(name: str) -> pl.Expr:
    return pl.col(name).str.head(10).str.to_date("%Y-%m-%d")


# -- What became of them --------------------------------------------------------------------------


def _judged(people: pl.DataFrame, audit: Audit, arrivals: Arrivals | None, newest: int) -> pl.DataFrame:
    """With when they arrived, and what became of them; `newest`: number of the newest export."""
    covered = audit.coverage.people
    if audit.coverage.population.source == "hr":
        covered = of_list(covered, people)
    there = covered.select("lost_at", "cause", "evidence", today="status", at=find(people, covered)).drop_nulls("at")
    people = people.with_columns(at=pl.int_range(pl.len()), since="joined")
    people = people.join(there, on="at", how="left", maintain_order="left")
    people = people.join(_first_seen(arrivals, people), on="at", how="left", maintain_order="left")
    # who is employed and not in today's export has no account, whomever the audit asked about
    unseen = (pl.col("last") < newest).fill_null(True) & pl.col("today").is_null()
    absent, unread = unseen & pl.col("employed").fill_null(False), unseen & pl.lit(audit.unsure)
    early = absent & (due_by(audit.preview.export.idp) > audit.at).fill_null(False)
    without = early | (absent & ~unread)
    people = people.with_columns(
        today=pl.when(early).then(pl.lit("not_due_yet")).when(without).then(pl.lit("lost"))
        .when(unread).then(pl.lit("cannot_tell")).otherwise(pl.col("today").fill_null("not_told")),
        lost_at=pl.when(without).then(pl.lit("in_idp")).otherwise("lost_at"),
        cause=pl.when(without).then(pl.lit("not_in_idp")).when(unread).then(pl.lit("in_no_row")).otherwise("cause"),
        arrived_by=pl.coalesce("arrived_by", pl.when(pl.col("today") == "arrived").then(pl.lit(audit.at))),
        over_gap=pl.col("over_gap").fill_null(False),
    )  # fmt: skip
    today, had = pl.col("today"), pl.col("arrived_by").is_not_null()
    status = (
        pl.when(pl.col("left") & had).then(pl.lit("arrived_left")).when("left").then(pl.lit("left_unseen"))
        .when((today == "lost") & had).then(pl.lit("arrived_lost")).otherwise(today)
    )  # fmt: skip
    told = status.is_in(["lost", "arrived_lost", "not_due_yet", "cannot_tell", "not_meant"])
    shown = [pl.when(told).then(name).alias(name) for name in ("lost_at", "cause", "evidence")]
    return people.with_columns(*shown, status=status)


def _first_seen(arrivals: Arrivals | None, people: pl.DataFrame) -> pl.DataFrame:
    """When each of `people`, by row (`at`), was first seen to have arrived."""
    if arrivals is None:
        kinds = {"at": pl.Int64, "arrived_after": pl.String, "arrived_by": pl.String, "over_gap": pl.Boolean}
        return pl.DataFrame(schema=kinds)
    found = intervals(arrivals, people, ["arrived"])
    return found.select("at", "over_gap", arrived_after="after", arrived_by="by")
