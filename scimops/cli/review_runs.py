"""Commands of the step review_runs: run, and the group runs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from scimops.cli import companies, runs
from scimops.cli.common import JSON, complain, print_counts, print_json
from scimops.cli.each import measure, refuse_with_each, refuse_without_each, run_companies
from scimops.cli.job_options import check_seconds, parameters_of
from scimops.cli.notify import NOTIFY, routes_of, tell_of
from scimops.cli.recording import LEDGER, offer_key
from scimops.errors import ScimopsError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    # Typer knows no option with two values that may be repeated, so `-p NAME VALUE` is read from what is left over.
    extra = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command("run", context_settings=extra, options_metavar="[-p NAME VALUE]… [OPTIONS]")(run)
    app.command()(companies.companies)
    runs.register(app)


def run(
    context: typer.Context,
    notebook: Annotated[Path, typer.Argument(help="The notebook.", metavar="NOTEBOOK")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the output (default: out/NOTEBOOK).", metavar="DIR")
    ] = None,
    dated: Annotated[
        bool, typer.Option("--dated", help="A folder for each run in that of --out, so that each report is kept.")
    ] = False,
    parameters_file: Annotated[
        Path | None, typer.Option("-f", "--parameters", help="Parameters in a YAML file; -p wins.", metavar="FILE")
    ] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds for the whole run.", metavar="S")] = None,
    cell_timeout: Annotated[float | None, typer.Option(help="Seconds for each cell.", metavar="S")] = None,
    continues: Annotated[str, typer.Option(help="Id of the run that this one resumes.", metavar="RUN")] = "",
    events: Annotated[
        Path | None, typer.Option(help="File to which each event is added, a JSON object a line.", metavar="FILE")
    ] = None,
    each: Annotated[
        Path | None, typer.Option(help="Run it for each company of this file; see docs/companies.md.", metavar="FILE")
    ] = None,
    parallel: Annotated[int, typer.Option(min=1, max=64, help="With --each: how many run at a time.")] = 2,
    only: Annotated[
        list[str] | None, typer.Option(help="With --each: only this company; may be repeated.", metavar="NAME")
    ] = None,
    retry_failed: Annotated[
        str, typer.Option(help="With --each: only those that failed or were not run in that run.", metavar="RUN")
    ] = "",
    wait: Annotated[float, typer.Option(help="Seconds to wait for another run of the same job.", metavar="S")] = 0,
    ledger: LEDGER = None,
    notify: NOTIFY = None,
    metrics: Annotated[
        Path | None, typer.Option(help="File for Prometheus; see docs/scheduling.md.", metavar="FILE")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say only what went wrong.")] = False,
    as_json: JSON = False,
) -> None:
    """Run a notebook unattended.

    Parameters are given as -p NAME VALUE; the step's exit code is handed through. 124: a time limit was reached,
    130 or 143: cancelled, 138: the kernel died. One run at a time writes into one folder.
    """
    from scimops.jobs.audited import run_audited
    from scimops.jobs.locks import alone
    from scimops.jobs.metrics import last_of
    from scimops.jobs.notify import Ran
    from scimops.jobs.parameters import read_notebook

    check_seconds({"--timeout": timeout, "--cell-timeout": cell_timeout, "--wait": wait or None})
    parameters, tell = parameters_of(context.args), _silent if quiet else complain
    read_notebook(notebook)
    routes = routes_of(notify)
    if each:
        refuse_with_each({"-p": parameters, "-f": parameters_file, "--timeout": timeout,
                          "--cell-timeout": cell_timeout, "--continues": continues, "--events": events,
                          "--dated": dated})  # fmt: skip
        offer_key(ledger)
        run_companies(
            notebook, each, out, ledger, quiet=quiet, as_json=as_json, parallel=parallel, only=only or (),
            retry_failed=retry_failed, wait=wait, routes=routes,
            metrics=metrics,
        )  # fmt: skip
        return
    refuse_without_each({"--only": only, "--retry-failed": retry_failed})
    write_event = _event_writer(events)
    folder = out or Path("out") / notebook.stem
    with alone(notebook, folder, wait, tell) as note:

        def on_event(event: dict[str, Any]) -> None:
            if event["event"] == "run_started":
                note(event["run"])
            write_event(event)

        offer_key(ledger)
        result, written = run_audited(
            notebook, parameters, folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}" if dated else folder, tell,
            parameters_file=parameters_file, timeout=timeout,
            cell_timeout=cell_timeout, continues=continues, on_event=on_event, ledger=ledger,
        )  # fmt: skip
    if metrics:
        measure(metrics, last_of(result))
    tell_of(routes, [Ran(result.id, written.head, ledger)], write_event)
    if as_json:
        print_json(result.to_dict() | {"head": written.head})
    elif not quiet:
        print_counts(result.counts)
        typer.echo(f"Notebook: {result.output}")
        typer.echo(f"Page:     {result.page}")
    if not quiet:
        complain(f"Head of the ledger: {written.head}")
    if result.message:
        complain(result.message)
    if result.exit_code:
        raise typer.Exit(result.exit_code)


def _silent(_: str) -> None:
    """Nobody is told."""


def _event_writer(path: Path | None) -> Callable[[dict[str, Any]], None]:
    """Adds each event to `path`; what cannot be written any more is said once and stops no run.

    Raises:
        ScimopsError: the file cannot be opened.
    """
    if path is None:
        return lambda _: None
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise ScimopsError(f"no events can be written there ({error.strerror}).", where=str(path)) from None
    broken: list[OSError] = []

    def write(event: dict[str, Any]) -> None:
        line = json.dumps(event).encode() + b"\n"
        try:
            os.write(file, line)
        except OSError as error:
            if not broken:
                complain(f"{path}: events are no longer written: {error.strerror}.")
            broken.append(error)

    return write
