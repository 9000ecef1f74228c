"""Arrivals: when each link was first seen to hold, from audit to audit."""

from __future__ import annotations

import datetime as dt
import stat
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from auditing import FIRST, Company, audited, night

from scimops import frames
from scimops.audit.arrivals import NAME, Arrivals, Run, intervals, load_arrivals, record, said, with_run
from scimops.audit.coverage import Coverage
from scimops.audit.frames import ARRIVALS, COVERAGE
from scimops.audit.told import moment
from scimops.errors import SourceError, UsageError


def seen(arrivals: Arrivals, name: str) -> dict[str, tuple[str | None, str]]:
    person = pl.DataFrame({"externalId": [f"x-{name}@example.com"], "userName": [None], "email": [None]},
                          schema_overrides={"userName": pl.String, "email": pl.String})  # fmt: skip
    return {row["step"]: (row["after"], row["by"]) for row in intervals(arrivals, person).iter_rows(named=True)}


def test_a_time_is_between_two_runs(acme: Company, tmp_path: Path) -> None:
    acme.arrives("old")
    enrolment = acme.enrolment("Basics", "Sales")
    acme.switch(enrolment, on=False)
    record(tmp_path / "kept", audited(acme, 0))
    acme.switch(enrolment, on=True)
    acme.arrives("new")
    arrivals = record(tmp_path / "kept", audited(acme, 1))
    old, new = seen(arrivals, "old"), seen(arrivals, "new")
    assert old["in_group"] == (None, night(0))
    assert old["expected"] == old["arrived"] == (night(0), night(1))
    assert new["at_platform"] == new["expected"] == (night(0), night(1))
    assert not {"enrolled", "arrived"} & set(new)
    assert load_arrivals(tmp_path / "kept").people.equals(arrivals.people)


def test_what_nobody_could_read_is_no_seeing(acme: Company, tmp_path: Path) -> None:
    acme.arrives("ada")
    acme.enrolment("Basics", "Sales")
    record(tmp_path, audited(acme, 0, enrolments=False))
    arrivals = record(tmp_path, audited(acme, 1))
    assert seen(arrivals, "ada")["expected"] == (None, night(1))


def test_the_same_audit_twice_and_an_older_one_change_nothing(acme: Company, tmp_path: Path) -> None:
    acme.arrives("ada")
    one = audited(acme, 1)
    kept = record(tmp_path, one)
    before = (tmp_path / NAME).read_bytes()
    acme.arrives("late")
    for again in (one, audited(acme, 1), audited(acme, 0)):
        assert record(tmp_path, again).people.equals(kept.people)
    assert (tmp_path / NAME).read_bytes() == before
    assert [finding.code for finding in said(kept, night(0))] == ["older_audit"]
    assert said(kept, night(1)) == []


