"""The widgets of the panel of audit_provisioning, and what happens when a person uses them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import ipywidgets

from scimops.errors import ScimopsError
from scimops.widgets.controls import audit_facts as facts
from scimops.widgets.controls import audit_views as views
from scimops.widgets.controls.markup import Markup, join, tag
from scimops.widgets.controls.numbers import problem, told
from scimops.widgets.controls.parts import frame
from scimops.widgets.controls.screen import Screen
from scimops.widgets.controls.worker import Worker

if TYPE_CHECKING:
    from scimops.widgets.controls.audit_session import AuditSession

_LOG = logging.getLogger("scimops.widgets")


class AuditBoard:
    """The widgets of the panel, in `box`. All that takes time happens on `worker`, one thing after the other."""

    def __init__(self, session: AuditSession) -> None:
        self.session = session
        self.worker = Worker(self._fault)
        self._view, self._page, self._words, self._code, self._person = "work", 0, "", "", ""
        self._works: list[facts.Work] = []
        self.top = Screen(join(views.STYLE, frame("status", "problem", "numbers", "picture", "act")), self._action)
        regions = [tag("div", data_region=name) for name in ("tabs", "tools", "view")]
        self.screen = Screen(tag("div", regions, class_="scimops-results"), self._action)
        self.box = ipywidgets.VBox([self.top, self.screen])
        self.box.add_class("scimops-panel")
        self._later(self._make)

    # What a person does

    def _action(self, name: str, values: dict[str, list[str]]) -> None:
        first = {key: several[0] for key, several in values.items() if several}
        acts: dict[str, Callable[[], None]] = {
            "view": lambda: self._look_at(first["value"]),
            "page": lambda: self._turn(int(first["value"])),
            "search": lambda: self._search(first.get("text", ""), first.get("code", "")),
            "show": lambda: self._explain(first["value"]),
            "explain": lambda: self._explain(first.get("person", "")),
            "again": self._make,
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
            self.top.show(problem=problem(*told(error)), status=self._status())

    def _make(self) -> None:
        spin = tag("span", class_="scimops-busy", aria_hidden="true")
        self.top.show(status=tag("p", spin, "Reading the export, the platform and the logs …"))
        self.top.show(numbers=Markup(), picture=Markup(), act=Markup())
        self.screen.show(tabs=Markup(), tools=Markup(), view=Markup())
        self.session.make()
        self._works = facts.work(self.session.report)
        again = tag("button", "Audit again", type="button", class_="scimops-link", data_action="again", value="again")
        self.top.show(
            status=self._status(), numbers=views.numbers(self.session.audit), picture=views.picture(self.session.audit),
            act=tag("div", again, class_="scimops-again"),
        )  # fmt: skip
        self._refresh()

    def _look_at(self, view: str) -> None:
        self._view, self._page = view, 0
        self._refresh()

    def _turn(self, page: int) -> None:
        self._page = page
        self._refresh(tools=False)

    def _search(self, words: str, code: str) -> None:
        self._words, self._code, self._page = words, code, 0
        self._refresh(tools=False)

    def _explain(self, person: str) -> None:
        self._view, self._person = "one", person.strip()
        self._refresh()

    # What is shown

    def _status(self) -> Markup:
        return views.about(self.session.made, self.session.invented) if self.session.made is not None else Markup()

    def _refresh(self, tools: bool = True) -> None:
        if self.session.made is None:
            return
        found = self.session.report.findings
        counts = {"work": sum(one.people.height for one in self._works), "findings": len(found)}
        shown = {"tabs": views.tabs(self._view, counts)}
        if tools:
            shown["tools"] = self._tools()
        self.screen.show(**shown)
        self.screen.show(view=self._content())

    def _tools(self) -> Markup:
        if self._view == "one":
            return views.ask(self._person)
        return views.search(self._words, self._works, self._code) if self._view == "work" else Markup()

    def _content(self) -> Markup:
        if self._view == "work":
            return views.worklist(facts.found(self._works, self._words, self._code), self._page)
        if self._view == "one":
            return self._story()
        if self._view == "trends":
            return views.trends(self.session.arrivals)
        report = self.session.report
        return views.sides(report.audit) if self._view == "sides" else views.findings(report.findings)

    def _story(self) -> Markup:
        if not self._person:
            return Markup()
        self.screen.show(view=Markup())  # of somebody else, where this one cannot be told
        from scimops.audit.explain import explain_person

        assert self.session.sources is not None
        return views.story(explain_person(self.session.audit, self.session.sources, self._person))

    def _fault(self, fault: Exception) -> None:
        """A fault of scimops itself; what it says may hold a person's data, so only its kind is told."""
        _LOG.error("a panel's task failed: %s", type(fault).__name__)
        words = f"scimops made a mistake ({type(fault).__name__})."
        self.top.show(problem=problem(words, "Please report it. The panel can be used on."), status=self._status())
