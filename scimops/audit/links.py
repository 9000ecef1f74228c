"""The chain of coverage over a whole population, as one Narwhals expression: joins and counts over plain keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import narwhals as nw

ENROLMENT_COUNTS = ("auto", "auto_readable", "auto_seen", "other_readable", "other_seen")


def links(
    people: nw.LazyFrame[Any], wanted: nw.LazyFrame[Any], members: nw.LazyFrame[Any], offers: nw.LazyFrame[Any],
    seen: nw.LazyFrame[Any],
) -> nw.LazyFrame[Any]:  # fmt: skip
    """Of each person: is there a group the rule gives, are they in it, are they to be enrolled, are they seen?

    Args (no row of any twice):
        people: `n` of each row of the export, `user_id` of the target user; who has none is left out.
        wanted: `n`, `group_key` of each membership that the rule gives.
        members: `user_id`, `group_id`, `group_key` of each membership there.
        offers: `group_id`, `enrolment_id`, `auto`, `readable` (whole numbers, 1 = yes) of each enrolment.
        seen: `enrolment_id`, `user_id` of each person in a report.

    Returns:
        For each whom the rule gives a group: `n`, `wants` (those groups), `held` (those they are in); of the enrolments
        of the groups they should be in and are: `auto`, `auto_readable`, `auto_seen` (those with auto-enrol on, of them
        those with a report, of them those in whose report the person is), and `other_readable`, `other_seen` of those
        without.
    """
    import narwhals as nw

    there = members.with_columns(held=nw.lit(1))
    due = wanted.join(people, on="n", how="inner")
    due = due.join(there, on=["user_id", "group_key"], how="left")
    groups = (
        due.unique(["n", "group_key"]).group_by("n").agg(wants=nw.col("group_key").count(), held=nw.col("held").sum())
    )

    reports = seen.with_columns(seen=nw.lit(1))
    trained = due.filter(~nw.col("held").is_null()).join(offers, on="group_id", how="inner")
    trained = trained.unique(["n", "enrolment_id"]).join(reports, on=["enrolment_id", "user_id"], how="left")
    auto, readable = nw.col("auto"), nw.col("readable")
    seen_there = nw.coalesce(nw.col("seen"), nw.lit(0)) * readable
    trained = trained.with_columns(
        auto_readable=auto * readable, auto_seen=auto * seen_there,
        other_readable=(1 - auto) * readable, other_seen=(1 - auto) * seen_there,
    )  # fmt: skip
    trained = trained.group_by("n").agg(*[nw.col(name).sum() for name in ENROLMENT_COUNTS])
    both = groups.join(trained, on="n", how="left")
    counts = ("wants", "held", *ENROLMENT_COUNTS)
    return both.select("n", *[nw.coalesce(nw.col(name).cast(nw.Int64), nw.lit(0)).alias(name) for name in counts])
