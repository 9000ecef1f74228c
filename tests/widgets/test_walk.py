"""The panels of create_setting without a browser: what a person does quickly is all done."""

from __future__ import annotations

from pathlib import Path

from scimops.setting import load_setting
from scimops.widgets.controls.walk import Walk
from scimops.widgets.controls.walk_parts import WalkParts


def test_of_several_mappings_in_a_moment_none_is_lost(tmp_path: Path) -> None:
    document = tmp_path / "setting.yaml"
    parts = WalkParts(Walk(document), [])
    parts.worker.later(lambda: None, wait=0.2)  # so that the next ones wait together
    mapped = {"title": "Job", "locale": "Language", "nickName": "Nick"}
    for attribute, field in mapped.items():
        parts._action("map", {"attribute": [attribute], "field": [field]})
    assert parts.worker.wait(20)
    assert {one.attribute: one.field for one in load_setting(document).field_mappings} == mapped
