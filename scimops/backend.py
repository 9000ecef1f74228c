"""Where frames are computed: embedded Polars by default, an Apache Spark cluster by its master URL.

The pipeline is written once, in Narwhals; a backend lends it a lazy frame and brings the result back. PySpark is
imported only when a Spark master is asked for (`pip install scimops[spark]`).
"""

from __future__ import annotations

import re
import socket
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import narwhals as nw
import polars as pl

from scimops.errors import ScimopsError, UsageError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Pipeline = Callable[..., "nw.LazyFrame[Any]"]

_STANDALONE = re.compile(r"(?:^spark://|,)([^,]+):(\d+)")
_SPARK = re.compile(r"local(\[(\d+|\*)\])?|spark://\S+|yarn|k8s://\S+")


class Backend:
    """Embedded Polars: frames are computed in this process."""

    name = "polars"

    def run(self, pipeline: Pipeline, **tables: pl.DataFrame | Path) -> pl.DataFrame:
        """The result of `pipeline`, called with `tables` as lazy Narwhals frames.

        A table is a frame, or a Parquet file or folder of such that may be larger than the memory: with one of those
        the rows come in any order.
        """
        on_disk = [name for name, table in tables.items() if isinstance(table, Path)]
        lazy = {name: nw.from_native(_lazy(table)) for name, table in tables.items()}
        result: pl.LazyFrame = pipeline(**lazy).to_native()
        # the engine that keeps the order of rows holds everything in memory
        return result.collect(engine="streaming" if on_disk else "in-memory")


class SparkBackend(Backend):
    """Apache Spark: reads the staged Parquet (never an export itself) and computes there."""

    def __init__(self, master: str) -> None:
        self.name = master

    def run(self, pipeline: Pipeline, **tables: pl.DataFrame | Path) -> pl.DataFrame:
        """As :meth:`Backend.run`; the cluster's workers must be able to read the folder for temporary files.

        Raises:
            ScimopsError: PySpark is not installed, the cluster cannot be reached or fails.
        """
        session = self._session()
        with tempfile.TemporaryDirectory(prefix="scimops-") as folder:
            return self._result(session, pipeline, Path(folder), tables)

    def _result(
        self, session: SparkSession, pipeline: Pipeline, folder: Path, tables: Mapping[str, pl.DataFrame | Path]
    ) -> pl.DataFrame:  # fmt: skip
        lazy = {}
        for name, table in tables.items():
            path = table if isinstance(table, Path) else folder / f"{name}.parquet"
            if isinstance(table, pl.DataFrame):
                table.write_parquet(path)
            lazy[name] = nw.from_native(session.read.parquet(str(path)))
        result = pipeline(**lazy).to_native()
        try:
            frame = pl.from_arrow(result.toArrow())
        except Exception as error:
            advice = "Its workers must be able to read the folder for temporary files (TMPDIR)."
            raise ScimopsError(f"Spark at {self.name} failed: {_reason(error)}", advice=advice) from error
        assert isinstance(frame, pl.DataFrame)
        return frame

    def _session(self) -> SparkSession:
        try:
            from pyspark.sql import SparkSession
        except ImportError:
            advice = "pip install 'scimops[spark]', and Java 17."
            raise ScimopsError("PySpark is not installed.", advice=advice) from None
        self._knock()
        try:
            builder = SparkSession.builder.master(self.name).appName("scimops")
            builder = builder.config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", "8")
            session: SparkSession = builder.getOrCreate()
        except Exception as error:
            advice = "Is Java 17 installed?"
            raise ScimopsError(f"Spark at {self.name} does not answer: {_reason(error)}", advice=advice) from error
        session.sparkContext.setLogLevel("ERROR")
        return session

    def _knock(self) -> None:
        """See whether anybody listens at a standalone master; Spark itself would try for more than a minute."""
        reason = ""
        for host, port in _STANDALONE.findall(self.name):
            try:
                socket.create_connection((host, int(port)), timeout=5).close()
            except (OSError, OverflowError) as error:
                reason = _reason(error)
            else:
                return
        if reason:
            advice = "Check the master's host and port."
            raise ScimopsError(f"Spark at {self.name} does not answer: {reason}", advice=advice)


def _lazy(table: pl.DataFrame | Path) -> pl.LazyFrame:
    return table.lazy() if isinstance(table, pl.DataFrame) else pl.scan_parquet(table)


def _reason(error: Exception) -> str:
    """The first line of what PySpark, Py4J or the JVM says; any kind of exception may come from there."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def open_backend(url: str = "polars") -> Backend:
    """The backend that `url` names: `polars`, `local[N]` or `spark://HOST:PORT`.

    Raises:
        UsageError: `url` is none of these.
    """
    if url == "polars":
        return Backend()
    if _SPARK.fullmatch(url):
        return SparkBackend(url)
    raise UsageError(f'"{url}" is no backend.', advice="Allowed: polars, local[2], spark://HOST:PORT.")
