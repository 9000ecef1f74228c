"""A screen: shows markup and tells what a person does with it, without keeping any of it in the notebook.

What is on it travels as messages, never as a trait, so people's names and addresses are in neither the widget's state
nor a saved notebook. A browser that opens the notebook later asks for it with `ready`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget

from scimops.widgets.controls.markup import Markup
from scimops.widgets.controls.upload import CHUNK

_HERE = Path(__file__).parent

Action = Callable[[str, dict[str, list[str]]], None]


class Screen(anywidget.AnyWidget):
    """Shows a frame with named regions, each of which can be changed alone.

    A region is an element with `data-region`. A button with `data-action` and a form with `data-action` tell
    `on_action` that name and their values; a form with `data-live` does so while a person types.
    """

    _esm = _HERE / "screen.js"
    _css = _HERE / "screen.css"

    def __init__(self, frame: Markup, on_action: Action) -> None:
        super().__init__()
        self._frame = frame
        self._regions: dict[str, Markup] = {}
        self._file: Path | None = None
        self._on_action = on_action
        # Regions change on the panel's thread, a browser asks for them on another one.
        self._lock = threading.Lock()
        self.on_msg(self._heard)

    @property
    def regions(self) -> dict[str, Markup]:
        """What is on the screen, by region."""
        with self._lock:
            return dict(self._regions)

    def show(self, **regions: Markup) -> None:
        """Show `regions`; what does not change is not sent."""
        with self._lock:
            changed = {name: markup for name, markup in regions.items() if self._regions.get(name) != markup}
            self._regions |= changed
            if changed:
                self.send({"kind": "regions", "regions": changed})

    def offer(self, path: Path) -> None:
        """Have the browser save the file `path` under its own name."""
        self._file = path
        self.send({"kind": "file", "name": path.name, "size": path.stat().st_size})

    def _heard(self, _: object, content: dict[str, Any], __: list[Any]) -> None:
        kind = content.get("kind")
        if kind == "ready":
            with self._lock:
                self.send({"kind": "all", "frame": self._frame, "regions": self._regions})
        elif kind == "piece" and self._file is not None:
            offset = int(content["offset"])
            with self._file.open("rb") as stream:
                stream.seek(offset)
                self.send({"kind": "piece", "offset": offset}, buffers=[stream.read(CHUNK)])
        elif kind == "action":
            values = {str(key): [str(one) for one in several] for key, several in content.get("values", {}).items()}
            self._on_action(str(content.get("action")), values)
