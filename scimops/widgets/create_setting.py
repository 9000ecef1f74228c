"""The panels of the step create_setting: name, field mappings, group settings, create and copy the token.

A panel has no logic of its own. What it does is in :class:`~scimops.widgets.controls.walk.Walk`, which calls the same
functions as `scimops setting`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from scimops.errors import UsageError
from scimops.widgets import interactive
from scimops.widgets.controls.markup import Markup, tag
from scimops.widgets.controls.walk import Walk

if TYPE_CHECKING:
    from scimops.present.guide import Guide

__all__ = ["CreateSettingPanels", "create_setting"]


def create_setting(
    setting: str | Path, export: str | Path = "", connection: str = ""
) -> CreateSettingPanels:  # fmt: skip
    """The four panels in which a person creates a setting; each is shown as the last value of a cell.

    In a job (papermill) nobody looks: then each says in a line what it works on, and nothing is created.

    Args:
        setting: the setting's document; it is made where it is not there, and saved at every step.
        export: the identity provider's export, to see who will land where; another one can be dropped on the panel.
        connection: name of the connection; empty: a person chooses one.

    Raises:
        ScimopsError: in a job, the document or the export cannot be read.
    """
    return CreateSettingPanels(Path(setting), str(export), connection)


class CreateSettingPanels:
    """What :func:`create_setting` gives: `name`, `fields`, `groups`, `token`, to be shown one a cell."""

    def __init__(self, document: Path, export: str, connection: str) -> None:
        self._parts: Any = None
        self.walk = Walk(_own_copy(document) if interactive() else document, export, connection)
        if not interactive():
            self.walk.look_at_people()
        else:
            from scimops.connections import load_connections
            from scimops.widgets.controls.walk_parts import WalkParts

            self._parts = WalkParts(self.walk, sorted(load_connections().names))

    @property
    def name(self) -> Shown:
        """Name of the setting, the platform, the export."""
        return self._shown("name", f"Setting “{self.walk.setting.name}”, {self.walk.document}.")

    @property
    def fields(self) -> Shown:
        """Which attributes go to which custom fields."""
        mapped = ", ".join(f"{one.attribute} → {one.field}" for one in self.walk.setting.field_mappings)
        return self._shown("fields", f"Field mappings: {mapped or 'none beyond the built-in ones'}.")

    @property
    def groups(self) -> Shown:
        """What decides the group."""
        setting = self.walk.setting
        criterion = "the identity provider's groups" if setting.by_idp_groups else setting.grouping_field or "nothing"
        target = setting.group_settings.target_group or "none"
        return self._shown("groups", f"Groups by {criterion}, target group: {target}.")

    @property
    def token(self) -> Shown:
        """Create the setting and copy its token."""
        return self._shown("token", "A job creates nothing. Below it compares the document with the platform.")

    def guide(self, idp: str) -> ShownGuide:
        """The identity provider's steps with this setting's values; by hand with buttons that copy.

        Raises:
            UsageError: there is no guide of this name.
        """
        from scimops.present.guide import make_guide
        from scimops.setting import load_setting

        setting, created = load_setting(self.setting_path), self.walk.created
        return ShownGuide(make_guide(idp, setting, created.url if created else None, self.walk.preview))

    @property
    def setting_path(self) -> str:
        """The setting's document on disk.

        Raises:
            UsageError: nothing was saved yet.
        """
        self.wait()
        if not self.walk.document.exists():
            raise UsageError("The setting was not saved yet.", advice="Give it a name above, then run this cell again.")
        return str(self.walk.document)

    def wait(self, seconds: float = 60.0) -> bool:
        """Wait until all changes are done; False where that takes longer."""
        return bool(self._parts.worker.wait(seconds)) if self._parts else True

    def _shown(self, part: str, words: str) -> Shown:
        return Shown(getattr(self._parts, part) if self._parts else None, words)


def _own_copy(document: Path) -> Path:
    """The document to work on: of the samples a copy, so that they stay as they are."""
    if document.parent.name != "sample_data":
        return document
    copy = Path("my_setting.yaml")
    if not copy.exists() and document.exists():
        copy.write_bytes(document.read_bytes())
    return copy


class ShownGuide:
    """A guide in a cell."""

    def __init__(self, guide: Guide) -> None:
        self.guide = guide

    def _ipython_display_(self) -> None:
        from IPython.display import display

        from scimops.present.guide_page import show_guide

        display(show_guide(self.guide))  # type: ignore[no-untyped-call]  # IPython ships no types for it
        if interactive():
            from scimops.widgets.controls.copy_buttons import CopyButtons

            display(CopyButtons())  # type: ignore[no-untyped-call]


class Shown:
    """A panel in a cell; in a job a line of words."""

    def __init__(self, widget: Any, words: str) -> None:
        self.widget, self.words = widget, words

    def _ipython_display_(self) -> None:
        from IPython.display import display

        if self.widget is not None:
            display(self.widget)  # type: ignore[no-untyped-call]  # IPython ships no types for it
        else:
            html: Markup = tag("p", self.words)
            display({"text/plain": self.words, "text/html": html}, raw=True)  # type: ignore[no-untyped-call]
