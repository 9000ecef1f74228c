"""Filters and the filters in paths, as identity providers write them, in the grammar of RFC 7644 §3.4.2.2."""

from __future__ import annotations

import json
import re

from scim2_models import InvalidFilterException, InvalidValueException

from scimops.attributes import ENTERPRISE
from scimops.service_provider.tolerance_values import (
    ATTRIBUTES,
    BOOLEANS,
    CONTROLS,
    ENTERPRISE_NAMES,
    Attribute,
    Table,
)

MAX_FILTER_LENGTH = 8 * 1024
"""A hundred ids joined by `or` are 5 KB; no identity provider is known to send more than one condition or two."""

MAX_FILTER_DEPTH = 20
"""Brackets and parentheses; a person writes three."""

OPERATORS = frozenset({"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"})

_NAMES: Table = {"id": Attribute("id", "string"), **ENTERPRISE_NAMES, **ATTRIBUTES["Group"], **ATTRIBUTES["User"]}
_TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<text>"(?:[^"\\]|\\.)*"|'[^']*'(?=[\s)\]]|$))|(?P<mark>[()\[\]])|(?P<word>[^\s()\[\]"]+)|\"""",
    re.DOTALL,
)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


def qualified(name: str) -> str:
    """An attribute name with the enterprise URN where it is one of that extension (`department`, `managerId`)."""
    head, dot, sub = name.partition(".")
    lower = head.lower()
    if lower not in ENTERPRISE_NAMES or lower in ATTRIBUTES["User"]:
        return name
    return f"{ENTERPRISE}:{ENTERPRISE_NAMES[lower].name}{dot}{sub}"


def normal_filter(text: str, within: Attribute | None = None) -> str:
    """A filter in the grammar of RFC 7644 §3.4.2.2; what is wrong otherwise stays for scim2-models to refuse.

    Values without quotes (`externalId eq jyoung` in Microsoft's documentation) and in single quotes become strings,
    strings for a boolean become true or false, names of the enterprise extension get their URN (Entra's
    `manager eq ID`), and `emails[type eq "work"] pr` loses its `pr`, which says nothing more. A value without quotes
    ends at the first space: nothing is made of two words.

    `within`: the filter stands in the brackets of this attribute.

    Raises:
        InvalidFilterException: empty, too long, nested too deep, or a quotation mark is never closed.
        InvalidValueException: it has a control character, or a string in it hides one.
    """
    if not text.strip():
        raise InvalidFilterException(detail="the filter is empty")
    if len(text) > MAX_FILTER_LENGTH:
        raise InvalidFilterException(detail=f"the filter has {len(text)} characters, {MAX_FILTER_LENGTH} are taken")
    if CONTROLS.search(text):
        raise InvalidValueException(detail="the filter has a control character")
    writer = _Writer(within)
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind is None:
            raise InvalidFilterException(detail="a quotation mark of the filter is never closed")
        writer.take(kind, match.group())
    return "".join(writer.written).strip()


class _Writer:
    """Writes a filter anew, token by token; knows whether a name, an operator or a value must come next."""

    def __init__(self, within: Attribute | None) -> None:
        self.written: list[str] = []
        self.scope = within
        self.attribute: Attribute | None = None
        self.named = False
        self.comparing = False
        self.depth = 0

    def take(self, kind: str, token: str) -> None:
        """Writes one token."""
        lower = token.lower()
        if kind == "space":
            self.written.append(" ")
        elif kind == "mark":
            self._mark(token)
        elif self.comparing:
            self.written.append(_literal(token, self.attribute))
            self.named = self.comparing = False
        elif self.named and lower in OPERATORS:
            self._operator(lower)
        elif self.named and lower == "pr":
            self._present()
        elif lower in ("and", "or", "not"):
            self.written.append(lower)
            self.named = False
        else:
            self._name(token)

    def _mark(self, mark: str) -> None:
        self.depth += 1 if mark in "([" else -1
        if self.depth > MAX_FILTER_DEPTH:
            raise InvalidFilterException(detail=f"the filter is nested deeper than {MAX_FILTER_DEPTH} levels")
        if mark == "[":
            self.scope, self.named = self.attribute or Attribute("", "unknown"), False
        elif mark == "]":
            self.attribute, self.scope, self.named = self.scope, None, True
        self.comparing = False
        self.written.append(mark)

    def _operator(self, lower: str) -> None:
        if self.attribute is not None and self.attribute.name == "manager":
            self.written[-2 if self.written[-1] == " " else -1] += ".value"
            self.attribute = self.attribute.subs["value"]
        self.written.append(lower)
        self.comparing = True

    def _present(self) -> None:
        if "".join(self.written[-2:]).strip()[-1:] != "]":
            self.written.append("pr")
        self.named = False

    def _name(self, token: str) -> None:
        self.named = True
        head, _, sub = token.rpartition(":")[2].lower().partition(".")
        if not head:  # `.value` behind a bracket
            self.attribute = self.attribute.subs.get(sub) if self.attribute else None
        else:
            found = (self.scope.subs if self.scope else _NAMES).get(head)
            self.attribute = found.subs.get(sub) if found and sub else found
        self.written.append(token if self.scope or not head else qualified(token))


def _literal(token: str, attribute: Attribute | None) -> str:
    """A value to compare with, as JSON."""
    if attribute is not None and attribute.kind == "complex":
        attribute = attribute.subs.get("value")  # what a comparison with the whole compares (RFC 7643 §2.4)
    kind = attribute.kind if attribute else "unknown"
    quoted = len(token) > 1 and token[0] in "\"'" and token[-1] == token[0]
    inner = token[1:-1] if quoted else token
    if kind == "boolean" and inner.lower() in BOOLEANS:
        return inner.lower()
    if quoted and token[0] == '"':
        _check_text(token)
        return token
    if not quoted and (inner.lower() == "null" or (kind != "string" and _is_constant(inner))):
        return inner.lower()
    return json.dumps(inner, ensure_ascii=False)


def _is_constant(word: str) -> bool:
    """Whether a word is a JSON number, true or false."""
    return word.lower() in BOOLEANS or bool(_NUMBER.fullmatch(word))


def _check_text(token: str) -> None:
    """Refuses a JSON string in which an escape hides a control character."""
    if "\\" not in token:
        return
    try:
        text = json.loads(token)
    except ValueError:
        return  # scim2-models says where it is wrong
    if CONTROLS.search(text):
        raise InvalidValueException(detail="a string of the filter has a control character")
