"""Small widgets that the pieces of a panel are put together from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets

from scimops.widgets.controls.markup import Markup, tag


def frame(*regions: str) -> Markup:
    """Regions one below the other; the one for the status is read out when it changes."""
    polite = ("status", "saved", "written")
    parts = [
        tag("div", data_region=name, class_=f"scimops-{name}-region", role="status" if name in polite else None)
        for name in regions
    ]
    return tag("div", parts)


def tabs(views: Mapping[str, str], chosen: str, counts: Mapping[str, int] | None = None) -> Markup:
    """The buttons for the views, with counts where there are any; the one shown is pressed."""
    counts = counts or {}
    buttons = [
        tag("button", label, tag("span", f"{counts[name]:,}", class_="scimops-count") if name in counts else None,
            type="button", data_action="view", value=name, data_focus=name,
            aria_pressed="true" if name == chosen else "false")
        for name, label in views.items()
    ]  # fmt: skip
    return tag("div", buttons, class_="scimops-tabs", role="group", aria_label="What to show")


def saved(path: Path) -> Markup:
    """Where the setting was saved, and how the next cells come to read it."""
    again = [
        "To begin with it next time, name it in the parameters cell: ",
        tag("code", f"setting = {str(path)!r}"),
        ".",
    ]
    words = ["Saved as ", tag("code", path), ". Run the cells below again: they read it from there. ", again]
    return tag("p", tag("span", "✓ ", class_="scimops-ok"), words)


def written(folder: Path, paths: list[Path], packed: Path) -> Markup:
    """Which files were written where, and a link to save them all."""
    names = ", ".join(path.name for path in paths)
    link = tag(
        "button",
        f"Download {packed.name}",
        type="button",
        class_="scimops-link",
        data_action="download",
        value="zip",
    )
    return tag("p", tag("span", "✓ ", class_="scimops-ok"), "Written to ", tag("code", folder), f": {names}. ", link)


def button(label: str, act: Callable[[], None]) -> Any:
    """A button that does `act`."""
    made = ipywidgets.Button(description=label, layout=ipywidgets.Layout(width="auto"))
    made.on_click(lambda _: act())
    return made


def row(name: str, *children: Any) -> Any:
    """Widgets beside each other, with a class to style them by."""
    made = ipywidgets.HBox(children)
    made.add_class(name)
    return made


def heading(text: str) -> Any:
    """A heading over some controls."""
    made = ipywidgets.HTML(escape(text))
    made.add_class("scimops-heading")
    return made


def hint(text: str) -> Any:
    """What helps to fill in the control above."""
    words = ipywidgets.HTML(escape(text))
    words.add_class("scimops-hint")
    return words
