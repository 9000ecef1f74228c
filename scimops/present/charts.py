"""Pictures of a preview: people per group, and what becomes of everybody; each with words that say the same.

A chart is a Vega-Lite specification that holds its few numbers itself; vl-convert draws it as PNG without a browser and
without a network. Names of groups are values of the data, never part of an expression.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import TYPE_CHECKING

import altair as alt
import vl_convert

from scimops.present.words import KINDS, ReasonRow, many, people, reason_rows, shortened, visible

if TYPE_CHECKING:
    from scimops.preview import Group, Preview

GROUPS_SHOWN = 20
"""How many groups have a bar of their own; the others share the last one."""

_WIDTH, _BAR = 460, 22
_NAME, _SENTENCE = 38, 58
_FONT = "DejaVu Sans, Arial, sans-serif"
_BLUE, _SKY, _GREY, _VERMILION, _ORANGE = "#0072B2", "#56B4E9", "#999999", "#D55E00", "#E69F00"
_KIND_COLOURS: dict[str, str] = dict(zip(KINDS, (_BLUE, _SKY, _GREY, _VERMILION), strict=True))
"""Okabe and Ito's colours, which people with any colour vision tell apart."""

Chart = alt.LayerChart
Bar = dict[str, str | int]


def as_png(chart: Chart) -> bytes:
    """`chart` as the bytes of a PNG file; nothing is fetched."""
    png: bytes = vl_convert.vegalite_to_png(chart.to_dict(), scale=2, allowed_base_urls=[])
    return png


def groups_chart(preview: Preview, hidden: Collection[str] = ()) -> Chart:
    """People per group as bars: the largest groups and the target group, which has another colour; the rest is counted.

    The groups that are not shown have a line of text and no bar: together they would dwarf all others. Groups whose
    keys are in `hidden` are shown without their names.
    """
    if not preview.groups:
        return _message("Nobody lands in a group.")
    target = preview.grouping.target_key
    shown, rest = _largest(preview.groups, target)
    labels = [_named(group, hidden) for group in shown]
    labels = _unique([*labels, many(len(rest), "more group")] if rest else labels)
    bars: list[Bar] = []
    for label, group in zip(labels, shown, strict=False):
        kind = "target group" if group.group_key == target else "group"
        text = f"{group.members:,}" + (" (target group)" if kind == "target group" else "")
        bars.append({"label": label, "people": group.members, "kind": kind, "text": text})
    if rest:
        together = sum(group.members for group in rest)
        bars.append({"label": labels[-1], "people": 0, "kind": "group", "text": f"{together:,} together"})
    return _bars(bars, {"group": _BLUE, "target group": _ORANGE}, "People in each group")


def _largest(groups: list[Group], target: str | None) -> tuple[list[Group], list[Group]]:
    """The groups that have a bar, the target group always among them, and the others."""
    if len(groups) <= GROUPS_SHOWN:
        return groups, []
    caught = [group for group in groups[GROUPS_SHOWN:] if group.group_key == target]
    shown = groups[: GROUPS_SHOWN - len(caught)] + caught
    return shown, [group for group in groups[GROUPS_SHOWN - len(caught) :] if group.group_key != target]


def reasons_chart(preview: Preview) -> Chart:
    """What becomes of everybody as bars: one for each reason, coloured and named by what it leads to."""
    rows = reason_rows(preview)
    if not rows:
        return _message("The export holds no people.")
    labels = _unique([shortened(_brief(row), _SENTENCE) for row in rows])
    bars: list[Bar] = [
        {"label": label, "people": row.count, "kind": row.kind, "text": f"{row.count:,} {row.kind}"}
        for label, row in zip(labels, rows, strict=True)
    ]
    return _bars(bars, _KIND_COLOURS, "What becomes of everybody in the export")


