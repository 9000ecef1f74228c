"""The schemas of the frames that an audit reads and makes; held by :func:`scimops.frames.check`.

Times are texts, ISO 8601 in UTC with milliseconds (`2026-11-25T08:00:00.000Z`), so that they sort as they are on every
backend.
"""

from __future__ import annotations

from scimops.audit.causes import LINKS
from scimops.frames import Column, Schema

_KEYS = (
    Column("externalId", "string", True, "the identity provider's own key of the person (RFC 7643 §3.1)", True),
    Column("userName", "string", True, "the name the person signs in with (RFC 7643 §4.1.1)", True),
    Column("email", "string", True, "e-mail address", True),
)

EVENTS = Schema(
    "events",
    (
        Column("at", "string", False, "when, ISO 8601 in UTC with milliseconds"),
        Column("source", "string", False, "whose log: one of logs.SOURCES"),
        Column("file", "string", False, "file or connection that it was read from"),
        Column("row", "int64", False, "1-based record of that file, or number of the line there"),
        Column("actor", "string", True, "who did it: name of a token, user, service", True),
        *_KEYS,
        Column("resource_id", "string", True, "the service provider's id of the person, group or enrolment", True),
        Column("resource_type", "string", True, "User, Group, Setting, Token, Enrolment; null = not said"),
        Column("name", "string", True, "display name of the group, setting or enrolment"),
        Column("operation", "string", False, "one of logs.OPERATIONS"),
        Column("outcome", "string", False, "success, failure, skipped or warning"),
        Column("status", "int64", True, "HTTP status of the answer"),
        Column("reason", "string", True, "why it did not succeed: one of logs.REASONS; null = it did"),
        Column("detail", "string", True, "what the log says of it", True),
        Column("changes", "string", False, "JSON: [{attribute, old, new}]; [] = none told", True),
    ),
)
"""What happened, of all logs in one vocabulary: one row a line of a log."""

ENROLMENTS = Schema(
    "enrolments",
    (
        Column("id", "string", False, "the platform's id of the enrolment"),
        Column("name", "string", False, "name of the enrolment"),
        Column("auto_enrol", "bool", False, "people who come into its groups are enrolled by themselves"),
        Column("readable", "bool", False, "its report of people could be read"),
    ),
)
"""The enrolments of the platform."""

ENROLMENT_GROUPS = Schema(
    "enrolment_groups",
    (
        Column("enrolment_id", "string", False, "id of the enrolment"),
        Column("group_id", "string", False, "id of a target group of it"),
    ),
)
"""Which target groups an enrolment is for."""

ENROLLED = Schema(
    "enrolled",
    (
        Column("enrolment_id", "string", False, "id of the enrolment"),
        Column("user_id", "string", False, "id of the target user", True),
    ),
)
"""Who is seen in the report of an enrolment."""

COVERAGE = Schema(
    "coverage",
    (
        Column("n", "int64", False, "number of the person in the population, from 0"),
        Column("file", "string", False, "file the person was read from"),
        Column("row", "int64", False, "1-based data record of that file"),
        *_KEYS,
        Column("firstName", "string", True, "given name", True),
        Column("lastName", "string", True, "family name", True),
        Column("idp_file", "string", True, "file of the export with the person's account; null = none"),
        Column("idp_row", "int64", True, "1-based data record of that file"),
        Column("since", "date", True, "first day: of hire, else the account's; null = not known"),
        Column("reason", "string", True, "the preview's reason (grouping.REASONS); null = has no account there"),
        Column("group", "string", True, "the group the rule gives; of several: joined with a line feed"),
        Column("user_id", "string", True, "the target user, by id; null = none was found", True),
        Column("matched_by", "string", True, "externalId, userName or email"),
        Column("in_idp", "bool", False, "has an account in the export"),
        Column("sent", "bool", False, "the setting sends them, active"),
        Column("at_platform", "bool", True, "there is a target user; null = cannot tell who it is"),
        Column("active", "bool", True, "the target user is active"),
        Column("in_group", "bool", True, "is in the group that the rule gives"),
        Column("expected", "bool", True, "a group of theirs has an enrolment with auto-enrol on; null = not readable"),
        Column("enrolled", "bool", True, "is seen in the report of each of those; null = not readable"),
        Column("status", "string", False, "arrived, lost, not_due_yet, not_meant or cannot_tell"),
        Column("lost_at", "string", True, "the first link that is missing: one of causes.LINKS"),
        Column("cause", "string", True, "why: one of causes.CAUSES"),
        Column("due", "string", True, "not_due_yet: when the person should be there at the latest"),
        Column("evidence", "string", True, "the line of a log that shows the cause: source, file, row, time"),
    ),
)
"""Person by person: how far the chain of coverage holds, the first link missing and why."""

