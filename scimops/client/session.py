"""Requests of one SCIM connection: the token, asking again, the brake.

Threads, not asyncio: the exchange, its retries and its faults are the management API's, and the service provider, not
this client, is what takes time. A session may be used by several threads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scimops.client.brake import Brake
from scimops.client.statuses import document_of, fault_of
from scimops.credentials import resolve
from scimops.http.answers import Answer, Json
from scimops.http.exchange import Bearer, Request, Wire
from scimops.http.faults import UncertainError
from scimops.http.retries import Retries
from scimops.http.told import told_here
from scimops.http.waits import seconds_to_wait
from scimops.tokens import Secret

if TYPE_CHECKING:
    from scimops.connections import Connection

SCIM = "application/scim+json"


class Session:
    """One connection's requests.

    Raises:
        PlatformError: the connection itself is not right; nothing was sent.
    """

    def __init__(self, connection: Connection, retries: Retries) -> None:
        self.connection = connection
        self.where = f'connection "{connection.name}"'
        self.brake = Brake(retries.longest)
        self._retries = retries
        self._token: Secret | None = None
        with told_here(self.where):
            self._wire = Wire(connection)

    def close(self) -> None:
        """Close the connections and forget the token."""
        self._wire.close()
        self._token = None

    def answer(self, path: str, what: str, query: Mapping[str, str] | None = None) -> tuple[Json, Answer]:
        """The document at a path, and its answer; asked again after a fault that may pass.

        Raises:
            PlatformError: one of :mod:`scimops.client.faults`.
        """
        asked = Request("GET", path, what, query=query or {})

        def work() -> Answer:
            answer = self._exchange(asked, {})
            if (fault := fault_of(answer, asked)) is not None:
                raise fault
            return answer

        with told_here(self.where):
            answer = self._retries.run(work)
            return document_of(answer, asked), answer

    def read(self, path: str, what: str, query: Mapping[str, str] | None = None) -> Json:
        """The document at a path."""
        return self.answer(path, what, query)[0]

    def write(
        self, method: str, path: str, what: str, body: Any = None, *, again: bool, version: str = ""
    ) -> tuple[Answer, bool]:
        """The answer to a change, and whether it, or an earlier try, failed and may have happened all the same.

        Only what is `again` the same when done twice is sent twice after a cut; 429 was not done, and is always sent
        again. `version` is sent as If-Match.

        Raises:
            UncertainError: it may have happened.
            PlatformError: the token is refused, nobody answers, the service provider stays busy.
        """
        asked = Request(method, path, what, f"{what} was sent ({method})", body)
        headers = {"If-Match": version} if version else {}
        lost = False

        def work() -> Answer:
            nonlocal lost
            try:
                answer = self._exchange(asked, headers)
            except UncertainError as error:
                lost, error.repeatable = True, again
                raise
            fault = fault_of(answer, asked)
            lost = lost or answer.status >= 500
            if answer.status in (502, 503, 504):
                raise UncertainError(f"The service provider answered {answer.status} to {what}; it may have happened.",
                                     advice="Look for it before you try again.", repeatable=again,
                                     wait=seconds_to_wait(answer))  # fmt: skip
            if fault is not None and answer.status in (401, 429):
                raise fault
            return answer

        with told_here(self.where):
            return self._retries.run(work), lost

    def _exchange(self, asked: Request, headers: Mapping[str, str]) -> Answer:
        """One answer; a token that is refused is fetched again once."""
        said = {"Accept": f"{SCIM}, application/json;q=0.9", **headers}
        if asked.body is not None:
            said["Content-Type"] = SCIM
        with self.brake.slot() as began:
            token = self._token = self._token or resolve(self.connection.token)
            answer = self._wire.exchange(asked, Bearer(token, said))
            if answer.status == 401 and (newer := resolve(self.connection.token)) != token:
                self._token = newer
                answer = self._wire.exchange(asked, Bearer(newer, said))
            if answer.status in (429, 503):
                self.brake.press(began, seconds_to_wait(answer))
            elif answer.good:
                self.brake.ease()
        return answer
