"""Drift: what differs there from the preview that was last applied, since when, and by whom.

The applied plan names its setting and export; both give the preview anew, and a plan of it against a fresh snapshot is
the drift. Each difference is looked for in the logs; where no line tells of it, nobody is named.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from scimops import frames
from scimops.audit.frames import DRIFTED
from scimops.audit.kept import few_in_common
from scimops.audit.told import Logs, evidence, group_lines, lines_of, moment
from scimops.backend import Backend, open_backend
from scimops.errors import UsageError
from scimops.idp import read_export
from scimops.plan import Plan, StalePlanError, make_plan
from scimops.plan.sources import preview_there
from scimops.preview import Preview
from scimops.preview.stage import keyed_people
from scimops.touched import file_digest

if TYPE_CHECKING:
    import narwhals as nw

    from scimops.client.snapshot import Snapshot

KINDS: dict[str, str] = {
    "gone": "is not there any more",
    "switched_off": "is not active any more",
    "switched_on": "is active, and was not to be",
    "came": "is there, and was in no row that could be read of what was applied",
    "value": "has another value",
    "out_of_group": "is not in the group any more",
    "into_group": "is in a group in which they were not to be",
}
"""Ways in which what is there differs from what was applied, the most pressing first."""

TOLD_BY: dict[str, str] = {
    "value": "a line that names the value or the group",
    "operation": "the last such line on this person",
    "group": "the deletion of the whole group",
}

_BY = {
    "gone": ("delete",), "switched_off": ("deactivate",), "switched_on": ("reactivate", "create"),
    "came": ("create", "reactivate"), "value": ("update", "rename", "create", "other"),
    "out_of_group": ("remove_member", "update", "rename", "other"),
    "into_group": ("add_member", "update", "rename", "create", "other"),
}  # fmt: skip
"""Which operations may have made a difference of each kind."""

_UNDONE_BY = {
    "gone": ("create",), "switched_off": ("reactivate", "create"), "switched_on": ("deactivate", "delete"),
    "came": ("deactivate", "delete"), "out_of_group": ("add_member",), "into_group": ("remove_member",),
}  # fmt: skip
"""Which later operations undid what a line did: then that line is no evidence of what is there now."""

_CALLED = {
    "userName": 'userName"', "externalId": 'externalId"', "email": "(?:work)?e?-?mail", "department": 'department"',
    "firstName": '(?:name[.])?(?:givenName|firstName)"', "lastName": '(?:name[.])?(?:familyName|lastName|surname)"',
    "phone": "(?:phone|mobile|telephone)",
}  # fmt: skip
"""How the logs name the built-in fields, after a schema's URN: a pattern. A custom field may have any name there."""

_OF_PEOPLE = ("create", "update", "rename", "reactivate", "deactivate", "delete")
_WHO = ("id", "externalId", "userName", "email")
_NAMED = ("value", "out_of_group", "into_group")


@dataclass(frozen=True)
class Drift:
    """What came since `since` (schema `drifted`), and the `plan` that would make it as it was applied."""

    differences: pl.DataFrame
    since: str
    plan: Plan

    @property
    def counts(self) -> dict[str, int]:
        """How many differences of each kind, the most pressing kind first."""
        counted = dict(self.differences["kind"].value_counts().iter_rows())
        return {kind: counted[kind] for kind in KINDS if kind in counted}


def preview_applied(
    applied: Plan, exports: Iterable[Path], snapshot: Snapshot, folder: Path = Path(), *, backend: str = "polars"
) -> Preview:
    """The preview that the plan was made of, anew, with the group names there are now; however old the export is.

    The files of the plan are found among `exports` by their hashes.

    Raises:
        StalePlanError: one of the files that the plan was made of is not among them.
        SettingError: a file that the setting names is not there any more.
    """
    wanted = {part["sha256"]: part["name"] for part in applied.source.files}
    found: dict[str, Path] = {}
    for path in exports:
        if found.keys() != wanted.keys() and (digest := file_digest(path)) in wanted:
            found.setdefault(digest, path)
    if missing := [name for digest, name in wanted.items() if digest not in found]:
        raise StalePlanError(
            "The export that the plan was made of is not here.", where=", ".join(missing),
            advice="Name it with --exports (in the notebook: exports), unchanged.",
        )  # fmt: skip
    export = read_export(*map(found.__getitem__, wanted))
    preview = preview_there(export, applied.setting, snapshot, folder, "apply", backend=backend)
    return replace(preview, findings=[each for each in preview.findings if each.code != "old_file"])


