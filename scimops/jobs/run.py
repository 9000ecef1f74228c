"""Run a notebook unattended: check, execute by papermill with an engine of our own, keep a report of what happened."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from scimops.errors import UsageError
from scimops.jobs import RESULT
from scimops.jobs.kernel_seam import know_environment, redacted
from scimops.jobs.parameters import checked, declared, read_notebook
from scimops.jobs.record import new_id
from scimops.jobs.report import TAG, first_cell, first_lines, page, running
from scimops.jobs.writer import redacted_notebook, write_notebook, write_text
from scimops.touched import file_digest

if TYPE_CHECKING:
    from scimops.jobs.job import Job


@dataclass(frozen=True)
class Run:
    """One execution of a notebook: what ran on what, how it ended, and where its output lies.

    `outcome` is completed, failed, timed_out, kernel_died or cancelled. `id` sorts by time. `started` and `ended` are
    UTC; `seconds` is wall time. `message` says what went wrong, empty where nothing did. `parameters` are as text,
    without secrets. `outputs` are the files in `folder` that are new or changed: path in `folder`, SHA-256, bytes.
    `continues` is the id of the run that this one resumes.
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
    id: str
    started: str
    ended: str
    parameters: dict[str, str]
    notebook_path: str
    notebook_sha256: str
    outputs: tuple[dict[str, str | int], ...] = ()
    continues: str = ""

    def to_dict(self) -> dict[str, Any]:
        """What `scimops run --json` prints."""
        return {"format": 1, **asdict(self), "outputs": list(self.outputs)}


def run_notebook(
    notebook: Path,
    parameters: Sequence[tuple[str, str]] = (),
    folder: Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
    *,
    parameters_file: Path | None = None,
    timeout: float | None = None,
    cell_timeout: float | None = None,
    continues: str = "",
    environment: Mapping[str, str] | None = None,
    on_event: Callable[[dict[str, Any]], None] = lambda _: None,
    on_end: Callable[[Run], None] = lambda _: None,
) -> Run:
    """Execute `notebook` with `parameters`; write `NAME.ipynb` and `NAME.html` into `folder`.

    Args:
        notebook: the notebook; its cells run in its own folder.
        parameters: names and values as text, checked against the declared types before anything runs.
        folder: where the output goes; `out/NAME` where not given. A parameter `out` of the notebook that is not given
            gets it too.
        tell: called with a line for people when something begins or ends.
        parameters_file: a YAML file of parameters; `parameters` win over it.
        timeout: seconds for the whole run.
        cell_timeout: seconds for each cell.
        continues: the id of the run that this one resumes.
        environment: the kernel's environment; this process's where not given.
        on_event: called with each event (run_started, cell_started, cell_ended, run_ended) without secrets.
        on_end: called once with the run when it has ended, however it did.

    Raises:
        UsageError: a wrong notebook, parameter name or value; nothing has run.
    """
    from scimops.jobs.stopping import Stopping

    environment = {**(os.environ if environment is None else environment), "SCIMOPS_PANEL": "0"}
    know_environment(environment)
    values = checked(notebook, parameters, parameters_file)
    folder = (folder or Path("out") / notebook.stem).absolute()
    if "out" in declared(notebook) and not values.get("out"):
        values["out"] = str(folder)
    begun, run = time.perf_counter(), _begun(notebook, folder, values, continues)
    source, digest = read_notebook(notebook)
    run = replace(run, notebook_sha256=digest)
    _check_kernel(notebook, source)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise UsageError(f"no such folder can be made ({error.strerror}).", where=str(folder)) from None
    before = _files(folder)

    def said(event: Mapping[str, Any]) -> None:
        on_event(redacted({**event, "run": run.id, "time": _now()}))
        if event["event"] == "cell_ended":
            tell(f"Cell {event['cell']} of {event['cells']}: {event['status'].replace('_', ' ')}, {event['seconds']} s")

    with Stopping() as stopping:
        tell(f"Running {notebook.name} …")
        about = {"notebook": run.notebook, "continues": run.continues, "parameters": run.parameters}
        said({"event": "run_started", **about})
        from scimops.jobs.job import Job

        first = first_cell(running(run.id, run.notebook, run.started))
        job = Job(
            Path(run.output), first, notebook.parent.absolute(), environment, timeout, cell_timeout, stopping, said
        )
        _execute(source, notebook, values, job)
        run = _reported(_ended(run, job, time.perf_counter() - begun), job)
        run = replace(run, outputs=tuple(_outputs(folder, before)))
        said({"event": "run_ended", "outcome": run.outcome, "exit_code": run.exit_code, "message": run.message})
        on_end(run)
    return run


