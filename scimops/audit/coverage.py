"""Coverage: person by person, how far the chain to the auto-enrolled training holds, and why it does not."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import polars as pl

from scimops import frames
from scimops.audit import why
from scimops.audit.causes import LINKS
from scimops.audit.frames import COVERAGE
from scimops.audit.links import links
from scimops.audit.people import KEYS, Met, Population, due_by, groups_there, is_early
from scimops.audit.state import State
from scimops.audit.told import SHOWN, Logs, lines_of, moment
from scimops.backend import Backend, open_backend
from scimops.grouping import ARRIVING

OF_ENROLMENTS = ("expected", "enrolled")
"""Links that only who may read enrolments can look at."""

STATUSES: dict[str, str] = {
    "arrived": "arrived",
    "lost": "did not arrive",
    "not_due_yet": "need not be there yet",
    "cannot_tell": "cannot be told",
    "not_meant": "left, not active or out of scope",
}


class Step(NamedTuple):
    """One link of the chain: how many go on after it (None: nobody could look at it), and how many were lost at it.

    `link` is one of :data:`LINKS`; empty: all who should have arrived; `cannot_tell`: who can be told from others.
    """

    link: str
    on: int | None
    lost: int = 0


@dataclass(frozen=True)
class Coverage:
    """How many of how many arrived, and where the others were lost.

    `people` has the schema `coverage`. `at` is the time for which it is said. `not_read` names links that nobody could
    look at (enrolments that may not be read, and campaigns always): they are claimed of nobody.
    """

    population: Population
    people: pl.DataFrame
    at: str
    not_read: tuple[str, ...]

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many people have each status; they add up to the population."""
        counted = dict(self.people["status"].value_counts().iter_rows())
        return {status: counted.get(status, 0) for status in STATUSES}

    @property
    def meant(self) -> int:
        """How many should have arrived by now: those who did, those who were lost, those of whom it is not known."""
        return self.counts["arrived"] + self.counts["lost"] + self.counts["cannot_tell"]

    @cached_property
    def losses(self) -> pl.DataFrame:
        """`lost_at`, `cause`, `people` of those who were lost, in the order of the chain, the most first."""
        order = {link: number for number, link in enumerate(LINKS)}
        lost = self.people.filter(pl.col("status") == "lost").group_by("lost_at", "cause").agg(people=pl.len())
        rank = pl.col("lost_at").replace_strict(order, default=len(order), return_dtype=pl.Int64)
        return lost.sort(rank, "people", "cause", descending=[False, True, False])

    @cached_property
    def steps(self) -> list[Step]:
        """From all who should have arrived, link by link, to those who did."""
        lost = dict(self.losses.group_by("lost_at").agg(pl.col("people").sum()).iter_rows())
        on, unclear = self.meant, self.counts["cannot_tell"]
        found = [Step("", on)]
        if unclear:
            on -= unclear
            found.append(Step("cannot_tell", on, unclear))
        for link in LINKS:
            if link in OF_ENROLMENTS and "enrolments" in self.not_read:
                found.append(Step(link, None))
                continue
            on -= lost.get(link, 0)
            found.append(Step(link, on, lost.get(link, 0)))
        return found

    def since(self, first_day: dt.date) -> pl.DataFrame:
        """The people whose first day is this day or later."""
        return self.people.filter(pl.col("since") >= first_day)


def cover(
    met: Met, state: State, population: Population, logs: Logs, at: dt.datetime, *, told: pl.DataFrame | None = None,
    unsure: bool = False,
) -> Coverage:  # fmt: skip
    """How far the chain holds for each of `population` at the time `at`, on the backend of the preview.

    Args:
        met: the export and the snapshot of `state`, matched.
        state: the platform with its enrolments.
        population: from :func:`scimops.audit.people.of_export` or :func:`scimops.audit.people.of_hr`.
        logs: what the logs say.
        at: when the platform was read.
        told: the lines that a :attr:`Reconciled <scimops.audit.reconcile.Reconciled.told>` of the same `met` found.
        unsure: who is on the list of employees and in no row of the export may have an account: nobody can tell.
    """
    computer = open_backend(met.preview.backend)
    people = _chain(met, state, population, computer)
    # of the export, who has no number stands in a row that cannot be read; of a list, who is in no row that could be
    unread = pl.col("n").is_null() & ~pl.col("unclear") & pl.lit(unsure or population.source == "idp")
    people = people.with_columns(unread=unread)
    meant = ~pl.col("left")
    if population.source == "idp":  # an employee with an account that is off is lost; an account that is off is not
        meant &= ~pl.col("reason").is_in(["out_of_scope", "inactive"])
    people = _judged(people, meant, at, met.preview.export.idp)
    causes = _causes(people, met, state, logs, told, computer)
    people = people.join(causes, on="p", how="left", maintain_order="left").with_columns(
        cause=pl.when(pl.col("status").is_in(["lost", "not_due_yet"])).then(pl.coalesce("cause", "early_cause"))
        .otherwise("early_cause"),
        n="p",
    )  # fmt: skip
    not_read = ("enrolments",) if state.enrolments is None else ()
    return Coverage(population, frames.check(people.select(COVERAGE.names), COVERAGE), moment(at), not_read)


