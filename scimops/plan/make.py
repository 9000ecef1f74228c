"""From a preview and a snapshot to operations: what would make the preview true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from scimops.errors import IncompleteSourceError, UsageError
from scimops.findings import Finding
from scimops.grouping import ARRIVING
from scimops.plan import grace, places, safeguards
from scimops.plan.catalogue import plan_finding
from scimops.plan.differences import differing, differing_pairs, fields_of, wanted_active, whole
from scimops.plan.document import OPERATIONS, Plan, Source
from scimops.plan.history import REMOVED, History, still_removed
from scimops.plan.masters import two_masters
from scimops.plan.matching import Matched, known_in, left_over, match
from scimops.plan.memberships import with_endings, with_memberships
from scimops.plan.outcome import groups_after, seats_after
from scimops.plan.renames import in_order
from scimops.plan.seats import SEATS, STARTING, licence, within_seats
from scimops.preview import Preview
from scimops.preview.stage import keyed_people
from scimops.setting import Setting

if TYPE_CHECKING:
    from scimops.client.snapshot import Snapshot

_KEYS = ("externalId", "user_key", "email_key")
_REFUSING = ("incomplete_source", "foreign_file", "old_file")
"""Findings of a preview with which there is no plan: the source may not be the whole truth of today."""


def make_plan(
    preview: Preview, snapshot: Snapshot, *, delete: bool = False, history: History | None = None
) -> Plan:  # fmt: skip
    """The operations that make `preview` true where `snapshot` was read, judged by the setting's safeguards.

    Args:
        preview: on the channel `apply`, of the whole population.
        snapshot: what the service provider holds.
        delete: delete who is gone from the export, where they are not active any more; else they are only deactivated.
        history: what earlier applies took away, which counts towards the limits, and since when people are missing.

    Raises:
        UsageError: the preview is not on the channel `apply`.
        IncompleteSourceError: the export is a part, mostly foreign, too old or empty: no plan, and nobody "left".
    """
    if preview.channel != "apply":
        raise UsageError("A plan needs a preview on the channel apply.", advice="Say --channel apply.")
    must_be_whole(preview, "No plan is made")
    there = keyed_people(snapshot.users)
    ours, foreign = people_of_setting(there, snapshot)
    rows = preview.people
    sent = rows["reason"].is_in([*ARRIVING, "inactive"])
    found = match(_slim(rows, "n").filter(sent), _slim(ours, "id"))
    fields = fields_of(preview, snapshot.users)
    operations = (
        pl.concat(
            [
                _updates(rows, ours, found, fields),
                _creates(rows, found, fields),
                _departures(rows, ours, found, delete=delete),
            ],
            how="diagonal",
        )
        .drop("group_key")
        .match_to_schema(OPERATIONS, missing_columns="insert", extra_columns="ignore")
    )
    operations = grace.with_due(operations, preview, snapshot, history)
    return _judged(preview, snapshot, operations, found, foreign, ours, history)


def must_be_whole(preview: Preview, refused: str) -> None:
    """Nothing where the export is the whole truth of today; `refused` says what else is not made.

    Raises:
        IncompleteSourceError: it is a part, mostly foreign, too old or empty.
    """
    for each in preview.findings:
        if each.code in _REFUSING:
            raise IncompleteSourceError(f"{refused}: {each.message}", advice=each.advice)
    if not preview.rows:
        raise IncompleteSourceError(f"{refused}: the export holds nobody.", advice="Export again.")


def people_of_setting(there: pl.DataFrame, snapshot: Snapshot) -> tuple[pl.DataFrame, pl.DataFrame]:
    """People whom the setting may touch, and the others. Over SCIM the token shows only its own."""
    if snapshot.source == "scim":
        return there, there.clear()
    return there.filter(pl.col("setting").is_not_null()), there.filter(pl.col("setting").is_null())


def _slim(people: pl.DataFrame, name: str) -> pl.DataFrame:
    return people.select(name, *_KEYS)


def _updates(rows: pl.DataFrame, ours: pl.DataFrame, found: Matched, fields: list[str]) -> pl.DataFrame:
    """Who is there and differs: `update`, `rename` (the userName too), `deactivate` or `reactivate`."""
    here, there = rows.with_columns(active=wanted_active()), ours.with_columns(pl.col("active").fill_null(True))
    compared = [*fields, "active"]
    differ = differing_pairs(here, there, (found.pairs["n"], found.at), compared)  # n: the row of `rows`
    pairs, there = found.pairs.filter(differ), there[found.at.filter(differ)]
    both = here[pairs["n"]].join(pairs, on="n").join(there, on="id", suffix="_there")
    changed = differing(both, compared)
    kind = (
        pl.when(~pl.col("active") & pl.col("active_there")).then(pl.lit("deactivate"))
        .when(pl.col("active") & ~pl.col("active_there")).then(pl.lit("reactivate"))
        .when(pl.col("changed").list.contains("userName")).then(pl.lit("rename"))
        .otherwise(pl.lit("update"))
    )  # fmt: skip
    why = pl.when(~pl.col("active") & pl.col("active_there")).then(pl.lit("inactive")).otherwise("reason")
    return changed.with_columns(kind=kind, why=why)


def _creates(rows: pl.DataFrame, found: Matched, fields: list[str]) -> pl.DataFrame:
    """Who is not there: created where they would arrive; an inactive person nobody knows is not (design rule 9)."""
    new = left_over(left_over(rows, "n", found.pairs["n"]), "n", found.clashes["n"])
    new = new.filter(pl.col("reason").is_in(ARRIVING)).with_columns(active=wanted_active())
    return new.with_columns(kind=pl.lit("create"), why=pl.col("reason"), after=whole([*fields, "active"]))


def _departures(rows: pl.DataFrame, ours: pl.DataFrame, found: Matched, *, delete: bool) -> pl.DataFrame:
    """Who is in no row of the export: deactivated while active; deleted only if that is asked for.

    Rejected and out-of-scope rows remove nobody: whoever shares a key with any row is not gone.
    """
    gone = left_over(ours.with_columns(at=pl.int_range(pl.len())), "at", found.at).drop("at")
    gone = gone.filter(~pl.col("id").is_in(known_in(_slim(rows, "n"), _slim(gone, "id")).implode()))
    on = pl.col("active").fill_null(True)
    gone = gone.filter(pl.lit(delete) | on)
    names = pl.List(pl.String)
    return gone.with_columns(
        kind=pl.when(on).then(pl.lit("deactivate")).otherwise(pl.lit("delete")), why=pl.lit("left"),
        before=pl.when(on).then(pl.lit('{"active":true}')).otherwise(pl.lit('{"active":false}')),
        after=pl.when(on).then(pl.lit('{"active":false}')),
        changed=pl.when(on).then(pl.lit(["active"], names)).otherwise(pl.lit([], names)),
    )  # fmt: skip


def _judged(
    preview: Preview, snapshot: Snapshot, operations: pl.DataFrame, found: Matched, foreign: pl.DataFrame,
    ours: pl.DataFrame, history: History | None,
) -> Plan:  # fmt: skip
    """The plan of these operations."""
    before = places.held(snapshot, frozenset(group.group_key for group in preview.groups))
    pairs = _with_new(found.pairs.select("n", "id"), operations)
    moves = _without_departed(places.moves(before, places.wanted(preview), pairs), operations)
    unreadable = preview.reasons.get("rejected_unreadable", 0) > 0
    ordered, verdicts = judged(
        preview.setting, snapshot, operations, moves, before, ours, endings=before, unreadable=unreadable,
        removed=history.removed if history else None,
    )  # fmt: skip
    seats = seats_after(snapshot.users, ordered, licence(preview.setting, snapshot))
    findings = [*_findings(ordered, found, foreign, snapshot, preview), *_of_outcome(seats, moves, ordered, snapshot)]
    findings += [*_of_history(history, ordered), *two_masters(ordered, (history or History()).sent, snapshot)]
    groups = groups_after(before, moves, ordered, snapshot.capabilities.placement)
    looked = None if history is None else {"since": history.since, "applies": history.applies}
    source = Source.of(preview, snapshot)
    return Plan(preview.setting, source, ordered, moves, verdicts, findings, seats, groups, looked)


def judged(
    setting: Setting, snapshot: Snapshot, operations: pl.DataFrame, moves: pl.DataFrame, before: pl.DataFrame,
    ours: pl.DataFrame, *, endings: pl.DataFrame, unreadable: bool = False, removed: pl.DataFrame | None = None,
) -> tuple[pl.DataFrame, list[safeguards.Verdict]]:  # fmt: skip
    """Operations with their effects on groups, or with those on groups too, withheld or not, in order; the verdicts.

    Args:
        setting: its safeguards judge.
        snapshot: what is there.
        operations: on people.
        moves: who leaves and joins which group.
        before: the memberships there, as :func:`scimops.plan.places.held` gives them.
        ours: the people there whom the setting may touch, with `user_key`.
        endings: the memberships that end with a person who ends, where the service provider does not place people.
        unreadable: rows of the export could not be read.
        removed: what earlier applies took away, as :class:`scimops.plan.history.History` has it.
    """
    limits, back = setting.safeguards, operations.filter(pl.col("kind") == "reactivate")["id"]
    removed = pl.DataFrame(schema=REMOVED) if removed is None else removed
    past = still_removed(removed, ours, before, back)
    groups = _groups(before, moves, past)
    effects = _effects(operations, moves, groups)
    ours_to_place = snapshot.capabilities.placement == "client"
    if ours_to_place:
        effects = with_memberships(effects, moves, groups, snapshot, ours)
    verdicts = safeguards.judge(limits, safeguards.counts(effects, ours, past), groups)
    effects = effects.with_columns(withheld=safeguards.withheld(effects, verdicts, limits, unreadable))
    effects, of_seats = within_seats(effects, snapshot.users, licence(setting, snapshot), limits)
    verdicts += of_seats
    effects = effects.with_columns(withheld=safeguards.stopped(verdicts, limits))
    if ours_to_place:
        effects = with_endings(effects, endings)
    return in_order(effects, ours).select(list(OPERATIONS)), verdicts


def _with_new(pairs: pl.DataFrame, operations: pl.DataFrame) -> pl.DataFrame:
    new = operations.filter(pl.col("kind") == "create").select("n", "id")
    return pl.concat([pairs, new])


def _without_departed(moves: pl.DataFrame, operations: pl.DataFrame) -> pl.DataFrame:
    """Who ends leaves every group by that: it is no move."""
    ends = operations.filter(pl.col("kind").is_in(["deactivate", "delete"])).select("id").drop_nulls()
    return moves.join(ends, on="id", how="anti")


def _groups(before: pl.DataFrame, moves: pl.DataFrame, past: pl.DataFrame) -> pl.DataFrame:
    """Of each group that people leave: `group_key`, `group`, `members`, `leave`, `past`, and whether it is `emptied`.

    `past`: how many left it by earlier applies.
    """
    sizes = before.group_by("group_key").agg(group=pl.col("group").first(), members=pl.len())
    flow = moves.group_by("group_key").agg(leave=(~pl.col("joins")).sum(), join=pl.col("joins").sum())
    earlier = past.filter(pl.col("kind") == "leave").group_by("group_key").agg(past=pl.col("id").n_unique())
    left = sizes.join(flow, on="group_key").filter(pl.col("leave") > 0).sort("group")
    left = left.join(earlier, on="group_key", how="left", maintain_order="left")
    left = left.with_columns(pl.col("past").fill_null(0))
    return left.with_columns(emptied=(pl.col("leave") == pl.col("members")) & (pl.col("join") == 0)).drop("join")


def _effects(operations: pl.DataFrame, moves: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """The operations with the groups they lead out of (`leaves`) and into (`joins`), and whether one is emptied."""
    emptied = groups.filter("emptied")["group_key"]
    out = moves.filter(~pl.col("joins")).drop_nulls("id").group_by("id").agg(
        leaves=pl.col("group"), empties=pl.col("group_key").is_in(emptied.implode()).any()
    )  # fmt: skip
    known, new = pl.col("id").is_not_null(), pl.col("id").is_null() & pl.col("n").is_not_null()
    into = moves.filter(pl.col("joins") & known).group_by("id").agg(joins=pl.col("group"))
    into_new = moves.filter(pl.col("joins") & new).group_by("n").agg(joins_new=pl.col("group"))
    empty = pl.lit([], pl.List(pl.String))
    both = operations.drop("leaves", "joins", "empties").join(out, on="id", how="left").join(into, on="id", how="left")
    both = both.join(into_new, on="n", how="left").with_columns(joins=pl.coalesce("joins", "joins_new"))
    return both.with_columns(
        pl.col("leaves").fill_null(empty), pl.col("joins").fill_null(empty), pl.col("empties").fill_null(False)
    ).with_columns(moves=(pl.col("leaves").list.len() > 0) & (pl.col("joins").list.len() > 0))


def _findings(
    operations: pl.DataFrame, found: Matched, foreign: pl.DataFrame, snapshot: Snapshot, preview: Preview
) -> list[Finding]:
    findings = []
    if clashes := found.clashes["n"].n_unique():
        lines = preview.people.filter(pl.col("n").is_in(found.clashes["n"].implode()))["row"]
        findings.append(plan_finding("identity_clash", count=clashes, row_numbers=lines.head(100).to_list()))
    if swaps := operations.filter(pl.col("withheld") == "rename_swap").height:
        findings.append(plan_finding("rename_swap", count=swaps))
    if foreign.height:
        findings.append(plan_finding("not_ours", count=foreign.height))
    for sentence in snapshot.cannot_tell:
        findings.append(plan_finding("cannot_tell", what=sentence))
    return findings


def _of_outcome(
    seats: dict[str, int | None], moves: pl.DataFrame, operations: pl.DataFrame, snapshot: Snapshot
) -> list[Finding]:
    """More seats than the licence has; people whom placement has in another group, though nothing of theirs differs."""
    findings, limit = [], seats["limit"]
    beyond = operations.filter((pl.col("withheld") == SEATS) & pl.col("kind").is_in(STARTING)).height
    needed = (seats["after"] or 0) + beyond
    if limit is not None and needed > limit:
        findings.append(plan_finding("seats_short", needed=needed, seats=limit, count=beyond))
    touched = operations["id"].drop_nulls().implode()
    elsewhere = moves.drop_nulls("id").filter(~pl.col("id").is_in(touched))["id"].n_unique()
    if elsewhere and snapshot.capabilities.placement != "client":
        findings.append(plan_finding("other_group", count=elsewhere))
    return findings


def _of_history(history: History | None, operations: pl.DataFrame) -> list[Finding]:
    """Where it is not known what earlier applies took away, and this plan takes something away."""
    takes = (pl.col("leaves").list.len() > 0) | pl.col("kind").is_in(["deactivate", "delete"])
    if history is None or not history.since or history.known or operations.filter(takes).is_empty():
        return []
    if history.unclear:
        names = ", ".join(history.unclear[:5]) + (" …" if len(history.unclear) > 5 else "")
        return [plan_finding("history_unclear", count=len(history.unclear), names=names)]
    return [plan_finding("history_missing")]
