"""What is kept for the next audit: one audit at a time reads, compares and writes it."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from auditing import Company, audited, night
from filelock import FileLock

from scimops.audit import kept_report
from scimops.audit.arrivals import NAME, load_arrivals
from scimops.audit.kept_report import LOCK, KeptByAnotherError, against_last, keep_report
from scimops.audit.report import Report, about, report_of
from scimops.audit.since_last import FILE, read_last
from scimops.errors import UsageError

ABOUT = about("Acme", people=False, mask=None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "kept"


def report(company: Company, number: int) -> Report:
    """Compared with nothing that was kept."""
    return against_last(report_of(audited(company, number)), company.folder / "nothing", ABOUT)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != LOCK}


def test_both_are_kept_and_the_nights_before_are_said_first(acme: Company, folder: Path) -> None:
    acme.arrives("ada")
    for number in (0, 1, 2):
        keep_report(report(acme, number), folder, ABOUT)
    made = report(acme, 6)
    kept = keep_report(made, folder, ABOUT)
    assert [one.code for one in kept.findings] == ["runs_missing", *(one.code for one in made.findings)]
    assert [run.at for run in load_arrivals(folder).runs] == [night(number) for number in (0, 1, 2, 6)]
    last = read_last(folder, ABOUT)
    assert last is not None
    assert last.at == night(6)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())


def test_of_two_audits_at_one_time_the_second_is_told_against_the_first(acme: Company, folder: Path) -> None:
    acme.arrives("ada")
    acme.people["late"] = "x-late,late@example.com,late@example.com,L,L,Sales,true,2026-01-05"
    one, other = report(acme, 0), report(acme, 1)  # both made before either of them is kept
    assert one.last is not None
    assert one.last.new == one.items.height > 0
    keep_report(one, folder, ABOUT)
    kept = keep_report(other, folder, ABOUT)
    assert kept.last is not None
    assert (kept.last.last, kept.last.new, kept.last.still) == (night(0), 0, one.items.height)
    assert set(kept.items["since"]) == {night(0)}
    assert not kept.items["new"].any()


def test_the_older_of_two_audits_does_not_win(acme: Company, folder: Path) -> None:
    acme.arrives("ada")
    older, newer = report(acme, 0), report(acme, 1)
    keep_report(newer, folder, ABOUT)
    before = contents(folder)
    with pytest.raises(UsageError, match="the platform was read before that"):
        keep_report(older, folder, ABOUT)
    assert contents(folder) == before


def test_once_more_changes_nothing(acme: Company, folder: Path) -> None:
    acme.people["late"] = "x-late,late@example.com,late@example.com,L,L,Sales,true,2026-01-05"
    kept = keep_report(report(acme, 0), folder, ABOUT)
    before = contents(folder)
    again = keep_report(kept, folder, ABOUT)
    assert contents(folder) == before
    assert again.last is kept.last
    assert again.items["new"].all()
    assert again.findings == kept.findings


def test_what_was_refused_is_half_of_nothing(acme: Company, folder: Path) -> None:
    acme.arrives("ada")
    keep_report(report(acme, 0), folder, ABOUT)
    before = contents(folder)
    elsewhere = report(acme, 1)
    elsewhere = replace(elsewhere, audit=replace(elsewhere.audit, sources={"platform": "elsewhere"}))
    with pytest.raises(UsageError, match=NAME):
        keep_report(elsewhere, folder, ABOUT)
    with pytest.raises(UsageError, match="another setting"):
        keep_report(report(acme, 1), folder, ABOUT.model_copy(update={"setting": "Other"}))
    assert contents(folder) == before
    assert sorted(before) == [NAME, FILE]


@pytest.mark.parametrize("part", ["read_last", "record", "keep"])
def test_nobody_else_reads_or_writes_meanwhile(
    acme: Company, folder: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """At each part another audit tries, and is told to wait."""
    acme.arrives("ada")
    one, other = report(acme, 0), report(acme, 1)
    monkeypatch.setattr(kept_report, "_WAIT", 0)
    told: list[object] = []

    def tries() -> None:
        try:
            told.append(keep_report(other, folder, ABOUT))
        except KeptByAnotherError as refused:
            told.append(refused)

    real = getattr(kept_report, part)

    def meanwhile(*given: Any) -> Any:
        monkeypatch.setattr(kept_report, part, real)
        thread = threading.Thread(target=tries)
        thread.start()
        thread.join()
        return real(*given)

    monkeypatch.setattr(kept_report, part, meanwhile)
    keep_report(one, folder, ABOUT)
    assert [type(each) for each in told] == [KeptByAnotherError]
    assert str(folder) in str(told[0])
    last = read_last(folder, ABOUT)
    assert last is not None
    assert last.at == night(0)
    tries()  # and afterwards it may
    assert isinstance(told[1], Report)


def test_the_second_waits_for_the_first(acme: Company, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.arrives("ada")
    folder.mkdir()
    held = FileLock(folder / LOCK)
    waiting = threading.Event()
    real = FileLock.acquire

    def acquire(lock: FileLock, *given: Any, **more: Any) -> Any:
        waiting.set()
        return real(lock, *given, **more)

    held.acquire()
    monkeypatch.setattr(FileLock, "acquire", acquire)
    made: list[Report] = []
    one = report(acme, 0)
    thread = threading.Thread(target=lambda: made.append(keep_report(one, folder, ABOUT)))
    thread.start()
    assert waiting.wait(20)
    assert not (folder / FILE).exists()
    held.release()
    thread.join(20)
    assert len(made) == 1
    assert (folder / FILE).exists()
