"""An export that was read: what it is, which column means what, and its users as frames."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from scimops import frames
from scimops.attributes import normal_path
from scimops.errors import SettingError, nearest
from scimops.idp.fields import custom_name, read_fields
from scimops.idp.shape import PLAIN_FIELDS, Shape
from scimops.idp.source import Source
from scimops.idp.table import ROW, RejectedRow, Table

if TYPE_CHECKING:
    import pandas as pd

_NDJSON_STEP = 50_000
_DAYS = ("createdOn", "hiredOn", "leftOn")


@dataclass(frozen=True)
class Part:
    """One file of an export."""

    source: Source
    table: Table
    recognised_by: list[str]


@dataclass
class Export:
    """A file an identity provider wrote about its users.

    `rows` counts all data records of all files; `rejected` are those that could not be read. `missing` is None, or
    says why the export is only a part of the whole. `columns` maps fields to the columns they are read from.
    """

    shape: Shape
    parts: list[Part]
    missing: str | None = None
    columns: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        headers = self.headers
        found = ((name, self.shape.column(name, headers)) for name in PLAIN_FIELDS)
        self.columns = {name: column for name, column in found if column is not None}
        for name, other in self.shape.coalesce.items():
            if name not in self.columns and other in self.columns:
                self.columns[name] = self.columns[other]
        if rules := [rule.header for rule in self.shape.active if rule.header in headers]:
            self.columns["active"] = rules[0]
        if groups := self.shape.groups.found(headers):
            self.columns["groups"] = groups[0]

    @property
    def idp(self) -> str:
        """The identity provider, such as `entra`; `generic` where no shape fits."""
        return self.shape.idp

    @property
    def files(self) -> list[str]:
        """The names of the files."""
        return [part.source.name for part in self.parts]

    @property
    def headers(self) -> list[str]:
        """All columns of all files that say something of a user; those that hold passwords are gone."""
        names = dict.fromkeys(name for part in self.parts for name in part.table.headers)
        return [name for name in names if name not in self.shape.no_attributes]

    @property
    def rows(self) -> int:
        """How many data records the files hold, readable or not."""
        return sum(part.table.rows for part in self.parts)

    @property
    def rejected(self) -> list[RejectedRow]:
        """The records that could not be read."""
        return [row for part in self.parts for row in part.table.rejected]

    @property
    def complete(self) -> bool:
        """Is this the whole export?"""
        return self.missing is None

    @property
    def recording(self) -> dict[str, int] | None:
        """What a recording of a rehearsal counted beside its people; None for an export that an IdP wrote."""
        counted = [part.table.recording for part in self.parts if part.table.recording is not None]
        return {name: sum(counts[name] for counts in counted) for name in counted[0]} if counted else None

    @property
    def taken_at(self) -> dt.datetime:
        """When the (oldest) file was taken, UTC."""
        return min(part.source.taken_at for part in self.parts)

    @property
    def taken_from(self) -> str:
        """Where `taken_at` was read from."""
        return min(self.parts, key=lambda part: part.source.taken_at).source.taken_from

    def describe(self) -> dict[str, Any]:
        """What `scimops read --json` prints (schema `read.json`)."""
        table = self.parts[0].table
        return {
            "format": 1,
            "idp": self.idp,
            "shape": self.shape.name,
            "recognised_by": self.parts[0].recognised_by,
            "files": self.files,
            "encoding": table.encoding,
            "delimiter": table.delimiter,
            "rows": self.rows,
            "rejected": [asdict(row) for row in self.rejected],
            "complete": self.complete,
            "missing": self.missing,
            "taken_at": self.taken_at.isoformat(timespec="seconds"),
            "taken_from": self.taken_from,
            "columns": self.columns,
            "recording": self.recording,
        }

    def header(self, name: str) -> str:
        """The column `name` as the file writes it.

        Raises:
            SettingError: the export has no such column.
        """
        headers = self.headers
        if name in headers:
            return name
        folded = {header.casefold(): header for header in headers}
        if name.casefold() in folded:
            return folded[name.casefold()]
        advice = nearest(name, headers) or f"It has: {', '.join(headers[:30])}."
        raise SettingError(f'The export has no column "{name}".', advice=advice)

    def column_of(self, attribute: str) -> str | None:
        """The column that this identity provider sends as the SCIM attribute path `attribute`; None where unknown."""
        wanted = normal_path(attribute)
        for path, header in self.shape.attributes.items():
            if normal_path(path) == wanted and header in self.headers:
                return header
        for header in self.headers:
            try:
                if normal_path(header) == wanted:
                    return header
            except ValueError:
                continue
        return None

    def frame(self, columns: Mapping[str, str], *, groups: bool = False) -> pl.DataFrame:
        """The readable records: row, line, file and for each name in `columns` its column's text.

        `active` becomes a boolean; empty text becomes null; text is trimmed, but for departments and custom fields.
        With `email` there is a column `filled_in`: the address is really the userName, because the export has none.
        With `groups` there is a column `groups` with the names of each person's groups.
        """
        return pl.concat([self._frame(part, columns, groups) for part in self.parts], how="vertical")

    def _frame(self, part: Part, columns: Mapping[str, str], groups: bool) -> pl.DataFrame:
        fallbacks = {
            name: other
            for name, other in self.shape.coalesce.items()
            if name in columns and other in columns and columns[name] == self.columns.get(name) != columns[other]
        }
        frame = read_fields(part.table, self.shape, columns, fallbacks, groups)
        return frame.insert_column(2, pl.repeat(part.source.name, frame.height, eager=True).alias("file"))

    def several(self, column: str) -> list[int]:
        """The rows that have several different values in `column`."""
        rows: list[int] = []
        for part in self.parts:
            if part.table.kind == "json" and column in part.table.headers:
                frame = part.table.read([column])
                if isinstance(frame.schema[column], pl.List):
                    rows += frame.filter(frame[column].list.n_unique() > 1)[ROW].to_list()
        return rows

    def users(self) -> pl.DataFrame:
        """All readable users as the schema `users`, custom columns included."""
        plain = {name: column for name, column in self.columns.items() if name != "groups"}
        used = {column for name, column in plain.items() if name != "active"}
        custom = {custom_name(name): name for name in self.headers if name not in used}
        frame = self.frame(plain | custom, groups=True)
        types = dict.fromkeys(_DAYS, pl.Date) | {"active": pl.Boolean}
        absent = [
            pl.lit(None, types.get(name, pl.String)).alias(name)
            for name in (*PLAIN_FIELDS, "active")
            if name not in frame.columns
        ]
        days = self._days()
        constants = [pl.lit(self.idp).alias("idp"), pl.lit(self.shape.name).alias("shape")]
        whole = frame.lazy().with_columns(*absent, *days, *constants)
        return frames.check(whole.select(*frames.USERS.names, *custom).collect(), frames.USERS)

    def days(self) -> pl.DataFrame:
        """Of each readable record, in order: `createdOn`, `hiredOn`, `leftOn` (dates; null where none is told)."""
        found = {name: self.columns[name] for name in _DAYS if name in self.columns}
        absent = [pl.lit(None, pl.Date).alias(name) for name in _DAYS if name not in found]
        return self.frame(found).lazy().with_columns(*self._days(), *absent).select(_DAYS).collect()

    def _days(self) -> list[pl.Expr]:
        return [_date(name, self.shape.us_dates) for name in _DAYS if name in self.columns]

    def unread_days(self) -> list[tuple[str, int, str]]:
        """Of each column of days with texts that are no day that can be read: its name, how many, the first of them."""
        found = {name: self.columns[name] for name in _DAYS if name in self.columns}
        told = self.frame(found)
        read = told.with_columns(*self._days())
        return [one for name, column in found.items() if (one := _unread(column, told[name], read[name]))]

    def unknown_statuses(self) -> list[tuple[str, int, str]]:
        """Likewise of the column that says who is active: its words that nobody knows."""
        column = self.columns.get("active")
        if column is None:
            return []
        told = self.frame({"text": column, "active": column})
        one = _unread(column, told["text"], told["active"])
        return [one] if one else []

    def to_pandas(self) -> pd.DataFrame:
        """All readable users in pandas, with string dtypes and pd.NA (columns: schema `users`)."""
        return frames.to_pandas(self.users())

    def records(self) -> Iterator[dict[str, Any]]:
        """Users one by one as plain data, custom columns under `custom`: what `scimops read --ndjson` prints."""
        users = self.users()
        custom = [name for name in users.columns if name.startswith("custom.")]
        users = users.with_columns(pl.col(_DAYS).dt.to_string("iso"))
        for start in range(0, users.height, _NDJSON_STEP):
            for record in users.slice(start, _NDJSON_STEP).iter_rows(named=True):
                extra = {name[7:]: record.pop(name) for name in custom}
                yield record | {"custom": {name: value for name, value in extra.items() if value is not None}}


def _unread(column: str, told: pl.Series, read: pl.Series) -> tuple[str, int, str] | None:
    lost = told.filter(told.is_not_null() & read.is_null())
    return (column, len(lost), str(lost[0])) if len(lost) else None


def _date(name: str, american: bool) -> pl.Expr:
    """The day in a timestamp: ISO 8601 forms and D.M.YYYY everywhere, M/D/YYYY where the shape is known to write so."""
    text = pl.col(name)
    forms = [text.str.extract(r"^(\d{4}-\d{1,2}-\d{1,2})(?:[T ]|$)").str.to_date("%Y-%m-%d", strict=False)]
    forms += [text.str.extract(r"^(\d{4}/\d{1,2}/\d{1,2})(?: |$)").str.to_date("%Y/%m/%d", strict=False)]
    forms += [text.str.extract(r"^(\d{1,2}\.\d{1,2}\.\d{4})(?: |$)").str.to_date("%d.%m.%Y", strict=False)]
    if american:
        forms += [text.str.extract(r"^(\d{1,2}/\d{1,2}/\d{4})(?: |$)").str.to_date("%m/%d/%Y", strict=False)]
    return pl.coalesce(forms).alias(name)
