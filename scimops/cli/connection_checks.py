"""What `scimops connection test` finds out: who is at the other end, and what the credential may do. It only reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from scimops.connections import Connection
from scimops.credentials import resolve
from scimops.http.answers import Answer, read_json
from scimops.http.exchange import Bearer, Request, Wire
from scimops.http.faults import AddressError, AnswerError, CredentialsError, ForbiddenError
from scimops.platform import Platform, PlatformError, connect
from scimops.platform.statuses import fault_of_status

YES, NO, UNKNOWN = "yes", "no", "not known"


@dataclass
class Found:
    """What a connection leads to; `company` is (id, name).

    `rights` says of each right of the credential, `features` of each part of SCIM: yes, no or not known.
    """

    url: str
    server: str
    company: tuple[str, str] | None = None
    seats: int | None = None
    people: int | None = None
    rights: dict[str, str] = field(default_factory=dict)
    features: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """For `--json`."""
        company = {"id": self.company[0], "name": self.company[1]} if self.company else None
        return {
            "url": self.url, "server": self.server, "company": company, "seats": self.seats, "people": self.people,
            "rights": self.rights, "features": self.features, "faults": self.faults,
        }  # fmt: skip

    def lines(self) -> Iterator[tuple[str, str]]:
        """For people: label and value."""
        yield "URL", self.url
        yield "Server", self.server
        if self.company:
            yield "Company", f"{self.company[1]} ({self.company[0]})"
        if self.seats is not None:
            yield "Seats", f"{self.seats:,}"
        if self.people is not None:
            yield "People", f"{self.people:,}"
        for right, answer in (self.rights | self.features).items():
            yield right.capitalize(), answer


def check_connection(connection: Connection) -> Found:
    """Resolve the secret and ask the other end.

    Raises:
        CredentialError: the secret cannot be fetched.
        PlatformError: there is nobody, or it is not who the connection says.
    """
    return _platform(connection) if connection.kind == "platform" else _scim(connection)


def _platform(connection: Connection) -> Found:
    with connect(connection) as platform:
        company = platform.company()
        own = platform.capabilities().own
        found = Found(connection.url, "embedded platform (scimops serve)" if own else "platform")
        found.company = (company.id, company.name)
        found.seats = platform.seats()
        for right, ask in _rights(platform).items():
            found.rights[f"read {right}"] = _may(ask, found)
    return found


def _rights(platform: Platform) -> dict[str, Callable[[], Any]]:
    """What reads a little of each kind. Whether changes are allowed shows only when something is changed."""
    return {
        "settings": platform.settings,
        "target groups": platform.target_groups,
        "people": lambda: next(iter(platform.target_users()), None),
        "enrolments": platform.enrolments,
        "jobs": platform.jobs,
        "audit log": lambda: next(iter(platform.audit_log()), None),
    }


def _may(ask: Callable[[], Any], found: Found) -> str:
    try:
        ask()
    except ForbiddenError:
        return NO
    except PlatformError as error:
        found.faults.append(str(error))
        return UNKNOWN
    return YES


def _scim(connection: Connection) -> Found:
    wire = Wire(connection)
    try:
        config = _asked(wire, connection, "/ServiceProviderConfig")
        people = _asked(wire, connection, "/Users", count="1")
    finally:
        wire.close()
    total = people.get("totalResults")
    if not isinstance(total, int) or isinstance(total, bool):
        raise _no_scim(connection, "the answer for /Users has no totalResults")
    can = {name: YES if _supported(config, name) else NO for name in ("patch", "bulk", "filter", "sort", "etag")}
    return Found(connection.url, "SCIM 2.0 service provider", people=total, features=can)


def _supported(config: dict[str, Any], name: str) -> bool:
    said = config.get(name)
    return isinstance(said, dict) and said.get("supported") is True


def _asked(wire: Wire, connection: Connection, path: str, **query: str) -> dict[str, Any]:
    """The document at a path of the SCIM endpoint (RFC 7644 §3.4.2, §4)."""
    asked = Request("GET", path, f"the answer for {path}", query=query)
    try:
        answer = wire.exchange(asked, Bearer(resolve(connection.token), {"Accept": "application/scim+json"}))
    except PlatformError as error:
        error.where = _where(connection)
        raise
    fault = _fault(answer, asked, connection)
    if fault is not None:
        fault.where = _where(connection)
        raise fault
    document, problem = read_json(answer)
    if problem or not isinstance(document, dict):
        raise _no_scim(connection, problem or "the answer is no object")
    return document


def _fault(answer: Answer, asked: Request, connection: Connection) -> PlatformError | None:
    if answer.status == 401:
        return CredentialsError("The service provider does not take the token.",
                                advice="Renewed meanwhile? `scimops setting revoke` gives a new one.")  # fmt: skip
    if answer.status == 403:
        return ForbiddenError(f"The token has no right to {asked.path}.", advice="Use the token of a SCIM setting.")
    if answer.status in (404, 405, 410):
        return _no_scim(connection, f"{answer.status} for {asked.path}", AddressError)
    return fault_of_status(answer, asked, "")


def _no_scim(connection: Connection, why: str, kind: type[PlatformError] = AnswerError) -> PlatformError:
    return kind(f"There is no SCIM endpoint at the connection's URL: {why}.", where=_where(connection),
                advice="Check the URL; it mostly ends with /scim/v2 or /scim.")  # fmt: skip


def _where(connection: Connection) -> str:
    return f'connection "{connection.name}"'
