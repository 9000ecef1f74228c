"""`scimops serve`: the embedded platform, to rehearse a setting and to test clients against.

Without a command it serves. Its commands are in `serve_upkeep` (backup, erasure) and `serve_hands` (what others do).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scimops.cli import serve_hands, serve_upkeep
from scimops.cli.common import complain
from scimops.errors import UsageError

if TYPE_CHECKING:
    from scimops.service_provider.database import Database


def register(app: typer.Typer) -> None:
    """Add this command, with its own commands."""
    group = typer.Typer(rich_markup_mode=None)
    group.callback(invoke_without_command=True)(serve)
    serve_upkeep.register(group)
    serve_hands.register(group)
    app.add_typer(group, name="serve")


def serve(
    context: typer.Context,
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
    keep_log_days: Annotated[
        int, typer.Option(min=1, max=36500, help="Lines of both logs, also of the audit log, go after so many days.")
    ] = 365,
    keep_log_mib: Annotated[
        int, typer.Option(min=1, help="Beyond so many MiB the oldest lines of the provisioning log go sooner.")
    ] = 1024,
    rehearse: Annotated[
        Path | None,
        typer.Option(help="Record what the identity provider sends there; scimops read takes it.", metavar="FILE"),
    ] = None,
) -> None:
    """Serve a SCIM 2.0 service provider that places people by the preview's rule.

    It is for rehearsals and tests on your own computer. Stop it with Ctrl-C. Without a token anybody who reaches the
    port reads /healthz, /readyz and /metrics (Prometheus: counts and times of requests, no names, no ids).
    """
    if context.invoked_subcommand is not None:
        refuse_options(context)
        return
    from scimops.service_provider.database import open_database
    from scimops.service_provider.retention import Keep
    from scimops.service_provider.serve import prepare, run, write_credentials
    from scimops.setting import load_setting

    if (tls_cert is None) != (tls_key is None):
        raise UsageError("--tls-cert and --tls-key go together.", advice="Name both files.")
    if synchronous not in ("NORMAL", "FULL"):
        raise UsageError(f'--synchronous is "{synchronous}".', advice="Say NORMAL or FULL.")
    scheme = "https" if tls_cert else "http"
    public_url = public_url or f"{scheme}://{host}:{port}"
    if rehearse and not setting:
        raise UsageError("--rehearse goes with --setting.", advice="Name the setting whose requests are recorded.")
    url = f"{public_url.rstrip('/')}/scim/v2"
    opened = open_database(database, synchronous=synchronous)
    loaded = load_setting(setting) if setting else None
    made = prepare(opened, loaded)
    shown = made.shown(url)
    if shown and credentials_file:
        write_credentials(credentials_file, shown)
        complain(f"The credentials are in {credentials_file}, and nowhere else in clear.")
    elif shown:
        for name, value in shown.items():
            typer.echo(f"{name}: {value}")
        complain("These secrets are shown this once. Stored are only their hashes.")
    recording = _recording(rehearse, opened, loaded.name, url) if rehearse and loaded else None
    opened.close()
    complain(f"SCIM is served at {url}, the management API at {public_url.rstrip('/')}/api.")
    run(
        database, public_url, host=host, port=port, workers=workers, synchronous=synchronous,
        keep=Keep(keep_log_days, keep_log_mib << 20), ssl_certfile=tls_cert, ssl_keyfile=tls_key, recording=recording,
    )  # fmt: skip


def _recording(file: Path, database: Database, setting: str, url: str) -> tuple[Path, str]:
    """Begin a recording and say so."""
    from scimops.service_provider.rehearsal import begin_recording

    setting_id = begin_recording(file, database, setting, url)
    complain(
        f"Each request of {setting} is recorded in {file}, which only its owner may read. Values are kept: it holds "
        "people's data. Authorization and password are left out. Delete the file when you have read it."
    )
    return file.absolute(), setting_id


def refuse_options(context: typer.Context) -> None:
    """Options before a command's name would be of no effect.

    Raises:
        UsageError: there are some.
    """
    given = [name for name in context.params if str(context.get_parameter_source(name)).endswith("COMMANDLINE")]
    if given:
        option = "--" + given[0].replace("_", "-")
        advice = f"Say scimops serve {context.invoked_subcommand} … {option} …"
        raise UsageError(f"{option} stands before the command's name.", advice=advice)
