"""Commands of the step plan_and_apply: plan, approve, apply, undo."""

from __future__ import annotations

import datetime as dt
import getpass
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scimops.cli.common import DELIMITER, ENCODING, FILES, JSON, SHAPE, complain, print_json, print_rich, visible
from scimops.cli.recording import LEDGER, recorded
from scimops.errors import UsageError

if TYPE_CHECKING:
    from scimops.apply import Progress, Receipts
    from scimops.client.snapshot import Snapshot
    from scimops.plan import Plan
    from scimops.plan.approval import Approval
    from scimops.setting import Setting

SETTING = Annotated[Path, typer.Option(help="The setting.", metavar="S.yaml")]
CONNECTION = Annotated[str | None, typer.Option(help="Connection to the service provider.", metavar="NAME")]
PLAN = Annotated[Path, typer.Argument(help="The plan.", metavar="PLAN.json")]
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
    person: Annotated[str | None, typer.Option(help="Show one person: userName, e-mail, externalId.")] = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit 3 where there are changes.")] = False,
    shape: SHAPE = None, encoding: ENCODING = None, delimiter: DELIMITER = None, ledger: LEDGER = None,
    as_json: JSON = False,
) -> None:  # fmt: skip
    """Show what would be changed at the service provider, hold back too many removals, and seal it in a file.

    Nothing is changed. 4: a safeguard withholds something. 5: the export is a part, foreign or too old: no plan.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # nothing here uses them, and they cost CPU at the start
    from scimops.idp import read_export
    from scimops.setting import load_setting

    if (connection is None) == (snapshot is None):
        raise UsageError("Name the service provider.", advice="Give --connection NAME, or --snapshot DIR.")
    given = {"export": files, "setting": str(setting), "connection": connection or "", "out": str(out)}
    with recorded(STEP, "plan", given, ledger) as recording:
        chosen, export = load_setting(setting), read_export(*files, shape=shape, encoding=encoding, delimiter=delimiter)
        held = _held(connection, snapshot, chosen)
        if save_snapshot:
            held.save(save_snapshot)
        made = _made(export, chosen, held, setting.parent, delete=delete)
        made.save(out)
        recording.counts |= made.counts
        recording.digests["plan"] = made.digest
        recording.exit_code = 4 if made.held.height else 0
    _show(made, person, as_json)
    complain(f"Written to {out}, sealed {made.digest[:12]}. Nothing was changed.")
    _end(made, exit_code=exit_code, next_step=f"scimops approve {out}")


def approve(
    plan: PLAN,
    reason: Annotated[str, typer.Option(help="Why it is right.", metavar="TEXT")],
    by: Annotated[str, typer.Option(help="Who approves (default: this account).", metavar="NAME")] = "",
    valid: Annotated[int, typer.Option(min=1, max=24 * 14, help="Hours that the approval counts.")] = 24,
    withheld: Annotated[
        int | None, typer.Option(help="How many are withheld; asked for where it is not given.", metavar="N")
    ] = None,
    ledger: LEDGER = None,
) -> None:
    """Approve what this plan withholds: this plan only, for a limited time."""
    from scimops.jobs.signing import UNSIGNED, signer
    from scimops.plan import load_plan
    from scimops.plan.approval import approve as approved

    sealed = load_plan(plan)
    if sealed.held.is_empty():
        raise UsageError("Nothing is withheld in this plan.", where=str(plan), advice=f"scimops apply {plan}")
    _show(sealed, None, as_json=False)
    if withheld is None:
        withheld = _typed(sealed.held.height)
    if withheld != sealed.held.height:
        raise UsageError(f"{sealed.held.height:,} are withheld, not {withheld:,}. Nothing is approved.")
    with recorded(STEP, "approve", {"plan": str(plan), "reason": reason}, ledger) as recording:
        approval, key = approved(sealed, by or getpass.getuser(), reason, dt.timedelta(hours=valid)), signer()
        if key:
            from dataclasses import replace

            approval = replace(approval, key=key.public, signature=key.sign(approval.content))
        approval.save(_approval_file(plan))
        recording.digests["plan"] = sealed.digest
        recording.counts["withheld"] = withheld
    complain(f"Approved until {approval.valid_until}: {_approval_file(plan)}.")
    if not key:
        complain(UNSIGNED)


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

    sealed, approval = load_plan(plan), _approval(plan)
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
        back = inverse(was, done, _held(connection, None, was.setting), delete=delete)
        back.save(out)
        recording.counts |= back.counts
        recording.digests["plan"] = back.digest
    _show(back, None, as_json)
    complain(f"Written to {out}. To do it: scimops apply {out} --connection {connection}")
    _end(back, exit_code=False, next_step=f"scimops approve {out}")


def _held(connection: str | None, snapshot: Path | None, setting: Setting) -> Snapshot:
    """What the service provider holds: over SCIM, through the management API, or as it was saved."""
    from scimops.client import connect
    from scimops.client.snapshot import load_snapshot
    from scimops.connections import get_connection

    if snapshot:
        return load_snapshot(snapshot)
    chosen = get_connection(connection or "")
    complain(f"Reading what {chosen.name} holds …")
    if chosen.kind == "scim":
        with connect(chosen) as service_provider:
            return service_provider.read_snapshot(setting)
    from scimops.client.management import read_from_platform
    from scimops.platform import connect as connect_platform

    with connect_platform(chosen) as platform:
        return read_from_platform(platform, setting, chosen.name)


def _made(export: Any, setting: Setting, held: Snapshot, folder: Path, *, delete: bool) -> Plan:
    from scimops.grouping import group_key
    from scimops.plan import make_plan
    from scimops.preview import ExistingGroups, preview_export

    names = {group_key(name): name for name in held.groups["name"]}
    preview = preview_export(
        export, setting, existing=ExistingGroups(names, held.where), channel="apply", folder=folder,
        capabilities=held.capabilities,
    )  # fmt: skip
    return make_plan(preview, held, delete=delete)


def _show(made: Plan, person: str | None, as_json: bool) -> None:
    if as_json:
        print_json(made.to_dict() | {"seal": made.digest})
        return
    from scimops.present.plan_tables import person_text, plan_tables

    print_rich(person_text(made, person) if person else plan_tables(made))


def _end(made: Plan, *, exit_code: bool, next_step: str) -> None:
    if made.held.height:
        complain(f"{made.held.height:,} are withheld. Look at them; where they are right: {next_step} --reason TEXT")
        raise typer.Exit(4)
    if exit_code and made.operations.height:
        raise typer.Exit(3)


def _typed(count: int) -> int:
    """The number that a person types, having seen the names.

    Raises:
        UsageError: nobody is there to be asked.
    """
    if not sys.stdin.isatty():
        raise UsageError("Nobody is there to be asked.", advice=f"Say --withheld {count} where these are right.")
    return int(typer.prompt(f"Type how many are withheld ({count:,}) to approve them", type=int, err=True))


def _approval_file(plan: Path) -> Path:
    return plan.with_name(f"{plan.stem}.approval.json")


def _approval(plan: Path) -> Approval | None:
    """The approval beside the plan; None where there is none."""
    from scimops.jobs.signing import signature_fits
    from scimops.plan import load_plan
    from scimops.plan.approval import load_approval

    path = _approval_file(plan)
    return load_approval(path, load_plan(plan), signature_fits) if path.exists() else None


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
