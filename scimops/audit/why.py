"""Why a link is missing: decided from both sides first, then from the last line of the logs that tells of it."""

from __future__ import annotations

import polars as pl

from scimops.audit.people import Met, group_keys, groups_there
from scimops.audit.told import Logs, evidence, group_lines
from scimops.backend import Backend

CAUSE_OF = {
    "domain_not_allowed": "domain_not_allowed", "seats_full": "seats_full", "taken": "taken", "invalid": "invalid",
    "token_rejected": "token_rejected", "server_error": "server_error", "rate_limited": "server_error",
    "not_in_scope": "idp_skipped", "duplicate_in_idp": "idp_skipped",
}  # fmt: skip
"""From the reason of a line that did not succeed to the cause; of all others: refused."""

_OFFERED = ("create", "update", "rename", "reactivate", "other")
_ENDED = ("deactivate", "delete")
_OK = pl.col("outcome") == "success"
_IDLE = (pl.col("reason") == "no_change").fill_null(False)
"""A line that says nothing was to be done explains nothing."""


LINKS = ("at_platform", "active", "in_group")
"""The links of which logs tell why one is missing."""


def causes(people: pl.DataFrame, met: Met, told: pl.DataFrame, logs: Logs, computer: Backend) -> pl.DataFrame:
    """`p`, `cause`, `evidence` of those whose `lost_at` is one of :data:`LINKS`.

    `people`: `p`, `lost_at`, `user_id`, `value`, `keys` (of the groups the rule gives), `start` and `end` (when they
    were due). `told`: the lines on them.
    """
    deleted = group_lines(logs, computer)
    deleted = deleted.with_columns(group_key=group_keys(deleted["name"]))
    absent, off, elsewhere = (people.filter(lost_at=link) for link in LINKS)
    return pl.concat([
        absence(absent, told, logs), inactivity(off, told, logs),
        misplacement(_both_values(elsewhere, met), told, deleted, logs),
    ])  # fmt: skip


def _both_values(people: pl.DataFrame, met: Met) -> pl.DataFrame:
    """With `value`, `value_there` (keys), whether they can be `compared`, `group_key` and whether it `exists`."""
    field = met.preview.setting.grouping_field
    column = f"field.{field}" if field and f"field.{field}" in met.users.columns else field
    compared = column is not None and column in met.users.columns
    theirs = met.users.filter(pl.col("id").is_in(people["user_id"].implode()))  # few of a million
    there = theirs.select(user_id="id", value_there=column if compared and column else pl.lit(None, pl.String))
    people = people.join(there, on="user_id", how="left", maintain_order="left")
    groups = groups_there(met.snapshot)["group_key"].implode()
    return people.with_columns(
        value=group_keys(people["value"]), value_there=group_keys(people["value_there"]), compared=pl.lit(compared),
        group_key=pl.col("keys").list.first(), exists=pl.col("keys").list.first().is_in(groups).fill_null(False),
    )  # fmt: skip


def absence(people: pl.DataFrame, told: pl.DataFrame, logs: Logs) -> pl.DataFrame:
    """Of each `p` who is not on the platform: `cause`, `evidence`. `people` has `start`, `end`: when they were due.

    The last line decides: a refusal before the creation explains nothing, nor does that of an update after it.
    """
    offered, deleted = pl.col("operation").is_in(_OFFERED), pl.col("operation") == "delete"
    was_there = told.filter(_OK & offered).select("p").unique().with_columns(was_there=True)
    told = told.join(was_there, on="p", how="left")
    failed = ~_OK & offered & ~_IDLE & ((pl.col("operation") == "create") | pl.col("was_there").is_null())
    last = _last(told, failed | (_OK & (deleted | offered)))
    by_reason = pl.col("reason").replace_strict(CAUSE_OF, default="refused", return_dtype=pl.String)
    last = last.with_columns(
        cause=pl.when(_OK & deleted).then(pl.lit("deleted_there")).when(_OK).then(pl.lit("made_and_gone"))
        .when(pl.col("outcome") == "skipped").then(pl.lit("idp_skipped")).otherwise(by_reason)
    )  # fmt: skip
    return _or_silence(people, last, logs, "never_sent")


def inactivity(people: pl.DataFrame, told: pl.DataFrame, logs: Logs) -> pl.DataFrame:
    """Of each `p` who is inactive on the platform and should not be: `cause`, `evidence`."""
    last = _last(told, _OK & pl.col("operation").is_in([*_ENDED, "reactivate"]))
    last = last.filter(pl.col("operation").is_in(_ENDED))
    cause = pl.col("source").replace_strict(
        {"platform_audit": "deactivated_by_hand", "receipts": "deactivated_by_apply"},
        default="deactivated_by_idp", return_dtype=pl.String,
    )  # fmt: skip
    return _or_silence(people, last.with_columns(cause=cause), logs, "unexplained")


