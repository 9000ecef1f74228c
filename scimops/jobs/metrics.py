"""The last run of each job as metrics for Prometheus, in a file for node_exporter's textfile collector.

Only numbers, and the names of counts, notebook and company: nothing about people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile
from prometheus_client.parser import text_string_to_metric_families

from scimops.errors import ScimopsError
from scimops.jobs.job import COMPLETED
from scimops.jobs.kernel_seam import redacted
from scimops.jobs.record import Outcome

if TYPE_CHECKING:
    from scimops.jobs.each_summary import EachRun
    from scimops.jobs.run import Run

SUCCESS: Final = "scimops_run_last_success_timestamp_seconds"
_LABELS: Final = ("notebook", "company")


@dataclass(frozen=True)
class Last:
    """The last run of a notebook, for one company (empty where it is for none). `ended` is a time in ISO 8601."""

    notebook: str
    ended: str
    seconds: float
    outcome: str
    exit_code: int | None
    counts: Mapping[str, int] = field(default_factory=dict)
    company: str = ""


def last_of(run: Run) -> list[Last]:
    """What a single run says."""
    return [Last(run.notebook, run.ended, run.seconds, run.outcome, run.exit_code, run.counts)]


def last_of_each(each: EachRun) -> list[Last]:
    """What the runs of many companies say; those that were not run say nothing. They ended when the last one did."""
    return [
        Last(Path(each.notebook).name, each.ended, one.seconds, one.outcome, one.exit_code, one.counts, one.name)
        for one in each.companies if one.run
    ]  # fmt: skip


def write_metrics(path: Path, lasts: Iterable[Last]) -> None:
    """Write `path` anew, whole or not at all.

    When a run was last completed stays as the file had it, where no newer one was.

    Raises:
        ScimopsError: it cannot be written; what was there before stays.
    """
    gauges = _Gauges()
    for labels, when in _successes(path).items():
        gauges.success.labels(*labels).set(when)
    for last in lasts:
        gauges.tell(last)
    try:
        write_to_textfile(str(path), gauges.registry)
        path.chmod(0o644)  # who collects it is another user, whom the umask of a job may shut out
    except OSError as error:
        raise ScimopsError(
            f"the metrics cannot be written there ({error.strerror}).",
            where=str(path),
            advice="Name a file in a folder that is there.",
        ) from None


class _Gauges:
    """The metrics, empty."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.ended = self._gauge("scimops_run_timestamp_seconds", "When the last run ended.")
        self.success = self._gauge(SUCCESS, "When a run was last completed.")
        self.seconds = self._gauge("scimops_run_duration_seconds", "How long the last run took.")
        self.exit_code = self._gauge("scimops_run_exit_code", "The last run's exit code.")
        self.outcome = self._gauge("scimops_run_outcome", "1 at the last run's outcome.", "outcome")
        self.count = self._gauge("scimops_run_count", "What the last run's step counted.", "name")

    def _gauge(self, name: str, about: str, *labels: str) -> Gauge:
        return Gauge(name, about, (*_LABELS, *labels), registry=self.registry)

    def tell(self, last: Last) -> None:
        """Set what `last` says."""
        labels = (redacted(last.notebook), redacted(last.company))
        when = datetime.fromisoformat(last.ended).timestamp()
        self.ended.labels(*labels).set(when)
        self.seconds.labels(*labels).set(last.seconds)
        if last.exit_code is not None:
            self.exit_code.labels(*labels).set(last.exit_code)
        for outcome in get_args(Outcome):
            self.outcome.labels(*labels, outcome).set(outcome == last.outcome)
        for name, count in last.counts.items():
            self.count.labels(*labels, redacted(name)).set(count)
        if last.outcome == COMPLETED:
            self.success.labels(*labels).set(when)


def _successes(path: Path) -> dict[tuple[str, str], float]:
    """When each was last completed, as the file says; nothing where it is not there, or no such file."""
    try:
        families = list(text_string_to_metric_families(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, IndexError):
        return {}
    found = [sample for family in families for sample in family.samples if sample.name == SUCCESS]
    return {(one.labels.get("notebook", ""), one.labels.get("company", "")): float(one.value) for one in found}
