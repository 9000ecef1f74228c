"""The widgets of the panel of review_runs, and what happens when a person uses them."""

from __future__ import annotations

import ipywidgets

from scimops.errors import UsageError
from scimops.jobs.history import lines_of
from scimops.widgets.controls import runs_views as views
from scimops.widgets.controls.copy_buttons import CopyButtons
from scimops.widgets.controls.listing import empty
from scimops.widgets.controls.markup import Markup, tag
from scimops.widgets.controls.parts import button, frame, row, tabs
from scimops.widgets.controls.runs_session import Review
from scimops.widgets.controls.step_board import Acts, StepBoard


class RunsBoard(StepBoard):
    """The widgets of the panel of review_runs."""

    def __init__(self, review: Review) -> None:
        self.review = review
        super().__init__("runs", frame("status", "problem", "verdict"))
        self._words, self._outcome = "", ""
        self.head = ipywidgets.Text(description="Head", value=review.head, placeholder="NUMBER:HASH, from a summary")
        self.key = ipywidgets.Text(description="Public key", value=review.key, placeholder="ledger.pub")
        self.verify_button = button("Verify", lambda: self._later(self._verify))
        self.box = self._boxed(
            row("scimops-path", self.head, self.key, self.verify_button), self.top, self.screen, CopyButtons()
        )
        self._later(self._read)

    # What a person does

    def _acts(self, first: dict[str, str], values: dict[str, list[str]]) -> Acts:
        return {
            "search": lambda: self._search(first.get("text", ""), first.get("outcome", "")),
            "show": lambda: self._choose([first["value"]], "one"),
            "compare": lambda: self._choose(values.get("run", []), "two"),
        }

    # What then happens, on the worker

    def _status(self) -> Markup:
        return tag("p", "The ledger ", tag("code", self.review.ledger))

    def _read(self) -> None:
        self.review.read()
        self.top.show(status=self._status())
        self._refresh()

    def _verify(self) -> None:
        self.top.show(verdict=Markup())
        self._busy("Checking every record …")
        self.review.head, self.review.key = self.head.value.strip(), self.key.value.strip()
        verdict = self.review.check()
        self.review.read()
        self.top.show(verdict=views.verdict_view(verdict, self.review.head, self.review.checked_at))
        self.top.show(status=self._status())
        self._refresh(tools=False)

    def _look_at(self, view: str) -> None:
        self._view = view  # the page of the table is kept
        self._refresh()

    def _search(self, words: str, outcome: str) -> None:
        self._words, self._outcome, self._page = words, outcome, 0
        self._refresh(tools=False)

    def _choose(self, ids: list[str], view: str) -> None:
        if view == "two" and len(ids) != 2:
            raise UsageError(f"{len(ids)} runs are ticked.", advice="Tick two, then compare them.")
        self.review.choose(ids)
        self._look_at(view)

    # What is shown

    def _refresh(self, tools: bool = True) -> None:
        shown = {"tabs": tabs(views.VIEWS, self._view), "view": self._content()}
        if tools:
            shown["tools"] = views.search(self._words, self._outcome) if self._view == "runs" else Markup()
        self.screen.show(**shown)

    def _content(self) -> Markup:
        review = self.review
        if self._view == "two":
            return views.pair_view(review.pair(), names=True)
        if self._view == "one":
            newest = review.chosen[-1] if review.chosen else None
            return views.run_view(newest, lines_of(newest.record)) if newest else empty("There is no run.")
        found = views.found(review.runs, self._words, self._outcome)
        if not found:
            return views.nothing(review.ledger, review.empty)
        return views.runs_table(found, self._page, [one.record.id for one in review.chosen], review.more)
