"""What an evidence file rests on: who was counted as what, a sample that anybody can draw again, hashes of the inputs.

Nothing here names a person: a count has the row of a file, the links and the status, so that control totals can be
added up from it by whoever may not see people.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from scimops.audit.causes import LINKS
from scimops.touched import Touched, hashed

if TYPE_CHECKING:
    from scimops.audit.audit import Audit, Question

METHOD = (
    "Each person of the population has the text SEED:FILE:ROW, as they stand in counts/{question}.csv. The people are "
    "sorted by the SHA-256 of that text (UTF-8, as hexadecimal digits); the sample is the first of them."
)
"""How a sample is drawn; verify.py repeats it."""

SAMPLED = "arrived"
"""The question whose population a sample is drawn from."""

_COVERAGE = ("file", "row", *LINKS, "status", "lost_at", "cause")
_SIDES = ("file", "row", "status", "cause")


def counted(audit: Audit, question: Question) -> pl.DataFrame | None:
    """Of each member of a question's population: where it stands, its status, `counted_as` and `answered`.

    `counted_as` is the name of the control total it is counted in; null for people of the same table who are not in the
    population. `answered` (true or false) says whether the answer has it. None for a question of whose totals
    there is no such table.
    """
    coverage, sides = audit.coverage.people, audit.reconciled.people
    loss = pl.format("{}: {}", "lost_at", pl.col("cause").fill_null("None"))
    by_status = pl.col("status")
    known: dict[str, tuple[pl.DataFrame, Sequence[str], pl.Expr]] = {
        "arrived": (coverage, _COVERAGE, by_status),
        "not_arrived": (
            coverage, _COVERAGE,
            pl.when(by_status == "lost").then(loss).when(by_status.is_in(["arrived", "cannot_tell"])).then(by_status),
        ),
        "left_still_active": (sides, _SIDES, by_status),
        "differences": (sides, _SIDES, by_status),
    }  # fmt: skip
    if question.name not in known:
        return None
    table, columns, label = known[question.name]
    answers = question.answer["status"].unique().implode()
    return table.select(*columns, counted_as=label, answered=by_status.is_in(answers))


def drawn(counts: pl.DataFrame, size: int, seed: int) -> pl.DataFrame:
    """The sample of `size` people, or all where there are fewer: `place` (from 1), `sha256`, `number` (line, from 0).

    `counts` has `file` and `row`, as they are written into the file that the sample is drawn from again.
    """
    digests = [
        hashlib.sha256(f"{seed}:{file}:{row}".encode()).hexdigest() for file, row in counts.select("file", "row").rows()
    ]
    found = pl.DataFrame({"sha256": digests}, schema={"sha256": pl.String}).with_row_index("number")
    found = found.sort("sha256", "number").head(size).with_row_index("place", offset=1)
    return found.select(pl.col("place").cast(pl.Int64), "sha256", pl.col("number").cast(pl.Int64))


def inputs_of(files: Iterable[Path | None]) -> list[Touched]:
    """Name, SHA-256 and size of each input; of a folder, of every file in it. Names are those of the files alone."""
    found = []
    for path in files:
        if path is None:
            continue
        inner = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
        found += [hashed(one, one.relative_to(path.parent).as_posix()) for one in inner]
    return found
