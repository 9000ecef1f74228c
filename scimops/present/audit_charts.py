"""Pictures of an audit: how many of how many arrived and at which link the others were lost; arrivals over time.

Its words are values of the data, never part of an expression (see :mod:`scimops.present.charts`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import altair as alt

from scimops.audit.causes import LINKS
from scimops.audit.coverage import STATUSES
from scimops.present.charts import Chart
from scimops.present.words import many, people

if TYPE_CHECKING:
    from scimops.audit.arrivals import Arrivals
    from scimops.audit.coverage import Coverage

COLOURS: Final = {"go on": "#0072B2", "lost here": "#D55E00", "cannot be told": "#999999"}
"""Okabe and Ito's colours; the numbers beside the bars say the same."""

FEWEST: Final = 2
"""How many audits a trend needs at least."""

RUNS_SHOWN: Final = 20
"""How many audits have a bar."""

_DARK: Final = "#A33C00"
"""The orange of the bars, dark enough for text."""

_STEP_WORDS: Final = {"": "should have arrived by now", "cannot_tell": "can be told apart from others", **LINKS}
_WIDTH, _BAR, _ROOM = 520, 32, 1.6


def chain_chart(coverage: Coverage) -> Chart:
    """A bar for each link: who goes on, and who was lost at it or cannot be told apart from others."""
    bars: list[dict[str, Any]] = []
    texts: list[dict[str, Any]] = []
    most = max(coverage.meant, 1)
    for step in coverage.steps:
        on, words = step.on or 0, _STEP_WORDS[step.link]
        kind = "cannot be told" if step.link == "cannot_tell" else "lost here"
        bars.append({"label": words, "kind": "go on", "from": 0, "to": on})
        if step.lost:
            bars.append({"label": words, "kind": kind, "from": on, "to": on + step.lost})
        said = "could not be read" if step.on is None else f"{step.on:,}"
        loss = f"{step.lost:,} {kind}" if step.lost else ""
        texts.append({"label": words, "at": on + step.lost, "text": said, "loss": loss, "edge": most * _ROOM})
    return _drawn(bars, texts, most, _title(coverage))


def chain_words(coverage: Coverage) -> str:
    """What :func:`chain_chart` shows, in plain sentences."""
    counts, meant = coverage.counts, coverage.meant
    if not meant:
        return f"Nobody should have arrived by now.{_others(coverage)}"
    told = f"{_title(coverage)}."
    if counts["lost"]:
        worst = max((step for step in coverage.steps if step.link != "cannot_tell"), key=lambda step: step.lost)
        told += (
            f" {people(counts['lost'])} did not; most were lost before “{_STEP_WORDS[worst.link]}” ({worst.lost:,})."
        )
    if counts["cannot_tell"]:
        told += f" Of {people(counts['cannot_tell'])} it cannot be told."
    unread = [_STEP_WORDS[step.link] for step in coverage.steps if step.on is None]
    told += f" Nobody could look at: {'; '.join(unread)}." if unread else ""
    return told + _others(coverage)


def _title(coverage: Coverage) -> str:
    arrived, meant = coverage.counts["arrived"], coverage.meant
    how_far = " as far as could be read" if coverage.not_read else ""
    return f"{arrived:,} of {people(meant)} arrived{how_far}"


def _others(coverage: Coverage) -> str:
    others = [f"{coverage.counts[name]:,} {STATUSES[name]}" for name in ("not_due_yet", "not_meant")
              if coverage.counts[name]]  # fmt: skip
    return f" Besides: {'; '.join(others)}." if others else ""


