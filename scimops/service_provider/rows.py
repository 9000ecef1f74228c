"""Rows and resources: what becomes of one into the other, and the words the storage and the log share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import sqlalchemy as sa
from scim2_models import (
    Meta,
    PreconditionFailedException,
    Resource,
    ResourceType,
    ResponseParameters,
    UniquenessException,
)  # fmt: skip
from sqlalchemy.exc import IntegrityError

from scimops.service_provider.database import utc
from scimops.service_provider.tables import groups, users

NOT_STORED = ("id", "meta", "password", "groups")
"""What is the service provider's to say, or nobody's to keep."""


@dataclass(frozen=True)
class Change:
    """One attribute that a request changed, for the log."""

    attribute: str
    old: Any
    new: Any


def table_of(resource_type: ResourceType) -> sa.Table:
    """The table of a resource type."""
    return users if resource_type.id == "User" else groups


def document_of(resource: Resource[Any]) -> dict[str, Any]:
    """What is kept of a resource, as SCIM JSON; of the `schemas` sent those that its type has (RFC 7643 §3)."""
    document: dict[str, Any] = resource.model_dump()
    known = {urn.lower() for urn in (str(type(resource).__schema__), *type(resource).get_extension_models())}
    document["schemas"] = [urn for urn in document.get("schemas") or () if urn.lower() in known]
    return {key: value for key, value in document.items() if key not in NOT_STORED}


def meta_of(row: Any, resource_type: ResourceType) -> Meta:
    """What the service provider says of a resource (RFC 7643 §3.1); nothing to validate."""
    return Meta.model_construct(
        resource_type=resource_type.name, created=utc(row.created), last_modified=utc(row.modified),
        version=version_of(row),
    )  # fmt: skip


def resource_of(
    model: type[Resource[Any]], document: dict[str, Any], row: sa.Row[Any], resource_type: ResourceType
) -> Resource[Any]:
    """A resource from its document, with id and meta."""
    return model.model_validate(document | {"id": row.id, "meta": meta_of(row, resource_type)})


def version_of(row: Any) -> str:
    """The weak ETag of a row (RFC 7644 §3.14)."""
    return f'W/"{row.version}"'


def check_version(row: sa.Row[Any], expected: str | None) -> None:
    """Refuse a change of a state that is no more (RFC 7644 §3.14)."""
    if expected is not None and expected != version_of(row):
        raise PreconditionFailedException(detail="The resource was changed meanwhile. Read it again.")


def member_ids(resource: Any) -> tuple[str, ...]:
    """The people among a group's members; groups in groups are not mirrored."""
    return tuple(member.value for member in resource.members or [] if member.value and member.type != "Group")


def keeps_members(parameters: ResponseParameters[Any] | None) -> bool:
    """Does an answer with these parameters carry the members (RFC 7644 §3.9)?"""
    if parameters is None:
        return True
    excluded = {str(path).rsplit(":", 1)[-1].lower() for path in parameters.excluded_attributes or []}
    wanted = {str(path).rsplit(":", 1)[-1].lower().split(".")[0] for path in parameters.attributes or []}
    return "members" not in excluded and (not wanted or "members" in wanted)


@contextlib.contextmanager
def unique() -> Iterator[None]:
    """A value of somebody else: 409, without a word about them (RFC 7644 §3.3)."""
    try:
        yield
    except IntegrityError as error:
        _taken(str(error.orig), error)


def _taken(message: str, error: IntegrityError) -> NoReturn:
    names = {"user_name": "userName", "email": "e-mail address", "external_id": "externalId"}
    taken = next((shown for name, shown in names.items() if name in message), "value")
    raise UniquenessException(detail=f"Another person of this company has this {taken}.") from error
