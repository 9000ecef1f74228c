"""A snapshot through the management API, where there is no SCIM token: people are matched by e-mail there.

That API shows target users and groups, and neither userName nor externalId; the embedded platform shows both besides.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import polars as pl

from scimops.capabilities import Capabilities
from scimops.client.columns import MEMBERS, groups_frame, users_frame
from scimops.client.paging import ChangedMeanwhileError
from scimops.client.reading import whole
from scimops.client.snapshot import Snapshot, make_snapshot
from scimops.grouping import identity_key
from scimops.setting import Setting

BY_EMAIL = "Who has which userName and externalId: the management API does not show them, people are matched by e-mail."
NOBODY = "Who {count:,} target users are: they have no e-mail address, or share one."
INEXACT = "Whether somebody's values were changed while they were read: only people and groups were compared."


class People(Protocol):
    """What is needed of :class:`scimops.platform.Platform`."""

    def capabilities(self) -> Capabilities:
        """What the platform does by itself."""

    def target_groups(self) -> Iterable[Mapping[str, Any]]:
        """Every target group."""

    def group_users(self, group_id: str) -> Iterable[Mapping[str, Any]]:
        """The people of a target group."""

    def target_users(self) -> Iterable[Mapping[str, Any]]:
        """Everybody."""


def read_from_platform(platform: People, setting: Setting, where: str) -> Snapshot:
    """Everybody and all target groups of the company, with the fields of `setting`.

    `matched_by` is `email`; null of those of whom it cannot be told who they are. `setting` names the SCIM setting
    that made a person or group, null: by hand or from LDAP.

    Raises:
        SnapshotError: people or groups changed while they were read, twice.
        PlatformError: one of :mod:`scimops.http.faults`.
    """
    return whole(lambda: _read_once(platform, setting, where), "The platform")


def _read_once(platform: People, setting: Setting, where: str) -> Snapshot:
    started = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    fields = [mapping.field for mapping in setting.field_mappings]
    before = _groups(platform)
    users = users_frame([_user(row, fields) for row in platform.target_users() if row["status"] != "Deleted"], fields)
    users = _matchable(users)
    pairs: list[tuple[str, str]] = []
    for group_id in before["id"]:
        pairs += [(group_id, row["resourceId"]) for row in platform.group_users(group_id) if row["status"] != "Deleted"]
    members = pl.DataFrame(pairs, MEMBERS, orient="row")
    if not before.equals(_groups(platform)):
        raise ChangedMeanwhileError("the target groups changed")
    if strangers := members.join(users, left_on="user_id", right_on="id", how="anti").height:
        raise ChangedMeanwhileError(f"{strangers:,} people of groups are not among all people")
    unknown = users["matched_by"].null_count()
    by_email = not users.filter(pl.col("matched_by") == "email").is_empty()
    told = [INEXACT, *([BY_EMAIL] if by_email else []), *([NOBODY.format(count=unknown)] if unknown else [])]
    return make_snapshot(
        users, before.drop("count"), members, source="management", where=where, read_at=started,
        capabilities=platform.capabilities(), cannot_tell=tuple(told),
    )  # fmt: skip


def _groups(platform: People) -> pl.DataFrame:
    """The groups, and how many people each has."""
    rows = [{"id": row["resourceId"], "name": row["name"], "setting": row.get("scimSettingName"),
             "editable": row.get("isEditable"), "count": row["userCount"]}
            for row in platform.target_groups()]  # fmt: skip
    return groups_frame(rows).with_columns(pl.Series("count", [row["count"] for row in rows], pl.Int64))


def _user(row: Mapping[str, Any], fields: list[str]) -> dict[str, Any]:
    own = row.get("scimops") or {}
    names = {name: row.get(name) for name in ("email", "firstName", "lastName", "department")}
    custom = {one.get("name"): one.get("value") for one in row.get("customFieldValues") or []}
    keys = {"externalId": own.get("externalId"), "userName": own.get("userName")}
    return names | {name: custom.get(name) for name in fields} | keys | {
        "id": row["resourceId"], "phone": row.get("phoneNumber"), "active": _active(row.get("status")),
        "setting": row.get("scimSettingName"),
        "matched_by": next((key for key in ("externalId", "userName") if keys[key]), None),
    }  # fmt: skip


def _active(status: str | None) -> bool | None:
    return {"active": True, "inactive": False}.get((status or "").casefold())


def _matchable(users: pl.DataFrame) -> pl.DataFrame:
    """`users` with `matched_by`: whoever has no better key is matched by an address that nobody else has."""
    key = pl.Series("key", [identity_key(email) if email else None for email in users["email"]], pl.String)
    alone = key.is_not_null() & key.is_unique()
    return users.with_columns(
        pl.when(pl.col("matched_by").is_null() & alone).then(pl.lit("email")).otherwise("matched_by")
        .alias("matched_by")
    )  # fmt: skip
