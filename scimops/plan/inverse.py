"""The inverse plan: what undoes exactly what receipts say was done, itself judged by the safeguards."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import polars as pl

from scimops.findings import Code, Finding, finding
from scimops.plan import places
from scimops.plan.differences import holds
from scimops.plan.document import MOVES, OPERATIONS, Plan, StalePlanError
from scimops.plan.make import judged, people_of_setting
from scimops.plan.memberships import ENDING
from scimops.plan.outcome import groups_after, seats_after
from scimops.plan.seats import licence
from scimops.preview.stage import keyed_people

if TYPE_CHECKING:
    from scimops.client.snapshot import Snapshot

BACK = {
    "update": "update", "rename": "rename", "reactivate": "deactivate", "deactivate": "reactivate",
    "create": "deactivate", "create_group": "delete_group",
}  # fmt: skip
"""What undoes each kind of operation on people and groups, save what deletes and what is undone by deleting."""

UNDO_CATALOGUE: dict[str, Code] = {
    "changed_since": Code(
        "warning",
        "{count:step is|steps are} not undone, for what they did is no longer there: {names}.",
        "Somebody changed it since. Look at them at the service provider.",
        {"names": "anna@example.com"},
    ),
    "made_anew": Code(
        "warning",
        "{count:person who was|people who were} deleted {count:comes|come} back under a new id: {names}.",
        "What the service provider knew of them beside these fields does not come back.",
        {"names": "anna@example.com"},
    ),
}
"""Each code with its level, sentence, advice and an example, as :data:`scimops.findings.CATALOGUE`."""

_KEPT = ("id", "group_key", "group", "group_id")
_NOTHING: dict[str, Any] = {"changed": [], "leaves": [], "joins": [], "empties": False, "moves": False, "why": "undo"}
_NAMED = 5


class Done(Protocol):
    """Receipts: of the plan with this digest, a frame of steps (:data:`scimops.apply.receipts.RECEIPTS`)."""

    @property
    def plan(self) -> str:
        """The digest of the plan."""

    @property
    def steps(self) -> pl.DataFrame:
        """The steps."""


def inverse(plan: Plan, receipts: Done, snapshot: Snapshot, *, delete: bool = False) -> Plan:
    """The plan that undoes the steps of `receipts` with the outcome `done`.

    Who was changed since is left as they are, and named in a finding.

    Args:
        plan: the plan that was applied.
        receipts: what was done.
        snapshot: what is there now.
        delete: delete who was created; else they are deactivated.

    Raises:
        StalePlanError: the receipts are of another plan.
    """
    if receipts.plan != plan.digest:
        raise StalePlanError("The receipts are of another plan.", advice="Name the plan beside them.")
    undo = _Undo(plan, receipts.steps.filter(pl.col("outcome") == "done"), snapshot, delete)
    frame = pl.DataFrame(list(undo.operations()), schema=OPERATIONS)
    ends = frame.filter(pl.col("kind").is_in(ENDING))["id"].implode()
    moves = undo.moves()
    ends_there = pl.col("id").is_in(ends)
    ours, _ = people_of_setting(keyed_people(snapshot.users), snapshot)
    before = places.held(snapshot, frozenset(moves["group_key"]))
    ordered, verdicts = judged(
        plan.setting, snapshot, frame, moves.filter(~ends_there), before, ours,
        endings=moves.filter(ends_there & ~pl.col("joins")),
    )  # fmt: skip
    source = replace(
        plan.source, snapshot=snapshot.digest, where=snapshot.where, read_at=snapshot.read_at,
        read_by=snapshot.source, placement=snapshot.capabilities.placement,
    )  # fmt: skip
    moves = moves.filter(~ends_there)
    groups = groups_after(before, moves, ordered, source.placement)
    seats = seats_after(snapshot.users, ordered, licence(plan.setting, snapshot))
    return Plan(plan.setting, source, ordered, moves, verdicts, undo.findings(), seats, groups)


class _Undo:
    """The steps that were done, looked at in what is there now."""

    def __init__(self, plan: Plan, done: pl.DataFrame, snapshot: Snapshot, delete: bool) -> None:
        self._plan, self._done, self._delete = plan, done, delete
        users = snapshot.users.with_columns(pl.col("active").fill_null(True))
        self._there = {row["id"]: row for row in users.iter_rows(named=True)}
        self._groups = set(snapshot.groups["id"])
        self._members: dict[str, set[str]] = {}
        for group, person in snapshot.members.select("group_id", "user_id").iter_rows():
            self._members.setdefault(group, set()).add(person)
        self._deleted = set(done.filter(pl.col("kind") == "delete")["id"])
        self._changed: dict[str, None] = {}
        self._anew: list[str] = []
        self._by_placement = snapshot.capabilities.placement

    def operations(self) -> Iterator[dict[str, Any]]:
        """What undoes the steps on people, and the groups that were made."""
        for step in self._done.iter_rows(named=True):
            if step["kind"] in ("join", "leave"):
                continue
            done = self._group(step) if step["kind"] == "create_group" else self._person(step)
            if done is None:
                self._changed[_name(step)] = None
            else:
                yield {name: step.get(name) for name in _KEPT} | _NOTHING | done

    def _person(self, step: dict[str, Any]) -> dict[str, Any] | None:
        kind, there = step["kind"], self._there.get(step["id"])
        old, new = (json.loads(step[name] or "{}") for name in ("before", "after"))
        if kind == "delete":
            if there is not None or "userName" not in old:
                return None
            self._anew.append(_name(step))
            return _of_person(old) | {"kind": "create", "id": step["id"], "after": _json(old)}
        if there is None or not holds(there, new):
            return None
        known = _of_person(there) | {"version": there["version"]}
        if kind == "create" and self._delete:
            return known | {"kind": "delete"}
        if kind == "create":
            old, new = {"active": False}, {"active": True}
        undoes = BACK[kind]
        return known | {"kind": undoes, "before": _json(new), "after": _json(old), "changed": list(old)}

    def _group(self, step: dict[str, Any]) -> dict[str, Any] | None:
        """A group that was made is deleted, once nobody is in it but those who leave it again."""
        joined = (pl.col("kind") == "join") & (pl.col("group_id") == step["group_id"])
        own = set(self._done.filter(joined)["id"])
        if step["group_id"] not in self._groups or self._members.get(step["group_id"], set()) - own:
            return None
        return {"kind": BACK["create_group"], "id": None}

    def moves(self) -> pl.DataFrame:
        """Who goes back into and out of which group."""
        if self._by_placement == "client":
            rows = [row for step in self._done.iter_rows(named=True) if (row := self._move(step)) is not None]
            return pl.DataFrame(rows, schema=MOVES, orient="row")
        people = self._done.filter(pl.col("kind").is_in(["update", "rename", "reactivate"])).select("id")
        return self._plan.moves.join(people, on="id", how="semi").with_columns(
            joins=~pl.col("joins"), n=pl.lit(None, pl.Int64), group_id=pl.lit(None, pl.String)
        )

    def _move(self, step: dict[str, Any]) -> tuple[Any, ...] | None:
        """The way back of one step of a member; None where that is no step of one, or the way is no longer there."""
        if step["kind"] not in ("join", "leave"):
            return None
        joined = step["kind"] == "join"
        inside = step["id"] in self._members.get(step["group_id"], ())
        known = step["id"] in self._there or step["id"] in self._deleted
        if step["group_id"] not in self._groups or inside != joined or not known:
            self._changed[_name(step)] = None
            return None
        return None, step["id"], step["group_key"], step["group"], step["group_id"], not joined

    def findings(self) -> list[Finding]:
        """What is not undone, and what is not as it was."""
        named = {"changed_since": list(self._changed), "made_anew": self._anew}
        return [
            finding(code, count=len(names), catalogue=UNDO_CATALOGUE, names=", ".join(names[:_NAMED]))
            for code, names in named.items() if names
        ]  # fmt: skip


def _of_person(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fields.get(name) for name in ("externalId", "userName", "email")}


def _name(step: Mapping[str, Any]) -> str:
    return str(step["userName"] or step["group"] or step["id"])


def _json(fields: Mapping[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False)
