"""What earlier applies really took away, and since when who is missing: what safeguards remember from plan to plan.

A folder of history holds the folders that applies write (`receipts.json`, and `removed.json` beside it), itself or up
to two levels down, and `missing.json`. Files that were last changed before the window are not opened.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from scimops.errors import ScimopsError
from scimops.grouping import identity_key
from scimops.plan.document import Plan, load_plan
from scimops.plan.masters import SENT, sent_by
from scimops.plan.memberships import ENDING
from scimops.setting import span_of
from scimops.yaml_documents import write_whole

FORMAT = 1
REMOVED_NAME, MISSING_NAME = "removed.json", "missing.json"
REMOVED = pl.Schema(
    {"kind": pl.String(), "id": pl.String(), "userName": pl.String(), "group_key": pl.String(), "at": pl.String()}
)
"""One removal a row: `kind` is deactivate, delete or leave (then of the group `group_key`); `at` is ISO 8601, UTC.

What a person approved by name is none: they looked at it, and it must not hold back what comes after.
"""


class _Deeds(NamedTuple):
    """What an apply took away (schema `REMOVED`) and what it changed (schema `SENT`)."""

    removed: pl.DataFrame
    sent: pl.DataFrame


_DEPTHS = ("", "*/", "*/*/")
_STEPS = pl.Schema({"number": pl.Int64(), "outcome": pl.String(), "after": pl.String(), **REMOVED})


@dataclass(frozen=True)
class History:
    """What is remembered of one service provider.

    `since`: when the window begins (ISO 8601, UTC; empty: the setting has none). `applies`: how many there were in it.
    `older`: there are others, which were not opened. `unclear`: names of folders of applies that have not ended, or
    whose receipts cannot be read. `removed`: schema `REMOVED`. `missing`: since which export each id is in none;
    `latest`: the time of the latest export that was looked at for that. `sent`: fields that were changed
    (schema `SENT`).
    """

    since: str = ""
    applies: int = 0
    older: bool = False
    unclear: tuple[str, ...] = ()
    removed: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REMOVED))
    missing: dict[str, str] = field(default_factory=dict)
    latest: str = ""
    sent: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SENT))

    @property
    def known(self) -> bool:
        """Is it known what earlier applies took away?"""
        return (self.applies > 0 or self.older) and not self.unclear


def read_history(folder: Path, where: str, now: dt.datetime, window: str | None) -> History:
    """What applies to `where` took away in the `window` before `now`, and who is missing; of a folder of history.

    A folder that is not there has no history. Nothing here is an error: what cannot be read is `unclear`.
    """
    missing, latest = _missing(folder, where)
    if window is None:
        return History(missing=missing, latest=latest)
    since = now - span_of(window)
    applies, older, unclear = 0, False, []
    parts = [_Deeds(pl.DataFrame(schema=REMOVED), pl.DataFrame(schema=SENT))]
    for place in sorted(_places(folder)):
        try:
            if _changed(place) < since.timestamp():
                older = True
                continue
            found = _deeds_in(place, where)
        except (OSError, ValueError, KeyError, TypeError, ScimopsError, pl.exceptions.PolarsError):
            unclear.append(place.name)
            continue
        if found is not None:
            applies += 1
            parts.append(found)
    begins = since.astimezone(dt.UTC).isoformat(timespec="milliseconds")
    removed, sent = (pl.concat(frames).filter(pl.col("at") >= begins) for frames in zip(*parts, strict=True))
    return History(begins, applies, older, tuple(unclear), removed, missing, latest, sent)


def keep_removed(folder: Path, plan: Plan, steps: pl.DataFrame) -> None:
    """Write beside its receipts what the `steps` of an apply (schema `RECEIPTS`) took away and changed.

    Without that file the receipts and the plan beside them are read, which may be large.
    """
    document = {"format": FORMAT, "where": plan.source.where, "removed": _removed(steps, plan).to_dicts(),
                "sent": sent_by(steps).to_dicts()}  # fmt: skip
    write_whole(folder / REMOVED_NAME, json.dumps(document, ensure_ascii=False) + "\n", private=True)


def still_removed(removed: pl.DataFrame, ours: pl.DataFrame, before: pl.DataFrame, back: pl.Series) -> pl.DataFrame:
    """Those of `removed` who are not there again: what was undone, by whomever, does not count.

    Args:
        removed: schema `REMOVED`.
        ours: the people there (`id`, `user_key`, `active`).
        before: the memberships there (`id`, `group_key`).
        back: ids of who becomes active again by this plan.
    """
    if removed.is_empty():
        return removed
    active = ours.filter(pl.col("active").fill_null(True))
    kind, keys = pl.col("kind"), ["id", "group_key"]
    ended = removed.filter((kind == "deactivate") & ~pl.col("id").is_in(back.implode()))
    deleted = removed.filter(kind == "delete")
    names = [None if name is None else identity_key(name) for name in deleted["userName"]]
    deleted = deleted.with_columns(user_key=pl.Series(names, dtype=pl.String)).join(ours, on="id", how="anti")
    deleted = deleted.join(ours.drop_nulls("user_key"), on="user_key", how="anti").drop("user_key")
    left = removed.filter(kind == "leave").join(active, on="id", how="semi").join(before, on=keys, how="anti")
    return pl.concat([ended.join(active, on="id", how="anti"), deleted, left]).unique(["kind", *keys])


def remember_missing(folder: Path, where: str, missing: dict[str, str], latest: str) -> None:
    """Write since when the people of `missing` are in no export; of other service providers nothing changes."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = {} if (document := _memory(folder)) is None else document
    kept[where] = {"latest": latest, "since": missing}
    text = json.dumps({"format": FORMAT, "missing": kept}, ensure_ascii=False, indent=1)
    write_whole(folder / MISSING_NAME, text + "\n", private=True)


