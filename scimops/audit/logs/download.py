"""The admin centre's CSV download of Entra ID's provisioning log: events, steps and modified properties in three files.

Microsoft names the files and says that the change ID joins them, but documents no other column of them. So a column is
known by its name without spaces and case, and the names are those that Microsoft Graph has for the same values. What a
file is, its columns tell.

Memory does not grow with the files: each is staged as Parquet, cut by the change ID into buckets, and joined a bucket
at a time. The records made so are read like those of Graph, so they tell the same events.

https://learn.microsoft.com/entra/identity/monitoring-health/howto-analyze-provisioning-logs
https://learn.microsoft.com/graph/api/resources/provisioningstep
https://learn.microsoft.com/graph/api/resources/modifiedproperty
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from pathlib import Path
from typing import Any

import polars as pl

from scimops.audit.logs.documents import Page
from scimops.audit.logs.pieces import Pieces
from scimops.audit.logs.problems import said, settle
from scimops.audit.logs.reading import Reading
from scimops.audit.logs.tables import CHANGE_ID, CUT_OFF, bare_name, broken, event_columns, event_record, json_value
from scimops.idp.table import ROW

BUCKET = 8 << 20
"""About how many bytes of the files are joined at a time."""

EVENTS, STEPS, PROPERTIES = "events", "provisioningSteps", "modifiedProperties"
WHAT = {STEPS: "the provisioning steps", PROPERTIES: "the modified properties"}

_FIELDS: dict[str, dict[str, tuple[str, ...]]] = {
    PROPERTIES: {
        "displayName": ("displayname", "name", "propertyname", "attribute", "attributename"),
        "oldValue": ("oldvalue",), "newValue": ("newvalue",),
    },
    STEPS: {"status": ("status",), "description": ("description",), "details": ("details",)},
}  # fmt: skip
"""The names of Graph that are wanted of a part, and the columns that may have each, the first one first."""

_OPTIONAL = {"details", "oldValue"}
_PREFIXES = ("provisioningsteps", "provisioningstep", "step", "modifiedproperties", "modifiedproperty")
_KEY, _BUCKET, _FILE = "@key", "@bucket", "@file"
_ROW_GROUP = 1024


@dataclass
class Part:
    """One file of a download: what it is, where its columns are, what was read of it."""

    kind: str
    pieces: Pieces
    reading: Reading
    page: Page = field(default_factory=Page)
    unused: int = 0

    @cached_property
    def columns(self) -> dict[Any, str]:
        """Where the values are."""
        return _kind_and_columns(self.pieces.headers)[1]

    @property
    def key(self) -> str:
        """The column of the change ID; empty where there is none."""
        return self.columns.get(CHANGE_ID, "")


def kind_of(headers: list[str]) -> str:
    """What a CSV file with this header is of a download; empty where it is nothing of it."""
    return _kind_and_columns(headers)[0]


def _kind_and_columns(headers: list[str]) -> tuple[str, dict[Any, str]]:
    bare = {bare_name(header): header for header in reversed(headers)}
    short = bare | {name.removeprefix(prefix): header for name, header in bare.items() for prefix in _PREFIXES}
    events = event_columns(headers)
    for kind, fields in _FIELDS.items():
        found = {name: next((short[one] for one in names if one in short), "") for name, names in fields.items()}
        whole = all(header or name in _OPTIONAL for name, header in found.items())
        if whole and "changeid" in bare and (kind == PROPERTIES or not events):
            return kind, {CHANGE_ID: bare["changeid"]} | {name: header for name, header in found.items() if header}
    return (EVENTS, events) if events else ("", {})


def read_download(parts: Sequence[Part]) -> None:
    """Read files of which at least one is of steps or properties; what each lacks is in its log's `problems`."""
    events = [part for part in parts if part.kind == EVENTS]
    others = [part for part in parts if part.kind != EVENTS]
    buckets = 1 + sum(part.pieces.state[0] for part in parts) // BUCKET
    with tempfile.TemporaryDirectory(prefix="scimops-") as name:
        folders = {id(part): Path(name, str(number)) for number, part in enumerate(parts)}
        for part in parts:
            _stage(part, folders[id(part)], buckets)
        for bucket in range(buckets if events else 0):
            here = pl.col(_BUCKET) == bucket
            _join(events, others, {one: pl.scan_parquet(path).filter(here).collect() for one, path in folders.items()})
    for part in parts:
        _settle(part, alone=not events)


