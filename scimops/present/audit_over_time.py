"""Answers over time as tables to look at: a line a day, a column an export, changes in words.

The whole answers stand in the workbook and in the document.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from scimops.audit.drift import KINDS, TOLD_BY
from scimops.audit.logs.events import OPERATIONS
from scimops.present.audit_files import answer_frame
from scimops.present.words import shortened

if TYPE_CHECKING:
    from scimops.audit.audit import Question

EXPORTS_SHOWN: Final = 6
"""How many exports have a column, the newest."""

CHANGES_READ: Final = 500
"""How many lines on settings are put into words, the newest."""

_VALUE: Final = 60
"""Letters of a value that are shown."""


def brief(question: Question) -> pl.DataFrame | None:
    """The answer as a table to look at, its columns in words; None for a list of people that the workbook alone has."""
    shape = _BRIEF.get(question.name)
    if shape is not None:
        return shape(question.answer)
    return None if "userName" in question.answer.columns else answer_frame(question.answer)


def by_day(daily: pl.DataFrame) -> pl.DataFrame:
    """`day`, `log`, and how many lines are `changes`, `failures`, or say that `nothing changed`; the newest first."""
    success, failure = pl.col("outcome").is_in(["success", "warning"]), pl.col("outcome") == "failure"
    changed = success & (pl.col("operation") != "look_up")
    parts = {"changes": changed, "failures": failure, "nothing changed": ~changed & ~failure}
    lines = daily.group_by("day", log=pl.col("source").str.replace_all("_", " ")).agg(
        pl.col("lines").filter(what).sum().alias(name) for name, what in parts.items()
    )
    return lines.sort("day", "log", descending=[True, False])


def by_group(sizes: pl.DataFrame) -> pl.DataFrame:
    """`group`, and a column for each of the newest exports with how many people it has in it; the largest first."""
    newest = sizes.select("at", "file").unique().sort("at", "file").tail(EXPORTS_SHOWN)
    long = next((long for long in (10, 16, 19, 24) if newest["at"].str.head(long).n_unique() == newest.height), 0)
    label = pl.col("at").str.head(long).str.replace("T", " ") if long else pl.format("{} {}", "file", "at")
    shown = sizes.join(newest, on=["at", "file"], how="semi").sort("at", "file").with_columns(label=label)
    wide = shown.pivot("label", index=["group_key", "group"], values="members", maintain_order=True).drop("group_key")
    return wide.sort(wide.columns[-1], "group", descending=[True, False])


def _settings(lines: pl.DataFrame) -> pl.DataFrame:
    """What was done to settings, the newest first."""
    newest = lines.reverse().head(CHANGES_READ)
    return newest.select(
        pl.col("at").pipe(_minute).alias("when (UTC)"), pl.col("actor").alias("by"),
        pl.col("operation").replace(OPERATIONS).alias("did"), "name",
        pl.Series("what", [_changes(text) for text in newest["changes"]], pl.String),
        pl.when(pl.col("outcome") != "success").then("outcome").alias("failed"),
    )  # fmt: skip


def _drift(differences: pl.DataFrame) -> pl.DataFrame:
    values = [pl.col(side).fill_null("nothing") for side in ("applied", "there")]
    what = (
        pl.when(pl.col("kind") == "value").then(pl.format("{}: {} → {}", "what", *values))
        .when(pl.col("what").is_not_null()).then(pl.format("{}: {}", pl.col("kind").replace(KINDS), "what"))
        .otherwise(pl.col("kind").replace(KINDS))
    )  # fmt: skip
    how = (
        pl.when("withheld_then").then(pl.lit("the plan had withheld it")).otherwise(pl.col("told_by").replace(TOLD_BY))
    )
    return differences.select(
        _who(differences), what.alias("what differs"), pl.col("at").pipe(_minute).alias("since (UTC)"),
        pl.col("actor").alias("by"), how.alias("told by"),
    )  # fmt: skip


def _since(people: pl.DataFrame) -> pl.DataFrame:
    return answer_frame(people).select(
        _who(people), "change", pl.col("from_group").alias("from"), pl.col("to_group").alias("to"),
        pl.col("from_reason").alias("reason then"), pl.col("to_reason").alias("reason now"),
    )  # fmt: skip


_BRIEF: Final[Mapping[str, Callable[[pl.DataFrame], pl.DataFrame]]] = {
    "changes_by_day": by_day, "groups_over_time": by_group, "settings_changed": _settings, "drift": _drift,
    "since_export": _since,
}  # fmt: skip


def _who(people: pl.DataFrame) -> pl.Expr:
    keys = [name for name in ("userName", "email", "externalId") if name in people.columns]
    return pl.coalesce(*keys, pl.lit("(no name)")).alias("who")


def _minute(time: pl.Expr) -> pl.Expr:
    return time.str.head(16).str.replace("T", " ")


def _changes(text: str | None) -> str:
    """The changes of a line (JSON) in words."""
    found: list[dict[str, Any]] = json.loads(text) if text and text[:1] == "[" else []
    return "; ".join(f"{one['attribute']}: {_value(one['old'])} → {_value(one['new'])}" for one in found) or (
        "" if not text or text == "[]" else text
    )


def _value(value: Any) -> str:
    if value is None:
        return "nothing"
    return shortened(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), _VALUE)
