"""What the panel of audit_provisioning is about, without any widget: the sources, and what the audit of them found."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scimops.audit import report as reporting
from scimops.audit.arrivals import Arrivals, load_arrivals
from scimops.audit.asked_over_time import questions
from scimops.audit.audit import Audit, Question, audit
from scimops.audit.exceptions import load_exceptions
from scimops.audit.kept import KeptExport, files_in, kept_exports, not_older
from scimops.audit.kept_report import against_last, keep_report
from scimops.audit.sources import Sources, read_sources
from scimops.errors import ScimopsError, UsageError
from scimops.plan import Plan, load_plan
from scimops.preview.personal import named_after_people
from scimops.setting import load_setting

if TYPE_CHECKING:
    from scimops.audit.since_last import About
    from scimops.samples.story import Story

FAULTS: Final = (
    ("left_renamed", "leaver 5"), ("left_refused", "leaver 6"), ("not_in_idp", "Sales 6"), ("two_accounts", "Sales 4"),
    ("domain_not_allowed", "Sales 3"), ("seats_full", "Legal 2"), ("never_sent", "Marketing 2"),
    ("deactivated_by_hand", "Marketing 3"), ("group_deleted", "Procurement"), ("auto_enrol_off", "Finance"),
    ("value_stale", "Engineering 3"), ("not_in_report", "Engineering 4"),
)  # fmt: skip
"""What goes wrong in the invented company that is audited where no export is given."""


@dataclass(frozen=True)
class Given:
    """What is audited: paths, and the name of a connection. No export: an invented company, to look around.

    `fail_on`: levels or codes with commas between them. `kept`: the folder that is kept from audit to audit. `applied`:
    the plan that was applied last. `exports`: those of earlier days, with commas between them, or a folder.
    """

    export: str = ""
    setting: str = ""
    connection: str = ""
    state: str = ""
    logs: str = ""
    people: str = ""
    exceptions: str = ""
    fail_on: str = ""
    kept: str = ""
    out: str = ""
    exports: str = ""
    applied: str = ""


@dataclass
class AuditSession:
    """One audit. `problem`: why there is none."""

    given: Given
    made: reporting.Report | None = None
    arrivals: Arrivals | None = None
    sources: Sources | None = None
    problem: ScimopsError | None = None
    _earlier: frozenset[str] = frozenset()
    _example: Story | None = None
    _folder: tempfile.TemporaryDirectory[str] | None = field(default=None, repr=False)

    @property
    def report(self) -> reporting.Report:
        """What is told of the audit.

        Raises:
            ScimopsError: there is none, and this is why.
        """
        if self.made is None:
            raise self.problem or UsageError("There is no audit yet.", advice="Run the panel's cell first.")
        return self.made

    @property
    def audit(self) -> Audit:
        """The audit; errors as :attr:`report`."""
        return self.report.audit

    @property
    def invented(self) -> bool:
        """Is it the audit of an invented company?"""
        return not self.given.export

    def make(self) -> None:
        """Read everything anew and audit it.

        Raises:
            ScimopsError: a source cannot be read whole, or a parameter is wrong.
        """
        self.made, self.problem = None, None
        try:
            reporting.check_words(self._words)
            entries = load_exceptions(self.given.exceptions) if self.given.exceptions else None
            plan = load_plan(Path(self.given.applied)) if self.given.applied else None
            series = kept_exports(*files_of(self.given.exports))
            self.sources = self._read()
            found = audit(
                self.sources.preview, self.sources.state, self.sources.logs, hr=self.sources.hr,
                found=[*self.sources.found, *not_older(self.sources.preview.export, series)],
            )  # fmt: skip
            asked, self._earlier = self._over_time(found, series, plan)
            report = reporting.report_of(found, entries=entries, asked=asked)
            if self.given.kept:
                report = against_last(report, Path(self.given.kept), self._about(found))
                self.arrivals = load_arrivals(self.given.kept)
            self.made = report
        except ScimopsError as error:
            self.problem = error
            raise

    def _read(self) -> Sources:
        given = self.given
        if self.invented:
            return self._read_example()
        setting = load_setting(given.setting)
        return read_sources(
            Path(given.export), setting, Path(given.setting).parent, connection=given.connection or None,
            state=Path(given.state) if given.state else None, logs=files_of(given.logs),
            people=Path(given.people) if given.people else None,
        )  # fmt: skip

    def _read_example(self) -> Sources:
        """An invented company with faults of many kinds.

        Raises:
            UsageError: a platform or logs are given, and no export.
        """
        if self.given.connection or self.given.state or self.given.logs or self.given.people:
            raise UsageError("No export is given.", advice="Name today's export in `export`.")
        from scimops.samples.story import write_story

        if self._example is None:
            self._folder = tempfile.TemporaryDirectory(prefix="scimops-")
            self._example = write_story(self._folder.name, FAULTS)
        story = self._example
        return read_sources(
            story.exports[-1], load_setting(story.setting), story.folder, state=story.state, logs=story.logs,
            people=story.hr,
        )  # fmt: skip

    def _over_time(
        self, found: Audit, series: list[KeptExport], plan: Plan | None
    ) -> tuple[list[Question], frozenset[str]]:  # fmt: skip
        assert self.sources is not None
        folder, story = Path(self.given.setting).parent, self._example
        if story is not None:
            folder, series = story.folder, kept_exports(*story.exports[:-1])
        return questions(found, self.sources, series, folder, applied=plan, timeline=True)

    @property
    def asked(self) -> dict[str, Question]:
        """The questions over time, by name."""
        return {one.name: one for one in self.report.asked}

    @property
    def personal(self) -> frozenset[str]:
        """Keys of groups that are named after people, in any of the exports."""
        return self._earlier | named_after_people(self.audit.preview)

    def _about(self, found: Audit) -> About:
        return reporting.about(found.preview.setting.name, people=found.coverage.population.source == "hr", mask=None)

    def write(self) -> list[Path]:
        """Write the report into `out`, and what is kept for the next audit into `kept`; the report's files.

        Raises:
            ScimopsError: there is no audit, or what is kept is of another setting or platform.
        """
        report, given = self.report, self.given
        if given.kept:  # first, so that the files have what is found of the nights before
            folder = Path(given.kept)
            self.made = report = keep_report(report, folder, self._about(report.audit))
            self.arrivals = load_arrivals(folder)
        if not given.out:
            return []
        from scimops.present.audit_files import write_audit

        return write_audit(report, Path(given.out))

    @property
    def _words(self) -> list[str]:
        """The words of `fail_on`."""
        return [word for word in map(str.strip, self.given.fail_on.split(",")) if word]

    @property
    def exit_code(self) -> int:
        """3 where something was found that a word of `fail_on` means, and nobody accepted it; else 0."""
        return 3 if reporting.failing(self.report.findings, self._words) else 0


def files_of(words: str) -> Sequence[Path]:
    """The files that `words` name, with commas between them; of a folder all in it, by name.

    Raises:
        UsageError: a folder holds none.
    """
    named = [word for word in map(str.strip, words.split(",")) if word]
    for word in named:
        if not files_in(word):
            raise UsageError("The folder is empty.", where=word, advice="Put the files there, or name them.")
    return files_in(*named)
