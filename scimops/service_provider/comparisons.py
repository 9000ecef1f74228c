"""One value compared in SQL, or asked whether it is there, as scim2-models' evaluator does (RFC 7644 §3.4.2.2)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, cast

import sqlalchemy as sa
from scim2_models import BaseModel, Extension, InvalidFilterException
from scim2_models.path import STRING_OPERATORS, CompareOperator

from scimops.service_provider.attribute_places import Condition, Place, Value, kind_of, scim_name

_LAST_CHARACTER = "\U0010ffff"


def storable(value: Any) -> Any:
    """The value as a database takes it.

    Raises:
        InvalidFilterException: no database holds such a value, or can be asked for it.
    """
    if isinstance(value, str):
        value = str.__str__(value)  # the plain text of an enumeration or reference
    if isinstance(value, str) and ("\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value)):
        raise InvalidFilterException(detail="A text in the filter has characters that no value has.")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
        raise InvalidFilterException(detail="A number in the filter is too large.")
    return value


def compared(value: Value, kind: str, op: CompareOperator, operand: Any, dialect: str) -> Condition:
    """One value against an operand, as the evaluator compares; unknown stands for false, except for `ne`."""
    if operand is None:
        tests: dict[CompareOperator, Callable[[], Condition]] = {
            CompareOperator.eq: lambda: value.is_(None), CompareOperator.ne: lambda: value.is_not(None),
        }  # fmt: skip
        return tests.get(op, sa.false)()
    if op in STRING_OPERATORS:
        return _text_test(value, op, operand, dialect) if kind == "text" and isinstance(operand, str) else sa.false()
    if kind == "moment":
        operand = _utc(operand)
    if kind == "complex" or operand is None:  # a value that equals nothing and has no order
        return sa.true() if op == CompareOperator.ne else sa.false()
    if op == CompareOperator.eq:
        return value == sa.bindparam(None, operand, type_=value.type)
    if op == CompareOperator.ne:
        return sa.or_(value.is_(None), value != sa.bindparam(None, operand, type_=value.type))
    ordered = in_order(value, kind, dialect)
    bound = sa.bindparam(None, operand, type_=value.type)
    tests = {
        CompareOperator.gt: lambda: ordered > bound, CompareOperator.ge: lambda: ordered >= bound,
        CompareOperator.lt: lambda: ordered < bound, CompareOperator.le: lambda: ordered <= bound,
    }  # fmt: skip
    return tests[op]()


def in_order(value: Value, kind: str, dialect: str) -> Value:
    """The value in the order in which Python has it: texts by code points."""
    return sa.collate(value, "C") if kind == "text" and dialect == "postgresql" else value


def _text_test(value: Value, op: CompareOperator, operand: str, dialect: str) -> Condition:
    if not operand:
        return value.is_not(None)
    if op == CompareOperator.co:
        return (sa.func.instr if dialect == "sqlite" else sa.func.strpos)(value, operand) > 0
    if op == CompareOperator.ew:
        ending = sa.func.substr(value, -len(operand)) if dialect == "sqlite" else sa.func.right(value, len(operand))
        return ending == operand
    ordered = in_order(value, "text", dialect)
    begin = operand.rstrip(_LAST_CHARACTER)  # `sw` as a range, so that an index answers it
    if not begin:
        return ordered >= operand
    after = chr(0xE000) if begin[-1] == "\ud7ff" else chr(ord(begin[-1]) + 1)
    return sa.and_(ordered >= operand, ordered < begin[:-1] + after)


def _utc(moment: Any) -> dt.datetime | None:
    """The moment in UTC; None: it has no time zone, and so compares with none."""
    if not isinstance(moment, dt.datetime) or moment.tzinfo is None:
        return None
    try:
        return moment.astimezone(dt.UTC)
    except OverflowError:
        raise InvalidFilterException(detail="A date in the filter is out of range.") from None


def present(owner: Place, name: str, declared: Any, *, many: bool) -> Condition:
    """Has the attribute a value: for a complex one, has one of its sub-attributes (RFC 7644 §3.4.2.2, `pr`)?"""
    if many:
        entries = owner.entries(name)
        return entries.some(_assigned(entries.entry, declared)) if entries else sa.false()
    if name in owner.columns:
        value = owner.columns[name]
        return value != "" if kind_of(declared) == "text" else value.is_not(None)
    return _assigned(owner.child(name), declared)


def _assigned(place: Place, declared: Any) -> Condition:
    kind = kind_of(declared)
    if kind != "complex":
        return place.read(kind) != "" if kind in ("text", "binary") else place.read(kind).is_not(None)
    if issubclass(declared, Extension):
        return place.read("text").is_not(None)  # it always has its schemas
    inside = [
        present(place, scim_name(declared, each), declared.get_field_root_type(each),
                 many=declared.get_field_multiplicity(each))
        for each in cast("type[BaseModel]", declared).model_fields
    ]  # fmt: skip
    return sa.func.coalesce(sa.or_(*inside), sa.false())  # one term: SQLite limits how deep terms nest