def _stage(part: Part, folder: Path, buckets: int) -> None:
    """The rows of a file as Parquet, each in the bucket of its change ID; a row that cannot be used is told."""
    folder.mkdir()
    last = 0
    columns = list(dict.fromkeys(part.columns.values()))
    empty = pl.DataFrame(schema={ROW: pl.Int64} | dict.fromkeys(columns, pl.String))
    _write(part, empty, folder / "0.parquet", buckets)
    for number, (frame, rejected) in enumerate(part.pieces.rows(columns), 1):
        if frame.height or rejected:
            last = rejected[-1] if rejected and (frame.is_empty() or rejected[-1] > frame[ROW][-1]) else 0
        for row in rejected:
            part.reading.add(None, CUT_OFF, row)
        usable = frame if part.kind == EVENTS else _counted(part, frame)
        _write(part, usable, folder / f"{number}.parquet", buckets)
    part.page.broken = broken(part.pieces, last)


def _counted(part: Part, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows of steps or properties that say what they belong to; all are counted."""
    keyless = pl.col(part.key).fill_null("").str.strip_chars() == ""
    for row in frame.filter(keyless)[ROW]:
        part.reading.add(None, "it has no change ID", row)
    usable = frame.filter(~keyless)
    part.reading.log.records += usable.height
    part.reading.log.told += usable.height
    return usable


def _write(part: Part, frame: pl.DataFrame, path: Path, buckets: int) -> None:
    key = pl.col(part.key).str.strip_chars().str.to_lowercase() if part.key else pl.lit(None, pl.String)
    frame = frame.with_columns(pl.when(key != "").then(key).alias(_KEY))
    bucket = pl.when(pl.col(_KEY).is_null()).then(pl.col(ROW).cast(pl.UInt64)).otherwise(pl.col(_KEY).hash()) % buckets
    frame = frame.with_columns(bucket.alias(_BUCKET)).sort(_BUCKET, ROW)
    frame.write_parquet(path, row_group_size=_ROW_GROUP)  # of most files a bucket is in few groups


def _join(events: list[Part], others: list[Part], staged: dict[int, pl.DataFrame]) -> None:
    """Tell the events of a bucket, each with its steps and properties."""
    told = []
    for part in events:
        several = pl.col(_KEY).is_not_null() & (pl.len().over(_KEY) > 1)
        part.unused += staged[id(part)].filter(several).height
        told.append(staged[id(part)].with_columns(pl.when(~several).then(pl.col(_KEY)).alias(_KEY)))
    keys = pl.concat([frame.select(_KEY) for frame in told]).drop_nulls().unique()
    for part in others:
        part.unused += staged[id(part)].join(keys, on=_KEY, how="anti").height
    lists = [_lists([part for part in others if part.kind == kind], staged) for kind in WHAT]
    for part, frame in zip(events, told, strict=True):
        whole = reduce(lambda left, right: left.join(right, on=_KEY, how="left"), lists, frame)
        for row in whole.sort(ROW).iter_rows(named=True):
            part.reading.add(_with_lists(event_record(part.columns, row), row), row=row[ROW])
        part.reading.flush()


def _lists(parts: list[Part], staged: dict[int, pl.DataFrame]) -> pl.DataFrame:
    """Of each change ID its steps or properties in the order of the file; of the same in two files the first one's."""
    if not parts:
        return pl.DataFrame(schema={_KEY: pl.String})
    kind, wanted = parts[0].kind, _FIELDS[parts[0].kind]
    frames = []
    for number, part in enumerate(parts):
        fields = [pl.col(part.columns[name]) if name in part.columns else pl.lit(None, pl.String) for name in wanted]
        one = pl.struct([field.alias(name) for name, field in zip(wanted, fields, strict=True)]).alias(kind)
        frames.append(staged[id(part)].select(_KEY, ROW, pl.lit(number).alias(_FILE), one))
    rows = pl.concat(frames).filter(pl.col(_FILE) == pl.col(_FILE).min().over(_KEY))
    return rows.sort(_FILE, ROW).group_by(_KEY, maintain_order=True).agg(kind)


def _with_lists(record: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    if steps := row.get(STEPS):
        record[STEPS] = [step | {"details": json_value(step["details"])} for step in steps]
    if properties := row.get(PROPERTIES):
        record[PROPERTIES] = properties
    return record


def _settle(part: Part, *, alone: bool) -> None:
    log = settle(part.reading, part.page)
    if part.kind == EVENTS:
        code = "log_part_ambiguous"
    else:
        code = "log_part_alone" if alone else "log_part_unmatched"
        log.source = "entra"
        log.problems = [one for one in log.problems if one.code != "log_empty"]  # it has no events of its own
    count = log.told if alone else part.unused
    if alone or count:
        log.problems.append(said(code, file=log.file, what=WHAT.get(part.kind, ""), count=count))
