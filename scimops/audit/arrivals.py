"""When each link of the chain was first seen to hold, per person: kept from audit to audit in `arrivals.parquet`.

Nobody saw the moment itself, so every time is an interval: between the run of one audit and the run of the next. The
file holds one row a person who was ever met (schema `arrivals`) and the list of the audits; in memory, too.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from scimops import frames
from scimops.audit.causes import LINKS
from scimops.audit.frames import ARRIVALS
from scimops.audit.same import WHO, find, follow, of_list
from scimops.errors import SourceError, UsageError
from scimops.findings import Finding
from scimops.touched import note_read, note_written

if TYPE_CHECKING:
    from scimops.audit.audit import Audit
    from scimops.audit.coverage import Coverage
    from scimops.audit.mask import Mask

NAME = "arrivals.parquet"
FORMAT = 1
STEPS = (*LINKS, "arrived")
"""What a time is kept of: each link, and that the audit said the person had arrived."""

_KEY = "scimops.arrivals"
_NEAR = dt.timedelta(hours=12)
"""Runs closer to each other than this (a second try, a look by hand) do not tell how often an audit runs."""
_MUCH = 1.5
"""A distance of runs this many times the usual one is a gap: of nightly runs, one night was left out."""


@dataclass(frozen=True)
class Run:
    """One audit: when the platform was read (`at`), of which setting and platform, whom it asked about (idp or hr)."""

    at: str
    setting: str
    where: str
    population: str


@dataclass(frozen=True)
class Arrivals:
    """Everybody who was ever met (schema `arrivals`), and the audits in order of time.

    `mask`: what the keys of these people were masked with; None: they are plain.
    """

    people: pl.DataFrame
    runs: tuple[Run, ...]
    mask: Mask | None = None

    @cached_property
    def usual(self) -> dt.timedelta | None:
        """The usual distance of runs; None while there are fewer than three of them, half a day apart."""
        times = [_time(run.at) for run in self.runs]
        apart = times[:1]
        for time in times[1:]:
            if time - apart[-1] >= _NEAR:
                apart.append(time)
        seconds = [(after - before).total_seconds() for before, after in pairwise(apart)]
        return dt.timedelta(seconds=statistics.median(seconds)) if len(seconds) > 1 else None

    @cached_property
    def gaps(self) -> list[tuple[str, str]]:
        """Pairs of runs (`at`) between which nobody looked for much longer than usual."""
        usual = self.usual
        pairs = pairwise(run.at for run in self.runs)
        return [(one, two) for one, two in pairs if usual and _time(two) - _time(one) > usual * _MUCH]

    def __repr__(self) -> str:
        return f"<Arrivals: {self.people.height:,} people, {len(self.runs):,} runs, {len(self.gaps):,} gaps>"


def load_arrivals(folder: str | Path, mask: Mask | None = None) -> Arrivals:
    """What is kept in `folder`; where nothing is kept yet: nobody, no run.

    Args:
        folder: where it is kept.
        mask: of the audits that are kept there, so that people are found by their plain keys.

    Raises:
        SourceError: there is a file, and it cannot be read.
    """
    path = Path(folder) / NAME
    if not path.exists():
        return Arrivals(pl.DataFrame(schema=dict.fromkeys(ARRIVALS.names, pl.String)), (), mask)
    try:
        document = json.loads(pl.read_parquet_metadata(path)[_KEY])
        people = frames.check(pl.read_parquet(path), ARRIVALS)
        runs = tuple(Run(**run) for run in document["runs"])
        readable = document["format"] == FORMAT
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError):
        readable = False
    if not readable:
        raise SourceError(
            "This is no list of arrivals, or of another version of scimops.", where=str(path),
            advice="Bring back a copy of it; or move it away: then times begin anew with the next audit.",
        )  # fmt: skip
    note_read(path)
    return Arrivals(people, runs, mask)


def record(folder: str | Path, audit: Audit) -> Arrivals:
    """Add what `audit` saw to what is kept in `folder`, and give all of it.

    An audit that was added before, or is older than the last one, changes nothing.

    Raises:
        SourceError: what is kept cannot be read; it stays as it is.
        UsageError: it is of another setting or platform.
    """
    kept = load_arrivals(folder)
    run = Run(audit.at, audit.preview.setting.name, audit.sources["platform"], audit.coverage.population.source)
    if kept.runs and (last := kept.runs[-1]) and (last.setting, last.where) != (run.setting, run.where):
        raise UsageError(
            f'Arrivals of the setting "{last.setting}" on {last.where} are kept here, not of "{run.setting}" on '
            f"{run.where}.", where=str(Path(folder) / NAME), advice="Name a folder for each setting.",
        )  # fmt: skip
    if kept.runs and run.at <= kept.runs[-1].at:
        return kept
    arrivals = with_run(kept, audit.coverage, run)
    _write(Path(folder), arrivals)
    return arrivals


def with_run(kept: Arrivals, coverage: Coverage, run: Run) -> Arrivals:
    """`kept` with what one more audit saw.

    Who is new in an export was not in the one before, so no link held at the audit of that. A list of employees says
    nothing of the kind: there nobody looked at the person before.
    """
    of_idp = run.population == "idp"
    people = coverage.people if of_idp else of_list(coverage.people, kept.people)
    known, at = follow(kept.people, people, renew=of_idp)
    before = next((earlier.at for earlier in reversed(kept.runs) if earlier.population == "idp"), None)
    status = pl.col("status")
    arrived = pl.when(status == "arrived").then(True).when(status.is_in(["lost", "not_due_yet"])).then(False)
    held = people.select(*(pl.col(link).alias(f"{link}_held") for link in LINKS), at=at, arrived_held=arrived)
    both = known.with_columns(at=pl.int_range(pl.len())).join(
        held.drop_nulls("at"), on="at", how="left", maintain_order="left"
    )  # fmt: skip
    new = (pl.col("at") >= kept.people.height) & pl.lit(of_idp)
    return Arrivals(both.select("externalId", "userName", "email", *_times(run.at, before, new)), (*kept.runs, run))


def _times(at: str, before: str | None, new: pl.Expr) -> list[pl.Expr]:
    """The columns of every step, once an audit looked at the time `at`; `new` people were not there at `before`."""
    columns = []
    for step in STEPS:
        held, not_yet, seen = (pl.col(f"{step}_{part}") for part in ("held", "not_yet", "seen"))
        columns += [
            pl.when(seen.is_null() & ~held).then(pl.lit(at)).when(seen.is_null() & held & new).then(pl.lit(before))
            .otherwise(not_yet).alias(f"{step}_not_yet"),
            pl.when(seen.is_null() & held).then(pl.lit(at)).otherwise(seen).alias(f"{step}_seen"),
        ]  # fmt: skip
    return columns


def intervals(arrivals: Arrivals, people: pl.DataFrame, steps: Sequence[str] = STEPS) -> pl.DataFrame:
    """When each of `steps` was first seen to hold for each of `people` (by externalId, userName, email, all plain).

    Where what is kept is masked, a key that is spelled otherwise today (upper and lower case) finds nobody.

    Returns:
        One row a person and step that has been seen, in their order: `at` (row of `people`), `step`, `after`
        (null: at any time before), `by`, `over_gap` (bool: a gap of the runs is between) and `words`.
    """
    keys = people.select(WHO)
    rows = find(arrivals.people, arrivals.mask.frame(keys) if arrivals.mask else keys)
    met = arrivals.people.with_columns(row=pl.int_range(pl.len()))
    met = people.select(at=pl.int_range(pl.len()), row=rows).join(met, on="row", maintain_order="left")
    parts = [
        met.select("at", step=pl.lit(step), after=pl.col(f"{step}_not_yet"), by=pl.col(f"{step}_seen"),
                   number=pl.lit(number))
        for number, step in enumerate(steps)
    ]  # fmt: skip
    long = pl.concat(parts).drop_nulls("by").sort("at", "number").drop("number")
    over = [(pl.col("after") <= one) & (pl.col("by") >= two) for one, two in arrivals.gaps]
    long = long.with_columns(over_gap=pl.any_horizontal([pl.lit(False), *over]).fill_null(False))
    return long.with_columns(words=in_words())


def in_words() -> pl.Expr:
    """An interval (`after`, `by`, `over_gap`) in words."""
    after, by = (pl.col(name).str.replace("T", " ").str.head(16) for name in ("after", "by"))
    between = pl.format("between the run of {} and the run of {} (UTC)", after, by)
    gap = pl.when("over_gap").then(pl.lit("; runs are missing between")).otherwise(pl.lit(""))
    return pl.coalesce(between, pl.format("not after the run of {} (UTC)", by)) + gap


def said(arrivals: Arrivals, at: str) -> list[Finding]:
    """What is to be known of the run at the time `at`: runs are missing before it, or it was not added."""
    if all(run.at != at for run in arrivals.runs):
        return [Finding(
            "older_audit", "warning", f"This audit is older than the last one of {NAME}, and was not added to it.",
            "Read the platform again.",
        )]  # fmt: skip
    gap = next((gap for gap in arrivals.gaps if gap[1] == at), None)
    if gap is None:
        return []
    hours = [round(span.total_seconds() / 3600) for span in (_time(gap[1]) - _time(gap[0]), arrivals.usual or _NEAR)]
    return [Finding(
        "runs_missing", "warning",
        f"Between the run of {_short(gap[0])} and this one are {hours[0]:,} hours; usually there are {hours[1]:,}.",
        "Look why no audit ran: scimops runs overdue. What came in that time is dated no better than that.",
        count=hours[0],
    )]  # fmt: skip


def _write(folder: Path, arrivals: Arrivals) -> None:
    """Whole or not at all, for its owner alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    document: dict[str, Any] = {"format": FORMAT, "runs": [asdict(run) for run in arrivals.runs]}
    part = folder / f".{NAME}.part"
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        arrivals.people.write_parquet(stream, metadata={_KEY: json.dumps(document, ensure_ascii=False)})
    part.replace(folder / NAME)
    note_written(folder / NAME)


def _time(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def _short(text: str) -> str:
    return text[:16].replace("T", " ") + " UTC"
