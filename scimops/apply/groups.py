"""Steps on groups and members, where the service provider does not place people: one group at a time, in batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from scimops.apply.receipts import Outcome, Receipt
from scimops.apply.steps import LATER, STOPPING, TRIES, Operation, Steps, Trial, receipt_of
from scimops.client import Written
from scimops.client.columns import members_of
from scimops.http.answers import Json
from scimops.http.faults import PlatformError, UncertainError
from scimops.plan.places import MARK

WAITS = "What comes before was not done: {why}."
NO_GROUP = "The group is no longer there."
NOT_MADE = "What comes before was not done: the group was not made."
NOT_EMPTY = "Others are in the group."


def group_step(steps: Steps, operation: Operation) -> list[Receipt]:
    """The receipt of `create_group` or `delete_group`; none where nothing more is begun."""
    work = _make if operation["kind"] == "create_group" else _end
    return steps.tried(operation, lambda one, trial: work(steps, one, trial))


def _make(steps: Steps, operation: Operation, trial: Trial) -> Receipt:
    there = _find(steps, operation)
    if there is not None:
        return _met(operation, trial, id=there["id"], group_id=there["id"])
    trial.sent = True
    written = steps.service_provider.create_group(operation["group"], f"{MARK}{operation['group_key']}")
    return _told(operation, written)


def _end(steps: Steps, operation: Operation, trial: Trial) -> Receipt:
    there = steps.service_provider.group(operation["group_id"])
    if there is None:
        return _met(operation, trial)
    if there.get("members"):
        return receipt_of(operation, "changed_meanwhile", said=NOT_EMPTY)
    trial.sent = True
    return _told(operation, steps.service_provider.delete_group(operation["group_id"]))


def _met(operation: Operation, trial: Trial, **more: Any) -> Receipt:
    """It is as planned."""
    return receipt_of(operation, "done" if trial.sent else "already", said=LATER if trial.sent else "", **more)


def _told(operation: Operation, written: Written) -> Receipt:
    if written.ok:
        return receipt_of(operation, "done", written, id=written.id, group_id=written.id)
    said = f"{written.said} {written.advice}".strip()
    return receipt_of(operation, "failed" if written.status >= 500 else "refused", written, said=said)


def _find(steps: Steps, operation: Operation) -> Json | None:
    marked = steps.service_provider.find_group(external_id=f"{MARK}{operation['group_key']}")
    return marked or steps.service_provider.find_group(name=operation["group"])


def members_step(steps: Steps, operations: Sequence[Operation], held_back: Mapping[int | str, str]) -> list[Receipt]:
    """Everybody who joins, or everybody who leaves, one group.

    `held_back`: of people (`id`, else `n`) whose own step was not done, its outcome: what follows from it is not done.
    """
    if steps.stop.is_set():
        return []
    receipts, ready = [], []
    for one in operations:
        person = steps.made.get(one["n"] if one["id"] is None else one["id"], one["id"])
        why = held_back.get(one["n"]) or held_back.get(one["id"]) or ("" if person else "they were not created")
        if why:
            receipts.append(receipt_of(one, "not_done", said=WAITS.format(why=why.replace("_", " "))))
        else:
            ready.append({**one, "id": person})
    receipts += _Batch(steps, ready).done() if ready else []
    for receipt in receipts:
        steps.journal.add(receipt)
    return receipts


class _Batch:
    """One group's members, tried until what is there is what was planned."""

    def __init__(self, steps: Steps, operations: Sequence[Operation]) -> None:
        self.steps = steps
        self.waiting: dict[str, Operation] = {one["id"]: one for one in operations}
        self.joins = operations[0]["kind"] == "join"
        self.sent = {one["id"] for one in operations if one["number"] in steps.unsure}
        self.answers: dict[str, Written] = {}
        self.receipts: list[Receipt] = []
        self.group_id: str | None = operations[0]["group_id"]

    def done(self) -> list[Receipt]:
        said = ""
        for attempt in range(TRIES):
            try:
                self._try(alone=attempt > 0)
            except PlatformError as error:
                said = str(error)
                if isinstance(error, STOPPING) and not isinstance(error, UncertainError):
                    self.steps.problem = self.steps.problem or said
                    self.steps.stop.set()
                    break
            if not self.waiting:
                break
        for person, one in list(self.waiting.items()):
            answer = self.answers.get(person)
            refused = answer is not None and not answer.ok and answer.status < 500
            self._end(one, "refused" if refused else "failed", answer, said=(answer.said if answer else "") or said)
        return self.receipts

    def _try(self, *, alone: bool) -> None:
        """A look, then what is missing is sent; with `alone`, one by one, for one who is refused stops all others."""
        if (members := self._members()) is None:
            for one in list(self.waiting.values()):
                never = one["group_id"] is None
                self._end(one, "not_done" if never else "changed_meanwhile", said=NOT_MADE if never else NO_GROUP)
            return
        self._settle(members)
        assert self.group_id is not None
        send = self.steps.service_provider.add_members if self.joins else self.steps.service_provider.remove_members
        ids = list(self.waiting)
        for part in [[one] for one in ids] if alone else [ids] if ids else []:
            self.sent |= set(part)
            for written in send(self.group_id, part):
                self._answered(written)

    def _members(self) -> set[str] | None:
        if self.group_id is None:
            found = _find(self.steps, next(iter(self.waiting.values())))
            self.group_id = found["id"] if found else None
        group = self.steps.service_provider.group(self.group_id) if self.group_id else None
        return None if group is None else {person for _, person in members_of(group)}

    def _settle(self, members: Iterable[str]) -> None:
        """Those who are in, or out, already."""
        there = set(members)
        for person in [one for one in self.waiting if (one in there) == self.joins]:
            ours = person in self.sent
            self._end(self.waiting[person], "done" if ours else "already", self.answers.get(person),
                      said=LATER if ours else "")  # fmt: skip

    def _answered(self, written: Written) -> None:
        for person in written.changed:
            self.answers[person] = written
            if not (written.ok and not written.again):
                continue
            one = self.waiting[person]
            self._end(one, "done", written)

    def _end(self, one: Operation, outcome: Outcome, written: Written | None = None, said: str = "") -> None:
        self.receipts.append(replace(receipt_of(one, outcome, written, said=said), group_id=self.group_id))
        del self.waiting[one["id"]]
