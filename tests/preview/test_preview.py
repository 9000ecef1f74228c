"""Rules 8, 9 and 12 over small exports, and what a preview says of the whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from scimops.errors import SettingError, UsageError
from scimops.grouping import REASONS
from scimops.idp import Export
from scimops.preview import Preview, preview_export
from scimops.setting import quick_setting

Person = Callable[..., dict[str, str]]
Read = Callable[..., Export]
Look = Callable[..., Preview]
Landings = Callable[[Preview], list[tuple[str, str | None]]]

DUPLICATE = ("rejected_duplicate", None)
SALES = ("matched", "Sales")


# Rule 8: who is rejected, and in which order


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({}, "matched"),
        ({"userPrincipalName": ""}, "rejected_no_username"),
        ({"userPrincipalName": " \t\u00a0"}, "rejected_no_username"),
        ({"userPrincipalName": "u" * 321}, "rejected_value_too_long"),
        ({"userPrincipalName": "", "mail": ""}, "rejected_no_username"),
        ({"userPrincipalName": "", "mail": "bad"}, "rejected_no_username"),
        ({"mail": "anna@@example.com"}, "rejected_bad_email"),
        ({"mail": "an na@example.com"}, "rejected_bad_email"),
        ({"mail": "a" * 309 + "@example.com"}, "rejected_bad_email"),
        ({"mail": "bad", "department": "x" * 257}, "rejected_bad_email"),
        ({"mail": "a" * 308 + "@example.com"}, "matched"),
        ({"department": "x" * 256}, "matched"),
        ({"department": "x" * 257}, "rejected_value_too_long"),
        ({"givenName": "\U0001f600" * 256}, "matched"),
        ({"givenName": "\U0001f600" * 257}, "rejected_value_too_long"),
        ({"surname": "x" * 257}, "rejected_value_too_long"),
        ({"displayName": "x" * 300}, "matched"),
        ({"givenName": "\x1b[31mAnna"}, "rejected_unreadable"),
        ({"department": "Sales\x00"}, "rejected_unreadable"),
        ({"surname": "M\x9fller"}, "rejected_unreadable"),
        ({"objectId": "a\x07"}, "rejected_unreadable"),
        ({"mail": "a\x7fb@example.com"}, "rejected_unreadable"),
        ({"userPrincipalName": "", "department": "\x01"}, "rejected_unreadable"),
        ({"displayName": "\x1b[31mAnna"}, "matched"),
        ({"department": "Sales\nEurope"}, "matched"),
        ({"accountEnabled": "False", "mail": "bad"}, "rejected_bad_email"),
        ({"accountEnabled": "False"}, "inactive"),
    ],
)
def test_what_a_row_alone_decides(look: Look, person: Person, cells: dict[str, str], reason: str) -> None:
    preview = look([person(1, **cells), person(2)])
    assert preview.assignments["reason"].to_list() == [reason, "matched"]
    assert (preview.assignments["group"][0] is not None) == (reason == "matched")


def test_an_address_is_the_user_name_where_entra_has_no_mail(look: Look, person: Person, landings: Landings) -> None:
    preview = look([person(1, mail=""), person(2, mail="", userPrincipalName="no-address")])
    assert landings(preview) == [SALES, ("rejected_bad_email", None)]
    assert preview.people["filled_in"].to_list() == [True, True]


def test_a_row_of_another_width_is_counted_in_its_place(look: Look, person: Person, landings: Landings) -> None:
    head, *rows = (",".join(row) for row in (person(1), person(1).values(), person(2).values()))
    preview = look(f"{head}\n{rows[0]}\ntoo,short\n\n{rows[1]}\n{rows[1]},too,long\n")
    assert landings(preview) == [SALES, ("rejected_unreadable", None), SALES, ("rejected_unreadable", None)]
    assert preview.assignments["row"].to_list() == [1, 2, 3, 4]
    assert preview.reasons == {"matched": 2, "rejected_unreadable": 2}
    assert (preview.rows, preview.numbers.to_fix) == (4, 2)


SAME = {"userPrincipalName": "one@example.com"}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("reject_all", [DUPLICATE, DUPLICATE, DUPLICATE, SALES]),
        ("keep_first", [SALES, DUPLICATE, DUPLICATE, SALES]),
        ("keep_active", [DUPLICATE, SALES, DUPLICATE, SALES]),
    ],
)
def test_three_of_one_user_name(
    look: Look, person: Person, landings: Landings, policy: str, expected: list[tuple[str, str | None]]
) -> None:
    off = "True" if policy == "keep_first" else "False"
    people = [
        person(1, **SAME, accountEnabled=off),
        person(2, **SAME),
        person(3, **SAME, accountEnabled=off),
        person(4),
    ]
    assert landings(look(people, group_settings={"duplicates": policy})) == expected


@pytest.mark.parametrize(
    ("column", "one", "two"),
    [
        ("userPrincipalName", "Anna@example.com", "anna@EXAMPLE.com"),
        ("userPrincipalName", "Anna@example.com", " anna@example.com\u00a0"),
        ("userPrincipalName", "anna@example.com", "ａｎｎａ@example.com"),
        ("userPrincipalName", "STRASSE@example.com", "straße@example.com"),
        ("userPrincipalName", "élodie", "E\u0301LODIE"),
        ("mail", "Anna@example.com", "anna@EXAMPLE.com"),
        ("mail", "ÉLODIE@example.com", "élodie@example.com"),
    ],
)
def test_what_is_one_identity(look: Look, person: Person, landings: Landings, column: str, one: str, two: str) -> None:
    preview = look([person(1, **{column: one}), person(2, **{column: two}), person(3)])
    assert landings(preview) == [DUPLICATE, DUPLICATE, SALES]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("reject_all", [DUPLICATE, DUPLICATE, SALES, SALES]),
        ("keep_first", [SALES, DUPLICATE, SALES, SALES]),
        ("keep_active", [DUPLICATE, DUPLICATE, SALES, SALES]),
    ],
)
def test_addresses_clash_among_those_left(
    look: Look, person: Person, landings: Landings, policy: str, expected: list[tuple[str, str | None]]
) -> None:
    """Row 2 has lost its userName to row 1, so row 3 has its address alone."""
    people = [
        person(1, **SAME),
        person(2, **SAME, mail="two@example.com"),
        person(3, mail="two@example.com"),
        person(4),
    ]
    assert landings(look(people, group_settings={"duplicates": policy})) == expected


@pytest.mark.parametrize(
    "cells", [{"mail": "bad"}, {"department": "x" * 257}, {"surname": "\x01"}, {"userType": "Guest"}]
)
def test_who_is_out_already_takes_no_part_in_a_clash(
    look: Look, person: Person, landings: Landings, cells: dict[str, str]
) -> None:
    preview = look([person(1, **SAME, **cells), person(2, **SAME)], scope={"user_types": ["Member"]})
    assert landings(preview)[1] == SALES


def test_an_inactive_row_clashes_like_any_other(look: Look, person: Person, landings: Landings) -> None:
    people = [person(1, **SAME, accountEnabled="False"), person(2, **SAME)]
    assert landings(look(people)) == [DUPLICATE, DUPLICATE]
    kept = look(people, group_settings={"duplicates": "keep_first"})
    assert landings(kept) == [("inactive", None), DUPLICATE]
    assert "kept_inactive_hides_active" in {finding.code for finding in kept.findings}


# Rule 9: inactive people


@pytest.mark.parametrize(
    ("policy", "expected", "seats"),
    [("no_group", ("inactive", None), 2), ("reject", ("inactive", None), 2), ("keep_group", SALES, 2)],
)
def test_inactive_people(
    look: Look, person: Person, landings: Landings, policy: str, expected: tuple[str, str | None], seats: int
) -> None:
    people = [person(1, accountEnabled="False"), person(2), person(3, accountEnabled="perhaps")]
    preview = look(people, group_settings={"inactive": policy})
    assert landings(preview) == [expected, SALES, SALES]
    assert (preview.numbers.seats, preview.numbers.will_arrive) == (seats, seats)
    assert preview.groups[0].members == (3 if policy == "keep_group" else 2)


def test_unknown_and_absent_activity_count_as_active(look: Look, person: Person, landings: Landings) -> None:
    absent = [{name: cell for name, cell in person(n).items() if name != "accountEnabled"} for n in (1, 2)]
    assert landings(look(absent)) == [SALES, SALES]
    assert look(absent).people["active"].to_list() == [None, None]


# Rule 12: scope


@pytest.mark.parametrize(
    ("scope", "outside"),
    [
        ({}, []),
        ({"user_types": ["member"]}, [2, 3]),
        ({"user_types": ["GUEST", "Außendienst"]}, [1, 4]),
        ({"user_types": ["AUSSENDIENST"]}, [1, 2, 4]),
        ({"active_only": True}, [4]),
        ({"user_types": ["Member"], "active_only": True}, [2, 3, 4]),
        ({"user_types": ["Nobody"]}, [1, 2, 3, 4]),
    ],
)
def test_scope(look: Look, person: Person, scope: dict[str, object], outside: list[int]) -> None:
    people = [
        person(1),
        person(2, userType="Guest"),
        person(3, userType="Außendienst"),
        person(4, accountEnabled="False"),
    ]
    preview = look(people, scope=scope)
    assert preview.assignments.filter(reason="out_of_scope")["row"].to_list() == outside
    assert preview.in_scope == 4 - len(outside)


def test_a_file_says_who_is_assigned(look: Look, person: Person, tmp_path: Path) -> None:
    (tmp_path / "assigned.txt").write_text('\ufeffP1@EXAMPLE.com\n\n id-2 \n"élodie@example.com",\r\nnobody\n', "utf-8")
    people = [person(1), person(2), person(3, mail="ÉLODIE@example.com"), person(4)]
    preview = look(people, scope={"assigned": "assigned.txt"}, folder=tmp_path)
    assert preview.assignments.filter(reason="out_of_scope")["row"].to_list() == [4]


def test_an_empty_file_of_assigned_people_assigns_nobody(look: Look, person: Person, tmp_path: Path) -> None:
    (tmp_path / "assigned.txt").write_text("", "utf-8")
    assert look([person(1)], scope={"assigned": "assigned.txt"}, folder=tmp_path).reasons == {"out_of_scope": 1}


def test_the_file_of_assigned_people_must_be_there(look: Look, person: Person, tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes(b"\xe9lodie\n")
    for name in ("absent.txt", "latin.txt"):
        with pytest.raises(SettingError, match="cannot be read") as caught:
            look([person(1)], scope={"assigned": name}, folder=tmp_path)
        assert "scope.assigned" in caught.value.where


def test_out_of_scope_comes_before_every_rejection_but_unreadable(look: Look, person: Person) -> None:
    people = [person(1, userType="Guest", mail="bad"), person(2, userType="Guest", surname="\x01"), person(3)]
    preview = look(people, scope={"user_types": ["Member"]})
    assert preview.reasons == {"matched": 1, "out_of_scope": 1, "rejected_unreadable": 1}


# The whole


def test_numbers(look: Look, person: Person) -> None:
    people = [
        person(1), person(2, department="R&D"), person(3, department=""), person(4, accountEnabled="False"),
        person(5, mail="bad"), person(6, userType="Guest"),
    ]  # fmt: skip
    preview = look(people, scope={"user_types": ["Member"]})
    assert vars(preview.numbers) == {"will_arrive": 3, "groups": 3, "to_fix": 1, "seats": 3}
    assert (preview.rows, preview.in_scope) == (6, 5)
    assert list(preview.reasons) == [reason for reason in REASONS if reason in preview.reasons]


def test_pages_are_one_population(look: Look, person: Person, landings: Landings) -> None:
    preview = look([person(1, **SAME)], [person(2, **SAME), person(3, department="R&D")])
    assert landings(preview) == [DUPLICATE, DUPLICATE, ("matched", "R&D")]
    assert preview.assignments.select("file", "row").rows() == [
        ("1-users.csv", 1),
        ("2-users.csv", 1),
        ("2-users.csv", 2),
    ]


def test_an_export_of_nobody(look: Look, person: Person) -> None:
    preview = look(",".join(person(1)) + "\n")
    assert vars(preview.numbers) == {"will_arrive": 0, "groups": 0, "to_fix": 0, "seats": 0}
    assert (preview.reasons, preview.groups, preview.assignments.height) == ({}, [], 0)
    assert preview.groups_frame().is_empty()
    assert preview.to_pandas().empty


def test_only_unreadable_rows(look: Look, person: Person, landings: Landings) -> None:
    preview = look(",".join(person(1)) + "\nshort,row\n")
    assert landings(preview) == [("rejected_unreadable", None)]
    assert preview.to_dict()["reasons"] == {"rejected_unreadable": 1}


def test_as_data(look: Look, person: Person) -> None:
    data = json.loads(json.dumps(look([person(1)]).to_dict()))
    assert (data["format"], data["rows"], data["channel"], data["backend"]) == (1, 1, "idp", "polars")
    assert data["groups"] == [
        {
            "name": "Sales",
            "name_certain": True,
            "group_key": "sales",
            "members": 1,
            "exists": None,
            "spellings": {"Sales": 1},
        }
    ]
    assert data["source"]["shape"] == "entra_download_users"


def test_a_custom_field_decides(look: Look, person: Person, landings: Landings) -> None:
    people = [person(1, country="Norway"), person(2, country=" norway"), person(3, country="")]
    preview = look(
        people,
        field_mappings=[{"attribute": 'addresses[type eq "work"].country', "field": "Region"}],
        group_settings={"criterion": {"field": "Region"}},
    )
    assert landings(preview) == [("matched", "Norway"), ("matched", "Norway"), ("fallback_blank", "Everyone")]


@pytest.mark.parametrize(
    ("header", "group_by"),
    [
        ("Cost Centre", "Cost Centre"),
        ("Cost Centre", "cost centre"),
        ("Org Unit Path [Required]", "Org Unit Path [Required]"),
        ("a:b", "a:b"),
        ("x|y", "x|y"),
        ("userType", "userType"),
        ("department", "department"),
    ],
)
def test_group_by_any_column(read: Read, person: Person, header: str, group_by: str) -> None:
    export = read([person(1) | {header: "Alpha"}, person(2) | {header: "alpha "}])
    preview = preview_export(export, quick_setting(group_by, "Everyone"))
    assert [(group.group_key, group.members) for group in preview.groups] == [("alpha", 2)]


def test_group_by_an_attribute_path(read: Read, person: Person) -> None:
    export = read([person(1, country="Norway")])
    setting = quick_setting('addresses[type eq "work"].country')
    assert preview_export(export, setting).assignments["group"].to_list() == ["Norway"]


def test_a_column_that_is_not_there(look: Look, person: Person) -> None:
    with pytest.raises(SettingError, match='no column "deparment"') as caught:
        look([person(1)], columns={"department": "deparment"})
    assert (caught.value.where, caught.value.advice) == ("columns.department", 'Did you mean "department"?')


@pytest.mark.parametrize(("option", "value"), [("channel", "ipd"), ("backend", "dask")])
def test_unknown_options(look: Look, person: Person, option: str, value: str) -> None:
    with pytest.raises(UsageError, match=f'"{value}" is no {option}'):
        look([person(1)], **{option: value})
