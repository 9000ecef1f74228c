"""The four panels of create_setting: widgets, and what happens when a person uses them. What it means is in `walk`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets

from scimops.errors import ScimopsError
from scimops.grouping import spelling
from scimops.tokens import Secret
from scimops.widgets.controls import walk_views as views
from scimops.widgets.controls.choices import read_aliases, written_aliases
from scimops.widgets.controls.drop_zone import DropZone
from scimops.widgets.controls.facts import IDP_GROUPS, NO_CRITERION
from scimops.widgets.controls.markup import Markup, tag
from scimops.widgets.controls.numbers import problem, told
from scimops.widgets.controls.parts import button, frame, hint, row
from scimops.widgets.controls.screen import Screen
from scimops.widgets.controls.token_slot import TokenSlot
from scimops.widgets.controls.walk import Walk
from scimops.widgets.controls.worker import Worker

_ACCEPT = ".csv,.tsv,.txt,.json,.ndjson,.jsonl,.xlsx,.gz"
_LOG = logging.getLogger("scimops.widgets")


class WalkParts:
    """The panels `name`, `fields`, `groups`, `token`, each a box. All changes happen on `worker`, one by one."""

    def __init__(self, walk: Walk, connections: list[str]) -> None:
        self.walk = walk
        self.worker = Worker(self._fault)
        self._quiet = False
        self._secret: Secret | None = None
        self.screens = {part: Screen(frame("problem", "status", "main"), self._action)
                        for part in ("name", "fields", "groups", "token")}  # fmt: skip
        self.name = _panel(self._name_part(connections), self.screens["name"])
        self.fields = _panel(self.screens["fields"])
        self.groups = _panel(self._groups_part(), self.screens["groups"])
        self.token = _panel(self._token_part(), self.screens["token"], self.slot, self.after)
        if walk.connection:
            self._later("name", self._connect)
        self._later("groups", self._show)

    # -- The widgets -----------------------------------------------------------------------------

    def _name_part(self, connections: list[str]) -> Any:
        self.setting_name = _wide(ipywidgets.Text, description="Name of the setting", value=self.walk.setting.name)
        self.setting_name.observe(lambda _: self._later("name", self._rename, 0.4), "value")
        known = [("choose …", ""), *((one, one) for one in connections)]
        chosen = self.walk.connection if self.walk.connection in connections else ""
        self.connection = _wide(ipywidgets.Dropdown, description="Platform", options=known, value=chosen)
        self.connection.observe(lambda _: self._later("name", self._connect), "value")
        self.drop_zone = DropZone(
            self._dropped, label="Drop the identity provider's export here, or choose it", accept=_ACCEPT,
            hint="To see who will land where. It stays on this computer.",
        )  # fmt: skip
        none = "There is no connection yet: scimops connection add makes one." if not connections else ""
        saved = f"Everything you choose is saved in {self.walk.document} at once."
        return ipywidgets.VBox([self.setting_name, self.connection, hint(none or saved), self.drop_zone])

    def _groups_part(self) -> Any:
        groups = self.walk.setting.group_settings
        self.criterion = _wide(ipywidgets.Dropdown, description="Group people by")
        self._offer_criteria()
        self.target = _wide(ipywidgets.Text, description="Target group", value=groups.target_group or "")
        self.aliases = _wide(
            ipywidgets.Textarea, description="Aliases", value=written_aliases(groups.aliases), rows=3,
            placeholder="R&D = Engineering",
        )  # fmt: skip
        self.criterion.observe(lambda _: self._later("groups", self._regroup), "value")
        for control in (self.target, self.aliases):
            control.observe(lambda _: self._later("groups", self._regroup, 0.4), "value")
        words = (
            "The target group takes everyone who has no value for the criterion. Empty: they arrive without a group."
        )
        return ipywidgets.VBox([self.criterion, self.target, hint(words), self.aliases])

    def _token_part(self) -> Any:
        self.slot = TokenSlot(self._was_copied)
        self.look_button = button("1. Look at the platform", lambda: self._later("token", self._look))
        self.create_button = button("2. Create the setting", lambda: self._later("token", self._create))
        self.create_button.disabled = True
        self.create_button.button_style = "primary"
        self.reference = _wide(ipywidgets.Text, description="or store it at", value="keyring:scimops-token")
        self.store_button = button("Store it", lambda: self._later("token", self._store))
        self.after = row("scimops-path", self.reference, self.store_button)
        self.after.layout.display = "none"
        return row("scimops-path", self.look_button, self.create_button)

    def _offer_criteria(self) -> None:
        setting = self.walk.setting
        fields = ["department", *(one.field for one in setting.field_mappings)]
        options = [("Nothing: everyone is treated alike", NO_CRITERION), *((one, one) for one in fields)]
        options.append(("The identity provider's own groups", IDP_GROUPS))
        now = IDP_GROUPS if setting.by_idp_groups else setting.grouping_field or NO_CRITERION
        if now not in [value for _, value in options]:
            options.append((f"{now} (a column of the export)", now))
        self._quiet = True
        self.criterion.options, self.criterion.value = options, now
        self._quiet = False

    # -- What a person does -----------------------------------------------------------------------

    def _later(self, part: str, work: Callable[[], None], wait: float = 0.0, *, each: bool = False) -> None:
        """Have `work` done; of several that wait only the last, unless `each` of them counts."""
        if not self._quiet:
            key = "" if each else f"{part} {work.__name__}"
            self.worker.later(lambda: self._told(part, work), key, wait)

    def _dropped(self, paths: list[Path]) -> None:
        def read() -> None:
            self.walk.read(paths)
            self.drop_zone.keep_only(paths)
            self._show()

        self._later("name", read)

    def _action(self, name: str, values: dict[str, list[str]]) -> None:
        if name == "map":
            self._later("fields", lambda: self._map(values["attribute"][0], values["field"][0]), each=True)
        elif name == "unmap":
            self._later("fields", lambda: self._map(values["value"][0], ""), each=True)
        elif name == "renew":
            self._later("token", self._renew)

    # -- What then happens, on the worker ---------------------------------------------------------

    def _rename(self) -> None:
        self.walk.change(name=self.setting_name.value.strip())
        self._saved("name")
        self._changed()

    def _connect(self) -> None:
        if self.connection.value or self.walk.connection:
            self._say("name", "Asking the platform …")
            self.walk.connect(self.connection.value or self.walk.connection)
        self._show()
        if self.walk.connection:
            done = tag("p", tag("span", "✓ ", class_="scimops-ok"), f"Connected: {self.walk.connection}.")
            self.screens["name"].show(main=done, status=Markup())

    def _map(self, attribute: str, field: str) -> None:
        self.walk.map(attribute, field)
        self._saved("fields")
        self._show()

    def _regroup(self) -> None:
        chosen, aliases = self.criterion.value, read_aliases(self.aliases.value)
        criterion: dict[str, Any] | None = {"field": chosen}
        if chosen == IDP_GROUPS:
            criterion = {"idp_groups": True}
        elif chosen == NO_CRITERION:
            criterion = None
        kept = self.walk.setting.group_settings.model_dump(mode="json", exclude_defaults=True)
        groups = kept | {
            "target_group": spelling(self.target.value) or None,
            "criterion": criterion,
            "aliases": aliases,
        }
        self.walk.change(group_settings=groups)
        self._saved("groups")
        self._show()

    def _look(self) -> None:
        self._say("token", "Looking at the platform; nothing is changed …")
        found = self.walk.look()
        self.screens["token"].show(main=views.look_view(found))
        self.create_button.disabled = found.refused
        words = "Something forbids it; see above." if found.refused else "Nothing was made yet."
        self._say("token", words)

    def _create(self) -> None:
        token = self.walk.create(lambda words: self._say("token", words))
        self.create_button.disabled = True
        self._hold(token)

    def _renew(self) -> None:
        self._say("token", "Renewing the token …")
        self._hold(self.walk.renew())

    def _store(self) -> None:
        if self._secret is not None:
            self.walk.store(self.reference.value.strip(), self._secret)
            self._let_go()
            self.slot.forget()
            self._say("token", f"The token is at {self.reference.value.strip()}, and nowhere else.")

    def _was_copied(self) -> None:
        self.walk.copied()

    def _hold(self, token: Secret | None) -> None:
        if token is not None:
            self._secret = token
            self.slot.hold(token)
            self.after.layout.display = None
        self._show_created()
        self._say("token", "")

    def _let_go(self) -> None:
        self._secret = None
        self.after.layout.display = "none"

    # -- What is shown ----------------------------------------------------------------------------

    def _show(self) -> None:
        self.screens["fields"].show(main=views.offers_view(self.walk.offers()))
        self._offer_criteria()
        preview = self.walk.look_at_people()
        self.screens["groups"].show(main=views.small_preview(preview))
        self._changed()

    def _changed(self) -> None:
        """What was looked at is no longer what would be created."""
        self.create_button.disabled = True
        self._show_created()

    def _show_created(self) -> None:
        created = self.walk.created
        shown = [views.created_view(created), views.lost_view(created, held=self._secret is not None)]
        self.screens["token"].show(main=tag("div", shown))

    def _saved(self, part: str) -> None:
        self._say(part, f"Saved in {self.walk.document}.")

    def _say(self, part: str, words: str) -> None:
        turning = tag("span", class_="scimops-busy", aria_hidden="true") if words.endswith("…") else None
        self.screens[part].show(status=tag("p", turning, words))

    def _told(self, part: str, work: Callable[[], None]) -> None:
        """Do `work`, and show what goes wrong, with what to do, in place of a traceback."""
        screen = self.screens[part]
        try:
            work()
            screen.show(problem=Markup())
        except (ScimopsError, OSError) as error:
            screen.show(problem=problem(*told(error)), status=Markup())

    def _fault(self, fault: Exception) -> None:
        """A fault of scimops itself; what it says may hold a person's data, so only its kind is told."""
        _LOG.error("a panel's task failed: %s", type(fault).__name__)
        words = f"scimops made a mistake ({type(fault).__name__})."
        for screen in self.screens.values():
            screen.show(problem=problem(words, "Please report it. The panel can be used on."))


def _wide(kind: Any, **traits: Any) -> Any:
    return kind(
        layout=ipywidgets.Layout(width="auto", max_width="640px"), style={"description_width": "150px"}, **traits
    )


def _panel(*children: Any) -> Any:
    box = ipywidgets.VBox(list(children))
    box.add_class("scimops-panel")
    return box
