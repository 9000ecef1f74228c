"""Statements that every request says, built once: SQLAlchemy takes longer to build one than a database to carry it out.

Each is built for what a request is served for (company, setting) and takes the rest as parameters, whose names are in
its docstring.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from scimops.service_provider.tables import groups, memberships, provisioning_log, users

KEPT = 1000
"""Settings whose statements are kept; those of others are built anew."""

ADD_LINE = sa.insert(provisioning_log)

TOUCH = (
    sa.update(groups)
    .where(groups.c.n == sa.bindparam("group"))
    .values(version=groups.c.version + 1, modified=sa.bindparam("moment"))
)
"""A group's new version: `group`, `moment`."""

CHANGE_USER = sa.update(users).where(users.c.n == sa.bindparam("person"))
"""`person`, and the columns to change."""


@lru_cache(maxsize=16)
def add_ignoring(dialect: str, table: sa.Table) -> Any:
    """An INSERT that leaves what is there already: the columns."""
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(table).on_conflict_do_nothing()


@lru_cache(maxsize=2)
def add_user(dialect: str) -> Any:
    """A new person, whose key comes back; nothing comes back where somebody has one of the values: the columns."""
    return add_ignoring(dialect, users).returning(users.c.n)


@lru_cache(maxsize=4 * KEPT)
def one_row(table: sa.Table, company_id: str, setting_n: int, *, lock: bool) -> sa.Select[Any]:
    """The row of a resource that a setting sees: `id`."""
    query = sa.select(table).where(table.c.id == sa.bindparam("id"), scope(table, company_id, setting_n))
    return query.with_for_update() if lock else query


def scope(table: sa.Table, company_id: str, setting_n: int) -> sa.ColumnElement[bool]:
    """What a setting sees: its own people; its own pushed groups and what the rule placed in its company."""
    if table is users:
        return users.c.setting_n == setting_n
    own = (groups.c.kind == "pushed") & (groups.c.setting_n == setting_n)
    return (groups.c.company_id == company_id) & (own | (groups.c.kind == "placed"))


@lru_cache(maxsize=KEPT)
def shown_members(setting_n: int, *, inactive: bool) -> sa.Subquery:
    """The memberships that show: of a setting's own people, those who are not active left out (rule 9) or not."""
    shown = sa.select(memberships.c.group_n, memberships.c.user_n, users.c.id.label("user_id"))
    shown = shown.join(users, users.c.n == memberships.c.user_n).where(memberships.c.setting_n == setting_n)
    return (shown if inactive else shown.where(users.c.active)).subquery("shown_members")


@lru_cache(maxsize=KEPT)
def groups_shown(setting_n: int, *, inactive: bool) -> sa.Select[Any]:
    """Person, group's id and name of the memberships that show: `ns` of the people."""
    shown = shown_members(setting_n, inactive=inactive)
    query = sa.select(shown.c.user_n, groups.c.id, groups.c.name).join(groups, groups.c.n == shown.c.group_n)
    return query.where(shown.c.user_n.in_(sa.bindparam("ns", expanding=True))).order_by(groups.c.n)


@lru_cache(maxsize=KEPT)
def target_group(company_id: str, setting_n: int) -> sa.Select[Any]:
    """Rule 4: the company's group with a key: the setting's own, SCIM's, the oldest, the lowest id; `key`.

    The group's key, id and name.
    """
    own = sa.case((groups.c.setting_n == setting_n, 0), else_=1)
    scim = sa.case((groups.c.kind != "manual", 0), else_=1)
    return (
        sa.select(groups.c.n, groups.c.id, groups.c.name)
        .where(groups.c.company_id == company_id, groups.c.group_key == sa.bindparam("key"))
        .where(groups.c.target_n == groups.c.n)
        .order_by(own, scim, groups.c.created, groups.c.id).limit(1)
    )  # fmt: skip


@lru_cache(maxsize=KEPT)
def placed_in(setting_n: int) -> sa.Select[Any]:
    """The groups that the rule has put people into, without those that were pushed, and their names: `ns` of people."""
    mine = memberships.c.user_n.in_(sa.bindparam("ns", expanding=True)) & (memberships.c.setting_n == setting_n)
    placed = sa.or_(groups.c.kind != "pushed", groups.c.setting_n.is_distinct_from(setting_n))
    query = sa.select(memberships.c.group_n, memberships.c.user_n, groups.c.name)
    return query.join(groups, groups.c.n == memberships.c.group_n).where(mine, placed)


@lru_cache(maxsize=32)
def give_reason(reason: str, *, inactive: bool) -> sa.Update:
    """A reason and the `key` of a group for people, `ns`; who is not active has that as the reason."""
    shown = sa.literal(reason) if inactive else sa.case((users.c.active, reason), else_="inactive")
    some = users.c.n.in_(sa.bindparam("ns", expanding=True))
    return sa.update(users).where(some).values(reason=shown, group_key=sa.bindparam("key"))


@lru_cache(maxsize=KEPT)
def standing(setting_n: int) -> sa.Select[Any]:
    """How people stand under the identity provider's own groups: `ns` of the people.

    A row for each group that the rule has put a person into (`placed_n`), one with `mirrored` where they are in a
    group that was pushed and is mirrored, at least one for each. With each row what is noted of the person.
    """
    pushed = (groups.c.kind == "pushed") & groups.c.setting_n.is_not_distinct_from(setting_n)
    mine = (memberships.c.user_n == users.c.n) & (memberships.c.setting_n == setting_n)
    joined = users.outerjoin(memberships, mine).outerjoin(groups, groups.c.n == memberships.c.group_n)
    columns = (
        users.c.n, users.c.reason, users.c.group_key, users.c.active,
        sa.case((pushed, None), else_=groups.c.n).label("placed_n"),
        (pushed & groups.c.target_n.is_not(None)).label("mirrored"),
    )  # fmt: skip
    some = users.c.n.in_(sa.bindparam("ns", expanding=True))
    return sa.select(*columns).distinct().select_from(joined).where(some)
