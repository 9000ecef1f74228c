"""Where a person lands on the platform: the grouping rule, called inside the storage's transaction.

Here "preview is what happens" is decided. Rules 1 to 4 are :meth:`scimops.grouping.Grouping.place`, the very function
that a preview calls; this module only carries its answer out: memberships, groups made when first needed, a group that
was deleted by hand coming back with all its people (design rules 4, 5, 7, 9 and 10).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from scim2_models import InvalidValueException

from scimops.attributes import PATHS
from scimops.grouping import Grouping, assign_group, spelling, usable_email
from scimops.mapping import CUSTOM_LIMIT, LIMITS, map_resource
from scimops.resources import Flat
from scimops.service_provider import statements
from scimops.service_provider.attribute_places import scim_key
from scimops.service_provider.database import new_id
from scimops.service_provider.tables import groups, memberships, users

T = TypeVar("T")

CHUNK = 500
"""How many values one statement carries: below every database's limit of parameters."""


def now() -> dt.datetime:
    """This moment, in UTC."""
    return dt.datetime.now(dt.UTC)


def chunks(values: Iterable[T]) -> Iterator[list[T]]:
    """The values in lists that one statement can carry."""
    rest = iter(values)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


@dataclass(frozen=True)
class Judged:
    """What the rule says of one person: the address, active or not, and where they belong while active."""

    email: str | None
    active: bool
    group_key: str | None
    name: str | None
    reason: str


class Held(NamedTuple):
    """A group that people are put into: its key, its id, its name."""

    n: int
    id: str
    name: str


@dataclass(frozen=True)
class Move:
    """One person's move between groups, by name, for the log. `transient_fallback`: the fallback was a passage."""

    user: str
    before: str | None
    after: str | None
    reason: str
    transient_fallback: bool = False


