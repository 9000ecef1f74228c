"""Corrections for the identity provider: one spelling for each group, likely slips, blank values.

They are proposals for a person to read. scimops never makes them: :func:`how_to_apply` gives the line that shows what
the identity provider's own tool would do with them, or says plainly that the tool cannot show it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import polars as pl

from scimops.grouping import group_key, spelling
from scimops.present.cells import safe_cell
from scimops.present.fix_tools import tool_lines
from scimops.present.words import many, people, visible
from scimops.preview.checks.common import arriving
from scimops.preview.checks.groups import twins

if TYPE_CHECKING:
    from scimops.preview import Group, Preview

COLUMNS = ("object_id", "userName", "attribute", "value_now", "proposed_value", "why")


def fix_frame(preview: Preview) -> pl.DataFrame:
    """One row for each correction to one person who arrives, with the columns :data:`COLUMNS`.

    `object_id` is the identity provider's own key of the person, null where the export has none; `attribute` the column
    of the export; `proposed_value` null where a person must decide: a blank value, or a proposal that no file may
    carry safely (one that a spreadsheet would run).
    """
    field = preview.setting.grouping_field
    column = preview.mapped.columns.get(field or "")
    if field is None or column is None:
        return pl.DataFrame(schema=_texts(*COLUMNS))
    here = preview.people.with_columns(_object_ids(preview).alias("object_id")).filter(arriving())
    proposals = pl.DataFrame(_proposals(preview), schema=_texts("value", "proposed_value", "why"), orient="row")
    wrong = here.filter(pl.col("reason") == "matched").join(proposals, on="value", how="inner", maintain_order="left")
    blank = here.filter(pl.col("reason") == preview.grouping.place(None).reason)
    rows = pl.concat([wrong, blank.with_columns(_blank(preview, field))], how="diagonal")
    rows = rows.with_columns(attribute=pl.lit(column), value_now="value")
    return rows.with_columns(*_only_safe(_key(preview))).select(COLUMNS)


def _texts(*names: str) -> dict[str, type[pl.String]]:
    return dict.fromkeys(names, pl.String)


def _key(preview: Preview) -> str:
    """The column of fix.csv by which the identity provider's tool finds a person: `object_id`, else `userName`."""
    return "object_id" if "externalId" in preview.export.columns else "userName"


def _object_ids(preview: Preview) -> pl.Series:
    """The identity provider's own keys; the setting may have read the externalId from another column."""
    column = preview.export.columns.get("externalId")
    if column is None:
        return pl.repeat(None, preview.people.height, dtype=pl.String, eager=True)
    if column == preview.mapped.columns.get("externalId"):
        return preview.people["externalId"]
    return preview.export.frame({"externalId": column})["externalId"]


def _proposals(preview: Preview) -> list[tuple[str, str, str]]:
    """Each value that should be another one: the value, the one to take, why."""
    found: dict[str, tuple[str, str]] = {}
    for group in preview.groups:
        ways = _ways(group)
        if len(ways) > 1:
            best, count = _most_frequent(ways)
            share = f"{count:,} of {sum(ways.values()):,}"
            why = f'one group written in {len(ways)} ways; "{best}" is the most frequent ({share})'
            found |= {text: (best, why) for text in ways if text != best}
    slips: set[str] = set()
    for slip, right in twins(preview):
        if slip.group_key not in slips and (ways := _ways(right)):
            slips.add(slip.group_key)
            best, _ = _most_frequent(ways)
            why = f'looks like a slip of "{best}" ({people(right.members)}); leave it as it is where it is meant'
            found |= dict.fromkeys(_ways(slip), (best, why))
    return [(text, best, why) for text, (best, why) in found.items()]


def _ways(group: Group) -> dict[str, int]:
    """The spellings that lead to the group by themselves; those that an alias leads there are meant."""
    return {text: count for text, count in group.spellings.items() if group_key(text) == group.group_key}


def _most_frequent(ways: dict[str, int]) -> tuple[str, int]:
    """The most frequent spelling, trimmed; of equally frequent ones the first met."""
    counts: Counter[str] = Counter()
    for text, count in ways.items():
        counts[spelling(text)] += count
    return counts.most_common(1)[0]


def _blank(preview: Preview, field: str) -> pl.Expr:
    target = preview.setting.group_settings.target_group
    landing = f'the target group "{target}"' if target else "no group"
    return pl.lit(f"has no {field} and lands in {landing}; a person must fill it in").alias("why")


def _only_safe(key: str) -> list[pl.Expr]:
    """No proposal where the value, or the key the tool would look for, is changed by being made safe to open."""
    proposed, who = pl.col("proposed_value"), pl.col(key)
    unsafe = proposed.is_not_null() & (safe_cell(proposed) != proposed)
    lost = proposed.is_not_null() & (who.is_null() | (safe_cell(who) != who))
    by_hand = (
        pl.when(unsafe)
        .then(pl.lit("; a spreadsheet would run the proposal, so correct it by hand"))
        .when(lost)
        .then(pl.lit(f"; there is no {key} that a file can carry safely, so correct it by hand"))
        .otherwise(pl.lit(""))
    )
    return [pl.when(~(unsafe | lost)).then(proposed).alias("proposed_value"), pl.col("why") + by_hand]


def how_to_apply(preview: Preview, frame: pl.DataFrame | None = None) -> str:
    """The text of `fix-how-to.txt`: what fix.csv holds, and the line that tries it out without changing anything.

    `frame` is the result of :func:`fix_frame` where it is there already.
    """
    frame = fix_frame(preview) if frame is None else frame
    if frame.is_empty():
        return f"fix.csv holds no corrections: {_nothing_to_do(preview)}\n"
    ready = frame.height - frame["proposed_value"].null_count()
    column, own = frame["attribute"][0], preview.export.columns.get("externalId")
    whose = f"object_id is the export's column {own}." if own else "The export has no object id; userName stands in."
    lines = [
        f"fix.csv holds {many(frame.height, 'row')}, {ready:,} of them with a proposed value for the column {column}.",
        "scimops never makes these corrections. They are proposals:",
        "",
        "1. Read every row. Delete the rows that are meant as they are: two departments can have similar names.",
        "2. Fill proposed_value where it is empty and you know the value. Rows that stay empty are skipped.",
        "3. Try it out:",
        "",
        *tool_lines(preview.export.idp, column, _key(preview)),
        "",
        f"{whose} value_now is only shown: an apostrophe in front of = + - @ is this file's, not the value's.",
    ]
    return "\n".join(visible(line) for line in lines) + "\n"


def _nothing_to_do(preview: Preview) -> str:
    if preview.setting.by_idp_groups:
        return "the groups are the identity provider's own, so there is no value of a person to correct."
    field = preview.setting.grouping_field
    if field is None:
        return "the setting has no criterion."
    if field not in preview.mapped.columns:
        return f"the export has no column for {visible(field)}."
    return "every value is there and is written in one way."
