"""The groups of a preview: who is in them, how they will be called, and which the platform has already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from scimops.errors import ROW_NUMBERS_KEPT, SourceError
from scimops.grouping import ExistingGroup, existing_by_key, spelling
from scimops.idp import read_table
from scimops.idp.generic import YES


@dataclass(frozen=True)
class Group:
    """A group of a preview. `exists` is None where the platform's groups are not known.

    `name_certain` is false where the name depends on the order in which people arrive. `spellings` counts each way
    in which the members' value is written; it is empty for a group that only a fallback leads to.
    """

    name: str
    name_certain: bool
    group_key: str
    members: int
    exists: bool | None
    spellings: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        """The group as plain data, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class ExistingGroups:
    """The groups the platform has, by key; `source` says where they were read, None = not known."""

    names: Mapping[str, str]
    source: str | None

    @property
    def known(self) -> bool:
        """Was there a list at all?"""
        return self.source is not None


UNKNOWN = ExistingGroups({}, None)

_NAMES = ("name", "displayName", "groupName", "Name", "Group")
_IDS = ("resourceId", "id", "Id", "ID")


def read_existing_groups(path: str | Path) -> ExistingGroups:
    """The platform's groups from a CSV or JSON file with a column `name` (or displayName).

    Further columns serve rule 4 where several have one key: `id`, `isScimGroup`, `own`, `createdOn`.

    Raises:
        SourceError: the file cannot be read, or has no such column.
    """
    table, source = read_table(path)
    name = next((header for header in _NAMES if header in table.headers), None)
    if name is None and table.rows:
        raise SourceError(
            "it has no column `name`.", where=source.name, advice="Name the column of group names `name`."
        )
    if table.rejected:
        first = table.rejected[0]
        raise SourceError(f"row {first.row} cannot be read: {first.reason}.", where=source.name)
    if name is None:
        return ExistingGroups({}, source.name)
    rows = table.read(table.headers).iter_rows(named=True)
    groups = [_existing(row, row[name]) for row in rows if row[name]]
    return ExistingGroups(existing_by_key(groups), source.name)


def existing_groups(rows: Iterable[Mapping[str, Any]], source: str) -> ExistingGroups:
    """The platform's groups from rows that its API gave (`TargetGroupSearchView`); `source` says where they are of."""
    return ExistingGroups(existing_by_key(_existing(row, str(row["name"])) for row in rows), source)


def _existing(row: Mapping[str, Any], name: str) -> ExistingGroup:
    return ExistingGroup(
        name=name,
        id=next((str(row[key]) for key in _IDS if row.get(key)), ""),
        own=str(row.get("own") or "").lower() in YES,
        scim=str(row.get("isScimGroup") or "").lower() in YES,
        created=str(row.get("createdOn") or row.get("createTime") or ""),
    )


def tally(members: pl.DataFrame) -> pl.DataFrame:
    """The memberships counted by `value`: its `group_key`, `count`, the lowest `n` and some (`first`) of them.

    Args:
        members: one row a membership: `n`, `group_key`, `value` (the spelling that led there; null = a fallback). A
            value leads to one group.
    """
    n = pl.col("n")
    kept = n.head(ROW_NUMBERS_KEPT).alias("first")
    return members.group_by("value").agg(pl.col("group_key").first(), n.min(), kept, count=pl.len())


def make_groups(counted: pl.DataFrame, fixed: Mapping[str, str], existing: ExistingGroups) -> list[Group]:
    """The groups with their members, the largest first.

    Args:
        counted: the memberships, from :func:`tally`.
        fixed: names that no order decides, by key: existing groups, the target group, aliases.
        existing: the platform's groups.
    """
    sizes: dict[str, int] = {}
    spellings: dict[str, list[tuple[int, str, int]]] = {}
    for value, key, count, first in counted.select("value", "group_key", "count", "n").iter_rows():
        sizes[key] = sizes.get(key, 0) + count
        if value is not None:
            spellings.setdefault(key, []).append((first, value, count))
    groups = []
    for key, size in sizes.items():
        met = sorted(spellings.get(key, []))
        names = list(dict.fromkeys(spelling(value) for _, value, _ in met))
        name = fixed.get(key) or names[0]
        exists = key in existing.names if existing.known else None
        groups.append(
            Group(name, key in fixed or len(names) == 1, key, size, exists, {text: count for _, text, count in met})
        )
    return sorted(groups, key=lambda group: (-group.members, group.group_key))
