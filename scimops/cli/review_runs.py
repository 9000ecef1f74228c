"""Commands of the step review_runs: run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scimops.cli.common import JSON, complain, print_counts, print_json
from scimops.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    # Typer knows no option with two values that may be repeated, so `-p NAME VALUE` is read from what is left over.
    extra = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command("run", context_settings=extra, options_metavar="[-p NAME VALUE]… [OPTIONS]")(run)


def run(
    context: typer.Context,
    notebook: Annotated[Path, typer.Argument(help="The notebook.", metavar="NOTEBOOK")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the output (default: out/NOTEBOOK).", metavar="DIR")
    ] = None,
    as_json: JSON = False,
) -> None:
    """Run a notebook unattended.

    Parameters are given as -p NAME VALUE; the step's exit code is handed through.
    """
    from scimops.jobs.run import run_notebook

    result = run_notebook(notebook, _parameters(context.args), out, complain)
    if as_json:
        print_json(result.to_dict())
    else:
        print_counts(result.counts)
        typer.echo(f"Notebook: {result.output}")
        typer.echo(f"Page:     {result.page}")
    if result.message:
        complain(result.message)
    if result.exit_code:
        raise typer.Exit(result.exit_code)


def _parameters(words: list[str]) -> list[tuple[str, str]]:
    """`-p NAME VALUE -p NAME VALUE` as pairs."""
    pairs = []
    for start in range(0, len(words), 3):
        part = words[start : start + 3]
        if part[0] not in ("-p", "--parameter") or len(part) < 3:
            raise UsageError(f'"{" ".join(part)}" is not understood.', advice="Parameters are given as -p NAME VALUE.")
        pairs.append((part[1], part[2]))
    return pairs
