"""Who is meant: the population of an audit, and who of it is whom in the export and on the platform."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import polars as pl

from scimops.errors import IncompleteSourceError
from scimops.grouping import ARRIVING, group_key
from scimops.plan.matching import Matched, match
from scimops.preview.stage import keyed_people

if TYPE_CHECKING:
    from scimops.client.snapshot import Snapshot
    from scimops.idp import Export
    from scimops.preview import Preview

RHYTHM = {"entra": dt.timedelta(minutes=40)}
"""How long an identity provider may take to send somebody new (platform facts); of the others an hour is given."""

KEYS = ("externalId", "user_key", "email_key")
_SHOWN = ("file", "row", "externalId", "userName", "email", "firstName", "lastName")


@dataclass(frozen=True)
class Met:
    """An export and a snapshot, person by person.

    `rows`: the readable rows of the export (`people` of the preview), with `since` and `leftOn` (dates).
    `users`: the target users with their keys. `matched`: who is whom (design rule 11).
    """

    preview: Preview
    snapshot: Snapshot
    rows: pl.DataFrame
    users: pl.DataFrame
    matched: Matched


def meet(preview: Preview, snapshot: Snapshot) -> Met:
    """Match the readable rows of an export with the people of a snapshot."""
    days = preview.export.days()
    since = days.select(since=pl.coalesce("hiredOn", "createdOn"), leftOn="leftOn")
    rows = preview.people.hstack(since)
    users = keyed_people(snapshot.users)
    return Met(preview, snapshot, rows, users, match(rows.select("n", *KEYS), users.select("id", *KEYS)))


def group_keys(values: pl.Series) -> pl.Series:
    """The group keys of values, each distinct one worked out once; null for blank."""
    distinct = values.drop_nulls().unique().to_list()
    keys = {value: group_key(value) or None for value in distinct}
    return values.replace_strict(list(keys), list(keys.values()), default=None, return_dtype=pl.String)


def groups_there(snapshot: Snapshot) -> pl.DataFrame:
    """`group_id`, `group_key` of each group of the platform."""
    return snapshot.groups.select(group_id="id", group_key=group_keys(snapshot.groups["name"]))


def due_by(idp: str, since: pl.Expr | None = None) -> pl.Expr:
    """When somebody should be there at the latest, as the texts of events have a time; null where `since` is.

    Of `since` the day alone is known: that day must have passed, and the identity provider had its time.
    """
    return _due(idp, pl.col("since") if since is None else since).dt.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def is_early(idp: str, at: dt.datetime) -> pl.Expr:
    """Is somebody due (:func:`due_by`) after `at` only? Times are compared, for texts of a million take longer."""
    return (_due(idp, pl.col("since")) > at.astimezone(dt.UTC).replace(tzinfo=None)).fill_null(False)


def _due(idp: str, since: pl.Expr) -> pl.Expr:
    return since.cast(pl.Datetime) + dt.timedelta(days=1) + RHYTHM.get(idp, dt.timedelta(hours=1))


@dataclass(frozen=True)
class Population:
    """Whom an audit asks about, and where that comes from.

    `people`: `p` (number of the person), what is shown of them, `since`, `left` (bool: is no employee any more),
    `n` (their row of the export; null = none) and `unclear` (bool: nobody can tell which row is theirs).
    """

    source: Literal["idp", "hr"]
    files: tuple[str, ...]
    people: pl.DataFrame


def of_export(met: Met) -> Population:
    """Everybody in the export, unreadable rows too; who is out of scope or not active is counted as not meant."""
    rows = met.rows.select(*_SHOWN, "since", "n", left=pl.lit(False), unclear=pl.lit(False))
    unreadable = [
        {"file": part.source.name, "row": row.row, "left": False, "unclear": False}
        for part in met.preview.export.parts for row in part.table.rejected
    ]  # fmt: skip
    lost = pl.DataFrame(unreadable, schema={name: rows.schema[name] for name in ("file", "row", "left", "unclear")})
    people = pl.concat([rows, lost], how="diagonal").with_row_index("p").with_columns(pl.col("p").cast(pl.Int64))
    return Population("idp", tuple(met.preview.export.files), people)


def of_hr(met: Met, hr: Export, today: dt.date) -> Population:
    """Everybody on a list of employees, found in the export by e-mail address, then userName.

    Its own numbers are not the identity provider's, so externalId is not compared.

    Raises:
        IncompleteSourceError: rows of the list cannot be read, it holds nobody, or it is a part.
    """
    if hr.rejected or not hr.complete or not hr.rows:
        what = f"{len(hr.rejected):,} of its rows cannot be read" if hr.rejected else hr.missing or "it holds nobody"
        raise IncompleteSourceError(f"The list of employees is not whole: {what}.", where=", ".join(hr.files),
                                    advice="Correct the list, or export it again.")  # fmt: skip
    people = hr.users().with_row_index("p").with_columns(pl.col("p").cast(pl.Int64))
    people = keyed_people(people)
    pairs, unclear = _found(people, met.rows)
    people = people.with_columns(since=pl.coalesce("hiredOn", "createdOn"))
    people = people.with_columns(left=(last_day() < today).fill_null(False) | ~pl.col("active").fill_null(True)).join(
        pairs, on="p", how="left", maintain_order="left"
    )
    people = people.with_columns(unclear=pl.col("p").is_in(unclear.implode()))
    return Population("hr", tuple(hr.files), people.select("p", *_SHOWN, "since", "n", "left", "unclear"))


def last_day(left: str = "leftOn", since: str = "since") -> pl.Expr:
    """The day somebody left, or will; null where they were hired again after it. On that day they are still there."""
    return pl.when((pl.col(left) >= pl.col(since)).fill_null(True)).then(left)


_WAYS = (("email_key", "email_key"), ("email_key", "user_key"), ("user_key", "user_key"))
"""A list of employees has the address, which at the identity provider may be the address or the userName."""


def _found(people: pl.DataFrame, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Pairs of `p` and `n`, one to one; and each `p` of which nobody can tell.

    Of several accounts with one address the one that is sent, where there is just one, is the person's.
    """
    rows = rows.select("n", "user_key", "email_key", sent=pl.col("reason").is_in(ARRIVING))
    found, unclear = [], []
    for one, other in _WAYS:
        left = people.select("p", key=one).drop_nulls()
        both = left.join(rows.select("n", "sent", key=other).drop_nulls(), on="key")
        both = both.filter(pl.col("sent") | (pl.col("sent").sum().over("p") != 1))
        same = ~pl.col("p").is_duplicated() & ~pl.col("n").is_duplicated()
        both = both.with_columns(same=same)
        found.append(both.filter("same").select("p", "n"))
        unclear.append(both.filter(~pl.col("same"))["p"])
        people = people.join(both, on="p", how="anti")
        rows = rows.join(both, on="n", how="anti")
    return pl.concat(found), pl.concat(unclear).unique()
