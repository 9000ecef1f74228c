"""Both sides of a reconcile as one Narwhals expression: joins and comparisons over plain columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import narwhals as nw

TEXTS = ("externalId", "userName", "email")
SHOWN = ["n", "file", "row", *TEXTS, "user_id", "matched_by", "wanted", "held", "status"]
"""What is told of each person; null where one side does not have them."""


def statuses(
    pairs: nw.LazyFrame[Any], rows: nw.LazyFrame[Any], users: nw.LazyFrame[Any], unclear: nw.LazyFrame[Any],
    fields: list[str],
) -> nw.LazyFrame[Any]:  # fmt: skip
    """Each person of either side once: :data:`SHOWN`.

    Args:
        pairs: `n`, `at`, `matched_by` of people of both sides.
        rows: `n`, `file`, `row`, `meant` (arriving, ended, out_of_scope, clashing, rejected), `early` (need not be
            there yet), `wanted_keys` and `wanted` (groups; empty and null where there are none), :data:`TEXTS` and the
            fields.
        users: `at` (a number of their own), `id`, `on` (active), `ours`, `shared` (a key of theirs is in a row),
            `held_keys` and `held` (groups), the same texts and fields.
        unclear: `n`, `id` of people of whom nobody can tell who is who.
        fields: names of the fields to compare; blank ones are null.
    """
    import narwhals as nw

    there = users.rename({name: f"{name}_there" for name in dict.fromkeys([*TEXTS, *fields])})
    both = pairs.join(rows, on="n", how="inner").join(there, on="at", how="inner")
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
        .when((meant == "arriving") & (nw.col("wanted_keys") != nw.col("held_keys"))).then(nw.lit("other_group"))
        .when(other).then(nw.lit("other_values")).otherwise(nw.lit("right"))
    )  # fmt: skip
    nobody, text = nw.lit(None, nw.Int64), nw.lit(None, nw.String)
    texts = {name: nw.coalesce(nw.col(name), nw.col(f"{name}_there")) for name in TEXTS}
    first = both.with_columns(user_id=nw.col("id"), status=matched, **texts).select(SHOWN)

    alone = rows.join(pairs, on="n", how="anti")
    clashing = unclear.select("n").unique().with_columns(clashes=nw.lit(True))
    alone = alone.join(clashing, on="n", how="left")
    absent = (
        nw.when(~nw.col("clashes").is_null()).then(nw.lit("cannot_tell"))
        .when((meant == "arriving") & nw.col("early")).then(nw.lit("not_due_yet"))
        .when(meant == "arriving").then(nw.lit("missing")).otherwise(nw.lit("not_sent"))
    )  # fmt: skip
    second = alone.with_columns(user_id=text, matched_by=text, held=text, status=absent).select(SHOWN)

    strangers = users.join(pairs, on="at", how="anti")
    clashing = unclear.select("id").unique().with_columns(clashes=nw.lit(True))
    strangers = strangers.join(clashing, on="id", how="left")
    kept = (
        nw.when(~nw.col("clashes").is_null()).then(nw.lit("cannot_tell"))
        .when(~nw.col("ours")).then(nw.lit("not_ours"))
        .when(nw.col("shared")).then(nw.lit("duplicate"))
        .when(nw.col("on")).then(nw.lit("left_still_active")).otherwise(nw.lit("gone"))
    )  # fmt: skip
    third = strangers.with_columns(
        n=nobody, row=nobody, file=text, wanted=text, user_id=nw.col("id"), matched_by=text, status=kept
    ).select(SHOWN)  # fmt: skip
    return nw.concat([first, second, third], how="vertical")
