"""The receipts of our own apply (`receipts.json`): what each step really did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from scimops.audit.logs.events import (
    Event,
    UnreadableError,
    change,
    detail_text,
    reason_of,
    text_or_none,
    time_and_zone,
)
from scimops.audit.logs.keys import keys_of_changes

SIGNATURE = {"number", "kind", "outcome", "said", "before", "after"}

_OPERATIONS = {"create", "update", "rename", "deactivate", "reactivate", "delete", "create_group", "delete_group"}
_MEMBERS = {"join": "add_member", "leave": "remove_member"}
_OUTCOMES = {"done": "success", "already": "skipped", "changed_meanwhile": "warning", "refused": "failure",
             "failed": "failure"}  # fmt: skip


def events_of(step: dict[str, Any]) -> Iterator[Event]:
    """The event of one step; none of a step that was not done.

    Raises:
        UnreadableError: it has no time, kind or outcome.
    """
    kind, ended = text_or_none(step.get("kind")), text_or_none(step.get("outcome"))
    if ended == "not_done":
        return
    at, zone = time_and_zone(step.get("at"))
    if not kind or ended not in _OUTCOMES:
        raise UnreadableError("it has no kind or no outcome")
    before, after, said = _fields(step.get("before")), _fields(step.get("after")), text_or_none(step.get("said"))
    changes = [change(name, before.get(name), after.get(name)) for name in dict.fromkeys([*before, *after])
               if before.get(name) != after.get(name)]  # fmt: skip
    status = step.get("status") if isinstance(step.get("status"), int) else None
    of_group = kind.endswith("_group")
    keys = {} if of_group else keys_of_changes(changes)
    keys["userName"] = None if of_group else keys.get("userName") or text_or_none(step.get("userName"))
    keys["resource_id"] = text_or_none(step.get("group_id" if of_group else "id"))
    yield Event(
        at, _MEMBERS.get(kind) or (kind if kind in _OPERATIONS else "other"), _OUTCOMES[ended], zone=zone,
        resource_type="Group" if of_group else "User", name=text_or_none(step.get("group")), status=status,
        reason=_reason(ended, status, said), detail=detail_text(said), changes=changes, **keys,
    )  # fmt: skip


def _fields(text: Any) -> dict[str, Any]:
    try:
        value = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        raise UnreadableError("its fields are no JSON") from None
    return value if isinstance(value, dict) else {}


def _reason(ended: str, status: int | None, said: str | None) -> str | None:
    known = {"done": None, "already": "no_change", "changed_meanwhile": "other"}
    return known[ended] if ended in known else reason_of(status, said)
