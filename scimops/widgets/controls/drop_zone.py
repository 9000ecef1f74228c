"""Where a person drops a file or chooses one.

The bytes travel as messages, never as a trait: they are in neither the widget's state nor a saved notebook.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from scimops.widgets.controls.upload import CHUNK, LIMIT, Uploads

_HERE = Path(__file__).parent


class DropZone(anywidget.AnyWidget):
    """Takes files that are dropped on it or chosen with it, and hands over their paths.

    Several files are one choice (the pages of one export). They lie in a private temporary folder until
    :meth:`keep_only` or :meth:`discard`, at most until Python ends.
    """

    _esm = _HERE / "drop_zone.js"
    _css = _HERE / "drop_zone.css"

    label = traitlets.Unicode("Drop a file here, or choose one").tag(sync=True)
    hint = traitlets.Unicode("").tag(sync=True)
    accept = traitlets.Unicode("").tag(sync=True)
    limit = traitlets.Int(LIMIT).tag(sync=True)
    chunk = traitlets.Int(CHUNK).tag(sync=True)

    def __init__(self, on_files: Callable[[list[Path]], None], **traits: Any) -> None:
        """Make a drop zone.

        Args:
            on_files: called with the paths of the files once they are on disk.
            traits: `label`, `hint`, `accept` (as an HTML input has it), `limit` in bytes.
        """
        super().__init__(**traits)
        self._uploads = Uploads(on_files, self.limit)
        self.on_msg(self._answer)

    def keep_only(self, paths: list[Path]) -> None:
        """Remove every file that was dropped here but `paths`."""
        self._uploads.keep(paths)

    def discard(self) -> None:
        """Remove every file that was dropped here."""
        self._uploads.close()

    def say(self, words: str, wrong: bool = False) -> None:
        """Show `words` below the zone, in place of the name of the last file."""
        self.send({"kind": "say", "words": words, "wrong": wrong})

    def close(self) -> None:
        """Close the widget and remove its files."""
        self.discard()
        super().close()

    def _answer(self, _: object, content: dict[str, Any], buffers: list[Any]) -> None:
        """Take one message and say how it went; the browser waits for that before it sends the next."""
        problem = self._uploads.take(content, buffers)
        self.send(
            {"kind": "answer", "number": content.get("number"), "upload": content.get("upload"), "problem": problem}
        )
