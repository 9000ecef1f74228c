"""What every topic of the API has: a session, and what the other end does by itself."""

from __future__ import annotations

from typing import Any, TypedDict, cast

from scimops.capabilities import PUBLISHED, Capabilities
from scimops.http.faults import AnswerError, OnlyOursError
from scimops.platform.answers import checked, needed, row_of, rows_of
from scimops.platform.paging import LARGE_PAGE, PAGE
from scimops.platform.session import Session


class ScimField(TypedDict):
    """A SCIM attribute that may be mapped; its name is the attribute path."""

    resourceId: str
    name: str


class Topic:
    """A part of the API."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._capabilities: Capabilities | None = None

    def scim_fields(self) -> list[ScimField]:
        """Which SCIM attributes may be mapped (`GET /api/scim/fields`)."""
        fields, self._capabilities = self._fields()
        return fields

    def capabilities(self) -> Capabilities:
        """What the other end does by itself: the embedded platform says it, of another one its documentation does."""
        if self._capabilities is None:
            self._capabilities = self._fields()[1]
        return self._capabilities

    def _fields(self) -> tuple[list[ScimField], Capabilities]:
        return self._session.read("/api/scim/fields", "the SCIM fields", _fields_of)

    def _only_ours(self, what: str) -> None:
        if not self.capabilities().own:
            raise OnlyOursError(f"Only the embedded platform has {what}; nothing was sent.", where=self._session.where)

    def _large_page(self) -> int:
        return LARGE_PAGE if self.capabilities().own else PAGE


def _fields_of(data: Any) -> tuple[list[ScimField], Capabilities]:
    body = row_of(data)
    fields = [cast(ScimField, checked(row, "resourceId name")) for row in rows_of(body.get("fields"))]
    said = row_of(body.get("scimops") or {}).get("capabilities")
    if not said:
        return fields, PUBLISHED
    try:
        return fields, Capabilities.said(said)
    except (KeyError, TypeError, ValueError, AttributeError):
        pass
    raise AnswerError("The platform says of itself what cannot be read.")


def id_of(data: Any) -> str:
    """The id of something new."""
    return needed(row_of(data), "resourceId")
