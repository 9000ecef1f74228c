"""Exceptions of an audit: findings that somebody accepted, until a day, in a file that people review and version.

.. code-block:: yaml

    format: 1
    exceptions:
      - person: svc-*@example.com     # userName, e-mail address or externalId; * stands for any text
        status: not_ours              # or a cause, such as auto_enrol_off
        owner: Ada Admin
        reason: Service accounts of the telephone system.
        until: 2027-03-31             # the last day on which it counts
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import translate
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import polars as pl
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from scimops.audit.causes import CAUSES
from scimops.audit.items import STATUSES
from scimops.errors import nearest
from scimops.findings import Code, Finding, finding
from scimops.grouping import REASONS, identity_key
from scimops.setting import Text
from scimops.yaml_documents import line_of, load_document, parse_yaml, read_text

State = Literal["in_force", "ended", "matches_nothing"]

EXCEPTION_CATALOGUE: Mapping[str, Code] = {
    "exception_ended": Code(
        "warning",
        "{count:exception has|exceptions have} ended, and what was accepted counts again: {lines}.",
        "Solve what was accepted, or agree on a new end date with the owner.",
        {"lines": "line 3 (2026-10-31)"},
    ),
    "exception_idle": Code(
        "info",
        "{count:exception matches|exceptions match} nothing: {lines}.",
        "Take out what is solved; where it is not, look at the person, cause or status there.",
        {"lines": "line 9"},
    ),
}
"""What an audit finds of the exceptions themselves."""

_KEYS = ("userName", "email", "externalId")
_LINES_SHOWN = 10


def _day(value: object) -> object:
    """A day in quotes is a day as well."""
    try:
        return dt.date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("is no day; such is 2027-03-31") from None


class Entry(BaseModel):
    """One exception: whose findings, with which cause or status, are accepted by whom, why and until when."""

    model_config = ConfigDict(extra="forbid", strict=True)

    person: Text = Field(description="userName, e-mail address or externalId; * stands for any text")
    cause: Text | None = Field(None, description="why a link is missing, such as auto_enrol_off")
    status: Text | None = Field(None, description="how both sides differ, such as not_ours; lost: whatever the cause")
    owner: Text = Field(description="who answers for it")
    reason: Text = Field(description="why it is accepted")
    until: Annotated[dt.date, BeforeValidator(_day)] = Field(description="the last day on which it counts")

    @field_validator("cause")
    @classmethod
    def _is_cause(cls, value: str | None) -> str | None:
        return _known(value, CAUSES | REASONS, "cause")

    @field_validator("status")
    @classmethod
    def _is_status(cls, value: str | None) -> str | None:
        return _known(value, STATUSES, "status")

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.cause is None) == (self.status is None):
            raise ValueError("needs exactly one of cause and status")
        return self

    def finds(self, items: pl.DataFrame) -> pl.Expr:
        """An expression that is true for each of `items` (schema `items`) that this one accepts."""
        kind = pl.col("cause") == self.cause if self.cause else pl.col("status") == self.status
        names = {text for key in _KEYS for text in items.filter(kind)[key].drop_nulls().unique()}
        fits = re.compile(translate(identity_key(self.person)))
        fitting = [name for name in names if fits.match(identity_key(name))]
        whose = pl.any_horizontal(pl.col(key).is_in(fitting) for key in _KEYS)
        return (kind & whose).fill_null(False)


class Exceptions(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    format: Literal[1]
    exceptions: list[Entry]


def _known(value: str | None, words: Mapping[str, Any], kind: str) -> str | None:
    if value is not None and value not in words:
        raise ValueError(f'is "{value}", which is no {kind} of an audit. {nearest(value, words)}'.strip())
    return value


@dataclass(frozen=True)
class Agreed:
    """An exception in use: in which line it begins, whether it counts, how many findings of people it accepts."""

    line: int
    entry: Entry
    state: State
    people: int


def load_exceptions(path: str | Path) -> list[tuple[int, Entry]]:
    """The exceptions in the YAML file `path`, each with the line in which it begins.

    Raises:
        SettingError: there is no such file, or something in it is wrong: says the line and what is allowed.
    """
    entries = load_document(path, Exceptions).exceptions
    document = parse_yaml(read_text(Path(path)), str(path))
    return [(line_of(document, ["exceptions", number]), entry) for number, entry in enumerate(entries)]


def accept(
    items: pl.DataFrame, entries: list[tuple[int, Entry]], today: dt.date
) -> tuple[pl.DataFrame, list[Agreed]]:  # fmt: skip
    """`items` with `exception` (line of the first exception that accepts it; null = none), and what became of each."""
    agreed: list[Agreed] = []
    items = items.with_columns(exception=pl.lit(None, pl.Int64))
    for line, entry in entries:
        if entry.until < today:
            agreed.append(Agreed(line, entry, "ended", 0))
            continue
        fits = items.select(entry.finds(items)).to_series()
        agreed.append(Agreed(line, entry, "in_force" if fits.any() else "matches_nothing", int(fits.sum())))
        items = items.with_columns(exception=pl.when(fits).then(pl.coalesce("exception", pl.lit(line)))
                                   .otherwise("exception"))  # fmt: skip
    return items, agreed


def find(agreed: list[Agreed]) -> list[Finding]:
    """What is to be known of the exceptions: which have ended, which match nothing."""
    codes: dict[State, str] = {"ended": "exception_ended", "matches_nothing": "exception_idle"}
    found = []
    for state, code in codes.items():
        some = [one for one in agreed if one.state == state]
        lines = ", ".join(
            f"line {one.line}" + (f" ({one.entry.until})" if state == "ended" else "") for one in some[:_LINES_SHOWN]
        )
        more = f" and {len(some) - _LINES_SHOWN:,} more" if len(some) > _LINES_SHOWN else ""
        if some:
            found.append(finding(code, count=len(some), catalogue=EXCEPTION_CATALOGUE, lines=lines + more))
    return found
