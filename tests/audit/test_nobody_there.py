"""An export or a list without anybody: no plan and no audit, so nobody "left"."""

from __future__ import annotations

from pathlib import Path

import pytest
from planning import HEADER, line, plan_of, snapshot
from telling import run

from scimops.audit.state import without_enrolments
from scimops.errors import IncompleteSourceError


def test_nobody_left_where_nobody_was_exported(tmp_path: Path) -> None:
    held = snapshot({"name": "ada"}, {"name": "bob"})
    without_enrolments(held).save(tmp_path / "state")
    (tmp_path / "s.yaml").write_text("name: Acme\n")
    (tmp_path / "nobody.csv").write_text(HEADER)
    (tmp_path / "people.csv").write_text(HEADER + line("ada") + "\n")
    words = ("--setting", tmp_path / "s.yaml", "--state", tmp_path / "state", "--keep", tmp_path / "kept", "--out",
             tmp_path / "out")  # fmt: skip
    refused = run("audit", tmp_path / "nobody.csv", *words, code=5)
    assert str(refused.exception) == "No audit is made: the export holds nobody. Export again."
    listed = run("audit", tmp_path / "people.csv", *words, "--people", tmp_path / "nobody.csv", code=5)
    assert "The list of employees is not whole: it holds nobody." in str(listed.exception)
    assert not (tmp_path / "kept").exists()
    assert not (tmp_path / "out").exists()
    explained = ("explain", "ada@example.com", "--export", tmp_path / "nobody.csv", *words[:4])
    assert "No audit is made" in str(run(*explained, code=5).exception)
    with pytest.raises(IncompleteSourceError, match=r"No plan is made: the export holds nobody\."):
        plan_of(tmp_path, [], held)
