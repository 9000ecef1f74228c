"""`scimops run NOTEBOOK --each companies.yaml`: one run a company, one summary."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from scimops.cli.common import complain, print_json, print_rich
from scimops.cli.notify import tell_of
from scimops.errors import ScimopsError, UsageError

if TYPE_CHECKING:
    from scimops.jobs.each_summary import EachRun
    from scimops.jobs.metrics import Last
    from scimops.jobs.notifications import Notifications


def run_companies(
    notebook: Path, companies_file: Path, out: Path | None, ledger: Path | None, *, quiet: bool, as_json: bool,
    routes: Notifications | None = None, metrics: Path | None = None, **options: Any,
) -> None:  # fmt: skip
    """Run them and say what came of it; `options` are those of :func:`scimops.jobs.each.run_each`."""
    from scimops.cli.each_tables import counted, each_table
    from scimops.jobs.each import run_each
    from scimops.jobs.metrics import last_of_each
    from scimops.jobs.notify import Ran

    each = run_each(
        notebook, companies_file, out, (lambda _: None) if quiet else complain, ledger=ledger, report=_write, **options
    )  # fmt: skip
    if metrics:
        measure(metrics, last_of_each(each))
    tell_of(
        routes, [Ran(one.run, one.head, Path(one.ledger), one.name, one.labels) for one in each.companies if one.run]
    )
    if as_json:
        print_json(each.to_dict())
    elif not quiet:
        print_rich(each_table(each))
    if quiet and each.exit_code:
        complain(counted(each))
    if not quiet:
        complain(f"Summary: {Path(each.folder) / 'summary.html'}")
        complain(f"Head of the ledger: {each.head}")
    if each.exit_code:
        raise typer.Exit(each.exit_code)


def measure(path: Path, lasts: list[Last]) -> None:
    """Write the metrics; where that cannot be done it is said, and the run's own exit code stands."""
    from scimops.jobs.metrics import write_metrics

    try:
        write_metrics(path, lasts)
    except ScimopsError as error:
        complain(str(error))


def refuse_without_each(given: dict[str, Any]) -> None:
    """Options that mean something for many companies only.

    Raises:
        UsageError: one of them is given.
    """
    for option, value in given.items():
        if value:
            raise UsageError(f"{option} goes with --each.", advice="Name the file of the companies.")


def refuse_with_each(given: dict[str, Any]) -> None:
    """Options that stand in the companies' file, or mean one run.

    Raises:
        UsageError: one of them is given.
    """
    for option, value in given.items():
        if value:
            raise UsageError(f"{option} does not go with --each.",
                             advice="Parameters and limits stand in the companies' file.")  # fmt: skip


def _write(each: EachRun) -> None:
    """`summary.json` and `summary.html`, without secrets.

    Raises:
        ScimopsError: they cannot be written.
    """
    from scimops.cli.each_tables import each_page
    from scimops.jobs.writer import write_text

    folder = Path(each.folder)
    try:
        write_text(json.dumps(each.to_dict(), ensure_ascii=False, indent=2) + "\n", folder / "summary.json")
        write_text(each_page(each), folder / "summary.html")
    except OSError as error:
        raise ScimopsError(
            f"the runs are in the ledger, but the summary cannot be written: {error.strerror}.", where=str(folder)
        ) from error  # fmt: skip
