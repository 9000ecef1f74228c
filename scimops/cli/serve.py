"""`scimops serve`: the embedded platform, to rehearse a setting and to test clients against."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scimops.cli.common import complain
from scimops.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(serve)


def serve(
    setting: Annotated[
        Path | None, typer.Option(help="The setting to serve. Made at the first start; its token is shown once.")
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; other machines cannot reach 127.0.0.1.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8642,
    database: Annotated[
        str, typer.Option(help="sqlite:///FILE or postgresql://USER@HOST/NAME.", metavar="URL")
    ] = "sqlite:///scimops-platform.db",
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that serve.")] = 1,
    public_url: Annotated[
        str | None, typer.Option(help="The URL by which the identity provider reaches this platform.", metavar="URL")
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate for https, PEM.", metavar="FILE")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key, PEM.", metavar="FILE")] = None,
    credentials_file: Annotated[
        Path | None,
        typer.Option(help="Secrets of a first start go there, owner-only, not shown.", metavar="FILE"),
    ] = None,
    synchronous: Annotated[
        str, typer.Option(help="SQLite: NORMAL survives the death of the process, FULL that of the machine too.")
    ] = "NORMAL",
) -> None:
    """Serve a SCIM 2.0 service provider that places people by the preview's rule.

    It is for rehearsals and tests on your own computer. Stop it with Ctrl-C.
    """
    from scimops.service_provider.database import open_database
    from scimops.service_provider.serve import prepare, run, write_credentials
    from scimops.setting import load_setting

    if (tls_cert is None) != (tls_key is None):
        raise UsageError("--tls-cert and --tls-key go together.", advice="Name both files.")
    if synchronous not in ("NORMAL", "FULL"):
        raise UsageError(f'--synchronous is "{synchronous}".', advice="Say NORMAL or FULL.")
    scheme = "https" if tls_cert else "http"
    public_url = public_url or f"{scheme}://{host}:{port}"
    opened = open_database(database, synchronous=synchronous)
    made = prepare(opened, load_setting(setting) if setting else None)
    opened.close()
    url = f"{public_url.rstrip('/')}/scim/v2"
    shown = made.shown(url)
    if shown and credentials_file:
        write_credentials(credentials_file, shown)
        complain(f"The credentials are in {credentials_file}, and nowhere else in clear.")
    elif shown:
        for name, value in shown.items():
            typer.echo(f"{name}: {value}")
        complain("These secrets are shown this once. Stored are only their hashes.")
    complain(f"SCIM is served at {url}, the management API at {public_url.rstrip('/')}/api.")
    run(
        database, public_url, host=host, port=port, workers=workers, synchronous=synchronous,
        ssl_certfile=tls_cert, ssl_keyfile=tls_key,
    )  # fmt: skip
