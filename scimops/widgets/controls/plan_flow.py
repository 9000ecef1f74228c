"""A picture of a plan: ribbons from where people are to where they go, as wide as there are people in them.

Names of groups are values of the data, never part of an expression (see :mod:`scimops.present.charts`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

import altair as alt

from scimops.present.charts import Chart
from scimops.present.words import people, shortened
from scimops.widgets.controls.plan_facts import ENDED, HAD, NEW, NO_GROUP, RESTING, Flow

SHOWN: Final = 12
"""How many places on each side have a line of their own; the others share one."""

COLOURS: Final = {"new": "#009E73", "moves": "#0072B2", "ends": "#7a7a7a", "withheld": "#D55E00"}
"""Okabe and Ito's colours; the labels and the words say the same."""

_SAID: Final = {"new": "created", "moves": "moved", "ends": "ended", "withheld": "withheld"}
_PLACES: Final = (NEW, NO_GROUP, RESTING, HAD, ENDED)
_WIDTH, _LINE, _NAME, _STEPS = 460, 28, 30, 24
_OTHERS: Final = "other groups"
_GAP: Final = 0.035
_ENDS: Final = (0.0, 0.03, 0.97, 1.0)
"""Where the left bars begin and end, and the right ones, along the picture's width."""


def flow_chart(found: Sequence[Flow]) -> Chart:
    """The picture of at least one flow."""
    flows = _merged(found)
    counts = _counts(flows, 0), _counts(flows, 1)
    room = 1 - _GAP * (max(len(side) for side in counts) - 1)
    scale = room / sum(counts[0].values())
    places = [_begins(side, scale) for side in counts]
    bars = [_bar(side, name, top, counts[side][name], scale) for side in (0, 1) for name, top in places[side].items()]
    orders = [list(side) for side in places]
    ribbons: list[dict[str, Any]] = []
    for flow in sorted(flows, key=lambda one: (orders[0].index(one.source), orders[1].index(one.target))):
        height = flow.people * scale
        ribbons += _ribbon(f"{len(ribbons)}", places[0][flow.source], places[1][flow.target], height, _kind(flow))
        places[0][flow.source] += height
        places[1][flow.target] += height
    kinds = {_kind(flow) for flow in flows}
    return _drawn(ribbons, bars, [kind for kind in COLOURS if kind in kinds], max(map(len, orders)))


def flow_words(found: Sequence[Flow]) -> str:
    """What the picture shows, in plain sentences."""
    if not found:
        return "Nobody comes, goes or moves from one group to another."
    sums: Counter[str] = Counter()
    for flow in found:
        sums[flow.kind] += flow.people
    said = ", ".join(f"{people(sums[kind])} {_SAID[kind]}" for kind in ("new", "moves", "ends") if sums[kind])
    first = found[0]
    text = f"{said[0].upper()}{said[1:]}. The widest way: {people(first.people)} from {_quoted(first.source)}"
    text += f" to {_quoted(first.target)}."
    held = sum(flow.people for flow in found if flow.withheld)
    return f"{text} {held:,} of these {'is' if held == 1 else 'are'} withheld by a safeguard." if held else text


def _quoted(place: str) -> str:
    return f"“{place}”" if place in _PLACES else f"the group “{shortened(place, _NAME)}”"


def _kind(flow: Flow) -> str:
    return "withheld" if flow.withheld else flow.kind


def _merged(found: Iterable[Flow]) -> list[Flow]:
    """The flows with the small places on either side put together."""
    flows = list(found)
    renamed = [_renamed(_counts(flows, side)) for side in (0, 1)]
    sums: Counter[tuple[str, str, str, bool]] = Counter()
    for flow in flows:
        sums[renamed[0][flow.source], renamed[1][flow.target], flow.kind, flow.withheld] += flow.people
    return [Flow(*key, count) for key, count in sums.items()]


def _counts(flows: Iterable[Flow], side: int) -> Counter[str]:
    counts: Counter[str] = Counter()
    for flow in flows:
        counts[flow.target if side else flow.source] += flow.people
    return counts


