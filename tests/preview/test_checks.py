"""The findings of a preview: every code of the catalogue is made by a small export, with true counts and rows."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

import scimops
from scimops.capabilities import Capabilities
from scimops.errors import CATALOGUE, LEVELS, ROW_NUMBERS_KEPT, Finding, finding
from scimops.idp import Export
from scimops.preview import ExistingGroups, Preview
from scimops.preview.checks import CHECKS

Row = dict[str, str]
Person = Callable[..., Row]
Look = Callable[..., Preview]
Read = Callable[..., Export]

BY_GROUPS = {"criterion": {"idp_groups": True}}
REGION = [{"attribute": 'addresses[type eq "work"].country', "field": "Region"}]
ONELOGIN = "id,username,email,firstname,lastname,status,department\n"
OKTA = "User Id,Username,Primary email,First name,Last name,Status,Department\n"


@dataclass(frozen=True)
class Case:
    """An export (changes to its people, one dict each, or a text), a setting, and the finding it must make."""

    people: Sequence[Row] | str
    count: int = 0
    rows: list[int] = field(default_factory=list)
    says: str = ""
    drop: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)


def scim(*users: dict[str, Any], **page: Any) -> str:
    """SCIM users as a page."""
    known = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "name": {"givenName": "A", "familyName": "B"}}
    resources = [
        known | {"userName": f"u{n}", "emails": [{"value": f"u{n}@example.com"}]} | user for n, user in enumerate(users)
    ]
    return json.dumps({"totalResults": len(users), "Resources": resources} | page)


def person_of(name: str) -> dict[str, Any]:
    """A person in a recording."""
    resource = {"userName": name, "active": True, "emails": [{"value": f"{name}@example.com"}]}
    return {"keys": [None, name, f"{name}@example.com"], "resource": resource}


def stored(name: str) -> dict[str, Any]:
    """A recording's word that a person was created."""
    return {"user": name, "version": 1, **person_of(name)}


def rehearsal(*effects: dict[str, Any]) -> str:
    """A recording in which each request had one effect."""
    head = {"format": "scimops rehearsal", "version": 1, "setting": "S", "setting_id": "s", "people_before": 0}
    lines = [head, *({"method": "POST", "status": 201, "effects": [effect]} for effect in effects)]
    return "".join(json.dumps(line) + "\n" for line in lines)


SAME_NAME = {"userPrincipalName": "one@example.com"}
SAME_MAIL = {"mail": "one@example.com"}

