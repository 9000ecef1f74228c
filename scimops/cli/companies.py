"""`scimops companies`: the file of companies for `scimops run --each`, from the platform's list."""

from __future__ import annotations

import difflib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scimops.cli.common import JSON, complain, print_json, visible
from scimops.cli.recording import LEDGER, recorded
from scimops.errors import ScimopsError, UsageError

if TYPE_CHECKING:
    from scimops.connections import Connection
    from scimops.jobs.companies_skeleton import Skeleton


def companies(
    connection: Annotated[str, typer.Option(help="Connection to the platform; a reseller's sees all.", metavar="NAME")],
    out: Annotated[
        Path, typer.Option(help="The file; what is in it stays, and new companies are added.", metavar="FILE")
    ] = Path("companies.yaml"),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    ledger: LEDGER = None,
    as_json: JSON = False,
) -> None:
    """Write the file of companies for `run --each`, or add to it those that are new on the platform.

    Comments, parameters and order stay. A company that is gone from the platform is said, never removed.
    """
    from scimops.connections import get_connection, load_connections
    from scimops.jobs.companies_skeleton import brought_up
    from scimops.yaml_documents import write_whole

    chosen = get_connection(connection)
    acting = {one.company_id: one.name for one in load_connections().connections.values() if one.company_id}
    with recorded("review_runs", "companies", {"connection": connection, "out": str(out)}, ledger) as recording:
        skeleton = brought_up(out, _listed(chosen), {str(key): name for key, name in acting.items()})
        recording.counts |= {"added": len(skeleton.added), "gone": len(skeleton.gone),
                             "unchanged": skeleton.unchanged, "renamed": len(skeleton.renamed)}  # fmt: skip
        if not dry_run and skeleton.after != skeleton.before:
            try:
                write_whole(out, skeleton.after)
            except OSError as error:
                raise ScimopsError(f"it cannot be written: {error.strerror}.", where=str(out)) from error
    if as_json:
        said = {key: value for key, value in asdict(skeleton).items() if key not in ("before", "after")}
        print_json({"format": 1, "file": str(out), "written": not dry_run, **said})
    else:
        _say(skeleton, out, dry_run)


def _say(skeleton: Skeleton, out: Path, dry_run: bool) -> None:
    if dry_run:
        before, after = skeleton.before.splitlines(), skeleton.after.splitlines()
        for line in difflib.unified_diff(before, after, str(out), str(out), lineterm=""):
            typer.echo(visible(line))
    for name in skeleton.gone:
        complain(f"{name} is not on the platform any more. Its entry stays; take it out if that is right.")
    for name, now in skeleton.renamed:
        complain(f"{name} is called {now} on the platform. Its entry keeps its name, and so its folder and ledger.")
    if skeleton.unconnected:
        complain(f"Without a connection: {', '.join(skeleton.unconnected)}. Write `connection: NAME` there.")
    deed = "would be added to" if dry_run else "added to"
    complain(f"{len(skeleton.added):,} {deed} {out}, {skeleton.unchanged:,} as they were.")


def _listed(connection: Connection) -> list[tuple[str, str]]:
    """Id and name of every company that the credential sees.

    Raises:
        UsageError: the connection is one to a SCIM endpoint.
        PlatformError: the platform cannot be asked.
        IncompleteSourceError: the list was not read whole.
    """
    from scimops.http.retries import Retries
    from scimops.platform.session import Session

    if connection.kind != "platform":
        raise UsageError(f'The connection "{connection.name}" leads to a SCIM endpoint, which has no companies.',
                         advice="Name one of kind: platform; scimops connection list shows them.")  # fmt: skip
    session = Session(connection.model_copy(update={"reseller": False}), Retries())
    try:
        return [(company.id, company.name) for company in session.all_companies()]
    finally:
        session.close()
