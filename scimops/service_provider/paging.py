"""One page of a search: sorted as RFC 7644 §3.4.2.3 says, by index (§3.4.2.4) or by cursor (RFC 9865), all in SQL.

A cursor's position is the sort value, the type and the number of the row that a page starts after or ends before. Rows
that come and go elsewhere do not move the page.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from scim2_models import AttributeBinding, BaseModel, InvalidCursorException, InvalidPathException, SearchRequest
from scim2_models.path import ScimFilter
from scim2_server.utils import parametrize

from scimops.service_provider import attribute_places as places
from scimops.service_provider.attribute_places import Condition, Value
from scimops.service_provider.comparisons import in_order
from scimops.service_provider.filters import condition
from scimops.service_provider.tables import Time, groups, users

_MOST = 2**40
"""More than there are, and still a number for a database."""


@dataclass(frozen=True)
class Source:
    """The resources of one type that a search looks through."""

    name: str
    model: type[Any]
    scope: Condition
    filter: ScimFilter[Any] | None
    members: sa.FromClause


@dataclass(frozen=True)
class Found:
    """One page: how many match in all, and the type and number of each row; positions of the neighbouring pages."""

    total: int | None
    rows: list[tuple[str, int]]
    next: dict[str, Any] | None = None
    previous: dict[str, Any] | None = None


@dataclass(frozen=True)
class _Key:
    """What a row is sorted by: its value, then its type, then its number."""

    value: Any
    rank: int
    n: int


@dataclass(frozen=True)
class _Collection:
    """All that matches, as a selection of `rank`, `n` and `value`, which is null where there is none."""

    rows: sa.FromClause
    where: Condition
    rank: Value | None
    n: Value
    value: Value | None
    kind: str
    order: Value | None
    descending: bool


def find_page(
    connection: sa.Connection, sources: Sequence[Source], search_request: SearchRequest[Any], position: Any = None
) -> Found:
    """The page that a request asks for, of all sources as one collection.

    Raises:
        InvalidFilterException: the filter cannot be said in SQL.
        InvalidPathException: nothing can be sorted by that attribute.
        InvalidCursorException: the position is none of this search.
    """
    places.prepare(connection)
    collection = _collected(sources, search_request, connection.dialect.name)
    names = [source.name for source in sources]
    count = None if search_request.count is None else min(search_request.count, _MOST)
    if search_request.cursor is None:
        return _by_index(connection, collection, min(search_request.start_index_0 or 0, _MOST), count, names)
    return _by_cursor(connection, collection, count, names, position)


def _by_index(
    connection: sa.Connection, collection: _Collection, start: int, count: int | None, names: list[str]
) -> Found:
    if count == 0:
        return Found(_count(connection, collection), [])
    keys = _fetch(connection, collection, sa.true(), backwards=False, offset=start, limit=count)
    ends = (keys or start == 0) and (count is None or len(keys) < count)  # then the total needs no counting
    total = start + len(keys) if ends else _count(connection, collection)
    return Found(total, [(names[key.rank], key.n) for key in keys])


def _by_cursor(
    connection: sa.Connection, collection: _Collection, count: int | None, names: list[str], position: Any
) -> Found:
    if count == 0:
        return Found(_count(connection, collection), [])
    direction, anchor = ("next", None) if position is None else _read_position(position, names, collection.kind)
    backwards = direction == "previous"
    where = _beyond(collection, anchor, backwards=backwards) if anchor else sa.true()
    keys = _fetch(connection, collection, where, backwards=backwards, limit=None if count is None else count + 1)
    more = count is not None and len(keys) > count
    keys = keys[:count]
    if backwards:
        keys.reverse()
    total = len(keys) if anchor is None and not more else _count(connection, collection)
    page = Found(total, [(names[key.rank], key.n) for key in keys])
    if not keys:
        return page
    after = _beyond(collection, keys[-1], backwards=False)
    has_next = more if not backwards else bool(_fetch(connection, collection, after, backwards=False, limit=1))
    before = _beyond(collection, keys[0], backwards=True)
    has_previous = more if backwards else anchor is not None and bool(
        _fetch(connection, collection, before, backwards=True, limit=1)
    )  # fmt: skip
    return Found(
        total, page.rows,
        _position("next", keys[-1], names) if has_next else None,
        _position("previous", keys[0], names) if has_previous else None,
    )  # fmt: skip


# -- What is paged -----------------------------------------------------------------


def _collected(sources: Sequence[Source], search_request: SearchRequest[Any], dialect: str) -> _Collection:
    descending = search_request.sort_by is not None and search_request.sort_order == "descending"
    sorts = [_sort_value(source, search_request, dialect) for source in sources]
    kinds = {kind for _, kind in sorts if kind}
    if len(kinds) > 1:
        raise InvalidPathException(path=str(search_request.sort_by), detail="The resource types sort this differently.")
    kind = kinds.pop() if kinds else ""
    if len(sources) == 1:
        source, (value, _) = sources[0], sorts[0]
        table = users if source.name == "User" else groups
        order = None if value is None else in_order(value, kind, dialect)
        return _Collection(table, _where(source, dialect), None, table.c.n, value, kind, order, descending)
    parts = []
    for rank, (source, (value, _)) in enumerate(zip(sources, sorts, strict=True)):
        table = users if source.name == "User" else groups
        columns = [sa.literal(rank, sa.Integer).label("rank"), table.c.n.label("n")]
        if kind:
            null = sa.cast(sa.null(), _sql_type(kind, sorts))
            columns.append((null if value is None else value).label("value"))
        parts.append(sa.select(*columns).where(_where(source, dialect)))
    rows = sa.union_all(*parts).subquery("found")
    value = rows.c.value if kind else None
    order = None if value is None else in_order(value, kind, dialect)
    return _Collection(rows, sa.true(), rows.c.rank, rows.c.n, value, kind, order, descending)


def _sql_type(kind: str, sorts: Sequence[tuple[Value | None, str]]) -> Any:
    return Time if kind == "moment" else next(value.type for value, _ in sorts if value is not None)


def _where(source: Source, dialect: str) -> Condition:
    if source.filter is None:
        return source.scope
    bound = source.filter
    if bound.model is not source.model:
        bound = parametrize(ScimFilter, source.model)(str(bound))
    return sa.and_(source.scope, condition(bound, source.name, dialect, source.members, source.scope))


def _sort_value(source: Source, search_request: SearchRequest[Any], dialect: str) -> tuple[Value | None, str]:
    """The one value that a row is sorted by, and its kind; None: rows of this type have none."""
    binding = search_request.sort_binding(source.model)
    if binding is None:
        return None, ""
    if binding.target_is_multivalued and (binding.sub_field_name is not None or not binding.is_multivalued):
        raise InvalidPathException(path=str(search_request.sort_by), detail="A list in a list cannot be sorted on.")
    row = places.row_place(source.name, dialect, source.members)
    host, kind = places.host_of(row, binding, source.model), places.kind_of(binding.target_type)
    if not binding.is_multivalued:
        return places.read_binding(host, binding), kind
    entries = host.entries(places.scim_name(binding.model, binding.field_name))
    if entries is None:
        return None, ""
    if entries.at is not None:
        return places.read_sub_attribute(entries.at(_first(entries, binding)), binding), kind
    mine = sa.true() if entries.owner is None else entries.owner[0] == entries.owner[1]
    first = sa.select(places.read_sub_attribute(entries.entry, binding)).select_from(entries.source).where(mine)
    return first.order_by(entries.order).limit(1).scalar_subquery(), kind


def _first(entries: places.Entries, binding: AttributeBinding) -> Value:
    """The position of the primary entry, else of the first."""
    if not _has_primary(binding):
        return sa.literal(0)
    primary = sa.select(sa.func.min(entries.order)).select_from(entries.source)
    chosen = primary.where(entries.entry.value("primary", "boolean")).scalar_subquery()
    return sa.func.coalesce(chosen, sa.literal(0))


def _has_primary(binding: AttributeBinding) -> bool:
    declared = binding.field_type
    return isinstance(declared, type) and issubclass(declared, BaseModel) and "primary" in declared.model_fields


# -- Reading it ----------------------------------------------------------------------


def _count(connection: sa.Connection, collection: _Collection) -> int:
    query = sa.select(sa.func.count()).select_from(collection.rows).where(collection.where)
    return cast(int, connection.scalar(query))


def _fetch(
    connection: sa.Connection, collection: _Collection, where: Condition, *, backwards: bool, limit: int | None,
    offset: int = 0,
) -> list[_Key]:  # fmt: skip
    """The keys of the rows in order, or backwards."""
    columns = [item for item in (collection.n, collection.rank, collection.value) if item is not None]
    query = sa.select(*columns).select_from(collection.rows).where(collection.where, where)
    query = query.order_by(*order_by(collection, backwards=backwards)).offset(offset or None).limit(limit)
    keys = []
    for row in connection.execute(query):
        rank = row[1] if collection.rank is not None else 0
        keys.append(_Key(row[-1] if collection.value is not None else None, rank, row[0]))
    return keys


def order_by(collection: _Collection, *, backwards: bool = False) -> list[Value]:
    """Value, type, number; rows without a value last, or first when descending (RFC 7644 §3.4.2.3)."""
    down = collection.descending != backwards
    given = [item for item in (collection.rank, collection.n) if item is not None]
    ties: list[Value] = [item.desc() if down else item.asc() for item in given]
    if collection.order is None:
        return ties
    first = collection.order.desc().nulls_first() if down else collection.order.asc().nulls_last()
    return [first, *ties]


def _beyond(collection: _Collection, anchor: _Key, *, backwards: bool) -> Condition:
    """The rows after the anchor, or those before it."""
    down = collection.descending != backwards
    same = _farther(collection.n, anchor.n, down=down)
    if collection.rank is not None:
        same = sa.or_(_farther(collection.rank, anchor.rank, down=down), (collection.rank == anchor.rank) & same)
    if collection.value is None or collection.order is None:
        return same
    if anchor.value is None:
        none = collection.value.is_(None)
        return sa.or_(none & same, sa.not_(none)) if down else sa.and_(none, same)
    bound = sa.bindparam(None, anchor.value, type_=collection.value.type)
    beyond = sa.or_(_farther(collection.order, bound, down=down), (collection.value == bound) & same)
    return beyond if down else sa.or_(beyond, collection.value.is_(None))


def _farther(value: Value, anchor: Any, *, down: bool) -> Condition:
    return cast(Condition, value < anchor if down else value > anchor)


# -- Positions -------------------------------------------------------------------------


def _position(direction: str, key: _Key, names: list[str]) -> dict[str, Any]:
    value = key.value.isoformat() if isinstance(key.value, dt.datetime) else key.value
    return {"d": direction, "v": value, "t": names[key.rank], "n": key.n}


def _read_position(position: Any, names: list[str], kind: str) -> tuple[str, _Key]:
    try:
        direction, value = position["d"], position["v"]
        if direction not in ("next", "previous") or not isinstance(position["n"], int):
            raise InvalidCursorException
        if value is not None and kind == "moment":
            value = dt.datetime.fromisoformat(value)
        return direction, _Key(value, names.index(position["t"]), position["n"])
    except (KeyError, TypeError, ValueError):
        raise InvalidCursorException from None