CASES: dict[str, Case] = {
    # The source
    "incomplete_source": Case(
        scim({}, totalResults=250),
        says="it says 250 users in all and holds 1",
        options={"name": "u.json", "allow_incomplete": True},
    ),
    "unreadable_rows": Case([{}, {"surname": "\x1b"}, {}], 1, [2], "1 row cannot be read"),
    "foreign_file": Case([{"mail": "bad"}] * 3 + [{}] * 2, 3, says="60% of the rows cannot be sent"),
    "old_file": Case([{}], says="longer than the 7 days", options={"name": "users_2020-01-01.csv", "max_age": "1w"}),
    "columns_guessed": Case("Mail,Dept\na@example.com,Sales\n", says="email = Mail, department = Dept"),
    "column_missing": Case([{}], says="no column for department", drop=("department",)),
    "column_empty": Case(
        [{"department": ""}, {"department": " "}], 2, [1, 2], "The column department for department is empty"
    ),
    "recording": Case(
        rehearsal(stored("a"), {"user": "a", "deleted": True}, stored("b")),
        says="3 requests: 1 person was deleted again, 0 were refused, 0 were there before",
        options={"name": "r.ndjson"},
    ),
    "recording_cut": Case(
        rehearsal(stored("a")) + '{"at": "20',
        1,
        says="A line of the recording is cut off",
        options={"name": "r.ndjson"},
    ),
    "refused_in_rehearsal": Case(
        rehearsal({"refused": 409, "detail": "taken"} | person_of("b"), stored("a")),
        1,
        [2],
        "1 person was refused in the rehearsal",
        options={"name": "r.ndjson"},
    ),
    # Identity
    "no_username": Case([{}, {"userPrincipalName": ""}], 1, [2], "1 person without a userName"),
    "no_email": Case(
        OKTA + "1,a,,A,A,ACTIVE,S\n2,b,b@example.com,B,B,ACTIVE,S\n", 1, [1], "1 person without an e-mail"
    ),
    "bad_email": Case(
        [{}, {"mail": "a@@b"}, {"mail": "c d@e"}],
        2,
        [2, 3],
        "2 people with an unusable e-mail address will be rejected (such as a@@b)",
    ),
    "email_from_username": Case([{"mail": ""}, {}], 1, [1], "1 person has no mail address"),
    "value_too_long": Case([{"department": "x" * 257}, {}], 1, [1], "(department: at most 256 characters)"),
    "duplicate_username": Case(
        [SAME_NAME, {}, SAME_NAME],
        2,
        [1, 3],
        "2 people share a userName with somebody else in this file (such as one@example.com)",
    ),
    "duplicate_email": Case([SAME_MAIL, SAME_MAIL, {}], 2, [1, 2], "2 people share an e-mail address"),
    "duplicate_external_id": Case([{"objectId": "7"}, {}, {"objectId": "7"}], 2, [1, 3], "(column objectId)"),
    "clash_order_unknown": Case([SAME_NAME, SAME_NAME, {}], 2, [1, 2], "In 1 clash the platform"),
    "kept_inactive_hides_active": Case(
        [SAME_NAME | {"accountEnabled": "False"}, SAME_NAME, {}],
        1,
        [2],
        "1 person is active but hidden",
        options={"group_settings": {"duplicates": "keep_first"}},
    ),
    "external_id_changes": Case(
        [{"mailNickname": "p"}], says="taken from mailNickname", options={"identity": {"externalId": "mailNickname"}}
    ),
    "external_id_absent": Case([{}], says="no column for the externalId", drop=("objectId",)),
    "username_differs_from_email": Case([{}, {"mail": "other@example.com"}], 1, [2], "1 person has a userName"),
    "active_unknown": Case([{}, {"accountEnabled": "perhaps"}], 1, [2], "For 1 person"),
    # Who comes along
    "guests": Case(
        [{"userType": "Guest"}, {"userPrincipalName": "x#EXT#@example.com"}, {}],
        2,
        [1, 2],
        "2 people in scope are guests",
    ),
    "shared_mailboxes": Case([{"userPrincipalName": "info@example.com"}, {}], 1, [1], "(such as info@example.com)"),
    "service_accounts": Case(
        [{}, {"userPrincipalName": "SVC-backup@example.com"}], 1, [2], "(such as SVC-backup@example.com)"
    ),
    "domain_not_allowed": Case(
        [{}, {"mail": "a@partner.example"}, {"mail": "b@Partner.Example"}],
        2,
        [2, 3],
        "partner.example (2)",
        options={"allowed_domains": ["@Example.com"]},
    ),
    "seats_exceeded": Case([{}, {}, {}], 2, says="3 seats are needed, the licence has 1.", options={"seats": 1}),
    # Groups
    "blank_criterion": Case(
        [{}, {"department": " "}], 1, [2], 'With no department, 1 person lands in the target group "Everyone"'
    ),
    "several_values": Case(
        scim({"roles": ["a", "b"]}, {"roles": ["a"]}),
        1,
        [1],
        "1 person has several values for Role",
        options={
            "name": "u.json",
            "field_mappings": [{"attribute": "roles", "field": "Role"}],
            "group_settings": {"criterion": {"field": "Role"}},
        },
    ),
    "spellings_merged": Case(
        [{}, {"department": "SALES"}, {"department": "R&D"}],
        2,
        [1, 2],
        "1 group is written in several ways that count as one: Sales, SALES",
    ),
    "near_twins": Case(
        [{"department": "Engineering"}, {"department": "Engineering"}, {"department": "Enginering"}],
        1,
        [3],
        "Enginering / Engineering",
    ),
    "one_member_group": Case([{}, {}, {"department": "Slaes"}], 1, [3], "1 group would have one member only: Slaes"),
    "group_name_too_long": Case([{"department": "x" * 65}, {}], 1, [1], "1 group name is longer than 64 characters"),
    "existing_groups_unknown": Case([{}], says="a group may exist under another spelling"),
    "criterion_not_sent_by_default": Case(
        ONELOGIN + "1,a,a@example.com,A,A,1,S\n", says="OneLogin does not send department"
    ),
    "criterion_without_attribute": Case(
        [{"costCenter": "1"}],
        says="No SCIM attribute is named for Cost, so Entra ID cannot send it",
        options={"columns": {"Cost": "costCenter"}, "group_settings": {"criterion": {"field": "Cost"}}},
    ),
    "fields_not_sent_by_default": Case(
        [{"country": "NO"}],
        says="Entra ID sends Region only once added to the attribute mapping",
        options={"field_mappings": REGION},
    ),
    "sending_not_verified": Case(
        OKTA + "1,a,a@example.com,A,A,ACTIVE,S\n", says="It is not verified that Okta sends department."
    ),
    "stale_at_service_provider": Case([{}], says="whoever loses their department later"),
    "case_only_change": Case(
        [{}, {"department": "SALES"}], 2, [1, 2], "Entra ID does not send a change of upper and lower case"
    ),
    "nested_groups": Case(
        [{}], says="Entra ID does not read groups inside groups", options={"group_settings": BY_GROUPS}
    ),
    "transient_fallback": Case([{}], says='passes through "Everyone" first'),
    "rule_not_there": Case(
        [{}],
        says="not known to have aliases, duplicates: keep_first, inactive: reject:",
        options={
            "group_settings": {"aliases": {"R&D": "Engineering"}, "duplicates": "keep_first", "inactive": "reject"}
        },
    ),
}


