"""Calls of one connection: the access token, the company they act for, asking again, the search of all pages.

The access token is kept here in memory and nowhere else. Texts of the platform may repeat what was sent to it, so every
error is cleaned of secrets on its way out.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TypeVar, cast

from scimops.credentials import known, resolve
from scimops.credentials.redaction import SHORTEST
from scimops.http.answers import Answer, Json, read_json
from scimops.http.exchange import Bearer, Request, Wire
from scimops.http.faults import (
    AnswerError,
    ClockError,
    CredentialsError,
    NotFoundError,
    UncertainError,
)
from scimops.http.retries import Retries
from scimops.http.told import told_here
from scimops.platform import company as companies
from scimops.platform.answers import read_envelope
from scimops.platform.paging import PAGE, pages
from scimops.platform.statuses import LOOK_FIRST, clock_difference, fault_of_envelope, fault_of_status
from scimops.tokens import Secret

if TYPE_CHECKING:
    from scimops.connections import Connection

T = TypeVar("T")

COMPANY_HEADER = "X-KEEPNET-Company-Id"
EARLY = 60.0
"""How many seconds before its end an access token is renewed; at most a tenth of its life."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CODE = re.compile("[a-z_]{1,40}")  # RFC 6749 §5.2


class Session:
    """One connection's calls; may be used by several threads.

    Raises:
        PlatformError: the connection itself is not right; nothing was sent.
    """

    def __init__(self, connection: Connection, retries: Retries) -> None:
        self.connection = connection
        self.where = f'connection "{connection.name}"'
        self._retries = retries
        self._lock = threading.RLock()
        self._token: Secret | None = None
        self._token_ends = 0.0
        self._company: companies.Company | None = None
        with self._told_here():
            self._wire = Wire(connection)

    def close(self) -> None:
        """Close the connections and forget the access token."""
        self._wire.close()
        self._token = None

    def all_companies(self) -> list[companies.Company]:
        """Every company that the credential sees; asked without a company, for with one it would be all that is listed.

        Raises:
            PlatformError: the platform cannot be asked.
        """
        with self._told_here():
            return companies.all_companies(self._ask)

    def company(self) -> companies.Company:
        """The company that this connection acts for, compared with the configuration; asked once.

        Raises:
            OtherCompanyError: it is another one.
        """
        with self._told_here(), self._lock:
            if self._company is None:
                self._company = companies.find_company(self._ask, self.connection)
            return self._company

    def seats(self) -> int | None:
        """Seats of the company's licence; None: not limited."""
        company = self.company()
        with self._told_here():
            return companies.seats_of(self._ask, company)

    def read(
        self, path: str, what: str, take: Callable[[Any], T], *, query: Mapping[str, str] | None = None
    ) -> T:  # fmt: skip
        """`take` of the data of a GET."""
        self.company()
        with self._told_here():
            return take(self._ask(Request("GET", path, what, query=query or {})))

    def search(
        self, path: str, what: str, key: str, take: Callable[[Json], T], *, order: str = "CreateTime", text: str = "",
        capitals: bool = False, size: int = PAGE,
    ) -> Iterator[T]:  # fmt: skip
        """`take` of each row of a search, read page by page; `key` is a row's id, `capitals` how the filter is spelled.

        Raises:
            IncompleteSourceError: the results changed while they were read, or pages are missing.
        """
        self.company()
        names = ("Condition", "SearchInputTextValue") if capitals else ("condition", "searchInputTextValue")

        def ask(number: int, count: int) -> Any:
            body = {"pageNumber": number, "pageSize": count, "orderBy": order, "ascending": True,
                    "filter": dict(zip(names, ("AND", text), strict=True))}  # fmt: skip
            return self._ask(Request("POST", path, what, body=body))

        with self._told_here():
            for rows in pages(ask, what, key, size):
                yield from map(take, rows)

    def write(
        self, method: str, path: str, what: str, deed: str, take: Callable[[Any], T], *, body: Any = None
    ) -> T:  # fmt: skip
        """`take` of the data of a change; never asked twice.

        Raises:
            UncertainError: it may have happened.
        """
        self.company()
        with self._told_here():
            taken, problem = _used(take, self._ask(Request(method, path, what, deed, body)))
            if problem:
                raise UncertainError(f"{deed[:1].upper()}{deed[1:]}, but the answer cannot be used: {problem}",
                                     advice=LOOK_FIRST)  # fmt: skip
            return cast(T, taken)

    def _ask(self, asked: Request) -> Any:
        """The data of one answer; a token that is refused is renewed once."""
        for _ in range(2):
            token = self._access_token()
            headers = {}
            if self.connection.reseller:
                headers[COMPANY_HEADER] = str(self.connection.company_id)
            answer = self._send(asked, Bearer(token, headers))
            if answer.status != 401:
                envelope = read_envelope(answer)
                if envelope.ok is not True:
                    raise fault_of_envelope(envelope, asked)
                return envelope.data
            self._forget(token)
        raise _refused_at_once(answer)

    def _send(self, asked: Request, auth: Bearer | None) -> Answer:
        """An answer that is good, or 401 (400 and 401 to the token request); what only reads is asked again."""

        def work() -> Answer:
            answer = self._wire.exchange(asked, auth)
            decided_elsewhere = answer.status == 401 or (asked.form is not None and answer.status == 400)
            fault = None if decided_elsewhere else fault_of_status(answer, asked, self.connection.company_name or "")
            if fault is not None:
                raise fault
            return answer

        return work() if asked.deed else self._retries.run(work)

    def _access_token(self) -> Secret:
        with self._lock:
            if self._token is None or time.monotonic() >= self._token_ends:
                self._token = self._new_token()
            return self._token

    def _forget(self, token: Secret) -> None:
        with self._lock:
            if self._token is token:
                self._token = None

    def _new_token(self) -> Secret:
        """An access token by client credentials (RFC 6749 §4.4); the secret is resolved for this request only."""
        form: dict[str, str | Secret] = {
            "grant_type": "client_credentials", "client_id": self.connection.client_id,
            "client_secret": resolve(self.connection.client_secret), "scope": "api1",
        }  # fmt: skip
        asked_at = time.monotonic()
        answer = self._send(Request("POST", "/connect/token", "the access token", form=form), None)
        token, life, problem = _token_of(answer)
        if token is None:
            if answer.good:
                raise AnswerError(f"The answer for the access token cannot be read: {problem}.",
                                  advice="Check the URL of the connection: it must be the management API.")  # fmt: skip
            raise CredentialsError(
                f"The platform does not take the client id and secret of this connection ({problem}).",
                advice="Check both; the secret may have been copied in part, or renewed or removed on the platform.",
            )
        if life <= 0:
            raise _refused_at_once(answer)
        self._token_ends = asked_at + life - min(EARLY, life / 10)
        return token

    def _told_here(self) -> AbstractContextManager[None]:
        return told_here(self.where)


