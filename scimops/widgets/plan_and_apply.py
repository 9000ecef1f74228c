"""The panel of the step plan_and_apply: see every change, let removals through by name, apply exactly that, undo.

A panel has no logic of its own. What it does is in :class:`~scimops.widgets.controls.plan_session.PlanSession`, which
calls the same functions as `scimops plan`, `scimops apply` and `scimops undo`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from scimops.widgets.controls import plan_facts as facts
from scimops.widgets.controls import plan_views as views
from scimops.widgets.controls.markup import join, tag
from scimops.widgets.controls.panel import ShownMarkup, StepPanel
from scimops.widgets.controls.plan_session import Given, PlanSession

if TYPE_CHECKING:
    from scimops.plan import Plan

__all__ = ["PlanAndApplyPanel", "plan_and_apply"]


def plan_and_apply(
    export: str, setting: str, connection: str = "", *, snapshot: str = "", out: str = "", delete: bool = False,
    history: str = "", require_history: bool = False,
) -> PlanAndApplyPanel:  # fmt: skip
    """The panel in which a person looks at a plan, approves what is withheld, applies it and undoes it.

    In a job (papermill) nobody looks: then the same call makes the plan. Either way the next cells show it.

    Args:
        export: the export of the whole population.
        setting: the setting's document.
        connection: the name of the connection to a SCIM endpoint; empty: the plan is against nobody.
        snapshot: folder of a snapshot that was saved; then the service provider is not read for the plan.
        out: folder for `plan.json`, the journal and the receipts.
        delete: delete who is gone and not active any more, and who is undone; else they are only deactivated.
        history: folder with receipts of earlier applies, which count towards the limits; empty: `out`.
        require_history: no plan is made where they are not found.

    Raises:
        ScimopsError: in a job, a source cannot be read whole, or no plan can be made. The panel shows that instead.
    """
    return PlanAndApplyPanel(
        PlanSession(Given(export, setting, connection, snapshot, out, delete, history, require_history))
    )


class PlanAndApplyPanel(StepPanel):
    """What :func:`plan_and_apply` gives. Shown as the last value of a cell; the methods give what the next cells show.

    The cells count and never name a person: names are shown in the panel alone, which is never saved.
    """

    def __init__(self, session: PlanSession) -> None:
        self._session = session

        def board() -> Any:
            from scimops.widgets.controls.plan_board import PlanBoard

            return PlanBoard(session)

        super().__init__(board, session.make)

    @property
    def plan(self) -> Plan:
        """The plan that the panel shows.

        Raises:
            ScimopsError: there is none, and this is why.
        """
        self.wait()
        return self._session.plan

    def numbers(self) -> ShownMarkup:
        """The four numbers, and what each safeguard says."""
        plan = self.plan
        return ShownMarkup(join(views.STYLE, views.numbers(plan), views.verdicts(plan)))

    def groups(self) -> ShownMarkup:
        """The groups that change, before and after."""
        return ShownMarkup(views.groups(self.plan, facts.returning(self.plan), whole=True))

    def flow(self) -> None:
        """Show who goes from where to where, as a picture and in words."""
        plan = self.plan
        assert self._session.snapshot is not None
        found = facts.flows(plan, self._session.snapshot)
        if not found:
            return  # and nothing heavy is imported: the table of groups says that none changes
        from scimops.present.notebook import show_chart
        from scimops.widgets.controls.plan_flow import flow_chart, flow_words

        show_chart(flow_chart(found), flow_words(found))

    def withheld(self) -> ShownMarkup:
        """What is withheld, counted."""
        return ShownMarkup(views.withheld_counts(self.plan, self._session.approved is not None))

    def apply(self, really: bool) -> ShownMarkup:
        """In a job, apply what is allowed where `really` says so. By hand the panel's button does that.

        Raises:
            ScimopsError: no connection is given, it cannot be reached, or something changed since the plan was made.
        """
        if self.plan.operations.height and really and self._shown is None:
            self._session.apply()
        if self._session.receipts is not None:
            return ShownMarkup(views.receipts_counts(self._session.receipts))
        how = "`apply` is false" if self._shown is None else "the panel's button applies"
        words = "Nothing is to be done." if not self.plan.operations.height else f"Nothing was applied: {how}."
        return ShownMarkup(tag("p", words))

    @property
    def counts(self) -> dict[str, int]:
        """The step's numbers: of the plan, and of each outcome where it was applied."""
        outcomes = self._session.receipts.counts if self._session.receipts is not None else {}
        return facts.counted(self.plan) | outcomes

    @property
    def findings(self) -> dict[str, int]:
        """Codes of what was found, in the plan and after it was applied, and how often."""
        after = self._session.receipts.findings if self._session.receipts is not None else []
        counts: Counter[str] = Counter()
        for each in (*self.plan.findings, *after):
            counts[each.code] += each.count or 1
        return dict(counts)

    @property
    def exit_code(self) -> int:
        """0: nothing to do, or all done; 3: changes that were not applied; 4: withheld; else as the apply ended."""
        receipts = self._session.receipts
        return receipts.exit_code if receipts is not None else self.plan.exit_code

    def _summary(self) -> ShownMarkup:
        assert self._session.snapshot is not None
        words = ["The plan for ", tag("b", self._session.snapshot.where), ", its digest begins with ",
                 tag("code", self.plan.digest[:12]), "."]  # fmt: skip
        return ShownMarkup(tag("p", words))
