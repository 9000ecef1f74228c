"""Files of a preview: one writer for each format, and :func:`write_preview`, which writes the whole folder.

CSV and XLSX are for people with spreadsheets: their cells are made safe (:mod:`scimops.present.cells`). Parquet and
JSON are for programs: they hold the values as they are, unchanged. A writer of a new format is one function in
:data:`WRITERS`; the tests walk all of them.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from scimops.errors import UsageError, nearest
from scimops.present.cells import safe_cell, safe_frame
from scimops.present.words import reason_rows, rows_of
from scimops.touched import note_written

if TYPE_CHECKING:
    from scimops.preview import Preview

__all__ = ["WRITERS", "findings_frame", "reasons_frame", "safe_cell", "safe_frame", "write_file", "write_preview"]

Writer = Callable[["Preview", Path], None]


def write_file(preview: Preview, path: Path | str) -> Path:
    """Write `preview` to one file in the format that its name ends in; it appears whole or not at all.

    Raises:
        UsageError: no writer has this ending.
    """
    path = Path(path)
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        advice = f"{nearest(path.suffix, WRITERS)} Known: {', '.join(WRITERS)}.".strip()
        raise UsageError(f'There is no format "{path.suffix}".', where=path.name, advice=advice)
    with replaced(path) as draft:
        writer(preview, draft)
    return path


def write_preview(preview: Preview, folder: Path | str) -> list[Path]:
    """Write everything about `preview` into `folder`, which only its owner may enter where it is made here.

    The files are assignments.parquet, assignments.csv, preview.xlsx, groups.csv, preview.json, summary.html, fix.csv,
    fix-how-to.txt, charts/groups.png and charts/reasons.png. Each appears whole or not at all.

    Returns:
        The paths of the files.
    """
    from scimops.present.charts import as_png, groups_chart, reasons_chart
    from scimops.present.fix import fix_frame, how_to_apply

    folder = Path(folder)
    fixes = fix_frame(preview)
    writers: dict[str, Callable[[Path], object]] = {
        "assignments.parquet": lambda path: _parquet(preview, path),
        "assignments.csv": lambda path: _csv(preview, path),
        "preview.xlsx": lambda path: _xlsx(preview, path),
        "groups.csv": lambda path: _write_csv(preview.groups_frame(), path),
        "preview.json": lambda path: _json(preview, path),
        "summary.html": lambda path: _html(preview, path),
        "fix.csv": lambda path: _write_csv(fixes, path),
        "fix-how-to.txt": lambda path: path.write_text(how_to_apply(preview, fixes), encoding="utf-8"),
        "charts/groups.png": lambda path: path.write_bytes(as_png(groups_chart(preview))),
        "charts/reasons.png": lambda path: path.write_bytes(as_png(reasons_chart(preview))),
    }
    private_folder(folder)
    private_folder(folder / "charts")
    for name, write in writers.items():
        with replaced(folder / name) as draft:
            write(draft)
    return [folder / name for name in writers]


def private_folder(folder: Path) -> None:
    """Make `folder` for its owner alone; one that is there already keeps its permissions."""
    if folder.is_dir():
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(OSError, NotImplementedError):  # a file system without permissions, as on Windows
        os.chmod(folder, 0o700)  # noqa: PTH101  # mkdir's mode is subject to the umask


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A draft beside `path`, for its owner alone, that takes its place when all went well and vanishes otherwise."""
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        draft.replace(path)
        note_written(path)
    finally:
        draft.unlink(missing_ok=True)


def reasons_frame(preview: Preview) -> pl.DataFrame:
    """The reasons: how many, the sentence, the result, the code."""
    schema = {"people": pl.Int64, "what_becomes_of_each": pl.String, "result": pl.String, "reason": pl.String}
    rows = [(row.count, row.sentence, row.kind, row.reason) for row in reason_rows(preview)]
    return pl.DataFrame(rows, schema=schema, orient="row")


def findings_frame(preview: Preview) -> pl.DataFrame:
    """The findings: level, sentence, advice, count, the first row numbers, the code."""
    names = ("level", "what_was_found", "what_to_do", "rows", "code", "count")
    rows = [(one.level, one.message, one.advice, rows_of(one, 100), one.code, one.count) for one in preview.findings]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String) | {"count": pl.Int64}, orient="row")


def _csv(preview: Preview, path: Path) -> None:
    _write_csv(preview.assignments, path)


def _write_csv(frame: pl.DataFrame, path: Path) -> None:
    """UTF-8 with a byte order mark, without which Excel takes letters beyond ASCII for others."""
    safe_frame(frame).write_csv(path, include_bom=True)


def _parquet(preview: Preview, path: Path) -> None:
    preview.assignments.write_parquet(path)


def _json(preview: Preview, path: Path) -> None:
    path.write_text(json.dumps(preview.to_dict(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _html(preview: Preview, path: Path) -> None:
    from scimops.present.summary import summary_html

    path.write_text(summary_html(preview), encoding="utf-8")


def _xlsx(preview: Preview, path: Path) -> None:
    from scimops.present.workbook import write_workbook

    sheets = {
        "People": preview.assignments, "Groups": preview.groups_frame(),
        "Reasons": reasons_frame(preview), "Findings": findings_frame(preview),
    }  # fmt: skip
    write_workbook(sheets, path)


WRITERS: dict[str, Writer] = {".csv": _csv, ".xlsx": _xlsx, ".parquet": _parquet, ".html": _html, ".json": _json}
"""The writer of each format, by the ending of the file's name."""
