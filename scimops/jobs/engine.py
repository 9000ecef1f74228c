"""A papermill engine that says what really happened, in time limits, and writes nothing unredacted.

Papermill's own engine calls every cell completed after a time-out, a dead kernel or Ctrl-C, knows no limit for a whole
run, and leaves a cell "running" on SIGTERM. This one runs the cells by nbclient. Each cell's `metadata.papermill` has
its status: pending, running, completed, failed, timed_out, kernel_died, cancelled or not_run.
"""

from __future__ import annotations

import asyncio
import logging
import math
import subprocess
import sys
import tempfile
from collections.abc import Coroutine, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import zmq
from jupyter_core.utils import ensure_async, run_sync
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from papermill.engines import Engine, papermill_engines
from traitlets.config import Config

from scimops.errors import ScimopsError
from scimops.jobs.job import CANCELLED, COMPLETED, FAILED, KERNEL_DIED, TIMED_OUT, Ending, Job
from scimops.jobs.kernel_seam import INSTALL, listen
from scimops.jobs.stopping import EXIT_CODES
from scimops.jobs.writer import write_notebook

NAME: Final = "scimops"
"""The engine's name in papermill."""

GRACE: Final = 5.0
"""Seconds that a cell has, once it is interrupted, to put away what it has in hand."""

START: Final = 60.0
"""Seconds that a kernel has to start."""

LONGEST_FOLDER: Final = 80
"""Letters of a folder in which a socket can be: its whole path has at most 107."""

_log = logging.getLogger("scimops.jobs")
_log.addHandler(logging.NullHandler())
_log.propagate = False


class Ended(Exception):  # noqa: N818  # no error
    """The run is over; raised always, because papermill would go on: it takes an allowed error for a failure."""


class AuditedEngine(Engine):  # type: ignore[misc]  # papermill ships no types
    """The engine; register it with :func:`register`."""

    @classmethod
    def execute_notebook(cls, nb: Any, kernel_name: str, *, job: Job, **_: Any) -> Any:
        """Run `nb` and say in `job` how it ended.

        Raises:
            Ended: always.
        """
        job.notebook = nb
        nb.metadata.papermill["output_path"] = str(job.output)
        nb.cells.insert(0, job.banner)
        with tempfile.TemporaryDirectory(prefix="scimops-", ignore_cleanup_errors=True) as folder:
            client = _Client(nb, job, kernel_name, Path(folder))
            try:
                job.ending = run_sync(client.run)()
            except ScimopsError as error:
                job.ending = Ending(FAILED, error.exit_code, str(error))
        raise Ended


def register() -> None:
    """Make the engine known to papermill."""
    papermill_engines.register(NAME, AuditedEngine)