def _removed(steps: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """What the steps removed, save what a person approved by name."""
    done = steps.filter(pl.col("outcome") == "done").join(plan.held, on="number", how="anti")
    kind, columns = pl.col("kind"), list(REMOVED)
    ends = done.filter(kind.is_in(ENDING))
    ended = steps.filter(kind.is_in(ENDING))["id"].implode()
    leaves = done.filter((kind == "leave") & ~pl.col("id").is_in(ended))  # who ends leaves every group by that
    if plan.source.placement != "client":  # placement follows what was sent
        sent = done.filter(kind.is_in(["update", "rename", "reactivate"])).drop("group_key")
        out = plan.moves.filter(~pl.col("joins")).select("id", "group_key")
        leaves = sent.join(out, on="id").with_columns(kind=pl.lit("leave"))
    return pl.concat([part.select(columns) for part in (ends, leaves)])


def _places(folder: Path) -> set[Path]:
    """The folders of applies; dry runs are none."""
    names = ("receipts.json", "journal.ndjson")
    found = {path.parent for depth in _DEPTHS for name in names for path in folder.glob(depth + name)}
    return {place for place in found if place.name != "dry_run"}


def _changed(place: Path) -> float:
    """When its receipts were written; without any, when its journal was."""
    receipts = place / "receipts.json"
    return (receipts if receipts.exists() else place / "journal.ndjson").stat().st_mtime


def _deeds_in(place: Path, where: str) -> _Deeds | None:
    """What an apply did; None where it was of another service provider, or a dry run.

    Raises:
        ScimopsError: it has not ended.
    """
    receipts, index = place / "receipts.json", place / REMOVED_NAME
    running = (place / ".apply.held").exists()  # a killed apply leaves it, too
    if not running and index.exists() and index.stat().st_mtime_ns >= receipts.stat().st_mtime_ns:
        document = json.loads(index.read_text("utf-8"))
        kept = _Deeds(pl.DataFrame(document["removed"], REMOVED), pl.DataFrame(document["sent"], SENT))
        return kept if document["where"] == where else None
    plan = load_plan(place / "plan.json")
    if plan.source.where != where:
        return None
    if running or not receipts.exists():
        raise ScimopsError("This apply has not ended.", where=str(place))
    document = json.loads(receipts.read_text("utf-8"))
    rows = [{name: step[name] for name in _STEPS} for step in document["steps"]]
    if document["plan"] != plan.digest:
        raise ScimopsError("The receipts are of another plan.", where=str(receipts))
    steps = pl.DataFrame(rows, schema=_STEPS)
    return None if document["dry_run"] else _Deeds(_removed(steps, plan), sent_by(steps))


def _missing(folder: Path, where: str) -> tuple[dict[str, str], str]:
    own = (_memory(folder) or {}).get(where, {})
    return dict(own.get("since", {})), str(own.get("latest", ""))


def _memory(folder: Path) -> dict[str, Any] | None:
    """What `missing.json` says by service provider; None where there is none that can be read."""
    try:
        document = json.loads((folder / MISSING_NAME).read_text("utf-8"))["missing"]
        valid = all(isinstance(one["since"], dict) and isinstance(one["latest"], str) for one in document.values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return document if valid else None
