"""The client of the platform's management API: settings, target groups and users, enrolments, jobs, audit log.

One client for both ends: the real platform and the embedded one (`scimops serve`). ::

    with connect(connection) as platform:
        for setting in platform.settings(): ...

Before the first call the company is compared with the connection's. What only reads is asked again after a fault that
may pass; what changes something never is: where its answer was lost, `UncertainError` says so. Our additions (the
object `scimops`) go to a platform that says it is the embedded one, and to no other.

The rooms: `http` one exchange, `session` token and company, `retries`, `paging`, `answers` envelopes, `statuses` and
`faults` what can go wrong, `address` URLs for people; `settings`, `people`, `enrolments`, `logs`, `company` the
calls.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from scimops.errors import UsageError
from scimops.http import faults
from scimops.http.faults import ForbiddenError, PlatformError, UncertainError
from scimops.http.retries import Retries
from scimops.platform.company import Company
from scimops.platform.enrolments import Enrolment, EnrolmentCalls, EnrolmentDetail, ReportUser
from scimops.platform.logs import AuditLine, Job, JobStep, LogCalls
from scimops.platform.people import PeopleCalls, TargetGroup, TargetUser, TargetUserDetail
from scimops.platform.session import Session
from scimops.platform.settings import CustomField, SettingCalls, SettingDetail, SettingRow
from scimops.platform.topic import ScimField

if TYPE_CHECKING:
    from scimops.connections import Connection

__all__ = [
    "AuditLine", "Company", "CustomField", "Enrolment", "EnrolmentDetail", "Job", "JobStep", "Platform",
    "PlatformError", "ReportUser", "Retries", "ScimField", "SettingDetail", "SettingRow", "TargetGroup", "TargetUser",
    "TargetUserDetail", "UncertainError", "connect", "faults",
]  # fmt: skip


class Platform(SettingCalls, PeopleCalls, EnrolmentCalls, LogCalls):
    """A connected platform; a context manager. Errors are those of :mod:`scimops.http.faults`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Platform of {self._session.where}>"

    def close(self) -> None:
        """Close the connections and forget the access token."""
        self._session.close()

    def company(self) -> Company:
        """The company that the connection acts for, compared with the configuration."""
        return self._session.company()

    def seats(self) -> int | None:
        """Seats of the licence; None: not limited, or the credential may not see them."""
        try:
            return self._session.seats()
        except ForbiddenError:
            return None


def connect(connection: Connection, retries: Retries | None = None) -> Platform:
    """A platform by its connection; the first request is sent by the first call.

    Raises:
        UsageError: the connection is one to a SCIM endpoint.
        CertificateError: the connection's file of certificates cannot be read.
    """
    if connection.kind != "platform":
        raise UsageError(f'The connection "{connection.name}" leads to a SCIM endpoint, not to a management API.',
                         advice="Name one of kind: platform; scimops connection list shows them.")  # fmt: skip
    return Platform(Session(connection, retries or Retries()))
