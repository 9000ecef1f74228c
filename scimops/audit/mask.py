"""A mask over an audit: names, addresses and ids replaced by a keyed hash, so that rows still join.

The same value gives the same mask in every column, sheet and audit that is made with the same key, and nobody without
the key can make it (HMAC-SHA256, RFC 2104). Row numbers stay: who has the export can look a person up by them.
"""

from __future__ import annotations

import hmac
import json
import re
from typing import TYPE_CHECKING, Any

import polars as pl

from scimops.audit.frames import COVERAGE, DRIFTED, JOINED, RECONCILED
from scimops.credentials import CredentialError, resolve
from scimops.grouping import group_key, usable_email

if TYPE_CHECKING:
    from scimops.tokens import Secret

SHORTEST_KEY = 16
"""Characters of a key: who could guess it could try out addresses."""

GROUPS = ("group", "wanted", "held", "department", "group_key", "from_group", "to_group", "what")
"""Columns with names of groups: masked where a group has the name of a person."""

_SCHEMAS = (COVERAGE, RECONCILED, JOINED, DRIFTED)
_WORDS = ("code", "level", "first", "last", "source", "operation", "outcome", "at", "day", "change",
          "from_reason", "to_reason")  # fmt: skip
PLAIN = frozenset(
    {column.name for schema in _SCHEMAS for column in schema.columns if not column.personal} | {*_WORDS}
) - {*GROUPS, "before", "after"}
"""Columns of text that hold words of ours, times and names of files. Every other column of text is masked."""

_TIME = re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]+Z?)?")
_PREFIX = "m-"


class Mask:
    """Replaces what names a person; `groups` are the keys of groups that are named after one."""

    def __init__(self, key: Secret, groups: frozenset[str] = frozenset()) -> None:
        self._key = key.reveal().encode()
        self._groups = groups

    def __repr__(self) -> str:
        return "Mask(***)"

    @property
    def fingerprint(self) -> str:
        """What tells that two audits were masked with one key, and nothing about the key."""
        return self.of("scimops: fingerprint of the key of a mask")

    def of(self, value: str) -> str:
        """The mask of a value: 16 hexadecimal digits behind `m-`."""
        return _PREFIX + hmac.digest(self._key, value.encode("utf-8", "surrogatepass"), "sha256").hex()[:16]

    def group(self, names: str) -> str:
        """Names of groups, joined with line feeds; those that are named after a person masked."""
        return "\n".join(self.of(name) if self._personal(name) else name for name in names.split("\n"))

    def frame(self, frame: pl.DataFrame) -> pl.DataFrame:
        """`frame` with every column of text masked but :data:`PLAIN`; JSON keeps its keys."""
        return frame.with_columns(
            self._column(frame[name]) for name, kind in frame.schema.items()
            if kind in (pl.String, pl.List(pl.String)) and name not in PLAIN
        )  # fmt: skip

    def _column(self, values: pl.Series) -> pl.Series:
        mask = self.group if values.name in GROUPS else self._before if values.name in ("before", "after") else self.of
        if values.dtype == pl.List(pl.String):
            lists = [one if one is None else [mask(text) for text in one] for one in values.to_list()]
            return pl.Series(values.name, lists, dtype=values.dtype)
        return pl.Series(values.name, [None if text is None else mask(text) for text in values.to_list()], pl.String)

    def _before(self, text: str) -> str:
        """Values in JSON, or a time: columns of both kinds have these names."""
        if text[:1] == "{":
            return json.dumps(self._json(json.loads(text)), ensure_ascii=False, separators=(",", ":"))
        return text if _TIME.fullmatch(text) else self.of(text)

    def _json(self, value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: self._json(inner, key) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._json(inner, name) for inner in value]
        if value is None or isinstance(value, bool):
            return value
        return self.group(str(value)) if name in GROUPS else self.of(str(value))

    def _personal(self, name: str) -> bool:
        return group_key(name) in self._groups or usable_email(name.strip())


def mask_key(reference: str) -> Secret:
    """The key of a mask, by its reference, such as `env:SCIMOPS_MASK_KEY`.

    Raises:
        CredentialError: it is not there, or too short.
    """
    key = resolve(reference)
    if len(key.reveal()) < SHORTEST_KEY:
        raise CredentialError(
            f"The key of a mask has at least {SHORTEST_KEY} characters.", where=reference,
            advice="Make one: openssl rand -hex 32. Keep it: rows of later audits join only with the same key.",
        )  # fmt: skip
    return key
