"""The picture of runs: a mark for each, a line for each notebook, in words too."""

from __future__ import annotations

import datetime as dt
import struct
from pathlib import Path

import pytest

from scimops.jobs.history import runs
from scimops.jobs.ledger import append
from scimops.jobs.record import RunRecord, begin, end
from scimops.jobs.table import runs_frame
from scimops.present.charts import as_png
from scimops.present.runs import LINES, OUTCOMES, timeline, timeline_words

NIGHT = dt.datetime(2026, 11, 25, 2, tzinfo=dt.UTC)


def the_runs(ledger: Path, *ran: tuple[str, str]):
    for number, (command, outcome) in enumerate(ran):
        began = NIGHT + dt.timedelta(hours=number)
        record = end(begin("s", command, {}), "completed", 0, {}, [], [])
        ended = None if outcome == "broken" else began + dt.timedelta(minutes=5)
        append(
            RunRecord.model_validate(record.model_dump() | {"outcome": outcome, "started": began, "ended": ended}),
            ledger,
        )
    return runs_frame(list(runs(ledger)))


def test_every_outcome_has_a_mark_of_its_own(tmp_path: Path) -> None:
    frame = the_runs(tmp_path / "runs", *((f"nightly {n % 2}", outcome) for n, outcome in enumerate(OUTCOMES)))
    spec = timeline(frame).to_dict()
    (rows,) = spec["datasets"].values()
    assert {row["outcome"] for row in rows} == {outcome.replace("_", " ") for outcome in OUTCOMES}
    assert {row["name"] for row in rows} == {"nightly 0", "nightly 1"}
    assert all(row["ended"] >= row["started"] for row in rows)
    assert len({shape for _, shape in OUTCOMES.values()}) == len({colour for colour, _ in OUTCOMES.values()}) == 6
    said = timeline_words(frame)
    assert said.startswith(
        "6 runs of 2 notebooks and commands from 2026-11-25 02:00 to 2026-11-25 07:00 UTC: 1 completed"
    )
    assert "1 kernel died" in said


@pytest.mark.parametrize("ran", [[("nightly", "broken")], [(f'="{n}"<img src=x>\x1b', "completed") for n in range(40)]])
def test_it_is_drawn_for_one_run_and_for_many_names(tmp_path: Path, ran: list[tuple[str, str]]) -> None:
    frame = the_runs(tmp_path / "runs", *ran)
    png = as_png(timeline(frame))
    width, height = struct.unpack(">II", png[16:24])
    assert png.startswith(b"\x89PNG")
    assert width > 1200
    assert 100 < height < 100 + 2 * 40 * (LINES + 4)


def test_nothing_ran(tmp_path: Path) -> None:
    assert timeline_words(the_runs(tmp_path / "runs")) == "Nothing ran."
