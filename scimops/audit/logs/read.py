"""Files of logs, whichever they are, to events in Parquet."""

from __future__ import annotations

from pathlib import Path

from scimops.audit.logs import documents, tables
from scimops.audit.logs.documents import Page
from scimops.audit.logs.problems import find
from scimops.audit.logs.reading import Log, Reading
from scimops.errors import SourceError
from scimops.idp.encoding import is_json
from scimops.idp.source import Workspace, is_workbook, open_source


def read_log(path: Path, folder: Path, name: str = "log") -> Log:
    """Read one file of a log; its events go into `folder`, as `NAME-0001.parquet` and so on.

    Raises:
        SourceError: the file cannot be read, or is no log that is known.
    """
    source = open_source(path, Workspace())
    if is_workbook(source.head):
        raise SourceError("is a workbook, not a log.", where=source.name, advice="Name the file as it was downloaded.")
    page, reading = Page(), Reading(source.name, folder, name)
    reader = documents if is_json(source.head) else tables
    for record, why in reader.records(source, page):
        reading.add(record, why)
    reading.flush()
    log = reading.log
    if log.records and not log.source:
        raise SourceError("is no log that scimops knows.", where=source.name,
                          advice="Known are Entra ID's provisioning log, Okta's system log, the platform's logs and "
                                 "the receipts of an apply.")  # fmt: skip
    log.problems = list(find(reading, page))
    doubts = {one.code for one in log.problems} & {"log_incomplete", "log_two_tenants"}
    log.spans = [] if doubts else reading.spans()
    if page.around.get("dry_run") is True:  # receipts of what was never sent
        log.drop()
    return log