def _renamed(counts: Counter[str]) -> dict[str, str]:
    order = [name for name, _ in counts.most_common()]
    if len(order) <= SHOWN:
        return {name: name for name in order}
    rest = f"{len(order) - SHOWN + 1:,} {_OTHERS}"
    return {name: name if place < SHOWN - 1 else rest for place, name in enumerate(order)}


def _begins(counts: Counter[str], scale: float) -> dict[str, float]:
    """Where each place begins, from the top, the whole in the middle.

    Who is new comes first, then the largest, who ends last.
    The places that share a line come after those with one of their own.
    """
    used = sum(counts.values()) * scale + _GAP * (len(counts) - 1)
    top, begins = (1 - used) / 2, {}
    last = {ENDED: 2}
    order = sorted(
        counts,
        key=lambda one: (last.get(one, one.endswith(_OTHERS)), one not in (NEW, RESTING), -counts[one], one),
    )
    for name in order:
        begins[name] = top
        top += counts[name] * scale + _GAP
    return begins


def _ribbon(key: str, left: float, right: float, height: float, kind: str) -> list[dict[str, Any]]:
    """The edges of one ribbon, step by step along a curve that leaves and arrives level."""
    points = []
    for step in range(_STEPS + 1):
        part = step / _STEPS
        middle = left + (right - left) * part * part * (3 - 2 * part)
        x = _ENDS[1] + (_ENDS[2] - _ENDS[1]) * part
        points.append({"flow": key, "x": x, "y": middle, "y2": middle + height, "kind": _SAID[kind]})
    return points


def _bar(side: int, name: str, top: float, count: int, scale: float) -> dict[str, Any]:
    label = f"{shortened(name, _NAME)}: {count:,}"
    bottom = top + count * scale
    x = (_ENDS[0], _ENDS[1]) if side == 0 else (_ENDS[2], _ENDS[3])
    return {"x": x[0], "x2": x[1], "y": top, "y2": bottom, "middle": (top + bottom) / 2, "label": label, "side": side}


def _drawn(
    ribbons: list[dict[str, Any]], bars: list[dict[str, Any]], kinds: Sequence[str], places: int
) -> Chart:  # fmt: skip
    across = alt.X("x:Q", scale=alt.Scale(domain=[0, 1], nice=False), axis=None)
    down = alt.Y("y:Q", scale=alt.Scale(domain=[0, 1], reverse=True, nice=False), axis=None)
    said = [_SAID[kind] for kind in kinds]
    colour = alt.Color(
        "kind:N", title=None, scale=alt.Scale(domain=said, range=[COLOURS[kind] for kind in kinds]),
        legend=alt.Legend(orient="top", symbolType="square", labelFontSize=12, symbolOpacity=0.8),
    )  # fmt: skip
    area = alt.Chart(alt.InlineData(values=ribbons)).mark_area(opacity=0.55).encode(
        x=across, y=down, y2="y2:Q", detail="flow:N", color=colour
    )  # fmt: skip
    base = alt.Chart(alt.InlineData(values=bars))
    blocks = base.mark_rect(color="#444444").encode(x=across, x2="x2:Q", y=down, y2="y2:Q")
    left = base.transform_filter("datum.side == 0").mark_text(align="right", dx=-6, fontSize=12)
    right = base.transform_filter("datum.side == 1").mark_text(align="left", dx=6, fontSize=12)
    texts = left.encode(x="x:Q", y="middle:Q", text="label:N"), right.encode(x="x2:Q", y="middle:Q", text="label:N")
    title = alt.TitleParams("Who goes where", anchor="start", frame="bounds", fontSize=15, offset=10)
    chart = alt.layer(area, blocks, *texts).properties(
        width=_WIDTH, height=_LINE * max(places, 4) + 40, title=title, padding=12, background="white"
    )
    plain: Chart = chart.configure(font="DejaVu Sans, Arial, sans-serif").configure_view(stroke=None)
    return plain
