"""One HTTP exchange with the platform: bounded in size and time, nothing followed, no exception that carries a request.

What HTTPX2 raises holds the request with its token, so a fault of ours is made from it and raised after it is gone.
"""

from __future__ import annotations

import logging
import socket
import ssl
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2

from scimops.http.address import is_plain, shown
from scimops.http.answers import MAX_BODY, Answer
from scimops.http.faults import (
    CertificateError,
    PlatformError,
    RefusedError,
    UncertainError,
    UnreachableError,
)
from scimops.tokens import Secret

if TYPE_CHECKING:
    from scimops.connections import Connection

IDLE_SECONDS = 2.0
"""How long an idle connection is kept: shorter than servers do, so that none is cut just when it is used again."""

SLOWEST = 5
"""An answer may take this many times the time-out to arrive, however steadily it drips."""

logging.getLogger("httpx2").setLevel(logging.WARNING)  # its other lines hold queries, which name people

_NEVER_SENT = (
    httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError, httpx2.UnsupportedProtocol,
    httpx2.LocalProtocolError,
)  # fmt: skip
_NOT_YET_VALID, _EXPIRED, _OTHER_NAME = 9, 10, (62, 64)  # OpenSSL's X509_V_ERR_…


@dataclass(frozen=True)
class Request:
    """What is asked: `what` names it for people; `deed` says what it changes, and is empty where it only reads."""

    method: str
    path: str
    what: str
    deed: str = ""
    body: Any = field(default=None, repr=False)
    form: Mapping[str, str | Secret] | None = field(default=None, repr=False)
    query: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> bool:
        """Does it give something a name?"""
        return bool(self.deed) and isinstance(self.body, dict) and "name" in self.body


class Bearer(httpx2.Auth):
    """Puts the access token into a request at the last moment."""

    def __init__(self, token: Secret, headers: Mapping[str, str]) -> None:
        self._token = token
        self._headers = headers

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """The request with its headers."""
        request.headers.update(self._headers)
        request.headers["Authorization"] = f"Bearer {self._token.reveal()}"
        yield request


