"""A picture of many runs: a line for each notebook and command, a mark for each run by how it ended.

It works from the table of :mod:`scimops.jobs.table`. Names of notebooks are values of the data, never an expression.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any, Final

import altair as alt
import polars as pl

from scimops.present.charts import Chart
from scimops.present.words import many, shortened

LINES: Final = 20
"""How many notebooks and commands have a line of their own; runs of the others share the last one."""

OUTCOMES: Final = {
    "completed": ("#0072B2", "circle"), "failed": ("#D55E00", "cross"), "timed_out": ("#E69F00", "triangle-up"),
    "kernel_died": ("#CC79A7", "diamond"), "cancelled": ("#999999", "square"), "broken": ("#222222", "triangle-down"),
}  # fmt: skip
"""Colour and shape of each outcome: Okabe and Ito's colours, and nothing is said by colour alone."""

_WIDTH, _LINE, _NAME = 620, 30, 38


def timeline(runs: pl.DataFrame) -> Chart:
    """When what ran for how long, and how it ended.

    Args:
        runs: the runs, at least one, as :func:`scimops.jobs.table.runs_frame` gives them.
    """
    rows = _rows(runs)
    names, kinds = sorted({row["name"] for row in rows}), [word for word in OUTCOMES if word in set(runs["outcome"])]
    first, last = runs.select(pl.col("started").min(), pl.coalesce("ended", "started").max().alias("last")).row(0)
    room = max((last - first) * 0.04, dt.timedelta(minutes=5))
    times = alt.Scale(type="utc", domain=[_milliseconds(first - room), _milliseconds(last + room)], nice=False)
    axis = alt.Axis(format="%d %b %H:%M", labelOverlap=True, labelFontSize=11, tickCount=5, gridColor="#e6e6e6")
    labels = alt.Axis(labelLimit=300, labelFontSize=12, labelPadding=10, ticks=False, domain=False, grid=True)
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("name:N", sort=names, title=None, axis=labels),
        x=alt.X("started:T", scale=times, title="began (UTC)", axis=axis),
    )
    legend = alt.Legend(orient="top", labelFontSize=12, title=None, symbolSize=90, symbolOpacity=1)
    said = [word.replace("_", " ") for word in kinds]
    colour = alt.Color("outcome:N", legend=legend, scale=alt.Scale(domain=said, range=[OUTCOMES[k][0] for k in kinds]))
    shape = alt.Shape("outcome:N", legend=legend, scale=alt.Scale(domain=said, range=[OUTCOMES[k][1] for k in kinds]))
    took = base.mark_bar(height=6, opacity=0.45, cornerRadius=3).encode(x2="ended", color=colour)
    began = base.mark_point(filled=True, size=95, opacity=0.9, stroke="white", strokeWidth=0.8)
    title = alt.TitleParams("Runs", anchor="start", frame="bounds", fontSize=15, offset=10)
    chart = alt.layer(took, began.encode(color=colour, shape=shape)).properties(
        width=_WIDTH, height=_LINE * max(len(names), 2), title=title, padding=12, background="white"
    )
    plain: Chart = chart.configure(font="DejaVu Sans, Arial, sans-serif").configure_view(stroke=None)
    return plain


def timeline_words(runs: pl.DataFrame) -> str:
    """What :func:`timeline` shows, in plain sentences."""
    if runs.is_empty():
        return "Nothing ran."
    counts: Counter[str] = Counter(runs["outcome"])
    ended = ", ".join(f"{counts[word]:,} {word.replace('_', ' ')}" for word in OUTCOMES if counts[word])
    number = runs["notebook"].fill_null(runs["command"]).n_unique()
    first, last = runs.select(pl.col("started").min(), pl.col("started").max().alias("last")).row(0)
    return (
        f"{many(runs.height, 'run')} of {many(number, 'notebook or command', 'notebooks and commands')} "
        f"from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC: {ended}."
    )


def _rows(runs: pl.DataFrame) -> list[dict[str, Any]]:
    """A mark for each run; those that run most often have a line of their own."""
    whats = runs["notebook"].fill_null(runs["command"]).to_list()
    own = [what for what, _ in Counter(whats).most_common(LINES)]
    rest = len(set(whats)) - len(own)
    return [
        {
            "name": shortened(what, _NAME) if what in own else f"{rest:,} more",
            "started": _milliseconds(started), "ended": _milliseconds(ended or started),
            "outcome": outcome.replace("_", " "),
        }
        for what, started, ended, outcome in zip(whats, runs["started"], runs["ended"], runs["outcome"], strict=True)
    ]  # fmt: skip


def _milliseconds(time: dt.datetime) -> int:
    return round(time.timestamp() * 1000)
