"""What the logs tell of people, on Apache Spark: every line that Polars finds, and no other."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
import pytest

from scimops.audit.frames import EVENTS
from scimops.audit.told import FEW, Logs, group_lines, lines_of
from scimops.backend import open_backend
from scimops.frames import polars_types

MASTER = "local[2]"
PEOPLE, LINES = 300, 6_000
WORDS = ("ırmak", "İrmak", "straße", "a'b", 'q"q', "back\\slash", "two\nlines", "😀", "", " ", "%", "null")

pytestmark = pytest.mark.spark


def staged(folder: Path, seed: int) -> tuple[pl.DataFrame, Logs]:
    """People with keys that clash and are missing, and a log of several parts that names them by any of their keys."""
    dice = random.Random(seed)

    def key(kind: str) -> str | None:
        return None if dice.random() < 0.4 else f"{kind}{dice.choice(WORDS)}{dice.randrange(PEOPLE // 2)}"

    people = pl.DataFrame(
        [(number, key("x"), key("n"), key("m"), key("u")) for number in range(PEOPLE)],
        {"p": pl.Int64, "externalId": pl.String, "user_key": pl.String, "email_key": pl.String, "user_id": pl.String},
        orient="row",
    )
    kinds = polars_types(EVENTS)
    rows = []
    for number in range(LINES):
        row = dict.fromkeys([*kinds, "user_key", "email_key"]) | {
            "at": f"2026-11-{dice.randrange(1, 29):02}T08:00:00.000Z",
            "source": dice.choice(("entra", "okta", "platform_audit")),
            "file": dice.choice(("a.json", "b.json")), "row": number // 2, "changes": "[]", "name": dice.choice(WORDS),
            "operation": dice.choice(("create", "update", "delete_group")),
            "outcome": dice.choice(("success", "failure")),
            "externalId": key("x"), "user_key": key("n"), "email_key": key("m"), "resource_id": key("u"),
        }  # fmt: skip
        rows.append(row)
    frame = pl.DataFrame(rows, kinds | {"user_key": pl.String(), "email_key": pl.String()})
    for number, part in enumerate(frame.iter_slices(LINES // 4)):
        part.write_parquet(folder / f"log1-{number:04}.parquet")
    return people, Logs(folder)


@pytest.mark.parametrize("few", [True, False])
def test_spark_finds_the_lines_that_polars_finds(few: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not few:
        monkeypatch.setattr("scimops.audit.told.FEW", 10)
    people, logs = staged(tmp_path, 7)
    assert people.height < FEW
    here = lines_of(people, logs, open_backend())
    there = lines_of(people, logs, open_backend(MASTER))
    columns = here.columns
    assert there.schema == here.schema
    assert there.sort(columns).equals(here.sort(columns))
    assert there.select("p", "at", "source", "file", "row").equals(here.select("p", "at", "source", "file", "row"))
    assert here.height > 1_000
    print(f"{here.height:,} lines compared")  # noqa: T201  # the count
    groups = group_lines(logs, open_backend(MASTER)).sort("at", "row", "file", "source", "name")
    assert groups.equals(group_lines(logs, open_backend()).sort("at", "row", "file", "source", "name"))
