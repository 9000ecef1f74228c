"""What differs between a person as the export has them and as the service provider holds them, field by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from scimops.preview import Preview

_HELD = ("externalId", "userName", "email", "firstName", "lastName", "department", "phone")
"""Fields of every person that are sent as they are; `active` follows from the reason."""


def fields_of(preview: Preview, there: pl.DataFrame) -> list[str]:
    """The fields to compare: those the export has a column for and the service provider holds.

    A field without a column in the export says nothing about anybody: it is never made blank.
    """
    custom = [f"field.{name}" for name in preview.setting.custom_fields]
    wanted = [name for name in _HELD if name in preview.mapped.columns]
    wanted += [name for name in custom if name.removeprefix("field.") in preview.mapped.columns]
    held = set(there.columns)
    return [name for name in wanted if name in held and name in preview.people.columns]


def wanted_active() -> pl.Expr:
    """Active as it will be: nobody is whose reason says so; unknown counts as active (design rule 9)."""
    return (pl.col("reason") != "inactive") & pl.col("active").fill_null(True)


def differing(both: pl.DataFrame, fields: Sequence[str]) -> pl.DataFrame:
    """`both` with `changed` (names of the fields), `before` and `after` (JSON objects of those fields alone).

    `both` has each field twice, as `FIELD` and `FIELD_there`. Blank and absent are one (RFC 7643 §2.5). Only the rows
    with a difference come back.
    """
    empty = pl.lit(None, pl.String)
    for name in fields:
        if both.schema[name] == pl.String:
            filled = [pl.when(pl.col(n).str.strip_chars() != "").then(n) for n in (name, f"{name}_there")]
            both = both.with_columns(*filled)
    unlike = {name: pl.col(name).ne_missing(pl.col(f"{name}_there")) for name in fields}
    both = both.filter(pl.any_horizontal([pl.lit(False), *unlike.values()]))
    names = [pl.when(is_other).then(pl.lit(name)).otherwise(empty) for name, is_other in unlike.items()]
    return both.with_columns(
        changed=pl.concat_list([pl.lit([], pl.List(pl.String)), *names]).list.drop_nulls(),
        before=_object({name: (f"{name}_there", is_other) for name, is_other in unlike.items()}),
        after=_object({name: (name, is_other) for name, is_other in unlike.items()}),
    )


def differing_pairs(
    here: pl.DataFrame, there: pl.DataFrame, pairs: tuple[pl.Series, pl.Series], fields: Sequence[str]
) -> pl.Series:
    """Which of the `pairs` of a row of `here` and a row of `there` may differ at all: their values are not the same.

    A column at a time, for both frames side by side would be the largest thing in memory. Most people differ in
    nothing; :func:`differing` says what the others do.
    """
    rows, others = pairs
    unlike = pl.repeat(False, len(rows), dtype=pl.Boolean, eager=True)
    for name in fields:
        unlike |= here[name].gather(rows).ne_missing(there[name].gather(others))
    return unlike


def holds(fields: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Does somebody have all `wanted` values? Blank and absent are one (RFC 7643 §2.5)."""
    return all(filled(fields.get(name)) == filled(value) for name, value in wanted.items())


def filled(value: Any) -> Any:
    """A value; None for one that is blank."""
    return None if isinstance(value, str) and not value.strip() else value


def whole(fields: Sequence[str]) -> pl.Expr:
    """All fields of a person as a JSON object, blank ones left out."""
    return _object({name: (name, pl.col(name).is_not_null()) for name in fields})


def _object(parts: dict[str, tuple[str, pl.Expr]]) -> pl.Expr:
    """A JSON object of the columns whose condition holds."""
    members = [
        pl.when(shown).then(pl.struct(pl.col(column).alias(name)).struct.json_encode().str.head(-1).str.tail(-1))
        for name, (column, shown) in parts.items()
    ]
    inner = pl.concat_str(members, separator=",", ignore_nulls=True) if members else pl.lit("")
    return pl.concat_str([pl.lit("{"), inner, pl.lit("}")])
