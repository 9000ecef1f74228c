"""Reconcile: the export and the platform person by person, what differs and why."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from scimops import frames
from scimops.audit import why
from scimops.audit.causes import STATUSES
from scimops.audit.frames import RECONCILED
from scimops.audit.people import KEYS, Met, due_by
from scimops.audit.told import Logs, lines_of, moment
from scimops.backend import Backend, open_backend
from scimops.grouping import ARRIVING
from scimops.plan import places
from scimops.plan.differences import differing, fields_of
from scimops.plan.matching import known_in

if TYPE_CHECKING:
    import narwhals as nw

_TEXTS = ("externalId", "userName", "email")


@dataclass(frozen=True)
class Reconciled:
    """Both sides, one row a person of either (schema `reconciled`), the most pressing first.

    `rows`: data records of the export that could be read; `users`: target users. Each of both stands in `people` once,
    where a person of both sides is one row.
    """

    people: pl.DataFrame
    rows: int
    users: int

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many people have each status, the most pressing first."""
        counted = Counter(self.people["status"].to_list())
        return {status: counted[status] for status in STATUSES if counted[status]}

    @property
    def seats_of_gone(self) -> int:
        """Seats of the licence that are paid for people who left or are out of scope (active people count)."""
        return self.counts.get("left_still_active", 0) + self.counts.get("out_of_scope_there", 0)


def reconcile(
    met: Met, logs: Logs, at: dt.datetime, *, left: pl.Series | None = None, old: bool = False,
    backend: str = "polars", folder: Path | None = None,
) -> Reconciled:  # fmt: skip
    """Compare an export with what the platform holds.

    Args:
        met: both, matched.
        logs: what the logs say.
        at: when the platform was read.
        left: rows (`n`) of people who are no employees any more, by a list of employees.
        old: the export is older than the snapshot, so who is in no row of it may be new: nobody can tell.
        backend: `polars`, or a Spark master.
        folder: for a cluster, where frames are staged.
    """
    computer = open_backend(backend)
    fields = fields_of(met.preview, met.users)
    rows, users = _rows(met, fields, left, at), _users(met, fields)
    unclear = met.matched.clashes.join(met.matched.pairs, on="n", how="anti")
    result = computer.run(
        lambda pairs, rows, users, unclear: statuses(pairs, rows, users, unclear, fields),
        folder, pairs=met.matched.pairs, rows=rows, users=users, unclear=unclear.select("n", "id"),
    )  # fmt: skip
    if old:
        absent = pl.col("n").is_null() & pl.col("status").is_in(["left_still_active", "gone"])
        status = pl.when(absent).then(pl.lit("cannot_tell")).otherwise("status")
        result = result.with_columns(status=status)
    result = _shown(result, met, fields)
    result = _explained(result, met, logs, at, computer, folder)
    order = {status: number for number, status in enumerate(STATUSES)}
    rank = pl.col("status").replace_strict(order, return_dtype=pl.Int64)
    people = result.sort(rank, "n", "user_id", nulls_last=True).select(RECONCILED.names)
    return Reconciled(frames.check(people, RECONCILED), met.rows.height, met.users.height)


