"""A notebook run that is in the ledger: begun before anything runs, whole when it ended, broken where it was killed."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scimops.jobs import RESULT
from scimops.jobs.ledger import Written
from scimops.jobs.record import Notebook, RunRecord, begin, record_of, step_of
from scimops.jobs.run import Run, run_notebook
from scimops.jobs.running import kept
from scimops.touched import Touched, hashed


def run_audited(
    notebook: Path,
    parameters: Sequence[tuple[str, str]] = (),
    folder: Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
    *,
    ledger: Path | None = None,
    on_event: Callable[[dict[str, Any]], None] = lambda _: None,
    **options: Any,
) -> tuple[Run, Written]:
    """Run a notebook as :func:`scimops.jobs.run.run_notebook` does, which says what else there is; give its record too.

    Raises:
        UsageError: a wrong notebook, parameter name or value; nothing has run.
        LedgerError: nothing can be added to the ledger, and nothing has run; or it ended and cannot be written.
    """
    with contextlib.ExitStack() as stack:
        started: list[Any] = []

        def on_event_too(event: dict[str, Any]) -> None:
            if event["event"] == "run_started":
                begun = _begun(notebook, folder, event)
                started.extend((begun, stack.enter_context(kept(begun, ledger))))
            on_event(event)

        run = run_notebook(notebook, parameters, folder, tell, on_event=on_event_too, **options)
        begun, write = started
        inputs, outputs = _touched(Path(run.output))
        return run, write(record_of(run, begun, inputs=inputs, outputs=outputs))


def _begun(notebook: Path, folder: Path | None, started: Mapping[str, Any]) -> RunRecord:
    """What is known before the first cell; `started` is the event run_started, with all parameters."""
    known = Notebook(name=notebook.name, path=str(notebook.absolute()), sha256=str(hashed(notebook)["sha256"]))
    begun = begin(step_of(notebook), "", started["parameters"])
    where = str((folder or Path("out") / notebook.stem).absolute())
    changes = {"id": started["run"], "kind": "notebook", "command": None, "notebook": known, "folder": where}
    return begun.model_copy(update={**changes, "continues": started["continues"] or None})


def _touched(output: Path) -> tuple[list[Touched], list[Touched]]:
    """What the kernel read and wrote, as the last result in the output notebook has it."""
    try:
        cells = json.loads(output.read_bytes())["cells"]
        told = [
            out["data"][RESULT] for cell in cells for out in cell.get("outputs", []) if RESULT in out.get("data", {})
        ]
        return list(told[-1]["inputs"]), list(told[-1]["outputs"])
    except (OSError, ValueError, KeyError, IndexError, TypeError):  # it failed before it said so
        return [], []
