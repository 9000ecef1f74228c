"""What the panel of plan_and_apply is about, without any widget: the sources, the plan, its approval, the receipts."""

from __future__ import annotations

import datetime as dt
import getpass
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from scimops.apply import Progress, Receipts, apply
from scimops.capabilities import PUBLISHED
from scimops.client import connect
from scimops.client.columns import MEMBERS, groups_frame, users_frame
from scimops.client.snapshot import load_snapshot, make_snapshot
from scimops.connections import get_connection
from scimops.errors import ScimopsError, UsageError
from scimops.idp import read_export
from scimops.jobs.signing import signer
from scimops.plan import Plan, StalePlanError
from scimops.plan.approval import Approval, approvable, approve
from scimops.plan.inverse import inverse
from scimops.plan.sources import Past, plan_for, read_held
from scimops.setting import load_setting

if TYPE_CHECKING:
    from scimops.client.snapshot import Snapshot
    from scimops.idp import Export
    from scimops.preview import Preview
    from scimops.setting import Setting

NOBODY: Final = "a service provider where nobody is yet"
PLACE: Final = "applied"
"""The folder of journals and receipts where none is named."""

VALID: Final = dt.timedelta(hours=24)
"""How long an approval counts; it is of one plan alone."""


@dataclass(frozen=True)
class Given:
    """What a plan is made of: paths, the name of a connection, and whether people are deleted.

    `history`: folder with receipts of earlier applies; empty: `out`. `require_history`: no plan without them.
    """

    export: str
    setting: str
    connection: str = ""
    snapshot: str = ""
    out: str = ""
    delete: bool = False
    history: str = ""
    require_history: bool = False


@dataclass
class PlanSession:
    """One plan on its way. `undoing`: the plan is the inverse of the one that was applied before it."""

    given: Given
    preview: Preview | None = None
    snapshot: Snapshot | None = None
    made: Plan | None = None
    problem: ScimopsError | None = None
    approved: Approval | None = None
    receipts: Receipts | None = None
    undoing: bool = False
    stop: threading.Event = field(default_factory=threading.Event)
    _export: Export | None = None

    @property
    def plan(self) -> Plan:
        """The plan.

        Raises:
            ScimopsError: there is none, and this is why.
        """
        if self.made is None:
            raise self.problem or UsageError("There is no plan yet.", advice="Run the panel's cell first.")
        return self.made

    def make(self) -> None:
        """Read everything anew and make the plan; written to `plan.json` where a folder is given.

        Raises:
            ScimopsError: a source cannot be read, or no plan can be made of it.
        """
        self.made, self.problem = None, None
        try:
            setting = load_setting(self.given.setting)
            self._export = read_export(self.given.export)
            self.snapshot = self._read(setting)
            past = Past(Path(self.given.history or self.given.out or PLACE), self.given.require_history)
            self.preview, plan = plan_for(
                self._export, setting, self.snapshot, Path(self.given.setting).parent, delete=self.given.delete,
                past=past,
            )  # fmt: skip
            self._begin(plan, undoing=False)
        except ScimopsError as error:
            self.problem = error
            raise

    def undo(self) -> None:
        """Make the plan that undoes what was done.

        Raises:
            ScimopsError: nothing was done, or what is there now cannot be read.
        """
        if self.receipts is None:
            raise UsageError("Nothing was applied, so nothing can be undone.")
        self.snapshot = self._read(self.plan.setting, fresh=True)
        plan = inverse(self.plan, self.receipts, self.snapshot, delete=self.given.delete)
        self._begin(plan, undoing=True)

    def _begin(self, plan: Plan, *, undoing: bool) -> None:
        self.made, self.undoing, self.receipts, self.approved = plan, undoing, None, None
        if self.given.out:
            Path(self.given.out).mkdir(mode=0o700, parents=True, exist_ok=True)
            plan.save(Path(self.given.out) / ("undo.json" if undoing else "plan.json"))

    def _read(self, setting: Setting, *, fresh: bool = False) -> Snapshot:
        """What is there; from the snapshot that was saved, where one is named and it need not be `fresh`."""
        if self.given.snapshot and not fresh:
            return load_snapshot(self.given.snapshot)
        if not self.given.connection:
            return nobody(setting)
        return read_held(self.given.connection, setting)

    @property
    def removals(self) -> pl.DataFrame:
        """What is withheld and can be approved; who is protected, and a swap of userNames, cannot."""
        return approvable(self.plan)

    def check_approval(self, typed: str, reason: str) -> None:
        """May what is withheld be approved so?

        Raises:
            UsageError: what was typed is not the number of what is withheld, or no reason was given.
        """
        count = self.removals.height
        if typed.strip().replace(",", "") != str(count) or not count:
            raise UsageError(f"“{typed.strip()}” is not the number of what can be approved.",
                             advice=f"It is {count:,}. Look at them by name, then type it.")  # fmt: skip
        if not reason.strip():
            raise UsageError("No reason was given.", advice="Say in a few words why these removals are right.")

    def approve(self, reason: str) -> None:
        """Let be done what the safeguards withhold of this plan; the approval is written beside the receipts.

        It is signed by the ledger's key, where there is one.
        """
        self.approved = approve(self.plan, getpass.getuser(), reason.strip(), VALID).signed(signer())
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.approved.save(self.folder / "plan.approval.json")

    @property
    def todo(self) -> int:
        """How many operations an apply would do now."""
        return self.plan.allowed.height + (self.removals.height if self.approved else 0)

    @property
    def folder(self) -> Path:
        """Where the journal and the receipts of this plan are; a plan that was cut short goes on there."""
        return Path(self.given.out or PLACE) / f"apply-{self.plan.digest[:12]}"

    def apply(self, on_progress: Callable[[Progress], None] = lambda _: None) -> Receipts:
        """Do the plan, and nothing else.

        Raises:
            UsageError: no connection is given.
            StalePlanError: setting or export were changed since the plan was made.
            PlatformError: the service provider cannot be reached.
        """
        if not self.given.connection:
            advice = "Name one in the parameter `connection`; `scimops connection list` shows them."
            raise UsageError("No connection is given, so nothing can be applied.", advice=advice)
        now = None if self.undoing else load_setting(self.given.setting)
        if not self.undoing and not Path(self.given.export).exists():
            raise StalePlanError("The export is gone.", where=self.given.export, advice="Make the plan again.")
        with connect(get_connection(self.given.connection)) as service_provider:
            self.receipts = apply(
                self.plan, service_provider, self.folder, approved=self.approved, setting=now,
                export=None if self.undoing else self._export, stop=self.stop, on_progress=on_progress,
            )  # fmt: skip
        return self.receipts


def nobody(setting: Setting) -> Snapshot:
    """A snapshot of a service provider that places people itself, and where nobody is yet."""
    fields = [mapping.field for mapping in setting.field_mappings]
    return make_snapshot(
        users_frame([], fields), groups_frame([]), pl.DataFrame(schema=MEMBERS), source="scim", where=NOBODY,
        read_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), capabilities=PUBLISHED,
    )  # fmt: skip
