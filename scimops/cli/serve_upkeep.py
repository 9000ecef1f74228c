"""`scimops serve backup` and `scimops serve erase`: upkeep of the embedded platform's data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scimops.cli.common import confirmed, print_counts

DATABASE = Annotated[str, typer.Option(help="sqlite:///FILE or postgresql://USER@HOST/NAME.", metavar="URL")]
HERE = "sqlite:///scimops-platform.db"


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(backup)
    app.command()(erase)


def backup(
    file: Annotated[Path, typer.Argument(help="The copy to make; a file that is there is never overwritten.")],
    database: DATABASE = HERE,
) -> None:
    """Copy the database of a platform, also while it serves.

    The copy is of one moment, checked, and its owner's alone: it holds people's data. To restore it, stop the server,
    move the database file away together with the files beside it that end in -wal and -shm, put the copy in its place
    and start the server. Of PostgreSQL pg_dump makes the copy; this command then says how.
    """
    from scimops.service_provider.backup import back_up

    size = back_up(database, file)
    typer.echo(f"{file}: {size:,} bytes, checked.")


def erase(
    person: Annotated[str, typer.Argument(help="userName, e-mail address, externalId or resource id.")],
    database: DATABASE = HERE,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how much would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove a person everywhere: from the people, groups and enrolments, and from both logs.

    Take the person out of the identity provider first, or it sends them again. Lines of the logs stay with their time,
    operation and status; what tells of the person in them (id, names, addresses, every old and new value) becomes the
    word "erased". A line of a bulk request does not say which value is whose: there all values of people go. Other
    people's entries lose the person as their manager. An address that a filter names only in part stays.

    SQLite's file is written anew afterwards, so that the bytes are gone; that needs as much free space again. On
    PostgreSQL they go when VACUUM uses the room again. Copies made before (backups, recordings) still hold the person.
    """
    from scimops.service_provider.erasure import erase_person, scrub
    from scimops.service_provider.upkeep import open_made

    opened = open_made(database)
    try:
        if dry_run or not yes:
            print_counts(erase_person(opened, person, dry_run=True).counts())
        if dry_run:
            return
        if not yes:
            confirmed("This cannot be undone. Erase?", "Look at --dry-run, then say --yes.")
        erased = erase_person(opened, person)
        typer.echo("Erased:")
        print_counts(erased.counts())
    finally:
        opened.close()
    scrub(database)