def _used(take: Callable[[Any], T], data: Any) -> tuple[T | None, str]:
    """`take` of `data`, or why it cannot be had; no frame that an error shows has the data."""
    try:
        return take(data), ""
    except AnswerError as error:
        return None, error.message


def path_of(*parts: str, what: str) -> str:
    """A path below `/api`; ids that are none are not sent.

    Raises:
        NotFoundError: a part cannot be an id.
    """
    if not all(_ID.fullmatch(part) for part in parts):
        raise NotFoundError(f"The platform does not have {what}.", advice="That is no resource id.")
    return "/".join(("/api", *parts))


def _refused_at_once(answer: Answer) -> ClockError:
    clock = clock_difference(answer)
    return ClockError(
        f"The platform does not take the access token that it gave a moment ago.{f' {clock}' if clock else ''}",
        advice="Set the clock, here or there, that is wrong; else the credential was removed just now.",
    )


def _token_of(answer: Answer) -> tuple[Secret | None, float, str]:
    """The token of an answer and its life in seconds; or why there is none (RFC 6749 §5.2: a code, not a sentence)."""
    document, problem = read_json(answer)
    if not isinstance(document, dict):
        return None, 0, problem or "it is no object"
    code = document.get("error")
    if not answer.good:
        return None, 0, f"{answer.status} {code}" if _CODE.fullmatch(str(code)) else str(answer.status)
    token, life = document.get("access_token"), document.get("expires_in")
    if not isinstance(token, str) or len(token) < SHORTEST or not token.isascii() or not token.isprintable():
        return None, 0, "it holds no token"
    if not isinstance(life, int | float) or isinstance(life, bool):
        return None, 0, "it does not say how long the token is good"
    return known(Secret(token)), float(life), ""
