"""Files of an audit: the page, the workbook with a sheet for each question, the document, the people as Parquet."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from scimops.audit.causes import LINKS
from scimops.audit.causes import STATUSES as SIDES
from scimops.audit.coverage import STATUSES as ARRIVED
from scimops.audit.drift import KINDS, TOLD_BY
from scimops.audit.period import STATUSES as JOINED
from scimops.audit.timeline import CHANGES
from scimops.present.audit_words import WHY, accepted_words, advice, headline, made_of, not_read, others, totals_words
from scimops.present.cells import flat
from scimops.present.files import private_folder, replaced
from scimops.present.plan_files import findings_sheet
from scimops.present.workbook import write_workbook

if TYPE_CHECKING:
    from scimops.audit.report import Report

SHEET_NAME_AT_MOST = 31
"""Characters of a sheet's name in Excel."""


def write_audit(report: Report, folder: Path) -> list[Path]:
    """Write report.html, audit.xlsx, audit.json, coverage.parquet and reconciled.parquet into `folder`.

    The folder is made for its owner alone where it is made here, the files always; each appears whole or not at all.

    Returns:
        The paths of the files.
    """
    from scimops.present.audit_page import audit_html

    page = audit_html(report)
    document = json.dumps(report.to_dict(), ensure_ascii=False, indent=2) + "\n"
    writers: dict[str, Callable[[Path], object]] = {
        "report.html": lambda path: path.write_text(page, encoding="utf-8"),
        "audit.xlsx": lambda path: write_workbook(audit_sheets(report), path),
        "audit.json": lambda path: path.write_text(document, encoding="utf-8"),
        "coverage.parquet": report.audit.coverage.people.write_parquet,
        "reconciled.parquet": report.audit.reconciled.people.write_parquet,
    }
    private_folder(folder)
    for name, write in writers.items():
        with replaced(folder / name) as draft:
            write(draft)
    return [folder / name for name in writers]


def audit_sheets(report: Report) -> dict[str, pl.DataFrame]:
    """The sheets: what it comes to, the findings, each question's people, the exceptions, what is solved, sources."""
    sheets = {
        "Questions": _questions(report),
        "Findings": findings_sheet(report.findings),
        "To do": items_frame(report.items),
    }
    sheets |= {sheet_name(one.name): answer_frame(one.answer) for one in report.questions}
    if report.agreed is not None:
        sheets["Exceptions"] = _exceptions(report)
    if report.last is not None:
        sheets["Solved"] = _solved(report.last.solved)
    return sheets | {"Made of": _made_of(report)}


def sheet_name(name: str) -> str:
    """The name of a question as that of a sheet."""
    return name.replace("_", " ").capitalize()[:SHEET_NAME_AT_MOST]


def answer_frame(answer: pl.DataFrame) -> pl.DataFrame:
    """An answer as a sheet: codes in words, lists in one cell, days as text."""
    words = {
        "status": {**SIDES, **JOINED, **ARRIVED}, "lost_at": LINKS, "cause": WHY, "reason": WHY, "kind": KINDS,
        "told_by": TOLD_BY, "change": CHANGES, "from_reason": WHY, "to_reason": WHY,
    }  # fmt: skip
    said = [name for name, kind in answer.schema.items() if name in words and kind == pl.String]
    return flat(answer).with_columns(pl.col(name).replace(words[name]) for name in said)


def items_frame(items: pl.DataFrame) -> pl.DataFrame:
    """The findings person by person as a sheet: the words first, then the keys."""
    words = answer_frame(items.select("status", "lost_at", "cause"))
    columns = ["userName", "email", "externalId", "user_id", "row", "file", "evidence"]
    dated = [name for name in ("new", "since") if name in items.columns]
    return items.select(
        pl.Series("what", words["status"]), pl.Series("lost_at", words["lost_at"]), pl.Series("why", words["cause"]),
        pl.Series("what_to_do", [advice(code) for code in items["code"]], pl.String), *dated,
        pl.col("exception").alias("accepted_by_line"), *columns, "code",
    )  # fmt: skip


def _questions(report: Report) -> pl.DataFrame:
    rows = [("What it comes to", headline(report), others(report), not_read(report), "", 0, "")]
    rows += [
        (one.title, one.about, one.how, one.source, sheet_name(one.name), one.answer.height,
         totals_words(one.totals, one.population))
        for one in report.questions
    ]  # fmt: skip
    names = ("question", "about", "how", "source", "sheet", "rows", "control_totals")
    return pl.DataFrame(rows, dict.fromkeys(names, pl.String) | {"rows": pl.Int64}, orient="row")


def _exceptions(report: Report) -> pl.DataFrame:
    rows = []
    for one in report.agreed or []:
        kind, state, _ = accepted_words(one)
        entry = one.entry
        rows.append((one.line, entry.person, kind, entry.owner, entry.reason, str(entry.until), state, one.people))
    names = ("line", "person", "what", "owner", "reason", "until", "state", "people")
    return pl.DataFrame(
        rows, dict.fromkeys(names, pl.String) | {"line": pl.Int64, "people": pl.Int64}, orient="row"
    )  # fmt: skip


def _solved(solved: pl.DataFrame) -> pl.DataFrame:
    names = ("userName", "email", "externalId", "user_id", "cause", "code")
    return answer_frame(solved.select(*names, open_since="since"))


def _made_of(report: Report) -> pl.DataFrame:
    return pl.DataFrame(made_of(report), {"what": pl.String, "is": pl.String}, orient="row")