def groups_words(preview: Preview, hidden: Collection[str] = ()) -> str:
    """What :func:`groups_chart` shows, in plain sentences."""
    groups = preview.groups
    if not groups:
        return "Nobody lands in a group."
    largest, target = groups[0], preview.grouping.target_key
    total = preview.members["n"].n_unique()
    text = f"{people(total)} {'lands' if total == 1 else 'land'} in {many(len(groups), 'group')}"
    if len(groups) > 1:
        text += f"; the largest is {_quoted(largest, hidden)} with {largest.members:,}"
    caught = next((group for group in groups if group.group_key == target), None)
    if caught is None:
        return f"{text}."
    return f"{text}. The target group {_quoted(caught, hidden)} holds {people(caught.members)}."


def reasons_words(preview: Preview) -> str:
    """What :func:`reasons_chart` shows, in plain sentences."""
    rows = reason_rows(preview)
    if not rows:
        return "The export holds no people."
    kinds: Counter[str] = Counter()
    for row in rows:
        kinds[row.kind] += row.count
    counts = ", ".join(f"{kinds[kind]:,} {kind}" for kind in KINDS if kinds[kind])
    text = f"Of {many(preview.rows, 'record')}: {counts}."
    lost = max((row for row in rows if row.kind == "rejected"), key=lambda row: row.count, default=None)
    return f"{text} The most frequent reason for a rejection: {_brief(lost)} ({lost.count:,})." if lost else text


def _named(group: Group, hidden: Collection[str]) -> str:
    return "(a person's name)" if group.group_key in hidden else shortened(group.name, _NAME)


def _quoted(group: Group, hidden: Collection[str]) -> str:
    return f"“{_named(group, hidden)}”"


def _brief(row: ReasonRow) -> str:
    """A reason's sentence without its end, which the kind says already."""
    return row.sentence.removesuffix(" and will be rejected").removesuffix(" and will not be sent")


def _unique(labels: list[str]) -> list[str]:
    """Labels that differ, because bars with one label would be drawn as one bar."""
    seen: Counter[str] = Counter()
    result: list[str] = []
    for label in labels:
        seen[label] += 1
        name = label if seen[label] == 1 else f"{label} ({seen[label]})"
        while name in result:
            seen[label] += 1
            name = f"{label} ({seen[label]})"
        result.append(name)
    return result


def _bars(bars: list[Bar], colours: dict[str, str], title: str) -> Chart:
    """Horizontal bars in the order given; `kind` decides the colour, `text` stands at the end of each bar."""
    kinds = [kind for kind in colours if any(bar["kind"] == kind for bar in bars)]
    # The text at the end of the longest bar needs room that a scale of its own would not leave.
    room = alt.Scale(domain=[0, max(int(bar["people"]) for bar in bars) * 1.35], nice=False)
    names = alt.Axis(labelLimit=440, labelFontSize=12, labelPadding=8, ticks=False, domain=False)
    base = alt.Chart(_values(bars)).encode(
        y=alt.Y("label:N", sort=None, title=None, axis=names), x=alt.X("people:Q", scale=room, axis=None)
    )
    colour = alt.Color(
        "kind:N", title=None, scale=alt.Scale(domain=kinds, range=[colours[kind] for kind in kinds]),
        legend=alt.Legend(orient="top", symbolType="square", labelFontSize=12) if len(kinds) > 1 else None,
    )  # fmt: skip
    text = base.mark_text(align="left", dx=6, fontSize=12, color="#222222").encode(text="text:N")
    return _finished(alt.layer(base.mark_bar(height=_BAR * 0.7).encode(color=colour), text), title, _BAR * len(bars))


def _message(text: str) -> Chart:
    mark = alt.Chart(_values([{"text": visible(text)}])).mark_text(fontSize=15, color="#444444").encode(text="text:N")
    return _finished(alt.layer(mark), "", 80)


def _values(rows: list[Bar]) -> alt.InlineData:
    return alt.InlineData(values=rows)


def _finished(chart: alt.LayerChart | alt.FacetChart, title: str, height: int) -> Chart:
    shown = alt.TitleParams(title, anchor="start", frame="bounds", fontSize=15, offset=10)
    sized = chart.properties(width=_WIDTH, height=height, title=shown, padding=12, background="white")
    plain: Chart = sized.configure(font=_FONT).configure_view(stroke=None)
    return plain
