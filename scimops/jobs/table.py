"""The runs of a ledger as one table, a row each: for analysts, and for what is shown of many runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import polars as pl

from scimops.jobs.history import Logged

_TIME = pl.Datetime("us", "UTC")
SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "number": pl.Int64, "id": pl.String, "kind": pl.String, "step": pl.String, "notebook": pl.String,
    "notebook_sha256": pl.String, "command": pl.String, "outcome": pl.String, "exit_code": pl.Int64,
    "started": _TIME, "ended": _TIME, "milliseconds": pl.Int64, "user": pl.String, "host": pl.String,
    "scimops": pl.String, "commit": pl.String, "dirty": pl.Boolean, "python": pl.String, "continues": pl.String,
    "folder": pl.String, "parameters": pl.String, "counts": pl.String, "inputs": pl.String, "outputs": pl.String,
    "digests": pl.String, "signed": pl.Boolean, "hash": pl.String,
}  # fmt: skip
"""Parameters, counts, inputs, outputs and digests are JSON."""


def runs_frame(runs: Sequence[Logged]) -> pl.DataFrame:
    """The table of runs, in their order."""
    return pl.DataFrame([_row(logged) for logged in runs], schema=SCHEMA, orient="row")


def _row(logged: Logged) -> tuple[Any, ...]:
    run = logged.record
    book = run.notebook
    parts = (run.parameters, run.counts, [f.model_dump() for f in run.inputs], [f.model_dump() for f in run.outputs])
    return (
        logged.number, run.id, run.kind, run.step, book and book.name, book and book.sha256, run.command, run.outcome,
        run.exit_code, run.started, run.ended, run.milliseconds, run.who.user, run.who.host, run.code.scimops,
        run.code.commit, run.code.dirty, run.code.python, run.continues, run.folder,
        *(json.dumps(part, ensure_ascii=False) for part in (*parts, run.digests)), logged.signed, logged.hash,
    )  # fmt: skip
