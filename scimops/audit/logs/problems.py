"""What a log lacks, each said plainly; an audit shows these beside what it concludes."""

from __future__ import annotations

from scimops.findings import Code

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
        "Download one tenant's log, or name yours; without that nobody can tell whose events these are.",
        {"file": "log.json", "tenants": "1b2c (40), 9f8e (2)"},
    ),
    "log_two_applications": Code(
        "warning",
        "{file} holds events of several applications: {applications}.",
        "Name the application of your setting, so that what was sent elsewhere is not taken for sent here.",
        {"file": "log.json", "applications": "Awareness (40), Payroll (2)"},
    ),
    "log_other_tenant": Code(
        "error",
        "{count:event|events} of {file} are not of {wanted} and were left out: {found}.",
        "Download the log of the right tenant or application.",
        {"file": "log.json", "wanted": "tenant 1b2c", "found": "9f8e (2)"},
    ),
}  # fmt: skip
"""Every finding of a log, with its level, sentence, advice and an example."""