def _chain(met: Met, state: State, population: Population, computer: Backend) -> pl.DataFrame:
    """The population with every link."""
    there_on = met.users["active"].fill_null(True).gather(met.matched.at)
    pairs = met.matched.pairs.select("n", user_id="id", matched_by="matched_by", there_on=there_on)
    wanted, groups = _wanted(met), groups_there(state.snapshot)
    members = state.snapshot.members.select("group_id", "user_id").join(groups, on="group_id")
    linked = computer.run(
        links, people=pairs.select("n", "user_id"), wanted=wanted,
        members=members.select("user_id", "group_id", "group_key"), offers=_offers(state), seen=state.enrolled,
    )  # fmt: skip
    rows = met.rows.select(
        "user_key", "email_key", "reason", "value", externalId_row="externalId", idp_file="file", idp_row="row",
        on=pl.col("active").fill_null(True),
    )  # fmt: skip
    people = population.people.hstack(rows.select(pl.all().gather(population.people["n"])))  # `n` counts from 0
    for part in (pairs, linked, _named(met, wanted)):
        people = people.join(part, on="n", how="left", maintain_order="left")
    if population.source == "idp":  # who stands in a row that cannot be read has no `n`
        people = people.with_columns(pl.col("reason").fill_null("rejected_unreadable"))
    unclear = pl.col("unclear") | (
        pl.col("user_id").is_null() & pl.col("n").is_in(met.matched.clashes["n"].implode()).fill_null(False)
    )
    return _as_links(people.with_columns(unclear=unclear), readable=state.enrolments is not None)


def _as_links(people: pl.DataFrame, *, readable: bool) -> pl.DataFrame:
    here = pl.col("user_id").is_not_null()
    known = ~pl.col("unclear")
    taken = (pl.col("reason") == "rejected_duplicate") & here  # the first of a clash is accepted on the wire
    whole = (here & (pl.col("wants") > 0) & (pl.col("held") == pl.col("wants"))).fill_null(False)
    expected = whole & (pl.col("auto") > 0)
    # where no enrolment enrols by itself, those reports count that somebody was put into by hand
    kind = [
        pl.when(pl.col("auto") > 0).then(f"auto_{name}").otherwise(f"other_{name}") for name in ("seen", "readable")
    ]
    unread = ((pl.col("auto") > 0) & (kind[1] == 0)).fill_null(False)
    seen = pl.when(~unread).then(whole & (kind[1] > 0) & (kind[0] == kind[1]))
    return people.with_columns(
        in_idp=pl.col("reason").is_not_null(),
        sent=((pl.col("reason").is_in(ARRIVING) & pl.col("on")) | taken).fill_null(False),
        at_platform=pl.when(known).then(here),
        active=pl.when(known).then(here & pl.col("there_on").fill_null(False)),
        in_group=pl.when(known).then(whole),
        expected=pl.when(known & pl.lit(readable)).then(expected.fill_null(False)),
        enrolled=pl.when(known & pl.lit(readable)).then(pl.when(here).then(seen).otherwise(False)),
    )


def _judged(people: pl.DataFrame, meant: pl.Expr, at: dt.datetime, idp: str) -> pl.DataFrame:
    """With `status`, `lost_at`, `early_cause` (where the export alone says it) and `due`."""
    first = pl.coalesce([pl.when(~pl.col(link).fill_null(True)).then(pl.lit(link)) for link in LINKS])
    reason = pl.col("reason")
    people = people.with_columns(lost_at=first)
    status = (
        pl.when(~meant).then(pl.lit("not_meant"))
        .when(pl.col("unclear")).then(pl.lit("cannot_tell"))
        .when(pl.col("lost_at").is_null()).then(pl.lit("arrived"))
        .when(is_early(idp, at)).then(pl.lit("not_due_yet"))
        .when("unread").then(pl.lit("cannot_tell"))
        .otherwise(pl.lit("lost"))
    )  # fmt: skip
    people = people.with_columns(status=status)
    off = pl.when(reason.is_in(ARRIVING)).then(pl.lit("inactive")).otherwise(reason)
    cause = (
        pl.when(pl.col("status") == "cannot_tell")
        .then(pl.when("unread").then(pl.coalesce("reason", pl.lit("in_no_row"))).otherwise(pl.lit("ambiguous")))
        .when(pl.col("lost_at") == "in_idp").then(pl.lit("not_in_idp"))
        .when(pl.col("lost_at") == "sent").then(off)
        .when(pl.col("status") == "not_meant").then(reason)
        .when(pl.col("lost_at") == "enrolled").then(pl.lit("not_in_report"))
    )  # fmt: skip
    return people.with_columns(
        early_cause=cause,
        lost_at=pl.when(pl.col("status").is_in(["lost", "not_due_yet"])).then("lost_at"),
        due=due_by(idp, pl.when(pl.col("status") == "not_due_yet").then("since")),
    )


