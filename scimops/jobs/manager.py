"""Jobs made in JupyterLab's window of jobs (jupyter-scheduler), run as `scimops run` runs them.

jupyter-scheduler's own manager pastes parameters into the notebook as code, keeps whatever is printed, and calls a run
completed that is not. Here parameters are checked values, nothing is written unredacted, the run is in the ledger, and
the window's status is that of the run. Switched on by `Scheduler.execution_manager_class`, as `scimops lab` does.

jupyter-scheduler itself writes a job's parameters into its database (`scheduler.sqlite`) before this is asked, so they
are no place for a secret: only for its reference.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Final

from jupyter_scheduler.executors import DefaultExecutionManager
from jupyter_scheduler.models import Status
from jupyter_scheduler.orm import Job
from jupyter_scheduler.utils import get_utc_timestamp

from scimops.errors import ScimopsError
from scimops.jobs.job import COMPLETED
from scimops.jobs.kernel_seam import redacted
from scimops.jobs.running import STEP_CODES

REPORT: Final = "report"
"""The folder beside the job's copy of the notebook in which the run writes."""


class NotCompletedError(ScimopsError):
    """The run ended otherwise; its report is there."""


class ScimopsExecutionManager(DefaultExecutionManager):  # type: ignore[misc]  # jupyter-scheduler ships no types
    """Runs one job of the window, in a process of its own."""

    def execute(self) -> None:
        """Run the notebook and put notebook and page where the window looks for them.

        Raises:
            UsageError: a wrong notebook, parameter name or value; nothing has run.
            NotCompletedError: it ran, and failed.
        """
        from scimops.jobs.audited import run_audited

        notebook = Path(self.staging_paths["input"])
        folder = notebook.parent / REPORT
        run, _ = run_audited(notebook, list((self.model.parameters or {}).items()), folder)
        self.add_side_effects_files(str(notebook.parent))
        for form, made in (("ipynb", run.output), ("html", run.page)):
            if form in self.model.output_formats and Path(made).is_file():
                shutil.copyfile(made, self.staging_paths[form])
        said = f"Exit code {run.exit_code}. {run.message}".strip()
        if run.outcome != COMPLETED or run.exit_code not in STEP_CODES:
            raise NotCompletedError(said)
        if run.exit_code:
            self._update(status_message=said)

    def on_failure(self, e: Exception) -> None:
        """Say in the window that it failed and why; the server's log gets one line, no traceback."""
        why = redacted(str(e) if isinstance(e, ScimopsError) else f"{type(e).__name__}: {e}")
        self._update(status=Status.FAILED, status_message=why, end_time=get_utc_timestamp())
        sys.stderr.write(f"Job {self.job_id} failed: {why}\n")

    def _update(self, **values: object) -> None:
        with self.db_session() as session:
            session.query(Job).filter(Job.job_id == self.job_id).update(values)
            session.commit()
