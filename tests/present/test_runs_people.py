"""Who moved between two runs, from the files that they left, is who moved between the two previews."""

from __future__ import annotations

from pathlib import Path

import pytest

from scimops.errors import SourceError
from scimops.idp import read_export
from scimops.present.runs_people import PEOPLE_FILE, who_moved
from scimops.preview import preview_export
from scimops.preview.compare import compare
from scimops.samples import SHAPE_FORMATS, write_sample
from scimops.setting import quick_setting
from scimops.touched import hashed

TWO = ("idp-groups", "none")


@pytest.mark.parametrize("shape", SHAPE_FORMATS)
def test_the_files_say_what_the_previews_say(shape: str, tmp_path: Path) -> None:
    export = read_export(write_sample(tmp_path / "export.data", shape), shape=shape)
    by = TWO if "groups" in export.columns else ("department", "none")
    previews = [preview_export(export, quick_setting(criterion, "Everyone")) for criterion in by]
    files = []
    for number, preview in enumerate(previews):
        path = tmp_path / f"{number}.parquet"
        preview.assignments.write_parquet(path)
        files.append((path, str(hashed(path)["sha256"])))
    found, expected = who_moved(*files), compare(*previews)
    assert found.people.equals(expected.people)
    assert (found.moves, found.unchanged) == (expected.moves, expected.unchanged)
    assert sorted(map(str, found.groups)) == sorted(map(str, expected.groups))
    assert found.people.height > 100


def test_what_is_no_people_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / PEOPLE_FILE
    with pytest.raises(SourceError, match="the people file is gone"):
        who_moved((path, ""), (path, ""))
    path.write_text("no parquet")
    with pytest.raises(SourceError, match="not what the run wrote"):
        who_moved((path, "0" * 64), (path, "0" * 64))
    same = path, str(hashed(path)["sha256"])
    with pytest.raises(SourceError, match="this is no people file"):
        who_moved(same, same)