class _Stopped(Exception):  # noqa: N818  # no error
    """A limit was reached, or a signal came; how that ends the run."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.message)
        self.ending = ending


class _Client(NotebookClient):
    """Runs the cells one after the other in a kernel of their own."""

    def __init__(self, notebook: Any, job: Job, kernel_name: str, folder: Path) -> None:
        super().__init__(
            notebook, kernel_name=kernel_name, config=_kernel(folder), record_timing=False, startup_timeout=int(START),
            iopub_timeout=60, raise_on_iopub_timeout=True, on_cell_executed=self._keep_reply,
        )  # fmt: skip
        self.log = _log
        self._job = job
        self._reply: Mapping[str, Any] = {}
        self._cells = {place: cell for place, cell in enumerate(notebook.cells) if cell.cell_type == "code"}
        self._ends = math.inf

    async def run(self) -> Ending:
        """Start the kernel, run the cells, end the kernel; how that ended.

        Raises:
            ScimopsError: the output notebook cannot be written.
        """
        self._job.stopping.loop = loop = asyncio.get_running_loop()
        self._ends = loop.time() + self._job.timeout if self._job.timeout else math.inf
        self._prepare()
        self._save()
        try:
            ending = await self._begin()
            for number, place in enumerate(self._cells, 1):
                if ending.outcome != COMPLETED:
                    break
                ending = await self._run_cell(number, place)
            return ending
        finally:
            for cell in self._cells.values():
                if cell.metadata.papermill["status"] == "pending":
                    cell.metadata.papermill["status"] = "not_run"
            self.set_widgets_metadata()
            if self.km is not None:
                await self._async_cleanup_kernel()

    def _prepare(self) -> None:
        """Take away what an earlier run left."""
        self.nb.metadata.pop("widgets", None)
        for cell in self.nb.cells:
            cell.metadata.pop("papermill", None)
        for cell in self._cells.values():
            cell.metadata["papermill"] = self._note(status="pending")
            cell.outputs, cell.execution_count = [], None

    async def _begin(self) -> Ending:
        """Start the kernel and put the seam into it."""
        self.create_kernel_manager()
        try:
            await self._within(self._start_kernel(), None)
        except _Stopped as stopped:
            return stopped.ending
        except (RuntimeError, DeadKernelError, OSError) as error:  # nbclient's words for a kernel that does not come up
            return Ending(KERNEL_DIED, 138, f"The kernel did not start: {error}.")
        if self._reply.get("status") != "ok":
            return Ending(FAILED, 1, f"The kernel {self.kernel_name} has no scimops, so nothing would be redacted.")
        return Ending()

    async def _start_kernel(self) -> None:
        # What the kernel writes beside its messages goes nowhere: nobody could take a secret out of it.
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        await self.async_start_new_kernel(cwd=str(self._job.where), env=dict(self._job.environment), **quiet)
        await self.async_start_new_kernel_client()
        client: Any = self.kc
        listen(client.session)
        message = await ensure_async(client.execute(INSTALL, silent=True, store_history=False))
        reply = await asyncio.wait_for(self.async_wait_for_reply(message), START)
        self._reply = (reply or {}).get("content", {})

    async def _run_cell(self, number: int, place: int) -> Ending:
        cell = self._cells[place]
        note, which = cell.metadata.papermill, f"cell {number} of {len(self._cells)}"
        note.update(status="running", start_time=_now())
        self._save()
        self._job.tell({"event": "cell_started", "cell": number, "cells": len(self._cells)})
        loop = asyncio.get_running_loop()
        began = loop.time()
        ending = await self._ending(place, which)
        seconds = round(loop.time() - began, 3)
        note.update(status=ending.outcome, end_time=_now(), duration=seconds, exception=ending.outcome != COMPLETED)
        self.set_widgets_metadata()
        self._save()
        told = {"cell": number, "cells": len(self._cells), "status": ending.outcome, "seconds": seconds}
        self._job.tell({"event": "cell_ended", **told})
        return ending

    async def _ending(self, place: int, which: str) -> Ending:
        """Run the cell at `place`; how the run would end with it."""
        self._reply = {}
        try:
            await self._within(self.async_execute_cell(self._cells[place], place), self._job.cell_timeout)
        except _Stopped as stopped:
            message = f"{stopped.ending.message} It was at {which}."
            return Ending(stopped.ending.outcome, stopped.ending.exit_code, message)
        except CellExecutionError as error:
            return self._failed(which, error.ename, error.evalue)
        except DeadKernelError:
            return Ending(KERNEL_DIED, 138, f"The kernel died in {which}{self._last_words()}.")
        except CellTimeoutError:
            return Ending(FAILED, 1, f"The output of {which} did not arrive.")
        if any(part.get("source") == "ask_exit" for part in self._reply.get("content", {}).get("payload", ())):
            return Ending(FAILED, 1, f"{which.capitalize()} called exit(), so the rest would not run.")
        return Ending()

    def _failed(self, which: str, name: str, value: str) -> Ending:
        if name == "SystemExit":
            said = f"{which.capitalize()} called sys.exit({value})."
            return Ending(FAILED, 1, f"{said} A step says its exit code by result().")
        ours = self._reply.get("metadata", {}).get("scimops", {}).get("exit_code")
        return Ending(FAILED, 1, f"{name}: {value}") if ours is None else Ending(FAILED, int(ours), value)

    async def _within(self, work: Coroutine[Any, Any, Any], limit: float | None) -> None:
        """Do `work` until a limit is reached or a signal comes; then interrupt the kernel, and wait for a while.

        Raises:
            _Stopped: that happened.
        """
        left = self._ends - asyncio.get_running_loop().time()
        stopping, before = self._job.stopping, asyncio.all_tasks()
        if stopping.signal or left <= 0:
            work.close()
            raise _Stopped(self._why(False))
        doing, asked = asyncio.ensure_future(work), asyncio.ensure_future(stopping.asked.wait())
        try:
            patience = min(left, limit or math.inf)
            wait = None if patience == math.inf else patience
            await asyncio.wait({doing, asked}, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
            if doing.done() and not doing.cancelled():
                doing.result()
                return
            await self._wind_down(doing)
            raise _Stopped(self._why(limit is not None and limit < left))
        finally:
            for task in asyncio.all_tasks() - before - {asyncio.current_task()}:
                task.cancel()

    async def _wind_down(self, doing: asyncio.Future[Any]) -> None:
        if self.km is not None and self.km.has_kernel:
            await ensure_async(self.km.interrupt_kernel())
        hurry = asyncio.ensure_future(self._job.stopping.hurry.wait())
        await asyncio.wait({doing, hurry}, timeout=GRACE, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            self.shutdown_kernel = "immediate"
            doing.cancel()
            await asyncio.wait({doing}, timeout=GRACE)
        if doing.done() and not doing.cancelled():
            doing.exception()  # KeyboardInterrupt, or whatever the cell made of it

    def _why(self, by_cell: bool) -> Ending:
        name = self._job.stopping.signal
        if name:
            return Ending(CANCELLED, EXIT_CODES[name], f"Cancelled by {'Ctrl-C' if name == 'SIGINT' else name}.")
        if by_cell:
            return Ending(TIMED_OUT, 124, f"A cell may take {self._job.cell_timeout:g} seconds (--cell-timeout).")
        return Ending(TIMED_OUT, 124, f"The run may take {self._job.timeout:g} seconds (--timeout).")

    def _last_words(self) -> str:
        """What the system says of the kernel's end."""
        process = getattr(self.km and self.km.provisioner, "process", None)
        code = process.poll() if process is not None else None
        if code is None:
            return ""
        if code >= 0:
            return f" (exit code {code})"
        return f" (signal {-code}{', as when memory runs out' if code == -9 else ''})"

    def process_message(self, *arguments: Any, **options: Any) -> Any:
        """Handle a message from the kernel, and look whether the reply has come.

        An Output widget's state is sent to the kernel from inside here, past asyncio, which then misses that the reply
        came in the meantime and waits for ever (5 of 30 runs of such a notebook).
        """
        client: Any = self.kc
        try:
            return super().process_message(*arguments, **options)
        finally:
            client.shell_channel.socket.get(zmq.EVENTS)

    def _keep_reply(self, execute_reply: Mapping[str, Any], **_: Any) -> None:
        self._reply = execute_reply or {}

    def _note(self, status: str) -> Any:
        note = {"status": status, "exception": None, "start_time": None, "end_time": None, "duration": None}
        return type(self.nb.metadata)(note)

    def _save(self) -> None:
        try:
            write_notebook(self.nb, self._job.output)
        except OSError as error:
            raise ScimopsError(
                f"the report cannot be written ({error.strerror or error}), so the run was stopped.",
                where=str(self._job.output), advice="Make room, or give another --out.",
            ) from error  # fmt: skip


def _kernel(folder: Path) -> Config:
    """How the kernel is spoken to: by sockets in `folder` where systems have such, so that nobody else listens in."""
    config = Config()
    config.KernelManager.connection_file = str(folder / "kernel.json")
    if sys.platform != "win32" and len(str(folder)) <= LONGEST_FOLDER:
        config.KernelManager.transport = "ipc"
    return config


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
