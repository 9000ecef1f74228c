"""Reconcile: the export and the platform person by person, what differs and why."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from scimops import frames
from scimops.audit import why
from scimops.audit.causes import STATUSES
from scimops.audit.frames import RECONCILED
from scimops.audit.people import KEYS, Met, due_by, is_early
from scimops.audit.sides import TEXTS, statuses
from scimops.audit.told import Logs, lines_of, moment
from scimops.backend import Backend, open_backend
from scimops.grouping import ARRIVING
from scimops.plan import places
from scimops.plan.differences import differing, fields_of
from scimops.plan.matching import known_in, left_over


@dataclass(frozen=True)
class Reconciled:
    """Both sides, one row a person of either (schema `reconciled`), the most pressing first.

    `rows`: data records of the export that could be read; `users`: target users. Each of both stands in `people` once,
    where a person of both sides is one row. `told`: the lines (`n` and :data:`scimops.audit.told.SHOWN`) on rows whose
    person is missing, inactive or in another group there; nulls for whom there is none.
    """

    people: pl.DataFrame
    rows: int
    users: int
    told: pl.DataFrame = field(repr=False)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many people have each status, the most pressing first."""
        counted = dict(self.people["status"].value_counts().iter_rows())
        return {status: counted[status] for status in STATUSES if status in counted}

    @property
    def seats_of_gone(self) -> int:
        """Seats of the licence that are paid for people who left or are out of scope (active people count)."""
        return self.counts.get("left_still_active", 0) + self.counts.get("out_of_scope_there", 0)


def reconcile(
    met: Met, logs: Logs, at: dt.datetime, *, left: pl.Series | None = None, unsure: bool = False
) -> Reconciled:
    """Compare an export with what the platform holds, on the backend of the preview.

    Args:
        met: both, matched.
        logs: what the logs say.
        at: when the platform was read.
        left: rows (`n`) of people who are no employees any more, by a list of employees.
        unsure: who is in no row of the export may be new, or in a row that cannot be read: nobody can tell.
    """
    computer = open_backend(met.preview.backend)
    fields = fields_of(met.preview, met.users)
    # a dot in a column's name is something else to Spark
    plain = {name: f"custom_{number}" if name.startswith("field.") else name for number, name in enumerate(fields)}
    rows, users = _rows(met, fields, left, at).rename(plain), _users(met, fields).rename(plain)
    pairs = met.matched.pairs.select("n", "matched_by", at=met.matched.at)
    unclear = met.matched.clashes.join(met.matched.pairs, on="n", how="anti")
    result = computer.run(
        lambda pairs, rows, users, unclear: statuses(pairs, rows, users, unclear, list(plain.values())),
        pairs=pairs, rows=rows, users=users, unclear=unclear.select("n", "id"),
    )  # fmt: skip
    if unsure:
        absent = pl.col("n").is_null() & pl.col("status").is_in(["left_still_active", "gone"])
        status = pl.when(absent).then(pl.lit("maybe_left")).otherwise("status")
        result = result.with_columns(status=status)
    result = _compared(result, met, fields)
    result, told = _explained(result, met, logs, at, computer)
    order = {status: number for number, status in enumerate(STATUSES)}
    rank = pl.col("status").replace_strict(order, return_dtype=pl.Int64)
    people = result.sort(rank, "n", "user_id", nulls_last=True).select(RECONCILED.names)
    return Reconciled(frames.check(people, RECONCILED), met.rows.height, met.users.height, told)


def _rows(met: Met, fields: list[str], left: pl.Series | None, at: dt.datetime) -> pl.DataFrame:
    """The rows as :func:`statuses` wants them."""
    reason = pl.col("reason")
    ended = reason == "inactive"
    if left is not None:
        ended |= pl.col("n").is_in(left.implode())
    meant = (
        pl.when(ended).then(pl.lit("ended")).when(reason.is_in(ARRIVING)).then(pl.lit("arriving"))
        .when(reason == "out_of_scope").then(pl.lit("out_of_scope"))
        .when(reason == "rejected_duplicate").then(pl.lit("clashing")).otherwise(pl.lit("rejected"))
    )  # fmt: skip
    wanted = _joined(places.wanted(met.preview), "n", "wanted")
    early = is_early(met.preview.export.idp, at)
    rows = met.rows.select("n", "file", "row", *_blank_is_null(met.rows, fields), meant=meant, early=early)
    rows = rows.join(wanted, on="n", how="left", maintain_order="left")
    return rows.with_columns(pl.col("wanted_keys").fill_null(""))


def _users(met: Met, fields: list[str]) -> pl.DataFrame:
    """The target users as :func:`statuses` wants them."""
    keys = frozenset(group.group_key for group in met.preview.groups)
    held = _joined(places.held(met.snapshot, keys), "id", "held")
    ours = pl.lit(True) if met.snapshot.source == "scim" else pl.col("setting").is_not_null()
    alone = left_over(met.users.select("id", *KEYS, at=pl.int_range(pl.len())), "at", met.matched.at)
    shared = known_in(met.rows.select("n", *KEYS), alone)
    users = met.users.select(
        "id", *_blank_is_null(met.users, fields), at=pl.int_range(pl.len()), on=pl.col("active").fill_null(True),
        ours=ours, shared=pl.col("id").is_in(shared.implode()),
    )  # fmt: skip
    return users.join(held, on="id", how="left", maintain_order="left").with_columns(pl.col("held_keys").fill_null(""))


