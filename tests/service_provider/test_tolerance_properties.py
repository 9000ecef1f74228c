"""Whatever arrives: read, or refused as a SCIM error; normal stays normal; what is sent is not changed in place."""

from __future__ import annotations

import contextlib
import copy
import json
import time
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scim2_models import Group, PatchOp, SCIMException, ScimFilter, ScimPolicy

from scimops.attributes import CORE, ENTERPRISE
from scimops.service_provider.tolerance import (
    ResourceName,
    member_changes,
    normal_filter,
    normal_patch,
    normal_query,
    normal_resource,
    read_json,
)
from scimops.service_provider.tolerance_values import ATTRIBUTES, ENTERPRISE_NAMES

POLICY = ScimPolicy(remove_value_as_filter=ScimPolicy.RemoveValue.apply)
KINDS = st.sampled_from(["User", "Group"])
OTHER_NAMES = f"""schemas id meta name.givenName manager.value emails.value value $ref type primary . a]b[c emails[
    {CORE} {ENTERPRISE} {ENTERPRISE}:manager {ENTERPRISE}:department urn:x:2.0:User urn:x:2.0:User:a
    emails[type~eq~"work"].value roles[primary~eq~"True"] members[value~eq~"a"]""".split()
NAMES = st.sampled_from(
    [
        *(attribute.name for table in ATTRIBUTES.values() for attribute in table.values()),
        *ENTERPRISE_NAMES,
        *OTHER_NAMES,
        "",
    ]
).map(lambda name: name.replace("~", " "))
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["", "True", "x"])
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(NAMES | st.text(max_size=6), VALUES, max_size=6)
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "Replace", "REMOVE", "remove"]) | VALUES},
    optional={"path": NAMES | VALUES, "value": VALUES},
)
FILTERS = st.lists(
    st.sampled_from(
        ["userName", "emails", "manager", "active", " ", " eq ", " pr", " and ", "(", ")", "[", "]", "not "]
    )
    | st.sampled_from(['"a"', "'b'", "true", "1", ".value", '"', "\\", ":", "'"])
    | st.text(max_size=3),
    max_size=12,
).map("".join)


def same(value: Any) -> str:
    """A value to compare: NaN is NaN, the order of names does not count."""
    return json.dumps(value, sort_keys=True)


@given(st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode()))
@example(b"\xef\xbb\xbf")
@example(b'{"a": 1E400}')
@example(b'{"a": -0}')
def test_json_is_read_or_refused(body: bytes) -> None:
    try:
        found = read_json(body)
    except SCIMException:
        return
    assert read_json(json.dumps(found).encode()) == found
    json.dumps(found).encode()


@given(st.binary(max_size=60) | FILTERS.map(lambda text: b"filter=" + quote(text.encode("utf-8", "replace")).encode()))
def test_a_query_is_read_or_refused(query: bytes) -> None:
    try:
        found = normal_query(query)
    except SCIMException:
        return
    assert all(value.strip() == value for value in found.values())


@given(FILTERS)
def test_a_normal_filter_stays(text: str) -> None:
    try:
        found = normal_filter(text)
    except SCIMException:
        return
    if valid(found):
        assert normal_filter(found) == found
    else:
        assert not valid(text)


def valid(text: str) -> bool:
    try:
        ScimFilter(text)
    except SCIMException:
        return False
    return True


@given(OBJECTS, KINDS)
def test_a_normal_resource_stays(data: dict[str, Any], kind: ResourceName) -> None:
    before = copy.deepcopy(data)
    try:
        found = normal_resource(data, kind)
    except SCIMException:
        return
    assert repr(data) == repr(before)
    assert "password" not in found
    assert same(normal_resource(found, kind)) == same(found)


@given(st.fixed_dictionaries({"Operations": st.lists(OPERATIONS, min_size=1, max_size=4) | VALUES}), KINDS)
def test_a_normal_patch_stays(data: dict[str, Any], kind: ResourceName) -> None:
    before = repr(data)
    try:
        found = normal_patch(data, kind)
    except SCIMException:
        return
    assert repr(data) == before
    assert all(set(operation) <= {"op", "path", "value"} for operation in found["Operations"])
    member_changes(found)
    if found["Operations"]:
        assert same(normal_patch(found, kind)) == same(found)


IDS = st.sampled_from(["a", "b", "c", 'd"', "e]"])
MEMBERS = st.lists(IDS, max_size=3) | st.lists(IDS.map(lambda one: {"value": one}), max_size=3)
OPS = st.sampled_from(["add", "Remove", "replace"])
MEMBER_OPERATIONS = st.one_of(
    st.builds(lambda op, ids: {"op": op, "path": "members", "value": ids}, OPS, MEMBERS),
    st.builds(lambda op, ids: {"op": op, "value": {"members": ids}}, OPS, MEMBERS),
    IDS.map(lambda one: {"op": "remove", "path": f"members[value eq {json.dumps(one)}]"}),
    st.just({"op": "remove", "path": "members"}),
)


@given(st.lists(MEMBER_OPERATIONS, min_size=1, max_size=5))
def test_changes_of_members_are_what_scim2_models_does(sent: list[Any]) -> None:
    data = normal_patch({"Operations": sent}, "Group")
    members, changes = {"a", "b"}, member_changes(data)
    group = Group.model_validate({"displayName": "g", "members": [{"value": one} for one in sorted(members)]})
    if data["Operations"]:
        PatchOp[Group].model_validate(data, scim_policy=POLICY).patch(group, POLICY)
    assert changes is not None
    for change in changes:
        kept = members if change.kind in ("add", "remove") else set()
        members = kept - set(change.ids) if change.kind == "remove" else kept | set(change.ids)
    assert {member.value for member in group.members or ()} == members


@pytest.mark.parametrize(
    "text", ['"' * 8001, '\\"' * 4000, "(" * 8000, "a " * 4000, "'" * 8000, "[" * 8000, '"\\' * 4000]
)
def test_a_long_filter_takes_no_time(text: str) -> None:
    began = time.process_time()
    with contextlib.suppress(SCIMException):
        normal_filter(text)
    assert time.process_time() - began < 1