def _begun(notebook: Path, folder: Path, values: Mapping[str, Any], continues: str) -> Run:
    """The run before anything has run.

    Raises:
        UsageError: `continues` is no id of a run.
    """
    if continues:
        try:
            continues = str(UUID(continues))
        except ValueError:
            raise UsageError("--continues takes the id of a run.", advice="It stands in its report.") from None
    texts = {name: redacted(str(value)) for name, value in values.items()}
    output, html = folder / notebook.name, folder / f"{notebook.stem}.html"
    return Run(
        notebook.name, "failed", 1, {}, "", str(output), str(html), str(folder), 0.0, new_id(), _now(), "", texts,
        str(notebook.absolute()), "", (), continues,
    )  # fmt: skip


def _check_kernel(path: Path, source: Any) -> None:
    """Is the notebook's kernel here?

    Raises:
        UsageError: it names none, or one that is not installed.
    """
    from jupyter_client.kernelspec import KernelSpecManager

    name = source.metadata.get("kernelspec", {}).get("name")
    there = sorted(KernelSpecManager().find_kernel_specs())
    if name not in there:
        what = f'its kernel "{name}" is not installed here' if name else "it names no kernel"
        raise UsageError(f"{what}.", where=str(path), advice=f"There is: {', '.join(there) or 'none'}.")


def _execute(source: Any, path: Path, values: dict[str, Any], job: Job) -> None:
    """Execute by papermill; how it ended stands in `job`."""
    import papermill

    from scimops.jobs import engine
    from scimops.jobs.job import Ending

    engine.register()
    source.cells = [cell for cell in source.cells if TAG not in cell.metadata.get("tags", [])]
    source.metadata["papermill"] = {"parameters": {}, "input_path": str(path)}
    try:
        papermill.execute_notebook(
            source, None, parameters=values, engine_name=engine.NAME, progress_bar=False, job=job
        )
    except engine.Ended:
        return
    except Exception as error:  # papermill raises many kinds; what ran is reported all the same
        if job.notebook is None:
            raise
        job.ending = Ending("failed", 1, f"This is a fault of scimops: {type(error).__name__}: {error}")


def _ended(run: Run, job: Job, seconds: float) -> Run:
    """The run with what came of it."""
    outcome, exit_code, message = job.ending.outcome, job.ending.exit_code, job.ending.message
    try:
        counts, result = _result(job.notebook)
    except (KeyError, TypeError, ValueError):
        counts, result = {}, 1
        outcome, exit_code, message = "failed", 1, message or "The step's result is not as result() writes it."
    return replace(
        run, outcome=outcome, exit_code=result if outcome == "completed" else exit_code, counts=redacted(counts),
        message=redacted(message), ended=_now(), seconds=round(seconds, 2),
    )  # fmt: skip


def _result(notebook: Any) -> tuple[dict[str, int], int]:
    """The last result that the notebook's cells gave."""
    for cell in reversed(notebook.cells):
        for output in reversed(cell.get("outputs", [])):
            data = output.get("data", {}).get(RESULT)
            if data:
                return {str(name): int(count) for name, count in data["counts"]}, int(data["exit_code"])
    return {}, 0


def _reported(run: Run, job: Job) -> Run:
    """Write the report; the run, failed where that cannot be done."""
    job.notebook.metadata["scimops"] = {"run": run.id, "outcome": run.outcome, "exit_code": run.exit_code}
    if run.continues:
        job.notebook.metadata["scimops"]["continues"] = run.continues
    job.banner["source"] = first_lines(run)
    try:
        write_notebook(job.notebook, Path(run.output))
        write_text(page(redacted_notebook(job.notebook)), Path(run.page))
    except Exception as error:  # a full disk, or an output of which nbconvert can make no page
        if run.outcome != "completed":
            return replace(run, message=f"{run.message} The report could not be written.".strip())
        why = redacted(getattr(error, "strerror", None) or f"{type(error).__name__}: {error}")
        message = f"The cells ran, but the report cannot be written: {why}."
        return replace(run, outcome="failed", exit_code=1, message=message)
    return run


def _files(folder: Path) -> dict[Path, tuple[int, int]]:
    """Each file in `folder` with when it was changed, and its size."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and not path.name.endswith(".part"):
            facts = path.stat()
            found[path] = facts.st_mtime_ns, facts.st_size
    return found


def _outputs(folder: Path, before: Mapping[Path, tuple[int, int]]) -> list[dict[str, str | int]]:
    """The files that are not as they were `before`."""
    listed: list[dict[str, str | int]] = []
    for path, facts in _files(folder).items():
        if before.get(path) != facts:
            listed.append({"path": path.relative_to(folder).as_posix(), "sha256": file_digest(path), "size": facts[1]})
    return listed


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
