"""Thousands of damaged exports: each is read with every record accounted for, or refused with one clear error.

`SCIMOPS_FUZZ_FILES` says how many (1,000), `SCIMOPS_FUZZ_SEED` repeats a run; a failing file is kept and named.
"""

from __future__ import annotations

import os
import random
import resource
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mutate import fewest_records, mutated, seeds

from scimops.errors import ScimopsError
from scimops.idp import read_export

FILES = int(os.environ.get("SCIMOPS_FUZZ_FILES", "1000"))
SEED = os.environ.get("SCIMOPS_FUZZ_SEED") or str(random.SystemRandom().randrange(10**9))
BATCHES = 10
SECONDS = 20
MIB = 400

pytestmark = pytest.mark.fuzz


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    return seeds()


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Ends what takes longer, where the system has alarms."""

    def ring(*_: Any) -> None:
        raise TimeoutError(f"not done after {seconds} s")

    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before, rest = signal.signal(signal.SIGALRM, ring), signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *rest)  # pytest-timeout's own alarm goes on


def check(path: Path, data: bytes, number: int) -> str:
    """Read one file and hold it to what any export promises; says how it went."""
    path.write_bytes(data)
    try:
        export = read_export(path, allow_incomplete=number % 2 == 0)
    except ScimopsError as error:
        return type(error).__name__ if error.message else "an error without a word"
    rows, rejected = [record["row"] for record in export.records()], [row.row for row in export.rejected]
    assert export.rows == len(rows) + len(rejected)
    assert sorted([*rows, *rejected]) == list(range(1, export.rows + 1))
    if number % 4 == 0:  # the records are made of the same users
        assert export.users()["row"].to_list() == rows
    recording = export.shape.name == "rehearsal"  # its rows are people, not lines
    fewest = None if recording else fewest_records(data, export.parts[0].table.delimiter)
    assert fewest is None or export.rows >= fewest, f"{export.rows} rows are accounted for, {fewest} are there"
    return "complete" if export.complete else "a part"


@pytest.mark.parametrize("batch", range(BATCHES))
def test_mutated_files(files: list[bytes], tmp_path: Path, batch: int) -> None:
    path, ends = tmp_path / "mutated", Counter[str]()
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    for number in range(batch, FILES, BATCHES):
        made = mutated(SEED, number, files)
        try:
            with at_most(SECONDS):
                ends[check(path, made.data, number)] += 1
        except BaseException as error:
            again = f"SCIMOPS_FUZZ_SEED={SEED}, file {number} ({made.story}), kept in {path}"
            raise AssertionError(f"{again}: {type(error).__name__}: {error}") from error
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
    seconds = time.perf_counter() - started
    assert "an error without a word" not in ends
    print(f"SCIMOPS_FUZZ_SEED={SEED}: {ends.total() / seconds:.0f} files/s, {grown} MiB more, {dict(ends)}")  # noqa: T201
    assert grown < MIB
