"""Pictures: what they hold, what the words beside them say, and that names are data in them."""

from __future__ import annotations

import json
import struct

import pytest

from scimops.present.charts import GROUPS_SHOWN, as_png, groups_chart, groups_words, reasons_chart, reasons_words
from scimops.preview import preview_export
from scimops.setting import quick_setting


def rows(chart):
    (data,) = chart.to_dict()["datasets"].values()
    return data


def many_groups(look, count=300, **parts):
    return look([{"department": f"Department {number:03d}"} for number in range(count)] + [{"department": ""}], **parts)


@pytest.mark.parametrize("chart", [groups_chart, reasons_chart])
@pytest.mark.parametrize("case", ["hostile", "one", "many", "nobody"])
def test_a_picture_is_drawn(chart, case, hostile, look):
    preview = {
        "hostile": lambda: hostile,
        "one": lambda: look([{}]),
        "many": lambda: many_groups(look),
        "nobody": lambda: look([]),
    }[case]()
    png = as_png(chart(preview))
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    assert width > 300
    assert height > 100
    assert len(png) > 5_000


def test_names_are_data_and_nothing_else(hostile):
    spec = groups_chart(hostile).to_dict()
    labels = [row["label"] for row in rows(groups_chart(hostile))]
    assert "<img onerror=alert(1) src=x>" in labels
    del spec["datasets"]
    assert "onerror" not in json.dumps(spec)
    assert "expr" not in json.dumps(spec)


def test_groups_add_up_and_the_target_group_is_always_there(look):
    preview = many_groups(look)
    bars = rows(groups_chart(preview))
    assert len(bars) == GROUPS_SHOWN + 1
    assert bars[-1]["label"] == f"{len(preview.groups) - GROUPS_SHOWN} more groups"
    together = int(bars[-1]["text"].split()[0].replace(",", ""))
    assert sum(bar["people"] for bar in bars) + together == 301
    assert [bar["label"] for bar in bars if bar["kind"] == "target group"] == ["Everyone"]
    assert "1 (target group)" in [bar["text"] for bar in bars]


def test_long_names_are_shortened_and_stay_apart(look):
    long = "Department for the Coordination of International Affairs "
    bars = rows(groups_chart(look([{"department": long + letter} for letter in "abc"])))
    labels = [bar["label"] for bar in bars]
    assert len(set(labels)) == 3
    assert all("…" in label and len(label) <= 42 for label in labels)


def test_colour_is_never_the_only_carrier(sample):
    bars = rows(reasons_chart(sample))
    assert sum(bar["people"] for bar in bars) == sample.rows
    for bar in bars:
        assert bar["text"] == f"{bar['people']:,} {bar['kind']}"
    assert {bar["kind"] for bar in bars} == {"arriving", "not active", "rejected"}


def test_words(sample, look):
    first, numbers = sample.groups[0], sample.numbers
    everyone = next(group for group in sample.groups if group.name == "Everyone")
    assert groups_words(sample) == (
        f"{numbers.will_arrive} people land in {numbers.groups} groups; the largest is “{first.name}” with "
        f"{first.members}. The target group “Everyone” holds {everyone.members} people."
    )
    off = sample.reasons["inactive"]
    assert reasons_words(sample).startswith(
        f"Of 200 records: {numbers.will_arrive} arriving, {off} not active, {numbers.to_fix} rejected. "
    )
    assert groups_words(look([])) == "Nobody lands in a group."
    assert reasons_words(look([])) == "The export holds no people."
    assert groups_words(look([{}])) == "1 person lands in 1 group."
    single = look([{}, {}], group_settings={"criterion": None, "target_group": None})
    assert groups_words(single) == "Nobody lands in a group."


def test_hidden_names(sample):
    first = sample.groups[0]
    labels = [bar["label"] for bar in rows(groups_chart(sample, hidden={first.group_key}))]
    assert first.name not in labels
    assert "(a person's name)" in labels
    assert first.name not in groups_words(sample, hidden={first.group_key})


def test_out_of_scope(sample):
    setting = quick_setting("department", "Everyone")
    setting.scope.user_types = ["Guest"]
    preview = preview_export(sample.export, setting)
    assert "out of scope" in reasons_words(preview)
    assert {bar["kind"] for bar in rows(reasons_chart(preview))} >= {"out of scope"}
