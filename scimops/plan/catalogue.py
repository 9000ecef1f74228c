"""What a plan can find beyond a preview's findings."""

from __future__ import annotations

from typing import Any

from scimops.findings import Code, Finding, finding

PLAN_CATALOGUE: dict[str, Code] = {
    "identity_clash": Code(
        "error",
        "{count:row|rows} and somebody at the service provider share a userName or e-mail address, and are two people "
        "by their externalId, or nobody can tell which of several they are.",
        "Neither is touched. Look at both, and correct the externalId, userName or e-mail address of one of them.",
        {},
    ),
    "rename_swap": Code(
        "error",
        "{count:person takes|people take} each other's userName: no order of renames is free.",
        "They are withheld. Rename one of them to a third name first, at the identity provider.",
        {},
    ),
    "not_ours": Code(
        "info",
        "{count:person|people} at the service provider came another way than by this setting.",
        "They are shown and never touched.",
        {},
    ),
    "other_group": Code(
        "warning",
        "{count:person is|people are} in another group than the rule says, though nothing of theirs differs.",
        "The service provider places people itself. A change of their value, or its own repair, moves them.",
        {},
    ),
    "seats_short": Code(
        "error",
        "{needed:seat is|seats are} taken once this is done, the licence has {seats}.",
        "Ask for more seats, narrow the scope, or look at whether what is withheld should end first.",
        {"needed": 1204, "seats": 1000},
    ),
    "cannot_tell": Code("warning", "{what}", "What cannot be told is left as it is.", {"what": "It is not known who."}),
}
"""Each code with its level, sentence, advice and an example, as :data:`scimops.findings.CATALOGUE`."""


def plan_finding(code: str, *, count: int = 0, row_numbers: list[int] | None = None, **values: Any) -> Finding:
    """A finding of a plan, its sentence filled in."""
    return finding(code, count=count, row_numbers=row_numbers or (), catalogue=PLAN_CATALOGUE, **values)
