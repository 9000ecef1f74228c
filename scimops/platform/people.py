"""Target groups and target users. People are many: they are read page by page, as plain rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NotRequired, TypedDict, cast

from scimops.http.answers import Json
from scimops.platform.answers import checked, row_of
from scimops.platform.session import path_of
from scimops.platform.topic import Topic, id_of


class TargetGroup(TypedDict):
    """A target group; who made it: a SCIM setting or LDAP by name, else by hand."""

    resourceId: str
    name: str
    userCount: int
    createTime: str
    isEditable: bool
    isScimGroup: bool
    scimSettingName: str | None
    ldapConfigName: str | None


class TargetUser(TypedDict):
    """A person as searches show them; `status` is Active, Inactive or Deleted; `scimops` the embedded platform's."""

    resourceId: str
    email: str | None
    firstName: str | None
    lastName: str | None
    department: str | None
    phoneNumber: str | None
    status: str | None
    createTime: str
    isEditable: bool
    scimSettingName: str | None
    ldapConfigName: str | None
    customFieldValues: list[Json] | None
    scimops: NotRequired[Json]


class TargetUserDetail(TypedDict):
    """One person; `scimops` is the embedded platform's."""

    resourceId: str
    email: str | None
    firstName: str | None
    lastName: str | None
    department: str | None
    phoneNumber: str | None
    isActive: bool
    customFieldValues: list[Json] | None
    scimops: NotRequired[Json]


class PeopleCalls(Topic):
    """`/api/target-groups` and `/api/target-users`."""

    def target_groups(self) -> list[TargetGroup]:
        """Every target group of the company, the oldest first."""
        return list(self._session.search("/api/target-groups/search", "the target groups", "resourceId", _group))

    def create_target_group(self, name: str, priority: str = "Low") -> str:
        """Make a target group; its id. No path of the API deletes one.

        Raises:
            NameTakenError: there is one with this name.
            UncertainError: it may have been made.
        """
        what = f'the target group "{name}"'
        body = {"name": name, "priority": priority}
        return self._session.write("POST", "/api/target-groups", what, f"{what} was made", id_of, body=body)

    def group_users(self, group_id: str) -> Iterator[TargetUser]:
        """The people of a target group."""
        what = f"the people of the target group {group_id}"
        return self._people(path_of("target-groups", group_id, "users", what=what), what, "")

    def target_users(self, text: str = "") -> Iterator[TargetUser]:
        """The people of the company (whose e-mail or name holds `text`): all of them, or an error at the end."""
        return self._people("/api/target-users/search", "the target users", text)

    def user(self, user_id: str) -> TargetUserDetail:
        """One person."""
        what = f"the target user {user_id}"
        return self._session.read(path_of("target-users", user_id, what=what), what, _detail)

    def _people(self, path: str, what: str, text: str) -> Iterator[TargetUser]:
        return self._session.search(path, what, "resourceId", _user, text=text, size=self._large_page())


def _group(row: Json) -> TargetGroup:
    texts, flags = "createTime scimSettingName ldapConfigName", "isEditable isScimGroup"
    return cast(TargetGroup, checked(row, "resourceId name", texts, flags, "userCount"))


def _user(row: Json) -> TargetUser:
    return cast(TargetUser, checked(row, "resourceId", "email status scimSettingName ldapConfigName"))


def _detail(data: Any) -> TargetUserDetail:
    return cast(TargetUserDetail, checked(row_of(data), "resourceId", "email", "isActive"))
