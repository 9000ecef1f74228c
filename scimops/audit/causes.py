"""The links of the chain of coverage and the causes for which one is missing: closed lists with their sentences."""

from __future__ import annotations

LINKS: dict[str, str] = {
    "in_idp": "has an account at the identity provider",
    "sent": "is sent by the setting, active",
    "at_platform": "is a target user",
    "active": "is active on the platform",
    "in_group": "is in the group that the rule gives",
    "expected": "that group has an enrolment with auto-enrol on",
    "enrolled": "is seen in the report of each such enrolment",
}
"""The chain, in its order (design: coverage). `expected` is never called proof of `enrolled`."""

CAUSES: dict[str, str] = {
    "not_in_idp": "is on the list of employees and has no account at the identity provider",
    "ambiguous": "shares a key with somebody else: nobody can tell who is who",
    "inactive": "is employed and the account at the identity provider is not active",
    "domain_not_allowed": "was refused: the e-mail domain is not authorised on the platform",
    "seats_full": "was refused: the licence has no free seat",
    "taken": "was refused: somebody else has the userName or e-mail address",
    "token_rejected": "was sent while the token was not accepted",
    "invalid": "was refused: a value was not accepted",
    "server_error": "was sent, and the platform failed",
    "refused": "was refused for another reason",
    "idp_skipped": "was skipped by the identity provider",
    "deleted_there": "was deleted on the platform",
    "never_sent": "was not sent, though the logs cover the time",
    "deactivated_by_idp": "was deactivated by the identity provider",
    "deactivated_by_hand": "was deactivated on the platform by hand",
    "group_deleted": "was in a group that was deleted by hand",
    "moved_by_hand": "was taken out of the group by hand",
    "value_not_sent": "the platform never got the value that decides the group: its mapping is missing",
    "value_stale": "the platform has an old value of what decides the group",
    "null_not_sent": "the value was emptied, and this identity provider never sends that",
    "ungrouped": "has no value, and the setting has no target group to fall back on",
    "no_enrolment": "the group has no enrolment",
    "auto_enrol_off": "the group has an enrolment, and its auto-enrol is off",
    "not_in_report": "should be enrolled and is not seen in the report",
    "left_renamed": "left and was renamed at that moment, so the platform's person was not found again",
    "left_refused": "left, and the deactivation was refused",
    "left_never_sent": "left, and no deactivation was sent, though the logs cover the time",
    "no_log": "cannot be told: no log covers the time",
    "unexplained": "the logs cover the time and say nothing of it",
}
"""Why a link is missing, in words that follow "this person" (or the group's link's own words)."""

STATUSES: dict[str, str] = {
    "left_still_active": "left, and still active on the platform",
    "missing": "should be on the platform and is not",
    "other_group": "is in another group than the rule gives",
    "other_values": "has other values on the platform",
    "duplicate": "is on the platform more than once, or two accounts are one person there",
    "inactive_there": "should be active and is not",
    "not_ours": "is on the platform by another way",
    "right": "is there and right",
    "not_due_yet": "need not be on the platform yet",
    "not_sent": "is not sent, and is not on the platform",
    "out_of_scope_there": "is out of the setting's scope, and still active on the platform",
    "gone": "left, and is not active any more",
    "cannot_tell": "cannot be told apart from others",
}
"""What reconcile says of a person, the most pressing first."""
