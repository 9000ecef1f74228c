"""Who moved between two runs: the people files that the runs left, compared as two previews are.

The files are people's data. Nothing of them is kept in a run's record but their hash, which says whether a file is
still what that run wrote.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import polars as pl

from scimops.errors import SourceError
from scimops.frames import ASSIGNMENTS, check
from scimops.grouping import group_key, identity_key
from scimops.preview.compare import Comparison, compare
from scimops.preview.groups import Group
from scimops.touched import hashed, note_read

if TYPE_CHECKING:
    from scimops.preview import Preview

PEOPLE_FILE: Final = "assignments.parquet"
"""The file in which a preview leaves everybody with their group."""


@dataclass(frozen=True)
class _Kept:
    """As much of a preview as its people file keeps, and as comparing asks for."""

    export: Path
    placed: pl.DataFrame
    groups: list[Group]


def who_moved(before: tuple[Path, str], after: tuple[Path, str]) -> Comparison:
    """Compare two people files, each given with the SHA-256 that its run recorded.

    Raises:
        SourceError: a file is gone, or is not what its run wrote.
    """
    one, two = _kept(*before), _kept(*after)
    return compare(cast("Preview", one), cast("Preview", two))


def _kept(path: Path, sha256: str) -> _Kept:
    if not path.is_file():
        raise SourceError("the people file is gone.", where=str(path), advice="Who moved cannot be said any more.")
    if hashed(path)["sha256"] != sha256:
        raise SourceError(
            "the people file is not what the run wrote: a later run replaced it, or somebody changed it.",
            where=str(path), advice="Give each run a folder of its own: --out.",
        )  # fmt: skip
    note_read(path)
    try:
        people = check(pl.read_parquet(path), ASSIGNMENTS)
    except (OSError, TypeError, pl.exceptions.PolarsError) as error:
        raise SourceError(f"this is no people file ({type(error).__name__}).", where=str(path)) from None
    return _Kept(path, _placed(people), _groups(people))


def _placed(people: pl.DataFrame) -> pl.DataFrame:
    """The readable rows with the keys of persons and of groups; of several groups the names are the key."""
    several = pl.col("group").str.contains("\n", literal=True)
    nobody = pl.all_horizontal(pl.col("externalId", "userName", "email").is_null())
    readable = people.filter(~(nobody & (pl.col("reason") == "rejected_unreadable")))
    return readable.with_row_index("n").with_columns(
        pl.col("n").cast(pl.Int64),
        _keys(readable["userName"]).alias("user_key"), _keys(readable["email"]).alias("email_key"),
        group_keys=pl.when(several).then("group").otherwise("group_key"),
    )  # fmt: skip


def _keys(values: pl.Series) -> pl.Series:
    return pl.Series([None if value is None else identity_key(value) or None for value in values], dtype=pl.String)


def _groups(people: pl.DataFrame) -> list[Group]:
    """The groups with their members. Of several groups the file keeps the first one's key: others have their name's."""
    named = people.filter(pl.col("group_key").is_not_null()).select("group_key", pl.col("group").str.split("\n"))
    one = pl.col("group").list.len() == 1
    each = named.select("group", key=pl.when(one).then("group_key")).explode("group")
    counts = each.group_by("key", "group", maintain_order=True).len()
    groups: dict[str, Group] = {}
    for key, name, members in counts.iter_rows():
        known = key if key is not None else group_key(name)
        before = groups[known].members if known in groups else 0
        groups[known] = Group(name, True, known, before + members, None, {})
    return list(groups.values())
