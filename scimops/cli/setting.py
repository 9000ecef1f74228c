"""`scimops setting`: the document is the truth; these commands bring it onto a platform and compare the two."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scimops.cli.common import JSON, complain, confirmed, print_json, print_rich
from scimops.cli.recording import recorded
from scimops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scimops.jobs.running import Recording
    from scimops.platform import Platform
    from scimops.preview import Preview
    from scimops.setting import Setting
    from scimops.tokens import Secret

DOCUMENT = Annotated[Path, typer.Argument(help="The setting's document.", metavar="S.yaml")]
CONNECTION = Annotated[str, typer.Option(help="Which platform: a name of scimops connection list.", metavar="NAME")]
EXPORT = Annotated[
    list[str] | None, typer.Option(help="The identity provider's export, to know who will arrive.", metavar="FILE")
]
YES = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
TOKEN_TO = Annotated[
    str | None,
    typer.Option(help="Put the token there instead of showing it: keyring:NAME or file:NAME.", metavar="REFERENCE"),
]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(no_args_is_help=True, help="Create a setting from its document, check, rename, renew, delete.")
    for command in (new, check, show, create, list_, rename, revoke, delete):
        group.command(command.__name__.rstrip("_"))(command)
    app.add_typer(group, name="setting")


def new(
    name: Annotated[str, typer.Argument(help="Name of the setting, at most 30 characters.")],
    out: Annotated[Path, typer.Option(help="The document to write.", metavar="S.yaml")] = Path("setting.yaml"),
    group_by: Annotated[
        str, typer.Option(help="department, a SCIM attribute path, idp-groups or none.")
    ] = "department",
    target_group: Annotated[str, typer.Option(help="Group for everyone, or for those without a value.")] = "Everyone",
) -> None:
    """Write a setting's document to begin with. Nothing is sent anywhere."""
    from scimops.setting import quick_setting, save_setting

    if out.exists():
        raise UsageError("There is such a file already.", where=str(out), advice="Name another one with --out.")
    save_setting(quick_setting(group_by, target_group or None, name), out)
    complain(f"Written: {out}. Look at its groups with: scimops preview EXPORT --setting {out}")


def check(
    document: DOCUMENT, connection: CONNECTION, as_json: JSON = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit 3 where the two differ.")] = False,
) -> None:  # fmt: skip
    """Compare the document with the platform. Where only a new setting helps, say how to move without a gap."""
    from scimops.create_setting.check import MATCHES
    from scimops.create_setting.check import check as compared
    from scimops.present.setting_tables import check_table
    from scimops.setting import load_setting

    with _recorded("check", document, connection):
        setting = load_setting(document)
        with _platform(connection) as platform:
            result = compared(platform, document, setting, connection)
        if as_json:
            print_json(result.to_dict())
        else:
            print_rich(*check_table(result, setting.name, connection))
        if exit_code and result.state != MATCHES:
            raise typer.Exit(3)


def show(document: DOCUMENT, as_json: JSON = False) -> None:
    """Show what the document says, and what was created from it where."""
    from scimops.create_setting.record import read_record
    from scimops.present.setting_tables import show_table
    from scimops.setting import load_setting

    setting, record = load_setting(document), read_record(document)
    if as_json:
        print_json({"setting": setting.model_dump(mode="json"), "record": record.model_dump(mode="json")})
    else:
        print_rich(*show_table(setting, record))


def create(
    document: DOCUMENT, connection: CONNECTION, export: EXPORT = None, yes: YES = False, token_to: TOKEN_TO = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look and say what would be made; make nothing.")] = False,
) -> None:  # fmt: skip
    """Create the setting on the platform, once, after saying what is there and what cannot be changed later.

    The token is shown once on a terminal, or stored with --token-to. Asked twice, it makes no second setting.
    """
    from scimops.create_setting.create import create as make
    from scimops.create_setting.look import look
    from scimops.create_setting.record import read_record
    from scimops.present.setting_tables import look_table
    from scimops.setting import load_setting

    _token_has_a_place(token_to, dry_run)
    told = {"export": export or [], "dry_run": dry_run}
    # The token is handed over in there: it is shown, or stored, also where the ledger then cannot be written.
    with _recorded("create", document, connection, told) as recording, _platform(connection) as platform:
        setting = load_setting(document)
        preview = _preview(export, setting, document, platform) if export else None
        made = read_record(document).connections.get(connection)
        found = look(platform, setting, preview, made, connection)
        print_rich(*look_table(found, setting, preview, dry_run=dry_run))
        if dry_run:
            raise typer.Exit(1 if found.refused else 0)
        if found.existing is None and not found.refused:
            _confirmed(f'Create the setting "{setting.name}" for the company {found.company}?', yes)
        outcome = make(platform, document, setting, found, connection=connection, tell=complain)
        recording.digests["setting"] = outcome.created.digest
        complain(f"The record of its ids is beside the document; no secret is in it. URL: {outcome.created.url or '—'}")
        if outcome.token is not None:
            _hand_over(outcome.token, document, connection, token_to)


