"""An export or a list without anybody: no plan and no audit, so nobody "left"."""

from __future__ import annotations

from pathlib import Path

import pytest
from planning import HEADER, line, plan_of, snapshot
from telling import document, run

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


def test_nobody_lacks_an_account_where_a_row_cannot_be_read(tmp_path: Path) -> None:
    without_enrolments(snapshot({"name": "ada"}, {"name": "bob"})).save(tmp_path / "state")
    (tmp_path / "s.yaml").write_text("name: Acme\ngroup_settings: {target_group: Everyone}\n")
    (tmp_path / "hr.csv").write_text(
        "email,firstName,lastName,hire date\nada@example.com,Ada,Rowe,\nbob@example.com,Bob,Rowe,2025-01-06\n"
        "cy@example.com,Cy,Rowe,2031-01-06\n"
    )
    export = tmp_path / "people.csv"
    said = ("audit", export, "--setting", tmp_path / "s.yaml", "--state", tmp_path / "state", "--people",
            tmp_path / "hr.csv")  # fmt: skip
    export.write_text(HEADER + line("ada") + "\n")
    assert {"lost_at": "in_idp", "cause": "not_in_idp", "people": 1} in document(*said)["losses"]
    export.write_text(HEADER + line("ada") + "\nbob,cut off\n")
    found = document(*said)
    assert "in_idp" not in {one["lost_at"] for one in found["losses"]}
    assert (found["coverage"]["cannot_tell"], found["coverage"]["not_due_yet"]) == (1, 1)
    told = next(one for one in found["findings"] if one["code"] == "lost_in_no_row")
    assert (told["level"], told["message"]) == (
        "warning", "1 person is in no row of the export, and whether this person has an account cannot be told.",
    )  # fmt: skip
    explained = run("explain", "hr.csv:2", "--export", export, *said[2:]).stdout
    assert "is or is not in a group and a training today: nobody can tell" in explained


def test_nobody_left_where_a_row_cannot_be_read(tmp_path: Path) -> None:
    without_enrolments(snapshot({"name": "ada"}, {"name": "bob"}, {"name": "cy", "active": False})).save(
        tmp_path / "state"
    )
    (tmp_path / "s.yaml").write_text("name: Acme\n")
    export = tmp_path / "people.csv"
    said = ("audit", export, "--setting", tmp_path / "s.yaml", "--state", tmp_path / "state")
    export.write_text(HEADER + line("ada") + "\n")
    assert document(*said)["reconciled"]["left_still_active"] == 1
    export.write_text(HEADER + line("ada") + "\nbob,cut off\n")
    found = document(*said)
    assert found["reconciled"] == {"maybe_left": 2, "right": 1}
    unread = next(one for one in found["findings"] if one["code"] == "rows_unread")
    assert (unread["level"], unread["message"]) == ("error", "1 row of the export cannot be read.")
    run(*said, "--fail-on", "rows_unread", code=3)