def statuses(
    pairs: nw.LazyFrame[Any], rows: nw.LazyFrame[Any], users: nw.LazyFrame[Any], unclear: nw.LazyFrame[Any],
    fields: list[str],
) -> nw.LazyFrame[Any]:  # fmt: skip
    """`n`, `user_id`, `matched_by`, `status` of each person, as one Narwhals expression.

    Args:
        pairs: `n`, `id`, `matched_by` of people of both sides.
        rows: `n`, `meant` (arriving, ended, out_of_scope, clashing, rejected), `early` (need not be there yet),
            `wanted` (groups), and the fields.
        users: `id`, `on` (active), `ours`, `shared` (a key of theirs is in a row), `held` (groups), and the fields.
        unclear: `n`, `id` of people of whom nobody can tell who is who.
        fields: names of the fields to compare; blank ones are null.
    """
    import narwhals as nw

    there = users.rename({name: f"{name}_there" for name in fields})
    both = pairs.join(rows, on="n", how="inner").join(there, on="id", how="inner")
    unlike = [
        (nw.col(name) != nw.col(f"{name}_there")).fill_null(False)
        | (nw.col(name).is_null() != nw.col(f"{name}_there").is_null())
        for name in fields
    ]
    other = nw.any_horizontal(nw.lit(False), *unlike, ignore_nulls=False)
    meant = nw.col("meant")
    matched = (
        nw.when((meant == "ended") & nw.col("on")).then(nw.lit("left_still_active"))
        .when(meant == "ended").then(nw.lit("gone"))
        .when((meant == "out_of_scope") & nw.col("on")).then(nw.lit("out_of_scope_there"))
        .when(meant == "out_of_scope").then(nw.lit("gone"))
        .when(meant == "clashing").then(nw.lit("duplicate"))
        .when(~nw.col("on")).then(nw.lit("inactive_there"))
        .when((meant == "arriving") & (nw.col("wanted") != nw.col("held"))).then(nw.lit("other_group"))
        .when(other).then(nw.lit("other_values")).otherwise(nw.lit("right"))
    )  # fmt: skip
    nobody, text = nw.lit(None, nw.Int64), nw.lit(None, nw.String)
    shown = ["n", "user_id", "matched_by", "status"]
    first = both.with_columns(user_id=nw.col("id"), status=matched).select(shown)

    alone = rows.join(pairs, on="n", how="anti")
    clashing = unclear.select("n").unique().with_columns(clashes=nw.lit(True))
    alone = alone.join(clashing, on="n", how="left")
    absent = (
        nw.when(~nw.col("clashes").is_null()).then(nw.lit("cannot_tell"))
        .when((meant == "arriving") & nw.col("early")).then(nw.lit("not_due_yet"))
        .when(meant == "arriving").then(nw.lit("missing")).otherwise(nw.lit("not_sent"))
    )  # fmt: skip
    second = alone.with_columns(user_id=text, matched_by=text, status=absent).select(shown)

    strangers = users.join(pairs, on="id", how="anti")
    clashing = unclear.select("id").unique().with_columns(clashes=nw.lit(True))
    strangers = strangers.join(clashing, on="id", how="left")
    kept = (
        nw.when(~nw.col("clashes").is_null()).then(nw.lit("cannot_tell"))
        .when(~nw.col("ours")).then(nw.lit("not_ours"))
        .when(nw.col("shared")).then(nw.lit("duplicate"))
        .when(nw.col("on")).then(nw.lit("left_still_active")).otherwise(nw.lit("gone"))
    )  # fmt: skip
    third = strangers.with_columns(n=nobody, user_id=nw.col("id"), matched_by=text, status=kept).select(shown)
    return nw.concat([first, second, third], how="vertical")


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
    early = (due_by(met.preview.export.idp) > moment(at)).fill_null(False)
    rows = met.rows.select("n", *_blank_is_null(met.rows, fields), meant=meant, early=early)
    rows = rows.join(wanted, on="n", how="left", maintain_order="left")
    return rows.with_columns(pl.col("wanted").fill_null(""))


def _users(met: Met, fields: list[str]) -> pl.DataFrame:
    """The target users as :func:`statuses` wants them."""
    keys = frozenset(group.group_key for group in met.preview.groups)
    held = _joined(places.held(met.snapshot, keys), "id", "held")
    ours = pl.lit(True) if met.snapshot.source == "scim" else pl.col("setting").is_not_null()
    alone = met.users.join(met.matched.pairs, on="id", how="anti")
    shared = known_in(met.rows.select("n", *KEYS), alone.select("id", *KEYS))
    users = met.users.select(
        "id", *_blank_is_null(met.users, fields), on=pl.col("active").fill_null(True), ours=ours,
        shared=pl.col("id").is_in(shared.implode()),
    )  # fmt: skip
    return users.join(held, on="id", how="left", maintain_order="left").with_columns(pl.col("held").fill_null(""))


def _joined(memberships: pl.DataFrame, by: str, name: str) -> pl.DataFrame:
    """The group keys of each, sorted, joined with a line feed."""
    once = memberships.select(by, "group_key").unique()
    return once.sort(by, "group_key").group_by(by).agg(pl.col("group_key").str.join("\n").alias(name))


