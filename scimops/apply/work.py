"""One apply on its way: its steps in their order, several at a time, until all are done or it is to end."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any, TypeVar, cast

import polars as pl

from scimops.apply.check import apply_finding, check
from scimops.apply.groups import group_step, members_step
from scimops.apply.journal import Journal, now
from scimops.apply.receipts import SETTLED, Receipt, Receipts, steps_frame
from scimops.apply.steps import Operation, Steps, receipt_of
from scimops.client import ServiceProvider
from scimops.errors import ScimopsError
from scimops.findings import Finding
from scimops.grouping import identity_key
from scimops.plan import Plan
from scimops.plan.memberships import OF_GROUPS

T = TypeVar("T")

LAST, MOST_FAILED = 50, 10
"""The brake on errors: an apply ends where of the last so many steps more than so many were refused or failed."""

BATCH = 32
"""Steps that are written into the journal at a time."""

_BAD = ("refused", "failed")
_WAITS_FOR = (*_BAD, "changed_meanwhile", "not_done")
_OF_MEMBERS = ("join", "leave")


@dataclass(frozen=True)
class Progress:
    """How far an apply is. `rate`: steps a second; `seconds_left`: null where that is not known yet."""

    done: int
    of: int
    rate: float
    seconds_left: float | None


@dataclass
class Work:
    """One apply on its way."""

    plan: Plan
    service_provider: ServiceProvider
    journal: Journal
    operations: list[Operation]
    stop: threading.Event
    tell: Callable[[str], None]
    bad: deque[bool] = field(default_factory=lambda: deque(maxlen=LAST))
    brake: str = ""

    def done(self, on_progress: Callable[[Progress], None], *, dry_run: bool) -> Receipts:
        """All of it; the receipts."""
        began, cancelled = now(), False
        known = dict(self.journal.receipts)
        settled = {number for number, old in known.items() if old.outcome in SETTLED}
        todo, of = [one for one in self.operations if one["number"] not in settled], len(self.operations)
        if known or self.journal.in_flight:
            self.tell(f"Going on: {of - len(todo):,} of {of:,} steps were done before.")
        steps = self._steps(known)
        progress = _Counter(of, of - len(todo), on_progress)
        try:
            with closing(self._each(steps, todo)) as each:
                for receipt in each:
                    self._look_at(receipt)
                    progress.step()
        except KeyboardInterrupt:
            cancelled = True
        self._end(todo, steps.unsure)
        stopped = steps.problem or self.brake or ("It was cancelled." if cancelled or self.stop.is_set() else "")
        if stopped:
            self.tell(stopped)
        kept = [self.journal.receipts.get(one["number"]) or receipt_of(one, "not_done") for one in self.operations]
        frame = steps_frame(kept)
        simulated = dry_run and self.plan.source.placement == "server"  # where nobody places people
        hidden = self.service_provider.features.known.members == "hidden"
        findings, digest = self._checked(frame, placed=not simulated and not hidden)
        return Receipts(
            self.plan.digest, self.plan.source.where, dry_run, began, now(), stopped,
            self.plan.operations.height - len(self.operations), frame, findings, digest,
            cancelled=bool(stopped) and not (steps.problem or self.brake),
        )  # fmt: skip

    def _steps(self, known: dict[int, Receipt]) -> Steps:
        failed = {number for number, old in known.items() if old.outcome == "failed"}  # it may have happened
        unsure = frozenset(self.journal.in_flight | failed)
        steps = Steps(
            self.service_provider, self.plan.setting, self.journal,  unsure,
            frozenset(one["id"] for one in self.operations if one["kind"] in _OF_MEMBERS and one["id"]), self.stop,
        )  # fmt: skip
        for one in self.operations:
            old = known.get(one["number"])
            if old and one["kind"] == "create" and old.id and old.outcome in ("done", "already"):
                steps.made[one["n"] if one["id"] is None else one["id"]] = old.id
        return steps

    def _each(self, steps: Steps, todo: list[Operation]) -> Generator[Receipt]:
        """The receipts; what depends on a step comes after it."""
        for kind, group in groupby(todo, lambda one: one["kind"]):
            if kind in _OF_MEMBERS:
                work = partial(members_step, steps, held_back=self._held_back())
                yield from self._several(work, _by_group(group))
            elif kind in OF_GROUPS:
                yield from self._several(lambda one: group_step(steps, one[0]), ([one] for one in group))
            else:
                for wave in _waves(group) if kind == "rename" else [group]:
                    yield from self._several(lambda one: steps.person(one[0]), ([one] for one in wave))

    def _several(
        self, work: Callable[[list[Operation]], list[Receipt]], items: Iterable[list[Operation]]
    ) -> Iterator[Receipt]:
        done = cast("Generator[tuple[Any, list[Receipt]]]", self.service_provider.each(work, self._intended(items)))
        with closing(done):
            for _, receipts in done:
                yield from receipts

    def _intended(self, items: Iterable[list[Operation]]) -> Iterator[list[Operation]]:
        """`items`, each in the journal before it is begun; none once it is to end."""
        for batch in _batches(items):
            if self.stop.is_set():
                return
            self.journal.intend(one["number"] for item in batch for one in item)
            for item in batch:
                if self.stop.is_set():
                    return
                yield item

    def _held_back(self) -> dict[int | str, str]:
        """Of people whose own step was not done: its outcome, by `n` and by id."""
        waits: dict[int | str, str] = {}
        for one in self.operations:
            old = self.journal.receipts.get(one["number"])
            if one["group_key"] is None and one["kind"] not in ("deactivate", "delete"):
                why = "not_done" if old is None else old.outcome
                if why in _WAITS_FOR:
                    waits |= {key: why for key in (one["n"], one["id"]) if key is not None}
        return waits

    def _look_at(self, receipt: Receipt) -> None:
        self.bad.append(receipt.outcome in _BAD)
        if len(self.bad) == LAST and sum(self.bad) > MOST_FAILED and not self.brake:
            self.brake = (
                f"Stopped: {sum(self.bad)} of the last {LAST} steps were refused or failed, the last one with: "
                f"{receipt.said or receipt.status}"
            )
            self.stop.set()

    def _end(self, todo: list[Operation], unsure: frozenset[int]) -> None:
        """What was written down and never begun is not in flight; what an earlier apply began may still have been."""
        for one in todo:
            if one["number"] not in self.journal.receipts and one["number"] not in unsure:
                self.journal.add(receipt_of(one, "not_done"))

    def _checked(self, frame: pl.DataFrame, *, placed: bool) -> tuple[list[Finding], str]:
        try:
            snapshot = self.service_provider.read_snapshot(self.plan.setting)
        except ScimopsError as error:
            return [apply_finding("not_checked", why=str(error))], ""
        return check(self.plan, frame, snapshot, placed=placed), snapshot.digest


class _Counter:
    """Counts steps and tells how far it is."""

    def __init__(self, of: int, before: int, tell: Callable[[Progress], None]) -> None:
        self._of, self._before, self._done, self._tell = of, before, 0, tell
        self._began = time.monotonic()

    def step(self) -> None:
        self._done += 1
        rate = self._done / max(time.monotonic() - self._began, 1e-6)
        done = self._before + self._done
        self._tell(Progress(done, self._of, rate, (self._of - done) / rate))


def _by_group(members: Iterable[Operation]) -> Iterable[list[Operation]]:
    by_group: dict[str, list[Operation]] = {}
    for one in members:
        by_group.setdefault(one["group_id"] or one["group_key"], []).append(one)
    return by_group.values()


def _waves(renames: Iterable[Operation]) -> Iterator[list[Operation]]:
    """Renames in parts: within one, nobody takes a userName that another gives up."""
    wave: list[Operation] = []
    given: set[str] = set()
    for one in renames:
        if identity_key(one["userName"] or "") in given:
            yield wave
            wave, given = [], set()
        wave.append(one)
        given.add(identity_key(json.loads(one["before"] or "{}").get("userName") or ""))
    yield wave


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
