"""SCIM settings and custom fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict, cast
from urllib.parse import urlsplit

from scimops.credentials import known
from scimops.credentials.redaction import SHORTEST
from scimops.http.answers import Json
from scimops.http.faults import AnswerError
from scimops.platform.answers import checked, row_of, rows_of
from scimops.platform.session import path_of
from scimops.platform.topic import Topic, id_of
from scimops.tokens import Secret

PUBLIC_HOST, PUBLIC_SCIM = "api.keepnetlabs.com", "https://scim-api.keepnetlabs.com/scim"
"""Where the platform's own cloud takes SCIM (platform facts); one on premises has a domain of its own."""


class SettingRow(TypedDict):
    """A SCIM setting in the list; `groupByCustomFieldName` is the field that decides the group."""

    resourceId: str
    name: str
    groupName: str | None
    groupByCustomFieldName: str | None
    createTime: str


class SettingDetail(TypedDict):
    """A SCIM setting; `mappingDetails` has scimPath and customFieldName; `scimops` is the embedded platform's."""

    resourceId: str
    name: str
    groupName: str | None
    groupByCustomFieldName: str | None
    mappingDetails: list[Json] | None
    syncPlatformGroup: bool
    scimops: NotRequired[Json]


class CustomField(TypedDict):
    """A company's custom field."""

    resourceId: str
    name: str
    ownerType: str
    fieldDataType: str


class SettingCalls(Topic):
    """`/api/scim` and `/api/custom-fields`. What changes something is never asked twice."""

    def scim_url(self) -> str | None:
        """Where an identity provider sends people; None where the platform does not say it."""
        url = self._session.connection.url
        if urlsplit(url).hostname == PUBLIC_HOST:
            return PUBLIC_SCIM
        return f"{url}/scim/v2" if self.capabilities().own else None

    def settings(self) -> list[SettingRow]:
        """Every SCIM setting of the company, the oldest first."""
        return list(self._session.search("/api/scim/search", "the SCIM settings", "resourceId", _row))

    def setting(self, setting_id: str) -> SettingDetail:
        """One SCIM setting."""
        what = f"the SCIM setting {setting_id}"
        return self._session.read(path_of("scim", setting_id, what=what), what, _detail)

    def create_setting(self, body: Mapping[str, Any]) -> Secret:
        """Create a SCIM setting; its token, which no other answer shows.

        Args:
            body: `CreateScimIntegrationRequest` of the OpenAPI file; `scimops` for the embedded platform only.

        Raises:
            UncertainError: it may have been made; look for its name in :meth:`settings`.
            NameTakenError: there is one with this name.
            OnlyOursError: it has `scimops`, and the other end is not the embedded platform; nothing was sent.
        """
        if "scimops" in body:
            self._only_ours("aliases and the other additions to a setting")
        what = f'the SCIM setting "{body.get("name")}"'
        return self._session.write("POST", "/api/scim", what, f"{what} was made", token_of, body=dict(body))

    def rename(self, setting_id: str, name: str) -> None:
        """Give a SCIM setting another name; nothing else of it can be changed."""
        what = f"the SCIM setting {setting_id}"
        path, deed = path_of("scim", setting_id, what=what), f'{what} was renamed to "{name}"'
        self._session.write("PUT", path, what, deed, _nothing, body={"name": name})

    def revoke(self, setting_id: str) -> Secret:
        """End the tokens of a SCIM setting at once; the new one."""
        what = f"the SCIM setting {setting_id}"
        path, deed = path_of("scim", setting_id, "revoke", what=what), f"the token of {what} was renewed"
        return self._session.write("POST", path, what, deed, token_of)

    def delete(self, setting_id: str) -> None:
        """Delete a SCIM setting; its people stay."""
        what = f"the SCIM setting {setting_id}"
        self._session.write("DELETE", path_of("scim", setting_id, what=what), what, f"{what} was deleted", _nothing)

    def custom_fields(self) -> list[CustomField]:
        """The company's custom fields."""
        return self._session.read("/api/custom-fields/company", "the custom fields", _custom_fields)

    def create_custom_field(self, name: str) -> str:
        """Make a custom field of text; its id.

        Raises:
            NameTakenError: there is one with this name.
            UncertainError: it may have been made.
        """
        what = f'the custom field "{name}"'
        body = {"name": name, "ownerType": "Company", "fieldDataType": "Text"}
        return self._session.write("POST", "/api/custom-fields", what, f"{what} was made", id_of, body=body)


def _row(row: Json) -> SettingRow:
    return cast(SettingRow, checked(row, "resourceId name", "groupName groupByCustomFieldName createTime"))


def _detail(data: Any) -> SettingDetail:
    row = checked(row_of(data), "name", "resourceId groupName groupByCustomFieldName", "syncPlatformGroup")
    for mapping in rows_of(row.get("mappingDetails")):
        checked(mapping, texts="scimPath customFieldName")
    return cast(SettingDetail, row)


def _custom_fields(data: Any) -> list[CustomField]:
    return [cast(CustomField, checked(row, "resourceId name", "ownerType fieldDataType")) for row in rows_of(data)]


def token_of(data: Any) -> Secret:
    """The token, at either place that the platform's papers name: `token`, or `results[0].token` (platform facts)."""
    body = row_of(data)
    for row in (body, *rows_of(body.get("results"))[:1]):
        if isinstance(token := row.get("token"), str) and len(token) >= SHORTEST:
            return known(Secret(token))
    raise AnswerError("It holds no token.")


def _nothing(_data: Any) -> None:
    return None
