"""What a plan is in words: the same in the terminal, in the page and in the workbook."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import polars as pl

from scimops.grouping import REASONS
from scimops.plan.memberships import ENDING, OF_GROUPS
from scimops.present.words import many, visible
from scimops.setting import Safeguards

if TYPE_CHECKING:
    from scimops.plan import Plan
    from scimops.plan.safeguards import Verdict

KINDS = {
    "create": "made", "update": "changed", "rename": "renamed", "reactivate": "active again", "deactivate": "ended",
    "delete": "deleted", "create_group": "groups made", "join": "joins", "leave": "leaves",
    "delete_group": "groups deleted", "withheld": "withheld",
}  # fmt: skip
"""Each kind of operation in a word for people."""

WHY = REASONS | {
    "left": "is in no row of the export", "group": "the rule says so", "undo": "what was done is undone",
}  # fmt: skip
"""Why an operation is planned."""

WITHHELD = {
    "protected": "protected by the setting",
    "unreadable_rows": "rows of the export cannot be read, so nobody knows who left",
    "rename_swap": "they take each other's userName",
    "grace": "missing from the exports, not yet for as long as the setting says",
    "seats": "the licence has no seat for them",
    "stopped": "the setting stops everything where a limit is reached",
    "deactivate": "too many would be deactivated", "delete": "too many would be deleted",
    "leave": "too many would leave a group", "leave_each": "too many would leave this one group",
    "move": "too many would move", "empty_groups": "a group would be emptied",
}  # fmt: skip
"""Why an operation is withheld, by the name that it has in a plan."""


def four_numbers(plan: Plan) -> list[tuple[int, str, str]]:
    """The four numbers of a plan: each with its name and what it counts. What is withheld is in the last alone."""
    people = plan.allowed.filter(~pl.col("kind").is_in(OF_GROUPS))
    ends, new = pl.col("kind").is_in(ENDING), pl.col("kind") == "create"
    ended = people.filter(ends)
    changed = people.filter(~ends & ~new).drop_nulls("id").join(ended, on="id", how="anti")["id"].n_unique()
    return [
        (people.filter(new).height, "to make", "people who are not there yet"),
        (changed, "to change", "people who stay, with other values or groups"),
        (ended["id"].n_unique(), "to end", "people who are deactivated or deleted"),
        (plan.held.height, "withheld", "operations that a safeguard holds back"),
    ]


def name_of(operation: dict[str, Any]) -> str:
    """Whom an operation is about: the userName, else the e-mail address, the group or the id."""
    return str(operation["userName"] or operation["email"] or operation["group"] or operation["id"] or "(no name)")


def values_of(operation: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Each field that an operation changes: its name, the value now and then."""
    before, after = (json.loads(operation[side] or "{}") for side in ("before", "after"))
    return [(field, _value(before.get(field)), _value(after.get(field))) for field in {**before, **after}]


def _value(value: Any) -> str:
    return "" if value is None else {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def groups_of(operation: dict[str, Any]) -> str:
    """The groups that an operation leads out of and into, in one line."""
    sides = (("leaves", operation["leaves"]), ("joins", operation["joins"]))
    return "; ".join(f"{word} {', '.join(names)}" for word, names in sides if names)


def safeguard_words(verdict: Verdict) -> str:
    """What a safeguard counts, with its name in the setting and the group, if it is of one."""
    means = Safeguards.model_fields[verdict.safeguard].description or ""
    means = "people who leave one group" if verdict.safeguard == "leave_each" else means
    said = f"{means} ({verdict.safeguard})" + (f": {verdict.group}" if verdict.group else "")
    return said + (f", {verdict.past:,} of them by earlier applies" if verdict.past else "")


def withheld_words(operation: dict[str, Any]) -> str:
    """Why an operation is withheld, and until when, where time alone ends that."""
    due = operation["due"] if operation["withheld"] == "grace" else None
    return WITHHELD[operation["withheld"]] + (f" (until {moment(due)})" if due else "")


def earlier_applies(plan: Plan) -> str:
    """Whether earlier applies count towards the limits, and how many there were."""
    history = plan.history
    if history is None:
        return "not looked for"
    if not history["since"]:
        return "do not count: the setting has no window"
    return f"{many(history['applies'], 'apply', 'applies')} since {moment(history['since'])}"


def seats_sentence(plan: Plan) -> str:
    """Seats now and then, against the licence."""
    before, after, approved, limit = (plan.seats[name] for name in ("before", "after", "after_approval", "limit"))
    said = f"{many(before or 0, 'seat')} taken now, {after:,} once this is done"
    said += f", {approved:,} with what is withheld" if approved != after else ""
    return f"{said}; {'the licence is not in the setting' if limit is None else f'the licence has {limit:,}'}."


def made_of(plan: Plan) -> list[tuple[str, str]]:
    """What the plan was made of."""
    source = plan.source
    places = "places people itself: groups are expected" if source.placement == "server" else "is sent groups, too"
    ways = {"scim": "over SCIM", "management": "through the management API"}
    return [
        ("Setting", plan.setting.name),
        ("Export", f"{', '.join(part['name'] for part in source.files)}: {many(source.rows, 'record')}"),
        ("Taken", moment(source.taken_at)),
        ("Compared with", f"{source.where}, read {moment(source.read_at)} {ways.get(source.read_by, source.read_by)}"),
        ("The service provider", places),
        ("Earlier applies", earlier_applies(plan)),
        ("Seal", plan.digest),
    ]


def moment(time: str) -> str:
    """A time in ISO 8601 as people write it, in UTC."""
    return f"{dt.datetime.fromisoformat(time).astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"


def shown(text: str) -> str:
    """`text` made visible; what is blank is said."""
    return visible(text) or "—"
