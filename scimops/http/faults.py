"""What can go wrong with the platform, each in one sentence with what to do.

The tree (the number is the command's exit code)::

    ScimopsError
    ├── PlatformError 1
    │   ├── AddressError 2        there is no management API at the URL
    │   │   └── RedirectError 2   it leads elsewhere; nothing is followed
    │   ├── UnreachableError 1    no connection, no answer in time, cut while reading
    │   │   └── CertificateError 1
    │   ├── CredentialsError 1    the client id or secret is wrong
    │   │   └── ClockError 1      an access token is refused as soon as it was given
    │   ├── ForbiddenError 1      no right for this company
    │   ├── OtherCompanyError 2   another company than the connection names
    │   ├── NotFoundError 1       no such setting, group, person …
    │   ├── RefusedError 1        a request that is not valid
    │   │   └── NameTakenError 1
    │   ├── OnlyOursError 2       something that only the embedded platform does
    │   ├── BusyError 1           429 or 503, also after asking again
    │   ├── ServerFaultError 1    500, 502, 504
    │   ├── AnswerError 1         HTML for JSON, cut or too large, no envelope
    │   └── UncertainError 1      a change was sent and its answer is not known: it may have happened
    └── IncompleteSourceError 5   a search that changed while it was read (in `scimops.errors`)

None of them carries a token, a secret, a request or an answer: not in its text, not as its cause or context.
"""

from __future__ import annotations

from scimops.errors import ScimopsError


class PlatformError(ScimopsError):
    """The platform, or the way to it. `repeatable`: asking again may help; `wait`: the seconds it asked to wait."""

    def __init__(
        self, message: str, *, advice: str = "", where: str = "", repeatable: bool = False, wait: float | None = None
    ) -> None:
        super().__init__(message, advice=advice, where=where)
        self.repeatable = repeatable
        self.wait = wait


class AddressError(PlatformError):
    """There is no management API at the URL."""

    exit_code = 2


class RedirectError(AddressError):
    """The platform sends us elsewhere; nothing is followed."""


class UnreachableError(PlatformError):
    """No connection, no answer in time, or cut while reading."""


class CertificateError(UnreachableError):
    """The certificate of the platform is not to be trusted, or the file of certificates cannot be read."""


class CredentialsError(PlatformError):
    """The client id or the client secret is wrong, or is no longer there."""


class ClockError(CredentialsError):
    """An access token is refused as soon as it was given: most often a clock is wrong."""


class ForbiddenError(PlatformError):
    """The credential has no right for this, or for this company."""


class OtherCompanyError(PlatformError):
    """The credential acts for another company than the connection names."""

    exit_code = 2


class NotFoundError(PlatformError):
    """There is no such setting, group, person, enrolment or job (any more)."""


class RefusedError(PlatformError):
    """The platform refuses the request and says why."""


class NameTakenError(RefusedError):
    """Something of this name is there already."""


class OnlyOursError(PlatformError):
    """Something that only the embedded platform does."""

    exit_code = 2


class BusyError(PlatformError):
    """The platform asks to wait."""


class ServerFaultError(PlatformError):
    """The platform failed."""


class AnswerError(PlatformError):
    """The answer is none of the management API."""


class UncertainError(PlatformError):
    """A change was sent and its answer is not known: it may have happened. Whoever asked looks for it."""
