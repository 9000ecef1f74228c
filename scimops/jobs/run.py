"""Run a notebook unattended by papermill: check, execute, keep the output notebook and a page of it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scimops import errors
from scimops.errors import ScimopsError
from scimops.jobs import RESULT
from scimops.jobs.parameters import checked, declared


@dataclass(frozen=True)
class Run:
    """One execution of a notebook: outcome, exit code, the step's counts, and where its output lies.

    `seconds` is wall time; `message` says what went wrong, empty where nothing did.
    """

    notebook: str
    outcome: str
    exit_code: int
    counts: dict[str, int]
    message: str
    output: str
    page: str
    folder: str
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """What `scimops run --json` prints."""
        return {"format": 1, **asdict(self)}


def run_notebook(
    notebook: Path,
    parameters: Sequence[tuple[str, str]] = (),
    folder: Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Run:
    """Execute `notebook` with `parameters`; write `NAME.ipynb` and `NAME.html` into `folder`.

    Args:
        notebook: the notebook; its cells run in its own folder.
        parameters: names and values as text, checked against the declared types before anything runs.
        folder: where the output goes; `out/NAME` where not given. A parameter `out` of the notebook that is not given
            gets it too.
        tell: called with a line for people when something begins.

    Raises:
        UsageError: a wrong notebook, parameter name or value; nothing has run.
    """
    values = checked(notebook, parameters)
    folder = (folder or Path("out") / notebook.stem).absolute()
    if "out" in declared(notebook) and not values.get("out"):
        values["out"] = str(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    output, page = folder / notebook.name, folder / f"{notebook.stem}.html"
    tell(f"Running {notebook.name} …")
    started = time.perf_counter()
    failure = _execute(notebook, output, values)
    executed = _read(output)
    counts, exit_code = _result(executed)
    message = ""
    if failure is not None:
        exit_code, message = failure
    page.write_text(_page(executed), encoding="utf-8")
    return Run(
        notebook.name, "failed" if failure else "done", exit_code, counts, message, str(output), str(page), str(folder),
        round(time.perf_counter() - started, 2),
    )  # fmt: skip


def _execute(notebook: Path, output: Path, values: dict[str, Any]) -> tuple[int, str] | None:
    """Execute; None where all went well, else the exit code and what was wrong."""
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    before = os.environ.get("SCIMOPS_PANEL")
    os.environ["SCIMOPS_PANEL"] = "0"
    try:
        papermill.execute_notebook(
            str(notebook),
            str(output),
            parameters=values,
            cwd=str(notebook.parent.absolute()),
            progress_bar=False,
            config=_kernel(),
        )
    except PapermillExecutionError as error:
        kind = getattr(errors, error.ename, None)
        ours = isinstance(kind, type) and issubclass(kind, ScimopsError)
        return (kind.exit_code, error.evalue) if ours and kind else (1, f"{error.ename}: {error.evalue}")
    except DeadKernelError:
        return 138, "The kernel died."
    finally:
        if before is None:
            del os.environ["SCIMOPS_PANEL"]
        else:
            os.environ["SCIMOPS_PANEL"] = before
    return None


def _kernel() -> Any:
    """How the kernel is spoken to: by sockets in the file system where there are such, so that nobody listens in."""
    from traitlets.config import Config

    config = Config()
    if sys.platform != "win32":
        config.KernelManager.transport = "ipc"
    return config


def _read(path: Path) -> Any:
    import nbformat

    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # nbformat ships no types


def _result(notebook: Any) -> tuple[dict[str, int], int]:
    """The last result that the notebook's cells gave."""
    for cell in reversed(notebook.cells):
        for output in reversed(cell.get("outputs", [])):
            data = output.get("data", {}).get(RESULT)
            if data:
                return dict(data["counts"]), int(data["exit_code"])
    return {}, 0


def _page(notebook: Any) -> str:
    """The notebook as one HTML page that asks no network for anything."""
    from nbconvert import HTMLExporter

    templates = Path(__file__).parent / "templates"
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]  # nbconvert ships no types
        template_name="scimops", extra_template_basedirs=[str(templates)], embed_images=True
    )
    body, _ = exporter.from_notebook_node(notebook)
    return str(body)
