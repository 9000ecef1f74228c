"""Where the attributes of people and groups live, as SQL: in a column, in the memberships, or in the document.

The document is kept twice: as it is, for what is caseExact, and `folded`, for what is not (RFC 7643 §2.2). Columns hold
what SCIM compares: folded, or NFC where caseExact.
"""

from __future__ import annotations

import datetime as dt
import json
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from inspect import isclass
from typing import Annotated, Any, Protocol, cast, get_args, get_origin

import sqlalchemy as sa
from pydantic import EmailStr
from scim2_models import AttributeBinding, BaseModel, Extension, InvalidFilterException

from scimops.service_provider.tables import groups, users

Condition = sa.ColumnElement[bool]
Value = sa.ColumnElement[Any]


def exact(text: str) -> str:
    """A text in the form in which SCIM compares caseExact attributes: NFC."""
    return unicodedata.normalize("NFC", text)


def exact_or_none(text: str | None) -> str | None:
    """The same, of a text that may be absent."""
    return exact(text) if text is not None else None


def scim_key(text: str) -> str:
    """A text in the form in which SCIM compares attributes that are not caseExact: NFC, lower case, NFC."""
    return exact(exact(text).lower())


def folded(text: str) -> str:
    """The text of a document, keys and values, in the form in which SCIM compares: NFC, lower case, NFC.

    A text with escapes is folded value by value: the "n" of a line break takes no accent, and precedes no final sigma.
    """
    if "\\" in text:
        return json.dumps(_folded_tree(json.loads(text)), ensure_ascii=False)
    return scim_key(text)


def _folded_tree(tree: Any) -> Any:
    if isinstance(tree, str):
        return scim_key(tree)
    if isinstance(tree, list):
        return [_folded_tree(item) for item in tree]
    if isinstance(tree, dict):
        return {_folded_tree(key): _folded_tree(item) for key, item in tree.items()}
    return tree


def prepare(connection: sa.Connection) -> None:
    """Teach SQLite NFC, which PostgreSQL knows: only caseExact attributes inside documents need it."""
    if connection.dialect.name == "sqlite" and "nfc" not in connection.info:
        connection.info["nfc"] = True  # once: SQLite refuses it while a statement runs
        raw = cast(Any, connection.connection.driver_connection)
        raw.create_function("nfc", 1, lambda text: text and exact(text), deterministic=True)


# -- A place in a document ----------------------------------------------------


class Pointer(Protocol):
    """A place in a JSON document."""

    def child(self, name: str) -> Pointer:
        """The member of that name."""

    def item(self, index: Value) -> Pointer:
        """The entry at that index."""

    def indices(self) -> tuple[sa.FromClause, Value]:
        """The indices of a list, one a row, and the column that holds them."""

    def read(self, kind: str) -> Value:
        """The value here, as `kind`; null where there is none."""

    def exact_text(self) -> Value:
        """The text here in NFC."""


@dataclass(frozen=True)
class SqlitePointer:
    """A place that JSON1's functions find by its path."""

    text: Value
    path: Any = "$"

    def child(self, name: str) -> SqlitePointer:
        """The member of that name."""
        return SqlitePointer(self.text, self.path + f'."{name}"')

    def item(self, index: Value) -> SqlitePointer:
        """The entry at that index."""
        head = sa.literal(self.path + "[", sa.Text) if isinstance(self.path, str) else self.path + "["
        return SqlitePointer(self.text, head + sa.cast(index, sa.Text) + "]")

    def indices(self) -> tuple[sa.FromClause, Value]:
        """The keys that json_each counts."""
        rows = sa.func.json_each(self.text, self.path).table_valued("key")
        return rows, rows.c.key

    def read(self, kind: str) -> Value:
        """What json_extract makes of it: true is 1."""
        types: dict[str, Any] = {"boolean": sa.Boolean, "integer": sa.Integer, "decimal": sa.Float}
        return sa.func.json_extract(self.text, self.path, type_=types.get(kind, sa.Text))

    def exact_text(self) -> Value:
        """By the function that `prepare` registers."""
        return sa.func.nfc(self.read("text"), type_=sa.Text)


