"""The logs that the platform itself shows, read through its management API and never held in memory as a whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scimops.audit.logs.events import SENDING, UnreadableError, time_and_zone
from scimops.audit.logs.problems import find_in, said
from scimops.audit.logs.reading import KINDS, Log, Reading, add_all
from scimops.errors import IncompleteSourceError
from scimops.http.faults import AnswerError, ForbiddenError, NotFoundError, RefusedError, ServerFaultError

if TYPE_CHECKING:
    from scimops.platform import Platform

_NAMES = {"provisioning_log": "The provisioning log", "platform_audit": "The audit log", "platform_jobs": "The jobs"}
_UNREADABLE = (AnswerError, ForbiddenError, IncompleteSourceError, NotFoundError, RefusedError, ServerFaultError)


def read_live(
    there: Platform, where: str, setting_ids: list[str], folder: Path, since: dt.datetime | None = None
) -> list[Log]:  # fmt: skip
    """The audit log, and what says what was sent: the provisioning log of settings, or the jobs where there is none.

    Args:
        there: the platform.
        where: its name, such as `connection "acme"`.
        setting_ids: the platform's ids of the SCIM settings.
        folder: events go into it, as `live1-0001.parquet` and so on.
        since: nothing older is wanted.

    What may not be read, or changes while it is read, has a finding and neither events nor spans.

    Raises:
        PlatformError: the platform cannot be asked at all.
    """
    started = dt.datetime.now(dt.UTC)
    asked = {"since": since.isoformat()} if since else {}
    reads: list[tuple[str, Callable[[], Iterable[Any]]]] = []
    if there.capabilities().own:  # its jobs are made of this log
        reads += [("provisioning_log", partial(there.provisioning_log, one, **asked)) for one in setting_ids]
    else:
        reads += [("platform_jobs", partial(_jobs, there, since))]
    reads += [("platform_audit", lambda: _since(there.audit_log(), "logDate", since))]
    return [_read(kind, read, where, folder, f"live{number}", started) for number, (kind, read) in enumerate(reads, 1)]


def _read(
    source: str, read: Callable[[], Iterable[Any]], where: str, folder: Path, name: str, started: dt.datetime
) -> Log:  # fmt: skip
    kind = next(kind for kind in KINDS if kind.source == source)
    reading = Reading(f"{where}, {_NAMES[source].removeprefix('The ')}", folder, name, kind)
    log = reading.log
    try:
        add_all(reading, read())
    except _UNREADABLE as error:
        log.drop()
        log.problems = [said("log_not_readable", what=_NAMES[source], why=error.message)]
        return log
    if log.events and source in SENDING:  # it holds whatever was sent until it was read
        reading.see(started.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
    log.spans = reading.spans()
    log.problems = [one for one in find_in(reading) if one.code != "log_empty"]
    return log


def _jobs(there: Platform, since: dt.datetime | None) -> Iterator[Any]:
    for job in _since(there.jobs(), "createTime", since):
        yield there.job(job["resourceId"])


def _since(lines: Iterable[Any], name: str, since: dt.datetime | None) -> Iterator[Any]:
    """The lines that are not older; one without a time is kept, and will be counted as unreadable."""
    for line in lines:
        try:
            old = since is not None and dt.datetime.fromisoformat(time_and_zone(line.get(name))[0]) < since
        except UnreadableError:
            old = False
        if not old:
            yield line
