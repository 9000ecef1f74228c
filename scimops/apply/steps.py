"""One step of an apply: look, decide, send, look again where the answer does not tell.

The look is what makes a step safe to repeat: what is already as planned is not sent, and what is no longer as the plan
saw it is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any

from scimops.apply.journal import Journal, now
from scimops.apply.receipts import Outcome, Receipt
from scimops.apply.resources import fields_of, patch, with_fields
from scimops.client import ServiceProvider, Written
from scimops.client.paging import version_of
from scimops.grouping import identity_key
from scimops.http.answers import Json
from scimops.http.faults import (
    AddressError,
    BusyError,
    CredentialsError,
    PlatformError,
    UncertainError,
    UnreachableError,
)
from scimops.plan.differences import holds
from scimops.setting import Setting

Operation = Mapping[str, Any]
"""A row of :data:`scimops.plan.document.OPERATIONS`."""


@dataclass
class Trial:
    """The tries of one step. `sent`: something was sent for it, now or by an apply that was killed."""

    sent: bool


TRIES = 3
"""How often a step is tried, each time after a look."""

STOPPING = (AddressError, BusyError, CredentialsError, UnreachableError)
"""Faults after which nothing more is begun: no connection, a token that is refused, a service provider that is busy."""

LATER = "An earlier try, whose answer is not known, had done it."
GONE = "They are no longer there."
OTHER = "They are no longer as the plan saw them: {fields}."
TAKEN = "Somebody came meanwhile with this externalId or userName, and with other values."
_KEPT = ("number", "kind", "id", "userName", "n", "group_key", "group", "group_id")
_AGAIN = {404, 409, 412}


@dataclass
class Steps:
    """The steps of one apply; :meth:`person` may be called by several threads.

    `unsure`: numbers of steps that an earlier, killed apply had begun. `moved`: ids of people whose groups this plan
    changes, which at some service providers is a new version of theirs. `made`: ids of who was created, by `n` or old
    id. `problem`: why nothing more is begun.
    """

    service_provider: ServiceProvider
    setting: Setting
    journal: Journal
    unsure: frozenset[int] = frozenset()
    moved: frozenset[str] = frozenset()
    stop: Event = field(default_factory=Event)
    made: dict[int | str, str] = field(default_factory=dict)
    problem: str = ""

    def person(self, operation: Operation) -> list[Receipt]:
        """The receipt of one operation on a person; none where nothing more is begun."""
        return self.tried(operation, self._create if operation["kind"] == "create" else self._change)

    def tried(self, operation: Operation, step: Callable[[Operation, Trial], Receipt]) -> list[Receipt]:
        """The receipt of `step`, in the journal too; tried again where the answer may have been a passing one."""
        if self.stop.is_set():
            return []
        trial, receipt = Trial(operation["number"] in self.unsure), None
        for _ in range(TRIES):
            try:
                receipt = step(operation, trial)
            except PlatformError as error:
                receipt = receipt_of(operation, "failed", said=str(error))
                if isinstance(error, STOPPING) and not isinstance(error, UncertainError):
                    self.problem = self.problem or str(error)
                    self.stop.set()
                    break
                continue
            if receipt.status not in _AGAIN and receipt.outcome != "failed":
                break
        assert receipt is not None
        if operation["kind"] == "create" and receipt.id and receipt.outcome in ("done", "already"):
            self.made[operation["n"] if operation["id"] is None else operation["id"]] = receipt.id
        self.journal.add(receipt)
        return [receipt]

    # People

    def _change(self, operation: Operation, trial: Trial) -> Receipt:
        before = self.service_provider.user(operation["id"])
        if (early := self._judged(operation, before, trial.sent)) is not None:
            return early
        assert before is not None
        trial.sent = True
        written = self._send(operation, before)
        receipt = self._answered(operation, written, self._values(operation, before))
        if written.again or (written.status in _AGAIN or written.status >= 500):
            # what is there tells more than the answer
            found = self._judged(operation, self.service_provider.user(operation["id"]), sent=True)
            if found is not None and found.outcome == "done":
                return replace(found, status=written.status, before=receipt.before, said="")
        return receipt

    def _create(self, operation: Operation, trial: Trial) -> Receipt:
        after = json.loads(operation["after"])
        # where rule 11 is known to hold, the answer to a create tells who is there already
        looks = trial.sent or 11 not in self.service_provider.capabilities.rules
        if looks and (found := self._found(after)) is not None:
            return self._met(operation, found, after, trial.sent)
        # a create is found again by its own client where its answer was cut; a plain 409 was somebody else's doing
        before, trial.sent = trial.sent, True
        written = self.service_provider.create_user(with_fields({}, after, self.setting))
        if written.ok and not written.again:
            return receipt_of(operation, "done", written, id=written.id, after=operation["after"])
        if written.status in (200, 201, 409) and (found := self._found(after)) is not None:
            return self._met(operation, found, after, before or written.again)
        trial.sent = before or written.again or written.status >= 500
        return self._answered(operation, written, {})

    def _met(self, operation: Operation, found: Json, after: dict[str, Any], ours: bool) -> Receipt:
        """Who is found where somebody was to be created."""
        if not holds(fields_of(found, self.setting), after):
            return receipt_of(operation, "changed_meanwhile", id=found["id"], said=TAKEN)
        if ours:
            return receipt_of(operation, "done", id=found["id"], after=operation["after"], said=LATER)
        return receipt_of(operation, "already", id=found["id"])

    def _found(self, wanted: Mapping[str, Any]) -> Json | None:
        external_id, user_name = wanted.get("externalId"), wanted.get("userName")
        found = self.service_provider.find_user(external_id=external_id) if external_id else None
        return found or (self.service_provider.find_user(user_name=user_name) if user_name else None)

    def _judged(self, operation: Operation, there: Json | None, sent: bool) -> Receipt | None:
        """The receipt where nothing is to be sent; None where what the plan saw is still there."""
        deletes = operation["kind"] == "delete"
        done: Outcome = "done" if sent else "already"
        if there is None:
            if deletes:
                return receipt_of(operation, done, before=operation["before"], said=LATER if sent else "")
            return receipt_of(operation, "changed_meanwhile", said=GONE)
        fields = fields_of(there, self.setting)
        before, after = (json.loads(operation[name] or "{}") for name in ("before", "after"))
        if not deletes and holds(fields, after):
            olds = operation["before"] if sent else None
            return receipt_of(operation, done, before=olds, after=operation["after"], said=LATER if sent else "")
        other = self._other(operation, fields, before)
        version = version_of(there)
        known = version is not None and operation["version"] is not None
        if known and version == operation["version"]:
            return None
        removes = operation["kind"] in ("deactivate", "delete") and operation["id"] not in self.moved and not sent
        if other or (known and removes):
            return receipt_of(operation, "changed_meanwhile", said=OTHER.format(fields=", ".join(other) or "version"))
        return None

    def _other(self, operation: Operation, fields: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
        """Names of fields that are no longer as the plan saw them, and who somebody is, where they end."""
        other = [name for name, value in before.items() if not holds(fields, {name: value})]
        if operation["kind"] in ("deactivate", "delete"):
            keys = {name: operation[name] for name in ("externalId", "userName") if operation[name]}
            other += [name for name, value in keys.items() if name not in before
                      and identity_key(fields.get(name) or "") != identity_key(value)]  # fmt: skip
        return other

    def _send(self, operation: Operation, there: Json) -> Written:
        version, user_id = version_of(there), operation["id"]
        if operation["kind"] == "delete":
            return self.service_provider.delete_user(user_id, version)
        values = json.loads(operation["after"])
        wanted = with_fields(there, values, self.setting)
        if self.service_provider.features.patch:
            return self.service_provider.patch_user(user_id, patch(there, wanted, values, self.setting), version)
        kept = {key: value for key, value in wanted.items() if key not in ("meta", "groups")}
        return self.service_provider.replace_user(user_id, kept, version)

    def _values(self, operation: Operation, there: Json) -> dict[str, Any]:
        """The old values: of all fields where somebody is deleted, else of those that change."""
        held = fields_of(there, self.setting)
        if operation["kind"] == "delete":
            return {name: value for name, value in held.items() if value is not None and name != "userType"}
        return {name: held.get(name) for name in json.loads(operation["after"])}

    def _answered(self, operation: Operation, written: Written, before: dict[str, Any]) -> Receipt:
        if written.ok:
            old = json.dumps(before, ensure_ascii=False) if before else None
            after = None if operation["kind"] == "delete" else operation["after"]
            return receipt_of(operation, "done", written, before=old, after=after)
        said = f"{written.said} {written.advice}".strip()
        return receipt_of(operation, "failed" if written.status >= 500 else "refused", written, said=said)


def receipt_of(operation: Operation, outcome: Outcome, written: Written | None = None, **more: Any) -> Receipt:
    """The receipt of an operation; `written` is the service provider's answer."""
    kept = {name: operation[name] for name in _KEPT}
    return Receipt(**{**kept, "outcome": outcome, "status": written.status if written else None, "at": now(), **more})
