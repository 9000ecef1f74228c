"""A recording of a rehearsal (`scimops serve --rehearse FILE`) as an export: one row for each person who was sent.

A person's row is their last state at the service provider. Who was deleted again has none; who was not taken (400,
409) has one from the request, behind the others. The groups that were pushed give each person's `groups`; they are
null where no group was ever sent. Memory grows with people and memberships, not with requests.

What the lines hold is written down in :mod:`scimops.service_provider.rehearsal_lines`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from scimops.errors import SourceError
from scimops.idp.documents import Columns, table_of, user_of
from scimops.idp.encoding import first_encoding, read_lines
from scimops.idp.scim import IDP, RESOURCES
from scimops.idp.source import MAX_RECORD, Source
from scimops.idp.table import Rejects, Table

__all__ = ["FORMAT", "IDP", "RECORDING", "SHAPES", "VERSION", "header_of", "is_recording", "read_recording"]

FORMAT, VERSION = "scimops rehearsal", 1
"""What the first line of a recording says it is, and the newest version that is read."""

OUTCOME, STATUS, DETAIL = "rehearsal.outcome", "rehearsal.status", "rehearsal.detail"
"""Columns of the recording itself: `stored` or `refused`, and of who was refused the status and why."""

RECORDING = replace(
    RESOURCES,
    name="rehearsal",
    title="a recording of what an identity provider sent (scimops serve --rehearse)",
    signature=(OUTCOME, STATUS, DETAIL),
    needed=1,
    wrapper="",
    others=(*RESOURCES.others, *RESOURCES.signature),
    add="Have the identity provider send {column}, and record again.",
)
SHAPES = (RECORDING,)


def header_of(head: bytes) -> dict[str, Any] | None:
    """The first line of a recording, given how a file begins; None where the file is none."""
    try:
        first = json.loads(head.lstrip(b"\xef\xbb\xbf").split(b"\n", 1)[0])
    except (ValueError, RecursionError):
        return None
    return first if isinstance(first, dict) and first.get("format") == FORMAT else None


def is_recording(head: bytes) -> bool:
    """Does a file that begins so say that it is a recording?"""
    return header_of(head) is not None


def read_recording(source: Source) -> Table:
    """The people of the recording `source` as a table whose columns are named by attribute path.

    A last line without an end is what a server leaves that was killed while it wrote: it is left out, and `recording`
    says so. Any other damage makes the recording a part.

    Raises:
        SourceError: a later version, or a line that is none of a recording.
    """
    found = _State()
    for number, text in read_lines(source.path, first_encoding(source.head), MAX_RECORD, source.name):
        try:
            line = json.loads(text) if text.strip() else None
        except (ValueError, RecursionError):
            if text.endswith("\n"):
                found.broken = found.broken or f"line {number} of the recording is cut or damaged"
            else:
                found.counts["cut"] += 1
            continue
        if line is None:
            continue
        try:
            found.take(line, number)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise SourceError(f"line {number} is no line of a recording.", where=source.name) from error
        if found.version > VERSION:
            raise SourceError(
                f"it is a recording of version {found.version}; {VERSION} is the newest that is read here.",
                where=source.name, advice="Use the newest scimops.",
            )  # fmt: skip
    return _table(found, source)


def _table(found: _State, source: Source) -> Table:
    columns, rejects, row = Columns(), Rejects(), 0
    for row, (line, record) in enumerate(found.rows(), 1):
        flat, reason = user_of(record, False)
        if flat is None:
            rejects.add(row, line, f"unreadable: {reason}", "")
        else:
            columns.add(row, line, flat, source.name)
    if found.groups_sent and columns.rows:  # who is in no group has an empty list, once groups are sent at all
        columns.values.setdefault("groups.display", [])
    table = table_of(columns, rejects, row, "utf-8")
    table.broken, table.recording = found.broken, found.counts
    return table


Keys = Sequence[str | None]


def _same(one: Keys, other: Keys) -> bool:
    """Are these keys of one person? A later key is asked only where the earlier one is missing (design rule 11)."""
    return next((a == b for a, b in zip(one, other, strict=True) if a and b), False)


@dataclass
class _Person:
    """A person as last seen: the line, the keys, the state."""

    line: int
    version: int
    keys: Keys
    resource: Mapping[str, Any]
    beside: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)


class _People:
    """People by id, in the order in which they came, and found by their keys."""

    def __init__(self) -> None:
        self.by_id: dict[Any, _Person] = {}
        self._ids: tuple[dict[str, Any], ...] = ({}, {}, {})

    def put(self, key: Any, person: _Person) -> None:
        """Keep the state of a person."""
        self.by_id[key] = person
        for known, value in zip(self._ids, person.keys, strict=True):
            if value:
                known[value] = key

    def find(self, keys: Keys) -> Any:
        """The id of the person with these keys; None where nobody has them."""
        for known, value in zip(self._ids, keys, strict=True):
            found = known.get(value) if value else None
            if found in self.by_id and _same(self.by_id[found].keys, keys):
                return found
        return None


@dataclass
class _Group:
    """A pushed group: of each person the version at which they joined or left."""

    name: str = ""
    named: int = -1
    floor: int = -1
    members: dict[str, tuple[int, bool]] = field(default_factory=dict)

    def change(self, kind: str, ids: Sequence[str], version: int) -> None:
        """Take one step, unless a later one is known already."""
        if kind in ("replace", "clear"):
            self.floor = max(self.floor, version)
            self.members = {user: held for user, held in self.members.items() if held[0] > version}
        for user in ids if kind != "clear" else ():
            if version >= max(self.floor, self.members.get(user, (-1, False))[0]):
                self.members[user] = (version, kind != "remove")


class _State:
    """What a recording tells of people and groups, line by line."""

    def __init__(self) -> None:
        self.version, self.broken, self.groups_sent = 0, "", False
        self.counts = dict.fromkeys(
            ("requests", "runs", "people_before", "deleted", "refused", "other_refusals", "without_token", "cut"), 0
        )
        self.people, self.refused = _People(), _People()
        self.groups: dict[str, _Group] = {}
        self._gone: set[str] = set()
        self._refusals = 0

    def take(self, line: Any, number: int) -> None:
        """One line of the recording."""
        if "format" in line:
            self.version = max(self.version, int(line["version"]))
            self.counts["people_before"] = (
                self.counts["people_before"] if self.counts["runs"] else line["people_before"]
            )
            self.counts["runs"] += 1
            self.counts["cut"] += bool(line.get("cut"))
        elif "lost" in line:
            self.broken = self.broken or f"{line['lost']} requests before line {number} could not be recorded"
        else:
            self._request(line, number)

    def _request(self, line: Mapping[str, Any], number: int) -> None:
        status, effects = int(line["status"]), line.get("effects") or []
        self.counts["requests"] += 1
        self.counts["without_token"] += status == 401
        self.counts["other_refusals"] += "effects" in line and not effects and status >= 400
        for effect in effects:
            if "refused" in effect:
                self._refuse(effect, number)
            elif "group" in effect:
                self._group(effect)
            else:
                self._user(effect, number)

    def _user(self, effect: Mapping[str, Any], number: int) -> None:
        user, person = effect["user"], self.people.by_id.get(effect["user"])
        if effect.get("deleted"):
            self.counts["deleted"] += 1
            self._gone.add(user)
            self.people.by_id.pop(user, None)
        elif user in self._gone:
            return
        elif "beside" in effect and person:
            kept = {} if effect["whole"] else person.beside
            person.beside = _merged(kept, effect["beside"])
        elif "resource" in effect and (person is None or effect["version"] > person.version):
            self.refused.by_id.pop(self.refused.find(effect["keys"]), None)  # taken in the end
            new = _Person(
                number, effect["version"], effect["keys"], effect["resource"], person.beside if person else {}
            )
            self.people.put(user, new)

    def _refuse(self, effect: Mapping[str, Any], number: int) -> None:
        keys = effect["keys"]
        if self.people.find(keys) is not None:  # the same person, asked for once more
            self.counts["other_refusals"] += 1
            return
        more = {"rehearsal": {"outcome": "refused", "status": effect["refused"], "detail": effect["detail"]}}
        known = self.refused.find(keys) if any(keys) else None
        self._refusals += 1
        self.refused.put(
            self._refusals if known is None else known, _Person(number, 0, keys, effect["resource"], more=more)
        )

    def _group(self, effect: Mapping[str, Any]) -> None:
        self.groups_sent = True
        group_id = effect["group"]
        if effect.get("deleted"):
            self._gone.add(group_id)
            self.groups.pop(group_id, None)
        elif group_id not in self._gone:
            group, version = self.groups.setdefault(group_id, _Group()), effect["version"]
            if "name" in effect and version > group.named:
                group.name, group.named = effect["name"], version
            for kind, ids in [("replace", effect["members"])] if "name" in effect else effect["changes"]:
                group.change(kind, ids, version)

    def rows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Line and state of each person, those who were taken first."""
        self.counts["refused"] = len(self.refused.by_id)
        theirs: dict[str, list[str]] = {}
        for group in self.groups.values():
            for user, (_, inside) in group.members.items():
                if inside and group.name:
                    theirs.setdefault(user, []).append(group.name)
        stored = {"rehearsal": {"outcome": "stored"}}
        for user, person in self.people.by_id.items():
            named = {"groups": [{"display": name} for name in theirs.get(user, ())]}
            yield person.line, _merged(person.beside, person.resource) | {"id": user} | named | stored
        for person in self.refused.by_id.values():
            yield person.line, dict(person.resource) | person.more


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """`new` over `old`, the attributes of an extension each for itself; null removes."""
    found = dict(old)
    for key, value in new.items():
        held = found.get(key)
        found[key] = _merged(held, value) if isinstance(held, dict) and isinstance(value, dict) else value
    return {key: value for key, value in found.items() if value is not None}
