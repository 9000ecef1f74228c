"""From names of files and of a connection to what an audit works on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from scimops.audit.kept import files_in
from scimops.audit.logs.live import read_live
from scimops.audit.people import KEYS
from scimops.audit.state import State, load_state, read_state, without_enrolments
from scimops.audit.told import Logs, More, read_logs
from scimops.errors import UsageError
from scimops.idp import read_export
from scimops.plan.sources import preview_there, read_held
from scimops.preview import Preview
from scimops.preview.stage import keyed_people

if TYPE_CHECKING:
    from scimops.audit.logs.reading import Log
    from scimops.client.snapshot import Snapshot
    from scimops.findings import Finding
    from scimops.idp import Export
    from scimops.setting import Setting


@dataclass(frozen=True)
class Sources:
    """What an audit works on; `found` is what is to be known of the sources themselves."""

    preview: Preview
    state: State
    logs: Logs
    hr: Export | None
    found: list[Finding]


def read_held_state(setting: Setting, connection: str | None, saved: Path | None) -> State:
    """The platform by its connection, or a state that was saved.

    Over a SCIM connection there are no enrolments to be read.

    Raises:
        UsageError: both are named, or none, or there is no such connection.
        SnapshotError: it could not be read whole.
        PlatformError: it could not be read at all.
    """
    if (connection is None) == (saved is None):
        raise UsageError(
            "An audit needs the platform.", advice="Say --connection NAME, or --state FOLDER of a saved one."
        )
    if saved is not None:
        return load_state(saved)
    from scimops.connections import get_connection

    chosen = get_connection(str(connection))
    if chosen.kind == "scim":
        return without_enrolments(read_held(chosen.name, setting))
    from scimops import platform

    with platform.connect(chosen) as there:
        return read_state(there, setting, f'connection "{chosen.name}"')


def live_logs(connection: str, setting: Setting, since: dt.datetime | None = None) -> More:
    """What reads the logs that the platform itself shows, for :func:`gather`: over a SCIM connection there are none.

    Raises (when they are read):
        UsageError: there is no such connection.
        PlatformError: the platform cannot be asked at all.
    """

    def read(folder: Path) -> list[Log]:
        from scimops import platform
        from scimops.connections import get_connection

        chosen = get_connection(connection)
        if chosen.kind == "scim":
            return []
        with platform.connect(chosen) as there:
            ids = [row["resourceId"] for row in there.settings() if row["name"] == setting.name]
            return read_live(there, f'connection "{chosen.name}"', ids, folder, since)

    return read


def _known(preview: Preview, held: Snapshot) -> pl.DataFrame:
    """The keys of everybody in the export and on the platform."""
    theirs = keyed_people(held.users).select(*KEYS, resource_id="id")
    return pl.concat([preview.people.select(*KEYS), theirs], how="diagonal")


def gather(
    export: Path, setting: Setting, state: State, logs: Sequence[Path] = (), people: Path | None = None,
    folder: Path = Path(), *, more: More | None = None, backend: str = "polars",
) -> Sources:  # fmt: skip
    """Read the files of an audit.

    Args:
        export: today's export.
        setting: under which the identity provider pushes.
        state: what the platform holds.
        logs: files of logs, of any kind.
        people: a list of employees.
        folder: where files that the setting names are looked for.
        more: reads logs that are in no file, such as :func:`live_logs`.
        backend: `polars`, or a Spark master: where the preview and all that is made of it is computed.

    Raises:
        ExportError: the export or the list cannot be read.
        SettingError: the setting names a column or file that is not there.
    """
    held = state.snapshot
    preview = preview_there(read_export(export), setting, held, folder, backend=backend)
    known = _known(preview, held) if logs or more else None
    told, found = read_logs(logs, known=known, more=more)
    return Sources(preview, state, told, read_export(people) if people else None, found)


def read_sources(
    export: Path, setting: Setting, folder: Path, *, connection: str | None = None, state: Path | None = None,
    logs: Sequence[Path] = (), people: Path | None = None, backend: str = "polars",
) -> Sources:  # fmt: skip
    """All that an audit works on: the platform, with the logs that it shows itself, then the files.

    The arguments are those of :func:`read_held_state` and :func:`gather`, and so are the errors. Of a folder of logs
    all files are read.
    """
    held = read_held_state(setting, connection, state)
    more = live_logs(connection, setting) if connection else None
    return gather(export, setting, held, files_in(*logs), people, folder, more=more, backend=backend)