def misplacement(people: pl.DataFrame, told: pl.DataFrame, deleted: pl.DataFrame, logs: Logs) -> pl.DataFrame:
    """Of each `p` who is not in the group the rule gives: `cause`, `evidence`.

    `people` has `value` and `value_there` (keys of what decides the group, in the export and on the platform; null =
    blank), `group_key`, `exists` (bool: a group of that key is there). `deleted` are the deletions of groups, with
    `group_key`.
    """
    value, there = pl.col("value"), pl.col("value_there")
    gone = deleted.group_by("group_key").last().select("group_key", cut=evidence())
    people = people.join(gone, on="group_key", how="left")
    by_value = (
        pl.when(~pl.col("exists") & pl.col("cut").is_not_null()).then(pl.lit("group_deleted"))
        .when(pl.col("group_key").is_null()).then(pl.lit("ungrouped"))
        .when(pl.col("compared") & value.is_not_null() & there.is_null()).then(pl.lit("value_not_sent"))
        .when(pl.col("compared") & value.is_null() & there.is_not_null()).then(pl.lit("null_not_sent"))
        .when(pl.col("compared") & (value != there)).then(pl.lit("value_stale"))
    )  # fmt: skip
    people = people.with_columns(seen=by_value)
    # what was done to other groups explains nothing
    of_group = told.with_columns(moved=group_keys(told["name"])).join(people.select("p", "group_key"), on="p")
    moved = pl.col("operation").is_in(["add_member", "remove_member"]) & _OK
    last = _last(of_group, moved & (pl.col("moved") == pl.col("group_key")))
    by_hand = (pl.col("operation") == "remove_member") & (pl.col("source") == "platform_audit")
    last = last.filter(by_hand).with_columns(cause=pl.lit("moved_by_hand"))
    by_logs = _or_silence(people, last, logs, "unexplained")
    shown = pl.when(pl.col("seen") == "group_deleted").then("cut").when(pl.col("seen").is_null()).then("evidence")
    both = people.select("p", "seen", "cut").join(by_logs, on="p")
    return both.select("p", cause=pl.coalesce("seen", "cause"), evidence=shown)


def remaining(people: pl.DataFrame, told: pl.DataFrame, logs: Logs) -> pl.DataFrame:
    """Of each `p` who left and is still active on the platform: `cause`, `evidence`.

    `people` has `renamed` (bool: another userName or e-mail address in the export than on the platform).
    """
    ended = pl.col("operation").is_in(_ENDED)
    was_off = told.filter(_OK & ended).select("p").unique().with_columns(was_off=True)
    back = _OK & (pl.col("operation") == "reactivate") & pl.col("was_off").fill_null(False)
    last = _last(told.join(was_off, on="p", how="left"), (ended & ~_IDLE) | back)
    cause = pl.when(_OK).then(pl.lit("left_active_again")).otherwise(pl.lit("left_refused"))
    silent = _or_silence(people, last.with_columns(cause=cause), logs, "left_never_sent")
    renamed = people.filter("renamed").select("p", renamed=pl.lit("left_renamed"))
    both = silent.join(renamed, on="p", how="left")
    told_by_line = pl.col("evidence").is_not_null()
    return both.select("p", cause=pl.when(told_by_line).then("cause").otherwise(pl.coalesce("renamed", "cause")),
                       evidence="evidence")  # fmt: skip


def _last(told: pl.DataFrame, which: pl.Expr) -> pl.DataFrame:
    """The last line of each person that tells of it."""
    return told.filter(which).sort("p", "at", "row").group_by("p", maintain_order=True).last()


def _or_silence(people: pl.DataFrame, last: pl.DataFrame, logs: Logs, silent: str) -> pl.DataFrame:
    """`last` for those it has; of the others `silent` where the logs cover the time, else no_log."""
    covered = logs.covered(pl.col("start"), pl.col("end"))
    quiet = pl.when(covered).then(pl.lit(silent)).otherwise(pl.lit("no_log"))
    found = last.select("p", "cause", evidence=evidence())
    return people.select("p", quiet=quiet).join(found, on="p", how="left").select(
        "p", cause=pl.coalesce("cause", "quiet"), evidence="evidence"
    )  # fmt: skip
