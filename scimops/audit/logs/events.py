"""One vocabulary for all logs: who did what to whom, with what outcome, and why not."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from scimops.idp.table import is_password
from scimops.tokens import redact

SOURCES: dict[str, str] = {
    "provisioning_log": "the embedded platform's provisioning log",
    "platform_jobs": "the platform's jobs",
    "platform_audit": "the platform's audit log",
    "entra": "Entra ID's provisioning log",
    "okta": "Okta's system log",
    "receipts": "the receipts of an apply",
}

SENDING = ("entra", "okta", "provisioning_log")
"""Logs that have a line for whatever an identity provider sent, so a time without any is a gap."""

OPERATIONS: dict[str, str] = {
    "create": "made the person",
    "update": "changed the person",
    "rename": "gave the person another userName",
    "deactivate": "made the person inactive",
    "reactivate": "made the person active again",
    "delete": "deleted the person",
    "add_member": "put the person into a group",
    "remove_member": "took the person out of a group",
    "look_up": "looked for the person",
    "create_group": "made a group",
    "rename_group": "gave a group another name",
    "delete_group": "deleted a group",
    "create_setting": "made a SCIM setting",
    "change_setting": "changed a SCIM setting",
    "delete_setting": "deleted a SCIM setting",
    "create_token": "made a token",
    "revoke_token": "ended a token",
    "change_enrolment": "made, changed or deleted an enrolment",
    "sync": "one run of the identity provider, or a part of one",
    "other": "something else",
}

OUTCOMES = ("success", "failure", "skipped", "warning")

REASONS: dict[str, str] = {
    "domain_not_allowed": "the e-mail domain is not authorised",
    "seats_full": "the licence has no free seat",
    "taken": "somebody else has a value that must be unique",
    "token_rejected": "the token was not accepted",
    "invalid": "a value was not accepted",
    "not_found": "it is not there",
    "rate_limited": "too many requests",
    "server_error": "the platform failed",
    "not_in_scope": "the identity provider does not send them",
    "no_change": "there was nothing to change",
    "duplicate_in_idp": "the identity provider has several of this one",
    "other": "another reason",
}


class UnreadableError(ValueError):
    """A record that tells no event; it says why."""


class Event(NamedTuple):
    """A row of EVENTS without the file it comes from; `changes` are `{attribute, old, new}`, `zone` the time's own."""

    at: str
    operation: str
    outcome: str = "success"
    actor: str | None = None
    externalId: str | None = None  # noqa: N815  # SCIM's names
    userName: str | None = None  # noqa: N815
    email: str | None = None
    resource_id: str | None = None
    resource_type: str | None = None
    name: str | None = None
    status: int | None = None
    reason: str | None = None
    detail: str | None = None
    changes: Sequence[dict[str, Any]] = ()
    zone: str = "Z"


def change(attribute: Any, old: Any, new: Any) -> dict[str, Any]:
    """One change; what may be a password is not kept."""
    if is_password(str(attribute)[:100]):
        old, new = None, "(not shown)"
    return {"attribute": str(attribute), "old": old, "new": new}


def changes_text(changes: Sequence[dict[str, Any]]) -> str:
    """Changes as EVENTS has them."""
    return json.dumps(list(changes), ensure_ascii=False) if changes else "[]"


