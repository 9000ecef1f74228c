"""What is told of an audit: its findings less the exceptions, against the last audit, masked where that is wanted.

Every table, page, workbook and document is made from a :class:`Report`, and from nothing else: what a mask covers is
covered in all of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from scimops.audit import doubts, exceptions
from scimops.audit.audit import Audit, Question
from scimops.audit.catalogue import AUDIT_CATALOGUE, found
from scimops.audit.exceptions import EXCEPTION_CATALOGUE, Agreed, Entry
from scimops.audit.items import items_of
from scimops.audit.logs.problems import CATALOGUE as LOG_CATALOGUE
from scimops.audit.since_last import About, SinceLast
from scimops.errors import UsageError, nearest
from scimops.findings import LEVELS, Finding, Level

if TYPE_CHECKING:
    from scimops.audit.mask import Mask

CODES = (*AUDIT_CATALOGUE, *EXCEPTION_CATALOGUE, *LOG_CATALOGUE, *doubts.CODES, "export_not_older", "older_audit",
         "runs_missing")  # fmt: skip
"""The codes that a finding of an audit may have."""


@dataclass(frozen=True)
class Report:
    """What is told of an audit.

    `questions`: those of every audit, then those `asked` beyond. `items`: findings person by person (schema `items`),
    with `exception` (line of the exception that accepts it) and, against a last audit, `since` and `new`. `findings`
    count what is not accepted. `agreed`: the exceptions; None where there is no file of them. `last`: None where
    nothing is kept between audits.
    """

    audit: Audit
    questions: list[Question]
    asked: list[Question]
    items: pl.DataFrame
    findings: list[Finding]
    agreed: list[Agreed] | None
    last: SinceLast | None
    masked: bool

    @property
    def accepted(self) -> pl.DataFrame:
        """The items that an exception accepts."""
        return self.items.filter(pl.col("exception").is_not_null())

    @property
    def open(self) -> pl.DataFrame:
        """The items that nobody accepted."""
        return self.items.filter(pl.col("exception").is_null())

    def to_dict(self) -> dict[str, Any]:
        """What `scimops audit --json` prints (schema `audit`)."""
        facts = ("name", "title", "about", "source", "how", "population", "totals")
        questions: list[dict[str, Any]] = []
        for one in self.questions:
            questions.append({name: getattr(one, name) for name in facts})
            if any(one is other for other in self.asked):  # those of every audit have their people in `people`
                questions[-1]["rows"] = one.answer.with_columns(pl.col(pl.Date).cast(pl.String)).to_dicts()
        return self.audit.to_dict() | {
            "masked": self.masked, "findings": [one.to_dict() for one in self.findings], "questions": questions,
            "people": self.items.to_dicts(),
            "exceptions": None if self.agreed is None else [_agreed(one) for one in self.agreed],
            "since_last": None if self.last is None else {
                "last": self.last.last, "new": self.last.new, "still": self.last.still,
                "solved": self.last.solved.to_dicts(), "untold": self.last.untold.to_dicts(),
            },
        }  # fmt: skip


def about(audit_setting: str, *, people: bool, mask: Mask | None) -> About:
    """Whom an audit asks about; `people`: a list of employees is the population."""
    return About(
        setting=audit_setting, population="hr" if people else "idp", mask=mask.fingerprint if mask else None
    )  # fmt: skip


def report_of(
    audit: Audit, *, entries: list[tuple[int, Entry]] | None = None, mask: Mask | None = None,
    asked: Sequence[Question] = (),
) -> Report:  # fmt: skip
    """What is told of `audit`, compared with no other (see :mod:`scimops.audit.kept_report`).

    Args:
        audit: the audit, with plain values.
        entries: the exceptions; None: there is no file of them.
        mask: replaces what names people, after exceptions were looked for by their plain names.
        asked: further questions, with plain values.
    """
    today = dt.datetime.fromisoformat(audit.at).date()
    items, agreed = exceptions.accept(items_of(audit), entries or [], today)
    findings = [one for one in audit.findings if one.code not in AUDIT_CATALOGUE]
    for code in items["code"].unique(maintain_order=True):
        some = items.filter(pl.col("code") == code, pl.col("exception").is_null())
        findings += [found(code, some)] if some.height else []
    findings += exceptions.find(agreed)
    questions = [*audit.questions, *asked]
    if mask:
        questions = [replace(one, answer=mask.frame(one.answer)) for one in questions]
        audit, items = _masked(audit, mask), mask.frame(items)
        agreed = [replace(one, entry=_masked_entry(one.entry, mask)) for one in agreed]
    return Report(
        audit, questions, questions[len(questions) - len(asked) :], items, findings,
        None if entries is None else agreed, None, masked=mask is not None,
    )  # fmt: skip


def check_words(words: Sequence[str]) -> None:
    """Is each of the words of `--fail-on` a level or a code?

    Raises:
        UsageError: one is not.
    """
    for word in words:
        if word not in (*LEVELS, *CODES):
            raise UsageError(
                f'There is no level or finding "{word}".',
                advice=f"{nearest(word, (*LEVELS, *CODES))} Levels: {', '.join(LEVELS)}; codes: see --json.".strip(),
            )


def failing(findings: Sequence[Finding], words: Sequence[str]) -> list[Finding]:
    """The findings that one of the words of `--fail-on` means: a code, or a level and every more pressing one."""
    rank: Mapping[Level, int] = {level: number for number, level in enumerate(LEVELS)}
    most = max((rank[word] for word in LEVELS if word in words), default=-1)
    return [one for one in findings if one.code in words or rank[one.level] <= most]


def _masked(audit: Audit, mask: Mask) -> Audit:
    coverage = replace(audit.coverage, people=mask.frame(audit.coverage.people))
    reconciled = replace(audit.reconciled, people=mask.frame(audit.reconciled.people))
    return replace(audit, coverage=coverage, reconciled=reconciled)


def _masked_entry(entry: Entry, mask: Mask) -> Entry:
    texts = {name: mask.of(getattr(entry, name)) for name in ("person", "owner", "reason")}
    return entry.model_copy(update=texts)


def _agreed(one: Agreed) -> dict[str, Any]:
    return {"line": one.line, **one.entry.model_dump(mode="json"), "state": one.state, "people": one.people}
