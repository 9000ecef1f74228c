"""A snapshot over SCIM: whole or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import polars as pl

from scimops.client.brake import MOST
from scimops.client.columns import MEMBERS, UserPages, group_row, groups_frame, members_of
from scimops.client.discovery import Features
from scimops.client.faults import CursorError, SnapshotError
from scimops.client.paging import ChangedMeanwhileError, Watch, pages
from scimops.client.session import Session
from scimops.client.snapshot import Snapshot, make_snapshot
from scimops.http.faults import AnswerError, NotFoundError
from scimops.http.told import told_here
from scimops.setting import Setting

USERS, GROUPS = "the users", "the groups"
HIDDEN = "Who is in which group: this service provider does not show it."
INEXACT = "Whether {what} were changed while they were read: only their number was compared."
STRANGERS = "Who {count:,} members of groups are: they are not among the users that this token sees."


def read_over_scim(session: Session, features: Features, setting: Setting) -> Snapshot:
    """Everything that the token sees, with the fields of `setting`; read a second time where it changed meanwhile.

    Raises:
        SnapshotError: it changed both times, or what came is not the whole.
        PlatformError: one of :mod:`scimops.client.faults`.
    """
    with told_here(session.where):
        return whole(lambda: _read_once(session, features, setting), "The service provider")


def whole(read: Callable[[], Snapshot], who: str) -> Snapshot:
    """What `read` gives at its first or second try.

    Raises:
        SnapshotError: something changed, or was missing, each time; says what was seen.
    """
    seen: list[str] = []
    for _ in range(2):
        try:
            return read()
        except (ChangedMeanwhileError, AnswerError, CursorError) as error:
            seen.append(str(error).rstrip("."))
        except NotFoundError:
            seen.append("a group was deleted while its members were read")
    raise SnapshotError(
        f"{who} could not be read whole, tried twice: first {seen[0]}; then {seen[1]}.",
        advice="Nothing is concluded from a part. Try again when nobody else provisions there.",
    )


def _read_once(session: Session, features: Features, setting: Setting) -> Snapshot:
    started = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    places = {USERS: features.users} | ({GROUPS: features.groups} if features.groups else {})
    watches = [Watch(session, features, place, what) for what, place in places.items()]
    way = features.known.members if features.groups else "hidden"
    shorter = {} if way == "users" or features.known.capabilities.own else {"excludedAttributes": "groups"}
    collected = UserPages(setting)
    for page in pages(session, features, features.users, USERS, shorter):
        collected.add(page)
    users, groups = _once(collected.users(), USERS), groups_frame([])
    if features.groups:
        listed = pages(session, features, features.groups, GROUPS, {"excludedAttributes": "members"})
        groups = _once(groups_frame([group_row(row) for page in listed for row in page]), GROUPS)
    members = pl.DataFrame(schema=MEMBERS)
    if way != "hidden":
        members = collected.members() if way == "users" else _group_by_group(session, features, groups["id"].to_list())
        members = members.unique()
    for watch, frame in zip(watches, (users, groups), strict=False):
        watch.look(frame.height)
    nested = members["user_id"].is_in(groups["id"].implode())
    members = members.filter(~nested)
    strangers = members.join(users, left_on="user_id", right_on="id", how="anti").height
    told = [HIDDEN] if features.groups and way == "hidden" else []
    told += [STRANGERS.format(count=strangers)] if strangers else []
    told += [INEXACT.format(what=what) for what, watch in zip(places, watches, strict=True) if not watch.exact]
    return make_snapshot(
        users, groups, members, source="scim", where=session.where, read_at=started,
        capabilities=features.known.capabilities, cannot_tell=tuple(told),
    )  # fmt: skip


def _once(frame: pl.DataFrame, what: str) -> pl.DataFrame:
    """`frame`, in which nobody is twice."""
    if doubles := frame.height - frame["id"].n_unique():
        raise ChangedMeanwhileError(f"{what}: {doubles:,} came twice")
    return frame


def _group_by_group(session: Session, features: Features, ids: list[str]) -> pl.DataFrame:
    """The members of each group, read one group at a time, several at once; each answer becomes a frame at once."""

    def one(group_id: str) -> pl.DataFrame:
        group = session.read(f"{features.groups}/{group_id}", f"the group {group_id}")
        if group.get("id") != group_id:
            raise AnswerError(f"Another group came than {group_id}, which was asked for.")
        return pl.DataFrame(list(members_of(group)), MEMBERS, orient="row")

    with ThreadPoolExecutor(MOST) as pool:
        return pl.concat([pl.DataFrame(schema=MEMBERS), *pool.map(one, ids)])
