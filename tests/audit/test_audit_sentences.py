"""Each finding of an audit is a whole sentence, of one person and of several."""

from __future__ import annotations

import re

import pytest

from scimops.audit.catalogue import AUDIT_CATALOGUE
from scimops.audit.causes import CAUSES, STATUSES
from scimops.findings import finding
from scimops.grouping import REASONS

SINGULAR = re.compile(
    r"^(For )?3 people (is|was|has|lands|arrives|shares)\b|\band (is|was|has) not\b|\band (is|was|lands)\b"
)


def said(code: str, count: int) -> str:
    return finding(code, count=count, catalogue=AUDIT_CATALOGUE).message


@pytest.mark.parametrize("code", AUDIT_CATALOGUE)
def test_of_one_and_of_three_it_is_a_sentence(code: str) -> None:
    one, three = said(code, 1), said(code, 3)
    assert re.match(r"(1 person|For 1 person) [a-z]", one), "no colon after the person"
    assert re.match(r"(3 people|For 3 people) [a-z]", three)
    assert one.endswith(".")
    assert three.endswith(".")
    assert not SINGULAR.search(three)
    words = (REASONS | CAUSES | STATUSES)[code.removeprefix("lost_")]
    if code not in ("lost_no_log", "left_still_active"):
        assert one.removeprefix("For ") == f"1 person {words}."


@pytest.mark.parametrize(
    ("code", "one", "three"),
    [
        ("left_still_active", "1 person left, and is still active on the platform.",
         "3 people left, and are still active on the platform."),
        ("missing", "1 person should be on the platform and is not.",
         "3 people should be on the platform and are not."),
        ("lost_inactive", "1 person is employed and the account at the identity provider is not active.",
         "3 people are employed and their accounts at the identity provider are not active."),
        ("lost_left_renamed",
         "1 person left and has another userName or address than on the platform, so may not have been found there.",
         "3 people left and have other userNames or addresses than on the platform, so may not have been found there."),
        ("lost_no_enrolment", "For 1 person the group has no enrolment.", "For 3 people the group has no enrolment."),
        ("lost_no_log", "For 1 person nobody can tell why: no log of the identity provider covers the time.",
         "For 3 people nobody can tell why: no log of the identity provider covers the time."),
    ],
)  # fmt: skip
def test_the_words(code: str, one: str, three: str) -> None:
    assert (said(code, 1), said(code, 3)) == (one, three)
    assert said(code, 1234).replace("1,234 people", "3 people") == three
