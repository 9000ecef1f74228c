"""Checks of the export as a whole: is it whole, fresh, the right file, with the columns that are needed?"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import polars as pl

from scimops.errors import Finding, finding
from scimops.grouping import REJECTED
from scimops.preview.checks.common import FIELD_WORDS, rows_with

if TYPE_CHECKING:
    from scimops.preview import Preview

_FOREIGN = 0.5


def incomplete(preview: Preview) -> Finding | None:
    """The export is only a part."""
    return finding("incomplete_source", missing=preview.export.missing) if preview.export.missing else None


def foreign(preview: Preview) -> Finding | None:
    """Most rows cannot be sent: perhaps this is another file."""
    rejected = sum(count for reason, count in preview.reasons.items() if reason in REJECTED)
    if preview.rows < 5 or rejected / preview.rows <= _FOREIGN:
        return None
    return finding("foreign_file", count=rejected, share=f"{rejected / preview.rows:.0%}", idp=preview.export.idp)


def old(preview: Preview) -> Finding | None:
    """The export is older than the setting allows."""
    span = preview.setting.max_age_span
    age = dt.datetime.now(dt.UTC) - preview.export.taken_at
    if span is None or age <= span:
        return None
    return finding("old_file", age=_words(age), max_age=_words(span))


def _words(span: dt.timedelta) -> str:
    hours = int(span.total_seconds() // 3600)
    number, unit = (hours // 24, "day") if hours >= 48 else (hours, "hour")
    return f"{number} {unit}" + ("" if number == 1 else "s")


def unreadable(preview: Preview) -> Finding | None:
    """Rows that could not be read."""
    count = preview.reasons.get("rejected_unreadable", 0)
    if not count:
        return None
    early = [row.row for row in preview.export.rejected]
    late = preview.people.filter(pl.col("reason") == "rejected_unreadable")["row"].head(100).to_list()
    return finding("unreadable_rows", count=count, row_numbers=sorted([*early[:100], *late]))


def guessed(preview: Preview) -> Finding | None:
    """No shape was recognised, the columns were guessed."""
    if preview.export.idp != "generic":
        return None
    columns = ", ".join(f"{name} = {column}" for name, column in preview.mapped.columns.items())
    return finding("columns_guessed", columns=columns or "none")


def recording(preview: Preview) -> list[Finding]:
    """The export is a recording of a rehearsal: what it counted, and refusals that no rule here explains."""
    counts = preview.export.recording
    if counts is None:
        return []
    numbers: dict[str, Any] = {name: counts[name] for name in ("requests", "deleted", "refused")}
    found = [finding("recording", before=counts["people_before"], **numbers)]
    if counts["cut"]:
        found.append(finding("recording_cut", count=counts["cut"]))
    last = [  # who was refused stands behind the others
        (pl.col("file") == part.source.name) & (pl.col("row") > part.table.rows - part.table.recording["refused"])
        for part in preview.export.parts
        if part.table.recording
    ]
    rows = rows_with(preview, pl.any_horizontal(last) & ~pl.col("reason").is_in(REJECTED))
    return [*found, finding("refused_in_rehearsal", **rows)] if rows["count"] else found


def columns(preview: Preview) -> list[Finding]:
    """Columns that are needed and absent, or empty in every row; an empty export lacks nothing."""
    found = []
    if not preview.people.height:
        return []
    for name in _needed(preview):
        word = FIELD_WORDS.get(name, name)
        column = preview.mapped.columns.get(name)
        if column is None:
            found.append(finding("column_missing", field=word, advice=_how_to_add(preview, name)))
            continue
        held = f"field.{name}" if name in preview.setting.custom_fields else name
        if preview.people[held].null_count() == preview.people.height:
            rows = rows_with(preview, pl.lit(True))
            found.append(finding("column_empty", field=word, column=column, advice=_how_to_add(preview, name), **rows))
    return found


def _needed(preview: Preview) -> list[str]:
    needed = ["userName", "email"]
    if preview.setting.grouping_field is not None:
        needed.append(preview.setting.grouping_field)
    needed += [mapping.field for mapping in preview.setting.field_mappings]
    return list(dict.fromkeys(needed))


def _how_to_add(preview: Preview, name: str) -> str:
    shape = preview.export.shape
    attributes = {mapping.field: mapping.attribute for mapping in preview.setting.field_mappings}
    usual = shape.columns.get(name) or (shape.attributes.get(attributes.get(name, "")) or name,)
    return shape.add.format(column=usual[0])
