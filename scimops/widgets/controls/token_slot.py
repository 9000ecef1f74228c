"""Where a token waits to be copied: it goes to the clipboard by a click, and is kept nowhere.

The token is in this Python process only. It travels as one message when a person clicks, never as a trait, so it is in
no widget state, no output and no saved notebook; it is typed into no cell, so it is in no history.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import anywidget
import traitlets

from scimops.tokens import Secret

_HERE = Path(__file__).parent

KEPT_SECONDS = 600.0
"""How long after it was copied a token can be copied again: a second paste is often needed, a third day never."""

State = Literal["empty", "waiting", "copied", "forgotten"]


class TokenSlot(anywidget.AnyWidget):
    """Hands a token to the clipboard of the person who clicks, and warns who leaves without.

    `on_copied` is told each time the browser says that it is on the clipboard.
    """

    _esm = _HERE / "token_slot.js"
    _css = _HERE / "token_slot.css"

    state = traitlets.Unicode("empty").tag(sync=True)

    def __init__(self, on_copied: Callable[[], None]) -> None:
        super().__init__()
        self._secret: Secret | None = None
        self._on_copied = on_copied
        self._timer: threading.Timer | None = None
        self.on_msg(self._heard)

    def hold(self, secret: Secret) -> None:
        """Have `secret` wait to be copied."""
        self._stop_timer()
        self._secret, self.state = secret, "waiting"

    def forget(self) -> None:
        """Let go of the token."""
        self._stop_timer()
        self._secret = None
        if self.state != "empty":
            self.state = "forgotten"

    def close(self) -> None:
        """Close the widget and let go of the token."""
        self.forget()
        super().close()

    def _heard(self, _: object, content: dict[str, Any], __: list[Any]) -> None:
        kind = content.get("kind")
        if kind == "copy" and self._secret is not None:
            self.send({"kind": "token", "text": self._secret.reveal()})
        elif kind == "copied" and self._secret is not None:
            self.state = "copied"
            self._stop_timer()
            self._timer = threading.Timer(KEPT_SECONDS, self.forget)
            self._timer.daemon = True
            self._timer.start()
            self._on_copied()
        elif kind == "forget":
            self.forget()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
