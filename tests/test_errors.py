"""The tree of errors, findings, and the words they are told in."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import pytest

from scimops import errors
from scimops.errors import (
    CATALOGUE,
    ROW_NUMBERS_KEPT,
    Finding,
    IncompleteSourceError,
    ScimopsError,
    SettingError,
    ShapeTieError,
    SourceError,
    UsageError,
    finding,
    nearest,
    people,
)


@pytest.mark.parametrize(
    ("kind", "parent", "code"),
    [
        (ScimopsError, Exception, 1),
        (UsageError, ScimopsError, 2),
        (SettingError, UsageError, 2),
        (SourceError, ScimopsError, 1),
        (ShapeTieError, SourceError, 2),
        (IncompleteSourceError, ScimopsError, 5),
    ],
)
def test_the_tree(kind: type[ScimopsError], parent: type[Exception], code: int) -> None:
    assert kind.__bases__ == (parent,)
    assert kind.exit_code == code
    assert f"{kind.__name__} {code}" in (errors.__doc__ or "")


def test_every_error_is_drawn_in_the_tree() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert all(kind.__name__ in (errors.__doc__ or "") for kind in kinds)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ScimopsError("It broke."), "It broke."),
        (ScimopsError("it broke.", where="a.csv"), "a.csv: it broke."),
        (ScimopsError("it broke.", where="a.csv", advice="Mend it."), "a.csv: it broke. Mend it."),
        (ScimopsError("It broke.", advice="Mend it."), "It broke. Mend it."),
    ],
)
def test_an_error_says_where_what_and_what_to_do(error: ScimopsError, text: str) -> None:
    assert str(error) == text


@pytest.mark.parametrize(
    ("word", "allowed", "hint"),
    [
        ("deparment", ["email", "department"], 'Did you mean "department"?'),
        ("DEPARTMENT", ["Department"], 'Did you mean "Department"?'),
        ("x", ["email", "department"], ""),
        ("", ["email"], ""),
        ("email", [], ""),
    ],
)
def test_nearest(word: str, allowed: list[str], hint: str) -> None:
    assert nearest(word, allowed) == hint


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 people"), (1, "1 person"), (2, "2 people"), (1234, "1,234 people")]
)
def test_people(count: int, words: str) -> None:
    assert people(count) == words


def test_a_finding_is_filled_in() -> None:
    found = finding("blank_criterion", count=1, row_numbers=[3], field="department", landing="no group at all")
    assert found.message == "With no department, 1 person lands in no group at all."
    assert (found.level, found.count, found.row_numbers) == ("warning", 1, [3])


def test_values_with_braces_and_bars_are_data() -> None:
    found = finding("blank_criterion", count=2, field="{count}|x", landing='the target group "{people:a|b}"')
    assert found.message == 'With no {count}|x, 2 people land in the target group "{people:a|b}".'


def test_of_many_rows_the_first_hundred_are_kept() -> None:
    found = finding("no_username", count=5000, row_numbers=iter(range(1, 5001)), column="upn")
    assert found.row_numbers == list(range(1, ROW_NUMBERS_KEPT + 1))
    assert found.count == 5000


def test_a_finding_is_plain_data() -> None:
    data = finding("external_id_absent").to_dict()
    assert json.loads(json.dumps(data)) == data
    assert set(data) == {field.name for field in dataclasses.fields(Finding)}


@pytest.mark.parametrize(("code", "values"), [("nonsense", {}), ("no_username", {})])
def test_an_unknown_code_or_a_missing_value_is_a_fault_of_ours(code: str, values: dict[str, str]) -> None:
    with pytest.raises(KeyError):
        finding(code, **values)


@pytest.mark.parametrize("code", CATALOGUE)
def test_codes_are_words(code: str) -> None:
    assert code.replace("_", "").isascii()
    assert code == code.lower()


def test_a_notebook_shows_the_message_without_a_traceback() -> None:
    code = (
        "from IPython.core.interactiveshell import InteractiveShell as Shell\n"
        'Shell.instance().run_cell(\'from scimops.errors import UsageError; raise UsageError("No.", advice="Yes.")\')'
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert "UsageError: No. Yes." in done.stdout
    assert "Traceback" not in done.stdout
