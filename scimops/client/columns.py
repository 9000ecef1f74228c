"""Pages of resources as columns: each page is a small frame, so that never all of them are dictionaries at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import polars as pl

from scimops import frames
from scimops.attributes import PATHS, parse_path
from scimops.client.paging import version_of
from scimops.http.answers import Json
from scimops.mapping import map_resource
from scimops.resources import flatten
from scimops.setting import Setting

USERS, GROUPS, MEMBERS = map(
    frames.polars_types, (frames.SNAPSHOT_USERS, frames.SNAPSHOT_GROUPS, frames.SNAPSHOT_MEMBERS)
)


class UserPages:
    """Users and what they say of their groups, page by page."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._fields = [mapping.field for mapping in setting.field_mappings]
        paths = [path for several in PATHS.values() for path in several]
        parsed = [parse_path(path) for path in [*paths, *(mapping.attribute for mapping in setting.field_mappings)]]
        self._needed = {(part.urn or part.name).lower() for part in parsed}
        self._users: list[pl.DataFrame] = []
        self._members: list[pl.DataFrame] = []

    def add(self, resources: list[Json]) -> None:
        """One page."""
        rows = list(map(self._row, resources))
        self._users.append(users_frame(rows, self._fields))
        pairs = [pair for resource in resources for pair in _groups_of(resource)]
        self._members.append(pl.DataFrame(pairs, MEMBERS, orient="row"))

    def users(self) -> pl.DataFrame:
        """All users."""
        return pl.concat([users_frame([], self._fields), *self._users])

    def members(self) -> pl.DataFrame:
        """All memberships that users say."""
        return pl.concat([pl.DataFrame(schema=MEMBERS), *self._members])

    def _row(self, resource: Json) -> dict[str, Any]:
        kept = {key: value for key, value in resource.items() if key.lower() in self._needed}
        row: dict[str, Any] = dict(map_resource(flatten(kept), self._setting))
        row["active"] = {"true": True, "false": False}.get((row["active"] or "").lower())
        row |= {"id": resource["id"], "version": version_of(resource)}
        row["matched_by"] = next((key for key in ("externalId", "userName", "email") if row[key]), None)
        return row


def users_frame(rows: list[dict[str, Any]], fields: Iterable[str]) -> pl.DataFrame:
    """Rows as a frame of schema `snapshot_users`; the custom `fields` are named `field.NAME`."""
    names = list(fields)
    columns = {name: pl.Series(name, [row.get(name) for row in rows], kind) for name, kind in USERS.items()}
    more = {f"field.{name}": pl.Series([row.get(name) for row in rows], dtype=pl.String) for name in names}
    return frames.check(pl.DataFrame(columns | more), frames.SNAPSHOT_USERS)


def groups_frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows as a frame of schema `snapshot_groups`."""
    columns = {name: pl.Series(name, [row.get(name) for row in rows], kind) for name, kind in GROUPS.items()}
    return frames.check(pl.DataFrame(columns), frames.SNAPSHOT_GROUPS)


def group_row(resource: Json) -> dict[str, Any]:
    """A group; one without a name is called by its id."""
    name, external_id = resource.get("displayName"), resource.get("externalId")
    return {
        "id": resource["id"], "name": name if isinstance(name, str) and name else resource["id"],
        "externalId": external_id if isinstance(external_id, str) else None, "version": version_of(resource),
    }  # fmt: skip


def members_of(group: Json) -> Iterator[tuple[str, str]]:
    """(group, user) of a group's members; groups in it are none."""
    for member in group.get("members") or []:
        if isinstance(member, dict) and isinstance(member.get("value"), str) and member.get("type") != "Group":
            yield group["id"], member["value"]


def _groups_of(user: Json) -> Iterator[tuple[str, str]]:
    """(group, user) of the groups that a user is in directly (RFC 7643 §4.1.2)."""
    for group in user.get("groups") or []:
        if isinstance(group, dict) and isinstance(group.get("value"), str) and group.get("type") != "indirect":
            yield group["value"], user["id"]