def drift(applied: Plan, preview: Preview, snapshot: Snapshot, logs: Logs) -> Drift:
    """What differs there from what was applied; the logs are looked through on the backend of the preview.

    Args:
        applied: the plan of the last apply, from :func:`scimops.plan.load_plan`.
        preview: that plan's, from :func:`preview_applied`.
        snapshot: what is there now.
        logs: what the logs say.

    Raises:
        UsageError: the plan is of another service provider, whose people are others.
        IncompleteSourceError: the export is a part, or mostly foreign.
    """
    start = moment(dt.datetime.fromisoformat(applied.source.read_at))
    plan = make_plan(preview, snapshot)
    there = preview.people.height - plan.operations.filter(kind="create").height
    if applied.source.where != snapshot.where and few_in_common(there, preview.people.height, snapshot.users.height):
        raise UsageError(
            f"The plan is of {applied.source.where}, and {snapshot.where} has few of its people.",
            advice="Read what the plan was applied to.",
        )
    found = pl.concat([_of_people(plan), _of_groups(plan, snapshot)], how="diagonal").with_row_index("d")
    found = found.with_columns(pl.col("d").cast(pl.Int64))
    told = _told(found, logs, start, open_backend(preview.backend))
    found = found.join(told, on="d", how="left", maintain_order="left")
    held = applied.held["id"].drop_nulls().implode()
    found = found.with_columns(user_id="id", withheld_then=pl.col("id").is_in(held).fill_null(False))
    rank = pl.col("kind").replace_strict({kind: number for number, kind in enumerate(KINDS)}, return_dtype=pl.Int64)
    found = found.sort(rank, "userName", "email", "what", nulls_last=True).select(DRIFTED.names)
    return Drift(frames.check(found, DRIFTED), start, plan)


def _of_people(plan: Plan) -> pl.DataFrame:
    """The differences of people: one row for each field that is another one."""
    left = pl.col("why") == "left"
    kind = (
        pl.when(pl.col("kind") == "create").then(pl.lit("gone"))
        .when(pl.col("kind") == "reactivate").then(pl.lit("switched_off"))
        .when(left & pl.col("kind").is_in(["deactivate", "delete"])).then(pl.lit("came"))
        .when(pl.col("kind") == "deactivate").then(pl.lit("switched_on"))
    )  # fmt: skip
    people = plan.operations.filter(pl.col("kind").is_in(_OF_PEOPLE))
    whole = people.select(*_WHO, kind=kind).drop_nulls("kind")
    changed = people.filter(pl.col("kind") != "create").select("number", "changed").explode("changed")
    changed = changed.filter(pl.col("changed") != "active").rename({"changed": "what"})
    names = changed["what"].unique(maintain_order=True).to_list()
    if not names:
        return whole.with_columns(pl.lit(None, pl.String).alias(name) for name in ("what", "applied", "there"))
    values = people.select("number", *_WHO, *(
        pl.col(side).str.json_decode(pl.Struct(dict.fromkeys(names, pl.String))).alias(side)
        for side in ("before", "after")
    ))  # fmt: skip
    parts = [
        values.join(changed.filter(what=name), on="number").select(
            *_WHO, "what", kind=pl.lit("value"), applied=pl.col("after").struct.field(name),
            there=pl.col("before").struct.field(name),
        )
        for name in names
    ]  # fmt: skip
    return pl.concat([whole, *parts], how="diagonal")


def _of_groups(plan: Plan, snapshot: Snapshot) -> pl.DataFrame:
    """The differences of memberships, of people who are there and as active as they should be."""
    otherwise = plan.operations.filter(pl.col("kind").is_in(["reactivate", "deactivate", "delete"]))["id"]
    moves = plan.moves.drop_nulls("id").filter(~pl.col("id").is_in(otherwise.drop_nulls().implode()))
    moves = moves.join(snapshot.users.select(_WHO), on="id", how="left", maintain_order="left")
    kind = pl.when("joins").then(pl.lit("out_of_group")).otherwise(pl.lit("into_group"))
    group = [pl.when(side).then("group").alias(name)
             for side, name in ((pl.col("joins"), "applied"), (~pl.col("joins"), "there"))]  # fmt: skip
    return moves.select(*_WHO, *group, kind=kind, what="group")


# -- When, and by whom ----------------------------------------------------------------------------