def list_(connection: CONNECTION, as_json: JSON = False) -> None:
    """List the settings of the company."""
    from scimops.present.setting_tables import list_table

    with _platform(connection) as platform:
        rows = platform.settings()
        company = platform.company()
    if as_json:
        print_json({"company": {"id": company.id, "name": company.name}, "settings": rows})
    else:
        print_rich(list_table(rows, company.name))


def rename(
    document: DOCUMENT, name: Annotated[str, typer.Argument(help="The new name.")], connection: CONNECTION
) -> None:  # fmt: skip
    """Rename the setting, on the platform and in its document: all that can be changed of it."""
    from scimops.create_setting.create import rename as renamed
    from scimops.setting import Setting, load_setting, save_setting
    from scimops.yaml_documents import validated

    with _recorded("rename", document, connection, {"name": name}):
        setting = validated(load_setting(document).model_dump(mode="json") | {"name": name}, Setting, str(document))
        with _platform(connection) as platform:
            renamed(platform, document, connection, name)
        save_setting(setting, document)
    complain(f'Renamed to "{name}".')


def revoke(
    document: DOCUMENT, connection: CONNECTION, yes: YES = False, token_to: TOKEN_TO = None
) -> None:  # fmt: skip
    """End the setting's token and get a new one. Until it is pasted, the identity provider's requests are refused."""
    from scimops.create_setting.create import renew_token, the_created

    _token_has_a_place(token_to, False)
    created = the_created(document, connection)
    _confirmed(f'The token that the identity provider holds for "{created.name}" ends at once. Go on?', yes)
    with _recorded("revoke", document, connection), _platform(connection) as platform:
        token = renew_token(platform, document, connection)
        _hand_over(token, document, connection, token_to)


def delete(document: DOCUMENT, connection: CONNECTION, yes: YES = False) -> None:
    """Delete the setting on the platform. The document stays, and so do the people and their groups."""
    from scimops.create_setting.create import delete as deleted
    from scimops.create_setting.create import the_created

    created = the_created(document, connection)
    complain(
        "Its token ends at once. Its people stay on the platform and in their groups; nobody updates them until "
        "another setting brings them."
    )
    _confirmed(f'Delete the setting "{created.name}" of {created.company_name}?', yes)
    with _recorded("delete", document, connection), _platform(connection) as platform:
        deleted(platform, document, connection)
    complain(f'Deleted: "{created.name}".')


# -- Shared ---------------------------------------------------------------------------------------


def _recorded(
    command: str, document: Path, connection: str, more: Mapping[str, object] | None = None
) -> AbstractContextManager[Recording]:
    """The record of a command that reads or writes a platform; --token-to is left out: people paste tokens there."""
    told = {"document": str(document), "connection": connection, **(more or {})}
    return recorded("create_setting", f"setting {command}", told)


@contextmanager
def _platform(name: str) -> Iterator[Platform]:
    from scimops.connections import get_connection
    from scimops.platform import connect

    with connect(get_connection(name)) as platform:
        yield platform


def _preview(export: list[str], setting: Setting, document: Path, platform: Platform) -> Preview:
    """The preview with what this platform has: its groups, its rules."""
    from scimops.idp import read_export
    from scimops.preview import preview_export
    from scimops.preview.groups import existing_groups

    return preview_export(
        read_export(*export), setting, folder=document.parent, capabilities=platform.capabilities(),
        existing=existing_groups(platform.target_groups(), platform.company().name),
    )  # fmt: skip


def _confirmed(question: str, yes: bool) -> None:
    if not yes:
        confirmed(question, "Say --yes once you have looked at it.")


def _token_has_a_place(token_to: str | None, dry_run: bool) -> None:
    """A token is never written into a pipe or a log.

    Raises:
        UsageError: standard output is no terminal, and no other place was named.
    """
    if not dry_run and token_to is None and not sys.stdout.isatty():
        raise UsageError(
            "The token would be shown here, and this is no terminal.",
            advice="Say where it goes: --token-to keyring:NAME or --token-to file:NAME.",
        )


def _hand_over(token: Secret, document: Path, connection: str, token_to: str | None) -> None:
    from scimops.create_setting.create import token_taken

    if token_to is None:
        typer.echo(token.reveal())
        complain("This token is shown this once. Paste it into the identity provider now.")
        token_taken(document, connection, "copied")
        return
    from scimops.credentials import store

    store(token_to, token)
    token_taken(document, connection, "stored", token_to)
    complain(f"The token is at {token_to}, and nowhere else.")
