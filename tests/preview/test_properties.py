"""What holds for any export: every row counted once, order plays no part, one key is one group, and a preview of many
people is what happens to each of them alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scimops.grouping import ARRIVING, REASONS, assign_group, group_key
from scimops.idp import Export
from scimops.preview import ExistingGroups, Preview

Row = dict[str, str]
Look = Callable[..., Preview]
Read = Callable[..., Export]

SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

NAMES = st.sampled_from(
    ["anna", "Anna", " anna ", "ANNA@example.com", "anna@example.com", "straße@example.com", "STRASSE@example.com", "",
     "a@@b", "ben", "bén", "be\u0301n", "ben\x07", "x" * 321, "clé@example.com", "CLÉ@example.com"]
)  # fmt: skip
DEPARTMENTS = st.sampled_from(
    ["Sales", "SALES", "sales ", "\u200bSales", "Satış", "SATIŞ", "Straße", "STRASSE", "R&D²", "r&d2", "", "  ",
     "\u200b", "Everyone", "EVERYONE", "=1+1", 'Quote " and , comma', "Two\nlines", "x" * 257, "nul\x00", "İ", "i",
     "ı", "007", "7"]
) | st.text(st.characters(codec="utf-8"), max_size=6)  # fmt: skip
PEOPLE = st.fixed_dictionaries(
    {
        "userPrincipalName": NAMES, "mail": NAMES, "department": DEPARTMENTS,
        "accountEnabled": st.sampled_from(["True", "False", "", "perhaps"]),
        "userType": st.sampled_from(["Member", "Guest", "", "GUEST"]),
        "objectId": st.sampled_from(["", "1", "2"]),
    }
)  # fmt: skip
EXPORTS = st.lists(PEOPLE, min_size=1, max_size=12)
SETTINGS = st.fixed_dictionaries(
    {
        "group_settings": st.fixed_dictionaries(
            {
                "criterion": st.sampled_from([None, {"field": "department"}]),
                "target_group": st.sampled_from([None, "Everyone", "Satış"]),
                "duplicates": st.sampled_from(["reject_all", "keep_first", "keep_active"]),
                "inactive": st.sampled_from(["no_group", "keep_group", "reject"]),
                "aliases": st.sampled_from([{}, {"R&D2": "Sales", "Sales": "Trade"}, {"007": "everyone"}]),
            }
        ),
        "scope": st.sampled_from([{}, {"user_types": ["member"]}, {"active_only": True}]),
    }
)
EXISTING = st.sampled_from([ExistingGroups({}, None), ExistingGroups({"sales": "SALES (old)", "i": "İ"}, "groups.csv")])


def landing(preview: Preview) -> list[tuple[str, str | None]]:
    return list(preview.assignments.select("reason", "group_key").iter_rows())


@given(EXPORTS, SETTINGS, EXISTING)
@SLOW
def test_every_row_is_counted_once(
    look: Look, rows: list[Row], parts: dict[str, Any], existing: ExistingGroups
) -> None:
    preview = look(rows, existing=existing, **parts)
    assert sum(preview.reasons.values()) == preview.rows == len(rows) == preview.assignments.height
    assert Counter(preview.assignments["reason"]) == preview.reasons
    assert set(preview.reasons) <= set(REASONS)
    grouped = preview.assignments.filter(preview.assignments["group_key"].is_not_null())
    assert sum(group.members for group in preview.groups) == grouped.height
    assert set(grouped["reason"]) <= set(ARRIVING)
    assert grouped["group"].null_count() == 0
    for group in preview.groups:
        assert group_key(group.name) == group.group_key or group.name in existing.names.values()
        assert sum(group.spellings.values()) <= group.members


@given(EXPORTS.flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(range(len(rows))))), SETTINGS)
@SLOW
def test_the_order_of_rows_changes_nobody(look: Look, case: tuple[list[Row], list[int]], parts: dict[str, Any]) -> None:
    rows, order = case
    if parts["group_settings"]["duplicates"] == "keep_first":
        parts = parts | {"group_settings": parts["group_settings"] | {"duplicates": "reject_all"}}
    before, after = landing(look(rows, **parts)), landing(look([rows[n] for n in order], **parts))
    assert [before[n] for n in order] == after


@given(EXPORTS, SETTINGS, EXISTING)
@SLOW
def test_a_preview_is_what_happens_to_each_person_alone(
    look: Look, rows: list[Row], parts: dict[str, Any], existing: ExistingGroups
) -> None:
    preview = look(rows, existing=existing, **parts)
    names = {group.group_key: group.name for group in preview.groups}
    lands = [*ARRIVING, "inactive"]
    for one in preview.assignments.filter(preview.assignments["reason"].is_in(lands)).iter_rows(named=True):
        placement = assign_group(preview.grouping, one["value"], one["active"])
        if placement is None:
            assert (one["reason"], one["group_key"]) == ("inactive", None)
            continue
        assert (one["reason"], one["group_key"]) == (placement.reason, placement.key)
        if placement.name is not None and placement.key is not None:
            assert names[placement.key] == placement.name


@given(st.lists(DEPARTMENTS, min_size=1, max_size=12))
@SLOW
def test_spellings_with_one_key_are_one_group(look: Look, person: Callable[..., Row], departments: list[str]) -> None:
    preview = look(
        [person(n, department=text) for n, text in enumerate(departments)], group_settings={"target_group": None}
    )
    arrived = preview.assignments.filter(preview.assignments["reason"] == "matched")
    keys = [group_key(value) for value in arrived["value"]]
    assert arrived["group_key"].to_list() == keys
    assert {group.group_key: group.members for group in preview.groups} == Counter(keys)
    assert len({group.group_key for group in preview.groups}) == len(preview.groups)


CELLS = st.sampled_from(["", "VPN", "vpn", " VPN ", "Lyon", "LYON", "\u200b", "Everyone", "Two\nlines", "a;b"])


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=8), st.sampled_from([None, "Everyone"]))
@SLOW
def test_every_member_is_counted_once_in_each_group(
    look: Look, memberships: list[list[str]], target: str | None
) -> None:
    rows = [
        {"FirstName": "A", "LastName": "B", "Username": f"u{n}", "Email": f"u{n}@example.com", "SystemID": "s"}
        | {f"Group{m}": cell for m, cell in enumerate(cells, 1)}
        for n, cells in enumerate(memberships)
    ]
    preview = look(rows, group_settings={"criterion": {"idp_groups": True}, "target_group": target})
    expected: Counter[str] = Counter()
    for cells in memberships:
        keys = {group_key(cell) for cell in cells} - {""}
        expected.update(keys or ({"everyone"} if target else set()))
    assert {group.group_key: group.members for group in preview.groups} == dict(expected)
    assert preview.members.select("n", "group_key").is_duplicated().sum() == 0
    for cells, one in zip(memberships, preview.assignments.iter_rows(named=True), strict=True):
        first = next((key for key in map(group_key, cells) if key), "everyone" if target else None)
        assert one["group_key"] == first


@pytest.mark.parametrize("policy", ["reject_all", "keep_first", "keep_active"])
@given(rows=EXPORTS)
@SLOW
def test_of_those_who_are_kept_no_two_share_a_name_or_an_address(look: Look, policy: str, rows: list[Row]) -> None:
    preview = look(rows, group_settings={"duplicates": policy})
    kept = preview.people.filter(preview.people["reason"].is_in([*ARRIVING, "inactive"]))
    assert kept["user_key"].is_duplicated().sum() == kept["email_key"].is_duplicated().sum() == 0
    assert kept["user_key"].null_count() == kept["email_key"].null_count() == 0
