"""Two previews side by side: who moves, who comes, who goes, which groups change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from scimops.idp import Export
from scimops.preview import Preview
from scimops.preview.compare import Comparison, compare

Person = Callable[..., dict[str, str]]
Read = Callable[..., Export]
Look = Callable[..., Preview]

JUMPCLOUD = "FirstName,LastName,Username,Email,SystemID,Group1,Group2\n"


def moved(comparison: Comparison) -> list[tuple[Any, ...]]:
    """userName, from group, to group."""
    return list(comparison.people.select("userName", "from_group", "to_group").iter_rows())


def test_nothing_changes_between_a_preview_and_itself(look: Look, person: Person) -> None:
    preview = look([person(1), person(2, department="")])
    comparison = compare(preview, preview)
    assert (comparison.people.height, comparison.unchanged, comparison.moves, comparison.groups) == (0, 2, [], [])


def test_two_settings_on_one_export(look: Look, read: Read, person: Person) -> None:
    export = read([person(1, department="Sales"), person(2, department="R&D"), person(3, department=""), person(4)])
    comparison = compare(look(export), look(export, group_settings={"aliases": {"R&D": "Sales"}, "target_group": None}))
    assert moved(comparison) == [("p2@example.com", "R&D", "Sales"), ("p3@example.com", "Everyone", None)]
    assert comparison.people["row_before"].to_list() == comparison.people["row_after"].to_list() == [2, 3]
    assert comparison.people["to_reason"].to_list() == ["alias", "ungrouped"]
    assert comparison.unchanged == 2
    assert comparison.moves == [
        {"from": "R&D", "to": "Sales", "people": 1},
        {"from": "Everyone", "to": "(arrives without a group)", "people": 1},
    ]
    assert {(group["name"], group["before"], group["after"]) for group in comparison.groups} == {
        ("Sales", 2, 3), ("R&D", 1, 0), ("Everyone", 1, 0),
    }  # fmt: skip


def test_the_same_file_read_twice_is_one_export_row_by_row(look: Look, person: Person) -> None:
    rows = [
        person(1, userPrincipalName="", objectId="", mail=""),
        person(2, userPrincipalName="", objectId="", mail=""),
    ]
    comparison = compare(look(rows), look(rows, group_settings={"target_group": None}))
    assert (comparison.people.height, comparison.unchanged) == (0, 2)


def test_two_exports_of_one_name_are_two_exports(look: Look, person: Person) -> None:
    """Last week's exportUsers.csv and this week's, in two folders: people are matched by who they are, not by row."""
    before = [person(1), person(2, department="R&D")]
    after = [person(2, department="R&D"), person(1), person(3)]
    comparison = compare(look(before), look(after))
    assert moved(comparison) == [("p3@example.com", None, "Sales")]
    assert comparison.moves == [{"from": "(not there)", "to": "Sales", "people": 1}]
    assert comparison.unchanged == 2


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # a rename is the same person
        ({}, {"userPrincipalName": "new@example.com", "mail": "new@example.com"}, []),
        # by userName where an externalId is missing on one side
        ({"objectId": ""}, {}, []),
        # by e-mail address where the others are missing on one side
        (
            {"objectId": "", "department": "X"},
            {"userPrincipalName": "", "department": "X"},
            [("p1@example.com", "X", None)],
        ),
        # a userName on both sides that differs: two people, though they share the e-mail address
        (
            {"objectId": "", "userPrincipalName": "old@example.com"},
            {},
            [("old@example.com", "Sales", None), ("p1@example.com", None, "Sales")],
        ),
        # userName in other case
        ({"objectId": ""}, {"userPrincipalName": "P1@Example.com"}, []),
        # both have an externalId and they differ: two people, whatever else they share
        ({}, {"objectId": "other"}, [("p1@example.com", "Sales", None), ("p1@example.com", None, "Sales")]),
        # who moves
        ({}, {"department": "R&D"}, [("p1@example.com", "Sales", "R&D")]),
        ({}, {"department": "SALES"}, []),
        ({}, {"accountEnabled": "False"}, [("p1@example.com", "Sales", None)]),
        ({}, {"mail": "bad"}, [("p1@example.com", "Sales", None)]),
    ],
)
def test_one_person_in_two_exports(
    look: Look, person: Person, before: dict[str, str], after: dict[str, str], expected: list[tuple[Any, ...]]
) -> None:
    others = [person(8), person(9)]
    comparison = compare(look([*others, person(1, **before)]), look([person(1, **after), *others]))
    assert moved(comparison) == expected
    assert comparison.unchanged == (2 if expected else 3)


def test_who_left_and_who_came(look: Look, person: Person) -> None:
    comparison = compare(look([person(1), person(2)]), look([person(2), person(3)]))
    assert moved(comparison) == [("p1@example.com", "Sales", None), ("p3@example.com", None, "Sales")]
    assert comparison.people.select("row_before", "row_after").rows() == [(1, None), (None, 2)]
    assert comparison.groups == []


def test_duplicates_of_both_exports_are_paired(look: Look, person: Person) -> None:
    twice = [person(1, objectId=""), person(1, objectId="")]
    comparison = compare(look([*twice, person(2)]), look([person(2), *twice]))
    assert (comparison.people.height, comparison.unchanged) == (0, 3)


def test_a_change_in_the_second_of_several_groups_is_a_change(look: Look) -> None:
    by_groups = {"group_settings": {"criterion": {"idp_groups": True}}}
    before = look(JUMPCLOUD + "A,B,ab,ab@example.com,s,VPN,Lyon\n", **by_groups)
    after = look(JUMPCLOUD + "A,B,ab,ab@example.com,s,VPN,Oslo\n", **by_groups)
    assert moved(compare(before, after)) == [("ab", "VPN\nLyon", "VPN\nOslo")]
    reordered = look(JUMPCLOUD + "A,B,ab,ab@example.com,s,Lyon,vpn\n", **by_groups)
    assert moved(compare(before, reordered)) == []


def test_another_name_of_the_same_group_moves_nobody(look: Look, person: Person) -> None:
    comparison = compare(look([person(1, department="SALES"), person(2)]), look([person(2), person(1)]))
    assert (comparison.people.height, comparison.groups) == (0, [])


def test_as_data_and_in_pandas(look: Look, person: Person) -> None:
    comparison = compare(look([person(1), person(2)]), look([person(1, department="R&D"), person(2)]))
    data = comparison.to_dict()
    assert (data["format"], data["changed"], data["unchanged"]) == (1, 1, 1)
    assert data["people"][0]["to_group"] == "R&D"
    frame = comparison.to_pandas()
    assert isinstance(frame["from_group"].dtype, pd.StringDtype)
    assert frame["row_after"].tolist() == [1]


def test_nobody_at_all(look: Look, person: Person) -> None:
    header = ",".join(person(1)) + "\n"
    comparison = compare(look(header), look([person(1)]))
    assert comparison.moves == [{"from": "(not there)", "to": "Sales", "people": 1}]
    assert compare(look([person(1)]), look(header)).groups == [
        {"name": "Sales", "group_key": "sales", "before": 1, "after": 0}
    ]
