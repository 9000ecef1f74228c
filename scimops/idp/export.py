"""An export that was read: what it is, which column means what, and its users as frames."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl
from polars import selectors

from scimops import frames
from scimops.attributes import normal_path
from scimops.errors import SettingError, nearest
from scimops.idp.shape import PLAIN_FIELDS, Active, Shape
from scimops.idp.source import Source
from scimops.idp.table import LINE, ROW, RejectedRow, Table

if TYPE_CHECKING:
    import pandas as pd

_KEPT_AS_WRITTEN = ("department",)
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
        headers = part.table.headers
        known = _active_rules(self.shape, columns.get("active"))
        rules = [rule for rule in known if "active" in columns and rule.header in headers]
        group_headers = self.shape.groups.found(headers) if groups else []
        fallbacks = {
            name: columns[other]
            for name, other in self.shape.coalesce.items()
            if other in columns and columns.get(name) == self.columns.get(name)
        }
        needed = [*columns.values(), *fallbacks.values(), *(rule.header for rule in rules), *group_headers]
        lazy = part.table.scan([name for name in dict.fromkeys(needed) if name in headers])
        schema = lazy.collect_schema()
        custom = {_custom(column): column for column in columns.values() if schema.get(column) == pl.String}
        custom = {name: column for name, column in columns.items() if custom.get(name) == column}
        made = [
            _text(schema, column, name, fallbacks.get(name))
            for name, column in columns.items()
            if name != "active" and name not in custom
        ]
        made += [_filled(_column(*custom.values())).name.prefix("custom.")] if custom else []
        if "email" in columns:
            own = _text(schema, columns["email"], "email", None)
            absent = (
                own.fill_null("") == "" if fallbacks.get("email") not in (None, columns["email"]) else pl.lit(False)
            )
            made.append(absent.alias("filled_in"))
        made += [_active(rules).alias("active")] if "active" in columns else []
        made += [_groups(schema, group_headers, self.shape.groups.separator).alias("groups")] if groups else []
        origin = [pl.col(ROW).alias("row"), pl.col(LINE).alias("line"), pl.lit(part.source.name).alias("file")]
        trimmed = [name for name in columns if name != "active" and not _as_written(name)]
        return _without_blanks(lazy.select(*origin, *made).collect(), trimmed)

    def several(self, column: str) -> list[int]:
        """The rows that have several different values in `column`."""
        rows: list[int] = []
        for part in self.parts:
            if part.table.kind == "json" and column in part.table.headers:
                frame = part.table.read([column])
                if isinstance(frame.schema[column], pl.List):
                    rows += frame.filter(_column(column).list.n_unique() > 1)[ROW].to_list()
        return rows

    def users(self) -> pl.DataFrame:
        """All readable users as the schema `users`, custom columns included."""
        plain = {name: column for name, column in self.columns.items() if name != "groups"}
        used = {column for name, column in plain.items() if name != "active"}
        custom = {_custom(name): name for name in self.headers if name not in used}
        frame = self.frame(plain | custom, groups=True)
        types = dict.fromkeys(_DAYS, pl.Date) | {"active": pl.Boolean}
        absent = [
            pl.lit(None, types.get(name, pl.String)).alias(name)
            for name in (*PLAIN_FIELDS, "active")
            if name not in frame.columns
        ]
        days = [_date(name, self.shape.us_dates) for name in _DAYS if name in self.columns]
        constants = [pl.lit(self.idp).alias("idp"), pl.lit(self.shape.name).alias("shape")]
        whole = frame.lazy().with_columns(*absent, *days, *constants)
        return frames.check(whole.select(*frames.USERS.names, *custom).collect(), frames.USERS)

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


def _active_rules(shape: Shape, column: str | None) -> tuple[Active, ...]:
    """The shape's rules, or for a column named by hand the usual words for yes and no."""
    if column is None or column in {rule.header for rule in shape.active}:
        return shape.active
    from scimops.idp.generic import NO, YES

    return (Active(column, YES, NO),)


def _custom(header: str) -> str:
    return f"custom.{header}"


def _column(*names: str) -> pl.Expr:
    """The columns of these very names; to `pl.col` a header such as `*` or `^a$` would be a pattern."""
    return selectors.by_name(*names).as_expr()


def _filled(text: pl.Expr) -> pl.Expr:
    """The text as written, null where it is blank."""
    return pl.when(text.str.strip_chars() != "").then(text)


def _text(schema: pl.Schema, column: str, name: str, fallback: str | None) -> pl.Expr:
    if column not in schema:
        return pl.lit(None, pl.String).alias(name)
    value = _column(column)
    if isinstance(schema[column], pl.List):
        value = value.list.first()
    value = _filled(value) if _as_written(name) else value.str.strip_chars()
    if fallback is not None and fallback in schema and fallback != column:
        value = pl.coalesce(pl.when(value != "").then(value), _text(schema, fallback, name, None))
    return value.alias(name)


def _as_written(name: str) -> bool:
    return name in _KEPT_AS_WRITTEN or name.startswith(("custom.", "field."))


def _without_blanks(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Null for empty text in these columns; hardly any has some, and the others are not copied."""
    blank = frame.select((pl.col(names) == "").any()).row(0, named=True) if names else {}
    found = [name for name, some in blank.items() if some]
    return frame.with_columns(pl.when(pl.col(found) != "").then(pl.col(found))) if found else frame


def _active(rules: Sequence[Active]) -> pl.Expr:
    if not rules:
        return pl.lit(None, pl.Boolean)
    known = []
    for rule in rules:
        text = _column(rule.header).str.strip_chars().str.to_lowercase()
        known.append(pl.when(text.is_in(rule.no)).then(False).when(text.is_in(rule.yes)).then(True))
    return pl.coalesce(known)


def _groups(schema: pl.Schema, headers: Sequence[str], separator: str) -> pl.Expr:
    if not headers:
        return pl.lit(None, pl.List(pl.String))
    lists = []
    for header in headers:
        value = _column(header)
        if not isinstance(schema[header], pl.List):
            filled = value.fill_null("")
            value = filled.str.split(separator) if separator else filled.reshape((-1, 1)).arr.to_list()
        lists.append(value.fill_null([]))
    cleaned = pl.element().str.strip_chars()
    return pl.concat_list(lists).list.eval(cleaned.filter(cleaned != "").unique(maintain_order=True))


def _date(name: str, american: bool) -> pl.Expr:
    """The day in a timestamp: ISO 8601 forms everywhere, M/D/YYYY where the shape is known to write so."""
    text = pl.col(name)
    forms = [text.str.extract(r"^(\d{4}-\d{1,2}-\d{1,2})(?:[T ]|$)").str.to_date("%Y-%m-%d", strict=False)]
    forms += [text.str.extract(r"^(\d{4}/\d{1,2}/\d{1,2})(?: |$)").str.to_date("%Y/%m/%d", strict=False)]
    if american:
        forms += [text.str.extract(r"^(\d{1,2}/\d{1,2}/\d{4})(?: |$)").str.to_date("%m/%d/%Y", strict=False)]
    return pl.coalesce(forms).alias(name)