def _joined(memberships: pl.DataFrame, by: str, name: str) -> pl.DataFrame:
    """Of each `by` its groups, sorted and joined with a line feed: by key as `NAME_keys`, by name as `NAME`."""
    once = memberships.select(by, "group_key", "group")
    several = once[by].is_duplicated()
    alone = once.filter(~several).select(by, pl.col("group_key").alias(f"{name}_keys"), pl.col("group").alias(name))
    some = once.filter(several).unique().sort(by, "group_key", "group").group_by(by)
    return pl.concat([alone, some.agg(
        pl.col("group_key").unique(maintain_order=True).str.join("\n").alias(f"{name}_keys"),
        pl.col("group").unique(maintain_order=True).str.join("\n").alias(name),
    )])  # fmt: skip


def _blank_is_null(frame: pl.DataFrame, fields: list[str]) -> list[pl.Expr]:
    """The texts and fields; blank and absent are one (RFC 7643 §2.5)."""
    fields = list(dict.fromkeys([*TEXTS, *fields]))
    texts = [name for name in fields if frame.schema[name] == pl.String]
    odd = (pl.col(texts) < "!") | (pl.col(texts) > "~")  # white space begins so, and hardly any value does
    tests = frame.select((pl.col(texts).filter(odd).str.strip_chars() == "").any())
    blank = [name for name in texts if tests[name].any()]
    filled = [pl.when(pl.col(name).str.strip_chars() != "").then(name).alias(name) for name in blank]
    return [*filled, *(pl.col(name) for name in fields if name not in blank)]


def _compared(result: pl.DataFrame, met: Met, fields: list[str]) -> pl.DataFrame:
    """With the fields that differ, of those who are not right."""
    pairs = result.filter(pl.col("status") != "right").select("n", "user_id").drop_nulls()
    there = met.users.select(user_id="id", **{name: pl.col(name) for name in fields})
    both = pairs.join(met.rows.select("n", *fields), on="n").join(there, on="user_id", suffix="_there")
    changed = differing(both, fields).select("n", "changed", "before", "after")
    result = result.join(changed, on="n", how="left", maintain_order="left")
    return result.with_columns(pl.col("changed").fill_null(pl.lit([], pl.List(pl.String))))


_LINK = {"missing": "at_platform", "inactive_there": "active", "other_group": "in_group"}
"""The link of coverage that a status is about: its causes are the same."""


def _explained(
    result: pl.DataFrame, met: Met, logs: Logs, at: dt.datetime, computer: Backend
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """With `cause` and `evidence` of those who are not as they should be; and the lines on those who are no leavers."""
    result = result.with_row_index("p").with_columns(pl.col("p").cast(pl.Int64))
    left, lost = _left(result, met, at), _lost(result, met)
    asked = pl.concat([side.select("p", *KEYS, "user_id") for side in (left, lost)])
    told = lines_of(asked, logs, computer)  # of all at once, for a log is long
    causes = [why.remaining(left, told, logs), why.causes(lost, met, told, logs, computer)]
    lines = lost.select("p", "n").join(told, on="p", how="left").drop("p")
    return result.join(pl.concat(causes), on="p", how="left"), lines


def _left(result: pl.DataFrame, met: Met, at: dt.datetime) -> pl.DataFrame:
    """Those who left and are still active, as :func:`why.remaining` wants them, with their keys."""
    left = result.filter(status="left_still_active")
    keys = met.users.select(user_id="id", user_key="user_key", email_key="email_key")
    theirs = met.rows.select("n", user_key_idp="user_key", email_key_idp="email_key")
    renamed = (pl.col("user_key") != pl.col("user_key_idp")) | (pl.col("email_key") != pl.col("email_key_idp"))
    # when they left is not known: a log that covers the last day would have the deactivation's latest try
    day = dt.timedelta(days=1)
    return left.join(keys, on="user_id").join(theirs, on="n", how="left").select(
        "p", "externalId", "user_id", "user_key", "email_key", renamed=renamed.fill_null(False),
        start=pl.lit(moment(at - day)), end=pl.lit(moment(at)),
    )  # fmt: skip


def _lost(result: pl.DataFrame, met: Met) -> pl.DataFrame:
    """Those of whom a link is missing, as :func:`why.causes` wants them, with their keys."""
    lost = result.filter(pl.col("status").is_in(list(_LINK))).select("p", "n", "user_id", "status")
    lost = lost.with_columns(lost_at=pl.col("status").replace_strict(_LINK, return_dtype=pl.String))
    keys = places.wanted(met.preview).join(lost, on="n", how="semi").group_by("n").agg(keys="group_key")
    start, end = pl.col("since").dt.strftime("%Y-%m-%dT00:00:00.000Z"), due_by(met.preview.export.idp)
    rows = met.rows.join(lost, on="n", how="semi").select("n", *KEYS, "value", start=start, end=end)
    return lost.join(rows, on="n").join(keys, on="n", how="left")
