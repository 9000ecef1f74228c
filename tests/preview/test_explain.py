"""One person, step by step."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scimops.errors import UsageError
from scimops.preview import Preview
from scimops.preview.explain import explain

Person = Callable[..., dict[str, str]]
Look = Callable[..., Preview]


@pytest.fixture(scope="module")
def preview(look: Look, person: Person) -> Preview:
    people = [
        person(1, department="SALES"),
        person(2, department=""),
        person(3, accountEnabled="False"),
        person(4, accountEnabled="?", department="R&D"),
        person(5, mail="none"),
        person(6, userPrincipalName="twin@example.com"),
        person(7, userPrincipalName="Twin@example.com"),
        person(8, mail=""),
        person(9, userType="Guest"),
        person(10, userPrincipalName="12345", objectId="7"),
    ]
    return look(people, group_settings={"aliases": {"R&D": "Engineering"}}, scope={"user_types": ["member"]})


@pytest.mark.parametrize(
    ("who", "row", "reason", "group", "says"),
    [
        (
            "p1@example.com",
            1,
            "matched",
            "SALES",
            'The criterion is department (column department): "SALES", whose key is "sales"',
        ),
        (" P1@EXAMPLE.COM ", 1, "matched", "SALES", 'lands in the group of their own value: "SALES"'),
        ("id-1", 1, "matched", "SALES", 'externalId (externalId) is "id-1", from column objectId'),
        ("1", 1, "matched", "SALES", "Row 1 (line 2) of users.csv"),
        ("p2@example.com", 2, "fallback_blank", "Everyone", "(column department): blank, which is blank."),
        ("p3@example.com", 3, "inactive", None, "The account is not active, says column accountEnabled."),
        ("p4@example.com", 4, "alias", "Engineering", 'and an alias leads to "Engineering"'),
        ("p4@example.com", 4, "alias", "Engineering", "does not say whether the account is active"),
        ("p5@example.com", 5, "rejected_bad_email", None, "has an unusable e-mail address and will be rejected."),
        ("p6@example.com", 6, "rejected_duplicate", None, "Row 7 has the same userName or e-mail address"),
        ("p8@example.com", 8, "matched", "SALES", "from column userPrincipalName, because mail is empty"),
        ("p9@example.com", 9, "out_of_scope", None, "is not in the scope and will not be sent."),
        ("12345", 10, "matched", "SALES", 'userName (userName) is "12345"'),
    ],
)
def test_one_person(preview: Preview, who: str, row: int, reason: str, group: str | None, says: str) -> None:
    (found,) = explain(preview, who)
    assert (found.row, found.reason, found.group) == (row, reason, group)
    assert says in "\n".join(found.steps)


def test_several_rows_may_be_that_person(preview: Preview) -> None:
    assert [found.row for found in explain(preview, "twin@example.com")] == [6, 7]


def test_an_external_id_comes_before_a_row_number(preview: Preview) -> None:
    assert [found.row for found in explain(preview, "7")] == [10]


@pytest.mark.parametrize("who", ["nobody@example.com", "", " ", "0", "11", "-1", "9" * 30, "²", "null"])
def test_nobody_of_that_name(preview: Preview, who: str) -> None:
    with pytest.raises(UsageError, match="Nobody in this export"):
        explain(preview, who)


def test_three_of_one_name(look: Look, person: Person) -> None:
    three = look([person(n, userPrincipalName="one@example.com") for n in (1, 2, 3)] + [person(4, mail="bad")])
    assert "Rows 2, 3 have the same userName" in "\n".join(explain(three, "1")[0].steps)


def test_only_rows_that_take_part_in_a_clash_are_named(look: Look, person: Person) -> None:
    same = {"userPrincipalName": "one@example.com"}
    clash = look([person(1, **same), person(2, **same), person(3, **same, mail="bad")])
    assert "Row 2 has the same userName" in "\n".join(explain(clash, "1")[0].steps)


def test_each_file_has_its_own_row_numbers(look: Look, person: Person) -> None:
    pages = look([person(1, department="Lyon")], [person(2, department="Oslo")])
    assert [(found.file, found.group) for found in explain(pages, "1")] == [
        ("1-users.csv", "Lyon"),
        ("2-users.csv", "Oslo"),
    ]
    assert explain(pages, "p1@example.com")[0].group == "Lyon"


def test_rows_that_could_not_be_read(look: Look, person: Person) -> None:
    head = ",".join(person(1))
    pages = look([person(1)], f"{head}\nshort,row\n", f"{head}\nanother,short,row\n")
    found = explain(pages, "1")
    assert [(one.file, one.reason) for one in found] == [
        ("1-users.csv", "matched"),
        ("2-users.csv", "rejected_unreadable"),
        ("3-users.csv", "rejected_unreadable"),
    ]
    assert "could not be read: too short" in found[1].steps[0]


def test_the_groups_of_the_identity_provider(look: Look) -> None:
    head = "FirstName,LastName,Username,Email,SystemID,Group1,Group2\n"
    rows = "A,B,ab,ab@example.com,s,VPN,Lyon\nC,D,cd,cd@example.com,s,,\n"
    preview = look(head + rows, group_settings={"criterion": {"idp_groups": True}})
    assert explain(preview, "ab")[0].group == "VPN\nLyon"
    assert "theirs: VPN, Lyon." in "\n".join(explain(preview, "ab")[0].steps)
    assert "theirs: none." in "\n".join(explain(preview, "cd")[0].steps)
    assert explain(preview, "cd")[0].to_dict()["reason"] == "fallback_no_idp_group"


def test_no_criterion(look: Look, person: Person) -> None:
    (found,) = explain(look([person(1)], group_settings={"criterion": None}), "1")
    assert "has no grouping criterion" in "\n".join(found.steps)
    assert (found.reason, found.group) == ("everyone", "Everyone")