class Wire:
    """An HTTP client of one platform.

    Raises:
        CertificateError: the file of certificates cannot be read.
    """

    def __init__(self, connection: Connection) -> None:
        self.url = connection.url
        self.seconds = connection.timeout
        self.proxy = shown(connection.proxy) if connection.proxy else ""
        context = _tls(self.url, connection.ca_file)
        self._client = httpx2.Client(
            base_url=self.url, verify=context, trust_env=False, follow_redirects=False, timeout=connection.timeout,
            proxy=_proxy(connection.proxy, connection.ca_file) if connection.proxy else None,
            limits=httpx2.Limits(max_connections=8, keepalive_expiry=IDLE_SECONDS),
            headers={"User-Agent": "scimops", "Accept": "application/json"},
        )  # fmt: skip

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def exchange(self, asked: Request, auth: Bearer | None = None) -> Answer:
        """The answer, whatever its status.

        Raises:
            UnreachableError: nothing was sent, or reading was cut.
            UncertainError: the connection was cut after a change was sent.
        """
        fault: PlatformError
        try:
            with self._client.stream(
                asked.method, asked.path, json=asked.body, data=_revealed(asked.form), params=asked.query or None,
                auth=auth,
            ) as response:  # fmt: skip
                return self._whole(response)
        except httpx2.DecodingError:
            return Answer(200, problem="its compression is broken")
        except ValueError:  # half a character, a number that JSON does not have, a header that is not ASCII
            fault = RefusedError(f"What was to be sent for {asked.what} cannot be written; nothing was sent.",
                                 advice="Look for characters or numbers in it that are none.")  # fmt: skip
        except httpx2.TransportError as error:
            fault = self._fault(error, asked)
        raise fault  # here, where HTTPX2's own error is no longer its context

    def _whole(self, response: httpx2.Response) -> Answer:
        parts, size, problem = [], 0, ""
        end = time.monotonic() + self.seconds * SLOWEST
        for part in response.iter_bytes():
            size += len(part)
            if size > MAX_BODY:
                problem = f"it is larger than {MAX_BODY >> 20} MiB"
                break
            if time.monotonic() > end:
                problem = f"it was not whole after {self.seconds * SLOWEST:g} seconds"
                break
            parts.append(part)
        headers = response.headers
        return Answer(
            response.status_code, headers.get("content-type", "").partition(";")[0].strip().lower(),
            b"" if problem else b"".join(parts), headers.get("date", ""), headers.get("retry-after", ""),
            shown(location, str(response.url)) if (location := headers.get("location")) else "",
            headers.get("etag", ""), problem,
        )  # fmt: skip

    def _fault(self, error: httpx2.TransportError, asked: Request) -> PlatformError:
        """The error in our words."""
        if isinstance(error, httpx2.ProxyError):
            return UnreachableError(
                f"The proxy {self.proxy} does not let us through.", advice="Check the proxy of the connection."
            )
        if not isinstance(error, _NEVER_SENT):
            return self._cut(error, asked)
        for cause in _causes(error):
            if isinstance(cause, ssl.SSLCertVerificationError):
                return _certificate(cause, shown(self.url))
            if isinstance(cause, ssl.SSLError):
                return CertificateError(
                    f"{shown(self.url)} speaks no TLS that this computer knows.", advice="Check the URL and its port."
                )
            if isinstance(cause, socket.gaierror):
                return UnreachableError(
                    f"There is no computer with the name in {self.proxy or shown(self.url)}.",
                    advice="Check the URL of the connection, and that this computer is online.", repeatable=True,
                )  # fmt: skip
        what = f"within {self.seconds:g} seconds" if isinstance(error, httpx2.TimeoutException) else "at all"
        return UnreachableError(
            f"{self.proxy or shown(self.url)} does not answer {what}.",
            advice="Check the URL of the connection, the proxy and the firewall.", repeatable=True,
        )  # fmt: skip

    def _cut(self, error: httpx2.TransportError, asked: Request) -> PlatformError:
        late = isinstance(error, httpx2.TimeoutException)
        why = f"No answer came within {self.seconds:g} seconds" if late else "The connection was cut"
        if asked.deed:
            return UncertainError(f"{why} after the request was sent: {asked.deed}, or was not; that is not known.",
                                  advice="Look on the platform before you try again.")  # fmt: skip
        return UnreachableError(
            f"{why} while reading {asked.what}.",
            advice="Try again; if it stays so, ask the platform's support or raise the time-out of the connection.",
            repeatable=True,
        )  # fmt: skip


def _proxy(url: str, ca_file: str | Path | None) -> httpx2.Proxy:
    return httpx2.Proxy(url, ssl_context=None if is_plain(url) else _tls(url, ca_file))


def _tls(url: str, ca_file: str | Path | None) -> ssl.SSLContext:
    """Which certificates are trusted: those of `ca_file` alone, else those of this computer.

    Raises:
        CertificateError: the file cannot be read.
    """
    if is_plain(url):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # never used; reading the computer's certificates takes time
    if ca_file is None:
        return httpx2.create_ssl_context(trust_env=False)
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except (OSError, ValueError):  # ssl.SSLError is an OSError
        pass
    raise CertificateError(
        f'The file of certificates "{ca_file}" cannot be read.', advice="It must be there, and in PEM form."
    )


def _certificate(error: ssl.SSLCertVerificationError, url: str) -> CertificateError:
    """What is wrong with a certificate; its own words are OpenSSL's."""
    code = error.verify_code
    if code == _NOT_YET_VALID:
        return CertificateError(f"The certificate of {url} is not valid yet.",
                                advice="Most often the clock of this computer is slow: set it.")  # fmt: skip
    if code == _EXPIRED:
        return CertificateError(f"The certificate of {url} has expired.",
                                advice="The platform must renew it; or this computer's clock is ahead.")  # fmt: skip
    if code in _OTHER_NAME:
        return CertificateError(f"The certificate of {url} is another computer's.",
                                advice="Check the host in the URL of the connection.")  # fmt: skip
    return CertificateError(
        f"The certificate of {url} comes from somebody this computer does not trust.",
        advice="If the platform or a proxy has certificates of its own, name the file of their CA as ca_file.",
    )


def _causes(error: BaseException | None) -> Generator[BaseException, None, None]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _revealed(form: Mapping[str, str | Secret] | None) -> dict[str, str] | None:
    if form is None:
        return None
    return {name: value.reveal() if isinstance(value, Secret) else value for name, value in form.items()}
