"""What a preview can find, in words an admin understands.

A *finding* is not an error: it is something a person should know about an export under a setting.
Every finding's code stands in :data:`CATALOGUE` with its level, sentence, advice and an example.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Level = Literal["error", "warning", "info"]

LEVELS: tuple[Level, ...] = ("error", "warning", "info")

ROW_NUMBERS_KEPT = 100
"""How many row numbers a finding carries; `count` is always the true number."""


@dataclass(frozen=True)
class Finding:
    """Something a person should know: what, how often, where, what to do.

    `row_numbers` are 1-based data records of the export, the first hundred; `count` is the true number.
    """

    code: str
    level: Level
    message: str
    advice: str
    count: int = 0
    row_numbers: list[int] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """The finding as plain data, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Code:
    """A finding's code: its level, its sentence and advice as templates, and values for an example."""

    level: Level
    message: str
    advice: str
    example: dict[str, Any]


def finding(
    code: str, *, count: int = 0, row_numbers: Iterable[int] = (), catalogue: Mapping[str, Code] | None = None,
    **values: Any,
) -> Finding:  # fmt: skip
    """The finding `code` with its sentence filled in from `count` and `values`; numbers say what is counted.

    `catalogue` is :data:`CATALOGUE` unless another step has one of its own.

    Raises:
        KeyError: the code is not in the catalogue, or a value that its sentence needs is absent.
    """
    entry = (CATALOGUE if catalogue is None else catalogue)[code]
    values = {"count": count, "people": _People(count), **values}
    values = {name: _Number(value) if type(value) is int else value for name, value in values.items()}
    rows = [int(row) for _, row in zip(range(ROW_NUMBERS_KEPT), row_numbers, strict=False)]
    return Finding(code, entry.level, entry.message.format_map(values), entry.advice.format_map(values), count, rows)


class _Number(int):
    """A number that brings the words for one and for many: `{groups:group is|groups are}`."""

    def __format__(self, words: str) -> str:
        one, _, many = words.partition("|")
        return f"{int(self):,} {one if self == 1 else many}".strip()


class _People(int):
    """People with the verb for one and for many: `{people:has|have}`."""

    def __format__(self, words: str) -> str:
        one, _, many = words.partition("|")
        return f"{people(int(self))} {one if self == 1 else many}".strip()


def people(count: int) -> str:
    """`1 person`, `2 people`."""
    return "1 person" if count == 1 else f"{count:,} people"


