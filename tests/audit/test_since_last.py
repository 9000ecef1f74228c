"""Against the last audit: new, solved, open since when, per person and cause; and what is never compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from scimops.audit.items import SCHEMA
from scimops.audit.since_last import FILE, About, compared, keep, read_last, to_keep
from scimops.errors import UsageError

ABOUT = About(setting="Acme", population="idp", mask=None)
DAYS = [f"2026-11-{day}T08:00:00.000Z" for day in (23, 24, 25)]


def items(*rows: tuple[str, str | None], **more: Any) -> pl.DataFrame:
    """Items of (userName, cause)."""
    return pl.DataFrame(
        [
            dict.fromkeys(SCHEMA) | {"code": f"lost_{cause}", "cause": cause, "status": "lost", "userName": name} | more
            for name, cause in rows
        ], SCHEMA,
    )  # fmt: skip


def night(folder: Path, day: str, now: pl.DataFrame) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """One audit that is kept: its items with since and new, and what is solved."""
    found, since = compared(now, read_last(folder, ABOUT), day)
    keep(folder, ABOUT, day, to_keep(found, since))
    assert since.new + since.still == found.height
    assert since.untold.is_empty()
    return (
        list(found.select("userName", "cause", "since", "new").iter_rows()),
        list(since.solved.select("userName", "cause", "since").iter_rows()),
    )  # fmt: skip


def test_three_nights(tmp_path: Path) -> None:
    assert night(tmp_path, DAYS[0], items(("a", "taken"), ("b", "taken"), ("c", "invalid"))) == (
        [("a", "taken", DAYS[0], True), ("b", "taken", DAYS[0], True), ("c", "invalid", DAYS[0], True)], [],
    )  # fmt: skip
    assert night(tmp_path, DAYS[1], items(("d", "taken"), ("b", "taken"), ("c", "seats_full"))) == (
        [("d", "taken", DAYS[1], True), ("b", "taken", DAYS[0], False), ("c", "seats_full", DAYS[0], False)],
        [("a", "taken", DAYS[0])],
    )
    # who comes back is new again: the day before the person was as they should be
    assert night(tmp_path, DAYS[2], items(("a", "taken"), ("b", "taken"))) == (
        [("a", "taken", DAYS[2], True), ("b", "taken", DAYS[0], False)],
        [("d", "taken", DAYS[1]), ("c", "seats_full", DAYS[0])],
    )
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_a_renamed_person_is_the_same_and_two_without_a_cause_are_two(tmp_path: Path) -> None:
    night(tmp_path, DAYS[0], items(("old", "taken"), externalId="x-1"))
    assert night(tmp_path, DAYS[1], items(("new", "taken"), externalId="x-1"))[0] == [
        ("new", "taken", DAYS[0], False)
    ]  # fmt: skip
    night(tmp_path, DAYS[1], items(("same", None), ("same", None)))
    found, solved = night(tmp_path, DAYS[2], items(("same", None)))
    assert (found, solved) == ([("same", None, DAYS[1], False)], [("same", None, DAYS[1])])


def test_nothing_found_is_kept_as_well(tmp_path: Path) -> None:
    night(tmp_path, DAYS[0], items(("a", "taken")))
    assert night(tmp_path, DAYS[1], items()) == ([], [("a", "taken", DAYS[0])])
    last = read_last(tmp_path, ABOUT)
    assert last is not None
    assert (last.at, last.frame.height) == (DAYS[1], 0)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"setting": "Other"}, "another setting"), ({"population": "hr"}, "--people"), ({"mask": "m-1"}, "another key")],
)
def test_another_kind_of_audit_is_not_compared(tmp_path: Path, change: dict[str, str], said: str) -> None:
    night(tmp_path, DAYS[0], items(("a", "taken")))
    kept = (tmp_path / FILE).read_bytes()
    with pytest.raises(UsageError, match=said):
        read_last(tmp_path, ABOUT.model_copy(update=change))
    assert (tmp_path / FILE).read_bytes() == kept


def test_an_older_state_and_a_broken_file_are_refused(tmp_path: Path) -> None:
    night(tmp_path, DAYS[1], items(("a", "taken")))
    with pytest.raises(UsageError, match="the platform was read before that"):
        compared(items(), read_last(tmp_path, ABOUT), DAYS[0])
    whole = (tmp_path / FILE).read_text()
    changes = {'"format":1': '"format":2', '"cause":["taken"]': '"cause":[]', '"cause"': '"why"'}
    for text in (whole[:-9], *(whole.replace(was, now) for was, now in changes.items())):
        (tmp_path / FILE).write_text(text)
        with pytest.raises(UsageError, match="cannot be read"):
            read_last(tmp_path, ABOUT)
