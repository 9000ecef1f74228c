"""Over time: changes a day, sizes of groups, what changed of settings and tokens, one export against a later one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from scimops.audit.told import SHOWN, Logs, evidence, moment
from scimops.backend import open_backend
from scimops.preview.compare import Comparison, compare

if TYPE_CHECKING:
    import narwhals as nw

    from scimops.preview import Preview

OF_SETTINGS = ("create_setting", "change_setting", "delete_setting", "create_token", "revoke_token",
               "change_enrolment")  # fmt: skip
"""Operations that change how people are provisioned and trained, not people."""

CHANGES: dict[str, str] = {
    "cannot_tell": "is in no row that can be read of one of both exports",
    "left": "is in the export no more",
    "came": "is new in the export",
    "switched_off": "is not active any more",
    "switched_on": "is active again",
    "moved": "goes to another group",
    "other": "stays there, for another reason",
}
"""What may change of a person from one export to a later one."""

_DAILY = {"day": pl.String, "source": pl.String, "operation": pl.String, "outcome": pl.String, "lines": pl.Int64}
_SETTINGS = ("at", "actor", "operation", "outcome", "name", "detail", "changes", "evidence")


def changes_by_day(logs: Logs, *, backend: str = "polars") -> pl.DataFrame:
    """How many lines the logs have, by `day` (UTC), `source`, `operation` and `outcome`; `lines` add up to all of them.

    One deed may stand in several logs, so lines of several sources are not added up.
    """
    if logs.path is None:
        return pl.DataFrame(schema=_DAILY)
    counted = open_backend(backend).run(_daily, events=logs.path)
    return counted.cast({"lines": pl.Int64}).sort("day", "source", "operation", "outcome").select(list(_DAILY))


def _daily(events: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    import narwhals as nw

    events = events.select(nw.col("at").str.slice(0, 10).alias("day"), "source", "operation", "outcome")
    return events.group_by("day", "source", "operation", "outcome").agg(lines=nw.len())


def settings_changed(logs: Logs, *, backend: str = "polars") -> pl.DataFrame:
    """What was done to settings (their mappings too), tokens and enrolments, in order of time: a row a line of a log.

    `at`, `actor`, `operation`, `outcome`, `name`, `detail`, `changes` (JSON: old and new values) and `evidence`.
    """
    if logs.path is None:
        return pl.DataFrame(schema=dict.fromkeys(_SETTINGS, pl.String))
    found = open_backend(backend).run(_of_settings, events=logs.path)
    return found.sort("at", "source", "file", "row").with_columns(evidence=evidence()).select(_SETTINGS)


def _of_settings(events: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    import narwhals as nw

    kind = nw.col("resource_type").is_in(["Setting", "Token", "Enrolment"])
    return events.filter(kind | nw.col("operation").is_in(OF_SETTINGS)).select(*SHOWN)


def groups_over_time(previews: Iterable[Preview]) -> pl.DataFrame:
    """How many people the rule puts into each group, export by export.

    Args:
        previews: of exports under one setting, the oldest first; looked at one after the other.

    Returns:
        `at` (when the export was taken), `file`, `group_key`, `group` (its latest name), `members`. A group that an
        export has nobody for is there with 0, so that lines of a chart end at the ground.
    """
    sizes: dict[tuple[str, str, str], int] = {}
    taken, names = [], {}
    for preview in previews:
        at = moment(preview.export.taken_at)
        file = ", ".join(preview.export.files)
        taken.append((at, file))
        for group in preview.groups:
            sizes[at, file, group.group_key] = group.members
            names[group.group_key] = group.name
    rows = [(at, file, key, names[key], sizes.get((at, file, key), 0)) for at, file in taken for key in sorted(names)]
    kinds = {"at": pl.String, "file": pl.String, "group_key": pl.String, "group": pl.String, "members": pl.Int64}
    return pl.DataFrame(rows, schema=kinds, orient="row")


@dataclass(frozen=True)
class Between:
    """What changed from one export to a later one under one setting.

    `people`: as in :class:`scimops.preview.compare.Comparison`, with `change` (one of :data:`CHANGES`) before them.
    """

    people: pl.DataFrame
    comparison: Comparison

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many people changed in each way, and how many did not."""
        counted = Counter(self.people["change"].to_list())
        return {name: counted[name] for name in CHANGES} | {"unchanged": self.comparison.unchanged}


def between(before: Preview, after: Preview) -> Between:
    """Who came, left and moved from the export of `before` to that of `after`: yesterday's and today's, mostly."""
    comparison = compare(before, after)
    unread = [bool(preview.reasons.get("rejected_unreadable")) for preview in (before, after)]
    inactive = [pl.col(name) == "inactive" for name in ("from_reason", "to_reason")]
    change = (
        pl.when(pl.col("row_after").is_null()).then(pl.lit("cannot_tell" if unread[1] else "left"))
        .when(pl.col("row_before").is_null()).then(pl.lit("cannot_tell" if unread[0] else "came"))
        .when(~inactive[0] & inactive[1]).then(pl.lit("switched_off"))
        .when(inactive[0] & ~inactive[1]).then(pl.lit("switched_on"))
        .when(pl.col("from_group").ne_missing(pl.col("to_group"))).then(pl.lit("moved"))
        .otherwise(pl.lit("other"))
    )  # fmt: skip
    people = comparison.people.select(change.alias("change"), pl.all())
    rank = pl.col("change").replace_strict({name: number for number, name in enumerate(CHANGES)}, return_dtype=pl.Int64)
    return Between(people.sort(rank, maintain_order=True), comparison)
