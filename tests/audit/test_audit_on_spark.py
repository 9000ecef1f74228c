"""`scimops audit --backend` on Apache Spark: every question has the answer that it has on Polars."""

from __future__ import annotations

from pathlib import Path

import pytest
from telling import FAULTS, document, words

from scimops.audit.state import load_state
from scimops.idp import read_export
from scimops.plan.sources import plan_for
from scimops.samples.story import write_story
from scimops.setting import load_setting

pytestmark = pytest.mark.spark


def test_the_command_says_the_same_by_a_master(tmp_path: Path) -> None:
    story = write_story(tmp_path / "story", FAULTS)
    held = load_state(story.state).snapshot
    _, plan = plan_for(read_export(story.exports[-2]), load_setting(story.setting), held, story.folder)
    plan.save(tmp_path / "plan.json")
    more = ("--people", story.hr, "--exports", story.exports[0].parent, "--timeline", "--period", "2026-Q4",
            "--applied", tmp_path / "plan.json", "--first-day", "2026-11-01", "--new-hires", "30")  # fmt: skip
    here, there = (document(*words(story, *more, "--backend", backend)) for backend in ("polars", "local[2]"))
    assert len(here["questions"]) == 13
    assert there == here
