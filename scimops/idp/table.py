"""What every reader gives: a table of strings with true row and line numbers, and what it could not read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import polars as pl

ROW, LINE = "@row", "@line"
"""The two columns that every table has in front of those of the file."""

TEXTS_KEPT = 1000
"""Of how many rejected rows the text is kept (the first ones); row, line and reason are kept of all."""


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A data record that could not be read: its number, its line, why, and the beginning of its text."""

    row: int
    line: int | None
    reason: str
    text: str


@dataclass
class Table:
    """A file as strings.

    `scan(headers)` gives these columns of all readable records as strings (or lists of strings), with `@row` and
    `@line` in front; what is made of it is worked out while it is read. `rows` counts all data records, the rejected
    ones included.
    `controls` is false where no control character but tab and line ends can be in it, `breaks` where none at all can
    be. `total`, `next_page` and `broken` are what a page
    says of its own completeness; `wrapper` are the keys that it keeps its records among.
    `recording` are the counts of a recording of a rehearsal: requests, who was deleted or refused, and so on.
    """

    headers: list[str]
    rows: int
    scan: Callable[[Sequence[str]], pl.LazyFrame]
    encoding: str
    delimiter: str | None = None
    rejected: list[RejectedRow] = field(default_factory=list)
    kind: str = "csv"
    controls: bool = True
    breaks: bool = True
    total: int | None = None
    next_page: bool = False
    broken: str = ""
    wrapper: list[str] = field(default_factory=list)
    recording: dict[str, int] | None = None

    def read(self, headers: Sequence[str]) -> pl.DataFrame:
        """These columns as they are."""
        return self.scan(headers).collect()


_PASSWORD = re.compile(
    r"pass ?(word|wd|wort|phrase|code)|^pass$|\bpwd\b|kennwort|wachtwoord|contrase|mot de passe|\bsenha|\bşifre|\bsifre"
    r"|пароль|密码|パスワード|\bsecret\b|\bsalt\b|recovery (question|answer)"
)
_ABOUT_PASSWORDS = re.compile(
    r"chang|expir|never|last|polic|\b(date|days?)\b|time ?stamp|\btime$|updated at|status|method|require[sd]? at"
    r"|next sign"
)


@lru_cache(maxsize=4096)
def is_password(header: str) -> bool:
    """Does this column hold passwords or their like? Such a column is dropped before anything reads it."""
    spaced = _spaced(header)
    return bool(_PASSWORD.search(spaced)) and not _ABOUT_PASSWORDS.search(spaced)


def mentions_password(text: str) -> bool:
    """May this text hold a password? Then it is not shown."""
    return bool(_PASSWORD.search(_spaced(text)))


def _spaced(text: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[._\-]+", " ", text).lower()


def unique_headers(names: Sequence[str]) -> list[str]:
    """Header names as given, trimmed; an empty one becomes `column N`, a repeated one `NAME (N)`."""
    seen = {ROW: 1, LINE: 1}
    for number, name in enumerate(names, 1):
        base = name.strip().strip("\ufeff").strip() or f"column {number}"
        unique = base
        while unique in seen:
            seen[base] += 1
            unique = f"{base} ({seen[base]})"
        seen[unique] = 1
    return list(seen)[2:]


class Rejects:
    """Collects rejected rows; of long or many ones only the beginning of the text is kept."""

    def __init__(self, hide_text: bool = False) -> None:
        self.rows: list[RejectedRow] = []
        self._hide = hide_text

    def add(self, row: int, line: int | None, reason: str, text: str) -> None:
        """Note one row."""
        if self._hide:
            text = "(not shown: the file has a password column)"
        kept = text[:200].encode("utf-8", "replace").decode() if len(self.rows) < TEXTS_KEPT else ""
        self.rows.append(RejectedRow(row, line, reason, kept))


def empty_frame(headers: Sequence[str]) -> pl.DataFrame:
    """No records, with these columns."""
    return pl.DataFrame(schema={ROW: pl.Int64, LINE: pl.Int64} | dict.fromkeys(headers, pl.String))
