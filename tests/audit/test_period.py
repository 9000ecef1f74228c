"""Who joined in a period: by the list of employees and the exports kept, leavers included; and the first cycle."""

from __future__ import annotations

import csv
import datetime as dt
import os
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from auditing import HEADER, Company

from scimops.audit.arrivals import record
from scimops.audit.audit import Audit, audit
from scimops.audit.first_day import first_day
from scimops.audit.kept import kept_exports
from scimops.audit.period import Joined, hires, joined_in, parse_period
from scimops.audit.sources import gather
from scimops.audit.state import load_state, without_enrolments
from scimops.audit.told import Logs, moment
from scimops.errors import IncompleteSourceError, UsageError
from scimops.idp import read_export
from scimops.samples.story import Story, write_story
from scimops.setting import load_setting

KEYS = ("externalId", "userName", "email")
TODAY = dt.datetime(2026, 11, 25, 8, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [("2026-Q3", "2026-07-01", "2026-09-30"), ("2028-02", "2028-02-01", "2028-02-29"),
     ("2026", "2026-01-01", "2026-12-31"), ("2026-q4", "2026-10-01", "2026-12-31")],
)  # fmt: skip
def test_a_quarter_a_month_a_year(text: str, first: str, last: str) -> None:
    period = parse_period(text)
    assert (period.first.isoformat(), period.last.isoformat()) == (first, last)


@pytest.mark.parametrize("text", ["2026-Q5", "2026-13", "Q3", "", "2026-W40", "0000", "2026-00", "٢٠٢٦"])
def test_anything_else_is_no_period(text: str) -> None:
    with pytest.raises(UsageError, match="is no period"):
        parse_period(text)


# A company whose exports have no days: who joined is told by the exports alone


def line(name: str, *, on: bool = True, created: str = "") -> str:
    address = f"{name}@example.com"
    return f"x-{address},{address},{address},Ada,{name.title()},Sales,{str(on).lower()},{created}\n"


