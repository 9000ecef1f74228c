"""What an export gives: users by the schema, records as plain data, columns by their very names."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from scimops.errors import SettingError
from scimops.idp import Export, read_export


@pytest.fixture
def export(place: Any) -> Any:
    def read(text: str, **options: Any) -> Export:
        return read_export(place(text.encode(), "users.csv").path, **options)

    return read


def test_column_names_that_polars_takes_for_patterns(export: Any) -> None:
    found = export('Email,*,^.*$,^Email$,custom.*,"a\nb","",@row\na@example.com,1,2,3,4,5,6,7\n')
    custom = next(found.records())["custom"]
    assert custom == {
        "*": "1", "^.*$": "2", "^Email$": "3", "custom.*": "4", "a\nb": "5", "column 7": "6", "@row (2)": "7",
    }  # fmt: skip
    assert found.users().columns[-7:] == [f"custom.{name}" for name in custom]
    assert export("Email,^Status$,Groups\na@example.com,no,x;y; x\n").users().select("active", "groups").row(0) == (
        False,
        ["x", "y"],
    )


def test_blank_text_is_nothing_and_departments_stay_as_written(export: Any) -> None:
    user = next(export('Email,First name,Department,Note\n a@example.com ,"  "," Sales ","  "\n').records())
    assert (user["email"], user["firstName"], user["department"]) == ("a@example.com", None, " Sales ")
    assert user["custom"] == {}
    assert next(export("Email,Note\na@example.com, x \n").records())["custom"] == {"Note": " x "}


def test_leading_zeros_stay_everywhere(export: Any) -> None:
    found = export("Email,Employee ID,Zip\na@example.com,007,00123\n")
    assert found.users()["externalId"].to_list() == ["007"]
    assert next(found.records())["custom"] == {"Zip": "00123"}
    assert found.to_pandas()["custom.Zip"].to_list() == ["00123"]


def test_pandas_has_true_missing_values(export: Any) -> None:
    frame = export("Email,First name,Active\na@example.com,,\nb@example.com,Bo,yes\n").to_pandas()
    assert isinstance(frame["firstName"].dtype, pd.StringDtype)
    assert frame["firstName"].isna().to_list() == [True, False]
    assert frame["active"].to_list()[1] is True
    assert frame["active"].isna().to_list() == [True, False]


@pytest.mark.parametrize("body", ["", "x\n", "x\ny,z,1\n"])
def test_without_readable_users_there_are_no_users_but_all_columns(export: Any, body: str) -> None:
    found = export(f"Email,First name,Groups,Status\n{body}")
    assert found.users().height == 0
    assert list(found.records()) == []
    assert found.rows == len(found.rejected) == body.count("\n")
    assert {"email", "groups", "active", "hiredOn"} <= set(found.users().columns)


def test_a_description_is_plain_data_with_every_rejected_row(export: Any) -> None:
    described = json.loads(json.dumps(export("Email;Mail;Note\na@example.com;;\nshort\n").describe()))
    assert described["rejected"] == [
        {"row": 2, "line": 3, "reason": "too short: 1 values, the header has 3", "text": "short"}
    ]
    assert (described["rows"], described["delimiter"], described["complete"]) == (2, ";", True)


def test_a_column_is_found_in_any_case_and_an_unknown_one_named(export: Any) -> None:
    found = export("Email,Cost Center\na@example.com,1\n")
    assert found.header("cost center") == "Cost Center"
    with pytest.raises(SettingError, match="Cost Center"):
        found.header("Cost Centre")


def test_a_date_is_a_day_in_any_of_its_forms(export: Any) -> None:
    days = ["2024-05-01", "2024-05-01T23:59:59Z", "2024-05-01 10:00", "2024/5/1", "2024-13-01", "5/1/2024", "soon", ""]
    found = export("Email,Created\n" + "".join(f"a{n}@example.com,{day}\n" for n, day in enumerate(days)))
    assert [str(day) for day in found.users()["createdOn"]] == ["2024-05-01"] * 4 + ["None"] * 4


@pytest.mark.parametrize(
    "space", [" ", "\t", "\n", "\r\n", "\v", "\f", *"\x85\xa0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000"]
)
def test_white_space_of_every_kind_goes_wherever_it_stands(export: Any, space: str) -> None:
    names = ["Ann", f'"{space}Ann"', f'"Ann{space}"', f'"{space}Zoë{space}"', f'"{space}"', f'"A{space}B"', '""']
    found = export("Email,First name\n" + "".join(f"{n}@example.com,{name}\n" for n, name in enumerate(names)))
    firsts = found.users()["firstName"].to_list()
    assert firsts == ["Ann", "Ann", "Ann", "Zoë", None, f"A{space}B", None]
    for name, first in zip(names, firsts, strict=True):  # alone too, so that no other value gives it away
        one = export(f"Email,First name,Department\na@example.com,{name},{name}\n").users().row(0, named=True)
        blank = first is None
        assert (one["firstName"], one["department"]) == (first, None if blank else name.strip('"'))
