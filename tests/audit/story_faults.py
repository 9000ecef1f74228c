"""The 40 faults that are planted into the story, and what an audit must say of each. They stand here alone.

The answers are for the list of employees (`hr.csv`) as the population. `coverage`: (status, lost_at, cause) of that
person; `reconcile`: (status, cause). None: that part has nothing to say of them, no row or none that can be told.
A status of QUIET is no fault. The cause of a quiet status is not held to anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Coverage = tuple[str, str | None, str | None]
Reconcile = tuple[str, str | None]

QUIET = ("arrived", "not_meant", "not_due_yet", "right", "gone", "not_ours", "not_sent")
"""What is said of people with whom nothing is wrong."""


@dataclass(frozen=True)
class Fault:
    """One fault: its kind, whom it is planted on (a handle or a group's name), what is to be said of them.

    `people`: `group:NAME`, where it hits everybody whom the rule puts into the group. `also`: what is to be said of a
    second account or target user of the fault, by handle.
    """

    kind: str
    who: str
    coverage: Coverage | None
    reconcile: Reconcile | None
    people: str = ""
    also: dict[str, Reconcile] = field(default_factory=dict)


def _left(kind: str, who: str, cause: str) -> Fault:
    return Fault(kind, who, ("not_meant", None, None), ("left_still_active", cause))


def _absent(kind: str, who: str, cause: str = "") -> Fault:
    return Fault(kind, who, ("lost", "at_platform", cause or kind), ("missing", cause or kind))


def _not_sent(kind: str, who: str, cause: str) -> Fault:
    return Fault(kind, who, ("lost", "sent", cause), ("not_sent", None))


def _elsewhere(kind: str, who: str, cause: str = "", people: str = "") -> Fault:
    return Fault(kind, who, ("lost", "in_group", cause or kind), ("other_group", cause or kind), people)


def _off(kind: str, who: str) -> Fault:
    return Fault(kind, who, ("lost", "active", kind), ("inactive_there", kind))


def _untrained(kind: str, who: str, link: str, people: str = "") -> Fault:
    return Fault(kind, who, ("lost", link, kind), ("right", None), people)


FAULTS: list[Fault] = [
    # People who left
    _left("left_renamed", "leaver 4", "left_renamed"),
    _left("left_renamed", "leaver 9", "left_renamed"),
    _left("left_refused", "leaver 5", "left_refused"),
    _left("left_never_sent", "leaver 6", "left_never_sent"),
    _left("left_account_active", "leaver 7", "left_never_sent"),
    _left("left_account_deleted", "leaver 8", "left_never_sent"),
    # At the identity provider
    Fault("disabled_still_active", "Operations 3", ("lost", "sent", "inactive"),
          ("left_still_active", "left_never_sent")),
    Fault("employed_inactive", "Finance 2", ("lost", "sent", "inactive"), ("gone", None)),
    Fault("not_in_idp", "new 3", ("lost", "in_idp", "not_in_idp"), None),
    Fault("not_in_idp", "new 20", ("lost", "in_idp", "not_in_idp"), None),
    Fault("two_accounts", "Engineering 1", ("cannot_tell", None, "ambiguous"), ("duplicate", None),
          also={"Engineering 1 admin": ("not_sent", None)}),
    _not_sent("bad_email", "new 7", "rejected_bad_email"),
    _not_sent("value_too_long", "new 15", "rejected_value_too_long"),
    _not_sent("out_of_scope", "new 18", "out_of_scope"),
    Fault("out_of_scope_there", "Marketing 4", ("lost", "sent", "out_of_scope"), ("out_of_scope_there", None)),
    # On the way
    _absent("no_email", "new 11", "invalid"),  # the preview takes the userName for it, the mapping does not
    _absent("domain_not_allowed", "new 22"),
    _absent("domain_not_allowed", "new 30"),
    _absent("seats_full", "late 4"),
    _absent("seats_full", "late 5"),
    _absent("taken", "new 25"),
    _absent("token_expired", "token 0", "token_rejected"),
    _absent("token_expired", "token 1", "token_rejected"),
    _absent("token_expired", "token 2", "token_rejected"),
    _absent("token_expired", "token 3", "token_rejected"),
    _absent("server_error", "new 28"),
    _absent("idp_skipped", "new 33"),
    _absent("never_sent", "new 36"),
    # On the platform
    _absent("deleted_there", "Sales 5"),
    _off("deactivated_by_hand", "Legal 1"),
    _off("deactivated_by_idp", "Sales 2"),
    _elsewhere("group_deleted", "Procurement", people="group:Procurement"),
    _elsewhere("moved_by_hand", "Customer Support 6"),
    _elsewhere("value_not_sent", "new 39"),
    _elsewhere("value_stale", "Operations 6"),
    _elsewhere("null_not_sent", "Marketing 7"),
    Fault("duplicate_there", "Information Technology 3", ("arrived", None, None), ("right", None),
          also={"Information Technology 3 twin": ("duplicate", None)}),
    # Trainings
    _untrained("no_enrolment", "Facilities", "expected", people="group:Facilities"),
    _untrained("auto_enrol_off", "Human Resources", "expected", people="group:Human Resources"),
    _untrained("not_in_report", "Sales 8", "enrolled"),
]  # fmt: skip
"""Planted, all 40 at once: `write_story(folder, [(fault.kind, fault.who) for fault in FAULTS])`."""

BENIGN: list[Fault] = [
    Fault("made by hand, no fault", "stranger 0", None, ("not_ours", None)),
    Fault("made by hand, no fault", "stranger 3", None, ("not_ours", None)),
    Fault("account made minutes ago", "minute 0", ("not_due_yet", "at_platform", None), ("not_due_yet", None)),
    Fault("account made minutes ago", "minute 1", ("not_due_yet", "at_platform", None), ("not_due_yet", None)),
    Fault("first day ahead, no account", "ahead 0", ("not_due_yet", "in_idp", None), None),
    Fault("first day ahead, account off", "ahead 1", ("not_due_yet", "sent", None), ("not_sent", None)),
    Fault("left, account and person deleted", "leaver 0", ("not_meant", None, None), None),
    Fault("left, as it should", "leaver 3", ("not_meant", None, None), ("gone", None)),
    Fault("moved to another group, as it should", "Sales 76", ("arrived", None, None), ("right", None)),
    Fault("has a new name, as it should", "Sales 75", ("arrived", None, None), ("right", None)),
    Fault("joined, as it should", "new 0", ("arrived", None, None), ("right", None)),
    Fault("joined yesterday, as it should", "late 3", ("arrived", None, None), ("right", None)),
]
"""In every story, and no fault."""
