"""The exports that were kept, and everybody of all of them: who is who, from the oldest to today's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from scimops.audit.same import NOBODY, WHO, follow, of_list
from scimops.errors import IncompleteSourceError, SourceError
from scimops.findings import Finding
from scimops.idp import Export, read_export
from scimops.idp.source import taken_at
from scimops.mapping import map_users

if TYPE_CHECKING:
    from scimops.setting import Setting

_FEW = 0.5
"""Two exports of one company, one after the other, share at least this part of the smaller one."""

_NAMED = 5
"""How many files a finding names."""

_KNOWN = {"first": pl.Int64, "last": pl.Int64, "on": pl.Boolean, "turned": pl.Int64, "idp_from": pl.String,
          "idp_joined": pl.Date, "idp_left": pl.Date, "firstName": pl.String, "lastName": pl.String}  # fmt: skip


@dataclass(frozen=True)
class KeptExport:
    """An export of an earlier day, not read yet: one after the other is, so that memory does not grow with them."""

    path: Path
    taken_at: dt.datetime

    @property
    def files(self) -> list[str]:
        """Its file, as :attr:`scimops.idp.Export.files`."""
        return [self.path.name]

    def read(self) -> Export:
        """Read it.

        Raises:
            SourceError: it cannot be read.
            IncompleteSourceError: it is only a part, or holds nobody: who is not in it would count as gone.
        """
        export = read_export(self.path)
        if not export.rows:
            raise IncompleteSourceError("the export holds nobody.", where=self.path.name, advice="Leave it out.")
        return export


def kept_exports(*places: str | Path) -> list[KeptExport]:
    """The exports that were kept, the oldest first: files, and all files of folders (those below them are left out).

    Raises:
        SourceError: there is no such file or folder.
    """
    paths = list({path.resolve(): path for path in files_in(*places)}.values())
    for path in paths:
        if not path.is_file():
            raise SourceError("there is no such file.", where=str(path), advice="Check the name and the folder.")
    return sorted((KeptExport(path, taken_at(path)[0]) for path in paths), key=lambda export: export.taken_at)


def files_in(*places: str | Path) -> list[Path]:
    """Files as they are named; of a folder all in it, by name, but not those below it."""
    paths: list[Path] = []
    for place in map(Path, places):
        inside = sorted(path for path in place.iterdir() if path.is_file()) if place.is_dir() else [place]
        paths += [path for path in inside if not path.name.startswith(".")]
    return paths


def before(own: Export, exports: Sequence[KeptExport]) -> list[KeptExport]:
    """Those of `exports` that are older than the audit's own, and not it."""
    return [one for one in exports if one.taken_at < own.taken_at and not _is(one, own)]


def _is(one: KeptExport, own: Export) -> bool:
    """Is it the audit's own export, kept too? One that is unpacked is known by its name and time."""
    paths = {part.source.path.resolve() for part in own.parts}
    return one.path.resolve() in paths or (one.files == own.files and one.taken_at == own.taken_at)


def not_older(own: Export, exports: Sequence[KeptExport]) -> list[Finding]:
    """What is said of kept exports that are not older than the audit's own, and not it: they are left out."""
    later = [one for one in exports if one.taken_at >= own.taken_at and not _is(one, own)]
    if not later:
        return []
    names = ", ".join(one.path.name for one in later[:_NAMED]) + (" …" if len(later) > _NAMED else "")
    return [Finding(
        "export_not_older", "warning", f"Left out, as no older than the audit's own export: {names}.",
        "An export is as old as the date in its name says, else its file's time: name it 2026-11-24.csv, by its day.",
        count=len(later),
    )]  # fmt: skip


def few_in_common(shared: int, one: int, other: int) -> bool:
    """Are two lists of so many people, which share so many, hardly of one company?"""
    return shared < _FEW * min(one, other)


def of_another_company(*files: Sequence[str]) -> IncompleteSourceError:
    """What is said of two exports (the files of each), one after the other, that have few people in common."""
    return IncompleteSourceError(
        "they have few people in common.", where=" and ".join(", ".join(names) for names in files),
        advice="Is one of them of another company? Leave it out.",
    )  # fmt: skip


