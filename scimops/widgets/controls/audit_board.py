"""The widgets of the panel of audit_provisioning, and what happens when a person uses them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scimops.widgets.controls import audit_facts as facts
from scimops.widgets.controls import audit_over_time as over_time
from scimops.widgets.controls import audit_views as views
from scimops.widgets.controls.markup import Markup, join, tag
from scimops.widgets.controls.parts import frame, tabs
from scimops.widgets.controls.step_board import Acts, StepBoard

if TYPE_CHECKING:
    from scimops.widgets.controls.audit_session import AuditSession


class AuditBoard(StepBoard):
    """The widgets of the panel of audit_provisioning."""

    def __init__(self, session: AuditSession) -> None:
        self.session = session
        super().__init__("work", join(views.STYLE, frame("status", "problem", "numbers", "picture", "act")))
        self._words, self._code, self._person = "", "", ""
        self._works: list[facts.Work] = []
        self.box = self._boxed(self.top, self.screen)
        self._later(self._make)

    # What a person does

    def _acts(self, first: dict[str, str], values: dict[str, list[str]]) -> Acts:  # noqa: ARG002  # one value each
        return {
            "search": lambda: self._search(first.get("text", ""), first.get("code", "")),
            "show": lambda: self._explain(first["value"]),
            "explain": lambda: self._explain(first.get("person", "")),
            "again": self._make,
        }

    # What then happens, on the worker

    def _make(self) -> None:
        self._busy("Reading the export, the platform and the logs …")
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
        if "drift" in self.session.asked:
            counts["drift"] = self.session.asked["drift"].population
        shown = {"tabs": tabs(views.VIEWS, self._view, counts)}
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
            return over_time.trends(self.session.arrivals, self.session.asked)
        if self._view == "drift":
            return over_time.drift(self.session.asked, self._page)
        report = self.session.report
        return views.sides(report.audit) if self._view == "sides" else views.findings(report.findings)

    def _story(self) -> Markup:
        if not self._person:
            return Markup()
        self.screen.show(view=Markup())  # of somebody else, where this one cannot be told
        from scimops.audit.explain import explain_person

        assert self.session.sources is not None
        return views.story(explain_person(self.session.audit, self.session.sources, self._person))