def _blank_is_null(frame: pl.DataFrame, fields: list[str]) -> list[pl.Expr]:
    """The fields; blank and absent are one (RFC 7643 §2.5)."""
    texts = [name for name in fields if frame.schema[name] == pl.String]
    filled = [pl.when(pl.col(name).str.strip_chars() != "").then(name).alias(name) for name in texts]
    return [*filled, *(pl.col(name) for name in fields if name not in texts)]


def _shown(result: pl.DataFrame, met: Met, fields: list[str]) -> pl.DataFrame:
    """With what is shown of a person, and which fields differ."""
    rows = met.rows.select("n", "file", "row", *_TEXTS)
    users = met.users.select(user_id="id", **{f"{name}_there": pl.col(name) for name in _TEXTS})
    result = result.join(rows, on="n", how="left").join(users, on="user_id", how="left")
    result = result.with_columns(pl.coalesce(name, f"{name}_there") for name in _TEXTS)
    pairs = result.filter(pl.col("n").is_not_null() & pl.col("user_id").is_not_null()).select("n", "user_id")
    pairs = pairs.join(result.filter(pl.col("status") != "right").select("n").drop_nulls(), on="n", how="semi")
    there = met.users.select(user_id="id", **{name: pl.col(name) for name in fields})
    both = pairs.join(met.rows.select("n", *fields), on="n").join(there, on="user_id", suffix="_there")
    changed = differing(both, fields).select("n", "changed", "before", "after")
    result = result.join(changed, on="n", how="left")
    wanted = _joined_names(places.wanted(met.preview), "n", "wanted")
    held = _joined_names(places.held(met.snapshot, frozenset(g.group_key for g in met.preview.groups)), "id", "held")
    result = result.join(wanted, on="n", how="left").join(held, left_on="user_id", right_on="id", how="left")
    return result.with_columns(pl.col("changed").fill_null(pl.lit([], pl.List(pl.String))))


def _joined_names(memberships: pl.DataFrame, by: str, name: str) -> pl.DataFrame:
    once = memberships.select(by, "group").unique()
    return once.sort(by, "group").group_by(by).agg(pl.col("group").str.join("\n").alias(name))


_LINK = {"missing": "at_platform", "inactive_there": "active", "other_group": "in_group"}
"""The link of coverage that a status is about: its causes are the same."""


def _explained(
    result: pl.DataFrame, met: Met, logs: Logs, at: dt.datetime, computer: Backend, folder: Path | None
) -> pl.DataFrame:
    """With `cause` and `evidence` of those who are not as they should be."""
    result = result.with_row_index("p").with_columns(pl.col("p").cast(pl.Int64))
    left = _remaining(result.filter(status="left_still_active"), met, logs, at, computer, folder)
    lost = result.filter(pl.col("status").is_in(list(_LINK))).select("p", "n", "user_id", "status")
    lost = lost.with_columns(lost_at=pl.col("status").replace_strict(_LINK, return_dtype=pl.String))
    keys = places.wanted(met.preview).group_by("n").agg(keys="group_key")
    start, end = pl.col("since").dt.strftime("%Y-%m-%dT00:00:00.000Z"), due_by(met.preview.export.idp)
    rows = met.rows.select("n", *KEYS, "value", start=start, end=end)
    lost = lost.join(rows, on="n").join(keys, on="n", how="left")
    causes = pl.concat([left, why.causes(lost, met, logs, computer, folder)])
    return result.join(causes, on="p", how="left")


def _remaining(
    left: pl.DataFrame, met: Met, logs: Logs, at: dt.datetime, computer: Backend, folder: Path | None
) -> pl.DataFrame:
    """`p`, `cause`, `evidence` of those who left and are still active."""
    keys = met.users.select(user_id="id", user_key="user_key", email_key="email_key")
    told = lines_of(left.select("p", "externalId", "user_id").join(keys, on="user_id"), logs, computer, folder)
    renamed = pl.col("changed").list.set_intersection(["userName", "email"]).list.len() > 0
    # when they left is not known: a log that covers the last day would have the deactivation's latest try
    day = dt.timedelta(days=1)
    people = left.select("p", renamed=renamed, start=pl.lit(moment(at - day)), end=pl.lit(moment(at)))
    return why.remaining(people, told, logs)
