"""SCIM filters as SQL conditions (RFC 7644 §3.4.2.2): the rows that `ScimFilter.match` keeps, and no others.

SQL's unknown counts as false, and `not` makes it so before it negates: then three values behave as the evaluator's two.
What cannot be said in SQL is refused as an invalid filter, never answered wrongly.
"""

from __future__ import annotations

import json
from base64 import b64encode
from functools import lru_cache
from typing import Any, cast

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError
from scim2_models import AttributeBinding, BaseModel, Extension, InvalidFilterException, ScimFilter
from scim2_models.path import (
    STRING_OPERATORS,
    AttrPath,
    CompareOperator,
    Comparison,
    FilterNode,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
)
from scim2_server.utils import parametrize
from sqlalchemy.dialects.postgresql import JSONB

from scimops.service_provider import attribute_places as places
from scimops.service_provider.attribute_places import (
    Condition,
    Entries,
    Place,
    Value,
    exact,
    folded,
    kind_of,
    scim_name,
)
from scimops.service_provider.comparisons import compared, present, storable
from scimops.service_provider.tables import groups, users

__all__ = ["MAX_TERMS", "condition", "exact", "folded"]

MAX_TERMS = 200
"""Comparisons that one filter may have: more would be too deep for SQLite, and no client sends them."""


def condition(
    scim_filter: ScimFilter[Any], resource_type_name: str, dialect: str, members: sa.FromClause | None,
    scope: Condition | None = None,
) -> Condition:  # fmt: skip
    """The rows of `users` (for "User") or `groups` ("Group") that a filter bound to their one model keeps.

    `members` are the visible memberships (`group_n`, `user_n`, `user_id`). `scope` is what the caller selects rows by;
    given here as well, it lets a look-up by e-mail use the indexes, which all start with the setting.

    Raises:
        InvalidFilterException: the filter cannot be said in SQL.
    """
    if _terms(scim_filter.ast) > MAX_TERMS:
        raise InvalidFilterException(detail=f"A filter may have {MAX_TERMS} comparisons at most.")
    place = places.row_place(resource_type_name, dialect, members)
    return _RowCompiler(scim_filter, place, dialect, resource_type_name, scope).visit(scim_filter.ast)


def _terms(node: FilterNode) -> int:
    if isinstance(node, LogicalExpr):
        return sum(_terms(term) for term in node.terms)
    if isinstance(node, Not):
        return _terms(node.expr)
    return _terms(node.val_filter) if isinstance(node, ValuePath) else 1


class _Logic(FilterVisitor[Condition]):
    """`and`, `or` and `not`."""

    def visit_not(self, node: Not) -> Condition:
        return sa.not_(sa.func.coalesce(self.visit(node.expr), sa.false()))

    def visit_logical_expr(self, node: LogicalExpr) -> Condition:
        terms = [self.visit(term) for term in node.terms]
        return sa.and_(*terms) if node.op == LogicalOperator.and_ else sa.or_(*terms)


