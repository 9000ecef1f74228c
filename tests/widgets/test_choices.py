"""Choices to a setting and back, aliases as lines, groups that are merged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from scimops.errors import SettingError
from scimops.idp import read_export
from scimops.preview import preview_export
from scimops.samples import SETTING, SHAPE_FORMATS, write_sample
from scimops.setting import parse_setting, quick_setting
from scimops.widgets.controls.choices import choices_of, merged, read_aliases, setting_of, written_aliases
from scimops.widgets.controls.facts import IDP_GROUPS, NO_CRITERION, facts_of

BASE = parse_setting(SETTING)


def test_a_setting_goes_through_the_choices_unchanged() -> None:
    assert setting_of(BASE, choices_of(BASE)) == BASE
    for name in ("none", "department", "idp-groups", "city"):
        plain = quick_setting(name, "Everyone")
        assert setting_of(plain, choices_of(plain)) == plain


def test_what_the_panel_does_not_show_is_kept() -> None:
    changed = setting_of(BASE, replace(choices_of(BASE), criterion="column:jobTitle", seats="1,000", active_only=True))
    assert changed.field_mappings == BASE.field_mappings
    assert changed.columns == {"jobTitle": "jobTitle"}
    assert changed.grouping_field == "jobTitle"
    assert changed.seats == 1000
    assert changed.scope.active_only


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        ("seats", "many", "no number of seats"),
        ("aliases", "R&D", "Line 1"),
        ("aliases", "a = b\n\n= c", "Line 3"),
        ("target_group", "x" * 300, "longer than 256"),
    ],
)
def test_what_is_no_setting_is_said_with_what_to_do(part: str, value: str, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        setting_of(BASE, replace(choices_of(BASE), **{part: value}))


def test_aliases_are_lines_and_the_last_equals_sign_counts() -> None:
    aliases = read_aliases("R&D = Engineering\n=cmd|' /C calc'!A0 = Engineering\n a  b=c")
    assert aliases == {"R&D": "Engineering", "=cmd|' /C calc'!A0": "Engineering", "a b": "c"}
    assert read_aliases(written_aliases(aliases)) == aliases


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    return write_sample(tmp_path / "exportUsers.csv", "entra_download_users")


def test_merged_groups_are_one_group_and_nobody_gets_lost(sample: Path) -> None:
    export = read_export(sample)
    before = preview_export(export, BASE)
    chosen = [group for group in before.groups if group.name in ("Engineering", "Enginering", "Operations")]
    assert len(chosen) == 3
    lines = written_aliases(merged(BASE.group_settings.aliases, chosen, "Technology"))
    after = preview_export(export, setting_of(BASE, replace(choices_of(BASE), aliases=lines)))
    names = {group.name: group.members for group in after.groups}
    assert names["Technology"] == sum(group.members for group in chosen)
    assert not {"Engineering", "Enginering", "Operations"} & set(names)
    assert sum(names.values()) == sum(group.members for group in before.groups)


def test_merging_into_one_of_them_and_back_out_of_an_old_alias(sample: Path) -> None:
    export = read_export(sample)
    before = preview_export(export, BASE)
    engineering = next(group for group in before.groups if group.name == "Engineering")
    # R&D was led into Engineering before; now all of Engineering goes into R&D.
    aliases = merged(BASE.group_settings.aliases, [engineering], "R&D")
    after = preview_export(export, setting_of(BASE, replace(choices_of(BASE), aliases=written_aliases(aliases))))
    names = {group.name: group.members for group in after.groups}
    assert names["R&D"] == engineering.members
    assert "Engineering" not in names


@pytest.mark.parametrize("shape", SHAPE_FORMATS)
def test_every_criterion_that_is_offered_can_be_chosen(shape: str, tmp_path: Path) -> None:
    path = write_sample(tmp_path / Path(SHAPE_FORMATS[shape]).name, shape)
    export = read_export(path)
    base = quick_setting()
    facts = facts_of(export, base)
    names = [name for _, name in facts.criteria]
    assert NO_CRITERION in names
    assert ("department" in export.columns) == ("field:department" in names)
    assert ("groups" in export.columns) == (IDP_GROUPS in names)
    for name in names:
        setting = setting_of(base, replace(choices_of(base), criterion=name))
        preview = preview_export(export, setting)
        assert not [
            finding for finding in preview.findings if finding.code == "column_missing" and name in finding.message
        ]
        assert len(preview.groups) <= 60


def test_no_criterion_is_about_one_person(sample: Path) -> None:
    export = read_export(sample)
    names = " ".join(name for _, name in facts_of(export, quick_setting()).criteria)
    assert not any(word in names for word in ("mail", "Name", "objectId", "telephone", "surname"))
