"""Cells that a spreadsheet shows and never runs: one rule for every file that Excel or its like may open.

A spreadsheet runs a cell that begins with = + - or @ (also in full width, also after white space), and one that begins
with a tab or a carriage return. Such a cell gets an apostrophe in front. A CSV file is also opened where the separator
is a semicolon, which splits cells elsewhere: so the same holds after a semicolon, a tab and a line break inside a cell.
Control characters are shown, not written. Numbers and booleans stay what they are.
"""

from __future__ import annotations

import polars as pl

from scimops.present.words import VISIBLE

_SIGNS = "[=+\\-@＝＋－＠﹢﹣﹦﹫]"
_FIRST = rf"^([\s\p{{Z}}\p{{C}}]*{_SIGNS}|[\t\r])"
_LATER = rf"([;\t\r\n][\s\p{{Z}}\p{{C}}&&[^\t\r\n]]*)({_SIGNS})"
_KEPT = "\t\r\n"

_SHOWN = {character: shown for character, shown in VISIBLE.items() if character not in _KEPT}


def safe_cell(text: pl.Expr) -> pl.Expr:
    """An expression of strings as cells that no spreadsheet runs, with control characters shown."""
    neutral = text.str.replace(_FIRST, "'${1}").str.replace_all(_LATER, "${1}'${2}")
    return neutral.str.replace_many(list(_SHOWN), list(_SHOWN.values()))


def safe_frame(frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` with :func:`safe_cell` done to every column of strings."""
    return frame.with_columns(
        safe_cell(pl.col(name)).alias(name) for name, kind in frame.schema.items() if kind == pl.String
    )


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` as columns that CSV and sheets can hold: lists in one cell, days as text."""
    changed = []
    for name, kind in frame.schema.items():
        if kind == pl.List(pl.String):
            changed.append(pl.col(name).list.join("; "))
        elif not (kind in (pl.String, pl.Boolean) or kind.is_numeric()):
            changed.append(pl.col(name).cast(pl.String))
    return frame.with_columns(changed)
