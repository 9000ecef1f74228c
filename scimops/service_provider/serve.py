"""The embedded platform as a program: the application that uvicorn serves, and what a first start makes.

Several workers are several processes with one database. What they need to know travels by the environment of this one
program (`SCIMOPS_SERVE_*`), set by :func:`run` and read by :func:`application`.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from scimops.errors import UsageError
from scimops.service_provider.app import THREADS, ScimEndpoint
from scimops.service_provider.authentication import Authenticator
from scimops.service_provider.database import Database, DatabaseGoneError, open_database
from scimops.service_provider.directory import (
    ConflictError,
    NewCredential,
    NewSetting,
    create_company,
    create_credential,
    create_setting,
)  # fmt: skip
from scimops.service_provider.management import routes as management_routes
from scimops.service_provider.metrics import Measured, Metrics, counted_together
from scimops.service_provider.migrations import migrate
from scimops.service_provider.retention import Keep, Retention
from scimops.service_provider.tables import companies
from scimops.setting import Setting

if TYPE_CHECKING:
    from scimops.service_provider.rehearsal import Recorder

_DATABASE, _PUBLIC_URL, _SYNCHRONOUS = "SCIMOPS_SERVE_DATABASE", "SCIMOPS_SERVE_PUBLIC_URL", "SCIMOPS_SERVE_SYNCHRONOUS"
_KEEP_DAYS, _KEEP_SIZE = "SCIMOPS_SERVE_KEEP_DAYS", "SCIMOPS_SERVE_KEEP_SIZE"
_RECORDING, _RECORDED = "SCIMOPS_SERVE_RECORDING", "SCIMOPS_SERVE_RECORDED_SETTING"


@dataclass(frozen=True)
class Made:
    """What a start has just made, with secrets that are shown once; None of each where it was there already."""

    credential: NewCredential | None = None
    setting: NewSetting | None = None

    def shown(self, url: str) -> dict[str, str]:
        """Names and values for a person or a file; the only place where the secrets are in clear."""
        shown: dict[str, str] = {}
        if self.credential:
            shown |= {"client_id": self.credential.client_id, "client_secret": self.credential.secret.reveal()}
        if self.setting:
            shown |= {"url": url, "setting": self.setting.id, "token": self.setting.token.reveal()}
        return shown


def prepare(database: Database, setting: Setting | None) -> Made:
    """Bring the tables to this version; the first start makes a company with its management credential.

    `setting` is made where it is not there yet. One that is there keeps its token, which nobody can read any more.
    """
    migrate(database)
    credential = made = None
    with database.write() as connection:
        company = connection.scalar(sa.select(companies.c.id).order_by(companies.c.created).limit(1))
        if company is None:
            company = create_company(connection, "This company")
            credential = create_credential(connection, company)
        if setting is not None:
            with contextlib.suppress(ConflictError):
                made = create_setting(connection, company, setting)
    return Made(credential, made)


def write_credentials(path: Path, shown: dict[str, str]) -> None:
    """Write credentials to `path` as JSON, which only its owner may read.

    Raises:
        UsageError: the file is there already.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UsageError("The credentials file is there already.", where=str(path), advice="Name a new one.") from None
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        json.dump(shown, stream)


def build(
    database: Database, public_url: str, *, keep: Keep | None = None, recorder: Recorder | None = None
) -> ASGIApp:
    """The application: SCIM at `/scim/v2` and `/scim`, the management API, `/healthz`, `/readyz`, `/metrics`.

    `keep` says how much of the logs is kept while it serves; without it they grow. A `recorder` records SCIM requests.
    """
    endpoint = ScimEndpoint(database, Authenticator(database).subject_of, public_url, recorder)

    metrics = Metrics()

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        retention = Retention(database, keep) if keep else None
        gc.collect()
        gc.freeze()  # what is loaded now stays: to look through it again and again costs a twentieth of each request
        yield
        endpoint.threads.shutdown()
        if retention:
            retention.close()
        endpoint.later.close()
        if recorder:
            recorder.close()
        database.close()

    def ready(_: Request) -> PlainTextResponse:
        try:
            with database.read() as connection:
                connection.execute(sa.select(1))
        except DatabaseGoneError:
            return PlainTextResponse("the database is away\n", 503)
        return PlainTextResponse("ready\n")

    own = [
        Route("/healthz", _alive),
        Route("/readyz", ready),
        Route("/metrics", metrics.answer),
        Mount("/scim", endpoint),
    ]
    others = Starlette(routes=[*own, *management_routes(database)], lifespan=lifespan)

    async def front(scope: Scope, receive: Receive, send: Send) -> None:
        """SCIM's requests go straight to their end: to find it among all routes costs each of them a twentieth."""
        if scope["type"] == "http" and scope["path"].startswith("/scim/"):
            await endpoint({**scope, "root_path": f"{scope.get('root_path', '')}/scim"}, receive, send)
        else:
            await others(scope, receive, send)

    return Measured(front, metrics)


def _alive(_: Request) -> PlainTextResponse:
    return PlainTextResponse("alive\n")


def application() -> ASGIApp:
    """The application of one worker process, by what :func:`run` put into the environment."""
    database = open_database(os.environ[_DATABASE], synchronous=os.environ[_SYNCHRONOUS])
    keep = Keep(int(os.environ[_KEEP_DAYS]), int(os.environ[_KEEP_SIZE]))
    recorder = None
    if file := os.environ.get(_RECORDING):
        from scimops.service_provider.rehearsal import Recorder

        recorder = Recorder(Path(file), os.environ[_RECORDED])
    return build(database, os.environ[_PUBLIC_URL], keep=keep, recorder=recorder)


def run(
    database_url: str,
    public_url: str,
    *,
    host: str,
    port: int,
    workers: int,
    synchronous: str,
    keep: Keep,
    recording: tuple[Path, str] | None = None,
    **uvicorn_options: Any,
) -> None:
    """Serve until SIGTERM or Ctrl-C; requests at work then are finished first.

    `recording` is the file of a rehearsal and the id of the setting whose requests go there.
    """
    import uvicorn

    file, setting_id = recording or ("", "")
    os.environ.update({_RECORDING: str(file), _RECORDED: setting_id})
    os.environ.update({_DATABASE: database_url, _PUBLIC_URL: public_url, _SYNCHRONOUS: synchronous})
    os.environ.update({_KEEP_DAYS: str(keep.days), _KEEP_SIZE: str(keep.size)})
    with counted_together(workers):
        uvicorn.run(
            "scimops.service_provider.serve:application", factory=True, host=host, port=port, workers=workers,
            access_log=False,  # paths and queries hold people's data; what happened is in the provisioning log
            server_header=False, log_level="info", timeout_graceful_shutdown=20, **uvicorn_options,
        )  # fmt: skip
