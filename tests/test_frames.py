"""Schemas of frames: held by check(), and carried over to pandas without loss."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pandas as pd
import polars as pl
import pytest

from scimops import frames
from scimops.frames import Column, Schema, check, to_pandas

KINDS: dict[str, Any] = {
    "string": pl.String, "int64": pl.Int64, "bool": pl.Boolean, "date": pl.Date, "list[string]": pl.List(pl.String),
}  # fmt: skip
SMALL = Schema(
    "small",
    (Column("id", "int64", False, "number"), Column("name", "string", True, "name"), Column("on", "bool", True, "on?")),
    open="more.",
)


def small(**columns: Any) -> pl.DataFrame:
    usual = {"id": [1], "name": ["a"], "on": [True]} | columns
    return pl.DataFrame(usual, schema_overrides={"on": pl.Boolean})


def test_a_frame_that_holds_to_its_schema_comes_back() -> None:
    frame = small(**{"more.colour": ["red"], "name": [None]}).cast({"name": pl.String})
    assert check(frame, SMALL) is frame


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (small().drop("name"), "small.name is None, not string"),
        (small(id=["1"]), "small.id is String, not int64"),
        (small().cast({"id": pl.Int32}), "small.id is Int32, not int64"),
        (small().cast({"name": pl.Categorical}), "small.name is Categorical, not string"),
        (small(id=[None]).cast({"id": pl.Int64}), "small.id has nulls"),
        (small(colour=["red"]), "small has an unknown column colour"),
    ],
)
def test_a_frame_that_does_not(frame: pl.DataFrame, says: str) -> None:
    with pytest.raises(TypeError, match=re.escape(says)):
        check(frame, SMALL)


def test_a_schema_is_closed_unless_it_says_what_else_may_come() -> None:
    closed = Schema("closed", SMALL.columns)
    with pytest.raises(TypeError, match=r"unknown column more\.colour"):
        check(small(**{"more.colour": ["red"]}), closed)


def test_a_schema_knows_its_columns() -> None:
    assert SMALL.names == ["id", "name", "on"]
    assert SMALL["on"].type == "bool"
    with pytest.raises(StopIteration):
        SMALL["colour"]


@pytest.mark.parametrize("schema", frames.ALL, ids=lambda schema: schema.name)
def test_every_schema_says_what_each_column_means(schema: Schema) -> None:
    assert len(set(schema.names)) == len(schema.names)
    assert all(column.meaning and column.type in KINDS for column in schema.columns)
    personal = {column.name for column in schema.columns if column.personal}
    assert personal <= {"externalId", "userName", "email", "firstName", "lastName", "phone"}
    assert {"email", "userName"} & set(schema.names) <= personal


@pytest.mark.parametrize("schema", frames.ALL, ids=lambda schema: schema.name)
def test_an_empty_frame_of_every_schema(schema: Schema) -> None:
    frame = pl.DataFrame(schema={column.name: KINDS[column.type] for column in schema.columns})
    assert check(frame, schema).is_empty()
    assert to_pandas(frame).columns.tolist() == schema.names


# pandas


@pytest.fixture
def in_pandas() -> pd.DataFrame:
    frame = pl.DataFrame(
        {
            "text": ["007", None, "NA", "", "nan", "True", "😀\x1b"],
            "number": [1, None, 9007199254740993, 0, 0, 0, 0],
            "flag": [True, None, False, None, None, None, None],
            "day": [dt.date(2026, 1, 2), None, dt.date(1000, 1, 1), None, None, None, None],
            "many": [["a", "b"], None, [], None, None, None, None],
        }
    )
    return to_pandas(frame)


def test_texts_stay_as_they_are(in_pandas: pd.DataFrame) -> None:
    assert isinstance(in_pandas["text"].dtype, pd.StringDtype)
    assert in_pandas["text"].dtype.na_value is pd.NA
    assert in_pandas["text"][0] == "007"
    assert in_pandas["text"][1] is pd.NA
    assert in_pandas["text"].dropna().tolist() == ["007", "NA", "", "nan", "True", "😀\x1b"]


def test_whole_numbers_and_truth_values_stay_what_they_are(in_pandas: pd.DataFrame) -> None:
    assert (in_pandas["number"].dtype, in_pandas["flag"].dtype) == (pd.Int64Dtype(), pd.BooleanDtype())
    assert in_pandas["number"][2] == 9007199254740993
    assert in_pandas["number"][1] is pd.NA
    assert in_pandas["flag"][1] is pd.NA
    assert in_pandas["flag"][2] is not pd.NA
    assert not in_pandas["flag"][2]


def test_days_and_lists_stay_too(in_pandas: pd.DataFrame) -> None:
    assert in_pandas["day"][0] == dt.date(2026, 1, 2)
    assert in_pandas["day"][2] == dt.date(1000, 1, 1)
    assert pd.isna(in_pandas["day"][1])
    assert list(in_pandas["many"][0]) == ["a", "b"]
    assert in_pandas["many"][1] is None


def test_missing_values_are_neither_true_nor_equal(in_pandas: pd.DataFrame) -> None:
    """The trap of pandas: nan is truthy, and `!= "x"` is True for it."""
    assert (in_pandas["text"] != "007").tolist()[:2] == [False, pd.NA]
    with pytest.raises(TypeError, match="ambiguous"):
        bool(in_pandas["text"][1])


def test_the_provisioning_log_says_what_is_about_people() -> None:
    personal = [column.name for column in frames.PROVISIONING_LOG.columns if column.personal]
    assert personal == ["resource_id", "query", "detail", "changes", "moves"]
