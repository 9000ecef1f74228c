"""The panel of the step audit_provisioning: how many of how many arrived, the list to work on, one person's story.

A panel has no logic of its own. What it does is in :class:`~scimops.widgets.controls.audit_session.AuditSession`, which
calls the same functions as `scimops audit` and `scimops explain`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scimops.present.audit_charts import FEWEST, arrivals_chart, arrivals_words
from scimops.widgets.controls import audit_facts as facts
from scimops.widgets.controls import audit_views as views
from scimops.widgets.controls.audit_session import AuditSession, Given
from scimops.widgets.controls.markup import join
from scimops.widgets.controls.panel import ShownMarkup, StepPanel

if TYPE_CHECKING:
    from scimops.audit.audit import Audit

__all__ = ["AuditProvisioningPanel", "audit_provisioning"]


def audit_provisioning(
    export: str = "", setting: str = "", connection: str = "", *, state: str = "", logs: str = "", people: str = "",
    exceptions: str = "", fail_on: str = "", keep: str = "", out: str = "", exports: str = "", applied: str = "",
) -> AuditProvisioningPanel:  # fmt: skip
    """The panel in which a person sees who arrived, works on those who did not, and asks for one person's story.

    In a job (papermill) nobody looks: then the same call makes the audit. Either way the next cells show it.

    Args:
        export: today's export; empty: an invented company is audited.
        setting: the setting's document.
        connection: name of the connection to the platform.
        state: folder of a state that was saved; then no platform is read.
        logs: files of logs with commas between them, or a folder with them.
        people: a list of employees (CSV, XLSX); then it is the population.
        exceptions: a file of findings that were accepted.
        fail_on: levels or codes with commas between them: such a finding makes the exit code 3.
        keep: folder that is kept from audit to audit, for what is new or solved, and for the trends.
        out: folder for the report.
        exports: exports of earlier days with commas between them, or a folder with them, for the trends.
        applied: the plan that was applied last, for what came since; its export must be among the exports.

    Raises:
        ScimopsError: in a job, a source cannot be read whole, or a parameter is wrong. The panel shows that instead.
    """
    given = Given(export, setting, connection, state, logs, people, exceptions, fail_on, keep, out, exports, applied)
    return AuditProvisioningPanel(AuditSession(given))


class AuditProvisioningPanel(StepPanel):
    """What :func:`audit_provisioning` gives. Shown as the last value of a cell; the methods give the next cells.

    The cells count and never name a person: names are shown in the panel, which is never saved, and in the report.
    """

    def __init__(self, session: AuditSession) -> None:
        self._session = session

        def board() -> Any:
            from scimops.widgets.controls.audit_board import AuditBoard

            return AuditBoard(session)

        super().__init__(board, session.make)

    @property
    def audit(self) -> Audit:
        """The audit that the panel shows.

        Raises:
            ScimopsError: there is none, and this is why.
        """
        self.wait()
        return self._session.audit

    def picture(self) -> None:
        """Show how many of how many arrived and where the others were lost, as a picture and in words."""
        from scimops.present.audit_charts import chain_chart, chain_words
        from scimops.present.notebook import show_chart

        show_chart(chain_chart(self.audit.coverage), chain_words(self.audit.coverage))

    def numbers(self) -> ShownMarkup:
        """The four numbers."""
        return ShownMarkup(join(views.STYLE, views.numbers(self.audit)))

    def work(self) -> ShownMarkup:
        """The list to work on, counted by where, why and what to do."""
        self.wait()
        works = facts.work(self._session.report)
        return ShownMarkup(join(views.STYLE, views.work_counts(works, bool(self._session.given.out))))

    def sides(self) -> ShownMarkup:
        """How both sides compare, counted."""
        return ShownMarkup(views.sides(self.audit))

    def trends(self) -> None:
        """Show arrivals audit by audit, the logs day by day, the groups export by export, and count what changed."""
        from IPython.display import display

        from scimops.present.notebook import show_chart
        from scimops.widgets.controls import audit_over_time as over_time

        self.wait()
        asked, arrivals = self._session.asked, self._session.arrivals
        if arrivals is None or len(arrivals.runs) < FEWEST:
            display(ShownMarkup(views.arrived_over_time(arrivals)))  # type: ignore[no-untyped-call]
        else:
            show_chart(arrivals_chart(arrivals), arrivals_words(arrivals))
        for chart, words in over_time.pictures(asked, self._session.personal):
            show_chart(chart, words)
        counted = [over_time.counted(asked[name]) for name in ("since_export", "settings_changed") if name in asked]
        display(ShownMarkup(join(*counted)))  # type: ignore[no-untyped-call]

    def drift(self) -> ShownMarkup:
        """What differs from what was applied, counted, where the plan is given."""
        from scimops.widgets.controls import audit_over_time as over_time

        self.wait()
        asked = self._session.asked
        return ShownMarkup(over_time.counted(asked["drift"]) if "drift" in asked else over_time.drift(asked, 0))

    def files(self) -> ShownMarkup:
        """Write the report into `out` and what the next audit compares with into `keep`; say what was written.

        Raises:
            ScimopsError: there is no audit, or what is kept is of another setting or platform.
        """
        self.wait()
        return ShownMarkup(views.written(self._session.write(), self._session.given))

    @property
    def counts(self) -> dict[str, int]:
        """The step's numbers."""
        counts = self.audit.coverage.counts
        left = self.audit.reconciled.counts.get("left_still_active", 0)
        return {"meant": self.audit.coverage.meant, "arrived": counts["arrived"], "lost": counts["lost"],
                "cannot_tell": counts["cannot_tell"], "not_due_yet": counts["not_due_yet"],
                "left_still_active": left}  # fmt: skip

    @property
    def findings(self) -> dict[str, int]:
        """Codes of what was found, and how often."""
        return {one.code: one.count or 1 for one in self._session.report.findings}

    @property
    def exit_code(self) -> int:
        """3 where something was found of the level `fail_on` or a more pressing one; else 0."""
        return self._session.exit_code

    def _summary(self) -> ShownMarkup:
        return ShownMarkup(views.about(self._session.report, self._session.invented))
