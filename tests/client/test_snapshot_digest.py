"""The digest of a snapshot: of what is in it, however it lies in memory; and snapshots of older formats."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from scimops import frames
from scimops.capabilities import PUBLISHED
from scimops.client.faults import SnapshotError
from scimops.client.snapshot import Snapshot, load_snapshot, make_snapshot

OLD = Path(__file__).parents[1] / "golden" / "snapshot-1"


def taken(users: pl.DataFrame) -> Snapshot:
    """A snapshot of these people (`id`, and what else is said of them), and of nothing else."""
    empty = [pl.DataFrame(schema=frames.polars_types(schema))
             for schema in (frames.SNAPSHOT_USERS, frames.SNAPSHOT_GROUPS, frames.SNAPSHOT_MEMBERS)]  # fmt: skip
    users = users.match_to_schema(empty[0].schema, missing_columns="insert")
    return make_snapshot(users, *empty[1:], source="scim", where="t", read_at="", capabilities=PUBLISHED)


def people(count: int) -> pl.DataFrame:
    ids = [f"p{number:06}" for number in range(count)]
    names = [None if number % 7 == 0 else "Zoë" * (number % 5) for number in range(count)]
    return pl.DataFrame({"id": ids, "firstName": names, "active": [number % 3 > 0 for number in range(count)]})


def test_one_content_has_one_digest_in_one_piece_or_in_many() -> None:
    whole = people(120_001)  # more than one slice of the digest
    pieces = pl.concat([whole[start : start + 17_003] for start in range(0, whole.height, 17_003)], rechunk=False)
    assert pieces.n_chunks() > 1
    assert taken(pieces).digest == taken(whole.sample(fraction=1, shuffle=True, seed=1)).digest == taken(whole).digest


CHANGES = {
    "a letter": {"firstName": "Ann"},
    "null is not empty": {"firstName": None, "lastName": ""},
    "a value in the next column": {"firstName": None, "lastName": "Anna"},
    "a letter in the next column": {"firstName": "Ann", "lastName": "a"},
    "active": {"active": False},
    "active is not known": {"active": None},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_another_content_has_another_digest(change: dict[str, object]) -> None:
    schema = {"id": pl.String, "firstName": pl.String, "lastName": pl.String, "active": pl.Boolean}
    anna = {"id": "1", "firstName": "Anna", "lastName": None, "active": True}
    before, after = (taken(pl.DataFrame([person], schema=schema)).digest for person in (anna, anna | change))
    assert before != after


def test_a_letter_that_goes_from_one_person_to_the_next_changes_the_digest() -> None:
    frame = [pl.DataFrame({"id": ["1", "2"], "firstName": names}) for names in (["ab", "c"], ["a", "bc"])]
    assert taken(frame[0]).digest != taken(frame[1]).digest


def test_a_snapshot_of_format_1_is_read_and_one_that_was_changed_is_not(tmp_path: Path) -> None:
    old = load_snapshot(OLD)
    assert old.users["userName"].to_list() == ["anna@example.com", "ben@example.com", "zoë@example.com"]
    again = tmp_path / "again"
    old.save(again)
    assert json.loads((again / "snapshot.json").read_text())["format"] == 2
    assert load_snapshot(again).digest == old.digest

    copy = tmp_path / "copy"
    shutil.copytree(OLD, copy)
    old.users.with_columns(department=pl.lit("Other")).write_parquet(copy / "users.parquet")
    with pytest.raises(SnapshotError):
        load_snapshot(copy)
    (copy / "snapshot.json").write_text((OLD / "snapshot.json").read_text().replace('"format": 1', '"format": 3'))
    with pytest.raises(SnapshotError):
        load_snapshot(copy)
