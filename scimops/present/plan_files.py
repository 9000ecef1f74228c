"""Files of a plan for people: the page, and the workbook with every operation. The plan's own file is what counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from scimops.errors import UsageError
from scimops.present.files import replaced
from scimops.present.plan_words import KINDS, WHY, made_of, safeguard_words, seats_sentence, values_of, withheld_words
from scimops.present.workbook import write_workbook

if TYPE_CHECKING:
    from scimops.findings import Finding
    from scimops.plan import Plan


def write_plan_page(plan: Plan, path: Path) -> None:
    """Write the page of :func:`scimops.present.plan_page.plan_html`, for its owner alone.

    Raises:
        UsageError: there is no such folder.
    """
    from scimops.present.plan_page import plan_html

    page = plan_html(plan)
    with _written(path) as draft:
        draft.write_text(page, encoding="utf-8")


def write_plan_workbook(plan: Plan, path: Path) -> None:
    """Write the sheets Operations, Withheld, Groups, Safeguards, Findings and Made of, for its owner alone.

    Raises:
        UsageError: there is no such folder.
    """
    sheets = {
        "Operations": operations_frame(plan.operations), "Withheld": operations_frame(plan.held),
        "Groups": plan.groups.select(
            "group", now="before", leave="leaves", join="joins", then="after", withheld="withheld"
        ),
        "Safeguards": _safeguards(plan), "Findings": findings_sheet(plan.findings), "Made of": _made_of(plan),
    }  # fmt: skip
    with _written(path) as draft:
        write_workbook(sheets, draft)


def operations_frame(operations: pl.DataFrame) -> pl.DataFrame:
    """Operations (schema `OPERATIONS`) as a table for people: one line each, values and groups in words."""
    values = [values_of(one) for one in operations.select("before", "after").iter_rows(named=True)]
    now, then = (
        ["; ".join(f"{field}: {each[side]}" for field, *each in row if each[side]) for row in values] for side in (0, 1)
    )
    held = operations.select("withheld", "due").iter_rows(named=True)
    because = pl.Series([withheld_words(one) if one["withheld"] else None for one in held], dtype=pl.String)
    return operations.select(
        "number", what=pl.col("kind").replace(KINDS), userName="userName", email="email", externalId="externalId",
        now=pl.Series(now, dtype=pl.String), then=pl.Series(then, dtype=pl.String),
        leaves=pl.col("leaves").list.join("; "), joins=pl.col("joins").list.join("; "), group="group",
        why=pl.col("why").replace(WHY), withheld_because=because, row="row", file="file", id="id",
    )  # fmt: skip


@contextmanager
def _written(path: Path) -> Iterator[Path]:
    if not path.parent.is_dir():
        raise UsageError("There is no such folder.", where=str(path.parent), advice="Make it, or name another.")
    with replaced(path) as draft:
        yield draft


def _safeguards(plan: Plan) -> pl.DataFrame:
    rows = [(safeguard_words(one), one.count, one.population, one.limit, one.held) for one in plan.verdicts]
    schema = {"safeguard": pl.String, "would_be": pl.Int64, "of": pl.Int64, "at_most": pl.Int64, "withheld": pl.Boolean}
    return pl.DataFrame(rows, schema=schema, orient="row")


def findings_sheet(findings: Iterable[Finding]) -> pl.DataFrame:
    """Findings as a sheet."""
    rows = [(one.level, one.message, one.advice, one.code, one.count) for one in findings]
    names = ("level", "what_was_found", "what_to_do", "code", "count")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String) | {"count": pl.Int64}, orient="row")


def _made_of(plan: Plan) -> pl.DataFrame:
    rows = [*made_of(plan), ("Seats", seats_sentence(plan))]
    return pl.DataFrame(rows, schema={"what": pl.String, "is": pl.String}, orient="row")