@dataclass(frozen=True)
class Everybody:
    """Everybody of several exports, numbered from 0, the oldest.

    Of each of `people`: `first` and `last` export that has them, `on` (active in the last), `turned` (the export in
    which the account was last seen to be on or off for the first time), and what the newest says of their days.
    `unclear`: how many rows are nobody's for sure. `unread`: of each export, how many rows could not be read.
    """

    people: pl.DataFrame
    unclear: int
    unread: tuple[int, ...]


def through(series: Iterable[Export], setting: Setting) -> Everybody:
    """Everybody of all exports, one after the other.

    Raises:
        IncompleteSourceError: two exports have few people in common.
        SettingError: an export has no column that the setting names.
    """
    known = NOBODY.with_columns(pl.lit(None, kind).alias(name) for name, kind in _KNOWN.items())
    unclear, rows = 0, 0
    unread: list[int] = []
    before: list[str] = []
    for number, export in enumerate(series):
        people = map_users(export, setting).frame.hstack(export.days())
        height = known.height
        known, at = follow(known, people.select(WHO))
        if before and few_in_common(at.filter(at < height).len(), people.height, rows):
            raise of_another_company(before, export.files)
        before, rows = export.files, people.height
        unread.append(len(export.rejected))
        unclear += at.null_count()
        told = people.select(
            "firstName", "lastName", is_on=pl.col("active").fill_null(True), idp_left="leftOn",
            idp_joined=pl.coalesce("hiredOn", "createdOn"), at=at,
            idp_from=pl.when(pl.col("hiredOn").is_not_null()).then(pl.lit("hired")).otherwise(pl.lit("created")),
        )  # fmt: skip
        known = _renewed(known, told, number)
    return Everybody(known, unclear, tuple(unread))


def _renewed(known: pl.DataFrame, told: pl.DataFrame, number: int) -> pl.DataFrame:
    """`known` with what the export of that number says (`told`, by `at`)."""
    both = known.with_columns(at=pl.int_range(pl.len())).join(
        told.drop_nulls("at"), on="at", how="left", maintain_order="left", suffix="_new"
    )  # fmt: skip
    here, now = pl.col("is_on").is_not_null(), pl.lit(number, pl.Int64)
    newest = [pl.coalesce(f"{name}_new", name).alias(name)
              for name in ("firstName", "lastName", "idp_joined", "idp_left")]  # fmt: skip
    dated = pl.col("idp_joined_new").is_not_null()
    return both.with_columns(
        *newest,
        first=pl.when(here).then(pl.coalesce("first", now)).otherwise("first"),
        last=pl.when(here).then(now).otherwise("last"),
        turned=pl.when(here & pl.col("on").ne_missing(pl.col("is_on"))).then(now).otherwise("turned"),
        on=pl.coalesce("is_on", "on"),
        idp_from=pl.when(dated).then("idp_from_new").otherwise("idp_from"),
    ).select(*WHO, *_KNOWN)


def with_list(known: pl.DataFrame, hr: Export | None) -> tuple[pl.DataFrame, int]:
    """`known` with the people of the list of employees: `hr_joined`, `hr_left` and `employed` (null: not on it)."""
    days = {"hr_joined": pl.Date, "hr_left": pl.Date, "employed": pl.Boolean}
    if hr is None:
        return known.with_columns(pl.lit(None, kind).alias(name) for name, kind in days.items()), 0
    listed = hr.users()
    listed = of_list(listed, known)
    known, at = follow(known, listed, renew=False)
    told = listed.select("firstName", "lastName", hr_joined=pl.coalesce("hiredOn", "createdOn"), hr_left="leftOn",
                         employed=pl.col("active").fill_null(True), at=at).drop_nulls("at")  # fmt: skip
    both = known.with_columns(at=pl.int_range(pl.len())).join(
        told, on="at", how="left", maintain_order="left", suffix="_hr"
    )  # fmt: skip
    names = [pl.coalesce(name, f"{name}_hr").alias(name) for name in ("firstName", "lastName")]
    return both.with_columns(names).select(*WHO, *_KNOWN, *days), at.null_count()