def _causes(
    people: pl.DataFrame, met: Met, state: State, logs: Logs, told: pl.DataFrame | None, computer: Backend
) -> pl.DataFrame:  # fmt: skip
    """`p`, `cause`, `evidence` of those who were lost at a link that the logs or both sides explain."""
    lost = people.filter(pl.col("status") == "lost").with_columns(
        externalId="externalId_row", start=pl.col("since").dt.strftime("%Y-%m-%dT00:00:00.000Z"),
        end=due_by(met.preview.export.idp),
    )  # fmt: skip
    untrained = _untrained(lost.filter(pl.col("lost_at") == "expected"), state)
    asked = lost.filter(pl.col("lost_at").is_in(why.LINKS)).select("p", "n", *KEYS, "user_id")
    lines = []
    if told is not None:  # a log is sifted once: only who is not among those found is looked for
        lines.append(asked.select("p", "n").join(told, on="n").select("p", *SHOWN).drop_nulls("at"))
        asked = asked.join(told, on="n", how="anti")
    lines.append(lines_of(asked.drop("n"), logs, computer))
    found = pl.concat(lines).sort("p", "at", "source", "file", "row")
    return pl.concat([why.causes(lost, met, found, logs, computer), untrained])


def _untrained(people: pl.DataFrame, state: State) -> pl.DataFrame:
    """Of those whose group has no enrolment with auto-enrol: whether it has another one."""
    groups = groups_there(state.snapshot)
    some = state.enrolment_groups.join(groups, on="group_id")["group_key"].implode()
    off = pl.col("keys").list.eval(pl.element().is_in(some)).list.any().fill_null(False)
    cause = pl.when(off).then(pl.lit("auto_enrol_off")).otherwise(pl.lit("no_enrolment"))
    return people.select("p", cause=cause, evidence=pl.lit(None, pl.String))


def _wanted(met: Met) -> pl.DataFrame:
    """`n`, `group_key` of each group that the rule gives; of those whom a clash rejects, the group of their value."""
    wanted = met.preview.members.select("n", "group_key").drop_nulls()
    clashing = met.rows.filter(pl.col("reason") == "rejected_duplicate").select("n", "value")
    values = clashing["value"].unique().to_list()
    places = [met.preview.grouping.place(value).key for value in values]
    led = pl.DataFrame({"value": values, "group_key": places}, schema={"value": pl.String, "group_key": pl.String})
    more = clashing.join(led, on="value", nulls_equal=True).select("n", "group_key").drop_nulls()
    return pl.concat([wanted, more])


def _named(met: Met, wanted: pl.DataFrame) -> pl.DataFrame:
    """Of each `n`: the names of the groups (`group`) and their `keys`."""
    names = {group.group_key: group.name for group in met.preview.groups}
    name = pl.col("group_key").replace_strict(list(names), list(names.values()), default=None, return_dtype=pl.String)
    named = wanted.with_columns(name=name.fill_null(pl.col("group_key")) if names else pl.col("group_key"))
    several = named["n"].is_duplicated()
    alone = named.filter(~several).select("n", group="name", keys=pl.concat_list("group_key"))
    some = named.filter(several).sort("n", "group_key").group_by("n")
    return pl.concat([alone, some.agg(group=pl.col("name").str.join("\n"), keys="group_key")])


def _offers(state: State) -> pl.DataFrame:
    """`group_id`, `enrolment_id`, `auto`, `readable` of each enrolment."""
    flags = pl.col("auto_enrol", "readable").cast(pl.Int64)
    known = state.enrolments if state.enrolments is not None else pl.DataFrame(schema=_ENROLMENTS)
    known = known.select(flags, enrolment_id="id").rename({"auto_enrol": "auto"})
    return state.enrolment_groups.join(known, on="enrolment_id").select("group_id", "enrolment_id", "auto", "readable")


_ENROLMENTS = {"id": pl.String, "auto_enrol": pl.Boolean, "readable": pl.Boolean}
