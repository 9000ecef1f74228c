"""What an audit is in words: the same in the terminal, in the page and in the workbook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from scimops.audit.catalogue import ADVICE, FIX
from scimops.audit.causes import CAUSES, LINKS
from scimops.audit.causes import STATUSES as SIDES
from scimops.audit.coverage import STATUSES as ARRIVED
from scimops.grouping import REASONS
from scimops.present.plan_words import moment
from scimops.present.words import many, people

if TYPE_CHECKING:
    from scimops.audit.exceptions import Agreed
    from scimops.audit.report import Report

WHY: Mapping[str, str] = REASONS | CAUSES
"""Each cause in words."""

STATES = {"in_force": "in force", "ended": "ENDED", "matches_nothing": "matches nothing"}
"""What became of an exception."""


def headline(report: Report) -> str:
    """The one line: how many of how many arrived."""
    coverage = report.audit.coverage
    return f"{coverage.counts['arrived']:,} of {coverage.meant:,} arrived."


def others(report: Report) -> str:
    """What became of those who have not arrived, and who was not asked about."""
    counts = report.audit.coverage.counts
    parts = [
        f"{counts[status]:,} {ARRIVED[status]}" for status in ("lost", "cannot_tell", "not_due_yet", "not_meant")
        if counts[status]
    ]  # fmt: skip
    accepted = report.accepted.height
    parts += [f"{many(accepted, 'finding')} accepted by exceptions"] if accepted else []
    return "; ".join(parts) + "." if parts else "Nobody is missing."


def chain(report: Report) -> list[tuple[str, str, int, int]]:
    """The chain: each link with its words, how many people are still there after it, and how many were lost at it.

    Links that nobody could read are left out.
    """
    words = {"": "should have arrived", "cannot_tell": "can be told from others", **LINKS}
    steps = report.audit.coverage.steps
    return [(step.link, words[step.link], step.on, step.lost) for step in steps if step.on is not None]


def losses(report: Report) -> list[tuple[int, int, str, str, str]]:
    """Where people were lost: how many, how many of them accepted, at which link, why, what to do."""
    accepted = report.accepted.filter(pl.col("status") == "lost").group_by("lost_at", "cause").len()
    known = {(link, cause): count for link, cause, count in accepted.iter_rows()}
    return [
        (row["people"], known.get((row["lost_at"], row["cause"]), 0), LINKS[row["lost_at"]],
         WHY.get(row["cause"], row["cause"]), ADVICE.get(row["cause"], FIX))
        for row in report.audit.coverage.losses.iter_rows(named=True)
    ]  # fmt: skip


def not_read(report: Report) -> str:
    """What nobody could look at, so that nothing is claimed of it."""
    said = "Campaigns cannot be read on the platform: nothing is said of them."
    if "enrolments" in report.audit.coverage.not_read:
        said += (
            " The enrolments were not readable either: nobody is said to be enrolled, or to be going to be. Audit over "
            "the platform's management API for that."
        )
    return said


def since_words(report: Report) -> str:
    """Against the last audit, in a sentence; empty where nothing is kept."""
    last = report.last
    if last is None:
        return ""
    if last.last is None:
        return f"This is the first audit that is kept here: {many(last.new, 'finding')} of people."
    counts = f"{last.new:,} new, {last.solved.height:,} solved, {last.still:,} still open"
    counts += f", of {last.untold.height:,} nobody can tell today" if last.untold.height else ""
    return f"Since the last audit, of {moment(last.last)}: {counts}."


def who(row: Mapping[str, Any]) -> str:
    """Whom a row is about."""
    return str(row["userName"] or row["email"] or row["externalId"] or row.get("user_id") or _place(row))


def _place(row: Mapping[str, Any]) -> str:
    return f"row {row['row']:,} of {row['file']}" if row.get("row") is not None else "(no name)"


def what(item: Mapping[str, Any]) -> str:
    """What is wrong with somebody, in words: how both sides differ, or where the chain broke; and why."""
    cause = WHY.get(item["cause"] or "", item["cause"] or "")
    if item["code"].startswith("lost_"):
        return cause
    said = SIDES.get(item["status"], item["status"])
    return f"{said}: {cause}" if cause else said


def advice(code: str) -> str:
    """What to do about a finding."""
    return ADVICE.get(code.removeprefix("lost_"), FIX)


def accepted_words(one: Agreed) -> tuple[str, str, str]:
    """An exception: what it accepts, what became of it, of how many people."""
    entry = one.entry
    kind = WHY.get(entry.cause or "", "") or SIDES.get(entry.status or "", "did not arrive")
    return kind, STATES[one.state], people(one.people)


def made_of(report: Report) -> list[tuple[str, str]]:
    """What the audit was made of."""
    audit = report.audit
    whom = "everybody in the export" if audit.coverage.population.source == "idp" else "the list of employees"
    masked = "yes: the same mask is the same value" if report.masked else "no: it names people"
    facts = {"Setting": audit.preview.setting.name, "Asked about": whom, "For the time": moment(audit.at)}
    facts |= {name.capitalize(): where for name, where in audit.sources.items()}
    facts.setdefault("Logs", "none: what only logs tell is not known")
    return [*facts.items(), ("Masked", masked)]


def totals_words(totals: Mapping[str, int], population: int) -> str:
    """Control totals that add up."""
    parts = " + ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in totals.items() if count)
    return f"{parts or '0'} = {population:,}"
