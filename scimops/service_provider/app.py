"""HTTP: requests in, answers out. Authenticates, opens the transaction, writes the log; no rule of SCIM is here."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from traceback import format_tb
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from scim2_models import PayloadTooLargeException, SCIMException
from scim2_server.applications.base import BaseApplication
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.routing import Operation, Target

from scimops.grouping import Grouping
from scimops.service_provider.authentication import Ended
from scimops.service_provider.database import Database, DatabaseGoneError
from scimops.service_provider.directory import Subject, server_secret
from scimops.service_provider.placement import Placement
from scimops.service_provider.protocol import MAX_BODY, Handler, Service, provider_for
from scimops.service_provider.provisioning_log import Entry, LaterLines, write_line
from scimops.service_provider.storage import Storage
from scimops.service_provider.tolerance import normal_query

if TYPE_CHECKING:
    from scimops.service_provider.rehearsal import Recorder

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Authenticate = Callable[[str | None, str], Subject]

READS = (
    Operation.query, Operation.search, Operation.search_with_body, Operation.service_provider_config,
    Operation.resource_types, Operation.resource_type, Operation.schemas, Operation.schema,
)  # fmt: skip
RETRY_SECONDS = "5"
MAX_KEY = 320
"""Of so many characters of a userName and an externalId the log keeps who was meant."""

THREADS = 12
"""Requests at work at once in one process; others wait their turn, in order of arrival."""

log = logging.getLogger("scimops")


@dataclass
class Request(ScimRequest):
    """A request, what it asks for once that is known, and the storage that it was served from last."""

    target: Target | None = None
    storage: Storage | None = None


class ScimEndpoint:
    """The ASGI application at `/scim/v2` and `/scim`.

    `meta.location` comes from `public_url`, never from what a request says of its host. A `recorder` is shown each
    request with its answer.
    """

    def __init__(
        self, database: Database, authenticate: Authenticate, public_url: str, recorder: Recorder | None = None
    ) -> None:
        self.database, self.authenticate, self.recorder = database, authenticate, recorder
        self.base_url = f"{public_url.rstrip('/')}/scim/v2"
        with database.write() as connection:
            secret = server_secret(connection, "cursors")
        self.later = LaterLines(database)
        self.threads = ThreadPoolExecutor(THREADS, "scim")
        self.service_for = lru_cache(maxsize=64)(lambda paths: Service(provider_for(paths), secret=secret))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            body = await _body(receive)
        except ConnectionAbortedError:
            return
        response = await asyncio.get_running_loop().run_in_executor(self.threads, self.answer, scope, body)
        content = b"" if response.body is None else json.dumps(response.body).encode()
        headers = [(name.encode(), value.encode("latin-1", "replace")) for name, value in response.headers.items()]
        headers.append((b"content-length", str(len(content)).encode()))
        await send({"type": "http.response.start", "status": int(response.status), "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def answer(self, scope: Scope, body: bytes | None) -> ScimResponse:
        """The answer to a request; every failure is a SCIM error (RFC 7644 §3.12)."""
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        path = BaseApplication.split_path(scope["path"].removeprefix(scope.get("root_path", "")) or "/")
        request = Request(scope["method"], self.base_url, path, headers=headers)
        service = self.service_for(())
        try:
            if body is None:
                raise PayloadTooLargeException(detail=f"A request has at most {MAX_BODY} bytes.")
            request.query, request.body = normal_query(scope["query_string"]), body
            request.target = target = service.match(request)
            subject: Subject | None = None
            if target.operation is not Operation.service_provider_config:
                client = (scope.get("client") or ("",))[0]
                request.subject = subject = self.authenticate(request.header("Authorization"), client)
                service = self.service_for(tuple(m.attribute for m in subject.setting.field_mappings))
            response = self._serve(service, request, target, subject)
        except DatabaseGoneError as error:
            log.error("%s %s", error, error.__cause__)
            response = service.error_response(_Unavailable(detail=error.message))
            response.headers["Retry-After"] = RETRY_SECONDS
        except SCIMException as error:
            self._log_ended(request, error)
            response = service.error_response(error)
            if retry := getattr(error, "retry_after", None):
                response.headers["Retry-After"] = str(retry)
        except Exception as error:
            # where it happened, without the values it happened with: they may be people's data
            where = "".join(format_tb(error.__traceback__))
            log.error("fault in %s: %s\n%s", request.method, type(error).__name__, where)
            response = service.error_response(error)
        response.headers.setdefault("Cache-Control", "no-store")
        if self.recorder:
            self.recorder.note(scope, request, response, request.storage)
        return response

    def _serve(self, service: Service, request: Request, target: Target, subject: Subject | None) -> ScimResponse:
        if subject is None:
            return service.service_provider_config(request.url, request.query)
        operation, entry = target.operation, _entry(request, target, subject)
        try:
            if operation in READS:
                with self.database.read() as connection:
                    response, _ = self._handle(connection, service, request, operation, subject)
                self.later.add(entry.row(int(response.status)))
                return response
            return self.database.retried(partial(self._write, service, request, operation, subject, entry))
        except SCIMException as error:
            if operation is Operation.create and entry.resource_type == "Users":
                entry = replace(entry, query=_meant(request.body))
            self._log_refusal(operation, entry.row(error.status, error.detail))
            raise

    def _write(
        self, service: Service, request: Request, operation: Operation, subject: Subject, entry: Entry
    ) -> ScimResponse:
        with self.database.write() as connection:
            if operation is Operation.bulk:
                self.database.queue(connection, subject.company_id)
            response, storage = self._handle(connection, service, request, operation, subject)
            made = (response.body or {}).get("id")
            moves = storage.placement.moves if storage.placement else []
            write_line(connection, entry.row(int(response.status), None, storage.changes, moves, made))
            return response

    def _handle(
        self, connection: sa.Connection, service: Service, request: Request, operation: Operation, subject: Subject
    ) -> tuple[ScimResponse, Storage]:
        bare = operation is Operation.patch and not {"attributes", "excludedAttributes"} & request.query.keys()
        placement = Placement(connection, subject.company_id, subject.setting_n, _grouping(subject))
        request.storage = storage = (self.recorder.storage if self.recorder else Storage)(
            connection, service.provider, subject.company_id, subject.setting_n, placement,
            locking=operation not in READS, savepoints=operation is Operation.bulk, shows_groups=not bare,
        )  # fmt: skip
        response = Handler(service, storage).handle(request)
        if storage.fault:
            raise storage.fault
        return response, storage

    def _log_ended(self, request: Request, error: SCIMException) -> None:
        """A token that has ended was sent: what it asked for is told, what it sent beside that is not looked at."""
        ended: Ended | None = error.context.get("ended")
        if ended is None or request.target is None:
            return
        who = (ended.company_id, ended.setting_n, ended.token_name)
        entry = Entry(*who, request.target.operation.value, (request.target.endpoint or "")[:24] or None, None, None)
        self.later.add(entry.row(error.status, error.detail))

    def _log_refusal(self, operation: Operation, row: dict[str, Any]) -> None:
        """What was refused changed nothing, so its line has a transaction of its own."""
        if operation in READS:
            self.later.add(row)
            return
        with self.database.write() as connection:
            write_line(connection, row)


class _Unavailable(SCIMException):
    """The database is away or full; nothing was changed."""

    status = 503
    _default_detail = "Try again later."


_GROUPINGS: dict[int, tuple[Any, Grouping]] = {}


def _grouping(subject: Subject) -> Grouping:
    """The rule of the subject's setting, worked out once: a setting's grouping never changes after its creation."""
    kept = _GROUPINGS.get(subject.setting_n)
    if kept is None or kept[0] is not subject.setting:
        kept = (subject.setting, Grouping(subject.setting))
        if len(_GROUPINGS) > 1000:
            _GROUPINGS.clear()
        _GROUPINGS[subject.setting_n] = kept
    return kept[1]


def _entry(request: ScimRequest, target: Target, subject: Subject) -> Entry:
    query = request.query.get("filter")
    return Entry(
        subject.company_id, subject.setting_n, subject.token_name, target.operation.value,
        (target.endpoint or "")[:24] or None, target.resource_id, query,
    )  # fmt: skip


def _meant(body: Any) -> str | None:
    """Who was to be made, as the filter that finds them: a refused creation has no resource id."""
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        return None
    told = {name.lower(): value for name, value in sent.items()} if isinstance(sent, dict) else {}
    parts = []
    for name in ("userName", "externalId"):
        value = told.get(name.lower())
        plain = value[:MAX_KEY].encode(errors="ignore").decode() if isinstance(value, str) else ""  # no lone surrogates
        if plain.strip():
            parts.append(f"{name} eq {json.dumps(plain, ensure_ascii=False)}")
    return " and ".join(parts) or None


async def _body(receive: Receive) -> bytes | None:
    """The body; None when it is longer than :data:`MAX_BODY`, and never more in memory than that.

    Raises:
        ConnectionAbortedError: the client went away before the end of its request.
    """
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionAbortedError  # half a request is none
        part = message.get("body", b"")
        size += len(part)
        if size <= MAX_BODY:
            parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts) if size <= MAX_BODY else None
