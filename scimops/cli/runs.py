"""`scimops runs`: what ran, what came out, and whether anybody changed the ledger since."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scimops.cli.common import JSON, complain, confirmed, print_counts, print_json, print_rich, visible
from scimops.cli.recording import LEDGER, new_key, recorded
from scimops.errors import UsageError, nearest

if TYPE_CHECKING:
    from scimops.jobs.history import Logged, Wanted

ID = Annotated[str, typer.Argument(help="Id of a run; its beginning is enough.", metavar="ID")]
OUTCOME = Annotated[str | None, typer.Option(help="Only runs that ended so.", metavar="OUTCOME")]
NOTEBOOK = Annotated[str | None, typer.Option(help="Only runs of this notebook.", metavar="NAME")]
SINCE = Annotated[str | None, typer.Option(help="Only runs since: 24h, 7d, 2w, or a date.", metavar="WHEN")]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The ledger of all runs: list, show, verify.")
    for command in (list_, show, verify, diff, export, prune, overdue, key):
        group.command(command.__name__.rstrip("_"))(command)
    app.add_typer(group, name="runs")


def list_(
    outcome: OUTCOME = None, notebook: NOTEBOOK = None, since: SINCE = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
    ledger: LEDGER = None, as_json: JSON = False,
) -> None:  # fmt: skip
    """List the runs, the newest first."""
    from rich.table import Table
    from rich.text import Text

    from scimops.jobs.history import runs

    found = list(islice(runs(ledger, _wanted(outcome, notebook, since)), limit))
    if as_json:
        print_json({"format": 1, "runs": [_document(logged) for logged in found]})
        return
    if not found:
        complain(_nothing(ledger))
        return
    table = Table("Started (UTC)", "What", "Outcome", "Code", "Seconds", "Who", "Id", box=None)
    for logged in found:
        run = logged.record
        seconds = "—" if run.milliseconds is None else f"{run.milliseconds / 1000:,.1f}"
        code = "—" if run.exit_code is None else str(run.exit_code)
        cells = (
            f"{run.started:%Y-%m-%d %H:%M}",
            logged.what,
            run.outcome.replace("_", " "),
            code,
            seconds,
            run.who.user,
            run.id,
        )
        table.add_row(*(Text(visible(cell), overflow="fold") for cell in cells))
    print_rich(table)


def show(run: ID, ledger: LEDGER = None, as_json: JSON = False) -> None:
    """Show one run whole."""
    from rich.table import Table
    from rich.text import Text

    from scimops.jobs.history import lines_of, the_run

    logged = the_run(run, ledger)
    if as_json:
        print_json(_document(logged))
        return
    table = Table(box=None, show_header=False)
    for name, value in lines_of(logged.record):
        table.add_row(Text(visible(name)), Text(visible(value), overflow="fold"))
    table.add_row("ledger", f"record {logged.number}, {'signed' if logged.signed else 'not signed'}")
    table.add_row("head", Text(logged.head, overflow="fold"))
    print_rich(table)


def verify(
    head: Annotated[
        str | None, typer.Option(help="What a summary carried: that record must be there.", metavar="NUMBER:HASH")
    ] = None,
    public_key: Annotated[
        str | None, typer.Option("--key", help="The public key that must have signed: a file or its digits.")
    ] = None,
    ledger: LEDGER = None, as_json: JSON = False,
) -> None:  # fmt: skip
    """Check the whole ledger; exit 1 where it is not as it was written."""
    from scimops.jobs.signing import read_public_key
    from scimops.jobs.verify import verify as checked

    found = checked(ledger, head, read_public_key(public_key) if public_key else None)
    if as_json:
        print_json(found.to_dict())
    elif found.good:
        typer.echo(f"Whole and unchanged: {found.records:,} records. Head: {found.head or '—'}")
        typer.echo(found.proves)
    else:
        where = f"Line {found.line:,}: " if found.line else ""
        typer.echo(visible(f"{where}{found.message} ({found.why}) Good before it: {found.records:,} records."))
    for count, words in ((found.torn, "writers were killed in the middle"), (found.clock_went_back, "times the clock "
                         "went back: the order is that of the chain")):  # fmt: skip
        if count:
            complain(f"{count:,} {words}.")
    if head is None and found.good and found.records:
        complain("Whether the tail was cut off shows only against a head: --head, from the summary of a run.")
    if not found.good:
        raise typer.Exit(1)


def diff(one: ID, other: ID, ledger: LEDGER = None, as_json: JSON = False) -> None:
    """Show what differs between two runs: parameters, inputs, counts, outputs, versions."""
    from rich.table import Table
    from rich.text import Text

    from scimops.jobs.history import differences, the_run

    left, right = the_run(one, ledger), the_run(other, ledger)
    rows = differences(left.record, right.record)
    if as_json:
        found = [{"what": what, "one": before, "other": after} for what, before, after in rows]
        print_json({"format": 1, "one": left.record.id, "other": right.record.id, "differences": found})
        return
    if not rows:
        complain("They differ in nothing but their time.")
        return
    table = Table("What", left.record.id, right.record.id, box=None)
    for row in rows:
        table.add_row(*(Text(visible(cell), overflow="fold") for cell in row))
    print_rich(table)


def export(
    out: Annotated[Path, typer.Option(help="The file to write.", metavar="FILE")],
    form: Annotated[str | None, typer.Option("--format", help="csv, json or parquet; else by the file's name.")] = None,
    outcome: OUTCOME = None, notebook: NOTEBOOK = None, since: SINCE = None, ledger: LEDGER = None,
) -> None:  # fmt: skip
    """Write the runs into one file for analysis, a row each, the oldest first."""
    from scimops.cli.runs_export import WRITERS
    from scimops.jobs.history import runs
    from scimops.jobs.table import runs_frame
    from scimops.present.files import replaced

    form = form or out.suffix.removeprefix(".")
    if form not in WRITERS:
        raise UsageError(f'There is no format "{form}".', advice=f"{nearest(form, WRITERS)} Known: csv, json, parquet.")
    frame = runs_frame(list(runs(ledger, _wanted(outcome, notebook, since)))[::-1])
    try:
        with replaced(out) as draft:
            WRITERS[form](frame, draft)
    except OSError as error:
        raise UsageError("cannot be written there.", where=str(out), advice="Name a file in a folder.") from error
    complain(f"Written: {len(frame):,} runs to {out}.")


def prune(
    older_than: Annotated[str, typer.Option(help="Age of the runs: 90d, 12w.", metavar="AGE")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    ledger: LEDGER = None,
) -> None:
    """Remove what old runs left on disk. Their records stay, and this is one more."""
    from scimops.jobs.history import read_span
    from scimops.jobs.prune import leftovers
    from scimops.jobs.prune import prune as remove

    found = leftovers(read_span(older_than), ledger)
    counts = found.counts
    print_counts(counts)
    if dry_run or not found.files:
        return
    if not yes:
        confirmed("Remove these files?", "Say --yes once you have looked at --dry-run.")
    with recorded("review_runs", "runs prune", {"older_than": older_than}, ledger) as recording:
        recording.counts |= counts
        remove(found)


def overdue(
    every: Annotated[str, typer.Option(help="How often it runs: 24h, 7d.", metavar="SPAN")],
    notebook: Annotated[list[str], typer.Option(help="Name of the notebook; may be repeated.", metavar="NAME")],
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit 3 where one is overdue.")] = False,
    ledger: LEDGER = None, as_json: JSON = False,
) -> None:  # fmt: skip
    """Say which notebooks were not completed in time: a night that was missed, or that failed."""
    from scimops.jobs.history import overdue as is_overdue
    from scimops.jobs.history import read_span

    late: list[dict[str, Any]] = []
    for name in notebook:
        found = is_overdue(name, read_span(every), ledger)
        if found is None:
            continue
        last, done = found
        late.append({"notebook": name, "last_run": _document(last) if last else None,
                     "last_completed": done.when_done.isoformat() if done else None})  # fmt: skip
        if not as_json:
            said = f"it was last completed at {done.when_done:%Y-%m-%d %H:%M} UTC" if done else "it was never completed"
            ended = (
                f"; its last run {last.record.id}: {last.record.outcome.replace('_', ' ')}"
                if last
                else ", and never ran"
            )
            typer.echo(f"{name} is overdue: {said}{ended}.")
    if as_json:
        print_json({"format": 1, "every": every, "overdue": late})
    elif not late:
        complain("Nothing is overdue.")
    if late and exit_code:
        raise typer.Exit(3)


def key() -> None:
    """Make the key that signs the ledger from now on."""
    new_key()


# -- Shared ---------------------------------------------------------------------------------------


def _wanted(outcome: str | None, notebook: str | None, since: str | None) -> Wanted:
    """Which runs are meant.

    Raises:
        UsageError: there is no such outcome, or `since` is no time.
    """
    from typing import get_args

    from scimops.jobs.history import Wanted, read_since
    from scimops.jobs.record import Outcome

    known = get_args(Outcome)
    outcome = outcome and outcome.replace(" ", "_").replace("-", "_")
    if outcome is not None and outcome not in known:
        advice = f"{nearest(outcome, known)} Known: {', '.join(known)}.".strip()
        raise UsageError(f'There is no outcome "{outcome}".', advice=advice)
    return Wanted(outcome, notebook, read_since(since) if since else None)


def _document(logged: Logged) -> dict[str, Any]:
    return {
        "number": logged.number, "hash": logged.hash, "signed": logged.signed,
        "record": logged.record.model_dump(mode="json"),
    }  # fmt: skip


def _nothing(ledger: Path | None) -> str:
    from scimops.config import ledger_file
    from scimops.jobs.ledger import is_empty

    path = ledger or ledger_file()
    if is_empty(path):
        return f"Nothing ran yet: {path} is empty. scimops run NOTEBOOK writes the first record."
    return "No run is of that kind. Leave out --outcome, --notebook or --since to see others."
