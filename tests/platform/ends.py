"""Other ends for the client: servers that answer byte for byte what a test wrote, on real sockets; and a hunt."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest

from scimops.connections import Connection
from scimops.errors import ScimopsError
from scimops.platform import Platform, Retries, connect

SECRET_NAME = "SCIMOPS_TEST_SECRET"
SECRET = "s3cr3t+of/the=client"
TOKEN = "eyJhbGciOi.access-token-of-a-test.c2lnbmF0dXJl"
COMPANY, NAME = "cmpny0000001", "Example Ltd"
QUICK = Retries(attempts=3, first=0.01, most=0.02, longest=2)

Reply = bytes | Iterator[bytes] | None  # all at once, in parts, or a cut connection
Handler = Callable[["Asked"], Reply]


Connected = Callable[..., Platform]
"""Connects to the embedded platform with a new credential: of a company's id, or a reseller's (None)."""


def connection_to(url: str, **more: Any) -> Connection:
    """A connection; the secret is in the environment."""
    said = {"name": "acme", "kind": "platform", "url": url, "client_id": "client-1",
            "client_secret": f"env:{SECRET_NAME}", "timeout": 5.0}  # fmt: skip
    return Connection(**(said | more))


@dataclass(frozen=True)
class Asked:
    """A request as it came over the socket."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def answer(body: Any = None, status: int = 200, kind: str = "application/json", **headers: str) -> bytes:
    """An answer over the socket; the connection closes after it."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    said = {"Content-Type": kind, "Content-Length": str(len(content)), "Connection": "close",
            **{name.replace("_", "-"): value for name, value in headers.items()}}  # fmt: skip
    lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    return f"HTTP/1.1 {status} Status\r\n{lines}\r\n".encode() + content


def good(data: Any) -> bytes:
    """An answer in the envelope of the OpenAPI file."""
    return answer({"data": data, "status": "SUCCESS", "message": None, "validationMessages": []})


def page(rows: list[Any], number: int, size: int, total: int) -> bytes:
    """One page of a search."""
    return good({"pageNumber": number, "pageSize": size, "totalNumberOfPages": -(-total // size),
                 "totalNumberOfRecords": total, "results": rows})  # fmt: skip


def token_answer(token: str = TOKEN, life: Any = 3600) -> bytes:
    return answer({"access_token": token, "expires_in": life, "token_type": "Bearer", "scope": "api1"})


@dataclass
class End:
    """A server: `handlers` by path, each a list that is used up to its last entry; all that came is in `asked`."""

    url: str = ""
    handlers: dict[str, list[Handler | Reply]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def on(self, path: str, *handlers: Handler | Reply) -> End:
        """What comes for a path: bytes, a function of the request, or None for a cut connection."""
        self.handlers[path] = list(handlers)
        return self

    def paths(self) -> list[str]:
        """What was asked after the token and the company."""
        return [one.path for one in self.asked if one.path not in ("/connect/token", "/api/companies/my")]

    def reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        handlers = self.handlers.get(asked.path.partition("?")[0])
        if handlers is None:
            return answer({"status": "ERROR", "message": "no such path", "validationMessages": []}, 404)
        handler = handlers.pop(0) if len(handlers) > 1 else handlers[0]
        return handler(asked) if callable(handler) else handler


@contextlib.contextmanager
def running_end(tls: Any = None) -> Iterator[End]:
    """A server of a platform that gives tokens and has one company; the test says the rest."""
    end = End()
    end.on("/connect/token", token_answer())
    end.on("/api/companies/my", good([{"resourceId": COMPANY, "name": NAME, "children": []}]))
    end.on("/api/scim/fields", good({"fields": []}))
    listening = socket.create_server(("127.0.0.1", 0))
    end.url = f"{'https' if tls else 'http'}://127.0.0.1:{listening.getsockname()[1]}"
    threading.Thread(target=_serve, args=(listening, end, tls), daemon=True).start()
    try:
        yield end
    finally:
        listening.close()


def _serve(listening: socket.socket, end: End, tls: Any) -> None:
    while True:
        try:
            plain, _ = listening.accept()
        except OSError:
            return
        with contextlib.suppress(OSError), plain:
            plain.settimeout(10)
            with tls.wrap_socket(plain, server_side=True) if tls else plain as spoken:
                if (asked := _read(spoken)) is not None and (reply := end.reply(asked)) is not None:
                    for part in [reply] if isinstance(reply, bytes) else reply:
                        spoken.sendall(part)


def _read(spoken: socket.socket) -> Asked | None:
    stream = spoken.makefile("rb")
    first = stream.readline().decode("latin-1").split()
    if len(first) != 3:
        return None
    headers: dict[str, str] = {}
    while line := stream.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", "0")))
    return Asked(first[0], first[1], headers, body)


@contextlib.contextmanager
def client_of(end: End, **more: Any) -> Iterator[Platform]:
    """A client of an end; the secret must be in the environment."""
    with connect(connection_to(end.url, **more), QUICK) as platform:
        yield platform


def caught(
    kind: type[ScimopsError], work: Callable[[], Any], log: pytest.LogCaptureFixture | None = None, *more: str
) -> ScimopsError:  # fmt: skip
    """The error of `work`: one sentence with what to do, and no secret in anything that may be shown or kept of it."""
    if log is not None:
        log.set_level(logging.DEBUG)
    with pytest.raises(ScimopsError) as found:
        work()
    error = found.value
    assert type(error) is kind, repr(error)
    assert error.message
    assert error.where == 'connection "acme"'
    text = everything_of(error) + (log.text if log else "")
    for secret in (SECRET, "s3cr3t", TOKEN, "access-token-of-a-test", *more):
        assert secret not in text, text[max(0, text.find(secret) - 600) : text.find(secret) + 80]
    return error


def everything_of(error: BaseException) -> str:
    """Whatever a traceback with the locals of our frames, a repr or a log line of an error may show."""
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in seen:
            seen.append(one)
            waiting += [one.__cause__, one.__context__]
    assert not any(isinstance(one, httpx2.HTTPError) for one in seen), seen
    parts = [str(error), repr(error), str(vars(error)), "".join(traceback.format_exception(error))]
    for one in seen:
        shown = one.__traceback__
        while shown is not None and Path(shown.tb_frame.f_code.co_filename).is_relative_to(Path(__file__).parents[1]):
            shown = shown.tb_next  # the test itself knows the secrets
        parts += traceback.TracebackException(type(one), one, shown, capture_locals=True).format()
    return "\n".join(parts)
