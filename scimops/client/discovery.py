"""What a service provider says of itself (RFC 7643 §5 to §7, RFC 9865 §2.4), read once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from scimops.client.quirks import OTHER, Known, known_by
from scimops.client.session import Session
from scimops.client.statuses import CHECK_URL
from scimops.http.faults import AddressError, AnswerError, NotFoundError, PlatformError, RefusedError
from scimops.http.told import told_here

PAGE = 200
"""How many resources a page has, where the service provider does not say how many are too many."""


@dataclass(frozen=True)
class Features:
    """What the service provider does. `schemas` are the URNs that a user may have; empty: it does not say."""

    known: Known = OTHER
    patch: bool = False
    bulk: int = 0
    filter: bool = False
    sort: bool = False
    etag: bool = False
    cursor: bool = False
    page: int = PAGE
    users: str = "/Users"
    groups: str = "/Groups"
    schemas: frozenset[str] = field(default_factory=frozenset)


def discover(session: Session) -> Features:
    """Ask for `/ServiceProviderConfig`, `/ResourceTypes` and `/Schemas`; the last two need not be there.

    Raises:
        AddressError: there is no SCIM endpoint at the URL.
        AnswerError: what it says of itself is none of SCIM.
    """
    from pydantic import ValidationError
    from scim2_models import ServiceProviderConfig

    document, config = session.read("/ServiceProviderConfig", "what the service provider does"), None
    try:
        config = ServiceProviderConfig.model_validate(document)
    except ValidationError as error:
        wrong = ", ".join(sorted({".".join(map(str, problem["loc"])) for problem in error.errors()}))
    if config is None:
        raise AnswerError(f"Its /ServiceProviderConfig is none of SCIM: {wrong}.", where=session.where,
                          advice=CHECK_URL)  # fmt: skip
    schemes, pagination = config.authentication_schemes or [], config.pagination
    known = known_by(session.connection.url, (schemes[0].description if schemes else None) or "")
    sizes = [config.filter and config.filter.max_results, pagination and pagination.max_page_size]
    places, urns = _resource_types(session)
    if "User" not in places:
        with told_here(session.where):
            raise AddressError("The service provider has no users: none stand in its /ResourceTypes.", advice=CHECK_URL)
    return Features(
        known, patch=_on(config.patch), bulk=((config.bulk and config.bulk.max_operations) or 0) * _on(config.bulk),
        filter=_on(config.filter), sort=_on(config.sort), etag=_on(config.etag),
        cursor=bool(pagination and pagination.cursor), page=min([PAGE, *(size for size in sizes if size)]),
        users=places["User"], groups=places.get("Group", ""), schemas=urns,
    )  # fmt: skip


def _on(part: Any) -> bool:
    return bool(part and part.supported)


def _resource_types(session: Session) -> tuple[dict[str, str], frozenset[str]]:
    """Where users and groups are; the URNs of a user."""
    rows = _listed(session, "/ResourceTypes")
    if not rows:
        return {"User": "/Users", "Group": "/Groups"}, frozenset()
    places, urns = {}, set()
    for row in rows:
        name, place = row.get("id") or row.get("name"), row.get("endpoint")
        if isinstance(name, str) and isinstance(place, str) and place.strip("/"):
            places[name] = f"/{place.strip('/')}"
        if name == "User":
            more = [one.get("schema") for one in row.get("schemaExtensions") or [] if isinstance(one, dict)]
            urns |= {urn for urn in [row.get("schema"), *more] if isinstance(urn, str)}
    there = {row.get("id") for row in _listed(session, "/Schemas")}
    return places, frozenset(urns & there if there else urns)


def _listed(session: Session, path: str) -> list[dict[str, Any]]:
    try:
        document = session.read(path, path.strip("/"))
    except (AddressError, NotFoundError, RefusedError):
        return []
    except PlatformError as error:
        if "(501)" in error.message:
            return []
        raise
    rows = document.get("Resources")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
