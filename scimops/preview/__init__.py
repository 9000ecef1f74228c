"""The preview: where every person of an export will land under a setting, and why, with findings."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from scimops import frames
from scimops.backend import open_backend
from scimops.capabilities import PUBLISHED, Capabilities
from scimops.errors import Finding, UsageError, nearest
from scimops.grouping import ARRIVING, OWN, REASONS, REJECTED, Grouping, assign_groups
from scimops.idp import Export
from scimops.mapping import MappedUsers, map_users
from scimops.preview.groups import UNKNOWN, ExistingGroups, Group, make_groups, read_existing_groups, tally
from scimops.preview.stage import Staged, may_repeat, stage
from scimops.setting import Setting

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "UNKNOWN",
    "Channel",
    "ExistingGroups",
    "Group",
    "Numbers",
    "Preview",
    "preview_export",
    "read_existing_groups",
]

Channel = Literal["idp", "apply"]
CHANNELS: dict[str, str] = {
    "idp": "the identity provider sends people one by one",
    "apply": "scimops sends the whole population",
}


@dataclass(frozen=True)
class Numbers:
    """The four numbers an admin sees first, in people and groups.

    `will_arrive`: people who will be created or kept active; `groups`: groups with members; `to_fix`: people who are
    rejected; `seats`: seats of the licence they take (active people only).
    """

    will_arrive: int
    groups: int
    to_fix: int
    seats: int


@dataclass(frozen=True)
class Preview:
    """The assignments of a whole export under a setting, with its findings.

    `assignments` has the schema `assignments`: one row for each row of the export. `people` are its readable rows with
    all that the pipeline had (schema `mapped_users`, keys, reason, group_key; `repeats`: a key of theirs may occur
    twice), `members` one row a membership (`n`, `group_key`, `value`), `counted` those counted by value. `seconds` is
    the wall time of the preview, without reading the export.
    """

    export: Export
    setting: Setting
    channel: Channel
    existing: ExistingGroups
    grouping: Grouping
    mapped: MappedUsers
    people: pl.DataFrame
    members: pl.DataFrame
    counted: pl.DataFrame
    groups: list[Group]
    backend: str
    findings: list[Finding]
    seconds: float
    capabilities: Capabilities = PUBLISHED

    @cached_property
    def reasons(self) -> dict[str, int]:
        """How many rows have each reason; the counts add up to the rows of the export."""
        counts = dict(self.people["reason"].value_counts().iter_rows())
        unreadable = counts.get("rejected_unreadable", 0) + len(self.export.rejected)
        counts |= {"rejected_unreadable": unreadable} if unreadable else {}
        return {reason: counts[reason] for reason in REASONS if reason in counts}

    @property
    def rows(self) -> int:
        """The data records of the export, readable or not."""
        return self.export.rows

    @property
    def in_scope(self) -> int:
        """Rows that the scope does not leave out."""
        return self.rows - self.reasons.get("out_of_scope", 0)

    @cached_property
    def numbers(self) -> Numbers:
        """Will arrive, groups, to fix, seats."""
        arriving = sum(count for reason, count in self.reasons.items() if reason in ARRIVING)
        if self.setting.group_settings.inactive == "keep_group":
            off = pl.col("reason").is_in(ARRIVING) & ~pl.col("active")
            arriving -= self.people.select(off.sum()).item()
        rejected = sum(count for reason, count in self.reasons.items() if reason in REJECTED)
        return Numbers(arriving, len(self.groups), rejected, arriving)

    @cached_property
    def placed(self) -> pl.DataFrame:
        """`people` with `group` and `group_keys`: names and keys of their groups, joined with a line feed."""
        names = {group.group_key: group.name for group in self.groups}
        if not self.setting.by_idp_groups:
            name = _named(pl.col("group_key"), names)
            return self.people.with_columns(group=name, group_keys=pl.col("group_key"))
        landed = self.members.group_by("n", maintain_order=True).agg(
            group=_named(pl.col("group_key"), names).str.join("\n"),
            group_keys=pl.col("group_key").sort().str.join("\n"),
        )
        return self.people.join(landed, on="n", how="left", maintain_order="left")

    @cached_property
    def led(self) -> pl.DataFrame:
        """Who was led to a group by a value of their own, counted by value, or by group where they may be in several.

        The first people (`first`) are the first of the file.
        """
        if not self.setting.by_idp_groups:
            return self.counted.filter(pl.col("value").is_not_null())
        own = self.people.lazy().filter(pl.col("group_key").is_not_null() & pl.col("reason").is_in(OWN))
        return tally(own.select("n", "group_key", value="group_key").collect())

    @cached_property
    def clashing(self) -> pl.DataFrame:
        """Who of `people` lost a clash over a userName or e-mail address, and who is kept with one of theirs."""
        lost = pl.col("reason") == "rejected_duplicate"
        keys = self.people.lazy().filter("repeats").filter(lost).select("user_key", "email_key").collect()
        theirs = pl.any_horizontal(pl.col(name).is_in(keys[name].implode()) for name in keys.columns)
        return self.people.filter("repeats").filter(theirs & (lost | pl.col("reason").is_in([*ARRIVING, "inactive"])))

    @cached_property
    def assignments(self) -> pl.DataFrame:
        """One row for each row of the export, in its order (schema `assignments`)."""
        frame = self._with_unreadable(self.placed.select(frames.ASSIGNMENTS.names))
        return frames.check(frame, frames.ASSIGNMENTS)

    def _with_unreadable(self, frame: pl.DataFrame) -> pl.DataFrame:
        lost = [
            {"row": row.row, "line": row.line, "file": part.source.name, "reason": "rejected_unreadable"}
            for part in self.export.parts
            for row in part.table.rejected
        ]
        if not lost:
            return frame
        order = {part.source.name: number for number, part in enumerate(self.export.parts)}
        more = pl.DataFrame(lost, schema={name: frame.schema[name] for name in ("row", "line", "file", "reason")})
        frame = pl.concat([frame, more], how="diagonal")
        return frame.sort(pl.col("file").replace_strict(order, return_dtype=pl.Int64), "row", maintain_order=True)

    def groups_frame(self) -> pl.DataFrame:
        """The groups as a frame (schema `groups`)."""
        rows = [group.to_dict() | {"spellings": len(group.spellings)} for group in self.groups]
        return frames.check(pl.DataFrame(rows, schema=frames.polars_types(frames.GROUPS)), frames.GROUPS)

    def to_pandas(self) -> pd.DataFrame:
        """The assignments in pandas, with string dtypes and pd.NA (schema `assignments`)."""
        return frames.to_pandas(self.assignments)

    def to_dict(self) -> dict[str, Any]:
        """What `scimops preview --json` prints (schema `preview.json`)."""
        described = self.export.describe()
        keys = ("files", "idp", "shape", "recognised_by", "complete", "missing", "taken_at", "taken_from", "columns")
        return {
            "format": 1,
            "source": {key: described[key] for key in keys},
            "setting": self.setting.model_dump(mode="json"),
            "channel": self.channel,
            "rows": self.rows,
            "in_scope": self.in_scope,
            "numbers": vars(self.numbers),
            "reasons": self.reasons,
            "groups": [group.to_dict() for group in self.groups],
            "existing_groups": {"known": self.existing.known, "source": self.existing.source},
            "findings": [finding.to_dict() for finding in self.findings],
            "backend": self.backend,
            "seconds": round(self.seconds, 3),
        }


def _named(key: pl.Expr, names: Mapping[str, str]) -> pl.Expr:
    return key.replace_strict(list(names), list(names.values()), default=None, return_dtype=pl.String) if names else (
        pl.lit(None, pl.String)
    )  # fmt: skip


def preview_export(
    export: Export,
    setting: Setting,
    *,
    existing: ExistingGroups = UNKNOWN,
    channel: str = "idp",
    backend: str = "polars",
    folder: Path | str = ".",
    capabilities: Capabilities = PUBLISHED,
) -> Preview:
    """Where everybody in `export` lands under `setting`, and what should be known before it is switched on.

    Args:
        export: from :func:`scimops.idp.read_export`.
        setting: from :func:`scimops.setting.load_setting` or :func:`scimops.setting.quick_setting`.
        existing: the groups the platform has, from :func:`read_existing_groups`.
        channel: `idp` (people are sent one by one) or `apply` (scimops sends all).
        backend: `polars`, or a Spark master such as `local[2]`.
        folder: where files that the setting names are looked for.
        capabilities: what the service provider does by itself; not given: what the platform's published API says.

    Raises:
        SettingError: the setting names a column or file that is not there.
        UsageError: an unknown channel or backend.
    """
    if channel not in CHANNELS:
        raise UsageError(f'"{channel}" is no channel.', advice=nearest(channel, CHANNELS) or "Allowed: idp, apply.")
    from scimops.preview.checks import find

    started = time.perf_counter()
    computer = open_backend(backend)
    grouping = Grouping(setting, existing.names)
    mapped = map_users(export, setting)
    staged = stage(mapped, setting, grouping, any(part.table.controls for part in export.parts), Path(folder))

    repeats = {name: may_repeat(staged.people[name]) for name in ("user_key", "email_key")}
    keys = [pl.when(mask).then(name).alias(name) for name, mask in repeats.items()]
    needed = staged.people.select("n", "early", *keys, "active", "value")  # only keys that repeat can clash
    placed = computer.run(
        lambda people, values: assign_groups(people, values, grouping),
        people=needed, values=staged.values.select("value", "group_key", "reason"),
    )  # fmt: skip
    placed = placed if placed["n"].is_sorted() else placed.sort("n")
    twice = repeats["user_key"] | repeats["email_key"]
    people = staged.people.hstack(placed.select("reason", "group_key")).with_columns(repeats=twice)
    members = _members(people, staged)
    counted = tally(members)
    groups = make_groups(counted, _fixed_names(grouping, staged), existing)
    preview = Preview(
        export, setting, "idp" if channel == "idp" else "apply", existing, grouping, mapped, people, members, counted,
        groups, computer.name, [], 0.0, capabilities,
    )  # fmt: skip
    findings = find(preview)
    return replace(preview, findings=findings, seconds=time.perf_counter() - started)


def _members(people: pl.DataFrame, staged: Staged) -> pl.DataFrame:
    """One row a membership: `n`, `group_key`, `value`; the value is null where a fallback led there."""
    own = pl.col("reason").is_in(OWN)
    landed = people.select("n", "reason", "group_key", "value").filter(pl.col("group_key").is_not_null())
    single = landed.select("n", "group_key", value=pl.when(own).then(pl.col("value")))
    if staged.memberships.is_empty():
        return single
    ours = landed.filter(own).select("n")
    long = staged.memberships.join(ours, on="n", how="semi", maintain_order="left")
    long = long.join(staged.values, on="value", how="inner", maintain_order="left")
    long = long.select("n", "group_key", "value").unique(["n", "group_key"], keep="first", maintain_order=True)
    return pl.concat([long, single.filter(pl.col("value").is_null())])


def _fixed_names(grouping: Grouping, staged: Staged) -> dict[str, str]:
    """Names that no order decides: of existing groups, the target group, aliases."""
    named = staged.values.filter(pl.col("name").is_not_null())
    blank = grouping.place(None)
    names = dict(named.select("group_key", "name").iter_rows())
    return names | ({blank.key: blank.name} if blank.key and blank.name else {})
