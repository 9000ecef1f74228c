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
        "{needed:seat is|seats are} needed to do all of this, the licence has {seats}; "
        "{people:who would start is|who would start are} withheld.",
        "Ask for more seats, narrow the scope, or look at whether others who are withheld should end first.",
        {"needed": 1204, "seats": 1000},
    ),
    "history_missing": Code(
        "warning",
        "No receipts of earlier applies were found: the limits count this plan alone, not what was removed before it; "
        "and it cannot be told whether somebody else changes what scimops sends.",
        "Name the folder in which applies put their receipts (--history). After a first apply they are there.",
        {},
    ),
    "history_unclear": Code(
        "warning",
        "{count:earlier apply has|earlier applies have} not ended, or left receipts that cannot be read: {names}. What "
        "they removed does not count towards the limits.",
        "Begin each again with scimops apply: it goes on where it ended, and leaves receipts.",
        {"names": "plan-0123456789ab"},
    ),
    "two_masters": Code(
        "warning",
        "Somebody else pushes to this setting, too: {how}.",
        "Let one of the two push: end provisioning at the identity provider, or leave it the setting. Where nobody "
        "else does, a person changed them there, the service provider changes what it is sent, or a token was renewed.",
        {"how": "3 people have other values than scimops last sent (anna@example.com)"},
    ),
    "cannot_tell": Code("warning", "{what}", "What cannot be told is left as it is.", {"what": "It is not known who."}),
}
"""Each code with its level, sentence, advice and an example, as :data:`scimops.findings.CATALOGUE`."""


def plan_finding(code: str, *, count: int = 0, row_numbers: list[int] | None = None, **values: Any) -> Finding:
    """A finding of a plan, its sentence filled in."""
    return finding(code, count=count, row_numbers=row_numbers or (), catalogue=PLAN_CATALOGUE, **values)
