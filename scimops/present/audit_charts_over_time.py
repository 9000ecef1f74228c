"""Pictures over time: changes day by day, sizes of groups from export to export; each with words that say the same."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import altair as alt
import polars as pl

from scimops.present.audit_charts import COLOURS, framed
from scimops.present.audit_over_time import by_day
from scimops.present.charts import Chart
from scimops.present.words import many, people, shortened

DAYS_SHOWN: Final = 60
"""How many days have bars, the newest."""

GROUPS_SHOWN: Final = 8
"""How many groups have a line: those whose size changed most, then the largest."""

_LINES: Final = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999"]
"""Okabe and Ito's colours; each line ends with the name of its group."""

_DATES: Final = alt.Axis(format="%b %d", labelFontSize=11)
_FEWEST_DAYS: Final = dt.timedelta(days=13)
"""So many days have room at least, so that one day is no wall."""

_NAME: Final = 26
_HEIGHT, _NAME_HEIGHT = 260, 15


def days_chart(daily: pl.DataFrame) -> Chart:
    """Changes and failures of each day, a row of bars for each log.

    Args:
        daily: from :func:`scimops.audit.timeline.changes_by_day`, with at least one line.
    """
    days = by_day(daily)
    newest = days["day"].unique().sort()[-DAYS_SHOWN:]
    days = days.filter(pl.col("day").is_in(newest.implode())).sort("day", "log")
    long = days.unpivot(["changes", "failures"], index=["day", "log"], variable_name="kind", value_name="lines")
    last = dt.date.fromisoformat(newest[-1])
    first = min(dt.date.fromisoformat(newest[0]), last - _FEWEST_DAYS)
    span = alt.Scale(type="utc", domain=[alt.DateTime(year=day.year, month=day.month, date=day.day, utc=True)
                             for day in (first, last + dt.timedelta(days=1))])  # fmt: skip
    kinds = alt.Scale(domain=["changes", "failures"], range=[COLOURS["go on"], COLOURS["lost here"]])
    bars = alt.Chart(alt.InlineData(values=long.to_dicts())).mark_bar().encode(
        x=alt.X("day:T", timeUnit="utcyearmonthdate", title=None, scale=span, axis=_DATES),
        y=alt.Y("lines:Q", title=None, axis=alt.Axis(tickCount=3, tickMinStep=1, format="d")),
        color=alt.Color("kind:N", title=None, scale=kinds, legend=alt.Legend(orient="top", symbolType="square")),
        row=alt.Row("log:N", title=None, header=alt.Header(labelAngle=0, labelAlign="left", labelFontSize=12)),
    ).resolve_scale(y="independent")  # fmt: skip
    return framed(bars, "Lines of the logs, day by day", 90)


def days_words(daily: pl.DataFrame) -> str:
    """What :func:`days_chart` shows, in plain sentences."""
    days = by_day(daily)
    said = []
    for log, some in days.group_by("log", maintain_order=True):
        changes, failures = int(some["changes"].sum()), int(some["failures"].sum())
        worst = some.sort("failures", descending=True).row(0, named=True)
        most = f", most on {worst['day']} ({worst['failures']:,})" if failures else ""
        said.append(f"{log[0]}: {many(changes, 'change')} and {many(failures, 'failure')}{most}")
    newest, oldest = days["day"].item(0), days["day"].item(-1)
    when = f"On {newest}" if newest == oldest else f"From {oldest} to {newest}"
    return f"{when}: {'; '.join(said)}."


def groups_over_time_chart(sizes: pl.DataFrame) -> Chart:
    """How many people the rule puts into a group, export by export, a line a group.

    Args:
        sizes: from :func:`scimops.audit.timeline.groups_over_time`, of at least two exports.
    """
    shown = sizes.filter(pl.col("group_key").is_in(_moved(sizes)["group_key"].head(GROUPS_SHOWN).implode()))
    rows = shown.select(
        "at", "members", "group_key", group=pl.Series([shortened(name, _NAME) for name in shown["group"]])
    ).to_dicts()
    keys = list(dict.fromkeys(row["group_key"] for row in rows))  # cut names of two groups may be one
    last = max(row["at"] for row in rows)
    colour = alt.Color("group_key:N", legend=None, scale=alt.Scale(domain=keys, range=_LINES[: len(keys)]))
    across = alt.X("at:T", title=None, scale=alt.Scale(type="utc"), axis=_DATES)
    base = alt.Chart(alt.InlineData(values=rows))
    lines = base.mark_line(point=True, strokeWidth=2).encode(
        x=across, y=alt.Y("members:Q", title="people"), color=colour
    )
    ends = _apart([row for row in rows if row["at"] == last], max(row["members"] for row in rows))
    texts = alt.Chart(alt.InlineData(values=ends)).mark_text(align="left", dx=8, fontSize=12)
    texts = texts.encode(x=across, y=alt.Y("label:Q", title="people"), text="group:N", color=colour)
    return framed(alt.layer(lines, texts), "Sizes of groups, export by export", _HEIGHT)


def _apart(ends: list[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """The ends of lines with a height for each one's name (`label`), so that no two names overlap."""
    step, floor = max(most, 1) * _NAME_HEIGHT / _HEIGHT, 0.0
    placed = []
    for end in sorted(ends, key=lambda one: int(one["members"])):
        floor = max(float(end["members"]), floor)
        placed.append(end | {"label": floor})
        floor += step
    return placed


def groups_over_time_words(sizes: pl.DataFrame) -> str:
    """What :func:`groups_over_time_chart` shows, in plain sentences."""
    moved = _moved(sizes)
    taken = sizes["at"].unique().sort().to_list()
    first, last = taken[0], taken[-1]
    long = 10 if first[:10] != last[:10] else 16
    span = f"From {first[:long]} to {last[:long]}".replace("T", " ")
    changed = moved.filter(pl.col("first") != pl.col("last"))
    told = [
        f"{shortened(row['group'], _NAME)} {row['first']:,} → {row['last']:,}"
        for row in changed.head(GROUPS_SHOWN).iter_rows(named=True)
    ]
    total = [int(sizes.filter(at=at)["members"].sum()) for at in (first, last)]
    rest = changed.height - len(told)
    which = f" Changed: {'; '.join(told)}{f'; and {rest:,} more' if rest else ''}." if told else " No group changed."
    hidden = moved.height - GROUPS_SHOWN
    return f"{span}, {many(len(taken), 'export')}: {people(total[0])} in groups, then {total[1]:,}.{which}" + (
        f" {many(hidden, 'group')} without a line." if hidden > 0 else ""
    )


def _moved(sizes: pl.DataFrame) -> pl.DataFrame:
    """`group_key`, `group`, `first` and `last` size, those that changed most first, then the largest."""
    ends = sizes.sort("at").group_by("group_key", "group", maintain_order=True).agg(
        first=pl.col("members").first(), last=pl.col("members").last(),
        span=pl.col("members").max() - pl.col("members").min(),
    )  # fmt: skip
    return ends.sort("span", "last", "group", descending=[True, True, False])
