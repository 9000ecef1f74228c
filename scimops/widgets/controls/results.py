"""The part of a panel that shows a preview, one view at a time, and what a person does there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from scimops.errors import ScimopsError
from scimops.grouping import REASONS
from scimops.preview.explain import explain
from scimops.widgets.controls import views
from scimops.widgets.controls.listing import empty
from scimops.widgets.controls.markup import Markup, tag
from scimops.widgets.controls.parts import tabs
from scimops.widgets.controls.screen import Screen

if TYPE_CHECKING:
    from scimops.preview import Group, Preview
    from scimops.preview.compare import Comparison
    from scimops.widgets.controls.worker import Worker


class Results:
    """Shows a preview on `screen`.

    Only the view that is looked at is made, so that a change shows at once however many people there are. All methods
    but :meth:`view` are called on the worker.
    """

    def __init__(
        self,
        worker: Worker,
        preview: Callable[[], Preview | None],
        merge: Callable[[list[str], str], None],
    ) -> None:
        self._worker = worker
        self._preview = preview
        self._merge = merge
        self._comparison: Comparison | None = None
        self._view = "groups"
        self._page = 0
        self._words = {"groups": "", "people": "", "explain": ""}
        self._reason = ""
        frame = [tag("div", data_region=name) for name in ("everybody", "tabs", "tools", "view")]
        self.screen = Screen(tag("div", frame, class_="scimops-results"), self._action)
        self.screen.add_class("scimops-right")

    def view(self, name: str) -> None:
        """Look at the view `name`, from its beginning."""
        self._worker.later(lambda: self._look_at(name))

    def show(self, everybody: Markup) -> None:
        """Show the present preview."""
        self._page = 0
        self._comparison = None
        self.screen.show(everybody=everybody)
        self._refresh(tools=True)

    def show_changes(self, comparison: Comparison | None) -> None:
        """Show who moves, once that is known."""
        self._comparison = comparison
        self._refresh(tools=False, view=self._view == "changes")

    def clear(self) -> None:
        """Show nothing."""
        self.screen.show(everybody=Markup(), tabs=Markup(), tools=Markup(), view=Markup())

    def _look_at(self, name: str) -> None:
        self._view, self._page = name, 0
        self._refresh(tools=True)

    def _action(self, name: str, values: dict[str, list[str]]) -> None:
        first = {key: several[0] for key, several in values.items() if several}
        acts: dict[str, Callable[[], None]] = {
            "view": lambda: self._look_at(first["value"]),
            "page": lambda: self._turn(int(first["value"])),
            "search": lambda: self._search(first.get("text", ""), first.get("reason", "")),
            "reason": lambda: self._show_reason(first["value"]),
            "why": lambda: self._explain(first["value"]),
            "explain": lambda: self._explain(first.get("person", "")),
        }
        if name == "merge":
            self._merge(values.get("group", []), first.get("into", ""))
        elif name in acts:
            self._worker.later(acts[name], f"results {name}" if name == "search" else "")

    def _turn(self, page: int) -> None:
        self._page = page
        self._refresh(tools=False)

    def _search(self, words: str, reason: str) -> None:
        self._words[self._view], self._page = words, 0
        if self._view == "people":
            self._reason = reason
        self._refresh(tools=False)

    def _show_reason(self, reason: str) -> None:
        self._reason, self._words["people"] = reason, ""
        self._look_at("people")

    def _explain(self, person: str) -> None:
        self._words["explain"] = person
        self._look_at("explain")

    def _refresh(self, tools: bool, view: bool = True) -> None:
        preview = self._preview()
        if preview is None:
            return
        counts = {"groups": len(preview.groups), "findings": len(preview.findings)}
        if self._comparison is not None:
            counts["changes"] = self._comparison.people.height
        shown = {"tabs": tabs(views.VIEWS, self._view, counts)}
        if tools:
            shown["tools"] = self._tools(preview)
        if view:
            shown["view"] = self._content(preview)
        self.screen.show(**shown)

    def _tools(self, preview: Preview) -> Markup:
        words = self._words.get(self._view, "")
        if self._view == "groups" and preview.groups:
            return views.search("Find a group", words)
        if self._view == "people":
            reasons = [(reason, REASONS[reason]) for reason in preview.reasons]
            return views.search("Find a person", words, reasons, self._reason)
        return views.ask(words) if self._view == "explain" else Markup()

    def _content(self, preview: Preview) -> Markup:
        if self._view == "groups":
            return views.groups(preview, self._groups_found(preview), self._page)
        if self._view == "reasons":
            return views.reasons(preview)
        if self._view == "findings":
            return views.findings(preview)
        if self._view == "people":
            found = views.people_found(preview, self._words["people"], self._reason)
            return views.people_table(preview, found, self._page)
        return self._steps(preview) if self._view == "explain" else views.changes(self._comparison)

    def _groups_found(self, preview: Preview) -> list[Group]:
        wanted = self._words["groups"].strip().lower()
        if not wanted:
            return preview.groups
        return [
            group for group in preview.groups if any(wanted in name.lower() for name in (group.name, *group.spellings))
        ]

    def _steps(self, preview: Preview) -> Markup:
        person = self._words["explain"].strip()
        try:
            return views.steps(explain(preview, person) if person else [])
        except ScimopsError as error:
            return empty(f"{error.message} {error.advice}")
