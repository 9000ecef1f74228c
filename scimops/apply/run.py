"""Doing what a sealed plan says, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from scimops.apply.journal import NAME, Journal, alone
from scimops.apply.receipts import Receipts
from scimops.apply.simulated import Simulated
from scimops.apply.steps import Operation
from scimops.apply.work import Progress, Work
from scimops.client import ServiceProvider
from scimops.plan import Plan, StalePlanError, load_plan
from scimops.plan.document import digest_of
from scimops.plan.history import keep_removed
from scimops.plan.renames import SWAP
from scimops.setting import Setting
from scimops.touched import file_digest

if TYPE_CHECKING:
    from scimops.idp import Export


class Approval(Protocol):
    """What a person approved: the plan of this digest, and of what is withheld there the numbers that it covers."""

    @property
    def digest(self) -> str:
        """The digest of the plan."""

    def covers(self, number: int) -> bool:
        """Is this operation approved?"""


def apply(
    plan: Plan | Path,
    service_provider: ServiceProvider,
    folder: Path,
    *,
    dry_run: bool = False,
    approved: Approval | None = None,
    setting: Setting | None = None,
    export: Export | None = None,
    stop: threading.Event | None = None,
    tell: Callable[[str], None] = lambda _: None,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Receipts:
    """Do the operations of `plan` that are not withheld; begun again in the same folder, it goes on where it ended.

    Args:
        plan: a plan, or the file of a sealed one.
        service_provider: the one that the plan was made for.
        folder: where the journal and `receipts.json` are written; for `dry_run` into `dry_run` in it, each time anew.
        dry_run: send nothing; the same steps are done at a service provider that is simulated from a fresh snapshot.
        approved: what is withheld and may be done all the same.
        setting: where given, the plan must have been made with it.
        export: where given, the plan must have been made of it.
        stop: once it is set, what is under way is finished and nothing more is begun; so does Ctrl-C.
        tell: called with lines for people.
        on_progress: called after each step.

    Raises:
        StalePlanError: the plan was changed, or is of another setting, export or service provider; the approval is of
            another plan; or another apply is on its way in the folder.
        UsageError: the folder has the journal of another plan.
        PlatformError: the first snapshot of a dry run cannot be read.
    """
    sealed = load_plan(plan) if isinstance(plan, Path) else plan
    _refuse_stale(sealed, service_provider, approved, setting, export)
    place = folder / "dry_run" if dry_run else folder
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    with alone(place):
        if dry_run:
            tell("Dry run: nothing is sent; the service provider is simulated.")
            held = service_provider.read_snapshot(sealed.setting)
            service_provider = Simulated(held, service_provider.features, sealed.setting)
            (place / NAME).unlink(missing_ok=True)
        sealed.save(place / "plan.json")
        with Journal(place, sealed.digest) as journal:
            work = Work(sealed, service_provider, journal, _allowed(sealed, approved), stop or threading.Event(), tell)
            receipts = work.done(on_progress, dry_run=dry_run)
        receipts.save(place / "receipts.json")
        if not dry_run:
            keep_removed(place, sealed, receipts.steps)
    return receipts


def _refuse_stale(
    plan: Plan, service_provider: ServiceProvider, approved: Approval | None, setting: Setting | None,
    export: Export | None,
) -> None:  # fmt: skip
    where = service_provider.where
    checks = [
        (approved is not None and approved.digest != plan.digest, "The approval is of another plan.",
         "Approve this one: scimops approve."),
        (setting is not None and digest_of(setting.model_dump(mode="json")) != plan.source.setting_sha256,
         "The setting was changed since the plan was made.", "Make the plan again."),
        (export is not None and sorted(file_digest(part.source.path) for part in export.parts)
         != sorted(one["sha256"] for one in plan.source.files),
         "The export is another one than the plan was made of.", "Make the plan again."),
        (where != plan.source.where, f"The plan was made for {plan.source.where}, not for {where}.",
         "Name that connection."),
    ]  # fmt: skip
    for wrong, message, advice in checks:
        if wrong:
            raise StalePlanError(message, advice=advice)


def _allowed(plan: Plan, approved: Approval | None) -> list[Operation]:
    """The operations to do, in order. A swap of userNames cannot be done, approved or not."""
    rows = plan.operations.sort("number").iter_rows(named=True)
    return [
        row for row in rows
        if row["withheld"] is None or (approved and row["withheld"] != SWAP and approved.covers(row["number"]))
    ]  # fmt: skip