def _drawn(bars: list[dict[str, Any]], texts: list[dict[str, Any]], most: int, title: str) -> Chart:
    order = [row["label"] for row in texts]
    names = alt.Axis(labelLimit=440, labelFontSize=13, labelPadding=10, ticks=False, domain=False)
    down = alt.Y("label:N", sort=order, title=None, axis=names)
    scale = alt.Scale(domain=[0, most * _ROOM], nice=False)
    across = alt.X("from:Q", scale=scale, axis=None)
    kinds = [kind for kind in COLOURS if any(bar["kind"] == kind for bar in bars)]
    colour = alt.Color(
        "kind:N", title=None, scale=alt.Scale(domain=kinds, range=[COLOURS[kind] for kind in kinds]),
        legend=alt.Legend(orient="top", symbolType="square", labelFontSize=13) if len(kinds) > 1 else None,
    )  # fmt: skip
    blocks = alt.Chart(alt.InlineData(values=bars)).mark_bar(height=_BAR * 0.62).encode(
        y=down, x=across, x2="to:Q", color=colour
    )  # fmt: skip
    base = alt.Chart(alt.InlineData(values=texts)).encode(y=down)
    counts = base.mark_text(align="left", dx=7, fontSize=13, color="#222222").encode(
        x=alt.X("at:Q", scale=scale), text="text:N"
    )
    losses = base.mark_text(align="right", fontSize=13, fontWeight="bold", color=_DARK).encode(
        x=alt.X("edge:Q", scale=scale), text="loss:N"
    )
    return framed(alt.layer(blocks, counts, losses), title, _BAR * len(texts))


def arrivals_chart(arrivals: Arrivals) -> Chart:
    """Audit by audit, how many people were first seen to have arrived since the one before.

    Args:
        arrivals: of at least :data:`FEWEST` audits; of more than :data:`RUNS_SHOWN` the newest are drawn.
    """
    counts = _newly(arrivals)
    rows = [
        {
            "label": f"{run.at[:10]} {run.at[11:16]}",
            "people": counts.get(run.at, 0),
            "text": f"{counts.get(run.at, 0):,}",
        }
        for run in arrivals.runs[1:][-RUNS_SHOWN:]
    ]
    most = max(int(str(row["people"])) for row in rows)
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("label:N", sort=None, title="audit (UTC)", axis=alt.Axis(labelAngle=-40, labelFontSize=11)),
        y=alt.Y("people:Q", title=None, scale=alt.Scale(domain=[0, max(most, 1) * 1.15], nice=False), axis=None),
    )
    bars = base.mark_bar(color=COLOURS["go on"], size=26)
    texts = base.mark_text(dy=-9, fontSize=12, color="#222222").encode(text="text:N")
    return framed(alt.layer(bars, texts), "First seen to have arrived, since the audit before", 200)


def arrivals_words(arrivals: Arrivals) -> str:
    """What :func:`arrivals_chart` shows, in plain sentences; also where there is too little to draw."""
    if len(arrivals.runs) < FEWEST:
        return f"{many(len(arrivals.runs), 'audit')} kept so far; a trend needs {FEWEST}."
    first, last = arrivals.runs[0].at, arrivals.runs[-1].at
    new = sum(count for at, count in _newly(arrivals).items() if at != first)
    told = (
        f"From {_minute(first)} to {_minute(last)} UTC, in {many(len(arrivals.runs), 'audit')}, {people(new)} "
        f"{'was' if new == 1 else 'were'} first seen to have arrived."
    )
    return told + "".join(f" Nobody looked from {_minute(one)} to {_minute(other)}." for one, other in arrivals.gaps)


def _minute(at: str) -> str:
    return at[:16].replace("T", " ")


def _newly(arrivals: Arrivals) -> dict[str, int]:
    """How many people were first seen to have arrived at each audit."""
    return dict(arrivals.people.drop_nulls("arrived_seen").group_by("arrived_seen").len().iter_rows())


def framed(chart: alt.Chart | alt.LayerChart | alt.FacetChart, title: str, height: int) -> Chart:
    """`chart` with its title, size, font and white ground."""
    shown = alt.TitleParams(title, anchor="start", frame="bounds", fontSize=16, offset=10)
    sized = chart.properties(width=_WIDTH, height=height, title=shown, padding=12, background="white")
    plain: Chart = sized.configure(font="DejaVu Sans, Arial, sans-serif").configure_view(stroke=None)
    return plain
