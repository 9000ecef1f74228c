"""The command approve of the step plan_and_apply, and the approval beside a plan."""

from __future__ import annotations

import datetime as dt
import getpass
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scimops.cli.common import complain, print_rich
from scimops.cli.recording import LEDGER, recorded
from scimops.errors import UsageError

if TYPE_CHECKING:
    from scimops.plan import Plan
    from scimops.plan.approval import Approval

PLAN = Annotated[Path, typer.Argument(help="The plan.", metavar="PLAN.json")]
LONGEST = dt.timedelta(days=14)
"""How long an approval may count: what is there changes."""


def approve(
    plan: PLAN,
    reason: Annotated[str, typer.Option(help="Why it is right.", metavar="TEXT")],
    by: Annotated[str, typer.Option(help="Who approves (default: this account).", metavar="NAME")] = "",
    valid: Annotated[str, typer.Option(help="How long it counts: 8h, 7d; at most 14d.", metavar="TIME")] = "24h",
    withheld: Annotated[
        int | None, typer.Option(help="How many are withheld; asked for where it is not given.", metavar="N")
    ] = None,
    ledger: LEDGER = None,
) -> None:
    """Approve what this plan withholds: this plan only, for a limited time.

    They are shown by name, and their number is typed, or given with --withheld. 5: the plan was changed.
    """
    from scimops.jobs.signing import UNSIGNED, signer
    from scimops.plan import load_plan
    from scimops.plan.approval import approvable
    from scimops.plan.approval import approve as approved

    sealed, time = load_plan(plan), _time(valid)
    if not reason.strip():
        raise UsageError("The reason is empty.", advice="Say why it is right: --reason TEXT.")
    count = approvable(sealed).height
    _say_what(plan, sealed, count)
    number = withheld if withheld is not None else _typed(count)
    if number != count:
        raise UsageError(f"{count:,} are withheld, not {number:,}. Nothing is approved.")
    with recorded("plan_and_apply", "approve", {"plan": str(plan), "reason": reason}, ledger) as recording:
        key = signer()
        approval = approved(sealed, by or getpass.getuser(), reason.strip(), time).signed(key)
        approval.save(approval_file(plan))
        recording.digests["plan"] = sealed.digest
        recording.counts["withheld"] = count
    complain(f"Approved until {approval.valid_until}: {approval_file(plan)}.")
    if not key:
        complain(UNSIGNED)


def approval_file(plan: Path) -> Path:
    """Where the approval of a plan is: beside it."""
    return plan.with_name(f"{plan.stem}.approval.json")


def approval_of(path: Path, plan: Plan) -> Approval | None:
    """The approval beside the plan in `path`; None where there is none.

    Where this computer has a key, one without a signature is refused; whose signature it is, is said.
    """
    from scimops.jobs.signing import signature_fits, signer
    from scimops.plan.approval import load_approval

    file = approval_file(path)
    if not file.exists():
        return None
    own = signer()
    approval = load_approval(file, plan, signature_fits, signed=own is not None)
    if own and approval.key != own.public:
        complain(f"The approval is signed with another key than this computer's: {approval.key}.")
    complain(f"Approved by {approval.by} until {approval.valid_until}: {approval.reason}")
    return approval


def _say_what(path: Path, plan: Plan, count: int) -> None:
    """Show the withheld by name; with nothing to approve, that is wrong usage."""
    from scimops.present.plan_tables import plan_tables

    if plan.held.is_empty():
        raise UsageError("Nothing is withheld in this plan.", where=str(path), advice=f"scimops apply {path}")
    print_rich(plan_tables(plan))
    stay = plan.held.height - count
    if stay:
        complain(f"{stay:,} stay withheld all the same: who is protected by the setting, and swaps of userNames.")
    if not count:
        raise UsageError("Nothing here can be approved.", where=str(path), advice="Change the setting, and plan again.")


def _time(text: str) -> dt.timedelta:
    found = re.fullmatch(r"([1-9]\d{0,3})([hd])", text.strip())
    time = dt.timedelta(**{"hours" if found[2] == "h" else "days": int(found[1])}) if found else LONGEST * 2
    if time > LONGEST:
        raise UsageError(f'--valid is "{text}".', advice="Say hours or days, at most 14d: 8h, 24h, 7d.")
    return time


def _typed(count: int) -> int:
    """The number that a person types, having seen the names.

    Raises:
        UsageError: nobody is there to be asked.
    """
    if not sys.stdin.isatty():
        raise UsageError("Nobody is there to be asked.", advice=f"Say --withheld {count} where these are right.")
    try:
        return int(typer.prompt(f"Type how many are withheld ({count:,}) to approve them", type=int, err=True))
    except typer.Abort:  # Ctrl-C or the end of input
        raise typer.Exit(130) from None
