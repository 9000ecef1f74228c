"""The runs of a ledger as a file for analysts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl

from scimops.present.cells import safe_frame


def _csv(frame: pl.DataFrame, path: Path) -> None:
    times = pl.col("started", "ended").dt.to_string("iso:strict")
    safe_frame(frame.with_columns(times)).write_csv(path, include_bom=True)


def _json(frame: pl.DataFrame, path: Path) -> None:
    frame.with_columns(pl.col("started", "ended").dt.to_string("iso:strict")).write_json(path)


def _parquet(frame: pl.DataFrame, path: Path) -> None:
    frame.write_parquet(path)


WRITERS: dict[str, Callable[[pl.DataFrame, Path], None]] = {"csv": _csv, "json": _json, "parquet": _parquet}
"""The writer of each format."""
