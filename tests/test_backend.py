"""Where frames are computed: what names a backend, and what is said where PySpark is missing."""

from __future__ import annotations

import subprocess
import sys

import narwhals as nw
import polars as pl
import pytest

from scimops.backend import Backend, SparkBackend, open_backend
from scimops.errors import UsageError


@pytest.mark.parametrize(
    "url", ["local", "local[4]", "local[*]", "spark://head:7077", "yarn", "k8s://https://host:6443"]
)
def test_spark_masters(url: str) -> None:
    backend = open_backend(url)
    assert isinstance(backend, SparkBackend)
    assert backend.name == url


@pytest.mark.parametrize("url", ["sqlite://", "local[", "spark://", "Polars", "local[2] ; rm", "spark", ""])
def test_what_is_no_backend(url: str) -> None:
    with pytest.raises(UsageError, match="is no backend"):
        open_backend(url)


def test_polars_computes_here() -> None:
    result = open_backend().run(lambda t: t.filter(nw.col("n") > 1), t=pl.DataFrame({"n": [1, 2]}))
    assert type(open_backend()) is Backend
    assert result["n"].to_list() == [2]


def test_a_missing_pyspark_is_said_in_words() -> None:
    code = (
        "import sys, polars as pl\n"
        "sys.modules['pyspark'] = sys.modules['pyspark.sql'] = None  # as if it were not installed\n"
        "from scimops.backend import open_backend\n"
        "open_backend('local[2]').run(lambda t: t, t=pl.DataFrame({'n': [1]}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert "PySpark is not installed. pip install 'scimops[spark]'" in done.stderr
