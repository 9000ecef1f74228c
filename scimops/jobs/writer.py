"""The one way by which a job's files reach the disk: redacted before, and whole or not at all.

The output notebook is written again and again while it runs, so a job that is killed leaves what was written last.
Nothing may be taken out afterwards; so it is taken out here. Papermill is given no path, so that it writes nothing.
"""

from __future__ import annotations

import os
from itertools import groupby
from pathlib import Path
from typing import Any

from scimops.credentials import redact
from scimops.jobs.kernel_seam import redacted


def write_notebook(notebook: Any, path: Path) -> None:
    """Write `notebook` to `path` without a secret in it; `notebook` itself stays as it is.

    Raises:
        OSError: it cannot be written; what was there before stays.
    """
    import nbformat

    # not nbformat.writes, which says on standard error what it finds invalid, with all that stands there
    write_text(nbformat.v4.writes(redacted_notebook(notebook)), path)  # type: ignore[no-untyped-call]  # nbformat ships no types


def redacted_notebook(notebook: Any) -> Any:
    """A copy of `notebook` without a known secret: source, outputs, widgets' state, metadata."""
    import nbformat

    copy = nbformat.from_dict({**notebook, "cells": []})  # type: ignore[no-untyped-call]  # nbformat ships no types
    for cell in notebook["cells"]:
        copy["cells"].append({**cell, "outputs": joined(cell["outputs"])} if "outputs" in cell else cell)
    for widgets in copy["metadata"].get("widgets", {}).values():
        for model in widgets.get("state", {}).values():
            if isinstance(model.get("state", {}).get("outputs"), list):
                model["state"]["outputs"] = joined(model["state"]["outputs"])
    return nbformat.from_dict(redacted(copy))  # type: ignore[no-untyped-call]  # nbformat ships no types


def joined(outputs: list[Any]) -> list[Any]:
    """`outputs` with streams joined so far that no secret is in pieces: adjacent ones always, others where one is."""
    result: list[Any] = []
    for (kind, name), group in groupby(outputs, key=lambda output: (output["output_type"], output.get("name"))):
        members = list(group)
        result += [_stream(name, members)] if kind == "stream" else members
    for names in ({"stdout"}, {"stderr"}, {"stdout", "stderr"}):
        pieces = [output for output in result if output.get("name") in names]
        whole = "".join(piece["text"] for piece in pieces)
        if len(pieces) > 1 and redacted(whole) != "".join(redacted(piece["text"]) for piece in pieces):
            place = result.index(pieces[0])
            result = [output for output in result if output.get("name") not in names]
            result.insert(place, _stream(pieces[0]["name"], pieces))
    return result


def _stream(name: str | None, pieces: list[Any]) -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": "".join(piece["text"] for piece in pieces)}


def write_text(text: str, path: Path) -> None:
    """Write `text` to `path` without a secret in it, for its owner alone; whole or not at all.

    Raises:
        OSError: it cannot be written; what was there before stays.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        # half a character, as a notebook may print it, is written as JSON writes it
        with open(part, "w", encoding="utf-8", errors="backslashreplace", newline="\n", opener=_private) as file:
            file.write(redact(text))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)