class _Compiler(_Logic):
    """Conditions on one place: a row, or an entry of a multi-valued attribute."""

    def __init__(self, scim_filter: ScimFilter[Any], place: Place, dialect: str) -> None:
        self.filter, self.place, self.dialect = scim_filter, place, dialect

    def resolve(self, path: AttrPath, *, compared: bool = False) -> AttributeBinding | None:
        """What a path designates; None: this resource type has no such attribute, so nothing matches."""
        resolve = self.filter.resolve_comparison if compared else self.filter.resolve
        binding = resolve(path, strict=False)
        if binding and issubclass(binding.model, Extension) and binding.field_name == "schemas":
            raise InvalidFilterException(detail="The schemas of an extension cannot be searched.")
        return binding

    def host(self, binding: AttributeBinding) -> Place:
        """The place that has the head attribute."""
        return places.host_of(self.place, binding, self.filter.model)

    def visit_comparison(self, node: Comparison) -> Condition:
        binding = self.resolve(node.attr_path, compared=True)
        if binding is None:
            return sa.false()
        if binding.sub_field_name is not None and binding.target_is_multivalued:
            raise InvalidFilterException(detail=f"{node.attr_path} has lists inside, which cannot be searched.")
        operand = _operand(binding, node)
        host = self.host(binding)
        if not binding.is_multivalued:
            return self._compared(places.read_binding(host, binding), binding, node.op, operand)
        entries = host.entries(scim_name(binding.model, binding.field_name))
        result = self._any_or_none(entries, binding, node.op, operand)
        wanted = operand if binding.sub_field_name == "value" and node.op == CompareOperator.eq else None
        return self.narrowed(binding, wanted, result)

    def _any_or_none(
        self, entries: Entries | None, binding: AttributeBinding, op: CompareOperator, operand: Any
    ) -> Condition:
        """`ne` asks that no entry is equal; every other operator that one entry matches."""

        def some(operator: CompareOperator, value: Any) -> Condition:
            if entries is None:
                return sa.false()
            return entries.some(
                self._compared(places.read_sub_attribute(entries.entry, binding), binding, operator, value)
            )

        if operand is None and op in (CompareOperator.eq, CompareOperator.ne):
            missing = sa.not_(entries.some(sa.true())) if entries else sa.true()
            unassigned = sa.or_(missing, some(CompareOperator.eq, None))
            return unassigned if op == CompareOperator.eq else sa.not_(unassigned)
        return sa.not_(some(CompareOperator.eq, operand)) if op == CompareOperator.ne else some(op, operand)

    def _compared(self, value: Value, binding: AttributeBinding, op: CompareOperator, operand: Any) -> Condition:
        return compared(value, kind_of(binding.target_type), op, operand, self.dialect)

    def visit_present(self, node: Present) -> Condition:
        binding = self.resolve(node.attr_path)
        if binding is None:
            return sa.false()
        host, name = self.host(binding), scim_name(binding.model, binding.field_name)
        model = cast("type[BaseModel]", binding.field_type)
        if binding.sub_field_name is None:
            return present(host, name, binding.field_type, many=binding.is_multivalued)
        sub, many = scim_name(model, binding.sub_field_name), bool(binding.target_is_multivalued)
        if not binding.is_multivalued:
            return present(host.child(name), sub, binding.sub_field_type, many=many)
        entries = host.entries(name)
        if entries is None:
            return sa.false()
        return entries.some(present(entries.entry, sub, binding.sub_field_type, many=many))

    def visit_value_path(self, node: ValuePath) -> Condition:
        """Does one entry match all of the inner filter?"""
        binding = self.resolve(node.attr_path)
        entries = self.host(binding).entries(scim_name(binding.model, binding.field_name)) if binding else None
        if binding is None or entries is None:
            return sa.false()
        if kind_of(binding.field_type) != "complex":
            return entries.some(_EntryCompiler(entries.entry, binding, self.dialect).visit(node.val_filter))
        inner = parametrize(ScimFilter, binding.field_type)(node.val_filter)
        result = entries.some(_Compiler(inner, entries.entry, self.dialect).visit(inner.ast))
        return self.narrowed(binding, _wanted_value(inner), result)

    def narrowed(self, _binding: AttributeBinding, _wanted: Any, result: Condition) -> Condition:
        """The condition, helped by an index where an entry must have the value that is `wanted`."""
        return result


class _EntryCompiler(_Logic):
    """Conditions on an entry that is no complex value: `value` names the entry itself."""

    def __init__(self, entry: Place, binding: AttributeBinding, dialect: str) -> None:
        self.entry, self.binding, self.dialect = entry, binding, dialect

    def visit_comparison(self, node: Comparison) -> Condition:
        if not _names_value(node.attr_path):
            return sa.false()
        kind = kind_of(self.binding.field_type)
        if kind != "text":
            raise InvalidFilterException(detail="Only lists of texts can be searched by their values.")
        operand = storable(self.binding.comparable(node.value))
        return compared(places.read_sub_attribute(self.entry, self.binding), kind, node.op, operand, self.dialect)

    def visit_present(self, node: Present) -> Condition:
        return places.read_sub_attribute(self.entry, self.binding) != "" if _names_value(node.attr_path) else sa.false()

    def visit_value_path(self, _node: ValuePath) -> Condition:
        return sa.false()


