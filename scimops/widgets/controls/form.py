"""The controls with which a person changes a setting, as :class:`Choices`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets

from scimops.widgets.controls.choices import Choices, same_types
from scimops.widgets.controls.parts import heading, hint

if TYPE_CHECKING:
    from scimops.widgets.controls.facts import Facts

TYPING = 0.25
"""Seconds without a key until what a person types is computed."""

_MOST_TYPES = 12
_DUPLICATES = [
    ("reject all of them", "reject_all"),
    ("keep the first in the file", "keep_first"),
    ("keep the active one", "keep_active"),
]
_INACTIVE = [("keep them without a group", "no_group"), ("leave them in their group", "keep_group")]


class ChoicesForm:
    """The controls, in `box`; `on_change` is told how many seconds to wait for more.

    Each control is an attribute and an ordinary ipywidget, so that a notebook can set its `value` too.
    """

    def __init__(self, on_change: Callable[[float], None]) -> None:
        self._on_change = on_change
        self._quiet = False
        self.criterion = _wide(ipywidgets.Dropdown, description="Group people by")
        self.target_group = _wide(ipywidgets.Text, description="Target group", placeholder="none")
        self.aliases = _wide(ipywidgets.Textarea, description="Aliases", placeholder="R&D = Engineering", rows=4)
        self.types: dict[str, Any] = {}
        self.types_box = ipywidgets.VBox()
        self.active_only = _tick("Active people only")
        self.allowed_domains = _wide(ipywidgets.Text, description="Authorised e-mail domains", placeholder="all")
        self.seats = _wide(ipywidgets.Text, description="Seats of the licence", placeholder="no limit")
        self.duplicates = _wide(ipywidgets.Dropdown, description="Accounts that are duplicates", options=_DUPLICATES)
        self.inactive = _wide(ipywidgets.Dropdown, description="People who are not active", options=_INACTIVE)
        self._domains = hint("")
        for control in (self.criterion, self.active_only, self.duplicates, self.inactive):
            control.observe(lambda _: self._changed(0.0), "value")
        for control in (self.target_group, self.aliases, self.allowed_domains, self.seats):
            control.observe(lambda _: self._changed(TYPING), "value")
        self.box = ipywidgets.VBox(self._laid_out())
        self.box.add_class("scimops-form")

    def _laid_out(self) -> list[Any]:
        who = ipywidgets.VBox([heading("Who comes along"), self.types_box, self.active_only])
        who.add_class("scimops-who")
        return [
            self.criterion,
            self.target_group,
            hint("For everyone who has no value for the criterion. Empty: they arrive without a group."),
            self.aliases,
            hint("One line each: value = group. Or tick groups in the list and merge them."),
            who,
            self.allowed_domains,
            self._domains,
            self.seats,
            self.duplicates,
            self.inactive,
        ]

    @property
    def value(self) -> Choices:
        """What stands in the controls."""
        return Choices(
            self.criterion.value,
            self.target_group.value,
            self.aliases.value,
            tuple(name for name, control in self.types.items() if control.value),
            self.active_only.value,
            self.allowed_domains.value,
            self.seats.value,
            self.duplicates.value,
            self.inactive.value,
        )

    def offer(self, facts: Facts, choices: Choices) -> None:
        """Offer what an export has, and show `choices`."""
        with self._silent():
            known = {name for _, name in facts.criteria}
            options = list(facts.criteria)
            if choices.criterion not in known:
                options.append((f"{choices.criterion.partition(':')[2]} (not in this file)", choices.criterion))
            self.criterion.options = options
            named = [(f"{name} ({count:,})", name) for name, count in facts.user_types[:_MOST_TYPES]]
            offered = [name for _, name in named]
            found = {one.casefold() for one in same_types(choices.user_types, offered)}
            named += [(f"{name} (nobody here)", name) for name in choices.user_types if name.casefold() not in found]
            self.types = {name: _tick(label) for label, name in named}
            for control in self.types.values():
                control.observe(lambda _: self._changed(0.0), "value")
            words = "No kind ticked: everyone." if named else "The file does not say what kind of account each is."
            self.types_box.children = [*self.types.values(), hint(words)]
            some = ", ".join(f"{name} ({count:,})" for name, count in facts.domains[:4])
            more = len(facts.domains) - 4
            self._domains.value = escape(
                f"In this file: {some}{f' and {more} more' if more > 0 else ''}." if some else ""
            )
        self.show(choices)

    def show(self, choices: Choices) -> None:
        """Put `choices` into the controls without telling anybody."""
        with self._silent():
            for name in (
                "criterion",
                "target_group",
                "aliases",
                "active_only",
                "allowed_domains",
                "seats",
                "duplicates",
            ):
                getattr(self, name).value = getattr(choices, name)
            if choices.inactive not in [value for _, value in self.inactive.options]:
                self.inactive.options = [*self.inactive.options, ("reject them", choices.inactive)]
            self.inactive.value = choices.inactive
            ticked = same_types(choices.user_types, self.types)
            for name, control in self.types.items():
                control.value = name in ticked

    def _changed(self, wait: float) -> None:
        if not self._quiet:
            self._on_change(wait)

    @contextmanager
    def _silent(self) -> Iterator[None]:
        before, self._quiet = self._quiet, True
        try:
            yield
        finally:
            self._quiet = before


def _wide(kind: Any, **traits: Any) -> Any:
    return kind(layout=ipywidgets.Layout(width="auto"), style={"description_width": "auto"}, **traits)


def _tick(label: str) -> Any:
    return ipywidgets.Checkbox(description=label, indent=False, layout=ipywidgets.Layout(width="auto"))
