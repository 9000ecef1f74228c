"""The schema of every frame that crosses an arrow of the data flow.

A schema names each column: its type, whether it may be null, what it means, whether it is personal data.
:func:`check` holds a Polars frame to its schema; :func:`to_pandas` gives analysts the same frame in pandas with
string dtypes and true missing values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

Type = Literal["string", "int64", "bool", "date", "list[string]"]


@dataclass(frozen=True)
class Column:
    """One column of a schema."""

    name: str
    type: Type
    nullable: bool
    meaning: str
    personal: bool = False


@dataclass(frozen=True)
class Schema:
    """A named list of columns. Further columns are allowed where `open` says so (they are strings)."""

    name: str
    columns: tuple[Column, ...]
    open: str = ""

    @property
    def names(self) -> list[str]:
        """The names of the columns, in order."""
        return [column.name for column in self.columns]

    def __getitem__(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


_ORIGIN = (
    Column("row", "int64", False, "1-based data record of its file; header and blank lines are not counted"),
    Column("line", "int64", True, "line of the file on which the record starts; null where a format has no lines"),
    Column("file", "string", False, "name of the file the record was read from"),
)

_PERSON = (
    Column("externalId", "string", True, "the identity provider's own key of the person (RFC 7643 §3.1)", True),
    Column("userName", "string", True, "the name the person signs in with (RFC 7643 §4.1.1)", True),
    Column("email", "string", True, "e-mail address; of several: work and primary, primary, work, first", True),
    Column("firstName", "string", True, "given name", True),
    Column("lastName", "string", True, "family name", True),
    Column("department", "string", True, "department as the identity provider spells it"),
    Column("phone", "string", True, "telephone number", True),
    Column("active", "bool", True, "may sign in; null = the export does not say"),
    Column("userType", "string", True, "kind of account, such as Member, Guest, Employee"),
)

USERS = Schema(
    "users",
    (
        *_ORIGIN,
        Column("idp", "string", False, "identity provider the shape belongs to"),
        Column("shape", "string", False, "shape of the export, such as entra_download_users"),
        *_PERSON,
        Column("createdOn", "date", True, "day the account was created"),
        Column("hiredOn", "date", True, "day of hire"),
        Column("leftOn", "date", True, "day of leaving"),
        Column(
            "groups", "list[string]", True, "names of the identity provider's groups; null where the export has none"
        ),
    ),
    open="custom.",
)
"""Users as an export has them: what `scimops read` prints. All further columns are named `custom.HEADER`."""

MAPPED_USERS = Schema(
    "mapped_users",
    (
        *_ORIGIN,
        *_PERSON,
        Column("filled_in", "bool", False, "the e-mail address is really the userName: the export has none"),
        Column("idp_groups", "list[string]", True, "groups of the identity provider, where they are the criterion"),
        Column("value", "string", True, "the criterion's value as text; null = blank"),
    ),
    open="field.",
)
"""Users as the fields of a setting. Custom fields are named `field.NAME`."""

ASSIGNMENTS = Schema(
    "assignments",
    (
        *_ORIGIN,
        *_PERSON,
        Column("value", "string", True, "the criterion's value as text; null = blank"),
        Column("reason", "string", False, "why the person is where they are; one of grouping.REASONS"),
        Column("group_key", "string", True, "key of the group; null = no group. Of several groups: the first"),
        Column("group", "string", True, "name of the group; null = no group. Of several: joined with a line feed"),
    ),
)
"""One row for each row of the export: the assignment and the one reason for it."""

GROUPS = Schema(
    "groups",
    (
        Column("group_key", "string", False, "key of the group (design rule 2)"),
        Column("name", "string", False, "name of the group (design rule 4)"),
        Column("name_certain", "bool", False, "false: the name depends on the order in which people arrive"),
        Column("members", "int64", False, "people who will be in it"),
        Column("exists", "bool", True, "the platform has it already; null = not known"),
        Column("spellings", "int64", False, "in how many ways its value is written"),
    ),
)
"""The groups of a preview."""

SENDS = Schema(
    "sends",
    (
        Column("field", "string", False, "field of the setting, or one of externalId, userName, active"),
        Column("criterion", "bool", False, "decides the group"),
        Column("attribute", "string", True, "SCIM attribute it is sent as; null = none is named, nothing can be sent"),
        Column("source", "string", True, "the identity provider's own attribute; null = only the admin knows"),
        Column("by_default", "bool", True, "sent without adding it to the mapping; null = not verified"),
        Column("column", "string", True, "column of the export that was counted; null = the export has none"),
        Column("people", "int64", False, "readable people in scope"),
        Column("with_value", "int64", True, "those of them with a value; null = the export has no such column"),
        Column("percent", "int64", True, "share of those with a value, rounded down; null = no column or no people"),
    ),
)
"""Does the identity provider send it? One line for each field of a setting."""

SNAPSHOT_USERS = Schema(
    "snapshot_users",
    (
        Column("id", "string", False, "the service provider's own id of the person", True),
        *_PERSON,
        Column("version", "string", True, "version of the resource (ETag), else when it was last changed"),
        Column("setting", "string", True, "SCIM setting that made the person; null = not known, or another way"),
        Column("matched_by", "string", True, "best key to match by: externalId, userName, email; null = cannot tell"),
    ),
    open="field.",
)
"""Users as the service provider holds them. Custom fields are named `field.NAME`."""

SNAPSHOT_GROUPS = Schema(
    "snapshot_groups",
    (
        Column("id", "string", False, "the service provider's own id of the group"),
        Column("externalId", "string", True, "the identity provider's own key of the group"),
        Column("name", "string", False, "name of the group (displayName)"),
        Column("version", "string", True, "version of the resource (ETag), else when it was last changed"),
        Column("setting", "string", True, "SCIM setting that made the group; null = not known, or another way"),
        Column("editable", "bool", True, "people may change it by hand; null = not known"),
    ),
)
"""Groups as the service provider holds them."""

SNAPSHOT_MEMBERS = Schema(
    "snapshot_members",
    (
        Column("group_id", "string", False, "id of the group"),
        Column("user_id", "string", False, "id of the person", True),
    ),
)
"""Who is in which group; groups in groups are left out."""

ALL = (USERS, MAPPED_USERS, ASSIGNMENTS, GROUPS, SENDS)

PROVISIONING_LOG = Schema(
    "provisioning_log",
    (
        Column("n", "int64", False, "number of the line; later lines have higher numbers"),
        Column("at", "string", False, "when, ISO 8601 in UTC"),
        Column("token", "string", False, "name of the token, never the token"),
        Column("operation", "string", False, "what was asked for, such as create, patch, query"),
        Column("resource_type", "string", True, "Users or Groups"),
        Column("resource_id", "string", True, "id of the resource on the platform", True),
        Column("query", "string", True, "filter of a look-up, or of who was meant by a refused creation", True),
        Column("status", "int64", False, "HTTP status of the answer"),
        Column("detail", "string", True, "why it was refused", True),
        Column("changes", "string", False, "JSON: [{attribute, old, new}]", True),
        Column("moves", "string", False, "JSON: [{user, before, after, reason, transient_fallback}]", True),
        Column("milliseconds", "int64", False, "how long it took"),
    ),
)
"""What the service provider did, a line a request (`GET /api/scim/{id}/scimops/log`; there changes and moves are
lists)."""


def polars_types(schema: Schema) -> dict[str, pl.DataType]:
    """The columns of a schema with their Polars types, as a new frame wants them."""
    import polars as pl

    types: dict[str, pl.DataType] = {
        "string": pl.String(), "int64": pl.Int64(), "bool": pl.Boolean(), "date": pl.Date(),
        "list[string]": pl.List(pl.String),
    }  # fmt: skip
    return {column.name: types[column.type] for column in schema.columns}


def check(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """`frame`, once it is seen to hold to `schema`.

    Raises:
        TypeError: a column is missing, of another type, null where it may not be, or unknown. That is a fault of
            scimops itself, never of a user's file.
    """
    kinds, types = frame.schema, polars_types(schema)
    for column in schema.columns:
        found = kinds.get(column.name)
        if found != types[column.name]:
            raise TypeError(f"{schema.name}.{column.name} is {found}, not {column.type}")
        if not column.nullable and frame[column.name].null_count():
            raise TypeError(f"{schema.name}.{column.name} has nulls")
    known = set(schema.names)
    for name in frame.columns:
        if name not in known and not (schema.open and name.startswith(schema.open)):
            raise TypeError(f"{schema.name} has an unknown column {name}")
    return frame


def to_pandas(frame: pl.DataFrame) -> pd.DataFrame:
    """The same frame in pandas: `string` dtypes, nullable integers and booleans, pd.NA where nothing is known."""
    import pandas as pd
    import pyarrow as pa

    types = {pa.string(): pd.StringDtype(), pa.large_string(): pd.StringDtype(), pa.string_view(): pd.StringDtype()}
    types |= {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    pandas: pd.DataFrame = frame.to_arrow(compat_level=None).to_pandas(types_mapper=types.get)
    return pandas
