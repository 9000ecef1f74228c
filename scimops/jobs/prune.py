"""Remove what old runs left on disk: their output notebooks, pages and files. Their records stay, for ever."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from dataclasses import dataclass, field
from pathlib import Path

from scimops.jobs.history import runs
from scimops.jobs.record import RunRecord
from scimops.touched import hashed


@dataclass
class Leftovers:
    """What runs left: how many runs, and their files."""

    runs: int = 0
    files: list[Path] = field(default_factory=list)
    folders: set[Path] = field(default_factory=set)

    @property
    def counts(self) -> dict[str, int]:
        """The numbers, for people and for the record."""
        size = sum(path.stat().st_size for path in self.files if path.exists())
        return {"runs": self.runs, "files": len(self.files), "bytes": size}


def leftovers(older_than: dt.timedelta, ledger: Path | None = None) -> Leftovers:
    """The artefacts of runs that ended before; only files that lie in the run's folder and are still as it wrote them.

    A folder that a later run used too belongs to the later one.
    """
    limit, found, in_use = dt.datetime.now(dt.UTC) - older_than, Leftovers(), set[str]()
    for logged in runs(ledger):
        folder = logged.record.folder
        if folder is None:
            continue
        if logged.when_done >= limit:
            in_use.add(folder)
        elif folder not in in_use and Path(folder).is_dir():
            files = _artefacts(logged.record, Path(folder))
            found.runs += bool(files)
            found.files += [path for path in files if path not in found.files]
            found.folders.add(Path(folder))
    return found


def prune(found: Leftovers) -> None:
    """Remove the files, and folders that are empty then."""
    for path in found.files:
        path.unlink(missing_ok=True)
    for folder in found.folders:
        for each, _, _ in os.walk(folder, topdown=False):
            with contextlib.suppress(OSError):  # there is something of others in it
                Path(each).rmdir()


def _artefacts(record: RunRecord, folder: Path) -> list[Path]:
    found = []
    for file in record.outputs:
        path = Path(file.name)
        if path.resolve().is_relative_to(folder.resolve()) and file.sha256 and hashed(path)["sha256"] == file.sha256:
            found.append(path)
            page = path.with_suffix(".html")  # carries the ledger's head, so no record can hold its hash
            if record.notebook and path.name == record.notebook.name and page.is_file():
                found.append(page)
    return found
