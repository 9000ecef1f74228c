"""Helpers of the reader's tests: bytes on disk, read, and what came out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from scimops.idp.source import Source, Workspace
from scimops.idp.table import LINE, ROW, Table

Place = Callable[..., Source]


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Puts bytes on disk and gives them as a source; each call replaces the file of the last one."""
    folder = tmp_path_factory.mktemp("sources")

    def put(data: bytes, name: str = "users.csv") -> Source:
        path: Path = folder / name
        path.write_bytes(data)
        return Source(name, path, dt.datetime.now(dt.UTC), "the time of the test", Workspace())

    return put


class Seen:
    """A table as plain Python: cells of the readable rows (empty and null are one), their rows and lines."""

    def __init__(self, table: Table) -> None:
        frame = table.read(table.headers)
        self.headers = table.headers
        self.rows: list[int] = frame[ROW].to_list()
        self.lines: list[int | None] = frame[LINE].to_list()
        self.cells = [[cell or "" for cell in row] for _, _, *row in frame.iter_rows()]
        self.rejected = [(row.row, row.line) for row in table.rejected]
        assert table.rows == len(self.rows) + len(self.rejected)
        assert sorted([*self.rows, *(row for row, _ in self.rejected)]) == list(range(1, table.rows + 1))


@pytest.fixture(scope="session")
def seen() -> Callable[[Table], Seen]:
    """A table as plain Python; every row is accounted for exactly once."""
    return Seen