@dataclass
class Placement:
    """The rule of one setting at work in one transaction.

    Raises:
        InvalidValueException: a person the rule rejects (design rule 8): 400, with what is wrong.
    """

    connection: sa.Connection
    company_id: str
    setting_n: int
    grouping: Grouping
    moves: list[Move] = field(default_factory=list)

    def judge(self, flat: Flat, *, created: bool) -> Judged:
        """Rules 1 to 9 for one person, from their resource as flat columns (:func:`scimops.resources.flatten`)."""
        setting = self.grouping.setting
        fields = map_resource(flat, setting)
        email = _usable(fields)
        active = fields["active"] != "false"
        if created and not active and setting.group_settings.inactive == "reject":
            raise InvalidValueException(detail="This setting takes nobody who is not active.")
        if setting.by_idp_groups:
            blank = self.grouping.place(None)
            counts = active or setting.group_settings.inactive == "keep_group"
            return Judged(email, active, blank.key, blank.name, blank.reason if counts else "inactive")
        value = fields[setting.grouping_field] if setting.grouping_field else None
        there = assign_group(self.grouping, value, active)
        place = there or self.grouping.place(value)
        name = place.name or (spelling(value) if value and place.key else None)
        return Judged(email, active, place.key, name, place.reason if there else "inactive")

    def put_new(self, user_n: int, user_id: str, judged: Judged) -> Held | None:
        """Have a person who has just been made be where they were judged to be; that group."""
        if judged.group_key is None:
            return None
        group = self._group(judged.group_key, judged.name)
        self._join([{"group_n": group.n, "user_n": user_n, "setting_n": self.setting_n}])
        touch(self.connection, [group.n])
        if not self.grouping.setting.by_idp_groups:
            self.moves.append(Move(user_id, None, group.name, judged.reason))
        return group

    def put(self, user_n: int, user_id: str, judged: Judged, before: str | None) -> None:
        """Have the person's membership be what was judged; `before` is the reason they had."""
        if self.grouping.setting.by_idp_groups:
            self.settle([user_n])
            return
        placed = self.connection.execute(statements.placed_in(self.setting_n), {"ns": [user_n]})
        old = {row.group_n: row.name for row in placed}
        group = self._group(judged.group_key, judged.name) if judged.group_key else None
        group_n, name = (group.n, group.name) if group else (None, None)
        if list(old) == ([group_n] if group_n else []):
            return
        if old:
            mine = (memberships.c.user_n == user_n) & memberships.c.group_n.in_(old)
            self.connection.execute(sa.delete(memberships).where(mine))
        if group_n:
            self._join([{"group_n": group_n, "user_n": user_n, "setting_n": self.setting_n}])
        touch(self.connection, [*old, group_n])
        passage = before == "fallback_blank" and judged.reason in ("matched", "alias")
        self.moves.append(Move(user_id, next(iter(old.values()), None), name, judged.reason, passage))

    def take_over(self, user_n: int) -> None:
        """What a deleted setting placed is this one's to move; what was joined by hand stays."""
        left = (memberships.c.user_n == user_n) & memberships.c.setting_n.is_not(None)
        if self.grouping.setting.by_idp_groups:  # the identity provider says anew who is in its groups
            gone = sa.delete(memberships).where(left).returning(memberships.c.group_n)
            touch(self.connection, self.connection.scalars(gone).all())
        else:
            self.connection.execute(sa.update(memberships).where(left).values(setting_n=self.setting_n))

    def settle(self, user_ns: Iterable[int]) -> None:
        """Rule 7: people in none of the identity provider's groups are in the target group, the others are not."""
        if not self.grouping.setting.by_idp_groups:
            return
        blank = self.grouping.place(None)
        for chunk in chunks(user_ns):
            rows = self.connection.execute(statements.standing(self.setting_n), {"ns": chunk}).all()
            has = {row.n for row in rows if row.mirrored}
            placed = {row.n for row in rows if row.placed_n}
            if gone := placed & has:
                left = memberships.c.group_n.in_({row.placed_n for row in rows if row.placed_n and row.n in gone})
                mine = memberships.c.user_n.in_(gone) & (memberships.c.setting_n == self.setting_n)
                self.connection.execute(sa.delete(memberships).where(mine, left))
            self._fall_back([n for n in chunk if n not in has and n not in placed])
            if gone and blank.key:
                touch(self.connection, [self.target_of(blank.key)])
            self._give_reason([row for row in rows if row.n in has], "idp_group", None)
            self._give_reason([row for row in rows if row.n not in has], blank.reason, blank.key)

    def _give_reason(self, rows: Iterable[sa.Row[Any]], reason: str, key: str | None) -> None:
        """Note the reason at people, as :func:`statements.standing` gives them, who have another."""
        keeps = self.grouping.setting.group_settings.inactive == "keep_group"
        other = {
            row.n
            for row in rows
            if row.group_key != key or row.reason != (reason if row.active or keeps else "inactive")
        }
        if other:
            self.connection.execute(statements.give_reason(reason, inactive=keeps), {"ns": list(other), "key": key})

    def _fall_back(self, user_ns: Sequence[int]) -> None:
        """Whom the identity provider has in no group is in the target group, if there is one."""
        blank = self.grouping.place(None)
        if blank.key and user_ns:
            fallback = self._group(blank.key, blank.name).n
            self._join([{"group_n": fallback, "user_n": n, "setting_n": self.setting_n} for n in user_ns])
            touch(self.connection, [fallback])

    def target_of(self, key: str) -> int | None:
        """Rule 4: the company's group with this key: the setting's own, SCIM's, the oldest, the lowest id."""
        found = self._target(key)
        return found and found.n

    def _target(self, key: str) -> Held | None:
        query = statements.target_group(self.company_id, self.setting_n)
        found = self.connection.execute(query, {"key": key}).one_or_none()
        return None if found is None else Held(*found)

    def _group(self, key: str, name: str | None) -> Held:
        """The group with this key, made when first needed; what was deleted by hand comes back with all its people."""
        if (found := self._target(key)) is not None:
            return found
        moment = now()
        row = {
            "id": new_id(), "company_id": self.company_id, "setting_n": self.setting_n, "kind": "placed",
            "name": name or key, "group_key": key, "scim_key": scim_key(name or key), "version": 1,
            "created": moment, "modified": moment,
        }  # fmt: skip
        self.connection.execute(ignoring(self.connection, groups).values(row))
        made_row = self.connection.execute(
            sa.select(groups.c.n, groups.c.id, groups.c.name).where(
                groups.c.company_id == self.company_id, groups.c.group_key == key, groups.c.kind == "placed"
            )
        ).one()
        made = Held(*made_row)
        self.connection.execute(sa.update(groups).where(groups.c.n == made.n).values(target_n=made.n))
        theirs = sa.select(sa.literal(made.n), users.c.n, users.c.setting_n).where(
            users.c.company_id == self.company_id, users.c.group_key == key, users.c.setting_n.is_not(None)
        )
        self.connection.execute(
            ignoring(self.connection, memberships).from_select(["group_n", "user_n", "setting_n"], theirs)
        )
        return made

    def _join(self, rows: Sequence[Mapping[str, Any]]) -> None:
        if rows:
            self.connection.execute(ignoring(self.connection, memberships), rows)


def _usable(fields: Mapping[str, str | None]) -> str:
    """The address, once it and every other value is one the platform takes (design rules 1 and 8)."""
    if not fields["userName"]:
        raise InvalidValueException(detail="userName is required and must not be blank.")
    email = fields["email"]
    if email is None:
        raise InvalidValueException(
            detail='An e-mail address is required: have the identity provider send emails[type eq "work"].value.'
        )
    if not usable_email(email):
        raise InvalidValueException(detail="The e-mail address is not usable: one @, a domain, no spaces.")
    for name, value in fields.items():
        limit = LIMITS.get(name, None if name in PATHS else CUSTOM_LIMIT)
        if value is not None and limit is not None and len(value) > limit:
            raise InvalidValueException(detail=f"{name} is longer than {limit} characters; nothing is cut.")
    return email


def touch(connection: sa.Connection, group_ns: Iterable[int | None]) -> None:
    """Groups whose members changed have a new version (RFC 7644 §3.14); in order, so that no two wait in a ring."""
    for n in sorted({n for n in group_ns if n is not None}):
        connection.execute(statements.TOUCH, {"group": n, "moment": now()})


def ignoring(connection: sa.Connection, table: sa.Table) -> Any:
    """An INSERT that leaves what is there already."""
    return statements.add_ignoring(connection.dialect.name, table)
