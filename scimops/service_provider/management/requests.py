"""From an HTTP request to an action and back: limits, JSON, who calls, for which company, one transaction.

Whatever arrives is answered with an envelope; malformed input is 400 and never a fault. The work is done in a thread,
in one transaction of the database, as everywhere on the platform.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from traceback import format_tb
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from scimops.errors import SettingError
from scimops.service_provider.authentication import Failures
from scimops.service_provider.database import Database, DatabaseGoneError
from scimops.service_provider.directory import ConflictError, NotFoundError, get_company
from scimops.service_provider.management.access import COMPANY_HEADER, OAuthError, caller_of, grant, token_form
from scimops.service_provider.management.answers import (
    Action,
    Body,
    Call,
    Caller,
    NoBody,
    Refusal,
    envelope,
    validation_messages,
)

MAX_BODY = 1 << 20
MAX_DEPTH = 32
RETRY_SECONDS = 5
_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_FORBIDDEN = re.compile(r"[\x00\ud800-\udfff]")
log = logging.getLogger("scimops")


@dataclass(frozen=True)
class Asked:
    """A request as plain data, read to its end."""

    method: str
    headers: Mapping[str, str]
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    ip: str


@dataclass(frozen=True)
class Api:
    """The management API on one database; `key` signs access tokens."""

    database: Database
    key: str
    failures: Failures

    async def serve(self, request: Request, actions: Mapping[str, Action]) -> Response:
        """The answer of the action for the request's method."""
        return await self._answered(request, lambda asked: self._act(asked, actions))

    async def token(self, request: Request) -> Response:
        """The answer of `POST /connect/token` (RFC 6749 §5)."""
        return await self._answered(request, self._grant)

    async def nothing(self, _request: Request) -> Response:
        """The answer where the API has no such path."""
        return _refused(Refusal(404, "The API has no such path."))

    async def _answered(self, request: Request, work: Any) -> Response:
        try:
            asked = await _read(request)
            return await run_in_threadpool(work, asked)
        except ClientDisconnect:
            return Response(status_code=400)
        except Refusal as refusal:
            return _refused(refusal)
        except DatabaseGoneError as error:
            log.error("%s %s", error, error.__cause__)
            return _refused(Refusal(503, error.message, retry_after=RETRY_SECONDS))
        except Exception as error:
            # where it happened, without the values it happened with: they may be people's data
            trace = "".join(format_tb(error.__traceback__))
            log.error("fault in %s of the API: %s\n%s", request.method, type(error).__name__, trace)
            return _refused(Refusal(500, "The server failed. Nothing was changed."))

    def _act(self, asked: Asked, actions: Mapping[str, Action]) -> Response:
        action = actions.get(asked.method)
        if action is None:
            answer = _refused(Refusal(405, f"This path takes {', '.join(sorted(actions))}."))
            answer.headers["Allow"] = ", ".join(sorted(actions))
            return answer
        if any(not _ID.fullmatch(value) for value in asked.path.values()):
            raise Refusal(404, "There is no such resource.")
        transaction = self.database.write if action.writes else self.database.read

        def work() -> Any:
            with transaction() as connection:
                caller = self._caller(connection, asked)
                company = _company(connection, caller, asked, action)
                body = _body(asked, action.body or NoBody)
                return action.work(Call(connection, caller, company, body, asked.path, asked.query))

        return _answer(200, envelope(_translated(lambda: self.database.retried(work))))

    def _caller(self, connection: sa.Connection, asked: Asked) -> Caller:
        agent = asked.headers.get("user-agent", "")
        return caller_of(connection, asked.headers.get("authorization"), self.key, asked.ip, agent)

    def _grant(self, asked: Asked) -> Response:
        try:
            if asked.method != "POST":
                raise OAuthError("invalid_request", "Ask with POST.", 405)
            form = token_form(asked.headers.get("content-type", ""), asked.body)
            try:
                with self.database.read() as connection:
                    return _answer(200, grant(connection, form, self.key))
            except OAuthError:
                if wait := self.failures.add(asked.ip):
                    raise Refusal(429, f"Too many failures. Wait {wait} seconds.", retry_after=wait) from None
                raise
        except OAuthError as error:
            return _answer(error.status, error.answer)


