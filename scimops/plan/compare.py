"""Two plans side by side: which operations are new, gone or changed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from scimops.plan.document import Plan

_TEXT, _TEXTS = pl.String(), pl.List(pl.String)
COMPARED = pl.Schema(
    {
        "change": _TEXT, "userName": _TEXT, "email": _TEXT, "group": _TEXT, "id": _TEXT, "differs": _TEXTS,
        "kind_before": _TEXT, "kind_after": _TEXT, "values_before": _TEXT, "values_after": _TEXT,
        "withheld_before": _TEXT, "withheld_after": _TEXT,
    }
)  # fmt: skip
"""One operation a row that is in one plan only or not the same in both.

`change`: new, gone or changed. `differs`: names of what differs (kind, before, after, leaves, joins, why, withheld).
`values_before`, `values_after`: the fields that the older and the newer plan send, a JSON object. A side on which there
is no such operation is null.
"""

_DIFFERS = ("kind", "before", "after", "leaves", "joins", "why", "withheld")
_TAIL = re.compile(rb'"seal"\s*:\s*"[0-9a-f]{64}"\s*\}\s*$')


@dataclass(frozen=True)
class PlanComparison:
    """What changes from one plan to another (`operations`: schema `COMPARED`); `unchanged` counts the rest.

    `sources` are sentences on what the plans were made of, where that differs.
    """

    operations: pl.DataFrame
    unchanged: int
    sources: list[str]

    @property
    def counts(self) -> dict[str, int]:
        """How many operations are new, gone and changed."""
        return {name: int((self.operations["change"] == name).sum()) for name in ("new", "gone", "changed")}

    def to_dict(self) -> dict[str, Any]:
        """What `scimops compare --json` prints of two plans (schema `compare_plans.json`)."""
        return {
            "format": 1, **self.counts, "unchanged": self.unchanged, "sources": self.sources,
            "operations": self.operations.to_dicts(),
        }  # fmt: skip


def is_plan(path: Path) -> bool:
    """Does this file end as a sealed plan does? It may still be a changed one."""
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - 200))
            return _TAIL.search(stream.read()) is not None
    except OSError:
        return False


def compare_plans(before: Plan, after: Plan) -> PlanComparison:
    """Which operations of `after` are not in `before`, which are there no more, and which are not the same.

    An operation is the same one where it is about the same person (their id; who is not there yet: their externalId,
    else userName, else e-mail address) and the same group, if it is about one.
    """
    one, two = _keyed(before.operations), _keyed(after.operations)
    both = one.join(two, on=["who", "what"], how="full", suffix="_after", nulls_equal=True, maintain_order="left_right")
    unlike = {name: pl.col(name).ne_missing(pl.col(f"{name}_after")) for name in _DIFFERS}
    names = [pl.when(is_other).then(pl.lit(name)) for name, is_other in unlike.items()]
    here, there = pl.col("number").is_not_null(), pl.col("number_after").is_not_null()
    changed = (
        pl.when(~here).then(pl.lit("new")).when(~there).then(pl.lit("gone"))
        .when(pl.any_horizontal(*unlike.values())).then(pl.lit("changed"))
    )  # fmt: skip
    both = both.with_columns(change=changed)
    found = both.filter(pl.col("change").is_not_null()).select(
        "change", *(pl.coalesce(f"{name}_after", name).alias(name) for name in ("userName", "email", "group", "id")),
        differs=pl.when(here & there).then(pl.concat_list(names).list.drop_nulls()).otherwise([]),
        kind_before="kind", kind_after="kind_after", values_before="after", values_after="after_after",
        withheld_before="withheld", withheld_after="withheld_after",
    )  # fmt: skip
    rank = pl.col("change").replace_strict({"new": 0, "gone": 1, "changed": 2}, return_dtype=pl.Int8)
    found = found.sort(rank, maintain_order=True).cast(dict(COMPARED))  # type: ignore[arg-type]
    return PlanComparison(found, both["change"].null_count(), _sources(before, after))


def _keyed(operations: pl.DataFrame) -> pl.DataFrame:
    """`operations` with whom they are about and, if it is about one, which group."""
    new = pl.lit("new ") + pl.coalesce("externalId", pl.col("userName").str.to_lowercase(), "email")
    return operations.with_columns(who=pl.coalesce("id", new), what=pl.col("group_key"))


def _sources(before: Plan, after: Plan) -> list[str]:
    one, two = before.source, after.source
    pairs = [
        (one.setting_sha256 != two.setting_sha256, "They were made with different settings."),
        (_files(before) != _files(after), "They were made of different exports."),
        (one.where != two.where, f"They are of different service providers: {one.where}, {two.where}."),
        (one.snapshot != two.snapshot, "The service provider held something else when the second was made."),
    ]
    return [said for differs, said in pairs if differs]


def _files(plan: Plan) -> list[str]:
    return [part["sha256"] for part in plan.source.files]
