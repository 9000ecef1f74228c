"""What an export offers to choose from: criteria, kinds of accounts, e-mail domains. Computed once per export."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from scimops.mapping import resolve_columns
from scimops.setting import COLUMN_KEYS

if TYPE_CHECKING:
    from scimops.idp import Export
    from scimops.setting import Setting

NO_CRITERION, IDP_GROUPS = "none", "idp-groups"
FIELD, COLUMN = "field:", "column:"
"""How a criterion is named: one of the two words, or a field or a column after its mark."""

MOST_GROUPS = 1_000
"""A column with more values than this is not offered: nobody could look through so many groups.

A setting can still name it, and then it is offered.
"""

_FEW = 50
_ABOUT_ONE_PERSON = ("externalId", "userName", "email", "firstName", "lastName", "phone", "active", "groups",
                     "createdOn", "hiredOn", "leftOn")  # fmt: skip
_AT_ONCE = 8


@dataclass(frozen=True)
class Facts:
    """`criteria` are labels and names; `user_types` and `domains` are values with how many people have them."""

    criteria: list[tuple[str, str]]
    user_types: list[tuple[str, int]]
    domains: list[tuple[str, int]]


def facts_of(export: Export, setting: Setting) -> Facts:
    """What `export` offers under `setting`.

    Raises:
        SettingError: the setting names a column that the export does not have.
    """
    columns = resolve_columns(export, setting)
    fields = ["department", *setting.custom_fields]
    taken = [columns[name] for name in (*_ABOUT_ONE_PERSON, *fields) if name in columns]
    others = [header for header in export.headers if header not in taken and header not in _group_columns(export)]
    distinct = dict(_distinct(export, [*(columns[name] for name in fields if name in columns), *others]))
    criteria = [("Nothing: everyone is treated alike", NO_CRITERION)]
    for name in fields:
        if name in columns:
            criteria.append((_labelled(name, distinct[columns[name]]), FIELD + name))
    if "groups" in export.columns:
        criteria.append(("The identity provider's own groups", IDP_GROUPS))
    most = min(MOST_GROUPS, max(_FEW, export.rows // 20))
    criteria += [(_labelled(name, distinct[name]), COLUMN + name) for name in others if 2 <= distinct[name] <= most]
    return Facts(criteria, _counted(export, columns, "userType"), _domains(export, columns))


def _labelled(name: str, values: int) -> str:
    return f"{name} ({values:,} value{'' if values == 1 else 's'})"


def _group_columns(export: Export) -> list[str]:
    return export.shape.groups.found(export.headers)


def _distinct(export: Export, headers: list[str]) -> Iterator[tuple[str, int]]:
    """How many values each column has, blank not counted; a few columns at a time, so that memory stays bounded."""
    names = list(dict.fromkeys(headers))
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        frame = export.frame({f"custom.{name}": name for name in some})
        counts = frame.select(pl.col(f"custom.{name}").drop_nulls().n_unique() for name in some)
        yield from ((name, int(count)) for name, count in zip(some, counts.row(0), strict=True))


def _counted(export: Export, columns: dict[str, str], name: str) -> list[tuple[str, int]]:
    if name not in columns:
        return []
    values = export.frame({name: columns[name]})[name].drop_nulls()
    return _most_first(values)


def _domains(export: Export, columns: dict[str, str]) -> list[tuple[str, int]]:
    if "email" not in columns:
        return []
    frame = export.frame({name: columns[name] for name in ("userName", "email") if name in columns})
    return _most_first(frame["email"].str.extract(r"@([^@\s]+)$").str.to_lowercase().drop_nulls())


def _most_first(values: pl.Series) -> list[tuple[str, int]]:
    counts = values.value_counts()
    return list(counts.sort("count", values.name, descending=[True, False]).iter_rows())


def readable_field(header: str, setting: Setting) -> str:
    """The name of the field that a column becomes when it is the criterion, like no other field's name."""
    last = header.removesuffix('"]').rstrip("]").split(":")[-1].split("].")[-1]
    name = last if header != last else header
    taken = {*COLUMN_KEYS, *setting.fields}
    return name if name not in taken else f"{name} (column)"
