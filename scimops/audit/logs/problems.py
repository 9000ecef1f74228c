"""What a log lacks, each said plainly; an audit shows these beside what it concludes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from scimops.audit.logs.events import NO_ZONE, SENDING
from scimops.audit.logs.reading import time_of
from scimops.findings import Code, Finding, finding

if TYPE_CHECKING:
    from scimops.audit.logs.documents import Page
    from scimops.audit.logs.reading import Log, Reading

CATALOGUE: dict[str, Code] = {
    "log_incomplete": Code(
        "error",
        "{file} is only a part of the log: {missing}.",
        "Download it again until it is whole. Nothing is concluded from what is missing in it.",
        {"file": "ProvisioningLogs.json", "missing": "it breaks off in record 120"},
    ),
    "log_unreadable": Code(
        "error",
        "{count:record|records} of {file} cannot be read ({why}).",
        "Look at the records named here. Most often a file was edited by hand or joined from two; download it again.",
        {"file": "ProvisioningLogs.csv", "why": "it has no time"},
    ),
    "log_empty": Code(
        "warning",
        "{file} holds no event.",
        "Check the dates and filters of the download. Nothing is concluded from an empty log.",
        {"file": "ProvisioningLogs.json"},
    ),
    "log_no_provisioning": Code(
        "warning",
        "{file} has no event of provisioning at all.",
        "Download it with the events of provisioning. Nothing is concluded from its silence.",
        {"file": "okta-system-log.json"},
    ),
    "log_other_application": Code(
        "warning",
        "Of the ids that {count:person|people} have in {file}, the platform knows none.",
        "Is it the log of another application? Then leave it out: what it tells is taken for what was sent here.",
        {"file": "ProvisioningLogs.json"},
    ),
    "log_gap": Code(
        "warning",
        "{file} has {count:gap|gaps} far longer than its usual pause of {usual}: {gaps}.",
        "Download that time again, or find out what stood still. For it the audit says that no log covers it.",
        {"file": "log.json", "usual": "40 minutes", "gaps": "2026-11-02T08:00Z to 2026-11-07T09:00Z"},
    ),
    "log_zones_mixed": Code(
        "warning",
        "{file} has times of several zones: {zones}. All were brought to UTC.",
        "Times without a zone were taken for UTC. If they are not, the order of events here is wrong: download again "
        "in UTC.",
        {"file": "log.csv", "zones": "Z, +03:00"},
    ),
    "log_no_zone": Code(
        "warning",
        "The times of {file} name no zone; they were taken for UTC.",
        "If they are not UTC, download the log again in UTC: else events stand hours away from where they were.",
        {"file": "log.csv"},
    ),
    "log_two_tenants": Code(
        "error",
        "{file} holds events of several tenants: {tenants}.",
        "Download your tenant's log alone. Nothing is concluded from what is missing in this one.",
        {"file": "log.json", "tenants": "1b2c (40), 9f8e (2)"},
    ),
    "log_two_applications": Code(
        "warning",
        "{file} holds events of several applications: {applications}.",
        "Download it with a filter on the application of your setting, so that what was sent elsewhere is not taken "
        "for sent here.",
        {"file": "log.json", "applications": "Awareness (40), Payroll (2)"},
    ),
    "log_twice": Code(
        "info",
        "{file} is the same as another file of logs: it is read once.",
        "Name each file once.",
        {"file": "log.json"},
    ),
    "log_overlaps": Code(
        "warning",
        "{file} tells events that {other} tells too.",
        "What is counted by day is too high for them; who did what is not. Name logs of different times, each in "
        "one format.",
        {"file": "log-2026-11-24.json", "other": "log-2026-11-23.json"},
    ),
    "log_tenants_differ": Code(
        "error",
        "The logs are of several tenants: {tenants}.",
        "Name the logs of your tenant alone. Nothing is concluded from what is missing in these.",
        {"tenants": "a.json of 1b2c, b.json of 9f8e"},
    ),
    "log_part_alone": Code(
        "error",
        "{file} has {what} of Entra ID's provisioning log alone ({count:row|rows}). When, who and what outcome stands "
        "in the events, and no CSV file of those was named: it is not used.",
        "Name ProvisioningLogs.csv of the same download too. The download as JSON has all in one.",
        {"file": "ProvisioningLogs_ProvisioningSteps.csv", "what": "the provisioning steps"},
    ),
    "log_part_unmatched": Code(
        "warning",
        "{count:row|rows} of {file} belong to no event that was read, by the change ID: they are not used.",
        "Name the files of one download, each whole and with its column of the change ID.",
        {"file": "ProvisioningLogs_ModifiedProperties.csv"},
    ),
    "log_part_ambiguous": Code(
        "warning",
        "{count:event|events} of {file} share a change ID with another one: what belongs to them in the files of steps "
        "and properties is not used.",
        "Download the log as JSON: there each event has its own.",
        {"file": "ProvisioningLogs.csv"},
    ),
    "log_other_tenant": Code(
        "error",
        "None of the {count:event|events} about people in {file} is about anybody in the export or on the platform: "
        "the log is not used.",
        "It is the log of another tenant or application. Download yours.",
        {"file": "log.json"},
    ),
    "log_dry_run": Code(
        "warning",
        "{file} are receipts of a dry run: nothing of it was sent. They are not used.",
        "Name the receipts of an apply.",
        {"file": "receipts.json"},
    ),
    "log_not_readable": Code(
        "warning",
        "{what} cannot be read from the platform: {why}",
        "Nothing is concluded from it. Use a credential that may read it, or name a file of the log.",
        {"what": "The audit log", "why": "the credential has no right to it."},
    ),
}  # fmt: skip
"""Every finding of a log, with its level, sentence, advice and an example."""


def settle(reading: Reading, page: Page) -> Log:
    """The log that was read, with what it lacks, and the stretches of time of which something may be concluded."""
    log = reading.log
    log.problems = list(find(reading, page))
    doubts = {one.code for one in log.problems} & {"log_incomplete", "log_two_tenants", "log_no_provisioning"}
    log.spans = [] if doubts else reading.spans()
    if page.around.get("dry_run") is True:  # receipts of what was never sent
        log.drop()
    return log


def find(reading: Reading, page: Page) -> Iterator[Finding]:
    """What a log that was read lacks, each said plainly."""
    log = reading.log
    missing = page.broken or ("the next page is not in it" if page.more else "")
    if not missing and page.total is not None and page.total > log.records:
        missing = f"it says {page.total:,} records in all and holds {log.records:,}"
    if missing:
        yield said("log_incomplete", file=log.file, missing=missing)
    if page.around.get("dry_run") is True:
        yield said("log_dry_run", file=log.file)
    yield from find_in(reading)


def find_in(reading: Reading) -> Iterator[Finding]:
    """What the records of a log lack."""
    log = reading.log
    for why, count in log.unreadable.items():
        yield said("log_unreadable", count=count, rows=sorted(log.rows[why]), file=log.file, why=why)
    if not log.events:
        yield said("log_empty", file=log.file)
    elif not reading.provisioning and log.source in SENDING:
        yield said("log_no_provisioning", file=log.file)
    gaps, usual = reading.gaps()
    if gaps:
        shown = "; ".join(f"{time_of(start)[:16]}Z to {time_of(end)[:16]}Z" for start, end in gaps[:10])
        yield said("log_gap", count=len(gaps), file=log.file, usual=f"{usual:,} minutes", gaps=shown)
    named = sorted(reading.zones - {NO_ZONE})
    if len(reading.zones) > 1:
        yield said("log_zones_mixed", file=log.file, zones=", ".join([*named, *reading.zones & {NO_ZONE}]))
    elif reading.zones == {NO_ZONE}:
        yield said("log_no_zone", file=log.file)
    yield from _whose(log)


def _whose(log: Log) -> Iterator[Finding]:
    if len(log.tenants) > 1:
        yield said("log_two_tenants", file=log.file, tenants=_counts(log.tenants))
    if len(log.applications) > 1:
        yield said("log_two_applications", file=log.file, applications=_counts(log.applications))


def differing_tenants(logs: Iterable[Log]) -> list[Finding]:
    """Say it where logs name different tenants; then nothing is concluded from the silence of any of them."""
    named = [log for log in logs if log.parts and log.tenants]
    if len(named) < 2 or len({tenant for log in named for tenant in log.tenants}) < 2:
        return []
    for log in named:
        log.spans.clear()
    whose = (f"{log.file} of {' and '.join(one for one, _ in log.tenants.most_common(3))}" for log in named)
    return [said("log_tenants_differ", tenants=", ".join(whose))]


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{one} ({count:,})" for one, count in counter.most_common(5))


def said(code: str, *, count: int = 0, rows: Iterable[int] = (), **values: Any) -> Finding:
    """A finding of :data:`CATALOGUE`."""
    return finding(code, count=count, row_numbers=rows, catalogue=CATALOGUE, **values)
