"""A service provider that is only simulated: it begins as a snapshot and remembers what is done to it.

It does no PATCH, so that whole resources come; and it places nobody: what the real one does by itself is expected.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from scimops.apply.resources import with_fields
from scimops.client import ServiceProvider, Written
from scimops.client.columns import MEMBERS, UserPages, groups_frame
from scimops.client.snapshot import Snapshot, make_snapshot
from scimops.grouping import identity_key
from scimops.http.answers import Json

if TYPE_CHECKING:
    from scimops.client import Features
    from scimops.setting import Setting

_SLICE = 1000


class Simulated(ServiceProvider):
    """What `snapshot` says is there; nothing is sent anywhere."""

    def __init__(self, snapshot: Snapshot, features: Features, setting: Setting) -> None:
        self.features = replace(features, patch=False)
        self._start, self._setting = snapshot, setting
        self._lock, self._number = threading.Lock(), 0
        self._people: dict[str, dict[str, Any]] = {}
        for row in snapshot.users.iter_rows(named=True):
            self._people[row["id"]] = self._shown(row)
        self._groups = {row["id"]: row for row in snapshot.groups.iter_rows(named=True)}
        self._members: dict[str, set[str]] = {one: set() for one in self._groups}
        for group, person in snapshot.members.select("group_id", "user_id").iter_rows():
            self._members.setdefault(group, set()).add(person)
        self._by_name: dict[str, str] = {}
        self._by_key: dict[str, str] = {}
        for person in self._people.values():
            self._index(person)

    def user(self, user_id: str) -> Json | None:
        """One user."""
        return self._people.get(user_id)

    def group(self, group_id: str) -> Json | None:
        """One group."""
        members = [{"value": one} for one in sorted(self._members.get(group_id, ()))]
        return {"id": group_id, "members": members} if group_id in self._groups else None

    def find_user(self, *, user_name: str | None = None, external_id: str | None = None) -> Json | None:
        """The user of this externalId, else userName."""
        found = self._by_key.get(external_id) if external_id else self._by_name.get(identity_key(user_name or ""))
        return self._people.get(found or "")

    def find_group(self, *, name: str | None = None, external_id: str | None = None) -> Json | None:
        """The group of this externalId, else name."""
        attribute, value = ("externalId", external_id) if external_id else ("name", name)
        return next((self.group(one) for one, row in self._groups.items() if row[attribute] == value), None)

    def create_user(self, document: Mapping[str, Any]) -> Written:
        """A new user; 409 where the userName or externalId is somebody's."""
        with self._lock:
            if self._taken(document, ""):
                return Written("create user", 409, said="uniqueness: simulated")
            made = self._put(self._new(), document)
        return Written("create user", 201, made["id"])

    def replace_user(self, user_id: str, document: Mapping[str, Any], version: str | None = None) -> Written:
        """Another document in the place of a user."""
        with self._lock:
            if (old := self._people.get(user_id)) is None:
                return Written("replace user", 404, user_id)
            if version not in (None, old.get("meta", {}).get("version")):
                return Written("replace user", 412, user_id)
            if self._taken(document, user_id):
                return Written("replace user", 409, user_id, said="uniqueness: simulated")
            self._forget(old)
            self._put(user_id, document)
        return Written("replace user", 200, user_id)

    def delete_user(self, user_id: str, version: str | None = None) -> Written:
        """No such user any more."""
        with self._lock:
            if (old := self._people.get(user_id)) is None:
                return Written("delete user", 404, user_id)
            if version not in (None, old.get("meta", {}).get("version")):
                return Written("delete user", 412, user_id)
            del self._people[user_id]
            self._forget(old)
            for members in self._members.values():
                members.discard(user_id)
        return Written("delete user", 204, user_id)

    def create_group(self, name: str, external_id: str | None = None) -> Written:
        """A new group."""
        with self._lock:
            made = self._new()
            self._groups[made] = {"id": made, "name": name, "externalId": external_id}
            self._members[made] = set()
        return Written("create group", 201, made)

    def delete_group(self, group_id: str, version: str | None = None) -> Written:  # noqa: ARG002
        """No such group any more."""
        with self._lock:
            found = self._groups.pop(group_id, None)
            self._members.pop(group_id, None)
        return Written("delete group", 204 if found else 404, group_id)

    def add_members(self, group_id: str, user_ids: Sequence[str]) -> Iterator[Written]:
        """They are in the group."""
        with self._lock:
            self._members[group_id].update(user_ids)
        yield Written("add members", 204, group_id, changed=tuple(user_ids))

    def remove_members(self, group_id: str, user_ids: Sequence[str]) -> Iterator[Written]:
        """They are not in the group."""
        with self._lock:
            self._members[group_id].difference_update(user_ids)
        yield Written("remove members", 204, group_id, changed=tuple(user_ids))

    def read_snapshot(self, setting: Setting) -> Snapshot:
        """What is there now."""
        pages, people = UserPages(setting), list(self._people.values())
        for start in range(0, len(people), _SLICE):
            pages.add(people[start : start + _SLICE])
        pairs = [(group, person) for group, people_in in self._members.items() for person in people_in]
        members = pl.DataFrame(pairs, MEMBERS, orient="row")
        begun = self._start
        return make_snapshot(
            pages.users(), groups_frame(list(self._groups.values())), members, source=begun.source, where=begun.where,
            read_at=begun.read_at, capabilities=begun.capabilities, cannot_tell=begun.cannot_tell,
        )  # fmt: skip

    def _shown(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row of the snapshot as a resource."""
        keys = ("id", "version", "setting", "matched_by", "userType")
        fields = {name: value for name, value in row.items() if name not in keys and value is not None}
        version = {"meta": {"version": row["version"]}} if row["version"] else {}
        return with_fields({}, fields, self._setting) | {"id": row["id"]} | version

    def _new(self) -> str:
        self._number += 1
        return f"simulated-{self._number}"

    def _put(self, user_id: str, document: Mapping[str, Any]) -> dict[str, Any]:
        self._number += 1
        made = {**document, "id": user_id, "meta": {"version": f'W/"simulated-{self._number}"'}}
        self._people[user_id] = made
        self._index(made)
        return made

    def _index(self, person: Mapping[str, Any]) -> None:
        self._by_name[identity_key(person.get("userName") or "")] = person["id"]
        if external_id := person.get("externalId"):
            self._by_key[external_id] = person["id"]

    def _forget(self, person: Mapping[str, Any]) -> None:
        self._by_name.pop(identity_key(person.get("userName") or ""), None)
        self._by_key.pop(person.get("externalId") or "", None)

    def _taken(self, document: Mapping[str, Any], user_id: str) -> bool:
        by_name = self._by_name.get(identity_key(document.get("userName") or ""), user_id)
        by_key = self._by_key.get(document.get("externalId") or "", user_id)
        return {by_name, by_key} != {user_id}
