"""Which words tell of a person, and how a line of the provisioning log is written without them.

The words are the resource id, userName, e-mail addresses and externalId that a person has, and those that the log says
they had. A line about the person's own resource loses every value. In any other line the words go; with them all
values of a query that has one, and of a bulk request's line all values of people: nothing says whose each is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from scimops.grouping import identity_key
from scimops.service_provider.database import loaded

ERASED = "erased"

SHORT = 8
"""A word of fewer characters, or without any digit or @, counts only where such words stand: it may mean anything."""

_IDENTITY = re.compile(r"(?:.*:)?(?:userName|externalId|emails(?:\[.*\])?(?:\.value)?)", re.DOTALL)
_NAMING = re.compile(r"(?:.*:)?(?:name\.|displayName|nickName|phoneNumbers|ims|photos|profileUrl|employeeNumber)")
_ASKS_WHO = re.compile(r"userName|externalId|emails|manager|members|\bid\b", re.IGNORECASE)
_QUOTED = re.compile(r"""(["'])((?:(?!\1)[^\\]|\\.)*)\1""")
_COLUMNS = ("resource_id", "query", "detail", "changes", "moves")


def is_identity(attribute: str) -> bool:
    """Does the attribute, as the log writes it, hold a userName, an externalId or an e-mail address?"""
    return _IDENTITY.fullmatch(attribute) is not None


def is_naming(attribute: str) -> bool:
    """Does the attribute name a person without telling people apart, as a name or a phone number does?"""
    return _NAMING.match(attribute) is not None


def texts(*values: Any) -> Iterator[str]:
    """Every text in JSON values."""
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, (list, dict)):
            yield from texts(*(value if isinstance(value, list) else value.values()))


def may_hold(words: Collection[str], *columns: Any) -> bool:
    """May one of the `words` (as :func:`identity_key` writes them) be in these columns? A quick no for most lines."""
    raw = "\n".join(str(column) for column in columns if column is not None)
    if "\\" in raw or not raw.isascii():  # escapes and letters that have several forms are looked at properly
        return True
    raw = raw.lower()
    return any(word in raw for word in words)


@dataclass
class Traces:
    """The words that tell of one person."""

    ids: frozenset[str]
    names: frozenset[str]
    facts: frozenset[tuple[str, str]] = frozenset()
    """Attribute and value of what names the person without telling people apart."""

    def __post_init__(self) -> None:
        words = self.ids | self.names
        self.keys = {identity_key(word[:end]) for word in words for end in (None, 40)}  # the log cuts ids at 40
        self.words = self.keys | {identity_key(text) for _, text in self.facts}
        telling = {word for word in self.names if "@" in word or (len(word) >= SHORT and re.search(r"\d", word))}
        escaped = "|".join(sorted(map(re.escape, self.ids | telling), key=len, reverse=True))
        self.pattern = re.compile(rf"(?<![\w.+-])(?:{escaped or '(?!)'})(?![\w-]|\.\w)", re.IGNORECASE)

    def clean(self, text: str | None) -> str | None:
        """A text with the words replaced, also between quotation marks."""
        return None if text is None else self.pattern.sub(ERASED, _QUOTED.sub(self._quoted, text))

    def clean_query(self, text: str | None) -> str | None:
        """A filter with all its values replaced, once it asks for the person."""
        if text is None:
            return None
        plain = _unescaped(text)
        quoted = any(self._is_one(inner) for _, inner in _QUOTED.findall(plain)) and _ASKS_WHO.search(plain)
        if not quoted and not self.pattern.search(plain):
            return text
        return self.pattern.sub(ERASED, _QUOTED.sub(rf"\1{ERASED}\1", plain))

    def without(self, value: Any, *, exact: bool) -> Any:
        """A JSON value, each text in it that tells of the person replaced; `exact`: this is where such words stand."""
        if isinstance(value, str):
            return ERASED if self.pattern.search(value) or (exact and self._is_one(value)) else value
        if isinstance(value, list):
            return [self.without(item, exact=exact) for item in value]
        if isinstance(value, dict):
            return {key: self.without(inner, exact=exact) for key, inner in value.items()}
        return value

    def changed(self, row: Any) -> dict[str, Any]:
        """The columns of a line of the provisioning log that must change, with their new values."""
        old = {name: getattr(row, name) for name in _COLUMNS}
        if not may_hold(self.words, *old.values()):
            return {}
        changes, moves = (loaded(old[name]) or [] for name in ("changes", "moves"))
        own = row.resource_id is not None and self._is_one(row.resource_id)
        new_moves, bulk = self.without(moves, exact=False), row.resource_id is None
        if own or (bulk and (new_moves != moves or any(map(self._tells_who, changes)))):
            new_changes = [_blank(change) for change in changes]
        else:
            new_changes = [self._change(change, bulk=bulk) for change in changes]
        new = {
            "resource_id": ERASED if own else row.resource_id, "query": self.clean_query(row.query),
            "detail": self.clean(row.detail),
            "changes": json.dumps(new_changes, ensure_ascii=False) if new_changes != changes else old["changes"],
            "moves": json.dumps(new_moves, ensure_ascii=False) if new_moves != moves else old["moves"],
        }  # fmt: skip
        return {name: value for name, value in new.items() if value != old[name]}

    def _is_one(self, text: str) -> bool:
        return identity_key(text) in self.keys

    def _quoted(self, found: re.Match[str]) -> str:
        return f"{found[1]}{ERASED}{found[1]}" if self._is_one(found[2]) else found[0]

    def _tells_who(self, change: dict[str, Any]) -> bool:
        return is_identity(change["attribute"]) and self._change(change, bulk=False) != change

    def _change(self, change: dict[str, Any], *, bulk: bool) -> dict[str, Any]:
        attribute, said = change["attribute"], set(texts(change["old"], change["new"]))
        manager = "manager" in attribute
        if bulk and any((attribute, text) in self.facts for text in said):
            return _blank(change)
        if manager and said & {text for _, text in self.facts}:
            return _blank(change)
        exact = manager or is_identity(attribute)
        return {
            **change,
            "old": self.without(change["old"], exact=exact),
            "new": self.without(change["new"], exact=exact),
        }


def _blank(change: dict[str, Any]) -> dict[str, Any]:
    return {**change, **{name: ERASED for name in ("old", "new") if change[name] is not None}}


def _unescaped(text: str) -> str:
    """A filter may write any letter as a JSON escape."""
    return re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
