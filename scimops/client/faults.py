"""What can go wrong on the SCIM wire, each in one sentence with what to do.

The tree (the number is the command's exit code); those of one exchange are in :mod:`scimops.http.faults`::

    ScimopsError
    ├── PlatformError 1
    │   ├── AddressError 2         there is no SCIM endpoint at the URL
    │   ├── UnreachableError 1     no connection, no answer in time, cut while reading
    │   ├── CredentialsError 1     the token is wrong (401)
    │   ├── ForbiddenError 1       no right for this (403)
    │   ├── NotFoundError 1        no such person or group (404)
    │   ├── RefusedError 1         a request that is not valid (400, 413 …)
    │   │   ├── ConflictError 1    a userName, externalId … is somebody else's (409)
    │   │   ├── ChangedError 1     it was changed since it was read (412)
    │   │   └── CursorError 1      a page's cursor is no longer good (RFC 9865)
    │   ├── BusyError 1            429 or 503, also after asking again
    │   ├── ServerFaultError 1     500, 502, 504
    │   ├── AnswerError 1          HTML for JSON, cut or too large, no SCIM
    │   └── UncertainError 1       a change was sent and its answer is not known: it may have happened
    └── IncompleteSourceError 5
        └── SnapshotError 5        the service provider was not read whole, or a saved snapshot is not whole

None of them carries a token: not in its text, not as its cause or context.
"""

from __future__ import annotations

from scimops.errors import IncompleteSourceError
from scimops.http.faults import RefusedError


class ConflictError(RefusedError):
    """Something that must be unique is somebody else's."""


class ChangedError(RefusedError):
    """The resource was changed since it was read."""


class CursorError(RefusedError):
    """A page's cursor is no longer good."""


class SnapshotError(IncompleteSourceError):
    """The service provider was not read whole, or what was saved is not whole; nothing is concluded from a part."""
