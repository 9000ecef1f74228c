"""From attribute paths to fields: what a setting makes of an export, or of one resource.

One declaration says which SCIM attribute the value of a field comes from: :data:`scimops.attributes.PATHS` for the
built-in fields, the setting's field mappings for the others. For an export that attribute is a column, for a resource
a path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import polars as pl

from scimops import frames
from scimops.attributes import PATHS, SHORT, normal_path
from scimops.errors import SettingError
from scimops.resources import Flat
from scimops.setting import COLUMN_KEYS, Setting

LIMITS: dict[str, int] = {"firstName": 256, "lastName": 256, "department": 256, "email": 320, "userName": 320}
"""How many characters the platform takes (platform facts: limits); longer values are rejected, never cut."""

CUSTOM_LIMIT = 256
"""The limit of a custom field's value; the platform documents none, so the one of its other texts is taken."""


class Records(Protocol):
    """What is needed of an export: its columns and its records as frames."""

    columns: dict[str, str]

    def header(self, name: str) -> str:
        """The column `name` as the file writes it."""

    def column_of(self, attribute: str) -> str | None:
        """The column that is sent as the attribute path `attribute`."""

    def frame(self, columns: Mapping[str, str], *, groups: bool = False) -> pl.DataFrame:
        """The readable records with these columns."""

    def several(self, column: str) -> list[int]:
        """The rows that have several values in a column."""


@dataclass(frozen=True)
class MappedUsers:
    """The users of an export as fields of a setting.

    `frame` has the schema `mapped_users`. `columns` says which column each field was read from; a field that has
    none is absent. `several` are the rows with more than one value of the criterion.
    """

    frame: pl.DataFrame
    columns: dict[str, str]
    several: list[int]


def map_users(records: Records, setting: Setting) -> MappedUsers:
    """The users of `records` as the fields of `setting`.

    Raises:
        SettingError: the setting names a column that the export does not have.
    """
    columns = resolve_columns(records, setting)
    frame = records.frame(
        {_name(name, setting): column for name, column in columns.items()}, groups=setting.by_idp_groups
    )
    absent = [
        pl.lit(None, pl.Boolean if name == "active" else pl.String).alias(name)
        for name in PATHS
        if name not in frame.columns
    ]
    if "filled_in" not in frame.columns:
        absent.append(pl.lit(False).alias("filled_in"))
    criterion = setting.grouping_field
    value = _name(criterion, setting) if criterion in columns else None
    frame = frame.with_columns(
        *absent,
        (pl.col(value) if value else pl.lit(None, pl.String)).alias("value"),
        (pl.col("groups") if setting.by_idp_groups else pl.lit(None, pl.List(pl.String))).alias("idp_groups"),
    )
    custom = [name for name in frame.columns if name.startswith(frames.MAPPED_USERS.open)]
    several = records.several(columns[criterion]) if criterion is not None and criterion in columns else []
    return MappedUsers(frame.select(*frames.MAPPED_USERS.names, *custom), columns, several)


def _name(name: str, setting: Setting) -> str:
    return f"{frames.MAPPED_USERS.open}{name}" if name in setting.custom_fields else name


def resolve_columns(records: Records, setting: Setting) -> dict[str, str]:
    """From each field to the column it is read from: the setting's word first, then the shape's.

    Raises:
        SettingError: the setting names a column that the export does not have.
    """
    named = _named_columns(records, setting)
    result: dict[str, str] = {}
    for name in PATHS:
        column = named.get(name) or named.get(normal_path(PATHS[name][-1])) or records.columns.get(name)
        if column is not None:
            result[name] = column
    if setting.by_idp_groups and "groups" in named:
        result["groups"] = named["groups"]
    attributes = {mapping.field: mapping.attribute for mapping in setting.field_mappings}
    for name in setting.custom_fields:
        attribute = attributes.get(name)
        column = named.get(name)
        if column is None and attribute is not None:
            column = named.get(normal_path(attribute)) or _built_in(attribute, result) or records.column_of(attribute)
        if column is not None:
            result[name] = column
    return result


def keep_columns(setting: Setting, records: Records) -> Setting:
    """`setting` with the columns of `records` written down, so that a guess that was looked at is kept with it."""
    known = {name: column for name, column in records.columns.items() if name in COLUMN_KEYS}
    return setting.model_copy(update={"columns": known | setting.columns})


def _named_columns(records: Records, setting: Setting) -> dict[str, str]:
    """The columns that the setting names, by field or normal attribute path."""
    identity = {key: value for key, value in setting.identity.model_dump().items() if value is not None}
    named: dict[str, str] = {}
    for section, pairs in (("columns", setting.columns), ("identity", identity)):
        for key, column in pairs.items():
            plain = key in COLUMN_KEYS or key in setting.custom_fields
            try:
                named[key if plain else normal_path(key)] = records.header(column)
            except SettingError as error:
                raise SettingError(error.message, where=f"{section}.{key}", advice=error.advice) from None
            except ValueError:
                raise SettingError(f'"{key}" is no field and no attribute path.', where=section) from None
    return named


def _built_in(attribute: str, columns: Mapping[str, str]) -> str | None:
    """The column of a built-in field whose attribute this is."""
    wanted = normal_path(attribute)
    for name, paths in PATHS.items():
        if wanted in [normal_path(path) for path in paths]:
            return columns.get(name)
    return None


def map_resource(resource: Flat, setting: Setting) -> dict[str, str | None]:
    """The fields of one flat SCIM resource under `setting`; null where it has no value.

    Of several values the first counts; :func:`scimops.resources.flatten` has put the preferred one there.
    """
    by_path: Flat = {}
    for written, value in resource.items():
        path = _known_path(written) if len(written) <= SHORT else _normal_path_or_none(written)
        if path:
            by_path[path] = value
    mapped = {mapping.field: (normal_path(mapping.attribute),) for mapping in setting.field_mappings}
    result: dict[str, str | None] = {}
    for name, paths in (_NORMAL_PATHS | mapped).items():
        found = by_path.get(next(filter(by_path.__contains__, paths), ""))
        text = (found[0] if found else None) if isinstance(found, list) else found
        result[name] = text if text is not None and text.strip() else None
    return result


_NORMAL_PATHS = {name: tuple(normal_path(path) for path in paths) for name, paths in PATHS.items()}


def _normal_path_or_none(path: str) -> str | None:
    try:
        return normal_path(path)
    except ValueError:
        return None


_known_path = lru_cache(maxsize=2048)(_normal_path_or_none)
