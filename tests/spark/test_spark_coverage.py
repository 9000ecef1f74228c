"""Coverage and reconcile of the story on Apache Spark: row by row what Polars says."""

from __future__ import annotations

from pathlib import Path

import pytest

from scimops.audit.coverage import cover
from scimops.audit.people import meet, of_hr
from scimops.audit.reconcile import reconcile
from scimops.audit.sources import gather
from scimops.audit.state import load_state
from scimops.samples.story import write_story
from scimops.setting import load_setting

pytestmark = pytest.mark.spark
FAULTS = [
    ("left_refused", "leaver 5"), ("seats_full", "late 4"), ("never_sent", "new 36"), ("group_deleted", "Procurement"),
    ("deactivated_by_hand", "Legal 1"), ("value_stale", "Operations 6"), ("auto_enrol_off", "Human Resources"),
    ("not_in_report", "Sales 8"), ("two_accounts", "Engineering 1"), ("duplicate_there", "Information Technology 3"),
]  # fmt: skip


def test_spark_says_of_each_person_what_polars_says(tmp_path: Path) -> None:
    story = write_story(tmp_path / "story", FAULTS)
    setting, state = load_setting(story.setting), load_state(story.state)
    covered, compared = [], []
    for backend in ("polars", "local[2]"):
        sources = gather(story.exports[-1], setting, state, story.logs, story.hr, story.folder, backend=backend)
        assert sources.hr is not None
        met = meet(sources.preview, state.snapshot)
        covered.append(cover(met, state, of_hr(met, sources.hr, story.at.date()), sources.logs, story.at))
        compared.append(reconcile(met, sources.logs, story.at))
    assert covered[0].counts["lost"] > 40
    assert covered[0].people.equals(covered[1].people)
    assert compared[0].people.equals(compared[1].people)
