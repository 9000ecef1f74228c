"""Makes the buttons of a guide in a notebook copy: a script may not come with HTML there, but with a widget it may."""

from __future__ import annotations

from pathlib import Path

import anywidget


class CopyButtons(anywidget.AnyWidget):
    """Shows nothing itself; the guide's values are text that can be selected where no kernel runs."""

    _esm = Path(__file__).parent / "copy_buttons.js"
