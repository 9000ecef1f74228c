"""Commands of the step review_runs: run, and the group runs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from scimops.cli import runs
from scimops.cli.common import JSON, complain, print_counts, print_json
from scimops.cli.recording import LEDGER, offer_key
from scimops.errors import ScimopsError, UsageError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    # Typer knows no option with two values that may be repeated, so `-p NAME VALUE` is read from what is left over.
    extra = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command("run", context_settings=extra, options_metavar="[-p NAME VALUE]… [OPTIONS]")(run)
    runs.register(app)


def run(
    context: typer.Context,
    notebook: Annotated[Path, typer.Argument(help="The notebook.", metavar="NOTEBOOK")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the output (default: out/NOTEBOOK).", metavar="DIR")
    ] = None,
    parameters_file: Annotated[
        Path | None, typer.Option("-f", "--parameters", help="Parameters in a YAML file; -p wins.", metavar="FILE")
    ] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds for the whole run.", metavar="S")] = None,
    cell_timeout: Annotated[float | None, typer.Option(help="Seconds for each cell.", metavar="S")] = None,
    continues: Annotated[str, typer.Option(help="Id of the run that this one resumes.", metavar="RUN")] = "",
    events: Annotated[
        Path | None, typer.Option(help="File to which each event is added, a JSON object a line.", metavar="FILE")
    ] = None,
    ledger: LEDGER = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say only what went wrong.")] = False,
    as_json: JSON = False,
) -> None:
    """Run a notebook unattended.

    Parameters are given as -p NAME VALUE; the step's exit code is handed through. 124: a time limit was reached,
    130 or 143: cancelled, 138: the kernel died.
    """
    from scimops.jobs.audited import run_audited

    _check_seconds({"--timeout": timeout, "--cell-timeout": cell_timeout})
    offer_key(ledger)
    result, written = run_audited(
        notebook, _parameters(context.args), out, (lambda _: None) if quiet else complain,
        parameters_file=parameters_file, timeout=timeout, cell_timeout=cell_timeout, continues=continues,
        on_event=_event_writer(events), ledger=ledger,
    )  # fmt: skip
    if as_json:
        print_json(result.to_dict())
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


def _parameters(words: list[str]) -> list[tuple[str, str]]:
    """`-p NAME VALUE -p NAME VALUE` as pairs; no word that may be a secret is repeated."""
    pairs = []
    for start in range(0, len(words), 3):
        part = words[start : start + 3]
        if part[0] not in ("-p", "--parameter"):
            what = f'"{part[0]}"' if part[0].startswith("-") else "A word that belongs to no option"
            raise UsageError(f"{what} is not understood.", advice="Parameters are given as -p NAME VALUE.")
        if len(part) < 3:
            raise UsageError(f"{part[0]} needs a name and a value.", advice="Parameters are given as -p NAME VALUE.")
        pairs.append((part[1], part[2]))
    return pairs


def _check_seconds(limits: dict[str, float | None]) -> None:
    for option, seconds in limits.items():
        if seconds is not None and not 0 < seconds < float("inf"):
            raise UsageError(f"{option} must be more than 0 seconds.")


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
