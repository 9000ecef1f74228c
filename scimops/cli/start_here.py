"""Commands of the step start_here: demo, lab, samples, schema."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from scimops.cli.common import JSON, complain, print_json
from scimops.config import ledger_file
from scimops.errors import ScimopsError, UsageError, nearest


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("demo")(demo)
    app.command("lab")(lab)
    app.command("samples")(samples)
    app.command("schema")(schema)


def demo(
    out: Annotated[Path, typer.Option(help="Folder for everything the demo makes.", metavar="DIR")] = Path(
        "scimops-demo"
    ),
    as_json: JSON = False,
) -> None:
    """Tell the whole story on invented people: from a connection to the audit and the review of all runs.

    It starts an embedded platform of its own and stops it at the end; the notebooks run as audited jobs. Nothing of
    yours is read or changed: all of it is below the folder. Says where to look.
    """
    from scimops.cli.demo import Demo
    from scimops.jobs.verify import verify

    work = _workplace(out).absolute()
    ledger = ledger_file() if os.environ.get("SCIMOPS_LEDGER") else work / "runs.ndjson"
    demo_of = Demo(work, ledger, quiet=as_json)
    failed: ScimopsError | None = None
    try:
        demo_of.tell()
    except ScimopsError as error:
        failed = error
    found = verify(ledger)
    if as_json:
        print_json({"format": 1, "runs": [run.to_dict() for run in demo_of.runs], "ledger": found.to_dict()})
    elif found.good and failed is None:
        typer.echo("Where to look, in this order:")
        for run in demo_of.runs:
            typer.echo(f"  {run.page}")
        typer.echo(f"The report of the audit, person by person: {work / 'audit' / 'files' / 'report.html'}")
        typer.echo("To work with the notebooks yourself, on the demo's platform:")
        for command in demo_of.again:
            typer.echo(f"  {command}")
        typer.echo(f"The ledger {ledger} is whole: {found.records:,} records. Head: {found.head}")
        typer.echo(found.proves)
    if failed is not None:
        raise failed
    if not found.good:
        raise ScimopsError(f"line {found.line}: {found.message}", where=str(ledger))


def lab(
    folder: Annotated[Path, typer.Argument(help="Where notebooks and sample data are put (kept if there).")] = Path(
        "scimops-lab"
    ),
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser window.")] = True,
    allow_root: Annotated[bool, typer.Option("--allow-root", help="Start although you are root (containers).")] = False,
) -> None:
    """Open the notebooks in JupyterLab."""
    work = _workplace(folder)
    first = work / "notebooks" / "00_start_here.ipynb"
    arguments = [f"--LabApp.default_url=/lab/tree/notebooks/{first.name}", f"--ServerApp.root_dir={work.absolute()}"]
    arguments += ["--Scheduler.execution_manager_class=scimops.jobs.manager.ScimopsExecutionManager"]
    arguments += ["--no-browser"] * (not browser) + ["--allow-root"] * allow_root
    # -P: a file called jupyterlab.py in the working folder must not be taken for the program
    # in that folder: there the window of jobs puts what it downloads
    command = [sys.executable, "-P", "-m", "jupyterlab", *arguments]
    raise typer.Exit(subprocess.call(command, cwd=work))  # noqa: S603  # our own words


def notebooks_folder() -> Path:
    """Where the notebooks lie: beside the package in a checkout, inside it once installed.

    Raises:
        ScimopsError: they are in neither place.
    """
    package = Path(__file__).parents[1]
    for folder in (package / "notebooks", package.parent / "notebooks"):
        if (folder / "02_preview_groups.ipynb").is_file():
            return folder
    raise ScimopsError("The notebooks are not there.", advice="Install scimops again: pip install .")


def _workplace(folder: Path) -> Path:
    """A folder with notebooks and sample data; what a person changed there is kept."""
    from scimops.samples import write_all

    home = notebooks_folder()
    (folder / "notebooks").mkdir(parents=True, exist_ok=True)
    for notebook in sorted(home.glob("*.ipynb")):
        if not (folder / "notebooks" / notebook.name).exists():
            shutil.copyfile(notebook, folder / "notebooks" / notebook.name)
    if not (folder / "sample_data").exists():
        write_all(folder / "sample_data")
    return folder


def samples(
    out: Annotated[Path, typer.Argument(help="File to write; with --shape all, a folder.")],
    shape: Annotated[str, typer.Option(help="Shape of the file, or all.")] = "entra_download_users",
    number: Annotated[int, typer.Option("--people", min=0, help="How many people.")] = 200,
    seed: Annotated[int, typer.Option(help="The same seed gives the same people.")] = 1,
    nasty: Annotated[bool, typer.Option("--nasty/--clean", help="With the cases that go wrong in real life.")] = True,
) -> None:
    """Write synthetic exports: any shape, any size."""
    from scimops.samples import SHAPE_FORMATS, write_all, write_sample

    if shape == "all":
        write_all(out, people=number, seed=seed)
    elif shape not in SHAPE_FORMATS:
        advice = f"{nearest(shape, SHAPE_FORMATS)} Known: all, {', '.join(sorted(SHAPE_FORMATS))}."
        raise UsageError(f'There is no shape "{shape}".', advice=advice.strip())
    else:
        write_sample(out, shape, people=number, seed=seed, nasty=nasty)
    complain(f"Written to {out}.")


def schema(
    name: Annotated[str | None, typer.Argument(help="Which schema; none: list them.")] = None,
) -> None:
    """Print the JSON Schema of a document or output."""
    from scimops.schemas import names, read_schema

    if name is None:
        for each in names():
            typer.echo(each)
    elif name not in names():
        raise UsageError(
            f'There is no schema "{name}".', advice=f"{nearest(name, names())} Known: {', '.join(names())}.".strip()
        )
    else:
        print_json(read_schema(name))
