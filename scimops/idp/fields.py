"""From the columns of a table to the fields of users: trimmed, null where blank, active as yes or no.

Of a million values hardly one is blank or has white space around it, and active has two or three different ones. So
such values are looked for before anything is done about them, and what active means is worked out once for each text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl
from polars import selectors

from scimops.idp.shape import Active, Shape
from scimops.idp.table import LINE, ROW, Table

_KEPT_AS_WRITTEN = ("department",)


def read_fields(
    table: Table, shape: Shape, columns: Mapping[str, str], fallbacks: Mapping[str, str], groups: bool
) -> pl.DataFrame:
    """The records of one file with the fields `columns`, as :meth:`scimops.idp.export.Export.frame` has them.

    `fallbacks` are fields that are filled in from another field where they are empty.
    """
    known = _rules(shape, columns["active"]) if "active" in columns else ()
    rules = [rule for rule in known if rule.header in table.headers]
    named = [columns["groups"]] if "groups" in columns else shape.groups.found(table.headers)
    group_headers = [header for header in named if header in table.headers] if groups else []
    needed = [*columns.values(), *(rule.header for rule in rules), *group_headers]
    lazy = table.scan([name for name in dict.fromkeys(needed) if name in table.headers])
    schema = lazy.collect_schema()
    texts = {name: column for name, column in columns.items() if name not in ("active", "groups")}
    said = [f"@active {number}" for number in range(len(rules))]
    made = _texts(schema, texts)
    made += [_column(rule.header).alias(name) for name, rule in zip(said, rules, strict=True)]
    separator = shape.groups.separator or (";" if "groups" in columns else "")
    made += [_groups(schema, group_headers, separator).alias("groups")] if groups else []
    frame = lazy.select(pl.col(ROW).alias("row"), pl.col(LINE).alias("line"), *made).collect()
    frame = _cleaned(frame, list(texts), table.breaks)
    if "email" in columns:
        frame = frame.with_columns(filled_in=pl.col("email").is_null() if "email" in fallbacks else pl.lit(False))
    filled = [pl.coalesce(name, other) for name, other in fallbacks.items() if columns[name] in schema]
    active = [_active(frame, said, rules).alias("active")] if "active" in columns else []
    return frame.with_columns(*filled, *active).drop(said)


def _rules(shape: Shape, column: str) -> tuple[Active, ...]:
    """The shape's rules, or for a column named by hand the usual words for yes and no."""
    if column in {rule.header for rule in shape.active}:
        return shape.active
    from scimops.idp.generic import NO, YES

    return (Active(column, YES, NO),)


def _column(*names: str) -> pl.Expr:
    """The columns of these very names; to `pl.col` a header such as `*` or `^a$` would be a pattern."""
    return selectors.by_name(*names).as_expr()


def custom_name(header: str) -> str:
    """The name of the field that a column nobody knows becomes."""
    return f"custom.{header}"


def _texts(schema: pl.Schema, columns: Mapping[str, str]) -> list[pl.Expr]:
    """Each field's text; custom columns, of which there may be thousands, are one expression."""
    custom = [column for name, column in columns.items() if name == custom_name(column)]
    custom = [column for column in custom if schema.get(column) == pl.String]
    names = set(map(custom_name, custom))
    made = [_text(schema, column, name) for name, column in columns.items() if name not in names]
    return [*made, _column(*custom).name.prefix(custom_name(""))] if custom else made


def _text(schema: pl.Schema, column: str, name: str) -> pl.Expr:
    if column not in schema:
        return pl.lit(None, pl.String).alias(name)
    value = _column(column)
    if isinstance(schema[column], pl.List):
        value = value.list.first()
    return value.alias(name)


def _as_written(name: str) -> bool:
    return name in _KEPT_AS_WRITTEN or name.startswith(("custom.", "field."))


def _cleaned(frame: pl.DataFrame, names: Sequence[str], breaks: bool) -> pl.DataFrame:
    """Trimmed but for what stays as written, and null for white space alone; most columns are not copied."""
    written = [name for name in names if _as_written(name)]
    odd = (pl.col(written) < "!") | (pl.col(written) > "~")  # white space begins so, and hardly any value does
    tests = frame.select((pl.col(written).filter(odd).str.strip_chars() == "").any()) if written else frame.clear()
    blank = [name for name in written if tests[name].any()]
    padded = [name for name in names if name not in written and _may_be_padded(frame[name], breaks)]
    text = pl.col(padded).str.strip_chars()
    made = [pl.when(text != "").then(text)] if padded else []
    made += [pl.when(pl.col(blank).str.strip_chars() != "").then(pl.col(blank))] if blank else []
    return frame.with_columns(made)


def _may_be_padded(values: pl.Series, breaks: bool) -> bool:
    """May a value be empty, or begin or end with white space? With `breaks` that may be more than spaces in ASCII."""
    if breaks or (values < "!").any() or values.str.ends_with(" ").any():
        return True
    wide = values.filter(values.str.len_bytes() != values.str.len_chars())
    return bool((wide.str.strip_chars() != wide).any())


def _active(frame: pl.DataFrame, columns: Sequence[str], rules: Sequence[Active]) -> pl.Expr:
    known = [pl.lit(None, pl.Boolean)]
    for column, rule in zip(columns, rules, strict=True):
        said = frame[column].unique()
        text = said.str.strip_chars().str.to_lowercase()
        no, yes = (pl.col(column).is_in(said.filter(text.is_in(words)).implode()) for words in (rule.no, rule.yes))
        known.append(pl.when(no).then(False).when(yes).then(True))
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
