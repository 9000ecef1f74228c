"""`scimops serve enrol`, `enrol-new`, `auto-enrol`, `delete-group`: what people and the platform do, not the API."""

from __future__ import annotations

from typing import Annotated

import typer

from scimops.cli.serve_upkeep import DATABASE, HERE

COMPANY = Annotated[str | None, typer.Option(help="Name or id; the first company if not given.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(enrol)
    app.command("enrol-new")(enrol_new)
    app.command("auto-enrol")(auto_enrol)
    app.command("delete-group")(delete_group)


def enrol(
    name: Annotated[str, typer.Argument(help="Name of the enrolment.")],
    group: Annotated[list[str], typer.Option(help="Target group, by name or id; say it once for each.")],
    auto_enrol: Annotated[bool, typer.Option(help="Are people enrolled who join a group later (enrol-new)?")] = True,
    training: Annotated[str | None, typer.Option(help="Name of the training; the enrolment's if not given.")] = None,
    company: COMPANY = None,
    database: DATABASE = HERE,
) -> None:
    """Make an enrolment and enrol who is in its groups now; its id is shown.

    On a real platform an admin does this on the page. Here it is for tests and rehearsals.
    """
    from scimops.service_provider.management.fixtures import add_enrolment
    from scimops.service_provider.upkeep import company_of, group_of, open_made

    opened = open_made(database)
    with opened.write() as connection:
        owner = company_of(connection, company)
        groups = [group_of(connection, owner, word) for word in group]
        made = add_enrolment(connection, owner, name, groups, auto_enrol=auto_enrol, training=training)
    opened.close()
    typer.echo(made)


def enrol_new(company: COMPANY = None, database: DATABASE = HERE) -> None:
    """Enrol who joined the groups of an auto-enrolment since; how many is shown.

    A real platform does this by itself. Here nothing does, so that a rehearsal can show the gap.
    """
    from scimops.service_provider.management import fixtures
    from scimops.service_provider.upkeep import company_of, open_made

    opened = open_made(database)
    with opened.write() as connection:
        count = fixtures.enrol_new(connection, company_of(connection, company))
    opened.close()
    typer.echo(f"{count:,} enrolled")


def auto_enrol(
    enrolment: Annotated[str, typer.Argument(help="Id of the enrolment, as enrol showed it.")],
    on: Annotated[bool, typer.Option("--on/--off", help="Are people enrolled who join a group later?")],
    company: COMPANY = None,
    database: DATABASE = HERE,
) -> None:
    """Switch the auto-enrol of an enrolment on or off, as an admin does by hand on a real platform."""
    from scimops.service_provider.management.fixtures import switch_auto_enrol
    from scimops.service_provider.upkeep import company_of, open_made

    opened = open_made(database)
    with opened.write() as connection:
        switch_auto_enrol(connection, company_of(connection, company), enrolment, on=on)
    opened.close()


def delete_group(
    group: Annotated[str, typer.Argument(help="Target group, by name or id.")],
    company: COMPANY = None,
    database: DATABASE = HERE,
) -> None:
    """Delete a target group with its memberships, as an admin does by hand on a real platform.

    The platform has no API for it. Here it is for tests and rehearsals: the rule brings the group back with all its
    people as soon as one of them belongs in it.
    """
    from scimops.service_provider.management.fixtures import delete_group_by_hand
    from scimops.service_provider.upkeep import company_of, group_of, open_made

    opened = open_made(database)
    with opened.write() as connection:
        owner = company_of(connection, company)
        delete_group_by_hand(connection, owner, group_of(connection, owner, group))
    opened.close()