@dataclass(frozen=True)
class PostgresPointer:
    """A place that JSONB's operators find."""

    json: Value

    def child(self, name: str) -> PostgresPointer:
        """The member of that name."""
        return PostgresPointer(self.json.op("->")(sa.literal(name, sa.Text)))

    def item(self, index: Value) -> PostgresPointer:
        """The entry at that index."""
        return PostgresPointer(self.json.op("->")(index))

    def indices(self) -> tuple[sa.FromClause, Value]:
        """The numbers below the list's length."""
        array = sa.case((sa.func.jsonb_typeof(self.json) == "array", self.json))
        rows = sa.func.generate_series(0, sa.func.jsonb_array_length(array) - 1).table_valued("i").render_derived()
        return rows, sa.type_coerce(rows.c.i, sa.Integer)

    def read(self, kind: str) -> Value:
        """Its text, cast."""
        types: dict[str, Any] = {"boolean": sa.Boolean, "integer": sa.Numeric, "decimal": sa.Double}
        text = self.json.op("#>>")(sa.text("'{}'"))
        return sa.cast(text, types[kind]) if kind in types else sa.type_coerce(text, sa.Text)

    def exact_text(self) -> Value:
        """By PostgreSQL's own normalize."""
        return sa.func.normalize(self.read("text"), sa.text("NFC"), type_=sa.Text)


# -- Where attributes live -----------------------------------------------------


@dataclass(frozen=True)
class Entries:
    """The entries of a multi-valued attribute: rows to select from, and one entry.

    In a document they have positions (`at`); elsewhere they hang on their `owner` by two keys.
    """

    source: sa.FromClause
    order: Value
    entry: Place
    owner: tuple[Value, Value] | None = None
    at: Callable[[Value], Place] | None = None

    def some(self, holds: Condition) -> Condition:
        """Does `holds` hold for one of them?"""
        if self.owner is None:
            return sa.select(sa.literal(1)).select_from(self.source).where(holds).exists()
        key, theirs = self.owner
        return key.in_(sa.select(theirs).select_from(self.source).where(holds).correlate(None))


@dataclass(frozen=True)
class Place:
    """Where attributes live: a row, a complex attribute or an entry of a list. Names are those of the schema.

    `columns` has what is a column, `lists` what is in another table; the rest is in the document, if there is one.
    """

    columns: Mapping[str, Value] = field(default_factory=dict)
    lists: Mapping[str, Entries] = field(default_factory=dict)
    exact: Pointer | None = None
    folded: Pointer | None = None

    def child(self, name: str) -> Place:
        """A complex attribute, or an extension by its URN."""
        below = {key.removeprefix(name + "."): item for key, item in self.columns.items() if key.startswith(name + ".")}
        if self.exact is None or self.folded is None:
            return Place(below)
        return Place(below, {}, self.exact.child(name), self.folded.child(folded(name)))

    def read(self, kind: str, *, case_exact: bool = False) -> Value:
        """The value of this very place, null where it is unassigned."""
        if "" in self.columns:
            return self.columns[""]
        if self.exact is None or self.folded is None:
            return sa.cast(sa.null(), sa.Text)
        if kind == "moment":
            raise InvalidFilterException(detail="Dates are compared in meta only.")
        if kind == "binary":
            return self.exact.read("text")
        return self.exact.exact_text() if case_exact and kind == "text" else self.folded.read(kind)

    def value(self, name: str, kind: str, *, case_exact: bool = False) -> Value:
        """The value of an attribute, null where it is unassigned."""
        if name in self.columns:
            return self.columns[name]
        return self.child(name).read(kind, case_exact=case_exact)

    def entries(self, name: str) -> Entries | None:
        """The entries of a multi-valued attribute; None: no row has any."""
        if name in self.lists or self.exact is None or self.folded is None:
            return self.lists.get(name)
        exact_list, folded_list = self.exact.child(name), self.folded.child(folded(name))
        source, index = folded_list.indices()

        def at(position: Value) -> Place:
            return Place({}, {}, exact_list.item(position), folded_list.item(position))

        return Entries(source, index, at(index), at=at)


