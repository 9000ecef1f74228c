"""What the panel of review_runs is about, without any widget: a ledger, the runs that are looked at, the verdict."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scimops.config import ledger_file
from scimops.errors import SourceError
from scimops.jobs.history import Logged, Wanted, differences, overdue, read_since, read_span, runs, the_run
from scimops.jobs.ledger import is_empty
from scimops.jobs.signing import read_public_key
from scimops.jobs.verify import Verdict, verify
from scimops.touched import note_read

if TYPE_CHECKING:
    from scimops.preview.compare import Comparison

SHOWN: Final = 500
"""How many runs are read and shown at most; the ledger may hold a million."""


@dataclass(frozen=True)
class Pair:
    """Two runs side by side: what differs, and who moved, or why that cannot be said."""

    one: Logged
    other: Logged
    rows: list[tuple[str, str, str]]
    moved: Comparison | None
    why_not: str


class Review:
    """One ledger. `runs` are the newest, the newest first; `more` says that there are others that are not shown."""

    def __init__(self, ledger: str, since: str, head: str, key: str, every: str, notebooks: str) -> None:
        self.ledger = Path(ledger) if ledger else ledger_file()
        self.since, self.head, self.key = since, head, key
        self.every, self.notebooks = every, [name.strip() for name in notebooks.split(",") if name.strip()]
        self.runs: list[Logged] = []
        self.more = False
        self.verdict: Verdict | None = None
        self.checked_at = dt.datetime.now(dt.UTC)
        self.chosen: list[Logged] = []

    def read(self) -> None:
        """Read the newest runs.

        Raises:
            UsageError: `since` is no time.
            LedgerError: the ledger cannot be read.
        """
        wanted = Wanted(since=read_since(self.since) if self.since else None)
        found = list(islice(runs(self.ledger, wanted), SHOWN + 1))
        self.runs, self.more = found[:SHOWN], len(found) > SHOWN
        if not self.chosen:
            self.chosen = _newest_pair(self.runs)

    def choose(self, ids: list[str]) -> None:
        """Look at these runs, the older one first.

        Raises:
            UsageError: there is no such run.
        """
        self.chosen = sorted((the_run(one, self.ledger) for one in ids), key=lambda logged: logged.number)

    def check(self) -> Verdict:
        """Check the whole ledger, against head and public key where they are given.

        Raises:
            UsageError: the head, or the key, is none.
            LedgerError: the ledger cannot be read.
        """
        key = read_public_key(self.key) if self.key else None
        self.verdict, self.checked_at = verify(self.ledger, self.head or None, key), dt.datetime.now(dt.UTC)
        if self.ledger.is_file():
            note_read(self.ledger)
        return self.verdict

    def late(self) -> list[tuple[str, Logged | None]]:
        """The notebooks that were not completed in time, each with its last run; none where `every` is empty.

        Raises:
            UsageError: `every` is no span of time.
        """
        if not self.every:
            return []
        found = {name: overdue(name, read_span(self.every), self.ledger) for name in self.notebooks}
        return [(name, late[0]) for name, late in found.items() if late is not None]

    def pair(self) -> Pair | None:
        """The two runs that are looked at, side by side; None where fewer are."""
        if len(self.chosen) < 2:
            return None
        one, other = self.chosen[-2:]
        moved, why_not = None, ""
        try:
            moved = _moved(one, other)
        except SourceError as error:
            why_not = str(error)
        return Pair(one, other, differences(one.record, other.record), moved, why_not)

    @property
    def empty(self) -> bool:
        """Is there no run in the ledger at all?"""
        return is_empty(self.ledger)


def _newest_pair(found: list[Logged]) -> list[Logged]:
    """The two newest runs of one thing, the older first; of what ran last, where it ran twice."""
    first: dict[str, Logged] = {}
    for logged in found:
        if logged.what in first:
            return [logged, first[logged.what]]
        first[logged.what] = logged
    return found[:1]


def _moved(one: Logged, other: Logged) -> Comparison | None:
    """Who moved; None where neither run left a people file.

    Raises:
        SourceError: only one of them did, or a file is not what its run wrote.
    """
    from scimops.present.runs_people import PEOPLE_FILE, who_moved

    kept = []
    for logged in (one, other):
        files = [file for file in logged.record.outputs if Path(file.name).name == PEOPLE_FILE and file.sha256]
        kept.append((Path(files[0].name), str(files[0].sha256)) if files else None)
    left, right = kept
    if left and right:
        return who_moved(left, right)
    if left or right:
        raise SourceError(f"Only the run {(one if left else other).record.id} left a people file.")
    return None