@pytest.fixture(scope="module")
def preview_of(look: Look, read: Read, person: Person) -> Callable[[Case], Preview]:
    def make(case: Case) -> Preview:
        options = dict(case.options)
        if isinstance(case.people, str):
            content: Any = case.people
        else:
            people = [person(n, **cells) for n, cells in enumerate(case.people, 1)]
            content = [{name: cell for name, cell in row.items() if name not in case.drop} for row in people]
        reading = {name: options.pop(name) for name in ("name", "allow_incomplete") if name in options}
        return look(read(content, **reading), **options)

    return make


def codes(preview: Preview) -> set[str]:
    return {found.code for found in preview.findings}


def the(preview: Preview, code: str) -> Finding:
    (found,) = [found for found in preview.findings if found.code == code]
    return found


@pytest.mark.parametrize("code", CASES)
def test_every_finding_is_made_by_a_small_export(preview_of: Callable[[Case], Preview], code: str) -> None:
    case = CASES[code]
    found = the(preview_of(case), code)
    assert (found.level, found.count, found.row_numbers) == (CATALOGUE[code].level, case.count, case.rows)
    assert case.says in found.message
    assert found.advice
    assert not re.search(r"\{\w", found.message + found.advice)  # OneLogin's macros begin with {$


def test_the_table_covers_the_whole_catalogue() -> None:
    assert set(CASES) == set(CATALOGUE)


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_code_has_a_level_text_advice_and_an_example(code: str) -> None:
    entry = CATALOGUE[code]
    assert entry.level in LEVELS
    assert entry.message.endswith(".")
    assert entry.advice.endswith((".", "}"))
    needed = {
        name for text in (entry.message, entry.advice) for _, name, _, _ in string.Formatter().parse(text) if name
    }
    assert needed - {"count", "people"} == set(entry.example)
    for count in (1, 1234):
        made = finding(code, count=count, **entry.example)
        assert "{" not in made.message + made.advice
        assert "|" not in made.message


@pytest.mark.parametrize("code", CATALOGUE)
def test_sentences_read_well_for_one_and_for_many(code: str) -> None:
    entry = CATALOGUE[code]
    counted = {name for name, value in entry.example.items() if type(value) is int and name not in ("limit", "seats")}
    one = finding(code, count=1, **entry.example | dict.fromkeys(counted, 1)).message
    many = finding(code, count=1234, **entry.example | dict.fromkeys(counted, 1234)).message
    noun = r"(person|group|pair|row|seat|clash|group name)"
    assert not re.search(r"\b1 (people|rows|groups|pairs|seats|clashes)\b", one)
    assert not re.search(r"\b1 person (have|are|share|look|land)\b", one)
    assert not re.search(rf"\b1,234 {noun}\b(?! (of|name))", many) or "1,234 group names" in many
    assert not re.search(r"\b1,234 people (has|is|shares|looks|lands)\b", many)