async def _read(request: Request) -> Asked:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY:
            raise Refusal(413, f"A request has at most {MAX_BODY} bytes.")
        parts.append(part)
    headers = {name.lower(): value for name, value in request.headers.items()}
    query = dict(request.query_params)
    if any(_FORBIDDEN.search(text) for pair in query.items() for text in pair):
        raise Refusal(400, "The query holds a character that is none (NUL or half a character).")
    ip = request.client.host if request.client else ""
    return Asked(request.method, headers, dict(request.path_params), query, b"".join(parts), ip)


def _company(connection: sa.Connection, caller: Caller, asked: Asked, action: Action) -> str:
    """Whom the call acts for: the credential's company, or the one that a reseller names."""
    named = asked.headers.get(COMPANY_HEADER.lower(), "").strip()
    if caller.company_id is not None:
        if named and named != caller.company_id:
            raise Refusal(403, "This credential is not one of that company.")
        return caller.company_id
    if not named:
        if action.of_company:
            raise Refusal(400, f"A reseller says for which company: the header {COMPANY_HEADER} is missing.")
        return ""
    try:
        return str(get_company(connection, named if _ID.fullmatch(named) else "").id)
    except NotFoundError:
        raise Refusal(403, "There is no such company, or it is not yours.") from None


def _body(asked: Asked, model: type[Body]) -> Body:
    if model is NoBody:
        return NoBody()
    kind = asked.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise Refusal(415, "Send the body as application/json.")
    try:
        return model.model_validate(read_json(asked.body))
    except ValidationError as error:
        raise Refusal(400, "The request is not valid.", validation_messages(error, model)) from None


def read_json(body: bytes) -> Any:
    """A body as JSON: UTF-8, of any sane depth, without NUL, half characters and numbers that are none.

    Raises:
        Refusal: 400, the body is not like that.
    """
    try:
        data = json.loads(body.decode("utf-8"), parse_constant=_no_number)
        _check(data, MAX_DEPTH)
    except RecursionError:
        raise Refusal(400, "The body is nested too deeply.") from None
    except ValueError:
        raise Refusal(400, "The body is no JSON in UTF-8.") from None
    return data


def _no_number(name: str) -> Any:
    raise ValueError(name)


def _check(data: Any, depth: int) -> None:
    if depth == 0:
        raise RecursionError
    if isinstance(data, str) and _FORBIDDEN.search(data):
        raise Refusal(400, "The body holds a character that is none (NUL or half a character).")
    if isinstance(data, dict):
        for key, value in data.items():
            _check(key, depth)
            _check(value, depth - 1)
    elif isinstance(data, list):
        for value in data:
            _check(value, depth - 1)


def _translated(work: Any) -> Any:
    """The result of `work`; what it raises on purpose becomes the answer."""
    try:
        return work()
    except NotFoundError as error:
        raise Refusal(404, error.message) from None
    except ConflictError as error:
        raise Refusal(409, str(error)) from None
    except IntegrityError:
        raise Refusal(409, "It was made by somebody else meanwhile.") from None
    except SettingError as error:
        raise Refusal(400, "The setting is not valid.", [str(error)]) from None
    except ValidationError as error:
        raise Refusal(400, "The request is not valid.", validation_messages(error)) from None
    except OperationalError:  # another transaction was in the way, again and again
        raise Refusal(503, "The server is busy. Nothing was changed.", retry_after=RETRY_SECONDS) from None
    except DataError:
        raise Refusal(400, "A value in the request cannot be kept.") from None


def _answer(status: int, content: Any) -> JSONResponse:
    return JSONResponse(content, status, {"Cache-Control": "no-store", "Pragma": "no-cache"})


def _refused(refusal: Refusal) -> Response:
    status = "VALIDATION_ERROR" if refusal.validation else "ERROR"
    answer = _answer(refusal.status, envelope(None, status, refusal.message, refusal.validation))
    if refusal.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    if refusal.retry_after is not None:
        answer.headers["Retry-After"] = str(refusal.retry_after)
    return answer
