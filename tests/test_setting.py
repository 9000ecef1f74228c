"""Settings: every key, what is refused and in which words, and documents written and read back."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scimops.errors import SettingError
from scimops.setting import (
    BUILT_IN_FIELDS,
    COLUMN_KEYS,
    Setting,
    load_setting,
    parse_setting,
    quick_setting,
    save_setting,
)

GOLDEN = Path(__file__).parent / "golden" / "setting-1.yaml"
GUARDED = GOLDEN.with_name("setting-1-safeguards.yaml")
WATCHED = GOLDEN.with_name("setting-1-window.yaml")


def test_the_golden_setting_of_format_1_is_read_for_ever() -> None:
    setting = load_setting(GOLDEN)
    assert setting.model_dump(mode="json", exclude_none=True, exclude={"safeguards"}) == {
        "format": 1,
        "name": "Acme Entra",
        "field_mappings": [
            {"attribute": 'addresses[type eq "work"].country', "field": "Region"},
            {"attribute": "title", "field": "Job Title"},
        ],
        "identity": {"externalId": "objectId", "userName": "userPrincipalName", "email": "mail"},
        "scope": {"user_types": ["Member", "Contractor"], "active_only": True, "assigned": "assigned.txt"},
        "group_settings": {
            "target_group": "Everyone",
            "criterion": {"field": "Region"},
            "aliases": {"Norge": "Norway", "NO": "Norway"},
            "duplicates": "keep_first",
            "inactive": "keep_group",
        },
        "columns": {
            "department": "Dept",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:division": "Division",
            "Cost Centre": "Cost centre (new)",
        },
        "allowed_domains": ["example.com", "example.org"],
        "seats": 250,
        "max_age": "7d",
    }


def test_the_golden_safeguards_are_read_for_ever() -> None:
    assert load_setting(GUARDED).safeguards.model_dump(mode="json", exclude_none=True) == {
        "deactivate": {"number": 40, "percent": 5},
        "delete": {"number": 0},
        "leave": {"percent": 10},
        "leave_each": {"percent": 60},
        "move": {"number": 1000},
        "empty_groups": 2,
        "minimum": 50,
        "over": "stop",
        "protect": ["ceo@example.com", "svc-*"],
    }


def test_the_golden_window_is_read_for_ever_and_older_settings_are_written_as_they_were() -> None:
    later = {"window": "2w", "grace": "3d", "seats": False}
    said = load_setting(WATCHED).safeguards.model_dump(mode="json")
    assert {name: said[name] for name in later} == later
    old = load_setting(GUARDED).safeguards
    assert (old.window, old.grace, old.seats) == ("7d", None, True)
    assert not set(old.model_dump()) & set(later), "a plan that was sealed before keeps its seal"


def test_the_golden_settings_have_every_key() -> None:
    def keys(schema: dict[str, Any], of: dict[str, Any]) -> set[str]:
        found = set(of.get("properties", {}))
        for part in of.get("properties", {}).values():
            for inner in [part, part.get("items", {}), *part.get("anyOf", [])]:
                if name := inner.get("$ref", "").rpartition("/")[2]:
                    found |= keys(schema, schema["$defs"][name])
        return found

    schema = Setting.model_json_schema()
    text = "".join(path.read_text("utf-8") for path in (GOLDEN, GUARDED, WATCHED))
    missing = {key for key in keys(schema, schema) if f"{key}:" not in text}
    assert missing == {"idp_groups"}  # the other criterion


def test_a_setting_of_one_line_has_the_usual_values() -> None:
    setting = parse_setting("name: Mini")
    assert (setting.format, setting.grouping_field, setting.by_idp_groups, setting.max_age_span) == (
        1,
        None,
        False,
        None,
    )
    groups = setting.group_settings
    assert (groups.duplicates, groups.inactive, groups.target_group, groups.aliases) == (
        "reject_all",
        "no_group",
        None,
        {},
    )
    assert (setting.scope.user_types, setting.scope.active_only, setting.seats) == ([], False, None)


def test_fields_of_a_setting() -> None:
    setting = load_setting(GOLDEN)
    assert setting.fields == [*BUILT_IN_FIELDS, "Region", "Job Title", "Cost Centre"]
    assert setting.custom_fields == ["Region", "Job Title", "Cost Centre"]
    assert setting.grouping_field == "Region"


@pytest.mark.parametrize(
    ("max_age", "span"),
    [
        ("12h", dt.timedelta(hours=12)),
        ("7d", dt.timedelta(days=7)),
        ("2w", dt.timedelta(weeks=2)),
        ("99999w", dt.timedelta(weeks=99999)),
    ],
)
def test_max_age(max_age: str, span: dt.timedelta) -> None:
    assert parse_setting(f"name: A\nmax_age: {max_age}").max_age_span == span


# What is wrong, where, and what is allowed: line and text of the error for one line added to `name: A`

LONG = "x" * 257


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        # unknown keys, with the nearest right one
        ("seat: 3", 2, '"seat" is not known here. Did you mean "seats"?'),
        ("Seats: 3", 2, '"Seats" is not known here. Did you mean "seats"?'),
        ("tokens: 3", 2, '"tokens" is not known here. Allowed: format, name, field_mappings,'),
        (
            "group_settings:\n  target_groop: A",
            3,
            '"group_settings.target_groop" is not known here. Did you mean "target_group"?',
        ),
        (
            "group_settings:\n  criterion:\n    feild: A",
            4,
            '"group_settings.criterion.feild" is not known here. Did you mean "field"?',
        ),
        (
            "field_mappings:\n  - attribute: title\n    field: T\n  - atribute: title\n    field: U",
            5,
            'Did you mean "attribute"?',
        ),
        ("identity: {externalid: x}", 2, 'Did you mean "externalId"?'),
        ("scope:\n  usertypes: []", 3, 'Did you mean "user_types"?'),
        # values
        ("format: 2", 2, '"format" is "2". Allowed: 1.'),
        ("format: '1'", 2, '"format" is text. Write it without quotes.'),
        (
            "group_settings:\n  duplicates: keepfirst",
            3,
            'is "keepfirst". Allowed: reject_all, keep_first or keep_active. Did you mean "keep_first"?',
        ),
        ("group_settings:\n  inactive: drop", 3, 'is "drop". Allowed: no_group, keep_group or reject.'),
        ("group_settings:\n  criterion: {idp_groups: false}", 3, 'is "false". Allowed: true.'),
        ("group_settings:\n  criterion: {idp_groups: 'true'}", 3, "is text. Write it without quotes."),
        ("group_settings:\n  criterion: {}", 3, "needs exactly one of field and idp_groups."),
        (
            "group_settings:\n  criterion: {field: department, idp_groups: true}",
            3,
            "needs exactly one of field and idp_groups.",
        ),
        (
            "group_settings:\n  criterion:\n    field: Deparment",
            4,
            '"group_settings.criterion.field" is no field of this setting. Did you mean "department"?',
        ),
        (
            "group_settings:\n  criterion:\n    field: Region",
            4,
            "is no field of this setting. Allowed: email, firstName, lastName, department, phone.",
        ),
        ("group_settings:\n  criterion: {field: 'A|B'}\ncolumns: {'A|C': x}", 3, 'Did you mean "A|C"?'),
        ("group_settings:\n  target_group: ' '", 3, '"group_settings.target_group" must not be blank.'),
        (
            'group_settings:\n  target_group: "\\e[31m"',
            3,
            '"group_settings.target_group" must not hold control characters.',
        ),
        ('group_settings:\n  target_group: "\\ud800"', 3, '"group_settings.target_group" holds half a character.'),
        ("group_settings:\n  aliases:\n    R&D: ''", 4, '"group_settings.aliases.R&D" must not be empty.'),
        ("group_settings:\n  aliases:\n    '': A", 4, "must not be empty."),
        (f"group_settings:\n  target_group: {LONG}", 3, "is longer than 256 characters."),
        ("seats: -1", 2, '"seats" must be 0 or more.'),
        ("max_age: 7", 2, '"max_age" must be text; put it in quotes.'),
        ("max_age: 0d", 2, '"max_age" is "0d". Allowed: a number with h, d or w, such as 12h, 7d, 2w.'),
        (
            "field_mappings:\n  - {attribute: 'a b', field: X}",
            3,
            "is no SCIM attribute path; such are title, name.givenName,",
        ),
        ("field_mappings:\n  - attribute: title", 3, '"field_mappings.0.field" is missing.'),
        (
            f"field_mappings:\n  - attribute: title\n    field: {'x' * 65}",
            4,
            '"field_mappings.0.field" is longer than 64 characters.',
        ),
        (
            "field_mappings:\n  - attribute: title\n    field: department",
            4,
            'is "department", which every person has already. Name another field',
        ),
        ("field_mappings:\n  - attribute: title\n    field: active", 4, 'is "active", which every person has already.'),
        (
            "field_mappings:\n  - {attribute: title, field: T}\n  - {attribute: nickName, field: T}",
            4,
            'is "T", which stands there twice. Keep one.',
        ),
        # types
        ("seats: '3'", 2, '"seats" must be a whole number.'),
        ("seats: 1.0", 2, '"seats" must be a whole number.'),
        ("seats: yes", 2, '"seats" must be a whole number.'),
        ("scope:\n  active_only: yes", 3, '"scope.active_only" must be true or false.'),
        ("scope:\n  active_only: 1", 3, '"scope.active_only" must be true or false.'),
        ("scope:\n  user_types: Member", 3, '"scope.user_types" must be a list (lines that begin with -).'),
        ("scope:\n  user_types: [Member, 1]", 3, '"scope.user_types.1" must be text; put it in quotes.'),
        ("scope:", 2, '"scope" must be keys and values.'),
        ("group_settings: Everyone", 2, '"group_settings" must be keys and values.'),
        (
            "group_settings:\n  target_group: 2026-01-01",
            3,
            '"group_settings.target_group" must be text; put it in quotes.',
        ),
        ("group_settings:\n  aliases: [a]", 3, '"group_settings.aliases" must be keys and values.'),
        ("columns:\n  department: 7", 3, '"columns.department" must be text; put it in quotes.'),
    ],
)
def test_what_is_wrong_is_said_with_line_key_and_what_is_allowed(text: str, line: int, says: str) -> None:
    with pytest.raises(SettingError) as caught:
        parse_setting(f"name: A\n{text}", "acme.yaml")
    assert caught.value.where == f"acme.yaml, line {line}"
    assert says in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("text", ["seats: 3", "format: 1\nseats: 3", "{}"])
def test_a_setting_needs_a_name(text: str) -> None:
    with pytest.raises(SettingError, match='"name" is missing'):
        parse_setting(text)


@pytest.mark.parametrize("name", ["''", "' '", "x" * 31, '"\\0"', "1", "null", "[]"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(SettingError, match='"name"'):
        parse_setting(f"name: {name}")


def test_the_first_unknown_key_comes_before_wrong_values() -> None:
    with pytest.raises(SettingError, match='"sseats"'):
        parse_setting("name: 1\nsseats: 1")


def test_a_changed_setting_is_checked_too() -> None:
    setting = parse_setting("name: A")
    with pytest.raises(ValueError, match="seats"):
        setting.seats = -1


# Quick settings


@pytest.mark.parametrize("word", [None, "none"])
def test_quick_setting_without_a_criterion(word: str | None) -> None:
    assert quick_setting(word, "Everyone").group_settings.criterion is None


def test_quick_setting_with_the_groups_of_the_identity_provider() -> None:
    assert quick_setting("idp-groups").by_idp_groups


@pytest.mark.parametrize(
    ("word", "field", "columns"),
    [
        ("department", "department", {}),
        ("Cost Centre", "Cost Centre", {"Cost Centre": "Cost Centre"}),
        (
            "Org Unit Path [Required]",
            "Org Unit Path [Required]",
            {"Org Unit Path [Required]": "Org Unit Path [Required]"},
        ),
        ("userType", "UserType", {"UserType": "userType"}),
        ("profile.division", "profile.division", {"profile.division": "profile.division"}),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "department", {}),
    ],
)
def test_quick_setting_by_a_field_or_column(word: str, field: str, columns: dict[str, str]) -> None:
    setting = quick_setting(word)
    assert (setting.grouping_field, setting.columns) == (field, columns)


def test_quick_setting_by_an_attribute_path() -> None:
    path = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter"
    setting = quick_setting(path)
    assert setting.grouping_field == "costCenter"
    assert [(mapping.attribute, mapping.field) for mapping in setting.field_mappings] == [(path, "costCenter")]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"target_group": ""}, '"group_settings.target_group" must not be empty.'),
        ({"target_group": " "}, '"group_settings.target_group" must not be blank.'),
        ({"group_by": ""}, "must not be empty."),
        ({"group_by": "x\x1b"}, "must not hold control characters."),
        ({"name": "x" * 31}, '"name" is longer than 30 characters.'),
    ],
)
def test_a_wrong_quick_setting_is_an_error_in_words(arguments: dict[str, str], says: str) -> None:
    with pytest.raises(SettingError) as caught:
        quick_setting(**arguments)
    assert says in str(caught.value)


# Written and read back

WORDS = st.sampled_from(
    [
        "no",
        "Yes",
        "~",
        "null",
        "1",
        "007",
        "1.10",
        "2026-01-01",
        "0x1F",
        "12:30",
        "=",
        "<<",
        "- a",
        "a: b",
        "# c",
        "'q'",
        '"',
        "a\nb",
        "\ttab",
        "tail ",
        " head",
        "ü",
        "😀",
        "&a",
        "*a",
        "!t",
        "%d",
        "@",
        "`",
        "{x}",
        "[y]",
        "|",
        ">",
        "?",
        "\u2028",
        "\u200b",
        "\x85",
    ]
)
TEXT = (WORDS | st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=20)).filter(
    lambda text: text.strip() and not any(0x7F <= ord(letter) <= 0x9F for letter in text)
)
SETTINGS = st.builds(
    lambda names, aliases, criterion, seats, domains, columns, **rest: Setting.model_validate(
        {
            "name": names[:30].strip() or "A",
            "group_settings": {"aliases": aliases, "criterion": criterion, "target_group": names, **rest},
            "seats": seats,
            "allowed_domains": domains,
            "columns": columns,
        }
    ),
    names=TEXT,
    aliases=st.dictionaries(TEXT, TEXT, max_size=4),
    criterion=st.sampled_from([None, {"idp_groups": True}, {"field": "department"}]),
    seats=st.none() | st.integers(0, 10**12),
    domains=st.lists(TEXT, max_size=3),
    columns=st.dictionaries(st.sampled_from(COLUMN_KEYS) | TEXT, TEXT, max_size=3),
    duplicates=st.sampled_from(["reject_all", "keep_first", "keep_active"]),
    inactive=st.sampled_from(["no_group", "keep_group", "reject"]),
)
FILES = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("settings")


@given(SETTINGS)
@FILES
def test_what_is_saved_is_what_is_loaded(folder: Path, setting: Setting) -> None:
    path = folder / "new.yaml"
    path.unlink(missing_ok=True)
    save_setting(setting, path)
    assert load_setting(path) == setting


@given(SETTINGS, SETTINGS)
@FILES
def test_what_is_saved_over_another_is_what_is_loaded(folder: Path, one: Setting, two: Setting) -> None:
    path = folder / "over.yaml"
    path.unlink(missing_ok=True)
    save_setting(one, path)
    save_setting(two, path)
    assert load_setting(path) == two


@given(SETTINGS)
@FILES
def test_a_setting_as_json_is_read_too(setting: Setting) -> None:
    """JSON is YAML, and programs write a character beyond U+FFFF as two escapes."""
    document = setting.model_dump(mode="json", exclude_none=True)
    assert parse_setting(json.dumps(document, ensure_ascii=True)) == setting


def test_the_golden_setting_round_trips(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOLDEN.read_text("utf-8"), "utf-8")
    save_setting(load_setting(GOLDEN), tmp_path / "a.yaml")
    assert (tmp_path / "a.yaml").read_text("utf-8") == GOLDEN.read_text("utf-8")


@pytest.mark.parametrize("text", ["\ufffe", "a\uffffb", "\U0001fffe", "\u2028", "x\u2029x", "\ufeffx"])
def test_odd_characters_are_written_as_escapes(tmp_path: Path, text: str) -> None:
    setting = Setting.model_validate({"name": "A", "columns": {"email": f"x{text}"}})
    save_setting(setting, tmp_path / "odd.yaml")
    assert load_setting(tmp_path / "odd.yaml") == setting
