"""What the panels of several steps have in common: two screens, a worker, views, and what goes wrong in words."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets

from scimops.errors import ScimopsError
from scimops.widgets.controls.markup import Markup, tag
from scimops.widgets.controls.numbers import problem, told
from scimops.widgets.controls.screen import Screen
from scimops.widgets.controls.worker import Worker

_LOG = logging.getLogger("scimops.widgets")

Acts = Mapping[str, Callable[[], None]]


class StepBoard(ABC):
    """The widgets of a panel, in `box`. All that takes time happens on `worker`, one thing after the other.

    `top` has a status, a problem and what the step shows first; `screen` has tabs, tools and one view of several.
    """

    def __init__(self, view: str, top: Markup) -> None:
        self.worker = Worker(self._fault)
        self._view, self._page = view, 0
        self.top = Screen(top, self._action)
        regions = [tag("div", data_region=name) for name in ("tabs", "tools", "view")]
        self.screen = Screen(tag("div", regions, class_="scimops-results"), self._action)

    def _boxed(self, *widgets: Any) -> Any:
        """The widgets one below the other, as a panel."""
        box = ipywidgets.VBox(widgets)
        box.add_class("scimops-panel")
        return box

    # What a person does

    def _action(self, name: str, values: dict[str, list[str]]) -> None:
        first = {key: several[0] for key, several in values.items() if several}
        acts = {
            "view": lambda: self._look_at(first["value"]),
            "page": lambda: self._turn(int(first["value"])),
            **self._acts(first, values),
        }
        if name in acts:
            self._later(acts[name])

    @abstractmethod
    def _acts(self, first: dict[str, str], values: dict[str, list[str]]) -> Acts:
        """What the step does beside looking at views and turning pages; `first` has the first of several values."""

    def _later(self, work: Callable[[], None]) -> None:
        self.worker.later(lambda: self._told(work))

    # What then happens, on the worker

    def _told(self, work: Callable[[], None]) -> None:
        """Do `work`; what goes wrong is shown, with what to do, in place of a traceback."""
        self.top.show(problem=Markup())
        try:
            work()
        except (ScimopsError, OSError) as error:
            self.top.show(problem=problem(*told(error)), status=self._status(), **self._after_problem())

    def _after_problem(self) -> dict[str, Markup]:
        """What else of `top` is shown anew when something went wrong."""
        return {}

    def _busy(self, words: str) -> None:
        spin = tag("span", class_="scimops-busy", aria_hidden="true")
        self.top.show(status=tag("p", spin, words))

    def _look_at(self, view: str) -> None:
        self._view, self._page = view, 0
        self._refresh()

    def _turn(self, page: int) -> None:
        self._page = page
        self._refresh(tools=False)

    # What is shown

    @abstractmethod
    def _status(self) -> Markup:
        """What the panel works on, while it does nothing."""

    @abstractmethod
    def _refresh(self, tools: bool = True) -> None:
        """Show the view anew, and its tools where they change, so that a person's typing is not disturbed."""

    def _fault(self, fault: Exception) -> None:
        """A fault of scimops itself; what it says may hold a person's data, so only its kind is told."""
        _LOG.error("a panel's task failed: %s", type(fault).__name__)
        words = f"scimops made a mistake ({type(fault).__name__})."
        self.top.show(problem=problem(words, "Please report it. The panel can be used on."), status=self._status())
