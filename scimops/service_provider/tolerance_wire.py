"""Bytes of a request, read strictly: a body as JSON, a query string as SCIM parameters. Nothing is guessed here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

from scim2_models import InvalidSyntaxException, InvalidValueException, PayloadTooLargeException

from scimops.service_provider.tolerance_filter import normal_filter, qualified
from scimops.service_provider.tolerance_values import CONTROLS

MAX_BODY_BYTES = 16 * 1024 * 1024
"""A group of 50,000 sent whole is 8 to 12 MB (id, name and address of each member)."""

MAX_DEPTH = 32
"""SCIM needs six levels (a PATCH value in an extension's complex attribute); unknown attributes may have some more."""

MAX_INTEGER = 2**63 - 1
"""What a database keeps; SCIM's own attributes have no numbers at all."""

MAX_QUERY_BYTES = 64 * 1024
"""What HTTP servers take as one line; checked again, since a caller may have another server."""

PARAMETERS = {
    name.lower(): name
    for name in ("filter", "sortBy", "sortOrder", "startIndex", "count", "cursor", "attributes", "excludedAttributes")
}
"""The query parameters of RFC 7644 §3.4.2 and §3.9, and the cursor of RFC 9865, by their name in lower case."""

_LARGEST_PAGE = 999_999_999
"""Larger numbers are this one: no list is that long, and a database keeps it."""


def read_json(body: bytes, *, max_depth: int = MAX_DEPTH, max_bytes: int = MAX_BODY_BYTES) -> dict[str, Any]:
    """The object in a request body: JSON (RFC 8259) in UTF-8, a byte order mark accepted.

    Raises:
        InvalidSyntaxException: no JSON object, a name given twice (also in another case), nested too deep.
        InvalidValueException: a control character, half a surrogate pair, a number out of range.
        PayloadTooLargeException: more than `max_bytes` (RFC 7644 §3.12, 413).
    """
    if len(body) > max_bytes:
        raise PayloadTooLargeException(detail=f"the body has {len(body)} bytes, {max_bytes} are taken")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidSyntaxException(detail=f"the body is not UTF-8 at byte {error.start}") from None
    try:
        found = json.loads(
            text, object_pairs_hook=_object, parse_int=_integer, parse_float=_number, parse_constant=_no_number
        )
    except json.JSONDecodeError as error:
        detail = f"the body is not JSON: {error.msg}, line {error.lineno} column {error.colno}"
        raise InvalidSyntaxException(detail=detail) from None
    except RecursionError:
        raise InvalidSyntaxException(detail=_too_deep(max_depth)) from None
    if not isinstance(found, dict):
        raise InvalidSyntaxException(detail="the body must be a JSON object")
    _check(found, max_depth)
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names differ by more than their case (RFC 7643 §2.1)."""
    found = dict(pairs)
    if len({name.lower() for name in found}) < len(pairs):
        raise InvalidSyntaxException(detail="an object of the body has the same name twice (case does not count)")
    return found


def _integer(digits: str) -> int:
    """An integer that a database can keep; the length is looked at first, since converting takes its square."""
    if len(digits) > len(str(MAX_INTEGER)) + 1 or abs(int(digits)) > MAX_INTEGER:
        raise InvalidValueException(detail="a number of the body is too large")
    return int(digits)


def _number(digits: str) -> float:
    """A finite number."""
    found = float(digits)
    if found in (float("inf"), float("-inf")):
        raise InvalidValueException(detail="a number of the body is too large")
    return found


def _no_number(name: str) -> Any:
    """NaN and Infinity are no JSON, though Python reads them."""
    raise InvalidSyntaxException(detail=f"{name} is not JSON")


def _too_deep(limit: int) -> str:
    return f"the body is nested deeper than {limit} levels"


def _check(found: Any, max_depth: int) -> None:
    """Refuses what is too deep, and texts with control characters."""
    level: list[Any] = [found]
    for _ in range(max_depth):
        level = [inner for outer in level for inner in _inside(outer) if isinstance(inner, dict | list)]
        if not level:
            return
    raise InvalidSyntaxException(detail=_too_deep(max_depth))


def _inside(container: dict[str, Any] | list[Any]) -> Iterator[Any]:
    """The values in a container; its texts are looked at on the way."""
    for value in (*container, *container.values()) if isinstance(container, dict) else container:
        if isinstance(value, str) and CONTROLS.search(value):
            raise InvalidValueException(detail="a text of the body has a control character or half a surrogate pair")
        yield value


def normal_query(query_string: bytes) -> dict[str, str]:
    """The SCIM parameters of a query string, under the names of RFC 7644 whatever their case; others are left out.

    A parameter given twice is refused unless both say the same: whichever is read, the answer would be about other
    people than one of them asks for. Where spaces are written `%20`, a plus is a plus (RFC 3986); else it is a space,
    as HTML forms and OneLogin write it: so `userName%20eq%20"a+b@x.com"` finds its person.

    Raises:
        InvalidSyntaxException: not UTF-8, too long, or a parameter twice.
        InvalidValueException: a control character, or `startIndex` or `count` is no integer.
        InvalidFilterException: the filter is empty, too long or nested too deep.
    """
    if len(query_string) > MAX_QUERY_BYTES:
        raise InvalidSyntaxException(detail=f"the query has {len(query_string)} bytes, {MAX_QUERY_BYTES} are taken")
    found: dict[str, str] = {}
    for piece in query_string.split(b"&"):
        key, _, raw = piece.partition(b"=")
        name = PARAMETERS.get(_decoded(key).strip().lower())
        if name is None:
            continue
        text = _decoded(raw).strip()
        value = normal_filter(text) if name == "filter" else _parameter(name, text)
        if found.setdefault(name, value) != value:
            raise InvalidSyntaxException(detail=f"the query has {name} twice, with different values")
    return {name: value for name, value in found.items() if value or name == "cursor"}


def _decoded(raw: bytes) -> str:
    """A name or value of a query string as text."""
    if b"%20" not in raw and b" " not in raw:
        raw = raw.replace(b"+", b" ")
    try:
        text = unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidSyntaxException(detail="the query is not UTF-8") from None
    if CONTROLS.search(text):
        raise InvalidValueException(detail="the query has a control character")
    return text


def _parameter(name: str, text: str) -> str:
    """The value of a parameter other than the filter; a blank one is as if it were not there."""
    if name in ("startIndex", "count") and text:
        if not re.fullmatch(r"[+-]?[0-9]+", text):
            raise InvalidValueException(detail=f"{name} must be an integer")
        digits = text.lstrip("+-").lstrip("0") or "0"
        number = int(digits) if len(digits) <= len(str(_LARGEST_PAGE)) else _LARGEST_PAGE
        return str(-number if text[0] == "-" else number)
    if name == "sortOrder":
        return text.lower()
    if name == "sortBy":
        return qualified(text)
    if name in ("attributes", "excludedAttributes"):
        return ",".join(qualified(one.strip()) for one in _without_filters(text).split(",") if one.strip())
    return text


def _without_filters(names: str) -> str:
    """Attribute names without value filters: Entra's reference code asks for `attributes=emails[type eq "work"]`."""
    return re.sub(r'\[(?:[^\]"]|"[^"]*")*\]', "", names)