CATALOGUE: dict[str, Code] = {
    # The source
    "incomplete_source": Code(
        "error",
        "This file is a part of the export: {missing}.",
        "Export again until the file is whole. Nothing here says who left; use this preview for looking only.",
        {"missing": "it says 250 users in all and holds 1"},
    ),
    "unreadable_rows": Code(
        "error",
        "{count:row|rows} cannot be read (too short, too long, broken quotes or control characters); left out here.",
        "Look at the rows named here. Most often a file was edited by hand or joined from two; export again.",
        {},
    ),
    "foreign_file": Code(
        "error",
        "{share} of the rows cannot be sent. This may not be the file you meant.",
        "Check that this is the export of your identity provider; `scimops guide {idp} --how-to-export` says how to "
        "get it.",
        {"share": "92 %", "idp": "entra"},
    ),
    "old_file": Code(
        "warning",
        "This export was taken {age} ago, longer than the {max_age} the setting allows.",
        "Export again before you decide anything on it.",
        {"age": "12 days", "max_age": "7 days"},
    ),
    "columns_guessed": Code(
        "info",
        "No known export has these columns, so their meaning was guessed: {columns}.",
        "Check the guess. Where it is wrong, say it in the setting under `columns`.",
        {"columns": "email = Mail, department = Dept"},
    ),
    "column_missing": Code(
        "error",
        "The export has no column for {field}.",
        "{advice}",
        {"field": "department", "advice": "Add it to the export: Get-MgUser -All -Property department"},
    ),
    "column_empty": Code(
        "error",
        "The column {column} for {field} is empty in every row.",
        "{advice}",
        {"field": "department", "column": "department", "advice": "Fill it in the identity provider."},
    ),
    "recording": Code(
        "info",
        "This is a recording of {requests:request|requests}: {deleted:person was|people were} deleted again, "
        "{refused:was|were} refused, {before:was|were} there before it began.",
        "Only people whom the identity provider sent have a row here; what it only looked up has none.",
        {"requests": 120, "deleted": 2, "refused": 1, "before": 0},
    ),
    "recording_cut": Code(
        "warning",
        "A line of the recording is cut off, because the server was stopped while it wrote; that request is left out.",
        "Have the identity provider send that person once more (provision on demand), or record again.",
        {},
    ),
    "refused_in_rehearsal": Code(
        "warning",
        "{people:was|were} refused in the rehearsal, and this preview does not say why.",
        "See rehearsal.detail in `scimops read --ndjson`. Another account may hold the userName or e-mail address "
        "there, or the rehearsal had another setting.",
        {},
    ),
    # Identity
    "no_username": Code(
        "error",
        "{people} without a userName will be rejected.",
        "Fill the column {column} in your identity provider, or name another column under `identity`.",
        {"column": "userPrincipalName"},
    ),
    "no_email": Code(
        "error",
        "{people} without an e-mail address will be rejected.",
        "Fill the column {column} in your identity provider: the platform requires an e-mail address.",
        {"column": "mail"},
    ),
    "bad_email": Code(
        "error",
        "{people} with an unusable e-mail address will be rejected (such as {sample}).",
        "An address needs one @, a domain, no spaces, at most 320 characters. Correct it in your identity provider.",
        {"sample": "anna@@example.com"},
    ),
    "email_from_username": Code(
        "warning",
        "{people:has|have} no mail address; the user principal name is shown as the e-mail address.",
        "Entra ID sends no e-mail for them unless you map Coalesce([mail],[userPrincipalName]) to "
        'emails[type eq "work"].value. Without that they are rejected.',
        {},
    ),
    "value_too_long": Code(
        "error",
        "{people:has|have} a value longer than the platform takes ({field}: at most {limit} characters).",
        "Shorten it in your identity provider. It is never cut off here, because two people could become one.",
        {"field": "department", "limit": 256},
    ),
    "duplicate_username": Code(
        "error",
        "{people:shares|share} a userName with somebody else in this file (such as {sample}).",
        "Give each account its own userName, or set `duplicates` to keep_first or keep_active.",
        {"sample": "anna@example.com"},
    ),
    "duplicate_email": Code(
        "error",
        "{people:shares|share} an e-mail address with another account (such as {sample}).",
        "Often a standard and an administrator account of one person. Leave one out of the scope, give it its own "
        "address, or set `duplicates` to keep_first or keep_active.",
        {"sample": "anna@example.com"},
    ),
    "duplicate_external_id": Code(
        "warning",
        "{people:shares|share} an externalId (column {column}) with another row.",
        "The platform takes rows with one externalId for one person. Choose a column that is unique for each person.",
        {"column": "id"},
    ),
    "clash_order_unknown": Code(
        "warning",
        "In {clashes:clash|clashes} the platform will accept whomever the identity provider sends first and answer 409 "
        "to the rest.",
        "Nobody knows that order. Solve the duplicates before you switch on, so that the preview holds for everyone.",
        {"clashes": 3},
    ),
    "kept_inactive_hides_active": Code(
        "error",
        "{people:is|are} active but hidden by an inactive account with the same userName or e-mail that comes first.",
        "Use `duplicates: keep_active`, or remove the old account.",
        {},
    ),
    "external_id_changes": Code(
        "warning",
        "The externalId is taken from {column}, which changes when a person is renamed.",
        "{advice}",
        {"column": "mailNickname", "advice": "In Entra ID map objectId to externalId instead of mailNickname."},
    ),
    "external_id_absent": Code(
        "info",
        "The export has no column for the externalId; people will be matched by userName, then by e-mail.",
        "Where you can, export the object id too: a renamed person is then still the same person.",
        {},
    ),
    "username_differs_from_email": Code(
        "info",
        "{people:has|have} a userName that is not the e-mail address.",
        "That is allowed. Check that both are meant: the platform sends mail to the e-mail address.",
        {},
    ),
    "active_unknown": Code(
        "warning",
        "For {people} the export does not say whether the account is active; it counts as active.",
        "{advice}",
        {"advice": "Add accountEnabled to the export."},
    ),
    # Who comes along
    "guests": Code(
        "warning",
        "{people:in scope is a guest|in scope are guests}.",
        "Guests take seats and receive trainings like employees. To leave them out set `scope: user_types: [Member]`.",
        {},
    ),
    "shared_mailboxes": Code(
        "warning",
        "{people:looks like a room, equipment or a shared mailbox|look like rooms, equipment or shared mailboxes} "
        "(such as {sample}).",
        "Nobody reads a training there. Leave them out of the assignment in your identity provider.",
        {"sample": "info@example.com"},
    ),
    "service_accounts": Code(
        "warning",
        "{people:looks like a service or administrator account|look like service or administrator accounts} "
        "(such as {sample}).",
        "They take seats and often share a person's mailbox. Leave them out of the assignment.",
        {"sample": "svc-backup@example.com"},
    ),
    "domain_not_allowed": Code(
        "error",
        "{people:has|have} an e-mail domain that is not authorised: {domains}.",
        "Have these domains authorised on the platform, or leave these people out of the scope.",
        {"domains": "partner.example.net (12)"},
    ),
    "seats_exceeded": Code(
        "error",
        "{needed:seat is|seats are} needed, the licence has {seats}.",
        "Narrow the scope (assigned people only, no guests) or ask for more seats before you switch on.",
        {"needed": 1204, "seats": 1000},
    ),
    # Groups
    "blank_criterion": Code(
        "warning",
        "With no {field}, {people:lands|land} in {landing}.",
        "Fill {field} in your identity provider if they belong elsewhere.",
        {"field": "department", "landing": 'the target group "Everyone"'},
    ),
    "several_values": Code(
        "warning",
        "{people:has|have} several values for {field}; the primary, else the first, decides the group.",
        "Keep one value per person where the group depends on it.",
        {"field": "department"},
    ),
    "spellings_merged": Code(
        "info",
        "{groups:group is|groups are} written in several ways that count as one: {sample}.",
        "Correct the spellings in your identity provider; fix.csv proposes one for each.",
        {"groups": 2, "sample": "Sales, SALES, sales"},
    ),
    "near_twins": Code(
        "warning",
        "{pairs:pair|pairs} of groups whose names look alike but are not the same: {sample}.",
        "Correct the spelling in your identity provider, or join them with an alias.",
        {"pairs": 1, "sample": "Enginering / Engineering"},
    ),
    "one_member_group": Code(
        "info",
        "{groups:group|groups} would have one member only: {sample}.",
        "Often a typing error. Correct it, or join the group with another by an alias.",
        {"groups": 3, "sample": "Slaes, R&D2"},
    ),
    "group_name_too_long": Code(
        "warning",
        "{groups:group name is|group names are} longer than {limit} characters: {sample}.",
        "The platform's API takes at most {limit}. Shorten the value, or give it a shorter name by an alias.",
        {"groups": 1, "limit": 64, "sample": "Department for …"},
    ),
    "existing_groups_unknown": Code(
        "info",
        "Which groups the platform has already is not known here, so a group may exist under another spelling.",
        "Give the list of existing groups with --existing-groups FILE to be sure of names.",
        {},
    ),
    "criterion_not_sent_by_default": Code(
        "warning",
        "{idp} does not send {field} unless you add it to the attribute mapping.",
        "{advice}",
        {"idp": "Okta", "field": "department", "advice": "Add the attribute `department` in the Profile Editor."},
    ),
    "criterion_without_attribute": Code(
        "warning",
        "No SCIM attribute is named for {field}, so {idp} cannot send it and the platform cannot group by it.",
        "Name one under `field_mappings`: attribute and field. `scimops guide` then says how to have it sent.",
        {"idp": "Entra ID", "field": "Cost Center"},
    ),
    "fields_not_sent_by_default": Code(
        "info",
        "{idp} sends {fields} only once added to the attribute mapping.",
        "`scimops guide` with this setting shows each with its exact name.",
        {"idp": "Entra ID", "fields": "Region"},
    ),
    "sending_not_verified": Code(
        "warning",
        "It is not verified that {idp} sends {fields}.",
        "{advice}",
        {"idp": "JumpCloud", "fields": "department", "advice": "Test with one person whether department arrives."},
    ),
    "stale_at_service_provider": Code(
        "info",
        "{idp} does not send a value that was cleared: whoever loses their {field} later stays in the old group.",
        'Use a value such as "none" instead of clearing it.',
        {"idp": "Entra ID", "field": "department"},
    ),
    "case_only_change": Code(
        "info",
        "{idp} does not send a change of upper and lower case only, so a corrected spelling may not arrive.",
        "That changes nobody's group: values that differ only in case are one group.",
        {"idp": "Entra ID"},
    ),
    "nested_groups": Code(
        "warning",
        "{idp} does not read groups inside groups: members of a nested group are not sent.",
        "Assign the inner groups themselves, or use a dynamic group.",
        {"idp": "Entra ID"},
    ),
    "transient_fallback": Code(
        "info",
        "A person created before their {field} is filled passes through {group} first.",
        "If {group} enrols its members automatically, they may receive a training meant for others.",
        {"field": "department", "group": '"Everyone"'},
    ),
    "rule_not_there": Code(
        "warning",
        "{platform} is not known to have {rules}: these groups are unverified there.",
        "Test with one person before you switch on, or correct the values in the identity provider instead.",
        {"platform": "The platform's published API", "rules": "aliases"},
    ),
}
