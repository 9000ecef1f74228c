"""Commands of the step plan_and_apply: plan, approve, apply, undo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scimops.cli.approve import PLAN, approval_of, approve
from scimops.cli.common import (
    DELIMITER,
    ENCODING,
    FILES,
    JSON,
    SHAPE,
    complain,
    print_json,
    print_rich,
    visible,
    without_algebra,
)
from scimops.cli.recording import LEDGER, recorded
from scimops.errors import UsageError

if TYPE_CHECKING:
    from scimops.apply import Progress, Receipts
    from scimops.client.snapshot import Snapshot
    from scimops.plan import Plan
    from scimops.setting import Setting

SETTING = Annotated[Path, typer.Option(help="The setting.", metavar="S.yaml")]
CONNECTION = Annotated[str | None, typer.Option(help="Connection to the service provider.", metavar="NAME")]
STEP = "plan_and_apply"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (plan, approve, apply, undo):
        app.command(command.__name__)(command)


def plan(
    files: FILES, setting: SETTING, connection: CONNECTION = None,
    snapshot: Annotated[
        Path | None, typer.Option(help="A snapshot that was saved, instead of a connection.", metavar="DIR")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where the plan is written.", metavar="PLAN.json")] = Path("plan.json"),
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete who left and is not active any more; else they only end.")
    ] = False,
    save_snapshot: Annotated[
        Path | None, typer.Option(help="Keep what the service provider holds, for plans offline.", metavar="DIR")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="The plan as one page to look at; it names people.", metavar="FILE")
    ] = None,
    xlsx: Annotated[Path | None, typer.Option(help="Every operation as a workbook.", metavar="FILE")] = None,
    person: Annotated[str | None, typer.Option(help="Show one person: userName, e-mail, externalId.")] = None,
    history: Annotated[
        Path | None,
        typer.Option(help="Folder with receipts of earlier applies (default: where --out is).", metavar="DIR"),
    ] = None,
    require_history: Annotated[
        bool, typer.Option("--require-history", help="No plan where earlier applies are not known: exit 5.")
    ] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit 3 where there are changes.")] = False,
    shape: SHAPE = None, encoding: ENCODING = None, delimiter: DELIMITER = None, ledger: LEDGER = None,
    as_json: JSON = False,
) -> None:  # fmt: skip
    """Show what would be changed at the service provider, hold back too many removals, and seal it in a file.

    Nothing is changed. 4: a safeguard withholds something. 5: the export is a part, foreign or too old: no plan. What
    earlier applies removed counts towards the limits: their receipts are looked for.
    """
    without_algebra()
    from scimops.client.snapshot import load_snapshot
    from scimops.idp import read_export
    from scimops.plan.sources import Past, plan_for
    from scimops.setting import load_setting

    if (connection is None) == (snapshot is None):
        raise UsageError("Name the service provider.", advice="Give --connection NAME, or --snapshot DIR.")
    past = Past(history or out.parent, require_history)
    if history and not history.is_dir():
        raise UsageError("There is no such folder.", where=str(history), advice="Name where applies put receipts.")
    given = {"export": files, "setting": str(setting), "connection": connection or "", "out": str(out),
             "history": str(past.folder)}  # fmt: skip
    with recorded(STEP, "plan", given, ledger) as recording:
        chosen, export = load_setting(setting), read_export(*files, shape=shape, encoding=encoding, delimiter=delimiter)
        held = load_snapshot(snapshot) if snapshot else _held(connection or "", chosen)
        if save_snapshot:
            held.save(save_snapshot)
        _, made = plan_for(export, chosen, held, setting.parent, delete=delete, past=past)
        made.save(out)
        written = [str(out), *_views(made, html, xlsx)]
        recording.counts |= made.counts
        recording.digests["plan"] = made.digest
        recording.exit_code = made.exit_code if made.held.height or exit_code else 0
    _show(made, person, as_json)
    complain(f"Written to {', '.join(written)}, sealed {made.digest[:12]}. Nothing was changed.")
    _end(made, exit_code=exit_code, next_step=f"scimops approve {out}")


def apply(
    plan: PLAN, connection: Annotated[str, typer.Option(help="Connection to the service provider.", metavar="NAME")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of journal and receipts (default: beside the plan).", metavar="DIR")
    ] = None,
    setting: Annotated[
        Path | None, typer.Option(help="The setting as it is now: refused where it changed.", metavar="S.yaml")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Send nothing; simulate each step.")] = False,
    ledger: LEDGER = None, as_json: JSON = False,
) -> None:  # fmt: skip
    """Do exactly what a sealed plan says, and keep a receipt of each step.

    Killed or stopped, begin it again: it goes on and does no step twice. 1: not all was done. 4: something is withheld.
    5: the plan is stale, or people changed meanwhile.
    """
    from scimops.apply import apply as applied
    from scimops.client import connect
    from scimops.connections import get_connection
    from scimops.plan import load_plan
    from scimops.setting import load_setting

    sealed = load_plan(plan)
    approval = approval_of(plan, sealed)
    folder = out or plan.with_name(f"{plan.stem}-{sealed.digest[:12]}")  # each plan has its own journal
    given = {"plan": str(plan), "connection": connection, "out": str(folder), "dry_run": dry_run}
    with recorded(STEP, "apply", given, ledger) as recording, connect(get_connection(connection)) as service_provider:
        complain("Dry run: nothing is sent." if dry_run else f"Applying {sealed.digest[:12]} …")
        receipts = applied(
            plan, service_provider, folder, dry_run=dry_run, approved=approval, tell=complain, on_progress=_progress(),
            setting=load_setting(setting) if setting else None,
        )  # fmt: skip
        recording.counts |= receipts.counts
        recording.digests["plan"] = sealed.digest
        recording.exit_code = receipts.exit_code
    _tell(receipts, folder / "dry_run" if dry_run else folder, as_json)
    if receipts.exit_code:
        raise typer.Exit(receipts.exit_code)


def undo(
    receipts: Annotated[Path, typer.Argument(help="The folder that an apply wrote.", metavar="DIR")],
    connection: Annotated[str, typer.Option(help="Connection to the service provider.", metavar="NAME")],
    out: Annotated[Path, typer.Option(help="Where the plan back is written.", metavar="PLAN.json")] = Path("undo.json"),
    delete: Annotated[bool, typer.Option("--delete", help="Delete who was made; else they only end.")] = False,
    ledger: LEDGER = None, as_json: JSON = False,
) -> None:  # fmt: skip
    """Make the plan that undoes exactly what was done, itself under the safeguards. Apply it with scimops apply."""
    from scimops.apply import load_receipts
    from scimops.plan import load_plan
    from scimops.plan.inverse import inverse

    with recorded(STEP, "undo", {"receipts": str(receipts), "connection": connection}, ledger) as recording:
        done, was = load_receipts(receipts / "receipts.json"), load_plan(receipts / "plan.json")
        back = inverse(was, done, _held(connection, was.setting), delete=delete)
        back.save(out)
        recording.counts |= back.counts
        recording.digests["plan"] = back.digest
    _show(back, None, as_json)
    complain(f"Written to {out}. To do it: scimops apply {out} --connection {connection}")
    _end(back, exit_code=False, next_step=f"scimops approve {out}")


def _held(connection: str, setting: Setting) -> Snapshot:
    from scimops.plan.sources import read_held

    complain(f"Reading what {connection} holds …")
    return read_held(connection, setting)


def _show(made: Plan, person: str | None, as_json: bool) -> None:
    if as_json:
        print_json(made.to_dict() | {"seal": made.digest})
        return
    from scimops.present.plan_tables import person_text, plan_tables

    print_rich(person_text(made, person) if person else plan_tables(made))


def _views(made: Plan, html: Path | None, xlsx: Path | None) -> list[str]:
    """Write the page and the workbook, where they are asked for; what was written."""
    from scimops.present.plan_files import write_plan_page, write_plan_workbook

    if html:
        write_plan_page(made, html)
    if xlsx:
        write_plan_workbook(made, xlsx)
    return [str(path) for path in (html, xlsx) if path]


def _end(made: Plan, *, exit_code: bool, next_step: str) -> None:
    if made.held.height:
        complain(f"{made.held.height:,} are withheld. Look at them; where they are right: {next_step} --reason TEXT")
        raise typer.Exit(4)
    if exit_code and made.operations.height:
        raise typer.Exit(3)


def _progress() -> Any:
    """Says how far it is, at most once a tenth."""
    told = [0]

    def tell(progress: Progress) -> None:
        tenth = 10 * progress.done // max(progress.of, 1)
        if tenth > told[0]:
            told[0] = tenth
            left = "" if progress.seconds_left is None else f", {progress.seconds_left:.0f} s left"
            complain(f"{progress.done:,} of {progress.of:,}, {progress.rate:.0f} a second{left}")

    return tell


def _tell(receipts: Receipts, folder: Path, as_json: bool) -> None:
    if as_json:
        print_json(receipts.to_dict())
    else:
        for outcome, count in receipts.counts.items():
            typer.echo(f"{outcome.replace('_', ' '):>18}: {count:,}")
    for each in receipts.findings:
        complain(visible(f"{each.level}: {each.message} {each.advice}"))
    if receipts.stopped:
        complain(visible(f"It ended early: {receipts.stopped}"))
    complain(f"Receipts: {folder / 'receipts.json'}")