def test_for_its_owner_alone_and_whole(acme: Company, tmp_path: Path) -> None:
    acme.arrives("ada")
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / f".{NAME}.part").write_text("left by a run that was killed")
    (folder / f".{NAME}.part").chmod(0o644)
    record(folder, audited(acme, 0))
    assert stat.S_IMODE((folder / NAME).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [NAME]


@pytest.mark.parametrize("content", [b"", b"PAR1 cut", b"no parquet"])
def test_a_file_that_cannot_be_read_is_refused_and_kept(acme: Company, tmp_path: Path, content: bytes) -> None:
    acme.arrives("ada")
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(SourceError, match="no list of arrivals"):
        record(tmp_path, audited(acme, 0))
    assert (tmp_path / NAME).read_bytes() == content


def test_a_parquet_of_somebody_else_is_refused(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / NAME)
    with pytest.raises(SourceError):
        load_arrivals(tmp_path)


def test_another_setting_or_platform_is_refused(acme: Company, tmp_path: Path) -> None:
    acme.arrives("ada")
    record(tmp_path, audited(acme, 0))
    other = audited(acme, 1)
    with pytest.raises(UsageError, match=r"are kept here, not of"):
        record(tmp_path, replace(other, sources=other.sources | {"platform": "elsewhere"}))


def coverage(*people: tuple[str | None, str, str, str]) -> Coverage:
    """A coverage of people (externalId, userName, email, status) of whom one link alone is told."""
    names = ("externalId", "userName", "email", "status")
    frame = pl.DataFrame(people, schema=dict.fromkeys(names, pl.String), orient="row")
    links = {name: pl.lit(None, pl.Boolean) for name in COVERAGE.names if COVERAGE[name].type == "bool"}
    frame = frame.with_columns(**links).with_columns(in_idp=pl.lit(True), in_group=pl.col("status") == "arrived")
    return Coverage(None, frame, "", ())  # type: ignore[arg-type]  # nobody asks for the population here


def run_of(number: int, population: str = "idp") -> Run:
    return Run(night(number), "Acme", "test", population)


NOTHING = Arrivals(pl.DataFrame(schema=dict.fromkeys(ARRIVALS.names, pl.String)), ())


def test_a_person_keeps_their_line_when_a_key_appears_or_changes() -> None:
    arrivals = with_run(NOTHING, coverage((None, "ada", "ada@example.com", "lost")), run_of(0))
    arrivals = with_run(arrivals, coverage(("1", "ADA", "ada@example.com", "arrived")), run_of(1))
    arrivals = with_run(arrivals, coverage(("1", "lovelace", "lovelace@example.com", "arrived")), run_of(2))
    assert arrivals.people.height == 1
    row = arrivals.people.row(0, named=True)
    assert (row["externalId"], row["userName"]) == ("1", "lovelace")
    assert (row["arrived_not_yet"], row["arrived_seen"]) == (night(0), night(1))
    # the address of somebody who is gone, given to somebody else, is another person
    arrivals = with_run(arrivals, coverage(("2", "l2", "lovelace@example.com", "arrived")), run_of(3))
    assert arrivals.people["arrived_seen"].to_list() == [night(1), night(3)]


def test_of_two_who_share_every_key_nobody_is_added_again_and_again() -> None:
    twins = coverage((None, "ada", "a@example.com", "cannot_tell"), (None, "ada", "a@example.com", "cannot_tell"))
    arrivals = NOTHING
    for number in range(3):
        arrivals = with_run(arrivals, twins, run_of(number))
    assert arrivals.people.height == 2
    assert arrivals.people["arrived_seen"].null_count() == 2


def test_a_list_of_employees_says_nothing_of_the_night_before() -> None:
    arrivals = with_run(NOTHING, coverage(("7", "ada", "ada@example.com", "arrived")), run_of(0, "hr"))
    more = coverage(("7", "ada", "ada@example.com", "arrived"), ("8", "bob", "bob@example.com", "arrived"))
    arrivals = with_run(arrivals, more, run_of(1, "hr"))
    assert arrivals.people["in_group_not_yet"].to_list() == [None, None]
    assert arrivals.people["in_group_seen"].to_list() == [night(0), night(1)]
    assert arrivals.people["externalId"].null_count() == 2  # its numbers are not the identity provider's


def test_a_person_of_a_list_is_the_one_of_the_export() -> None:
    arrivals = with_run(NOTHING, coverage(("7", "ada@x.com", "ada@x.com", "lost"), ("8", "b@x.com", "b@x.com", "lost")),
                        run_of(0, "hr"))  # fmt: skip
    export = coverage(("1", "adal", "Ada@x.com", "arrived"), ("2", "B@x.com", "bob@x.com", "arrived"))
    arrivals = with_run(arrivals, export, run_of(1))
    # an address that is a userName at the identity provider is found from there alone
    assert arrivals.people["externalId"].to_list() == ["1", None, "2"]
    again = coverage(("7", "ada@x.com", "ada@x.com", "lost"), ("8", "b@x.com", "b@x.com", "lost"))
    assert with_run(arrivals, again, run_of(2, "hr")).people.height == 3


def test_nights_without_a_run_are_a_gap_and_said() -> None:
    nobody = coverage(("1", "ada", "ada@example.com", "lost"))
    arrivals = NOTHING
    for number in (0, 1, 2, 3):
        arrivals = with_run(arrivals, nobody, run_of(number))
    for hours in (1, 2, 3):  # a look by hand is no other rhythm
        again = replace(run_of(3), at=moment(FIRST + dt.timedelta(days=3, hours=hours)))
        arrivals = with_run(arrivals, nobody, again)
    assert arrivals.usual == dt.timedelta(days=1)
    assert arrivals.gaps == []
    arrivals = with_run(arrivals, coverage(("1", "ada", "ada@example.com", "arrived")), run_of(6))
    assert arrivals.gaps == [(again.at, night(6))]
    found = intervals(arrivals, arrivals.people, ["arrived"]).row(0, named=True)
    assert (found["after"], found["by"], found["over_gap"]) == (again.at, night(6), True)
    assert found["words"] == (
        "between the run of 2026-11-23 04:00 and the run of 2026-11-26 01:00 (UTC); runs are missing between"
    )
    assert [finding.message for finding in said(arrivals, night(6))] == [
        "Between the run of 2026-11-23 04:00 UTC and this one are 69 hours; usually there are 24."
    ]


def test_the_frame_is_as_the_schema_says(acme: Company) -> None:
    acme.arrives("ada")
    assert frames.check(with_run(NOTHING, audited(acme, 0).coverage, run_of(0)).people, ARRIVALS).height == 1
