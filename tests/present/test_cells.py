"""Cells that a spreadsheet shows and never runs."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scimops.present.cells import safe_cell, safe_frame


def made_safe(text):
    return pl.DataFrame({"text": [text]}, schema={"text": pl.String}).select(safe_cell(pl.col("text"))).item()


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+1-555-0100", "'+1-555-0100"),
        ("-2", "'-2"),
        ("@SUM(1)", "'@SUM(1)"),
        ("  =1", "'  =1"),
        ("\u00a0=1", "'\u00a0=1"),
        ("\n=1", "'\n'=1"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("＝1", "'＝1"),
        ("＋1", "'＋1"),
        ("－1", "'－1"),
        ("＠x", "'＠x"),
        ("a;=1", "a;'=1"),
        ("Sales\n=1", "Sales\n'=1"),
        ("a\x1b[31m\x00", "a␛[31m␀"),
        ("\x85=1", "'\\x85=1"),
        ("Sales [/x]", "Sales [/x]"),
        ("a=b-c+d@e", "a=b-c+d@e"),
        ("two\nlines", "two\nlines"),
        ("", ""),
        (None, None),
    ],
)
def test_a_cell(text, safe):
    assert made_safe(text) == safe


@given(st.text())
def test_nothing_begins_as_a_formula_and_twice_is_once(text):
    safe = made_safe(text)
    for line in safe.replace(";", "\n").splitlines():
        assert line.strip()[:1] not in set("=+-@＝＋－＠") or not line.strip()
    assert safe[:1] not in ("\t", "\r")
    assert made_safe(safe) == safe


def test_numbers_and_booleans_stay_what_they_are():
    frame = pl.DataFrame({"a": [-1, None], "b": [True, None], "c": ["-1", "x"]})
    assert safe_frame(frame).to_dict(as_series=False) == {"a": [-1, None], "b": [True, None], "c": ["'-1", "x"]}