def test_a_clean_file_has_no_errors_and_no_warnings(look: Look, person: Person) -> None:
    preview = look([person(n, department="Sales" if n % 2 else "Finance") for n in range(1, 9)])
    assert [found.code for found in preview.findings if found.level != "info"] == []


def test_nothing_is_found_in_a_clean_file_that_scimops_sends(look: Look, person: Person) -> None:
    existing = ExistingGroups({"sales": "Sales"}, "groups.csv")
    assert look([person(1), person(2)], channel="apply", existing=existing).findings == []


def test_errors_come_first(look: Look, person: Person) -> None:
    preview = look([person(1, mail="bad"), person(2, userType="Guest"), person(3, department="")])
    levels = [LEVELS.index(found.level) for found in preview.findings]
    assert levels == sorted(levels)
    assert set(levels) == {0, 1, 2}


def test_of_many_rows_the_first_hundred_are_named_and_all_are_counted(look: Look, person: Person) -> None:
    people = [person(n, department="Sales" if n % 2 else "") for n in range(1, 301)]
    found = the(look(people), "blank_criterion")
    assert (found.count, found.row_numbers) == (150, list(range(2, 202, 2)))
    assert len(found.row_numbers) == ROW_NUMBERS_KEPT


def test_every_finding_of_the_table_names_true_rows(preview_of: Callable[[Case], Preview]) -> None:
    for case in CASES.values():
        preview = preview_of(case)
        for found in preview.findings:
            assert len(found.row_numbers) <= min(found.count, ROW_NUMBERS_KEPT)
            assert set(found.row_numbers) <= set(range(1, preview.rows + 1))
            assert len(set(found.row_numbers)) == len(found.row_numbers)


def test_unreadable_rows_are_named_wherever_they_fell(look: Look, person: Person) -> None:
    head = ",".join(person(1))
    good, escape = (",".join(person(1, **cells).values()) for cells in ({}, {"surname": "\x1b"}))
    preview = look(f"{head}\n{escape}\nshort\n{good}\n{escape}\n")
    assert the(preview, "unreadable_rows").row_numbers == [1, 2, 4]


def test_a_finding_for_each_field_that_is_too_long(look: Look, person: Person) -> None:
    long = "x" * 257
    people = [person(1, department=long, country=long), person(2, country=long), person(3, country="Norway")]
    preview = look(people, field_mappings=REGION)
    found = [
        (one.message.split("(")[1].split(":")[0], one.row_numbers)
        for one in preview.findings
        if one.code == "value_too_long"
    ]
    assert found == [("department", [1]), ("Region", [1, 2])]


def test_an_empty_mapped_column_is_found(look: Look, person: Person) -> None:
    preview = look([person(1, country=""), person(2, country=" ")], field_mappings=REGION)
    assert "column country for Region" in the(preview, "column_empty").message
    assert "no column for Region" in the(look([person(1)], field_mappings=REGION), "column_missing").message


def test_an_empty_export_lacks_nothing(look: Look, person: Person) -> None:
    assert codes(look(",".join(person(1)) + "\n")) <= {"transient_fallback", "stale_at_service_provider"}


def test_few_bad_rows_do_not_make_a_file_foreign(look: Look, person: Person) -> None:
    assert "foreign_file" not in codes(look([person(n, mail="bad") for n in range(4)]))
    assert "foreign_file" not in codes(look([person(n, mail="bad" if n < 3 else f"p{n}@b.c") for n in range(6)]))


def test_a_young_file_is_not_old(look: Look, person: Person) -> None:
    assert "old_file" not in codes(look([person(1)], max_age="1h"))


def test_domains_are_compared_as_addresses_are(look: Look, person: Person) -> None:
    people = [
        person(1, mail="a@STRASSE.example"),
        person(2, mail="b@Straße.example"),
        person(3, mail="c@sub.example.com"),
    ]
    found = the(look(people, allowed_domains=["straße.example", "example.com"]), "domain_not_allowed")
    assert found.row_numbers == [3]