RECONCILED = Schema(
    "reconciled",
    (
        Column("status", "string", False, "one of reconcile.STATUSES"),
        Column("n", "int64", True, "number of the person in the export's readable rows; null = in no row"),
        Column("file", "string", True, "file of the export"),
        Column("row", "int64", True, "1-based data record of that file"),
        *_KEYS,
        Column("user_id", "string", True, "the target user, by id", True),
        Column("matched_by", "string", True, "externalId, userName or email; null = not matched"),
        Column("wanted", "string", True, "the group the rule gives; of several: sorted, joined with a line feed"),
        Column("held", "string", True, "the group they are in; of several: sorted, joined with a line feed"),
        Column("changed", "list[string]", False, "names of the fields that differ"),
        Column("before", "string", True, "JSON: those fields as the platform has them", True),
        Column("after", "string", True, "JSON: those fields as the export has them", True),
        Column("cause", "string", True, "why, where it can be told: one of causes.CAUSES"),
        Column("evidence", "string", True, "the line of a log that shows the cause: source, file, row, time"),
    ),
)
"""Both sides person by person: right, or what differs and why."""

ARRIVALS = Schema(
    "arrivals",
    (
        *_KEYS,
        *(
            column
            for link, words in ({**LINKS, "arrived": "has arrived, as the audit said it"}).items()
            for column in (
                Column(
                    f"{link}_not_yet", "string", True, f"time of the last audit before it that saw: not yet {words}"
                ),
                Column(f"{link}_seen", "string", True, f"first audit that saw: {words}"),
            )
        ),
    ),
)
"""When each link was first seen to hold, a row a person: after the audit at `_not_yet`, and by the audit at `_seen`.

`_not_yet` is null where no audit saw it otherwise, `_seen` where none has seen it hold.
"""

JOINED = Schema(
    "joined",
    (
        *_KEYS,
        Column("firstName", "string", True, "given name", True),
        Column("lastName", "string", True, "family name", True),
        Column("joined", "date", True, "first day; null = no source says it, then the next two columns tell"),
        Column("joined_after", "string", True, "time of the last export without them"),
        Column("joined_by", "string", True, "time of the first export with them"),
        Column("joined_from", "string", False, "what tells it: one of period.SOURCES"),
        Column("sure", "bool", False, "joined in the period; false = between two exports, one of them outside it"),
        Column("left", "bool", False, "left since, or has no active account any more"),
        Column("left_on", "date", True, "last day; null = no source says it, then the next two columns tell"),
        Column("left_after", "string", True, "time of the last export with them, active"),
        Column("left_by", "string", True, "time of the first export without them, or with the account off"),
        Column("arrived_after", "string", True, "time of the last audit that saw them not arrived; null = none did"),
        Column("arrived_by", "string", True, "time of the first audit that saw them arrived; null = none did"),
        Column("over_gap", "bool", False, "audits are missing between the two"),
        Column("status", "string", False, "one of period.STATUSES"),
        Column("lost_at", "string", True, "the first link that is missing today: one of causes.LINKS"),
        Column("cause", "string", True, "why: one of causes.CAUSES or grouping.REASONS"),
        Column("evidence", "string", True, "the line of a log that shows the cause"),
    ),
)
"""Everybody who joined in a period, those who left included: arrived when, still there, or why not."""

DRIFTED = Schema(
    "drifted",
    (
        Column("kind", "string", False, "one of drift.KINDS"),
        Column("what", "string", True, "the field that differs, or the group; null = the person as such"),
        *_KEYS,
        Column("user_id", "string", True, "the target user, by id; null = is not there any more", True),
        Column("applied", "string", True, "the value that was applied; null = blank", True),
        Column("there", "string", True, "the value there now; null = blank", True),
        Column("withheld_then", "bool", False, "the applied plan held something of this person back"),
        Column("at", "string", True, "when it came; null = no line of a log tells"),
        Column("actor", "string", True, "who did it, as the log names them", True),
        Column("operation", "string", True, "what they did: one of logs.OPERATIONS"),
        Column("told_by", "string", True, "how the line tells it: one of drift.TOLD_BY"),
        Column("evidence", "string", True, "that line: source, file, row, time"),
    ),
)
"""What differs from what was applied: one row a difference, with the line of a log that tells when and by whom."""
