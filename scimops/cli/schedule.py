"""`scimops schedule`: the files with which a scheduler that is there already runs a notebook."""

from __future__ import annotations

import datetime as dt
import getpass
import json
import os
import re
import shlex
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from scimops.cli.common import complain
from scimops.cli.each import refuse_with_each
from scimops.cli.job_options import check_seconds, parameters_of
from scimops.errors import ScimopsError, UsageError, nearest

if TYPE_CHECKING:
    from scimops.schedules.every import Rhythm
    from scimops.schedules.task import Made, Task

PLACES: Final = ("SCIMOPS_CONFIG", "SCIMOPS_CREDENTIALS_DIR", "SCIMOPS_LEDGER", "SCIMOPS_NOTIFICATIONS",
                 "SCIMOPS_MAX_BYTES")  # fmt: skip
"""What a scheduled run is given of this environment: where things are, never a secret."""

_REFERENCE = re.compile(r"(env|keyring|file|dir|cmd):.")


def register(app: typer.Typer) -> None:
    """Add the command."""
    extra = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command("schedule", context_settings=extra, options_metavar="[-p NAME VALUE]… [OPTIONS]")(schedule)


def schedule(
    context: typer.Context,
    notebook: Annotated[Path, typer.Argument(help="The notebook.", metavar="NOTEBOOK")],
    every: Annotated[str, typer.Option(help="15m, hour, 6h, day, week.", metavar="SPAN")],
    scheduler: Annotated[
        str, typer.Option("--as", help="cron, systemd, taskscheduler, kubernetes or airflow.", metavar="SCHEDULER")
    ],
    at: Annotated[str, typer.Option(help="Time of the day (default: 04:15).", metavar="HH:MM")] = "",
    on: Annotated[str, typer.Option(help="Days: mon or mon,thu.", metavar="DAYS")] = "",
    time_zone: Annotated[str, typer.Option(help="Such as Europe/Berlin.", metavar="ZONE")] = "",
    parameters_file: Annotated[
        Path | None, typer.Option("-f", "--parameters", help="Parameters in a YAML file; -p wins.", metavar="FILE")
    ] = None,
    each: Annotated[Path | None, typer.Option(help="Run it for each company of this file.", metavar="FILE")] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds for the whole run.", metavar="S")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for these files and the reports; its name is the job's (default: schedule/NOTEBOOK).",
                     metavar="DIR"),
    ] = None,
) -> None:  # fmt: skip
    """Write what a scheduler needs to run a notebook again and again; nothing is installed.

    Parameters are given as -p NAME VALUE. They are checked now, and go into a file that the schedule names.
    """
    from scimops.schedules import MAKERS
    from scimops.schedules.every import read_rhythm

    check_seconds({"--timeout": timeout})
    if scheduler not in MAKERS:
        raise UsageError(
            f'There is no scheduler "{scheduler}".', advice=f"{nearest(scheduler, MAKERS)} Known: {', '.join(MAKERS)}."
        )
    rhythm, words = read_rhythm(every, at, on, time_zone), parameters_of(context.args)
    folder = (out or Path("schedule") / notebook.stem).absolute()
    if each:
        refuse_with_each({"-p": words, "-f": parameters_file, "--timeout": timeout})
    values, given = _given(notebook, words, parameters_file, each, folder)
    task = _task(notebook, tuple(_references(values)), given, "--each" if each else "-f", folder, timeout)
    made = MAKERS[scheduler](task, rhythm)
    _write(folder, made, None if each else (given, notebook, values))
    _tell(folder, notebook, made, rhythm)


def _given(
    notebook: Path, words: list[tuple[str, str]], file: Path | None, each: Path | None, folder: Path
) -> tuple[dict[str, Any], Path]:
    """The parameters (of all companies), and the file that the command names.

    Raises:
        UsageError: a wrong notebook, parameter or company.
    """
    from scimops.jobs.parameters import checked

    if each:
        from scimops.jobs.companies_check import load_companies

        return {"": [company.model_dump() for company in load_companies(each, notebook)]}, each.absolute()
    return checked(notebook, words, file), folder / "parameters.yaml"


def _task(
    notebook: Path, references: tuple[str, ...], given: Path, option: str, folder: Path, timeout: float | None
) -> Task:
    from scimops.config import ledger_file
    from scimops.schedules.task import Task, task_name

    places = {name: os.environ[name] for name in PLACES if os.environ.get(name)}
    return Task(
        name=task_name(folder.name), program=_program(), notebook=str(notebook.absolute()), option=option,
        given=str(given), report=str(folder / "report"), state=str(ledger_file().parent), user=getpass.getuser(),
        timeout=timeout, environment=places, references=references,
    )  # fmt: skip


def _program() -> str:
    """The scimops of this very installation.

    Raises:
        ScimopsError: it is not there.
    """
    path = Path(sysconfig.get_path("scripts")) / f"scimops{'.exe' if sys.platform == 'win32' else ''}"
    if not path.is_file():
        raise ScimopsError("The program scimops is not there.", where=str(path), advice="Install it: pip install .")
    return str(path)


def _references(value: Any) -> list[str]:
    """Whatever in `value` names a secret, in order."""
    return sorted({text for text in _texts(value) if _REFERENCE.match(text)})


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from _texts(list(value.values()))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _write(folder: Path, made: Made, parameters: tuple[Path, Path, dict[str, Any]] | None) -> None:
    """Write the files, and make the folders that the run writes into, for their owner alone.

    Raises:
        ScimopsError: they cannot be written.
    """
    from scimops.config import ledger_file

    try:
        for place in (folder, folder / "report", ledger_file().parent):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if parameters:
            _write_parameters(*parameters)
        for name, content in made.files.items():
            part = folder / f".{name}.part"
            part.write_bytes(content)
            part.replace(folder / name)
    except OSError as error:
        raise ScimopsError(f"nothing can be written there ({error.strerror}).", where=str(folder)) from None


def _write_parameters(path: Path, notebook: Path, values: dict[str, Any]) -> None:
    """Write `values` as YAML, a line each in JSON's quotes, and read them back as the run will.

    Raises:
        UsageError: a value that no file keeps as it is.
    """
    from scimops.jobs.parameters import checked
    from scimops.yaml_documents import write_whole

    lines = []
    for name, value in values.items():
        text = json.dumps(value, ensure_ascii=False)
        lines.append(f"{name}: {text if text.isprintable() else json.dumps(value)}\n")
    write_whole(path, "".join(lines) or "{}\n")
    kept = checked(notebook, (), path)
    if wrong := [name for name in values if kept.get(name) != values[name]]:
        path.unlink()
        raise UsageError(f'The value of "{wrong[0]}" cannot be kept in a file as it is.')


def _tell(folder: Path, notebook: Path, made: Made, rhythm: Rhythm) -> None:
    """Where the files are on standard output; what to do with them for a person."""
    for name in made.files:
        typer.echo(folder / name)
    complain(f"Nothing is installed yet. In the folder {folder}:")
    for word, lines in (("Install", made.install), ("See it run", made.watch), ("Remove", made.remove)):
        complain(f"{word}:")
        for line in lines:
            complain(f"  {line}")
    year = dt.datetime.now(dt.UTC).year
    for line in (*made.notes, *rhythm.clock_changes(year), *rhythm.clock_changes(year + 1)):
        complain(line)
    name = shlex.quote(notebook.stem)
    complain(f"A missed run is seen by: scimops runs overdue --every {rhythm.overdue} --notebook {name} --exit-code")
