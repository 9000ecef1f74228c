"""Tables as a terminal prints them."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from scimops.grouping import REASONS
from scimops.present import tables
from scimops.present.tables import compare_tables, explain_text, preview_tables, read_table
from scimops.present.words import reason_rows, visible
from scimops.preview import preview_export
from scimops.preview.compare import compare
from scimops.preview.explain import explain
from scimops.preview.personal import named_after_people
from scimops.setting import quick_setting


def printed(renderable, width=200, **options):
    console = Console(record=True, width=width, file=io.StringIO(), **options)
    console.print(renderable)
    return console.export_text()


@pytest.mark.parametrize("width", [60, 120, 200])
def test_names_are_shown_as_they_are(hostile, width):
    text = printed(preview_tables(hostile), width)
    assert "Sales [/x]" in text
    if width == 200:
        assert "<img onerror=alert(1) src=x>" in text
        assert "![x](http://127.0.0.1:9/x.png)" in text
        assert "\\u202eabc" in text


def test_no_value_reaches_the_terminal_as_a_command(hostile):
    console = Console(width=200, force_terminal=True, color_system="truecolor")
    with console.capture() as capture:
        console.print(preview_tables(hostile))
        console.print(read_table(hostile.export))
        for row in range(1, hostile.rows + 1):
            console.print(explain_text(explain(hostile, str(row))[0]))
    text = capture.get()
    ours = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", ours)
    assert "\x1b[31mbin" not in text


def test_the_four_numbers_stand_first(sample):
    lines = [re.sub(r"\s+", " ", line).strip() for line in printed(preview_tables(sample)).splitlines()]
    numbers = sample.numbers
    assert lines[:4] == [
        f"{numbers.will_arrive} will arrive people who will be created or kept active",
        f"{numbers.groups} groups groups with members",
        f"{numbers.to_fix} to fix people who are rejected",
        f"{numbers.seats} seats seats of the licence they take (active people only)",
    ]
    assert lines[5].startswith(f"First: {sample.findings[0].message}")
    assert "Nothing left this computer." in lines


def test_a_cluster_is_not_this_computer(sample):
    text = printed(preview_tables(replace(sample, backend="spark://master:7077")))
    assert "Nothing left this computer" not in text
    assert "Nothing was sent to the platform; rows were computed on spark://master:7077." in text


def test_reasons_are_sentences_and_add_up(sample):
    text = printed(preview_tables(sample))
    for reason, count in sample.reasons.items():
        assert re.search(rf"^\s*{count}\s+{re.escape(REASONS[reason])}\s*$", text, re.MULTILINE)
        assert reason not in text or reason in ("matched", "alias", "everyone", "inactive")
    assert sum(row.count for row in reason_rows(sample)) == sample.rows
    assert f"{sample.rows}   records in the export" in text


@pytest.mark.parametrize("inactive", ["no_group", "keep_group", "reject"])
def test_who_arrives_adds_up_under_every_policy(look, inactive):
    people = [
        {},
        {"accountEnabled": "False"},
        {"department": ""},
        {"department": "", "accountEnabled": "False"},
        {"mail": "x"},
    ]
    preview = look(people, group_settings={"inactive": inactive})
    rows = reason_rows(preview)
    assert sum(row.count for row in rows) == preview.rows
    assert sum(row.count for row in rows if row.kind == "arriving") == preview.numbers.will_arrive == 2
    assert sum(row.count for row in rows if row.kind == "rejected") == preview.numbers.to_fix == 1


def test_what_is_not_shown_is_counted(sample, monkeypatch):
    monkeypatch.setattr(tables, "ROWS_SHOWN", 3)
    text = printed(preview_tables(sample))
    rest = sample.groups[3:]
    assert f"… and {len(rest)} more groups with {sum(group.members for group in rest)} members" in text
    other = preview_export(sample.export, quick_setting("country", "Everyone"))
    comparison = compare(sample, other)
    text = printed(compare_tables(comparison))
    assert f"… and {comparison.people.height - 3} more people" in text
    moved = sum(move["people"] for move in comparison.moves[3:])
    assert f"… and {len(comparison.moves) - 3} more moves of {moved} people" in text


def test_nothing_changes(sample):
    text = printed(compare_tables(compare(sample, sample)))
    assert text.strip() == "0 people differ, 198 stay as they are."


def test_read(sample):
    text = printed(read_table(sample.export))
    assert "exportUsers.csv" in text
    assert "too short: 4 values" in text
    assert "userPrincipalName" in text


def test_explain(hostile):
    text = printed(explain_text(explain(hostile, "1")[0]))
    assert text.rstrip().endswith('This person lands in the group of their own value: "Sales [/x]".')


def test_every_control_character_is_made_visible():
    for code in (*range(0x20), 0x7F, *range(0x80, 0xA0), 0x202E, 0x200B, 0xFEFF):
        shown = visible(f"a{chr(code)}b")
        assert chr(code) not in shown
        assert shown.isprintable()
    assert visible("می\u200cخواهم") == "می\u200cخواهم"


def test_groups_named_after_people_are_known(look):
    people = [{"givenName": "Anna", "surname": "Kurz", "department": "Bo Lang"}, {"givenName": "Bo", "surname": "Lang"}]
    people += [{"department": name} for name in ("KURZ, Anna ", "u2@example.com", "boss@elsewhere.example")]
    preview = look(people)
    assert named_after_people(preview) == {"bo lang", "kurz, anna", "u2@example.com", "boss@elsewhere.example"}
    by_mail = preview_export(preview.export, quick_setting("email", "Everyone"))
    assert len(named_after_people(by_mail)) == 5
