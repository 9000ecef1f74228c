"""`scimops connection`: where a platform or a SCIM endpoint is, and where its credential is kept.

No command takes a secret as an argument or option: it is asked for without being shown, or named by a reference.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scimops.cli.common import JSON, complain, print_json, print_rich
from scimops.errors import ScimopsError, UsageError

if TYPE_CHECKING:
    from scimops.connections import Connection
    from scimops.tokens import Secret

NAME = Annotated[str, typer.Argument(help="Name of the connection.", metavar="NAME")]


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Where platforms are, and their credentials.")
    # What is left over may be a secret, and Click would repeat it.
    group.command("add", context_settings={"allow_extra_args": True}, options_metavar="[OPTIONS]")(add)
    group.command("list")(list_)
    group.command("test")(check)
    group.command("remove")(remove)
    app.add_typer(group, name="connection")


def add(
    context: typer.Context,
    name: NAME,
    kind: Annotated[str, typer.Option(help="platform (management API) or scim (SCIM endpoint).")] = "platform",
    url: Annotated[str, typer.Option(help="Such as https://api.example.com.", metavar="URL")] = "",
    client_id: Annotated[str, typer.Option(help="platform: client id of the credential.", metavar="ID")] = "",
    company_id: Annotated[
        str, typer.Option(help="platform: the company that the credential must act for.", metavar="ID")
    ] = "",
    company_name: Annotated[str, typer.Option(help="platform: its name.", metavar="NAME")] = "",
    reseller: Annotated[bool, typer.Option("--reseller", help="platform: it is a reseller's credential.")] = False,
    secret_ref: Annotated[
        str, typer.Option(help="Where the secret is already: env:SCIMOPS_…, keyring:, file:, dir:, cmd:.")
    ] = "",
    store: Annotated[str, typer.Option(help="Where to keep the secret that you are asked for: keyring or file.")] = "",
    from_file: Annotated[
        Path | None, typer.Option(help="What `scimops serve --credentials-file` wrote.", metavar="FILE")
    ] = None,
    ca_file: Annotated[Path | None, typer.Option(help="PEM file of the certificates to trust.", metavar="FILE")] = None,
    proxy: Annotated[str, typer.Option(help="URL of the proxy.", metavar="URL")] = "",
    timeout: Annotated[float, typer.Option(help="Seconds to wait for an answer.")] = 30.0,
    replace: Annotated[bool, typer.Option("--replace", help="In the place of the one of this name.")] = False,
) -> None:
    """Add a connection. On a terminal you are asked for what is missing; the secret is not shown while you type.

    With --from-file a second connection NAME-scim is made from the token, if one is in the file.
    """
    from scimops.cli.connection_options import LATER, connection_of, read_credentials

    if context.args:
        raise UsageError("There are more words than one name.", advice="A secret is never an argument: you are asked.")
    if secret_ref and (store or from_file):
        raise UsageError("--secret-ref says where the secret is already.", advice="Leave out --store and --from-file.")
    said: dict[str, Any] = {
        "kind": kind, "url": url, "client_id": client_id, "company_id": company_id, "company_name": company_name,
        "reseller": reseller, "ca_file": str(ca_file.absolute()) if ca_file else "", "proxy": proxy, "timeout": timeout,
    }  # fmt: skip
    if from_file is not None:
        wanted = read_credentials(from_file, name, said)
    else:
        if kind == "platform":
            said["client_id"] = client_id or _asked("Client id", "--client-id")
        said["url"] = url or _asked("URL", "--url")
        wanted = [(connection_of(name, said, secret_ref or LATER), None)]
    _refuse_taken([connection.name for connection, _ in wanted], replace)
    for connection, secret in wanted:
        if secret_ref:
            _keep(connection, None, replace)
        else:
            _keep_with_secret(connection, secret, store, replace)
        complain(f'The connection "{connection.name}" is there. Try it: scimops connection test {connection.name}')
    if from_file is not None:
        complain(f"{from_file} still holds the secrets: delete it.")


def list_(as_json: JSON = False) -> None:
    """List the connections; of secrets only where they are."""
    from rich.table import Table
    from rich.text import Text

    from scimops.connections import connections_file, load_connections

    rows = [_row(connection) for connection in load_connections().connections.values()]
    if as_json:
        print_json({"format": 1, "connections": rows})
        return
    if not rows:
        complain("There is no connection yet; make one with: scimops connection add NAME")
        return
    table = Table("Name", "Kind", "URL", "Secret", "Company", box=None)
    for row in rows:
        company = " ".join(filter(None, (row["company_name"], f"({row['company_id']})" if row["company_id"] else "")))
        cells = (row["name"], row["kind"], row["url"], row["secret"], company or "—")
        table.add_row(*(Text(str(cell), overflow="fold") for cell in cells))
    print_rich(table)
    complain(f"They stand in {connections_file()}.")


def check(
    name: NAME,
    pin: Annotated[bool, typer.Option("--pin", help="Write the company that answered into the connection.")] = False,
    as_json: JSON = False,
) -> None:
    """Ask the other end who it is, and what the credential may do. Nothing is changed there."""
    from rich.table import Table
    from rich.text import Text

    from scimops.cli.connection_checks import check_connection
    from scimops.cli.connection_options import with_company
    from scimops.connections import add_connection, get_connection

    connection = get_connection(name)
    found = check_connection(connection)
    if pin and found.company:
        add_connection(with_company(connection, *found.company), replace=True)
    if as_json:
        print_json({"format": 1, "name": name, **found.to_dict()})
    else:
        table = Table(box=None, show_header=False)
        for label, value in found.lines():
            table.add_row(label, Text(value))
        print_rich(table)
    if found.company and not connection.company_id and not pin:
        complain(
            f"The connection names no company, so another one's credential would not be noticed. If "
            f'"{found.company[1]}" is right: scimops connection test {name} --pin'
        )
    for fault in found.faults:
        complain(fault)
    if found.faults:
        raise typer.Exit(1)


def remove(
    name: NAME,
    forget_secret: Annotated[
        bool | None, typer.Option("--forget-secret/--keep-secret", help="Delete the stored secret too, without asking.")
    ] = None,
) -> None:
    """Remove a connection, and the secret that `add` stored for it."""
    from scimops.connections import load_connections, remove_connection
    from scimops.credentials import forget

    removed = remove_connection(name)
    complain(f'The connection "{name}" is removed.')
    used = [other.name for other in load_connections().connections.values() if other.reference == removed.reference]
    if removed.reference not in removed.usual_references or used:
        return
    if forget_secret is None:
        forget_secret = sys.stdin.isatty() and typer.confirm(f"Delete its secret {removed.reference} too?", err=True)
    if not forget_secret:
        complain(f"Its secret stays at {removed.reference}.")
    elif forget(removed.reference):
        complain(f"Its secret at {removed.reference} is deleted.")


# -- Shared ---------------------------------------------------------------------------------------


def _refuse_taken(names: list[str], replace: bool) -> None:
    """Nobody is asked for a secret that then has no place.

    Raises:
        UsageError: there is a connection of one of the names.
    """
    from scimops.connections import load_connections

    taken = set(load_connections().names)
    for name in names:
        if name in taken and not replace:
            raise UsageError(
                f'There is a connection "{name}" already.', advice="Choose another name, or say --replace."
            )


def _keep(connection: Connection, secret: Secret | None, replace: bool) -> None:
    """The secret first, so that no connection is without one; where the connection fails the secret goes again."""
    from scimops.connections import add_connection, load_connections
    from scimops.credentials import forget
    from scimops.credentials import store as put

    before = load_connections().connections.get(connection.name)
    if secret is not None:
        put(connection.reference, secret, overwrite=replace)
    try:
        add_connection(connection, replace=replace)
    except ScimopsError:
        if secret is not None and not replace:
            forget(connection.reference)
        raise
    if before and before.reference != connection.reference and before.reference in before.usual_references:
        complain(f"The earlier secret is still at {before.reference}.")


def _keep_with_secret(connection: Connection, secret: Secret | None, store: str, replace: bool) -> None:
    from scimops.credentials import keyring_works
    from scimops.tokens import Secret

    if store not in ("", "keyring", "file"):
        raise UsageError("--store is neither keyring nor file.", advice="Say one of the two, or leave it out.")
    place = store or ("keyring" if keyring_works() else "file")
    reference = connection.usual_references[place == "file"]
    key = "client_secret" if connection.kind == "platform" else "token"
    settled = connection.model_copy(update={key: reference})
    if secret is None:
        word = "Client secret" if connection.kind == "platform" else "Token"
        secret = Secret(_asked(word, "--secret-ref env:SCIMOPS_…", hidden=True))
    _keep(settled, secret, replace)
    complain(f"The secret is kept at {reference}.")


def _asked(word: str, option: str, *, hidden: bool = False) -> str:
    """What a person on a terminal answers.

    Raises:
        UsageError: there is nobody to ask.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"{word} is missing, and nobody is there to be asked.", advice=f"Say {option}.")
    return str(typer.prompt(f"{word} (not shown)" if hidden else word, hide_input=hidden, err=True)).strip()


def _row(connection: Connection) -> dict[str, Any]:
    """A connection for people and programs."""
    from scimops.credentials import parse_reference

    return {
        "name": connection.name, "kind": connection.kind, "url": connection.url,
        "secret": str(parse_reference(connection.reference)), "client_id": connection.client_id or None,
        "company_id": connection.company_id, "company_name": connection.company_name, "reseller": connection.reseller,
        "ca_file": connection.ca_file, "proxy": connection.proxy, "timeout": connection.timeout,
    }  # fmt: skip
