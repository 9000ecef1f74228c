"""What the panels of several steps have in common, seen from a notebook's cells."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from scimops.widgets import interactive
from scimops.widgets.controls.markup import Markup, tag

_WHOLE: Final = (
    ".scimops-cell p { margin: 0 0 6px; } .scimops-cell .scimops-wide { max-height: none; margin-bottom: 8px; }"
)
"""A cell's table is read and printed whole; a panel's scrolls."""


class ShownMarkup:
    """Markup in a cell, with the style of the panels; it still shows when the notebook is opened elsewhere."""

    def __init__(self, markup: Markup) -> None:
        self.markup = markup

    def _repr_html_(self) -> str:
        style = (Path(__file__).parent / "screen.css").read_text(encoding="utf-8") + _WHOLE
        return f"<style>{style}</style>{tag('div', self.markup, class_='scimops-screen scimops-cell')}"


class StepPanel(ABC):
    """A panel where a person looks; in a job the same is made at once, and a summary is shown in its place."""

    def __init__(self, board: Callable[[], Any], make: Callable[[], object]) -> None:
        self._shown: Any = None
        if interactive():
            self._shown = board()
        else:
            make()

    @property
    def widget(self) -> Any:
        """The panel as one ipywidget; None in a job."""
        return self._shown.box if self._shown else None

    def wait(self, seconds: float = 60.0) -> bool:
        """Wait until the panel has done all it was asked; False where that takes longer."""
        return bool(self._shown.worker.wait(seconds)) if self._shown else True

    @abstractmethod
    def _summary(self) -> Any:
        """What stands in the notebook of a job in place of the panel."""

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self._shown.box if self._shown is not None else self._summary())  # type: ignore[no-untyped-call]
