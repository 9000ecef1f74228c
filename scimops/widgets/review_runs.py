"""The panel of the step review_runs: what ran, one run whole, two side by side, and whether the ledger is unchanged.

A panel has no logic of its own. What it does is in :class:`~scimops.widgets.controls.runs_session.Review`, which calls
the same functions as `scimops runs`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from scimops.errors import UsageError
from scimops.jobs.ledger import LedgerError
from scimops.widgets.controls import runs_views as views
from scimops.widgets.controls.markup import join, tag
from scimops.widgets.controls.panel import ShownMarkup, StepPanel
from scimops.widgets.controls.runs_session import Review

if TYPE_CHECKING:
    import polars as pl

__all__ = ["ReviewRunsPanel", "review_runs"]

LISTED: Final = 30
"""How many runs the table in a cell has; the panel and the picture have more."""


def review_runs(
    ledger: str = "", since: str = "", *, head: str = "", key: str = "", every: str = "", notebooks: str = ""
) -> ReviewRunsPanel:
    """The panel in which a person looks at runs, compares two, and verifies the ledger.

    In a job (papermill) nobody looks: then the same call shows one line. Either way the next cells show what is chosen.

    Args:
        ledger: the ledger's file; empty: :func:`scimops.config.ledger_file`.
        since: only runs since, such as 7d or a date; empty: all.
        head: `NUMBER:HASH` that a summary carried, to verify against.
        key: the public key that must have signed: a file or its digits.
        every: how often each of `notebooks` must be completed, such as 24h; empty: that is not asked.
        notebooks: names with commas between them.

    Raises:
        ScimopsError: in a job, the ledger cannot be read, or a value is wrong. The panel shows that instead.
    """
    return ReviewRunsPanel(Review(ledger, since, head, key, every, notebooks))


class ReviewRunsPanel(StepPanel):
    """What :func:`review_runs` gives. Shown as the last value of a cell; the methods give what the next cells show."""

    def __init__(self, review: Review) -> None:
        self._review = review
        if review.every and not review.notebooks:
            raise UsageError("`every` is given and no notebook.", advice="Name them in `notebooks`.")

        def board() -> Any:
            from scimops.widgets.controls.runs_board import RunsBoard

            return RunsBoard(review)

        super().__init__(board, review.read)

    @property
    def frame(self) -> pl.DataFrame:
        """The runs that are shown, a row each, the newest first."""
        from scimops.jobs.table import runs_frame

        self.wait()
        return runs_frame(self._review.runs)

    def table(self) -> ShownMarkup:
        """The newest runs."""
        self.wait()
        review = self._review
        if not review.runs:
            return ShownMarkup(views.nothing(review.ledger, review.empty))
        return ShownMarkup(views.runs_listing(review.runs, LISTED, review.more))

    def timeline(self) -> None:
        """Show when what ran, and how it ended, as a picture and in words."""
        from scimops.present.notebook import show_chart
        from scimops.present.runs import timeline, timeline_words

        if not self.frame.is_empty():
            show_chart(timeline(self.frame), timeline_words(self.frame))

    def one(self) -> ShownMarkup:
        """The run that was looked at last, whole; else the newest of those that ran twice."""
        from scimops.jobs.history import lines_of

        self.wait()
        if not self._review.chosen:
            return ShownMarkup(tag("p", "There is no run."))
        newest = self._review.chosen[-1]
        return ShownMarkup(views.run_view(newest, lines_of(newest.record)))

    def two(self) -> ShownMarkup:
        """Two runs side by side: those compared last, else the newest two of one notebook. People are counted only."""
        self.wait()
        return ShownMarkup(views.pair_view(self._review.pair(), names=False))

    def verify(self) -> ShownMarkup:
        """Check the whole ledger now, and whether a notebook is overdue."""
        self.wait()
        verdict, late = self._review.check(), self._review.late()
        return ShownMarkup(
            join(
                views.verdict_view(verdict, self._review.head, self._review.checked_at),
                views.late_view(late, self._review.every),
            )
        )

    @property
    def counts(self) -> dict[str, int]:
        """The step's numbers: records, those that are signed, runs shown by what they came to, notebooks overdue."""
        verdict, outcomes = self._review.verdict or self._review.check(), self.frame["outcome"]
        completed = int((outcomes == "completed").sum())
        late = len(self._review.late())
        return {"records": verdict.records, "signed": verdict.signed, "completed": completed,
                "not_completed": len(outcomes) - completed, "overdue": late}  # fmt: skip

    @property
    def exit_code(self) -> int:
        """3 where a notebook is overdue, else 0."""
        return 3 if self._review.late() else 0

    def must_be_whole(self) -> None:
        """Nothing where the ledger is as it was written.

        Raises:
            LedgerError: it is not; says the line.
        """
        verdict = self._review.verdict or self._review.check()
        if not verdict.good:
            where = f"{self._review.ledger}, line {verdict.line}" if verdict.line else str(self._review.ledger)
            advice = "Keep the file as it is, and look for a copy of it."
            raise LedgerError(f"{verdict.message} ({verdict.why})", where=where, advice=advice)

    def _summary(self) -> ShownMarkup:
        return ShownMarkup(tag("p", "The ledger ", tag("code", self._review.ledger)))
