"""What an audit can find: a finding for each cause of a loss, and for each way in which both sides differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from scimops.audit.causes import CAUSES, OF_MANY, STATUSES
from scimops.findings import Code, Finding, Level, finding
from scimops.grouping import REASONS

if TYPE_CHECKING:
    from scimops.audit.coverage import Coverage
    from scimops.audit.reconcile import Reconciled

ADVICE: dict[str, str] = {
    "not_in_idp": "Ask whoever makes accounts: they are employed and cannot be reached.",
    "in_no_row": "See what was found of the export itself; export again, and audit once more.",
    "inactive": "Switch the account on, or correct the list of employees.",
    "domain_not_allowed": "Have the domain authorised on the platform; the identity provider tries again.",
    "seats_full": "Free seats of people who left, or ask for more; then have the identity provider try again.",
    "taken": "Look for the other account with this userName or e-mail address, and correct one of them.",
    "token_rejected": "Give the identity provider a good token; then provision these people on demand.",
    "invalid": "Correct the value that the log names, at the identity provider.",
    "server_error": "Have the identity provider try again; if it fails again, show the platform's makers the line.",
    "refused": "Read the line of the log, and correct what it names.",
    "idp_skipped": "Read why in the identity provider's log: scope, assignment or a missing value.",
    "deleted_there": "Find out who deleted them and why; provision them again on demand.",
    "made_and_gone": "Ask who deleted them, and keep the platform's audit log; provision them again on demand.",
    "never_sent": "Are they assigned to the application at the identity provider? Provision them on demand.",
    "deactivated_by_idp": "Are they assigned to the application? Provision them on demand.",
    "deactivated_by_apply": "See in its plan and receipts why; scimops undo takes an apply back.",
    "deactivated_by_hand": "Ask who switched them off; if it was an error, switch them on.",
    "group_deleted": "The group comes back with all its people as soon as one of them is sent again: provision one.",
    "moved_by_hand": "Have them sent again: the rule puts them back.",
    "value_not_sent": "Add the mapping of what decides the group at the identity provider, then restart provisioning.",
    "value_stale": "Have them sent again; a full cycle of the identity provider does it for everyone.",
    "null_not_sent": "This identity provider never sends an empty value: write a value, such as None, and map it.",
    "ungrouped": "Give the setting a target group, or these people a value.",
    "no_enrolment": "Make an enrolment for the group on the platform, with auto-enrol on.",
    "auto_enrol_off": "Switch auto-enrol on; who came meanwhile must be enrolled by hand.",
    "not_in_report": "Enrol them by hand, and ask the platform's makers why auto-enrol did not.",
    "no_log": "Keep the logs of the identity provider and give them to the audit: --log FILE.",
    "unexplained": "Use scimops explain PERSON, and look at the platform.",
    "ambiguous": "Give each account an externalId, userName and e-mail address of its own.",
    "left_still_active": "Deactivate them now, on the platform or by scimops plan and apply.",
    "maybe_left": "See what was found of the export itself; export again, and audit once more.",
    "not_on_list": "Have they left? Then end their accounts. Contractors and machines: accept them by an exception.",
    "missing": "They are in the export and not among the people asked about: look at the list of employees too.",
    "other_group": "Have them sent again: the rule puts them in their group.",
    "other_values": "Look at the values before and after; a full cycle of the identity provider sends them again.",
    "duplicate": "Keep one of them on the platform, and one account with each e-mail address.",
    "inactive_there": "Are they assigned to the application? Provision them on demand.",
    "out_of_scope_there": "They take a seat: unassign them at the identity provider, or widen the scope.",
    "not_ours": "They are shown and never touched.",
    "cannot_tell": "Give each account an externalId, userName and e-mail address of its own.",
}
"""What to do, for each cause and status."""

FIX = "Correct it at the identity provider; scimops preview names the rows."
_WARNINGS = (
    "maybe_left",
    "not_on_list",
    "no_log",
    "unexplained",
    "ambiguous",
    "in_no_row",
    "cannot_tell",
    "other_values",
    "out_of_scope_there",
    "out_of_scope",
)
_INFOS = ("not_ours",)
FROM_BOTH_SIDES = ("left_still_active", "maybe_left", "duplicate", "out_of_scope_there", "other_values", "not_ours",
                   "cannot_tell")  # fmt: skip
"""Ways in which both sides differ that coverage does not tell; of the others those that it did not ask about."""


def _level(code: str) -> Level:
    return "warning" if code in _WARNINGS else "info" if code in _INFOS else "error"


def _message(code: str, text: str) -> str:
    """A whole sentence of one person and of several; `text` follows "this person", or speaks of something of theirs."""
    if code == "no_log":
        return "For {people} nobody can tell why: no log of the identity provider covers the time."
    if code not in OF_MANY:
        return f"For {{people}} {text}."
    one = "left, and is still active on the platform" if code == "left_still_active" else text
    return f"{{people:{one}|{OF_MANY[code]}}}."


def _codes() -> Mapping[str, Code]:
    causes = {
        f"lost_{code}": Code(_level(code), _message(code, text), ADVICE.get(code, FIX), {})
        for code, text in (REASONS | CAUSES).items()
    }
    sides = {
        code: Code(_level(code), _message(code, STATUSES[code]), ADVICE[code], {})
        for code in (*FROM_BOTH_SIDES, "not_on_list", "missing", "other_group", "inactive_there")
    }
    return causes | sides


AUDIT_CATALOGUE: Mapping[str, Code] = _codes()
"""Each code with its level, sentence and advice: `lost_CAUSE` from coverage, a status from reconcile."""


def find(coverage: Coverage, reconciled: Reconciled) -> list[Finding]:
    """The findings of an audit, in the order of :func:`whom`."""
    return [found(code, people) for code, people in whom(coverage, reconciled)]


def whom(coverage: Coverage, reconciled: Reconciled) -> list[tuple[str, pl.DataFrame]]:
    """Each finding's code and its people: who left and is still active first, then the chain's losses in its order."""
    sides = _sides(coverage, reconciled)
    lost = coverage.people.filter(pl.col("status").is_in(["lost", "cannot_tell"]))
    causes = dict.fromkeys([*coverage.losses["cause"], *lost["cause"]])
    return [
        *[one for one in sides if one[0] == "left_still_active"],
        *[(f"lost_{cause}", lost.filter(cause=cause)) for cause in causes],
        *[one for one in sides if one[0] != "left_still_active"],
    ]


def found(code: str, people: pl.DataFrame) -> Finding:
    """The finding `code` of `people`, who have a `row`."""
    rows = people["row"].drop_nulls().head(100).to_list()
    return finding(code, count=people.height, row_numbers=rows, catalogue=AUDIT_CATALOGUE)


def _sides(coverage: Coverage, reconciled: Reconciled) -> list[tuple[str, pl.DataFrame]]:
    asked = coverage.people.filter(pl.col("status") != "not_meant").select(file="idp_file", row="idp_row").drop_nulls()
    sides = []
    for status in reconciled.counts:
        people = reconciled.people.filter(status=status)
        if status in ("missing", "other_group", "inactive_there"):
            people = people.join(asked, on=["file", "row"], how="anti")
        elif status not in FROM_BOTH_SIDES:
            continue
        sides += [(status, people)] if people.height else []
    unlisted = _not_on_list(coverage, reconciled)
    return sides + ([("not_on_list", unlisted)] if unlisted.height else [])


def _not_on_list(coverage: Coverage, reconciled: Reconciled) -> pl.DataFrame:
    """Who is active on both sides and in no row of the list of employees; nobody where there is no list."""
    if coverage.population.source == "idp":
        return reconciled.people.clear()
    listed = coverage.population.people["n"].drop_nulls()
    there = (
        pl.col("status").is_in(["right", "other_group", "other_values", "duplicate"]) & pl.col("user_id").is_not_null()
    )
    people = reconciled.people.filter(there & pl.col("n").is_not_null() & ~pl.col("n").is_in(listed.implode()))
    return people.with_columns(status=pl.lit("not_on_list"), cause=pl.lit(None, pl.String))
