"""Services that notifications are sent to, on real sockets: a mail server, a web server, and a proxy that is Slack."""

from __future__ import annotations

import contextlib
import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme

SLACK, TEAMS = "hooks.slack.com", "prod-1.westeurope.logic.azure.com"


@dataclass
class Web:
    """A web server; `got` are the requests: host, path with query, headers, body.

    As a proxy it answers for Slack and Teams itself. Paths: /500, /once (500 at first), /gone (no answer), /hang (none
    until the end), /moved; any other is taken.
    """

    port: int = 0
    got: list[tuple[str, str, dict[str, str], Any]] = field(default_factory=list)
    end: threading.Event = field(default_factory=threading.Event)

    def paths(self, start: str = "") -> list[str]:
        return [path for _, path, _, _ in self.got if path.startswith(start)]


def _handler(web: Web, tls: ssl.SSLContext) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        host = "127.0.0.1"

        def do_CONNECT(self) -> None:
            self.host = self.path.partition(":")[0]
            self.send_response(200)
            self.end_headers()
            self.connection = tls.wrap_socket(self.connection, server_side=True)
            self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)
            self.handle_one_request()
            self.close_connection = True

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            again = self.path in web.paths()
            web.got.append((self.host, self.path, dict(self.headers), body))
            self.close_connection = True
            if self.path.startswith("/hang"):
                web.end.wait(60)
            if self.path.startswith(("/hang", "/gone")):
                return
            moved = self.path.startswith("/moved")
            failed = self.path.startswith("/500") or (self.path.startswith("/once") and not again)
            self.send_response(302 if moved else 500 if failed else 202 if self.host == TEAMS else 200)
            if moved:
                self.send_header("Location", "/taken-over")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: Any) -> None: ...

    return Handler


@contextlib.contextmanager
def web_server(folder: Path) -> Iterator[tuple[Web, dict[str, str]]]:
    """The web server, and the environment in which Slack and Teams are reached by it."""
    authority, tls, web = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), Web()
    authority.issue_cert(SLACK, TEAMS).configure_cert(tls)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(web, tls))
    server.daemon_threads = True
    web.port = server.server_address[1]
    proxy = f"http://127.0.0.1:{web.port}"
    with _serving(server):
        yield (
            web,
            {
                "HTTPS_PROXY": proxy,
                "https_proxy": proxy,
                "NO_PROXY": "",
                "no_proxy": "",
                "REQUESTS_CA_BUNDLE": str(folder / "ca.pem"),
            },
        )
        web.end.set()


class _Mail(socketserver.StreamRequestHandler):
    """As much of SMTP (RFC 5321) as a sender needs; who is called nobody@… is refused."""

    def handle(self) -> None:
        self._say("220 here")
        for line in self.rfile:
            word = line[:4].upper()
            if word == b"DATA":
                self._say("354 go on")
                data = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.server.got.append(message_from_bytes(data, policy=policy.default))  # type: ignore[attr-defined]
            self._say("550 no such" if b"nobody@" in line else "221 bye" if word == b"QUIT" else "250 good")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class _MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Mail)
        self.got: list[EmailMessage] = []


@contextlib.contextmanager
def mail_server() -> Iterator[tuple[int, list[EmailMessage]]]:
    """The mail server's port, and the mails it gets."""
    server = _MailServer()
    with _serving(server):
        yield server.server_address[1], server.got


@contextlib.contextmanager
def _serving(server: Any) -> Iterator[None]:
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.socket.close()
