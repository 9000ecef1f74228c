"""Attribute paths and flat columns: one naming for a file, the wire and a mapping."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scimops.attributes import CORE, ENTERPRISE, normal_path
from scimops.resources import flatten, text_of


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        ("userName", "username"),
        (" userName ", "username"),
        (f"{CORE}:userName", "username"),
        (f"{CORE.upper()}:name.givenName", "name.givenname"),
        ("name.givenName", "name.givenname"),
        ('emails[type eq "work"].value', 'emails[type eq "work"].value'),
        ('Emails[ Type EQ "Work" ]', 'emails[type eq "work"].value'),
        ('addresses[type eq "work"].country', 'addresses[type eq "work"].country'),
        ('addresses[type eq "work"]', 'addresses[type eq "work"]'),
        (f"{ENTERPRISE}:department", f"{ENTERPRISE.lower()}:department"),
        (f"{ENTERPRISE}:manager.value", f"{ENTERPRISE.lower()}:manager.value"),
        ("manager.$ref", "manager.$ref"),
        ("x-y_z", "x-y_z"),
    ],
)
def test_a_path_in_one_way_of_writing(path: str, normal: str) -> None:
    assert normal_path(path) == normal
    assert normal_path(normal) == normal


@pytest.mark.parametrize(
    "path", ["", "1st", "a b", "a.b.c", "a[b]", "a[b eq c].d", 'emails[type eq "work"', "a..b", "Employee ID", "é"]
)
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(path)}$"):
        normal_path(path)


NAMES = st.from_regex(r"\A[A-Za-z$][A-Za-z0-9_$-]{0,5}\Z")
PATHS = st.builds(
    lambda urn, name, kind, sub: f"{urn}{name}{kind}{sub}",
    st.sampled_from(["", f"{CORE}:", f"{ENTERPRISE}:", "urn:x:y:2.0:Z:"]),
    NAMES,
    st.sampled_from(["", '[type eq "work"]', '[Type EQ "Other x"]']),
    st.sampled_from(["", ".value", ".$ref"]),
)


@settings(deadline=None)
@given(PATHS)
def test_writing_a_path_normally_twice_changes_nothing_and_case_counts_for_nothing(path: str) -> None:
    assert normal_path(normal_path(path)) == normal_path(path) == normal_path(path.upper().replace(" EQ ", " eq "))


@pytest.mark.parametrize(
    ("resource", "flat"),
    [
        ({"a": None, "b": "", "c": [], "d": {}, "e": [None, "", {}]}, {}),
        ({"active": True, "locked": False, "n": 0}, {"active": "true", "locked": "false", "n": "0"}),
        ({"name": {"givenName": "Anna", "familyName": ""}}, {"name.givenName": "Anna"}),
        (
            {ENTERPRISE: {"department": "Sales", "manager": {"value": "9", "$ref": "u"}}},
            {
                f"{ENTERPRISE}:department": "Sales",
                f"{ENTERPRISE}:manager.value": "9",
                f"{ENTERPRISE}:manager.$ref": "u",
            },
        ),
        ({"a": {"urn:x": {"b": "1"}}}, {"a.urn:x.b": "1"}),
        ({"phones": ["1", 2]}, {"phones": ["1", "2"]}),
        ({"attributes": [{"name": "Cost Center", "value": "7"}]}, {"attributes": ["7"], "attributes.Cost Center": "7"}),
        (
            {"groups": [{"display": "A", "value": "1"}, {"display": "B"}]},
            {"groups": ["1"], "groups.display": ["A", "B"]},
        ),
    ],
)
def test_flat_columns_are_named_by_path(resource: dict[str, Any], flat: dict[str, Any]) -> None:
    assert flatten(resource) == flat


def test_of_several_values_the_order_is_work_and_primary_then_primary_then_work() -> None:
    def address(value: str, **more: Any) -> dict[str, Any]:
        return {"value": value, **more}

    emails = [
        address("plain"), address("home", type="home"), address("work", type="work"),
        address("primary", type="home", primary=True), address("both", type="Work", primary="true"),
    ]  # fmt: skip
    flat = flatten({"emails": emails})
    assert flat["emails"] == ["both", "primary", "work", "plain", "home"]
    assert flat['emails[type eq "work"].value'] == "work"
    assert flat['emails[type eq "home"].value'] == "home"


SCALARS = st.booleans() | st.integers() | st.text(min_size=1, max_size=3)
TREES = st.recursive(SCALARS, lambda inner: st.dictionaries(NAMES, inner, max_size=3), max_leaves=8)


@settings(deadline=None)
@given(st.dictionaries(NAMES, TREES, max_size=4))
def test_every_leaf_is_kept_under_its_path(resource: dict[str, Any]) -> None:
    def leaves(prefix: str, value: Any) -> dict[str, str]:
        if not isinstance(value, dict):
            return {prefix: text_of(value)}
        return {path: leaf for key, inner in value.items() for path, leaf in leaves(f"{prefix}.{key}", inner).items()}

    flat = {path[1:]: leaf for path, leaf in leaves("", resource).items()}
    assert flatten(resource) == flat
