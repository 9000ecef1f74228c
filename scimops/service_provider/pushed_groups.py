"""Groups and members that an identity provider pushes: rows, mirrored where the setting goes by them (rule 7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from scim2_models import ForbiddenException, InvalidValueException

from scimops.grouping import group_key
from scimops.service_provider.attribute_places import exact_or_none, scim_key
from scimops.service_provider.database import new_id
from scimops.service_provider.placement import Placement, chunks, ignoring, now, touch
from scimops.service_provider.rows import Change, member_ids
from scimops.service_provider.tables import groups, memberships, users
from scimops.service_provider.tolerance import MemberChange


@dataclass
class PushedGroups:
    """The groups of one setting's identity provider, in one transaction; what changes is told to `changes`."""

    connection: sa.Connection
    company_id: str
    setting_n: int
    placement: Placement | None
    changes: list[Change]

    @property
    def by_idp_groups(self) -> bool:
        """Are these groups the setting's criterion?"""
        return self.placement is not None and self.placement.grouping.setting.by_idp_groups

    def create(self, resource: Any) -> str:
        """Keep a new group; its id."""
        moment, key = now(), group_key(resource.display_name)
        target = self.placement.target_of(key) if self.placement and self.by_idp_groups else None
        row = {
            "id": new_id(), "company_id": self.company_id, "setting_n": self.setting_n, "kind": "pushed",
            "name": resource.display_name, "group_key": key, "scim_key": scim_key(resource.display_name),
            "external_id": exact_or_none(resource.external_id), "version": 1, "created": moment, "modified": moment,
            "target_n": target,
        }  # fmt: skip
        n = self.connection.execute(sa.insert(groups).values(row).returning(groups.c.n)).scalar_one()
        if self.by_idp_groups and target is None:
            self.connection.execute(sa.update(groups).where(groups.c.n == n).values(target_n=n))
        if ids := member_ids(resource):
            self._apply_members(n, [MemberChange("add", ids)])
        return cast(str, row["id"])

    def update(self, row: sa.Row[Any], resource: Any) -> None:
        """Keep a group's new state."""
        self._refuse_placed(row)
        changed: dict[str, Any] = {"external_id": exact_or_none(resource.external_id), "name": resource.display_name}
        if resource.display_name != row.name:  # the key stays: a rename splits nothing (rule 4)
            changed["scim_key"] = scim_key(resource.display_name)
        self.connection.execute(sa.update(groups).where(groups.c.n == row.n).values(changed))
        if resource.display_name != row.name:
            self.changes.append(Change("displayName", row.name, resource.display_name))
        self._apply_members(row.n, [MemberChange("replace", member_ids(resource))])
        touch(self.connection, [row.n])

    def delete(self, row: sa.Row[Any]) -> None:
        """Forget a group; a target group stays."""
        self._refuse_placed(row)
        self._apply_members(row.n, [MemberChange("clear")])
        if row.target_n == row.n:  # trainings hang on it: it stays, empty and the company's own (rule 10)
            kept = {"kind": "manual", "setting_n": None, "external_id": None}
            self.connection.execute(sa.update(groups).where(groups.c.n == row.n).values(kept))
        else:
            self.connection.execute(sa.delete(groups).where(groups.c.n == row.n))

    def change_members(self, row: sa.Row[Any], changes: Sequence[MemberChange]) -> None:
        """Members as rows, whatever the size of the group."""
        self._refuse_placed(row)
        if self._apply_members(row.n, changes):
            touch(self.connection, [row.n])

    def _apply_members(self, group_n: int, changes: Iterable[MemberChange]) -> set[int]:
        """Carry out the changes in order; who joined or left."""
        moved: set[int] = set()
        for change in changes:
            ns = self._numbers(change.ids, strict=change.kind != "remove")
            here = (memberships.c.group_n == group_n) & (memberships.c.setting_n == self.setting_n)
            if change.kind == "remove":
                for part in chunks(ns):
                    moved |= self._leave(here & memberships.c.user_n.in_(part))
            elif change.kind in ("replace", "clear"):
                held = set(self.connection.scalars(sa.select(memberships.c.user_n).where(here)))
                for part in chunks(held - set(ns)):
                    moved |= self._leave(here & memberships.c.user_n.in_(part))
                ns = [n for n in ns if n not in held]
            if change.kind in ("add", "replace"):
                moved |= self._enter(group_n, ns)
        if moved:
            self.changes.append(Change("members", None, f"{len(moved)} joined or left"))
        if self.placement:
            self.placement.settle(moved)
        return moved

    def _leave(self, condition: sa.ColumnElement[bool]) -> set[int]:
        gone = sa.delete(memberships).where(condition).returning(memberships.c.user_n)
        return set(self.connection.scalars(gone))

    def _enter(self, group_n: int, ns: Iterable[int]) -> set[int]:
        entered: set[int] = set()
        for part in chunks(ns):
            rows = [{"group_n": group_n, "user_n": n, "setting_n": self.setting_n} for n in part]
            new = ignoring(self.connection, memberships).values(rows).returning(memberships.c.user_n)
            entered |= set(self.connection.scalars(new))
        return entered

    def _numbers(self, ids: Sequence[str], *, strict: bool) -> list[int]:
        """The keys of this setting's people with these ids; a stranger is an error where they would join."""
        found: dict[str, int] = {}
        for part in chunks(ids):
            query = sa.select(users.c.id, users.c.n).where(users.c.id.in_(part), users.c.setting_n == self.setting_n)
            found |= {row.id: row.n for row in self.connection.execute(query)}
        if strict and (unknown := [i for i in ids if i not in found]):
            raise InvalidValueException(detail=f"There is no User {unknown[0]!r} to be a member.")
        return [found[i] for i in dict.fromkeys(ids) if i in found]

    @staticmethod
    def _refuse_placed(row: sa.Row[Any]) -> None:
        if row.kind == "placed":
            raise ForbiddenException(
                detail=f"{row.name!r} holds the people whom the setting's grouping puts there. Change their value at "
                "the identity provider, or group by the identity provider's groups."
            )