@lru_cache(maxsize=1000)
def row_place(resource_type_name: str, dialect: str, members: sa.FromClause | None) -> Place:
    """Where the attributes of a User or a Group live."""
    table = users if resource_type_name == "User" else groups
    columns: dict[str, Value] = {
        "id": table.c.id, "externalId": table.c.external_id, "meta.created": table.c.created,
        "meta.lastModified": table.c.modified, "meta.resourceType": sa.literal(resource_type_name, sa.Text),
        "meta.version": sa.literal('W/"', sa.Text) + sa.cast(table.c.version, sa.Text) + '"',
        "meta.location": sa.cast(sa.null(), sa.Text), "meta": sa.literal("there", sa.Text),
    }  # fmt: skip
    lists = {}
    if resource_type_name == "Group":
        if members is not None:
            lists["members"] = Entries(members, members.c.user_n, Place({
                "value": members.c.user_id, "$ref": sa.literal("Users/", sa.Text) + members.c.user_id,
                "type": sa.literal("user", sa.Text),
            }), (groups.c.n, members.c.group_n))  # fmt: skip
        return Place(columns | {"displayName": groups.c.scim_key}, lists)
    if members is not None:
        theirs = groups.alias()
        lists["groups"] = Entries(members.join(theirs, theirs.c.n == members.c.group_n), theirs.c.n, Place({
            "value": theirs.c.id, "$ref": sa.literal("Groups/", sa.Text) + theirs.c.id, "display": theirs.c.scim_key,
        }), (users.c.n, members.c.user_n))  # fmt: skip
    start: Any = SqlitePointer if dialect == "sqlite" else PostgresPointer
    columns["userName"] = users.c.user_name_scim
    return Place(columns, lists, start(users.c.document), start(users.c.folded))


# -- What a binding of scim2-models designates ------------------------------------

_KINDS: tuple[tuple[type, str], ...] = (
    (BaseModel, "complex"), (bool, "boolean"), (int, "integer"), (float, "decimal"), (dt.datetime, "moment"),
    (bytes, "binary"), (str, "text"), (EmailStr, "text"),
)  # fmt: skip


def kind_of(declared: Any) -> str:
    """What values of a declared type are, in SQL.

    Raises:
        InvalidFilterException: nothing that SQL could compare.
    """
    plain = get_args(declared)[0] if get_origin(declared) is Annotated else declared
    for python_type, kind in _KINDS:
        if isclass(plain) and issubclass(plain, python_type):
            return kind
    raise InvalidFilterException(detail="An attribute of this type cannot be searched.")


def scim_name(model: type[BaseModel], field_name: str) -> str:
    """The name of an attribute in documents."""
    return model.model_fields[field_name].serialization_alias or field_name


def host_of(row: Place, binding: AttributeBinding, bound_to: Any) -> Place:
    """The place that has the head attribute: the row itself, or an extension of it (RFC 7643 §3.3)."""
    model = binding.model
    if issubclass(model, Extension) and model is not bound_to:
        return row.child(str(model.__schema__))
    return row


def read_binding(host: Place, binding: AttributeBinding) -> Value:
    """The value of an attribute that `host` has at most once, or of one of its sub-attributes."""
    name = scim_name(binding.model, binding.field_name)
    kind = kind_of(binding.target_type)
    if binding.sub_field_name is None:
        return host.value(name, kind, case_exact=binding.case_exact)
    return read_sub_attribute(host.child(name), binding)


def read_sub_attribute(place: Place, binding: AttributeBinding) -> Value:
    """The designated sub-attribute of a complex value, or the value itself where none is designated."""
    kind = kind_of(binding.target_type)
    if binding.sub_field_name is None:
        return place.read(kind, case_exact=binding.case_exact)
    name = scim_name(cast("type[BaseModel]", binding.field_type), binding.sub_field_name)
    return place.value(name, kind, case_exact=binding.case_exact)
