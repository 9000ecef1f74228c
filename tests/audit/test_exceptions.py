"""Exceptions: what a person accepted, until when; what a file of them may say, and what is said of it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from scimops.audit.exceptions import EXCEPTION_CATALOGUE, accept, find, load_exceptions
from scimops.audit.items import SCHEMA
from scimops.errors import SettingError, finding

TODAY = dt.date(2026, 11, 25)
GOOD = {"cause": "no_enrolment", "owner": "Ada", "reason": "Later.", "until": "2026-11-25"}


def item(name: str, code: str, **more: Any) -> dict[str, Any]:
    cause = code.removeprefix("lost_") if code.startswith("lost_") else None
    usual = {"code": code, "status": "lost" if cause else code, "cause": cause, "userName": f"{name}@example.com",
             "email": f"{name}.mail@example.com", "externalId": f"x-{name}"}  # fmt: skip
    return usual | more


def items(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([dict.fromkeys(SCHEMA) | row for row in rows], SCHEMA)


ITEMS = items(
    item("anna", "lost_no_enrolment"), item("ben", "lost_no_enrolment"), item("ben", "other_values"),
    item("cleo", "left_still_active", cause="left_renamed"), item("svc-fax", "not_ours", userName=None),
)  # fmt: skip


def written(folder: Path, *entries: dict[str, str]) -> Path:
    path = folder / "e.yaml"
    lines = ["format: 1", "exceptions:"]
    for entry in entries:
        lines += [
            f"  {'-' if number == 0 else ' '} {key}: {value}" for number, (key, value) in enumerate(entry.items())
        ]
    path.write_text("\n".join(lines) + "\n")
    return path


def accepted(folder: Path, *entries: dict[str, str]) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """Code and line of each item that is accepted; state and count of each exception."""
    found, agreed = accept(ITEMS, load_exceptions(written(folder, *entries)), TODAY)
    return (
        list(found.drop_nulls("exception").select("code", "exception").iter_rows()),
        [(one.state, one.people) for one in agreed],
    )  # fmt: skip


@pytest.mark.parametrize("person", ["anna@example.com", "ANNA@Example.com", "anna.mail@example.com", "x-anna", "anna*"])
def test_a_person_is_named_by_any_key_and_by_a_pattern(tmp_path: Path, person: str) -> None:
    assert accepted(tmp_path, {"person": person} | GOOD) == ([("lost_no_enrolment", 3)], [("in_force", 1)])


def test_a_cause_a_status_and_the_first_that_fits(tmp_path: Path) -> None:
    status = {name: value for name, value in GOOD.items() if name != "cause"}
    found, states = accepted(
        tmp_path, {"person": "'*'", "status": "lost"} | status, {"person": "anna*"} | GOOD,
        {"person": "cleo*", "cause": "left_renamed"} | status, {"person": "svc-*", "status": "not_ours"} | status,
        {"person": "nobody", "status": "not_ours"} | status,
    )  # fmt: skip
    assert found == [("lost_no_enrolment", 3), ("lost_no_enrolment", 3), ("left_still_active", 13), ("not_ours", 18)]
    assert states == [("in_force", 2), ("in_force", 1), ("in_force", 1), ("in_force", 1), ("matches_nothing", 0)]


def test_the_last_day_counts_and_the_day_after_does_not(tmp_path: Path) -> None:
    entries = load_exceptions(written(tmp_path, {"person": "anna*"} | GOOD))
    for day, state in ((TODAY, "in_force"), (TODAY + dt.timedelta(days=1), "ended")):
        found, agreed = accept(ITEMS, entries, day)
        assert agreed[0].state == state
        assert found["exception"].count() == (state == "in_force")
    (said,) = find(agreed)
    assert (said.code, said.level, said.count) == ("exception_ended", "warning", 1)
    assert "line 3 (2026-11-25)" in said.message


def test_what_matches_nothing_is_said_with_its_line(tmp_path: Path) -> None:
    entries = load_exceptions(written(tmp_path, *[{"person": f"nobody{number}"} | GOOD for number in range(12)]))
    (said,) = find(accept(ITEMS, entries, TODAY)[1])
    assert said.code == "exception_idle"
    assert said.message.endswith("line 3, line 8, line 13, line 18, line 23, line 28, line 33, line 38, line 43, "
                                 "line 48 and 2 more.")  # fmt: skip
    assert find(accept(ITEMS, [], TODAY)[1]) == []


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"person": "a", "ownr": "x"} | GOOD, ("line 4", '"exceptions.0.ownr" is not known here', "owner")),
        ({"person": "a"} | GOOD | {"cause": "no_enrolmnt"}, ("line 4", "no cause of an audit", "no_enrolment")),
        ({"person": "a", "status": "gone"} | GOOD, ("line 4", "no status of an audit")),
        ({"person": "a", "status": "lost"} | GOOD, ("line 3", "exactly one of cause and status")),
        ({"person": "a"} | GOOD | {"until": "soon"}, ("line 7", "no day; such is 2027-03-31")),
        ({"person": "a"} | GOOD | {"until": "20"}, ("line 7", "until")),
        ({"person": "a"} | GOOD | {"reason": "''"}, ("line 6", "must not be empty")),
        ({"person": "a", "cause": "taken", "owner": "x", "reason": "y"}, ("line 3", '"exceptions.0.until" is missing')),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, entry: dict[str, str], said: tuple[str, ...]) -> None:
    with pytest.raises(SettingError) as error:
        load_exceptions(written(tmp_path, entry))
    for words in said:
        assert words in str(error.value)


def test_a_day_may_stand_in_quotes(tmp_path: Path) -> None:
    ((_, entry),) = load_exceptions(written(tmp_path, {"person": "a"} | GOOD | {"until": "'2027-01-31'"}))
    assert entry.until == dt.date(2027, 1, 31)


@pytest.mark.parametrize("code", EXCEPTION_CATALOGUE)
def test_every_code_has_its_sentence_advice_and_example(code: str) -> None:
    made = finding(code, count=2, catalogue=EXCEPTION_CATALOGUE, **EXCEPTION_CATALOGUE[code].example)
    assert made.message.startswith("2 exceptions ")
    assert made.advice
