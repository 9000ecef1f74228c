"""From names of a connection and a folder to a snapshot, and from an export with it to a plan."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scimops.plan.document import Plan
from scimops.plan.make import make_plan
from scimops.plan.memberships import existing
from scimops.preview import ExistingGroups, Preview, preview_export

if TYPE_CHECKING:
    from scimops.client.snapshot import Snapshot
    from scimops.idp import Export
    from scimops.setting import Setting


def read_held(connection: str, setting: Setting) -> Snapshot:
    """What the service provider of `connection` holds: over SCIM, else through the management API.

    Raises:
        UsageError: there is no such connection.
        SnapshotError: it could not be read whole.
        PlatformError: it could not be read at all.
    """
    from scimops.connections import get_connection

    chosen = get_connection(connection)
    if chosen.kind == "scim":
        from scimops import client

        with client.connect(chosen) as service_provider:
            return service_provider.read_snapshot(setting)
    from scimops import platform
    from scimops.client.management import read_from_platform

    with platform.connect(chosen) as there:
        return read_from_platform(there, setting, f'connection "{chosen.name}"')


def plan_for(
    export: Export, setting: Setting, held: Snapshot, folder: Path, *, delete: bool = False
) -> tuple[Preview, Plan]:  # fmt: skip
    """The preview of `export` on the channel `apply`, and the plan that makes it true where `held` was read.

    `folder` is where files that the setting names are looked for; `delete` as in :func:`make_plan`.

    Raises:
        SettingError: the setting names a column or file that is not there.
        IncompleteSourceError: the export is a part, mostly foreign or too old.
    """
    names = dict(existing(held).select("group_key", "group").iter_rows())
    preview = preview_export(
        export, setting, existing=ExistingGroups(names, held.where), channel="apply", folder=folder,
        capabilities=held.capabilities,
    )  # fmt: skip
    return preview, make_plan(preview, held, delete=delete)
