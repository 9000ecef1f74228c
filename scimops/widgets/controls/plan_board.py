"""The widgets of the panel of plan_and_apply, and what happens when a person uses them."""

from __future__ import annotations

import time
from base64 import b64encode
from typing import TYPE_CHECKING

from scimops.jobs.running import recorded
from scimops.present.charts import as_png
from scimops.present.words import many
from scimops.widgets.controls import plan_facts as facts
from scimops.widgets.controls import plan_views as views
from scimops.widgets.controls.listing import empty
from scimops.widgets.controls.markup import Markup, join, tag
from scimops.widgets.controls.numbers import finding_box, rows_words
from scimops.widgets.controls.parts import frame, tabs
from scimops.widgets.controls.plan_flow import flow_chart, flow_words
from scimops.widgets.controls.step_board import Acts, StepBoard

if TYPE_CHECKING:
    from scimops.apply import Progress
    from scimops.plan import Plan
    from scimops.widgets.controls.plan_session import PlanSession

_OFTEN = 0.15
"""Seconds between two looks at how far an apply is."""


class PlanBoard(StepBoard):
    """The widgets of the panel of plan_and_apply."""

    def __init__(self, session: PlanSession) -> None:
        self.session = session
        super().__init__("groups", join(views.STYLE, frame("status", "problem", "numbers", "verdicts", "act")))
        self._words, self._kind, self._told_at = "", "", 0.0
        self.box = self._boxed(self.top, self.screen)
        self._later(self._make)

    # What a person does

    def _action(self, name: str, values: dict[str, list[str]]) -> None:
        if name == "cancel":  # while the worker applies
            self.session.stop.set()
            return
        if name == "apply":
            self.session.stop.clear()
        super()._action(name, values)

    def _acts(self, first: dict[str, str], values: dict[str, list[str]]) -> Acts:  # noqa: ARG002  # one value each
        return {
            "search": lambda: self._search(first.get("text", ""), first.get("kind", "")),
            "approve": lambda: self._approve(first.get("number", ""), first.get("reason", "")),
            "apply": self._apply,
            "undo": self._undo,
            "again": self._make,
        }

    # What then happens, on the worker

    def _after_problem(self) -> dict[str, Markup]:
        return {"act": self._act(self.session.made)} if self.session.made is not None else {}

    def _make(self) -> None:
        self._busy("Reading the export and the service provider …")
        self.top.show(numbers=Markup(), verdicts=Markup(), act=Markup())
        self.screen.show(tabs=Markup(), tools=Markup(), view=Markup())
        self.session.make()
        self._show_plan()

    def _undo(self) -> None:
        self._busy("Reading the service provider …")
        self.session.undo()
        self._show_plan()

    def _show_plan(self) -> None:
        plan = self.session.plan
        self._view = "withheld" if plan.held.height else "groups"
        self._page, self._words, self._kind = 0, "", ""
        self.top.show(
            status=self._status(), numbers=views.numbers(plan), verdicts=views.verdicts(plan),
            act=self._act(plan),
        )  # fmt: skip
        self._refresh()

    def _approve(self, typed: str, reason: str) -> None:
        self.session.check_approval(typed, reason)
        with recorded("plan_and_apply", "approve", {"plan": self.session.plan.digest, "reason": reason}) as recording:
            self.session.approve(reason)
            recording.counts["withheld"], recording.digests["plan"] = (
                self.session.removals.height,
                self.session.plan.digest,
            )
        self.top.show(act=self._act(self.session.plan))
        self._refresh()

    def _apply(self) -> None:
        if self.session.receipts is not None and not self.session.receipts.stopped:
            return
        self.top.show(act=views.progress(None, self.session.todo))
        given = self.session.given
        told_of = {"plan": self.session.plan.digest, "connection": given.connection, "out": str(self.session.folder)}
        with recorded("plan_and_apply", "apply", told_of) as recording:
            receipts = self.session.apply(self._on_progress)
            recording.counts |= receipts.counts
            recording.digests["plan"], recording.exit_code = self.session.plan.digest, receipts.exit_code
        self._view, self._page = "receipts", 0
        self.top.show(act=self._act(self.session.plan))
        self._refresh()

    def _on_progress(self, now: Progress) -> None:
        if time.monotonic() - self._told_at > _OFTEN:
            self._told_at = time.monotonic()
            self.top.show(act=views.progress(now, now.of))

    def _search(self, words: str, kind: str) -> None:
        self._words, self._kind, self._page = words, kind, 0
        self._refresh(tools=False)

    # What is shown

    def _status(self) -> Markup:
        session, snapshot = self.session, self.session.snapshot
        if session.made is None or snapshot is None:
            return Markup()
        what = "The plan that undoes what was applied" if session.undoing else "The plan"
        read = f"read {snapshot.read_at[:16].replace('T', ' ')} UTC" if session.given.connection else "not read"
        return tag("p", tag("b", what), " for ", tag("b", snapshot.where), f" ({read}). Its digest begins with ",
                   tag("code", session.made.digest[:12]), ".")  # fmt: skip

    def _act(self, plan: Plan) -> Markup:
        """What can be done next, and what that would do."""
        session, receipts = self.session, self.session.receipts
        again = _button("Plan again", "again")
        if receipts is not None:
            stopped = tag("p", tag("span", "▲ ", class_="scimops-held"), receipts.stopped) if receipts.stopped else None
            go_on = _button("Go on", "apply") if receipts.stopped else None
            undo = _button("Undo: plan the way back", "undo") if "done" in receipts.counts else None
            return join(views.outcome(receipts), stopped, tag("div", go_on, undo, again, class_="scimops-do"))
        if not plan.operations.height:
            words = "Nothing is to be done: everybody is where the preview says."
            return tag("div", tag("p", tag("span", "✓ ", class_="scimops-ok"), words), again, class_="scimops-do")
        if not session.given.connection:
            words = "No connection is given, so nothing can be applied. Name one in the parameters cell: "
            return tag("div", tag("p", words, tag("code", 'connection = "NAME"'), "."), again, class_="scimops-do")
        held = plan.operations.height - session.todo
        rest = tag("span", f"{many(held, 'operation')} stay withheld.", class_="scimops-what") if held else None
        label = f"Apply {many(session.todo, 'operation')} to {session.given.connection}"
        do = tag("button", label, type="button", class_="scimops-main", data_action="apply", value="apply")
        return tag("div", do if session.todo else None, again, rest, class_="scimops-do")

    def _refresh(self, tools: bool = True) -> None:
        if self.session.made is None:
            return
        plan = self.session.plan
        counts = {"withheld": plan.held.height, "people": plan.operations.height, "findings": len(plan.findings)}
        if self.session.receipts is not None:
            counts["receipts"] = self.session.receipts.steps.height
        shown = {"tabs": tabs(views.VIEWS, self._view, counts), "view": self._content(plan)}
        if tools:
            kinds = [*plan.operations["kind"].value_counts(sort=True).iter_rows(), ("withheld", plan.held.height)]
            shown["tools"] = views.search(self._words, kinds, self._kind) if self._view == "people" else Markup()
        self.screen.show(**shown)

    def _content(self, plan: Plan) -> Markup:
        session = self.session
        assert session.snapshot is not None
        assert session.preview is not None
        if self._view == "groups":
            return views.groups(plan, facts.returning(plan), self._page)
        if self._view == "flow":
            return self._flow(plan)
        if self._view == "withheld":
            return views.withheld(plan.held, self._page, session.removals.height, session.approved is not None)
        if self._view == "people":
            same = None
            if self._words.strip() and not self._kind and not session.undoing:
                same = facts.unchanged(plan, session.preview, self._words)
            return views.operations(facts.found(plan, self._words, self._kind), self._page, same)
        if self._view == "findings":
            return self._findings(plan)
        return (views.receipts_table(session.receipts, self._page) if session.receipts is not None
                else empty("Nothing was applied yet."))  # fmt: skip

    def _flow(self, plan: Plan) -> Markup:
        assert self.session.snapshot is not None
        found = facts.flows(plan, self.session.snapshot)
        words = flow_words(found)
        if not found:
            return empty(words)
        source = f"data:image/png;base64,{b64encode(as_png(flow_chart(found))).decode()}"
        return join(Markup(f'<img class="scimops-flow-picture" alt="" width="760" src="{source}">'), tag("p", words))

    def _findings(self, plan: Plan) -> Markup:
        after = self.session.receipts.findings if self.session.receipts is not None else []
        found = [*after, *plan.findings]
        if not found:
            return empty("Nothing was found that should be looked at.")
        boxes = [tag("li", finding_box(one, "scimops-finding", rows=rows_words(one))) for one in found]
        return tag("ul", boxes, class_="scimops-findings")


def _button(label: str, action: str) -> Markup:
    return tag("button", label, type="button", class_="scimops-link", data_action=action, value=action,
               data_focus=action)  # fmt: skip
