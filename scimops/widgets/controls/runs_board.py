"""The widgets of the panel of review_runs, and what happens when a person uses them."""

from __future__ import annotations

import logging
from collections.abc import Callable

import ipywidgets

from scimops.errors import ScimopsError, UsageError
from scimops.jobs.history import lines_of
from scimops.widgets.controls import runs_views as views
from scimops.widgets.controls.copy_buttons import CopyButtons
from scimops.widgets.controls.listing import empty
from scimops.widgets.controls.markup import Markup, tag
from scimops.widgets.controls.numbers import problem, told
from scimops.widgets.controls.parts import button, frame, row
from scimops.widgets.controls.runs_session import Review
from scimops.widgets.controls.screen import Screen
from scimops.widgets.controls.worker import Worker

_LOG = logging.getLogger("scimops.widgets")


class RunsBoard:
    """The widgets of the panel, in `box`. All that takes time happens on `worker`, one thing after the other."""

    def __init__(self, review: Review) -> None:
        self.review = review
        self.worker = Worker(self._fault)
        self._view, self._page, self._words, self._outcome = "runs", 0, "", ""
        self.head = ipywidgets.Text(description="Head", value=review.head, placeholder="NUMBER:HASH, from a summary")
        self.key = ipywidgets.Text(description="Public key", value=review.key, placeholder="ledger.pub")
        self.verify_button = button("Verify", lambda: self._later(self._verify))
        self.top = Screen(frame("status", "problem", "verdict"), self._action)
        regions = [tag("div", data_region=name) for name in ("tabs", "tools", "view")]
        self.screen = Screen(tag("div", regions, class_="scimops-results"), self._action)
        self.box = ipywidgets.VBox([
            row("scimops-path", self.head, self.key, self.verify_button), self.top, self.screen, CopyButtons(),
        ])  # fmt: skip
        self.box.add_class("scimops-panel")
        self._later(self._read)

    # What a person does

    def _action(self, name: str, values: dict[str, list[str]]) -> None:
        first = {key: several[0] for key, several in values.items() if several}
        acts: dict[str, Callable[[], None]] = {
            "view": lambda: self._look_at(first["value"]),
            "page": lambda: self._turn(int(first["value"])),
            "search": lambda: self._search(first.get("text", ""), first.get("outcome", "")),
            "show": lambda: self._choose([first["value"]], "one"),
            "compare": lambda: self._choose(values.get("run", []), "two"),
        }
        if name in acts:
            self._later(acts[name])

    def _later(self, work: Callable[[], None]) -> None:
        self.worker.later(lambda: self._told(work))

    # What then happens, on the worker

    def _told(self, work: Callable[[], None]) -> None:
        """Do `work`; what goes wrong is shown, with what to do, in place of a traceback."""
        self.top.show(problem=Markup())
        try:
            work()
        except (ScimopsError, OSError) as error:
            self.top.show(problem=problem(*told(error)), status=self._ledger())

    def _ledger(self) -> Markup:
        return tag("p", "The ledger ", tag("code", self.review.ledger))

    def _read(self) -> None:
        self.review.read()
        self.top.show(status=self._ledger())
        self._refresh(tools=True)

    def _verify(self) -> None:
        self.top.show(verdict=Markup(), status=tag("p", tag("span", class_="scimops-busy", aria_hidden="true"),
                                                   "Checking every record …"))  # fmt: skip
        self.review.head, self.review.key = self.head.value.strip(), self.key.value.strip()
        verdict = self.review.check()
        self.review.read()
        self.top.show(verdict=views.verdict_view(verdict, self.review.head, self.review.checked_at))
        self.top.show(status=self._ledger())
        self._refresh(tools=False)

    def _look_at(self, view: str) -> None:
        self._view = view
        self._refresh(tools=True)

    def _turn(self, page: int) -> None:
        self._page = page
        self._refresh(tools=False)

    def _search(self, words: str, outcome: str) -> None:
        self._words, self._outcome, self._page = words, outcome, 0
        self._refresh(tools=False)

    def _choose(self, ids: list[str], view: str) -> None:
        if view == "two" and len(ids) != 2:
            raise UsageError(f"{len(ids)} runs are ticked.", advice="Tick two, then compare them.")
        self.review.choose(ids)
        self._look_at(view)

    # What is shown

    def _refresh(self, tools: bool) -> None:
        shown = {"tabs": views.tabs(self._view), "view": self._content()}
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

    def _fault(self, fault: Exception) -> None:
        """A fault of scimops itself; what it says may hold a person's data, so only its kind is told."""
        _LOG.error("a panel's task failed: %s", type(fault).__name__)
        words = f"scimops made a mistake ({type(fault).__name__})."
        self.top.show(problem=problem(words, "Please report it. The panel can be used on."), status=self._ledger())
