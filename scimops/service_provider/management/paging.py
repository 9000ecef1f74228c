"""Searches of the management API: `pageNumber` from 1, `pageSize`, `orderBy`, `ascending`, a text to look for.

`orderBy` and `filter` are never null on the platform (its documentation), so null is refused here too. A filter that
this server does not apply is refused, never ignored: an answer that holds more than was asked for misleads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from pydantic import ConfigDict, Field

from scimops.errors import nearest
from scimops.service_provider.attribute_places import scim_key
from scimops.service_provider.management.answers import Body, Json, Refusal

MAX_PAGE = 1000
Columns = Mapping[str, sa.ColumnElement[Any]]


class Filter(Body):
    """`filter`: a text that results contain; `filterGroups` is taken where it is empty."""

    search_input_text_value: str | None = Field(None, max_length=320)
    condition: str | None = Field(None, pattern="(?i)^(and|or)?$")
    filter_groups: list[Any] | None = Field(None, max_length=0)


class Search(Body):
    """The body of a search. Keys of it that a search here has no use for are taken and ignored."""

    model_config = ConfigDict(extra="ignore")

    page_number: int = Field(1, ge=1, le=2**31 - 1)
    page_size: int = Field(10, ge=1, le=MAX_PAGE)
    order_by: str = Field("CreateTime", max_length=64)
    ascending: bool = False
    filter: Filter = Filter()  # the API's name

    @property
    def text(self) -> str:
        """The text to look for, trimmed; empty for none."""
        return (self.filter.search_input_text_value or "").strip()


class FullSearch(Search):
    """A search whose five keys must all be there (companies, enrolments, training reports)."""

    page_number: int = Field(ge=1, le=2**31 - 1)
    page_size: int = Field(ge=1, le=MAX_PAGE)
    order_by: str = Field(max_length=64)
    ascending: bool
    filter: Filter  # the API's name


def contains(text: str, *columns: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Does one of the columns contain the text, upper and lower case alike?"""
    low = text.lower()
    return sa.or_(*(sa.func.lower(sa.func.coalesce(column, "")).contains(low, autoescape=True) for column in columns))


def contains_folded(text: str, *columns: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Does one of the columns, which are folded as SCIM compares, contain the text?"""
    low = scim_key(text)
    return sa.or_(*(sa.func.coalesce(column, "").contains(low, autoescape=True) for column in columns))


def json_text(connection: sa.Connection, column: sa.ColumnElement[Any], *path: str | int) -> sa.ColumnElement[Any]:
    """The value at a path of a JSON column, as text; null where there is none."""
    if connection.dialect.name == "postgresql":
        return sa.func.jsonb_extract_path_text(column, *(str(part) for part in path))
    steps = "".join(f"[{part}]" if isinstance(part, int) else f'."{part}"' for part in path)
    return sa.func.json_extract(column, f"${steps}")


def find_page(
    connection: sa.Connection, query: sa.Select[Any], search: Search, orders: Columns, tie: sa.ColumnElement[Any]
) -> tuple[Json, Sequence[Any]]:
    """One page of `query`: the frame of the answer without its results, and the rows.

    Raises:
        Refusal: 400, results cannot be ordered so.
    """
    by_name = {name.lower(): column for name, column in orders.items()}
    column = by_name.get(search.order_by.lower())
    if column is None:
        advice = nearest(search.order_by, orders) or f"Allowed: {', '.join(orders)}."
        raise Refusal(400, "Results cannot be ordered so.", [f"orderBy: is no such name. {advice}"])
    total = connection.scalar(sa.select(sa.func.count()).select_from(query.with_only_columns(tie).subquery())) or 0
    way = sa.asc if search.ascending else sa.desc
    order = (way(column), way(tie))
    offset = (search.page_number - 1) * search.page_size
    if offset >= total:
        return page(search, total), []
    # the keys first: whole rows with their documents are read for one page, never sorted
    keys = query.with_only_columns(tie).order_by(*order).limit(search.page_size).offset(offset)
    rows = connection.execute(query.where(tie.in_(connection.scalars(keys).all())).order_by(*order)).all()
    return page(search, total), rows


def page(search: Search, total: int) -> Json:
    """The frame of a page (every `PagedResultsOf…` schema), to which `results` is added."""
    return {
        "pageNumber": search.page_number, "pageSize": search.page_size,
        "totalNumberOfPages": -(-total // search.page_size), "totalNumberOfRecords": total,
    }  # fmt: skip
