"""What happens on the platform by other hands: enrolments are made, people enrolled, groups deleted by an admin.

The API has no path for these; `scimops serve` calls them to make a true picture of a platform for tests and rehearsals.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import sqlalchemy as sa

from scimops.service_provider.database import loaded, new_id
from scimops.service_provider.management.answers import Caller, found
from scimops.service_provider.management.audit import record
from scimops.service_provider.management.groups import target_group
from scimops.service_provider.placement import ignoring, now
from scimops.service_provider.tables import enrolled, enrolments, groups, memberships, users

BY_HAND = Caller("fixture", None)
NOT_STARTED = "Not Started"


def add_enrolment(
    connection: sa.Connection, company_id: str, name: str, group_ids: Sequence[str], *, auto_enrol: bool = True,
    training: str | None = None, enrol_members: bool = True,
) -> str:  # fmt: skip
    """A new enrolment of these target groups; its id. Who is in them now is enrolled with it, unless told otherwise.

    Raises:
        NotFoundError: one of the groups is not there.
    """
    ns = [target_group(connection, company_id, group_id).n for group_id in group_ids]
    row = {
        "id": new_id(), "company_id": company_id, "name": name, "auto_enrol": auto_enrol, "created": now(),
        "document": json.dumps({"group_ids": list(group_ids), "training": training or name}),
    }  # fmt: skip
    connection.execute(sa.insert(enrolments).values(row))
    if enrol_members:
        _enrol(connection, str(row["id"]), ns)
    shown = {"name": name, "groups": list(group_ids), "auto_enrol": auto_enrol}
    record(connection, company_id, BY_HAND, "Create", "Enrollment", str(row["id"]), new=shown)
    return str(row["id"])


def enrol_new(connection: sa.Connection, company_id: str) -> int:
    """What auto-enrol does: active members of the groups of each enrolment that has it are enrolled; how many now.

    Nothing does this by itself here, so that a test can show the gap between expected and enrolled.
    """
    table = enrolments.c
    query = sa.select(enrolments).where(table.company_id == company_id, table.auto_enrol)
    count = 0
    for row in connection.execute(query).all():
        known = groups.c.id.in_(loaded(row.document)["group_ids"]) & (groups.c.company_id == company_id)
        count += _enrol(connection, row.id, connection.scalars(sa.select(groups.c.n).where(known)).all())
    return count


def switch_auto_enrol(connection: sa.Connection, company_id: str, enrolment_id: str, *, on: bool) -> None:
    """An admin switches the auto-enrol of an enrolment on or off; who is enrolled stays so.

    Raises:
        NotFoundError: this company has none with this id.
    """
    table = enrolments.c
    mine = (table.company_id == company_id) & (table.id == enrolment_id)
    row = found(connection.execute(sa.select(enrolments).where(mine)).one_or_none(), "enrolment")
    connection.execute(sa.update(enrolments).where(mine).values(auto_enrol=on))
    old, new = ({"name": row.name, "auto_enrol": value} for value in (row.auto_enrol, on))
    record(connection, company_id, BY_HAND, "Update", "Enrollment", enrolment_id, old=old, new=new)


def delete_group_by_hand(connection: sa.Connection, company_id: str, group_id: str) -> None:
    """An admin deletes a target group: it goes with its memberships, and with the groups that were pushed into it.

    Raises:
        NotFoundError: this company has none with this id.
    """
    row = target_group(connection, company_id, group_id)
    into = sa.select(groups.c.n).where(groups.c.target_n == row.n, groups.c.company_id == company_id)
    connection.execute(sa.delete(memberships).where(memberships.c.group_n.in_(into)))
    connection.execute(sa.delete(groups).where(groups.c.target_n == row.n, groups.c.company_id == company_id))
    record(connection, company_id, BY_HAND, "Delete", "TargetGroup", group_id, old={"name": row.name})


def _enrol(connection: sa.Connection, enrolment_id: str, group_ns: Sequence[int]) -> int:
    there = sa.select(enrolled.c.user_n).where(enrolled.c.enrolment_id == enrolment_id)
    new = (
        sa.select(sa.literal(enrolment_id), users.c.n, sa.literal(NOT_STARTED))
        .join(memberships, memberships.c.user_n == users.c.n).join(groups, groups.c.n == memberships.c.group_n)
        .where(groups.c.target_n.in_(group_ns), users.c.active, users.c.n.not_in(there)).distinct()
    )  # fmt: skip
    columns = ["enrolment_id", "user_n", "status"]
    added = ignoring(connection, enrolled).from_select(columns, new).returning(enrolled.c.user_n)
    return len(connection.scalars(added).all())
