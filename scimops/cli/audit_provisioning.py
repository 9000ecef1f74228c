"""Commands of the step audit_provisioning: audit, explain."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scimops.cli.common import BACKEND, JSON, complain, print_json, print_rich, without_algebra
from scimops.cli.evidence import EVIDENCE, SAMPLE, SEED, check
from scimops.cli.evidence import write as write_evidence
from scimops.cli.explain import CONNECTION, LOGS, PEOPLE, SETTING, STATE, explain
from scimops.cli.recording import LEDGER, recorded
from scimops.errors import UsageError

if TYPE_CHECKING:
    from scimops.audit.arrivals import Arrivals
    from scimops.audit.audit import Audit, Question
    from scimops.audit.kept import KeptExport
    from scimops.audit.mask import Mask
    from scimops.audit.report import Report
    from scimops.audit.sources import Sources
    from scimops.preview import Preview

STEP = "audit_provisioning"
EXPORT = Annotated[Path, typer.Argument(help="Today's export.", metavar="EXPORT")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("audit")(audit)
    app.command("explain")(explain)


def audit(
    export: EXPORT, setting: SETTING, connection: CONNECTION = None, state: STATE = None, log: LOGS = None,
    people: PEOPLE = None,
    exceptions: Annotated[Path | None, typer.Option(help="Findings that were accepted.", metavar="E.yaml")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the page, workbook, document and people.", metavar="DIR")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Folder kept between audits: what is new, solved, open since.", metavar="DIR")
    ] = None,
    mask: Annotated[
        str | None, typer.Option(help="Mask people with this key, such as env:SCIMOPS_MASK_KEY.", metavar="REFERENCE")
    ] = None,
    period: Annotated[
        str | None, typer.Option(help="Also: who joined in it, such as 2026-Q3, 2026-09, 2026.", metavar="PERIOD")
    ] = None,
    timeline: Annotated[
        bool, typer.Option("--timeline", help="Also: changes a day, settings and tokens, groups over time.")
    ] = False,
    applied: Annotated[
        Path | None, typer.Option(help="Also: what differs from this plan, applied last.", metavar="PLAN.json")
    ] = None,
    exports: Annotated[
        list[Path] | None,
        typer.Option(help="Earlier exports, for --period, --timeline, --applied: a file or a folder.", metavar="PATH"),
    ] = None,
    new_hires: Annotated[
        list[int] | None,
        typer.Option(help="Also: the new hires of so many days, such as 30.", metavar="DAYS", min=1, max=36_500),
    ] = None,
    first_day: Annotated[
        dt.datetime | None, typer.Option(help="Also: follow a first cycle that began then, in UTC.")
    ] = None,
    save_state: Annotated[
        Path | None, typer.Option(help="Folder in which to keep what the platform held, for --state.", metavar="DIR")
    ] = None,
    fail_on: Annotated[
        list[str] | None, typer.Option(help="Exit 3 on findings of this level or code.", metavar="LEVEL|CODE")
    ] = None,
    evidence: EVIDENCE = None, sample: SAMPLE = None, seed: SEED = None, backend: BACKEND = "polars",
    ledger: LEDGER = None, as_json: JSON = False,
) -> None:  # fmt: skip
    """Did everybody arrive, and why not; who left and is still active.

    Nothing is changed. 3: with --fail-on, findings that nobody accepted. 5: the export, the list of employees or the
    platform was not read whole, so nobody is said to have arrived or left.
    """
    without_algebra()
    from scimops.audit import report as reporting
    from scimops.audit.arrivals import load_arrivals
    from scimops.audit.audit import audit as audited
    from scimops.audit.exceptions import load_exceptions
    from scimops.audit.kept import kept_exports, not_older
    from scimops.audit.kept_report import keep_report
    from scimops.audit.sources import read_sources
    from scimops.setting import load_setting

    reporting.check_words(fail_on or [])
    check(evidence, sample, seed)
    _check_exports(exports, asked=bool(period or timeline or applied))
    series = kept_exports(*exports or [])
    given = {"export": str(export), "setting": str(setting), "connection": connection or "", "state": str(state or ""),
             "log": [str(path) for path in log or []], "people": str(people or ""), "mask": mask or "",
             "applied": str(applied or "")}  # fmt: skip
    with recorded(STEP, "audit", given, ledger) as recording:
        chosen = load_setting(setting)
        entries = load_exceptions(exceptions) if exceptions else None
        about = reporting.about(chosen.name, people=people is not None, mask=_mask(mask))
        earlier = load_arrivals(keep, _mask(mask)) if keep and period else None
        wanted = _further(
            period, series, earlier, new_hires or [], first_day, timeline=timeline, applied=applied,
            folder=setting.parent,
        )  # fmt: skip
        if connection:
            complain(f"Reading what {connection} holds …")
        sources = read_sources(
            export, chosen, setting.parent, connection=connection, state=state, logs=log or [], people=people,
            backend=backend,
        )  # fmt: skip
        if save_state:
            _save(sources, save_state)
        known = [*sources.found, *(not_older(sources.preview.export, series) if period or timeline else [])]
        found = audited(sources.preview, sources.state, sources.logs, hr=sources.hr, found=known)
        asked, personal = wanted(found, sources)
        report = reporting.report_of(found, entries=entries, mask=_mask(mask, sources.preview, personal), asked=asked)
        if keep:
            report = keep_report(report, keep, about)
        failing = reporting.failing(report.findings, fail_on or [])
        if out:
            _write(report, out)
        if evidence:
            files = [export, setting, exceptions, state, save_state, *(log or []), people, *(exports or []), applied]
            write_evidence(
                evidence, report.audit, report.questions, report.findings, files=files,
                sources=None if mask else sources, sample=sample, seed=seed, ledger=ledger,
            )  # fmt: skip
        recording.counts |= report.audit.coverage.counts
        recording.exit_code = 3 if failing else 0
    _show(report, as_json)
    if failing:
        complain(f"Found, and to be failed on: {', '.join(one.code for one in failing)}.")
        raise typer.Exit(3)


def _further(
    period: str | None, series: list[KeptExport], arrivals: Arrivals | None, days: list[int],
    first: dt.datetime | None, *, timeline: bool, applied: Path | None, folder: Path,
) -> Callable[[Audit, Sources], tuple[list[Question], frozenset[str]]]:  # fmt: skip
    """What is asked beyond the usual, its words and files checked before the platform is read.

    What it gives tells besides which groups of other exports than today's are named after people.
    """
    from scimops.audit import asked
    from scimops.audit.asked_over_time import questions as over_time
    from scimops.audit.period import parse_period
    from scimops.plan import load_plan

    span = parse_period(period) if period else None
    plan = load_plan(applied) if applied else None

    def questions(audit: Audit, sources: Sources) -> tuple[list[Question], frozenset[str]]:
        found = [asked.of_period(span, audit, series, sources.hr, arrivals)] if span else []
        found += asked.of_new_hires(days, audit) if days else []
        found += asked.of_first_day(first.replace(tzinfo=dt.UTC), audit, sources.logs) if first else []
        more, personal = over_time(audit, sources, series, folder, applied=plan, timeline=timeline)
        return found + more, personal

    return questions


def _check_exports(exports: list[Path] | None, *, asked: bool) -> None:
    if exports and not asked:
        raise UsageError("Earlier exports answer nothing yet.", advice="Say --period 2026-Q3, --timeline or --applied.")


def _save(sources: Sources, folder: Path) -> None:
    from scimops.present.files import private_folder

    private_folder(folder)
    sources.state.save(folder)


def _mask(
    reference: str | None, preview: Preview | None = None, groups: frozenset[str] = frozenset()
) -> Mask | None:  # fmt: skip
    """The mask of a key; with a preview, groups of it that are named after people are masked as well, and `groups`."""
    if reference is None:
        return None
    from scimops.audit.mask import Mask, mask_key
    from scimops.preview.personal import named_after_people

    return Mask(mask_key(reference), groups | named_after_people(preview) if preview else groups)


def _write(report: Report, out: Path) -> None:
    from scimops.present.audit_files import write_audit

    complain(f"Written to {out}: {', '.join(path.name for path in write_audit(report, out))}")


def _show(report: Report, as_json: bool) -> None:
    if as_json:
        print_json(report.to_dict())
        return
    from scimops.present.audit_tables import audit_tables

    print_rich(audit_tables(report))
