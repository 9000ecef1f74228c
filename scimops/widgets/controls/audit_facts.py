"""The list to work on: everybody about whom something is to be done, with where, why and what to do in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from scimops.audit.causes import LINKS
from scimops.audit.items import STATUSES
from scimops.present.audit_words import WHY, advice

if TYPE_CHECKING:
    from scimops.audit.report import Report

NOT_WORK: Final = ("not_ours",)
"""Found, and nobody has to do anything about it."""

_KEYS = ("userName", "email", "externalId")


@dataclass(frozen=True)
class Work:
    """One kind of thing to be done for `people` (schema of :mod:`scimops.audit.items`): where and why in words."""

    code: str
    where: str
    why: str
    advice: str
    people: pl.DataFrame

    @property
    def title(self) -> str:
        """It in a few words."""
        return self.where if self.code in STATUSES else self.why


def work(report: Report) -> list[Work]:
    """What is to be worked on, the most pressing first; each person stands in one of it for each thing to be done.

    What an exception accepts is left out.
    """
    items = report.open.filter(~pl.col("code").is_in(NOT_WORK))
    parts = items.group_by("code", "status", "lost_at", "cause", maintain_order=True)
    return [
        Work(str(code), _where(str(status), lost_at), WHY.get(str(cause), str(cause)) if cause else "",
             advice(str(code)), people)
        for (code, status, lost_at, cause), people in parts
    ]  # fmt: skip


def _where(status: str, lost_at: object) -> str:
    return f"not so: {LINKS[str(lost_at)]}" if lost_at else STATUSES.get(status, "cannot be told")


def found(works: list[Work], words: str, code: str) -> list[Work]:
    """The same with the people in whom `words` stand (keys, evidence), of one code; empty is all."""
    wanted = words.strip().lower()
    hit = pl.any_horizontal(
        pl.col(name).str.to_lowercase().str.contains(wanted, literal=True).fill_null(False)
        for name in (*_KEYS, "evidence")
    )
    some = [
        Work(one.code, one.where, one.why, one.advice, one.people.filter(hit) if wanted else one.people)
        for one in works
        if code in ("", one.code)
    ]
    return [one for one in some if one.people.height]
