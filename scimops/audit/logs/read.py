"""Files of logs, whichever they are, to events in Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scimops.audit.logs import documents, tables
from scimops.audit.logs.documents import Page
from scimops.audit.logs.download import EVENTS, Part, kind_of, read_download
from scimops.audit.logs.pieces import Pieces
from scimops.audit.logs.problems import settle
from scimops.audit.logs.reading import Log, Reading
from scimops.errors import SourceError
from scimops.idp.encoding import is_json
from scimops.idp.source import Source, Workspace, is_workbook, open_source


def read_files(paths: Sequence[Path], folder: Path) -> list[Log]:
    """Read files of logs, in any order; events go into `folder`, of the first file as `log1-0001.parquet` and so on.

    Where Entra ID's steps or modified properties are among them as CSV, they are joined to its events.

    Raises:
        SourceError: a file cannot be read, or is no log that is known.
    """
    sources = [_opened(path) for path in paths]
    files = [source if is_json(source.head) else Pieces(source) for source in sources]
    readings = [Reading(source.name, folder, f"log{number}") for number, source in enumerate(sources, 1)]
    parts = {}
    for number, file in enumerate(files):
        if isinstance(file, Pieces) and (kind := kind_of(file.headers)):
            parts[number] = Part(kind, file, readings[number])
    if all(part.kind == EVENTS for part in parts.values()):
        parts.clear()
    read_download(list(parts.values()))
    return [parts[number].reading.log if number in parts else _read(files[number], reading)
            for number, reading in enumerate(readings)]  # fmt: skip


def _opened(path: Path) -> Source:
    source = open_source(path, Workspace())
    if is_workbook(source.head):
        raise SourceError("is a workbook, not a log.", where=source.name, advice="Name the file as it was downloaded.")
    return source


def _read(file: Source | Pieces, reading: Reading) -> Log:
    page = Page()
    for record, why in tables.records(file, page) if isinstance(file, Pieces) else documents.records(file, page):
        reading.add(record, why)
    reading.flush()
    log = reading.log
    if log.records and not log.source:
        raise SourceError("is no log that scimops knows.", where=log.file,
                          advice="Known are Entra ID's provisioning log, Okta's system log, the platform's logs and "
                                 "the receipts of an apply. Of a folder, name its logs one by one, or put the others "
                                 "elsewhere.")  # fmt: skip
    return settle(reading, page)