def keep(folder: Path, day: str, *lines: str) -> Path:
    """An export of that day, 01:00 UTC."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{day}.csv"
    path.write_text(HEADER + "".join(lines))
    at = dt.datetime.fromisoformat(f"{day}T01:00:00+00:00").timestamp()
    os.utime(path, (at, at))
    return path


def audited(company: Company, night: dt.datetime = TODAY) -> Audit:
    snapshot = replace(company.state().snapshot, read_at=moment(night))
    return audit(company.preview(), without_enrolments(snapshot))


def told(joined: Joined) -> dict[str, str]:
    rows = joined.people.select("userName", "status").iter_rows()
    return {name.partition("@")[0]: status for name, status in rows}


@pytest.fixture
def undated(acme: Company) -> Company:
    for name in ("old", "here", "late"):
        acme.arrives(name)
        acme.people[name] = line(name).strip()
    return acme


def test_the_exports_tell_who_came_and_who_left(undated: Company, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    crowd = [line("old"), line("here")]
    keep(kept, "2026-07-31", line("old"), line("gone"))
    keep(kept, "2026-08-31", *crowd, line("brief"), line("off"))
    keep(kept, "2026-10-01", *crowd, line("off", on=False))
    undated.people["off"] = line("off", on=False).strip()
    joined = joined_in(parse_period("2026-Q3"), audited(undated), kept_exports(kept))
    assert told(joined) == {"here": "arrived", "brief": "left_unseen", "off": "left_unseen"}
    # old and gone stand in the oldest export: nobody can tell since when; late came after the period
    assert joined.everybody == {"in": 3, "before": 0, "after": 1, "not_known": 2}
    brief, off = (joined.people.filter(pl.col("userName").str.starts_with(name)).row(0, named=True)
                  for name in ("brief", "off"))  # fmt: skip
    assert (brief["joined_from"], brief["joined"], brief["sure"]) == ("seen", None, True)
    assert (brief["joined_after"], brief["joined_by"]) == ("2026-07-31T01:00:00.000Z", "2026-08-31T01:00:00.000Z")
    assert (brief["left_after"], brief["left_by"]) == ("2026-08-31T01:00:00.000Z", "2026-10-01T01:00:00.000Z")
    assert (off["left_after"], off["left_by"]) == (brief["left_after"], brief["left_by"])


def test_between_two_exports_of_two_periods_is_not_sure(undated: Company, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    keep(kept, "2026-06-30", line("old"))
    keep(kept, "2026-07-31", line("old"), line("here"), line("late"))
    for text in ("2026-06", "2026-07"):
        joined = joined_in(parse_period(text), audited(undated), kept_exports(kept))
        assert told(joined) == {"here": "arrived", "late": "arrived"}
        assert joined.people["sure"].to_list() == [False, False]
    assert joined_in(parse_period("2026-Q4"), audited(undated), kept_exports(kept)).people.is_empty()


def test_nobody_left_where_a_row_of_todays_export_cannot_be_read(undated: Company, tmp_path: Path) -> None:
    keep(tmp_path / "kept", "2026-07-31", line("old"))
    keep(tmp_path / "kept", "2026-08-31", line("old"), line("here"), line("brief"), line("off", on=False))
    undated.people["brief"] = "brief,cut off"
    joined = joined_in(parse_period("2026-Q3"), audited(undated), kept_exports(tmp_path / "kept"))
    assert told(joined) == {
        "here": "arrived", "late": "arrived", "brief": "cannot_tell", "off": "left_unseen",
    }  # fmt: skip
    assert joined.people.filter(status="cannot_tell").select("cause", "left", "left_by").row(0) == (
        "in_no_row",
        False,
        None,
    )
    assert joined.unclear == 1


def test_a_row_that_cannot_be_read_ends_no_stretch_of_time(undated: Company, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    keep(kept, "2026-07-05", line("old"))
    keep(kept, "2026-07-15", line("old"), "brief,cut off\n")
    keep(kept, "2026-07-25", line("old"), line("brief"))
    keep(kept, "2026-08-05", line("old"), "brief,cut off\n")
    keep(kept, "2026-08-15", line("old"))
    joined = joined_in(parse_period("2026-07"), audited(undated), kept_exports(kept))
    brief = joined.people.filter(pl.col("userName") == "brief@example.com")
    ends = [str(day)[:10] for day in brief.select("joined_after", "joined_by", "left_after", "left_by").row(0)]
    assert ends == ["2026-07-05", "2026-07-25", "2026-07-25", "2026-08-15"]
    assert joined.unclear == 2


def test_an_account_that_is_off_before_the_first_day_is_no_leaving(undated: Company, tmp_path: Path) -> None:
    soon = line("soon", on=False, created="2026-12-01")
    keep(tmp_path / "kept", "2026-10-31", line("old"), soon)
    undated.people["soon"] = soon.strip()
    joined = joined_in(parse_period("2026-12"), audited(undated), kept_exports(tmp_path / "kept"))
    assert joined.people.select("userName", "status", "left").rows() == [("soon@example.com", "not_meant", False)]


def test_a_leaver_whom_an_audit_saw_had_arrived(undated: Company, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    keep(kept, "2026-08-31", line("old"), line("here"))
    undated.arrives("brief")
    undated.people["brief"] = line("brief", created="2026-09-03").strip()
    record(tmp_path, audited(undated, TODAY - dt.timedelta(days=2)))
    keep(kept, "2026-10-01", line("old"), line("here"), undated.people.pop("brief") + "\n")
    undated.people["here"] = line("here", created="2026-09-02").strip()
    undated.embedded.scim(undated.token, "DELETE", f"/Users/{_id(undated, 'here')}")
    now = audited(undated)
    joined = joined_in(parse_period("2026-Q3"), now, kept_exports(kept), arrivals=record(tmp_path, now))
    assert told(joined) == {"here": "arrived_lost", "brief": "arrived_left"}
    here = joined.people.row(0, named=True)
    assert (here["lost_at"], here["cause"], here["arrived_by"]) == (
        "at_platform", "no_log", moment(TODAY - dt.timedelta(days=2)),
    )  # fmt: skip
    # without the audits before, nobody claims that they had arrived
    assert told(joined_in(parse_period("2026-Q3"), now, kept_exports(kept))) == {
        "here": "lost", "brief": "left_unseen",
    }  # fmt: skip


def test_an_export_of_another_company_is_refused(undated: Company, tmp_path: Path) -> None:
    keep(tmp_path / "kept", "2026-08-31", *(line(f"stranger{number}") for number in range(9)))
    with pytest.raises(IncompleteSourceError, match="few people in common"):
        joined_in(parse_period("2026"), audited(undated), kept_exports(tmp_path / "kept"))


# The story: a list of employees beside six exports


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    faults = [("domain_not_allowed", "new 22")]
    return write_story(tmp_path_factory.mktemp("story"), faults)


def joined_of(story: Story, text: str, *, by_list: bool) -> tuple[Audit, Logs, Joined]:
    found = gather(story.exports[-1], load_setting(story.setting), load_state(story.state), story.logs, story.hr)
    result = audit(found.preview, found.state, found.logs, hr=found.hr if by_list else None)
    return result, found.logs, joined_in(parse_period(text), result, kept_exports(story.exports[0].parent), found.hr)


@pytest.mark.parametrize("by_list", [True, False])
def test_everybody_of_the_list_who_was_hired_in_the_quarter(story: Story, by_list: bool) -> None:
    with story.hr.open(encoding="utf-8-sig", newline="") as stream:
        listed = {row["E-mail"]: row["Hire date"] for row in csv.DictReader(stream)}
    hired = {address for address, day in listed.items() if "2026-10-01" <= day <= "2026-12-31"}
    _, _, joined = joined_of(story, "2026-Q4", by_list=by_list)
    by = dict(joined.people.select("email", "joined_from").iter_rows())
    assert {address for address, source in by.items() if source == "hr"} == hired
    assert sum(joined.counts.values()) == joined.everybody["in"] == joined.people.height
    assert joined.unclear == 0
    # whose first day lies ahead need not be there yet, though today's audit asked about the export alone
    assert joined.people.filter(status="lost")["userName"].to_list() == [story.people["new 22"].userName]
    exports = pl.concat([read_export(path).users().select(*KEYS) for path in story.exports])
    addresses = {key.lower() for name in ("userName", "email") for key in exports[name].drop_nulls()}
    without_account = [address for address in listed if address.lower() not in addresses]
    assert sum(joined.everybody.values()) == exports["externalId"].n_unique() + len(without_account)


def test_why_one_of_them_never_arrived(story: Story) -> None:
    result, logs, joined = joined_of(story, "2026", by_list=True)
    lost = joined.people.filter(status="lost")
    assert lost["cause"].to_list() == ["domain_not_allowed"]
    assert lost["userName"].to_list() == [story.people["new 22"].userName]
    assert "entra" in lost["evidence"].item()
    assert joined.people["status"][0] == "lost"
    new = hires(result)
    assert new["days"].to_list() == [30, 90]
    assert (new["people"] == new.select(pl.sum_horizontal(list(result.coverage.counts))).to_series()).all()
    day = first_day(result.coverage, logs, TODAY - dt.timedelta(days=400))
    waiting = result.coverage.counts["lost"] + result.coverage.counts["cannot_tell"]
    assert (day.arrived, day.expected) == (
        result.coverage.counts["arrived"],
        result.coverage.counts["arrived"] + waiting + day.not_due_yet,
    )
    assert day.not_due_yet == result.coverage.counts["not_due_yet"]
    assert day.missing["people"].sum() == waiting
    refused = day.errors.filter(reason="domain_not_allowed").row(0, named=True)
    assert refused["lines"] >= 1
    assert refused["first"] <= refused["last"]
    assert refused["first"] in refused["evidence"]
    assert day.errors.filter(reason="no_change").is_empty()
    assert first_day(result.coverage, Logs(), TODAY).errors.columns == day.errors.columns
    assert first_day(result.coverage, logs, TODAY + dt.timedelta(days=1)).errors.is_empty()


def _id(company: Company, name: str) -> str:
    users = company.state().snapshot.users
    return str(users.filter(pl.col("userName") == f"{name}@example.com")["id"].item())
