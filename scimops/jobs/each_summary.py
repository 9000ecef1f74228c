"""What came of a notebook that ran for many companies: one line each, the worst first, against the run before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from scimops.errors import UsageError
from scimops.jobs.history import Logged, Wanted, runs, the_run
from scimops.jobs.record import Outcome
from scimops.jobs.stopping import EXIT_CODES

Result = Literal["failed", "not_run", "withheld", "findings", "ok"]

WORST_FIRST: Final[tuple[Result, ...]] = ("failed", "not_run", "withheld", "findings", "ok")
_BY_CODE: Final[dict[int, Result]] = {0: "ok", 3: "findings", 4: "withheld"}

COMMAND: Final = "run --each"
"""The command of a parent record."""

_PARENTS_READ: Final = 50


def result_of(outcome: str, exit_code: int | None) -> Result:
    """A run's result in one word."""
    return _BY_CODE.get(-1 if exit_code is None else exit_code, "failed") if outcome == "completed" else "failed"


@dataclass(frozen=True)
class CompanyRun:
    """One company's run. `outcome` is empty and `run` too where nothing ran; `exit_code` is null where it broke off.

    `before` is the result of the last run that had this company; empty where there was none. `head` is that of the
    company's own `ledger`, empty where it has no record yet. `seconds` is wall time.
    """

    name: str
    result: Result = "not_run"
    before: str = ""
    outcome: str = ""
    exit_code: int | None = None
    message: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    run: str = ""
    head: str = ""
    ledger: str = ""
    folder: str = ""
    page: str = ""
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EachRun:
    """A notebook's runs for many companies, the worst first. `head` is that of the main ledger.

    `signal` is what cancelled it, empty where nothing did. `continues` is the run whose failures were run again.
    """

    id: str
    notebook: str
    companies_file: str
    folder: str
    started: str
    ended: str
    seconds: float
    companies: tuple[CompanyRun, ...]
    signal: str = ""
    continues: str = ""
    head: str = ""

    @property
    def counts(self) -> dict[str, int]:
        """How many companies came to what, the worst first."""
        return {result: sum(one.result == result for one in self.companies) for result in WORST_FIRST}

    @property
    def exit_code(self) -> int:
        """1 where any failed, else 4, else 3, else 0; that of the signal where it was cancelled."""
        there = {one.result for one in self.companies}
        if self.signal:
            return EXIT_CODES[self.signal]
        if there & {"failed", "not_run"}:
            return 1
        return 4 if "withheld" in there else 3 if "findings" in there else 0

    @property
    def outcome(self) -> Outcome:
        """The parent's own."""
        if self.signal:
            return "cancelled"
        return "failed" if self.exit_code == 1 else "completed"

    def to_dict(self) -> dict[str, Any]:
        """What `scimops run --each --json` prints."""
        return {
            "format": 1, **asdict(self), "outcome": self.outcome, "exit_code": self.exit_code, "counts": self.counts,
            "companies": [asdict(one) for one in self.companies],
        }  # fmt: skip


def sorted_worst_first(companies: Iterable[CompanyRun]) -> tuple[CompanyRun, ...]:
    """By result, then by name."""
    return tuple(sorted(companies, key=lambda one: (WORST_FIRST.index(one.result), one.name.casefold())))


def results_before(notebook: Path, companies_file: Path, ledger: Path | None) -> dict[str, str]:
    """Each company's last result, by the newest parent records of this notebook and this file."""
    found: dict[str, str] = {}
    read = 0
    for logged in runs(ledger, Wanted(notebook=notebook.name)):
        if _is_parent(logged, notebook, companies_file):
            found = results_in(logged) | found
            read += 1
        if read == _PARENTS_READ:
            break
    return found


def results_in(logged: Logged) -> dict[str, str]:
    """The companies of a parent record: name → result."""
    return logged.record.companies


def failed_in(run_id: str, notebook: Path, companies_file: Path, ledger: Path | None) -> tuple[str, list[str]]:
    """Id of a parent run, and its companies that failed or were not run.

    Raises:
        UsageError: there is no such run, or it is none of this notebook and this file, or it broke off.
    """
    logged = the_run(run_id, ledger)
    if not _is_parent(logged, notebook, companies_file):
        raise UsageError(f"The run {logged.record.id} is none of this notebook with --each and this file.",
                         advice="scimops runs list shows the ids.")  # fmt: skip
    if logged.record.outcome == "broken":
        raise UsageError(f"The run {logged.record.id} broke off, and does not say who failed.",
                         advice="Leave out --retry-failed; all companies run again.")  # fmt: skip
    return logged.record.id, [name for name, result in results_in(logged).items() if result in ("failed", "not_run")]


def _is_parent(logged: Logged, notebook: Path, companies_file: Path) -> bool:
    record = logged.record
    return (
        record.command == COMMAND
        and record.notebook is not None
        and record.notebook.path == str(notebook.absolute())
        and record.parameters.get("companies") == str(companies_file.absolute())
    )