def test_only_those_who_take_seats_are_judged(look: Look, person: Person) -> None:
    off = {"accountEnabled": "False"}
    people = [person(1, mail="a@other.example", **off), person(2, userType="Guest", **off), person(3)]
    assert codes(look(people, allowed_domains=["example.com"], seats=1)).isdisjoint(
        {"domain_not_allowed", "guests", "seats_exceeded"}
    )


def test_a_clash_over_both_is_told_once(look: Look, person: Person) -> None:
    found = codes(look([person(1, **SAME_NAME, **SAME_MAIL), person(2, **SAME_NAME, **SAME_MAIL)]))
    assert "duplicate_username" in found
    assert "duplicate_email" not in found


def test_findings_of_the_channel(look: Look, person: Person) -> None:
    people = [person(1, **SAME_NAME), person(2, **SAME_NAME), person(3), person(4, department="SALES")]
    only_idp = {"clash_order_unknown", "stale_at_service_provider", "case_only_change", "transient_fallback"}
    assert only_idp <= codes(look(people))
    assert codes(look(people, channel="apply")).isdisjoint(only_idp)


@pytest.mark.parametrize(
    ("one", "two", "alike"),
    [
        ("Enginering", "Engineering", True),
        ("Human Resource", "Human Resources", True),
        ("Sales", "Sale", False),
        ("Team 1 Lyon", "Team 2 Lyon", False),
        ("Finance", "Legal", False),
        ("Engineering", "ENGINEERING", False),
    ],
)
def test_near_twins(look: Look, person: Person, one: str, two: str, alike: bool) -> None:
    preview = look([person(1, department=one), person(2, department=two), person(3, department=two)])
    assert ("near_twins" in codes(preview)) == alike


def test_aliases_are_meant_and_no_spellings(look: Look, person: Person) -> None:
    preview = look(
        [person(1, department="R&D"), person(2, department="Research")], group_settings={"aliases": {"R&D": "Research"}}
    )
    assert codes(preview).isdisjoint({"spellings_merged", "case_only_change"})


def test_one_group_of_one_person_is_not_lonely(look: Look, person: Person) -> None:
    assert "one_member_group" not in codes(look([person(1)]))


def test_every_check_says_what_it_looks_for() -> None:
    assert all(check.__doc__ for check in CHECKS)
    assert len(set(CHECKS)) == len(CHECKS)


def test_a_group_has_one_twin_at_most(look: Look, person: Person) -> None:
    """Of 200 names that all look alike there are not 20,000 pairs."""
    letters = "abcdefghijklmno"
    names = [f"Regional Sales Department {one}{two}" for one in letters for two in letters][:200]
    found = the(look([person(n, department=name) for n, name in enumerate(names)]), "near_twins")
    assert found.message.startswith("199 pairs of groups")


def test_an_export_without_a_mail_column_says_that_the_user_name_stands_for_it(tmp_path):
    path = tmp_path / "users.csv"
    path.write_text(
        "User principal name,Display name,Block credential,Licenses,Object Id,Department\n"
        "a@example.com,A,False,E3,1,Sales\nb@example.com,B,False,E3,2,Sales\n"
    )
    preview = scimops.preview_export(scimops.read_export(path), scimops.quick_setting("department", "Everyone"))
    found = [finding for finding in preview.findings if finding.code == "email_from_username"]
    assert [finding.count for finding in found] == [2]


def test_a_service_provider_that_has_the_rules_is_not_doubted(preview_of: Callable[[Case], Preview]) -> None:
    case = CASES["rule_not_there"]
    ours = Capabilities.said({"placement": "server", "rules": list(range(1, 12))})
    assert "rule_not_there" not in codes(preview_of(replace(case, options=case.options | {"capabilities": ours})))
    some = Capabilities("Elsewhere", rules=frozenset({3, 9}))
    found = the(preview_of(replace(case, options=case.options | {"capabilities": some})), "rule_not_there")
    assert found.message.startswith("Elsewhere is not known to have duplicates: keep_first:")
