"""Somebody else pushes to the same setting: seen by what scimops sent and what is there now, and by tokens."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from planning import line, plan_of, snapshot

from scimops.plan.history import History
from scimops.plan.masters import SENT, sent_by

STEPS = {"id": pl.String, "kind": pl.String, "outcome": pl.String, "after": pl.String, "at": pl.String}


def history(*steps: tuple[str, str, str, str]) -> History:
    """One where each of these was changed: whose, kind, `after`, day."""
    rows = [(person, kind, "done", after, f"2025-12-{day}") for person, kind, after, day in steps]
    return History("2025-12-25", 1, sent=sent_by(pl.DataFrame(rows, schema=STEPS, orient="row")))


def found(folder: Path, before: History, *rows: str, **there: object) -> list[str]:
    plan = plan_of(folder, list(rows), snapshot({"name": "a"} | there, {"name": "b"}), history=before)
    return [one.message for one in plan.findings if one.code == "two_masters"]


@pytest.mark.parametrize(("after", "wanted", "there", "seen"), [
    ('{"department":"Legal"}', "Legal", "Sales", True),  # sent, and changed back
    ('{"department":"Legal"}', "Board", "Sales", True),  # sent, changed back, and wanted otherwise since
    ('{"department":"Sales"}', "Legal", "Sales", False),  # as it was sent; the export is another now
    ('{"phone":"1"}', "Legal", "Sales", False),  # another field
    ('{"department":null}', "Legal", "  ", False),  # blank and absent are one
])  # fmt: skip
def test_a_value_that_is_not_what_was_sent(tmp_path: Path, after: str, wanted: str, there: str, seen: bool) -> None:
    said = found(tmp_path, history(("id-a", "update", after, "30")), line("a", wanted), line("b"), department=there)
    assert said == (["Somebody else pushes to this setting, too: 1 person has other values than scimops last sent "
                     "(a@example.com)."] if seen else [])  # fmt: skip


def test_the_last_that_was_sent_counts_and_who_was_woken_up_again_shows(tmp_path: Path) -> None:
    twice = history(("id-a", "update", '{"department":"Sales"}', "31"),
                    ("id-a", "update", '{"department":"Legal"}', "30"))  # fmt: skip
    assert found(tmp_path, twice, line("a", "Legal"), line("b")) == []
    ended = history(("id-a", "deactivate", '{"active":false}', "30"))
    assert len(found(tmp_path, ended, line("b"))) == 1
    assert found(tmp_path, history(("id-a", "create", '{"department":"Legal"}', "30")), line("a", "Legal")) == []
    assert history().sent.schema == SENT


def test_two_tokens_that_are_in_use(tmp_path: Path) -> None:
    held = snapshot({"name": "a"})
    two = plan_of(tmp_path, [line("a")], replace(held, tokens=("okta", "scimops")))
    assert "2 of its tokens were used lately (okta, scimops)" in two.findings[-1].message
    assert "two_masters" not in {one.code for one in plan_of(tmp_path, [line("a")], held).findings}