def _told(found: pl.DataFrame, logs: Logs, since: str, computer: Backend) -> pl.DataFrame:
    """Of each difference (`d`) that a line tells of: `at`, `actor`, `operation`, `told_by`, `evidence`."""
    lines = _lines(found, logs, since, computer)
    both = found.select("d", "kind", "what", "there", p="d").join(lines, on="p")
    undoing = both.join(_pairs(_UNDONE_BY), on=["kind", "operation"], how="semi")
    both = both.join(_pairs(_BY), on=["kind", "operation"], how="semi")
    named = pl.col("kind").is_in(_NAMED)
    group = pl.col("kind").is_in(["out_of_group", "into_group"])
    value = pl.when(group).then("what").otherwise("there")
    text = pl.struct(v=value).struct.json_encode().str.slice(5).str.head(-1)  # as a log writes it: {"v":TEXT}
    side = pl.when(pl.col("kind") == "out_of_group").then(pl.lit('"old": ')).otherwise(pl.lit('"new": '))
    names_it = pl.col("changes").str.contains(pl.concat_str(side, text), literal=True) & (group | _names_field())
    names_it |= (group & (pl.col("name") == pl.col("what"))).fill_null(False)
    # a line that lists its changes, and not this one, is no evidence of it; one that lists none may be
    silent = ~group & (pl.col("changes") == "[]")
    both = both.with_columns(
        told_by=pl.when(named & names_it & (group | pl.col("there").is_not_null()))
        .then(pl.lit("value"))
        .when(~named | silent)
        .then(pl.lit("operation"))
    )
    both = both.drop_nulls("told_by").sort(pl.col("told_by") == "value", "at", "row")
    last = both.group_by("d", maintain_order=True).last()
    undoing = undoing.filter(~group | (pl.col("name") == pl.col("what")))
    undone = undoing.select("d", later="at").join(last.select("d", "at"), on="d").filter(pl.col("later") > pl.col("at"))
    last = last.join(undone, on="d", how="anti")
    last = last.select("d", "at", "actor", "operation", "told_by", evidence=evidence())
    out = found.filter(pl.col("kind") == "out_of_group").join(last, on="d", how="anti")
    deleted = group_lines(logs, computer).filter(pl.col("at") >= since)
    deleted = deleted.group_by("name", maintain_order=True).last()
    whole = out.select("d", name="what").join(deleted, on="name")
    whole = whole.select("d", "at", "actor", "operation", told_by=pl.lit("group"), evidence=evidence())
    return pl.concat([last, whole])


def _pairs(operations: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Each kind with each of its operations."""
    rows = [(kind, operation) for kind, names in operations.items() for operation in names]
    return pl.DataFrame(rows, schema={"kind": pl.String, "operation": pl.String}, orient="row")


def _names_field() -> pl.Expr:
    """Does a line change an attribute that is the field `what`, whatever its value?"""
    changes, what = pl.col("changes"), pl.col("what")
    named = [(what == field) & changes.str.contains(f'(?i)"attribute": "(?:[^"]*:)?{name}')
             for field, name in _CALLED.items()]  # fmt: skip
    return pl.any_horizontal(~what.is_in(list(_CALLED)), *named)


def _lines(found: pl.DataFrame, logs: Logs, since: str, computer: Backend) -> pl.DataFrame:
    """The lines since then on whom the differences are about (`p`: the difference), that succeeded."""
    people = keyed_people(found)
    people = people.select("externalId", "user_key", "email_key", p="d", user_id="id")
    if logs.path is not None:  # who is gone had an id there, which a deletion is told by
        gone = people.filter(pl.col("user_id").is_null())
        ids = computer.run(_ids, people=gone, events=logs.path) if gone.height else gone.select("p", "user_id")
        ids = ids.unique("p", keep="first")
        people = people.join(ids, on="p", how="left", suffix="_told")
        people = people.with_columns(user_id=pl.coalesce("user_id", "user_id_told")).drop("user_id_told")
    lines = lines_of(people, logs, computer)
    return lines.filter((pl.col("at") >= since) & (pl.col("outcome") == "success"))


def _ids(people: nw.LazyFrame[Any], events: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """`p`, `user_id` as the logs have it."""
    import narwhals as nw

    events = events.filter(~nw.col("resource_id").is_null() & (nw.col("resource_type") == "User"))
    parts = []
    for key in ("externalId", "user_key", "email_key"):
        meant = people.filter(~nw.col(key).is_null()).select("p", key)
        parts.append(events.join(meant, on=key, how="inner").select("p", nw.col("resource_id").alias("user_id")))
    return nw.concat(parts, how="vertical").unique()
