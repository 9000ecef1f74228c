"""The whole audit of a company: an export, the platform and the logs together, as questions with their answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from scimops.audit.catalogue import find
from scimops.audit.causes import STATUSES as SIDES
from scimops.audit.coverage import STATUSES, Coverage, cover
from scimops.audit.doubts import of_absence, of_sources
from scimops.audit.people import meet, of_export, of_hr
from scimops.audit.reconcile import Reconciled, reconcile
from scimops.audit.state import State
from scimops.audit.told import Logs, moment
from scimops.findings import Finding
from scimops.plan.make import must_be_whole
from scimops.preview import Preview

if TYPE_CHECKING:
    from scimops.idp import Export

FORMAT = 1


@dataclass(frozen=True)
class Question:
    """One question of an audit: whom it asks about, from what, how, and the answer.

    `totals` are control totals: the parts, whose sum is the `population`.
    """

    name: str
    title: str
    about: str
    source: str
    how: str
    population: int
    totals: dict[str, int]
    answer: pl.DataFrame


@dataclass(frozen=True)
class Audit:
    """What an audit found, for one setting at one time (`at`: when the platform was read).

    `findings`: the most pressing first, those of the sources before them. `sources`: what was read, by name. `unsure`:
    who is in no row of the export may be in one that nobody could read, or came since: nobody can tell.
    """

    preview: Preview
    coverage: Coverage
    reconciled: Reconciled
    findings: list[Finding]
    at: str
    sources: dict[str, str]
    unsure: bool

    @property
    def questions(self) -> list[Question]:
        """The questions, in the order in which they are to be worked on."""
        return _questions(self)

    def to_dict(self) -> dict[str, Any]:
        """Counts and findings as plain data; what `scimops audit --json` prints has people and questions besides."""
        return {
            "format": FORMAT, "at": self.at, "setting": self.preview.setting.name, "sources": self.sources,
            "coverage": self.coverage.counts, "meant": self.coverage.meant, "not_read": list(self.coverage.not_read),
            "losses": self.coverage.losses.to_dicts(), "reconciled": self.reconciled.counts,
            "seats_of_gone": self.reconciled.seats_of_gone,
            "findings": [each.to_dict() for each in self.findings],
        }  # fmt: skip


def audit(
    preview: Preview, state: State, logs: Logs | None = None, *, hr: Export | None = None,
    found: Sequence[Finding] = (),
) -> Audit:  # fmt: skip
    """Audit the people of a preview's export, or those of a list of employees, against what the platform holds.

    It is computed where the preview was: on its backend.

    Args:
        preview: of today's export under the setting, on the channel `idp`.
        state: the platform.
        logs: what the logs say; none: causes that only logs tell are `no_log`.
        hr: the list of employees, as an export; then it is the population.
        found: what is known of the sources already, such as a gap in a log.

    Raises:
        IncompleteSourceError: the export or the list is a part, mostly foreign, too old or empty: nobody "left".
    """
    must_be_whole(preview, "No audit is made")
    logs = logs or Logs()
    at = dt.datetime.fromisoformat(state.snapshot.read_at)
    met = meet(preview, state.snapshot)
    population = of_hr(met, hr, at.date()) if hr is not None else of_export(met)
    left = population.people.filter(pl.col("left") & pl.col("n").is_not_null())["n"]
    doubts = of_absence(met, at)
    unsure = bool(doubts)
    reconciled = reconcile(met, logs, at, left=left, unsure=unsure)
    coverage = cover(met, state, population, logs, at, told=reconciled.told, unsure=unsure)
    names = {"export": ", ".join(preview.export.files), "platform": state.snapshot.where}
    names |= {"list of employees": ", ".join(hr.files)} if hr is not None else {}
    names |= {"logs": ", ".join(logs.files)} if logs.files else {}
    findings = [*found, *doubts, *of_sources(met, hr, at), *find(coverage, reconciled)]
    return Audit(preview, coverage, reconciled, findings, moment(at), names, unsure)


def _questions(audit: Audit) -> list[Question]:
    coverage, reconciled = audit.coverage, audit.reconciled
    whom = "Everybody in the export" if coverage.population.source == "idp" else "Everybody on the list of employees"
    said = "; ".join(f"{name}: {where}" for name, where in audit.sources.items())
    chain = "For each person the links account, sent, target user, active, group, auto-enrol on, seen in the report."
    sides = "Rows and target users matched by externalId, then userName, then e-mail address."
    both = reconciled.people
    return [
        Question("arrived", "Did everybody arrive?", whom, said, chain, coverage.people.height, coverage.counts,
                 coverage.people),
        Question("not_arrived", "Who did not arrive, and why?", f"{whom} who should have arrived", said, chain,
                 coverage.meant, _named_counts(coverage), coverage.people.filter(
                     pl.col("status").is_in(["lost", "cannot_tell"]))),
        Question("left_still_active", "Who left and is still active?", "Everybody on either side", said, sides,
                 both.height, reconciled.counts, both.filter(status="left_still_active")),
        Question("differences", "What differs between both sides?", "Everybody on either side", said, sides,
                 both.height, reconciled.counts, both.filter(~pl.col("status").is_in(["right", "gone", "not_sent"]))),
    ]  # fmt: skip


def _named_counts(coverage: Coverage) -> dict[str, int]:
    lost = {f"{row['lost_at']}: {row['cause']}": row["people"] for row in coverage.losses.iter_rows(named=True)}
    return {"arrived": coverage.counts["arrived"], **lost, "cannot_tell": coverage.counts["cannot_tell"]}


WORDS = STATUSES | SIDES
"""A sentence for each status of both parts."""
