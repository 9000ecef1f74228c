"""What there is to say of a plan in the panel: numbers, who flows where, a person's operation."""

from __future__ import annotations

from collections import Counter
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from scimops.plan.memberships import ENDING, OF_GROUPS
from scimops.plan.places import held
from scimops.present.plan_words import four_numbers

if TYPE_CHECKING:
    from scimops.client.snapshot import Snapshot
    from scimops.plan import Plan
    from scimops.preview import Preview

KINDS: Final = {
    "create": "is created", "update": "is changed", "rename": "is renamed", "reactivate": "becomes active again",
    "deactivate": "is deactivated", "delete": "is deleted", "create_group": "a group is made",
    "join": "joins a group", "leave": "leaves a group", "delete_group": "a group is deleted",
}  # fmt: skip
"""Each kind of operation as what happens to a person or group."""

NEW, NO_GROUP, RESTING, ENDED = "not there yet", "no group", "not active", "not active any more"
HAD = "the groups they had"
"""Where people go who become active again, and whom the service provider puts back itself."""


def counted(plan: Plan) -> dict[str, int]:
    """The four numbers of a plan under the names that a run's counts have."""
    names = ("create", "change", "end", "withheld")
    return dict(zip(names, (count for count, _, _ in four_numbers(plan)), strict=True))


class Flow(NamedTuple):
    """So many people who go from one place to another; `kind` is new, moves or ends."""

    source: str
    target: str
    kind: str
    withheld: bool
    people: int


def flows(plan: Plan, snapshot: Snapshot) -> list[Flow]:
    """From where to where people go, the largest first. Who is in several groups counts once for each that changes."""
    counted: Counter[tuple[str, str, str, bool]] = Counter()
    places: dict[Any, tuple[list[str], list[str]]] = {}
    for n, person, group, joins in _moves(plan).select("n", "id", "group", "joins").iter_rows():
        places.setdefault(person or n, ([], []))[joins].append(group)
    groups = dict(_there(plan, snapshot).group_by("id").agg("group").iter_rows())
    of_people = plan.operations.filter(pl.col("group_key").is_null() | pl.col("kind").is_in(["join", "leave"]))
    seen: dict[Any, tuple[str, bool]] = {}
    for one in of_people.select("n", "id", "kind", "withheld").iter_rows(named=True):
        key = one["id"] or one["n"]
        kind, withheld = seen.get(key, (one["kind"], False))
        seen[key] = kind, withheld or one["withheld"] is not None
    for key, (kind, withheld) in seen.items():
        leaves, joins = places.get(key, ([], []))
        if kind in ENDING:
            counted.update((group, ENDED, "ends", withheld) for group in groups.get(key) or [NO_GROUP])
        elif kind == "create":
            counted.update((NEW, group, "new", withheld) for group in joins or [NO_GROUP])
        else:
            start = RESTING if kind == "reactivate" else NO_GROUP
            if kind == "reactivate" and not joins:
                joins = [HAD]
            pairs = zip_longest(leaves, joins)
            counted.update((a or start, b or NO_GROUP, "moves", withheld) for a, b in pairs)
    return [Flow(*flow, people) for flow, people in counted.most_common()]


def returning(plan: Plan) -> int:
    """How many become active again whose way back into groups the plan does not say."""
    back = plan.operations.filter(pl.col("kind") == "reactivate")
    return back.join(plan.moves.filter("joins"), on="id", how="anti").height


def _there(plan: Plan, snapshot: Snapshot) -> pl.DataFrame:
    keys = pl.concat([plan.moves["group_key"], plan.operations["group_key"]]).drop_nulls()
    return held(snapshot, frozenset(keys))


def _moves(plan: Plan) -> pl.DataFrame:
    """Moves of the people whom an operation touches: what is only expected of placement itself is left out."""
    known = plan.operations.filter(~pl.col("kind").is_in([*OF_GROUPS, *ENDING]))
    return plan.moves.filter(
        pl.col("id").is_in(known["id"].drop_nulls().implode())
        | (pl.col("id").is_null() & pl.col("n").is_in(known["n"].drop_nulls().implode()))
    )


def found(plan: Plan, words: str, kind: str = "") -> pl.DataFrame:
    """The operations in which `words` stand (userName, e-mail, externalId or group), of one `kind`; empty is all."""
    frame = plan.operations
    if kind == "withheld":
        frame = plan.held
    elif kind:
        frame = frame.filter(pl.col("kind") == kind)
    return frame.filter(_says(("userName", "email", "externalId", "group"), words)) if words.strip() else frame


def unchanged(plan: Plan, preview: Preview, words: str) -> pl.DataFrame:
    """People of the export whom `words` find and with whom nothing is done: `row`, `userName`, `email`, `reason`."""
    rows = preview.people.join(plan.operations.select("n").drop_nulls(), on="n", how="anti")
    return rows.filter(_says(("userName", "email", "externalId"), words)).select("row", "userName", "email", "reason")


def _says(columns: tuple[str, ...], words: str) -> pl.Expr:
    wanted = words.strip().lower()
    return pl.any_horizontal(
        pl.col(name).str.to_lowercase().str.contains(wanted, literal=True).fill_null(False) for name in columns
    )
