"""What checks share: rows of a condition, samples, and words for fields and identity providers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from scimops.errors import ROW_NUMBERS_KEPT
from scimops.grouping import ARRIVING

if TYPE_CHECKING:
    from scimops.preview import Preview

FIELD_WORDS = {
    "userName": "the userName", "email": "the e-mail address", "department": "department", "phone": "the phone number",
    "firstName": "the first name", "lastName": "the last name", "externalId": "the externalId",
}  # fmt: skip


def rows_with(preview: Preview, condition: pl.Expr, among: pl.Expr | None = None) -> dict[str, Any]:
    """`count` and `row_numbers` of the people for whom `condition` holds, as arguments of `finding()`.

    `among` is who counts at all, by reason and active. It is asked of those alone for whom the condition holds, which
    are few as a rule.
    """
    people = preview.people.lazy().filter(condition)
    if among is not None:
        people = people.select("row", "reason", "active").collect().lazy().filter(among)
    rows = people.select("row").collect()["row"]
    return {"count": len(rows), "row_numbers": rows.head(ROW_NUMBERS_KEPT).to_list()}


def first_of(preview: Preview, condition: pl.Expr, column: str) -> str:
    """The first value of `column` among the people for whom `condition` holds."""
    values = preview.people.lazy().filter(condition & pl.col(column).is_not_null()).select(column).head(1).collect()
    return str(values.item()) if values.height else ""


def arriving() -> pl.Expr:
    """People who will be there and active."""
    return pl.col("reason").is_in(ARRIVING) & pl.col("active").fill_null(True)


def kept() -> pl.Expr:
    """People who are neither rejected nor out of scope."""
    return pl.col("reason").is_in([*ARRIVING, "inactive"])


def listed(names: Sequence[str], most: int = 5) -> str:
    """Some names in one line, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