def text_or_none(value: Any) -> str | None:
    """A value as text; what is blank is None."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return str(value)
    return (value.strip() or None) if isinstance(value, str) else None


def detail_text(*parts: Any) -> str | None:
    """What a log says, in one line without tokens and of bounded length."""
    said = " ".join(text for part in parts if (text := text_or_none(part)))
    return redact(" ".join(said.split()))[:1000] or None


# -- When -----------------------------------------------------------------------------------------

_ISO = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9}))?\s*(Z|z|UTC|[+-]\d\d(?::?\d\d)?)?")
_US = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}),? (\d{1,2}):(\d\d)(?::(\d\d))? ?([AP]M)\s*(UTC|Z)?", re.IGNORECASE)
NO_ZONE = "none"
"""The zone of a time that names none; it is taken for UTC."""


def time_and_zone(value: Any) -> tuple[str, str]:
    """A time as EVENTS has it, and the zone that it was written in (`Z`, `+02:00`, :data:`NO_ZONE`).

    Read are ISO 8601 and, as the admin centres of the United States write it, `11/25/2026 8:00:00 AM`.

    Raises:
        UnreadableError: this is no time, or it may mean two days.
    """
    text = value.strip() if isinstance(value, str) else ""
    found = _ISO.fullmatch(text)
    try:
        if found is None:
            return _us_time(text)
        day, clock, fraction, zone = found.groups()
        moment = dt.datetime.fromisoformat(f"{day}T{clock}")
        if zone is None or zone in ("Z", "z", "UTC"):
            milliseconds = (fraction or "")[:3].ljust(3, "0")
            return f"{moment.isoformat()}.{milliseconds}Z", NO_ZONE if zone is None else "Z"
        digits = zone[1:].replace(":", "").ljust(4, "0")
        offset = dt.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        moment = moment - offset if zone[0] == "+" else moment + offset
        shown = "Z" if not offset else f"{zone[0]}{digits[:2]}:{digits[2:]}"
        return f"{moment.isoformat()}.{(fraction or '')[:3].ljust(3, '0')}Z", shown
    except (ValueError, OverflowError):
        raise UnreadableError("it has no time that can be read") from None


def _us_time(text: str) -> tuple[str, str]:
    found = _US.fullmatch(text)
    if found is None:
        raise ValueError
    month, day, year, hour, minute = (int(found[number]) for number in range(1, 6))
    if not 1 <= hour <= 12:
        raise ValueError
    hour = hour % 12 + (12 if found[7].upper() == "PM" else 0)
    moment = dt.datetime(year, month, day, hour, minute, int(found[6] or 0))  # its zone is told beside it
    return f"{moment.isoformat()}.000Z", "Z" if found[8] else NO_ZONE


# -- Why not --------------------------------------------------------------------------------------

_STATUS = re.compile(
    r"\b(?:HTTP|status(?:[ _]?code)?)\b(?: of| is)?[\s:=\"']*([1-5]\d\d)\b|^\s*([45]\d\d)\b", re.IGNORECASE
)
_DOMAIN = re.compile(
    r"\bdomains?\b.*?(?:allow|authori[sz]|permit|verif|valid)|(?:allow|authori[sz]|permit|verif)\w* .*?\bdomains?\b",
    re.IGNORECASE | re.DOTALL,
)
_WORDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (reason, re.compile(words, re.IGNORECASE))
    for reason, words in (
        ("seats_full", r"\b(seats?|licen[cs]es?|quota|user limit)\b|LicenseLimit|QuotaExceeded"),
        ("rate_limited", r"too ?many ?requests|rate.?limit|throttl"),
        ("token_rejected", r"\btokens?\b|unauthori[sz]ed|credential|forbidden|authentication"),
        ("taken", r"already (exists|in use|taken|used|exisits)|another (person|user)|uniqueness|conflict|duplicate"),
        ("not_found", r"not.?found|no user returned|there is no|does ?n.t exist"),
        ("server_error", r"internal ?server|service ?unavailable|bad ?gateway|time[d ]?-?out|unreachable|connect"),
        ("invalid", r"invalid|required|missing|bad ?request|not usable|too long|longer than|unparsable|schema"),
    )
)
_BY_STATUS = {400: "invalid", 401: "token_rejected", 403: "token_rejected", 404: "not_found", 409: "taken",
              413: "invalid", 422: "invalid", 429: "rate_limited"}  # fmt: skip


def status_in(text: str | None) -> int | None:
    """The HTTP status that a text names: "HTTP status code of 409", "409 Another person …"."""
    found = _STATUS.search(text) if text else None
    return int(found[1] or found[2]) if found else None


def reason_of(status: int | None, text: str | None = None) -> str:
    """One of REASONS for what was refused: the words tell domain and seats, then the status, then the words."""
    said = text or ""
    if _DOMAIN.search(said):
        return "domain_not_allowed"
    if status is not None and status >= 500:
        return "server_error"
    if _WORDS[0][1].search(said):
        return "seats_full"
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return next((reason for reason, words in _WORDS if words.search(said)), "other")