class _RowCompiler(_Compiler):
    """Conditions on a row: what is alike in all rows is asked of the evaluator, and e-mails are found by index."""

    def __init__(
        self, scim_filter: ScimFilter[Any], place: Place, dialect: str, name: str, scope: Condition | None
    ) -> None:
        super().__init__(scim_filter, place, dialect)
        self.is_user, self.scope = name == "User", sa.true() if scope is None else scope

    def visit(self, node: FilterNode) -> Condition:
        if isinstance(node, Comparison | Present | ValuePath):
            binding = self.resolve(node.attr_path)
            if binding is not None and binding.field_name == "schemas" and not self.is_user:
                model = cast(Any, self.filter.model)
                return sa.true() if type(self.filter)(node).match(model()) else sa.false()
        return super().visit(node)

    def visit_logical_expr(self, node: LogicalExpr) -> Condition:
        """Look-ups joined by `or` are one selection each: every one goes through its own index."""
        if node.op == LogicalOperator.and_ or not all(self._looks_up(term) for term in node.terms):
            return super().visit_logical_expr(node)
        key = users.c.n if self.is_user else groups.c.n
        found = [sa.select(key).where(self.scope, self.visit(term)).correlate(None) for term in node.terms]
        return key.in_(sa.union_all(*found))

    def _looks_up(self, node: FilterNode) -> bool:
        if not isinstance(node, Comparison) or node.op != CompareOperator.eq or not node.value:
            return False
        binding = self.resolve(node.attr_path, compared=True)
        if binding is None or binding.model is not self.filter.model or binding.sub_field_name not in (None, "value"):
            return False
        indexed = ("id", "external_id", *(("user_name", "emails") if self.is_user else ("display_name", "members")))
        return binding.field_name in indexed

    def narrowed(self, binding: AttributeBinding, wanted: Any, result: Condition) -> Condition:
        """E-mails are found by index (an empty one is in no index)."""
        if not self.is_user or not wanted or binding.field_name != "emails" or binding.model is not self.filter.model:
            return result
        return sa.and_(self._may_have(wanted), result)

    def _may_have(self, email: str) -> Condition:
        """People whose only address this is, and those of several who have it: two indexes, hence two selections."""
        only = sa.select(users.c.n).where(self.scope, users.c.email_scim == email)
        if self.dialect == "sqlite":  # the very text in the document: no parsing of all that have several
            inside = sa.func.instr(users.c.folded, json.dumps(email, ensure_ascii=False)) > 0
        else:
            wanted = json.dumps({"emails": [{"value": email}]}, ensure_ascii=False)
            inside = users.c.folded.op("@>", is_comparison=True)(sa.cast(sa.literal(wanted, sa.Text), JSONB))
        several = sa.select(users.c.n).where(self.scope, sa.literal_column("users.more_emails"), inside)
        return users.c.n.in_(sa.union_all(only.correlate(None), several.correlate(None)))


# -- Values ---------------------------------------------------------------------


def _names_value(path: AttrPath) -> bool:
    return path.attr.lower() == "value" and path.sub_attr is None and path.uri is None


def _wanted_value(inner: ScimFilter[Any]) -> Any:
    """The value that every entry has which an inner filter selects, if it says so."""
    node = inner.ast
    for term in node.terms if isinstance(node, LogicalExpr) and node.op == LogicalOperator.and_ else (node,):
        if isinstance(term, Comparison) and _names_value(term.attr_path) and term.op == CompareOperator.eq:
            binding = inner.resolve_comparison(term.attr_path, strict=False)
            return _operand(binding, term) if binding else None
    return None


@lru_cache(maxsize=256)
def _adapter(declared: Any) -> TypeAdapter[Any]:
    return TypeAdapter(declared)  # one for an e-mail address takes milliseconds to make


def _operand(binding: AttributeBinding, node: Comparison) -> Any:
    """What the filter compares with, in the form in which values are kept; as `coerce_value` makes it."""
    value = node.value
    if value is not None and node.op not in STRING_OPERATORS and kind_of(binding.target_type) != "complex":
        declared = binding.sub_field_type if binding.sub_field_name else binding.field_type
        try:
            value = _adapter(declared).validate_python(value)
        except ValidationError:
            raise InvalidFilterException(detail=f"{value!r} is no value of {binding.urn}.") from None
    value = binding.comparable(value)
    return b64encode(value).decode() if isinstance(value, bytes) else storable(value)
