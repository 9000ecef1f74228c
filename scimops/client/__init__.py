"""The client of a service provider, on the SCIM wire: what is there now, and changes one at a time.

::

    with connect(connection) as service_provider:
        snapshot = service_provider.read_snapshot(setting)
        for person, written in service_provider.each(service_provider.create_user, people): ...

A snapshot is whole or an error. What a service provider refuses is a result (:class:`Written`); what stops everything
is an error of :mod:`scimops.client.faults`. A change is never sent twice where twice is not the same as once.

The rooms: `session` one connection's requests, `brake` how many at a time, `discovery` and `quirks` what the other
end does, `paging`, `columns`, `reading` and `snapshot` what is there, `management` the same through the management
API, `writes` look-ups and changes, `statuses` and `faults` what can go wrong.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from scimops.capabilities import Capabilities
from scimops.client import faults
from scimops.client.brake import MOST
from scimops.client.discovery import Features, discover
from scimops.client.faults import SnapshotError
from scimops.client.session import Session
from scimops.client.writes import Writes, Written
from scimops.errors import UsageError
from scimops.http.retries import Retries

if TYPE_CHECKING:
    from scimops.client.snapshot import Snapshot
    from scimops.connections import Connection
    from scimops.setting import Setting

__all__ = ["Features", "Retries", "ServiceProvider", "SnapshotError", "Written", "connect", "faults"]

T = TypeVar("T")
R = TypeVar("R")


class ServiceProvider(Writes):
    """A connected service provider; a context manager. `features` says what it does."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._session.close()

    def __repr__(self) -> str:
        return f"<ServiceProvider of {self._session.where}>"

    @property
    def where(self) -> str:
        """Which connection it is, for people."""
        return self._session.where

    @property
    def capabilities(self) -> Capabilities:
        """What it does by itself; of one that is not known: nothing."""
        return self.features.known.capabilities

    def read_snapshot(self, setting: Setting) -> Snapshot:
        """Users, groups and members that the token sees, with the fields of `setting`.

        Raises:
            SnapshotError: it changed while it was read, twice, or what came is not the whole.
            PlatformError: one of :mod:`scimops.client.faults`.
        """
        from scimops.client.reading import read_over_scim

        return read_over_scim(self._session, self.features, setting)

    def each(self, work: Callable[[T], R], items: Iterable[T]) -> Iterator[tuple[T, R]]:
        """`work` of each item, several at a time, in order; how many, the service provider decides by its answers.

        An error of one ends it: what is under way is finished, and nothing more is begun. So does closing it.
        """
        waiting: deque[tuple[T, Future[R]]] = deque()
        pool = ThreadPoolExecutor(MOST)
        try:
            for item in items:
                waiting.append((item, pool.submit(work, item)))
                if len(waiting) > 2 * MOST:
                    first, done = waiting.popleft()
                    yield first, done.result()
            for first, done in waiting:
                yield first, done.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def connect(connection: Connection, retries: Retries | None = None) -> ServiceProvider:
    """A service provider by its connection; what it does is asked at once.

    Raises:
        UsageError: the connection is one to a management API.
        CredentialError: the token cannot be fetched.
        PlatformError: one of :mod:`scimops.client.faults`.
    """
    if connection.kind != "scim":
        raise UsageError(f'The connection "{connection.name}" leads to a management API, not to a SCIM endpoint.',
                         advice="Name one of kind: scim; scimops connection list shows them.")  # fmt: skip
    session = Session(connection, retries or Retries())
    try:
        return ServiceProvider(session, discover(session))
    except BaseException:
        session.close()
        raise
