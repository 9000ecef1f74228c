"""YAML read strictly and written back with comments kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from scimops.errors import SettingError
from scimops.setting import Setting, load_setting, parse_setting, save_setting
from scimops.yaml_documents import MAX_NODES, MAX_YAML

COMMENTED = """\
# Settings of Acme, reviewed by Ann.
format: 1
name: Acme # the name on the platform

group_settings:
  # Everyone else goes here.
  target_group: Everyone
  duplicates: reject_all # nobody is chosen silently
  aliases:
    # Their old name.
    R&D: 'Engineering'
    Research: Engineering
scope:
  # Guests are left out.
  user_types: []
seats: 250
"""


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    path = tmp_path / "acme.yaml"
    path.write_text(COMMENTED, "utf-8")
    return path


# Comments


def test_saving_what_was_loaded_changes_no_byte(acme: Path) -> None:
    save_setting(load_setting(acme), acme)
    assert acme.read_text("utf-8") == COMMENTED


def test_comments_and_order_stay_when_values_change(acme: Path) -> None:
    setting = load_setting(acme)
    setting.name = "Acme 2"
    setting.group_settings.target_group = "All: of us"
    setting.group_settings.duplicates = "keep_active"
    setting.scope.user_types = ["Member"]
    save_setting(setting, acme)
    changed = acme.read_text("utf-8")
    assert load_setting(acme) == setting
    for comment in (
        "# Settings of Acme, reviewed by Ann.",
        "# the name on",
        "# Everyone else",
        "# nobody is",
        "# Their old",
        "# Guests",
    ):
        assert comment in changed
    assert [line.split(":")[0] for line in changed.splitlines() if line[:1].isalpha()] == [
        "format", "name", "group_settings", "scope", "seats",
    ]  # fmt: skip


def test_a_value_that_is_usual_again_stays_where_it_was_written(acme: Path) -> None:
    setting = load_setting(acme)
    setting.group_settings.duplicates = "keep_first"
    save_setting(setting, acme)
    setting.group_settings.duplicates = "reject_all"
    save_setting(setting, acme)
    assert acme.read_text("utf-8") == COMMENTED


def test_keys_that_are_gone_go_and_new_ones_come(acme: Path) -> None:
    setting = load_setting(acme)
    setting.seats = None
    setting.group_settings.aliases = {"Research": "Engineering", "Labs": "Engineering"}
    setting.group_settings.inactive = "reject"
    save_setting(setting, acme)
    changed = acme.read_text("utf-8")
    assert load_setting(acme) == setting
    assert "seats" not in changed
    assert "R&D" not in changed
    assert "Labs: Engineering" in changed
    assert "inactive: reject" in changed


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{field: department}", {"idp_groups": True}),
        ("{idp_groups: true}", {"field": "department"}),
        ("null", {"field": "email"}),
    ],
)
def test_another_criterion(tmp_path: Path, before: str, after: dict[str, object]) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(f"name: A\ngroup_settings:\n  criterion: {before}\n", "utf-8")
    setting = Setting.model_validate({"name": "A", "group_settings": {"criterion": after}})
    save_setting(setting, path)
    assert load_setting(path) == setting


def test_a_new_document_says_only_what_is_not_usual(tmp_path: Path) -> None:
    save_setting(Setting(name="A", seats=3), tmp_path / "new.yaml")
    assert (tmp_path / "new.yaml").read_text("utf-8") == "format: 1\nname: A\nseats: 3\n"


def test_nothing_is_left_beside_the_document(acme: Path) -> None:
    save_setting(load_setting(acme), acme)
    assert list(acme.parent.iterdir()) == [acme]


def test_a_document_that_cannot_be_read_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("name: A\nname: B\n", "utf-8")
    with pytest.raises(SettingError, match="stands there twice"):
        save_setting(Setting(name="C"), path)
    assert path.read_text("utf-8") == "name: A\nname: B\n"


# Strictness


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("name: A\nname: B", 2, "a key stands there twice. Keep one."),
        ("name: A\nscope:\n  active_only: true\n  active_only: true", 4, "a key stands there twice."),
        ("name: A\ncolumns: {a: b, a: c}", 2, "a key stands there twice."),
        ("name: &x A", 1, "anchors (&) and aliases (*) are not allowed. Write it out."),
        ("name: A\nallowed_domains: *x", 2, "anchors (&) and aliases (*) are not allowed."),
        ("name: A\nallowed_domains: &d\n  - a.example", 2, "anchors (&) and aliases (*) are not allowed."),
        ("name: !!str A", 1, "tags (!) are not allowed. Write plain values."),
        ("name: A\nscope: !!python/object:os.system {}", 2, "tags (!) are not allowed."),
        ("name: A\n<<: {seats: 3}", 2, "merge keys (<<) are not allowed."),
        ("name: A\n1: b", 2, 'the key "1" must be text. Put it in quotes.'),
        ("name: A\ngroup_settings:\n  aliases:\n    007: B", 4, 'the key "7" must be text.'),
        ("name: A\ngroup_settings:\n  aliases:\n    ~: B", 4, 'the key "null" must be text.'),
        ("name: A\ngroup_settings:\n  aliases:\n    true: B", 4, 'the key "true" must be text.'),
        ("name: A\ngroup_settings:\n  aliases:\n    2026-01-01: B", 4, 'the key "2026-01-01" must be text.'),
        ("name: A\nfield_mappings:\n  - attribute: title\n    1: B", 4, 'the key "1" must be text.'),
        ("name: A\n\tseats: 1", 2, "this is not YAML"),
        ("name: 'A", 1, "this is not YAML"),
        ("name: A\nscope: {a", 2, "this is not YAML"),
        ("---\nname: A\n---\nname: B", 3, "this is not YAML: but found another document."),
    ],
)
def test_what_is_refused_with_its_line(text: str, line: int, says: str) -> None:
    with pytest.raises(SettingError) as caught:
        parse_setting(text, "a.yaml")
    assert caught.value.where == f"a.yaml, line {line}"
    assert says in str(caught.value)


@pytest.mark.parametrize("text", ["", "# nothing\n", "just text", "- a\n- b", "42", "null", "---\n...\n"])
def test_what_is_no_document_of_keys_and_values(text: str) -> None:
    with pytest.raises(SettingError, match="no list of keys and values"):
        parse_setting(text)


def test_control_characters_are_no_yaml() -> None:
    with pytest.raises(SettingError, match="this is not YAML: unacceptable character"):
        parse_setting("name: \x07")


@pytest.mark.parametrize("word", ["no", "No", "NO", "yes", "on", "off", "y", "n", "Norway"])
def test_norway_is_a_country(word: str) -> None:
    setting = parse_setting(f"name: {word}\ngroup_settings:\n  aliases:\n    {word}: Scandinavia\n")
    assert setting.name == word
    assert setting.group_settings.aliases == {word: "Scandinavia"}


def test_old_yaml_does_not_make_norway_false() -> None:
    with pytest.raises(SettingError, match='"name" must be text; put it in quotes'):
        parse_setting("%YAML 1.1\n---\nname: no")


# Limits


def test_a_document_of_more_than_a_megabyte(tmp_path: Path) -> None:
    text = "name: A\n" + "#" * MAX_YAML
    (tmp_path / "big.yaml").write_text(text, "utf-8")
    for read in (lambda: parse_setting(text), lambda: load_setting(tmp_path / "big.yaml")):
        with pytest.raises(SettingError, match="at most 1 MB"):
            read()


def test_a_document_of_too_many_values() -> None:
    with pytest.raises(SettingError, match=f"at most {MAX_NODES:,} values"):
        parse_setting("name: A\nallowed_domains: [" + "a," * MAX_NODES + "]")


def test_many_values_are_read() -> None:
    domains = "".join(f"  - d{n}.example\n" for n in range(2_000))
    assert len(parse_setting(f"name: A\nallowed_domains:\n{domains}").allowed_domains) == 2_000


@pytest.mark.parametrize("depth", [50, 300, 20_000])
@pytest.mark.parametrize("form", ["[{}]", '{{"a": {}}}', "{{? {} : b}}"])
def test_deep_nesting_is_an_error_in_words(depth: int, form: str) -> None:
    """The YAML parser's time grows with the square of the depth, and it recurses: 20,000 brackets would stop us."""
    start, end = form.format("\0").split("\0")
    with pytest.raises(SettingError, match="not nested so deeply"):
        parse_setting(f"name: A\nscope: {start * depth}{end * depth}")


def test_deep_nesting_by_indentation() -> None:
    with pytest.raises(SettingError, match="not nested so deeply"):
        parse_setting("name: A\nscope:\n" + "\n".join(" " * n + "- " for n in range(1, 300)))


# Files


@pytest.mark.parametrize("text", ["\ufeffname: Ä\n", "name: Ä\r\n", "name: Ä"])
def test_marks_and_line_ends_of_other_systems(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_bytes(text.encode())
    assert load_setting(tmp_path / "a.yaml").name == "Ä"


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes("name: Ä".encode("latin-1"))
    for name, says in (("absent.yaml", "no such file"), (".", "no such file"), ("latin.yaml", "not UTF-8")):
        with pytest.raises(SettingError, match=says) as caught:
            load_setting(tmp_path / name)
        assert caught.value.where == str(tmp_path / name)
