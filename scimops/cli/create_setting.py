"""Commands of the step create_setting: guide."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scimops.cli import connection
from scimops.cli import setting as setting_commands
from scimops.cli.common import SHAPE, complain, print_rich
from scimops.errors import UsageError, nearest

if TYPE_CHECKING:
    from scimops.present.guide import Guide


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("guide")(guide)
    connection.register(app)
    setting_commands.register(app)


def guide(
    idp: Annotated[str, typer.Argument(help="entra, okta, onelogin, jumpcloud or other.", metavar="IDP")],
    setting: Annotated[
        Path | None, typer.Option(help="The setting: how to connect the identity provider to it.", metavar="S.yaml")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(help="The URL for the identity provider; not given: as recorded."),
    ] = None,
    export: Annotated[
        list[str] | None, typer.Option(help="The export: how many have a value, what each scope costs.", metavar="FILE")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write one page with buttons that copy.", metavar="FILE")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the page, and OneLogin's SCIM JSON template.", metavar="DIR")
    ] = None,
    how_to_export: Annotated[
        bool, typer.Option("--how-to-export", help="How to get the export, with the exact lines.")
    ] = False,
    shape: SHAPE = None,
) -> None:
    """Say how to connect an identity provider.

    With --setting each step with its own field names and your values; with --how-to-export how to get the export.
    """
    if how_to_export == (setting is not None):
        raise UsageError(
            "Say which guide.",
            advice="--setting S.yaml says how to connect the identity provider, --how-to-export how to get the export.",
        )
    if setting is None:
        _export_guide(idp)
        return
    from scimops.present.guide import make_guide
    from scimops.present.guide_text import guide_text
    from scimops.setting import load_setting

    loaded = load_setting(setting)
    preview = None
    if export:
        from scimops.idp import read_export
        from scimops.preview import preview_export

        preview = preview_export(read_export(*export, shape=shape), loaded, folder=setting.parent)
    made = make_guide(idp, loaded, url or _recorded_url(setting), preview)
    if html is None and out is None:
        print_rich(guide_text(made))
    else:
        _write(made, html, out)


def _recorded_url(setting: Path) -> str | None:
    """Where people are sent, as the record beside the document knows it; None where that is not one place."""
    from scimops.create_setting.record import read_record

    urls = {created.url for created in read_record(setting).connections.values() if created.url}
    return urls.pop() if len(urls) == 1 else None


def _export_guide(idp: str) -> None:
    from rich.markdown import Markdown

    from scimops.idp.guides import export_guide, names

    known = [*names(), "other"]
    if idp not in known:
        raise UsageError(f'There is no guide for "{idp}".', advice=nearest(idp, known) or f"Known: {', '.join(known)}.")
    print_rich(Markdown(export_guide("generic" if idp == "other" else idp)))


def _write(guide: Guide, html: Path | None, out: Path | None) -> None:
    """Write the page, and into a folder what is to be pasted beside it; each file appears whole or not at all."""
    from scimops.present.files import private_folder, replaced
    from scimops.present.guide_page import guide_page

    files = {} if html is None else {html: guide_page(guide)}
    if out is not None:
        private_folder(out)
        files |= {out / f"guide_{guide.idp}.html": guide_page(guide)}
        files |= {out / name: text for name, text in guide.files.items()}
    for path, text in files.items():
        try:
            with replaced(path) as draft:
                draft.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(
                "cannot be written there.", where=str(path), advice="Name a file in a folder that is there."
            ) from error
    complain(f"Written: {', '.join(map(str, files))}")
