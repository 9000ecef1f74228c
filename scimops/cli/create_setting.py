"""Commands of the step create_setting: guide."""

from __future__ import annotations

from typing import Annotated

import typer

from scimops.cli.common import print_rich
from scimops.errors import UsageError, nearest


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("guide")(guide)


def guide(
    idp: Annotated[
        str, typer.Argument(help="entra, okta, onelogin, jumpcloud, google_workspace, scim or generic.", metavar="IDP")
    ],
    export: Annotated[bool, typer.Option("--export", help="How to get the export, with the exact lines.")] = False,
) -> None:
    """Say how to get an export out of an identity provider."""
    from rich.markdown import Markdown

    from scimops.idp.guides import export_guide, names

    if not export:
        raise UsageError("Say which guide: --export, how to get the export.")
    if idp not in names():
        raise UsageError(
            f'There is no guide for "{idp}".', advice=nearest(idp, names()) or f"Known: {', '.join(names())}."
        )
    print_rich(Markdown(export_guide(idp)))
