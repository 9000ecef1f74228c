"""The words of a person's story: what a line of a log, a link and the whole come to, in sentences."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from scimops.audit.causes import CAUSES, LINKS, STATUSES
from scimops.audit.logs.events import OPERATIONS, REASONS
from scimops.grouping import REASONS as PLACES

if TYPE_CHECKING:
    from scimops.audit.explain import Enrolled

DAYS = {"hiredOn": "First day.", "createdOn": "The account was made.", "leftOn": "Last day."}
"""What each day of an export or of a list of employees is."""

_OUTCOMES = {"failure": ": failed", "skipped": ": skipped", "warning": ": done, with a warning"}
_SIDES = STATUSES | {"left_still_active": "left, and is still active on the platform"}
_UNTOLD = ("no_log", "unexplained", "not_in_report")
_VALUES_SHOWN = ("userName", "email", "externalId", "department")


class Told(Protocol):
    """What is known of a person beside the rows of the audit."""

    @property
    def wanted(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def held(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def enrolments(self) -> tuple[Enrolled, ...]: ...  # noqa: D102


def name_of(keys: Mapping[str, Any]) -> str:
    """How a person is called: the name, and in parentheses the best key."""
    name = " ".join(str(keys[part]) for part in ("firstName", "lastName") if keys.get(part))
    best = next((str(keys[key]) for key in ("userName", "email", "externalId", "user_id") if keys.get(key)), "")
    key = best or f"row {keys.get('row')} of {keys.get('file')}"
    return f"{name} ({key})" if name else key


def place_of(line: Mapping[str, Any]) -> str:
    """Where a line of a log stands."""
    return f"{line['source']} {line['file']} row {line['row']}"


def event_words(line: Mapping[str, Any]) -> str:
    """A line of a log as a sentence: what was done, by whom, how it ended, which values changed."""
    operation = OPERATIONS[line["operation"]]
    said = operation[0].upper() + operation[1:]
    said += f' "{line["name"]}"' if line["name"] else ""
    said += f", by {line['actor']}" if line["actor"] else ""
    said += _OUTCOMES.get(line["outcome"], "")
    if line["outcome"] != "success" and line["reason"]:
        said += f", because {REASONS[line['reason']]}"
    said += f" (status {line['status']})" if line["status"] and line["outcome"] != "success" else ""
    changes = json.loads(line["changes"])
    if changes:
        said += "; " + ", ".join(map(_change, changes))
    return f"{said}. The log says: {line['detail']}" if line["detail"] else f"{said}."


def _change(one: Mapping[str, Any]) -> str:
    """A changed attribute, without the name of its schema, with its values."""
    path, old, new = str(one["attribute"]), _value(one["old"]), _value(one["new"])
    name = path.rpartition(":")[2] if path.lower().startswith("urn:") else path
    return f"{name} {new}" if old == "blank" else f"{name} {old} → {new}"


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
    return f'"{text}"' if text.strip() else "blank"


def user_words(user: Mapping[str, Any], side: Mapping[str, Any], held: Sequence[str]) -> str:
    """What the platform holds of a person, and what of it differs from the export."""
    active = {True: "active", False: "not active", None: "which does not say whether it is active"}[user["active"]]
    made = f'made by the SCIM setting "{user["setting"]}"' if user["setting"] else "not known to be made by a setting"
    values = ", ".join(f"{name} {_value(user[name])}" for name in _VALUES_SHOWN)
    said = f"The platform has the target user {user['id']}, {active}, {made}: {values}"
    said += f"; in {_groups(held)}" if held else "; in no group"
    if side.get("changed"):
        before, after = (json.loads(side[name]) for name in ("before", "after"))
        names = ", ".join(
            f"{name} {_value(before.get(name))}, in the export {_value(after.get(name))}" for name in side["changed"]
        )
        said += f". Different: {names}"
    return said + "."


def link_words(link: str, row: Mapping[str, Any], told: Told) -> str:
    """What a link asks for, and what shows whether it holds."""
    said = LINKS[link]
    return f"{said[0].upper()}{said[1:]}{_shown(link, row, told)}."


def _shown(link: str, row: Mapping[str, Any], told: Told) -> str:
    auto = [one.name for one in told.enrolments if one.auto_enrol and set(one.groups) & set(told.held)]
    seen = [one.name for one in told.enrolments if one.seen]
    shown = {
        "sent": f"in the preview this person {PLACES[row['reason']]}" if row["reason"] else "",
        "at_platform": f"{row['user_id']}, matched by {row['matched_by']}" if row["user_id"] else "",
        "in_group": f"by the rule {_groups(told.wanted)}; in {_groups(told.held)}",
        "expected": "is not in that group" if row["in_group"] is False else _names(auto),
        "enrolled": f"seen in the report of {_names(seen)}" if seen else "",
    }.get(link)
    return f" ({shown})" if shown else ""


def sentence(who: str, asked: Mapping[str, Any], side: Mapping[str, Any], told: Told) -> str:
    """Why this person is, or is not, in that group and training today: one sentence.

    Args:
        who: how the person is called.
        asked: their row of coverage; empty where the audit does not ask about them.
        side: their row of reconcile; empty where they are on neither side.
        told: groups and enrolments.
    """
    writers = {"arrived": _arrived, "lost": _lost, "not_due_yet": _not_due, "cannot_tell": _cannot_tell}
    writer = writers.get(asked.get("status", ""), _not_meant)
    return f"{who} {writer(asked, side, told)}."


def _arrived(row: Mapping[str, Any], _: Mapping[str, Any], told: Told) -> str:
    why = f"this person {PLACES[row['reason']]}"
    if row["reason"] == "rejected_duplicate":
        why = "of all accounts with this userName or e-mail address this one was accepted"
    there = f"is in {_groups(told.wanted)}"
    if row["expected"] is None:
        return f"{there} today, because {why}; which trainings that brings cannot be read here"
    trainings = _names([one.name for one in told.enrolments if one.auto_enrol and set(one.groups) & set(told.held)])
    if row["enrolled"] is None:
        return f"{there} and expected in {trainings} today, because {why}; whom its report shows cannot be read here"
    return f"{there} and seen in the report of {trainings} today, because {why} and auto-enrol is on for that group"


def _lost(row: Mapping[str, Any], side: Mapping[str, Any], told: Told) -> str:
    why = _because(row)
    if not told.wanted:
        active = "active " if row["active"] else ""
        there = f"{active}on the platform and in {_groups(told.held)} today, and by the rule should be in none"
        # who is in no row of the export was not looked for on the platform
        absent = "in no group and no training today" if side else "given no group and no training by the rule today"
        return f"is {there if side.get('user_id') else absent}{why}"
    if row["lost_at"] == "active":
        return f"is not active on the platform, so in no training by {_groups(told.wanted)} today{why}"
    if row["lost_at"] == "expected":
        seen = [one.name for one in told.enrolments if one.seen]
        shown = f", though the report of {_names(seen)} shows them" if seen else ""
        return f"is in {_groups(told.wanted)} and not expected in a training of it today{shown}{why}"
    if row["lost_at"] == "enrolled":
        missing = [one.name for one in told.enrolments if one.auto_enrol and one.seen is False]
        trainings = _names(missing) or "a training of it"
        return f"is in {_groups(told.wanted)} and not seen in the report of {trainings} today{why}"
    others = [name for name in told.held if name not in told.wanted]
    if row["lost_at"] == "in_group" and others:
        return f"is in {_groups(others)} and not in {_groups(told.wanted)} today{why}"
    return f"is not in {_groups(told.wanted)} and not in a training by it today{why}"


def _not_due(row: Mapping[str, Any], _: Mapping[str, Any], told: Told) -> str:
    groups = _groups(told.wanted)
    if not told.wanted:
        there = "in no group and no training"
    elif row["in_group"]:
        there = f"in {groups}, not in its training"
    else:
        there = f"not in {groups} and its training"
    return f"is {there} yet, and need not be before {utc(row['due'])}"


def _cannot_tell(row: Mapping[str, Any], _: Mapping[str, Any], told: Told) -> str:
    there = f"{_groups(told.wanted)} and its training" if told.wanted else "a group and a training"
    return f"is or is not in {there} today: nobody can tell{_because(row)}"


def _not_meant(row: Mapping[str, Any], side: Mapping[str, Any], told: Told) -> str:
    """Of people who are not to arrive, and of those about whom the audit does not ask."""
    status, held = side.get("status", ""), f", in {_groups(told.held)}" if told.held else ", in no group"
    if (
        status in ("left_still_active", "maybe_left", "out_of_scope_there", "not_ours", "duplicate", "cannot_tell")
        or not row
    ):
        listed = "" if row or side.get("n") is None else "stands in no row of the list of employees, and "
        return f"{listed}{_SIDES[status]}{held if side.get('user_id') else ''} today{_because(side)}"
    reason = row.get("reason")
    why = "is no employee any more" if reason is None or not _keeps_out(reason) else PLACES[reason]
    return f"is not to be in a group or a training today, because this person {why}"


def _keeps_out(reason: str) -> bool:
    return reason in ("inactive", "out_of_scope") or reason.startswith("rejected_")


def _because(row: Mapping[str, Any]) -> str:
    """The cause as a clause, with the line that shows it."""
    cause = row.get("cause")
    if cause is None:
        return ""
    said = (CAUSES | PLACES)[cause]
    if cause in _UNTOLD:
        return {
            "no_log": "; why cannot be told, as no log of the identity provider covers the time",
            "unexplained": "; why cannot be told, as the logs cover the time and say nothing of it",
            "not_in_report": ", though auto-enrol is on for that group; nothing that was read says why",
        }[cause]
    clause = said if said.startswith("the ") else f"this person {said}"
    return f", because {clause}" + (f" ({row['evidence']})" if row.get("evidence") else "")


def utc(at: str) -> str:
    """A time of the story for people: a day as it is, a time to the second with its zone."""
    return at if "T" not in at else f"{at[:10]} {at[11:19]} UTC"


def _groups(names: Sequence[str]) -> str:
    if not names:
        return "no group"
    return f"the group {_names(names)}" if len(names) == 1 else f"the groups {_names(names)}"


def _names(names: Sequence[str]) -> str:
    quoted = [f'"{name}"' for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}" if quoted else ""
