"""From names of a connection and a folder to a snapshot, and from an export with it to a plan."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from scimops.errors import IncompleteSourceError, UsageError
from scimops.plan import grace
from scimops.plan.document import Plan
from scimops.plan.history import History, read_history
from scimops.plan.make import make_plan
from scimops.plan.masters import CANNOT_TELL
from scimops.plan.memberships import existing
from scimops.preview import ExistingGroups, Preview, preview_export

if TYPE_CHECKING:
    from scimops.client.snapshot import Snapshot
    from scimops.idp import Export
    from scimops.platform import Platform
    from scimops.setting import Setting


LATELY = dt.timedelta(days=7)
"""Two tokens of a setting that were both used since are two masters."""


@dataclass(frozen=True)
class Past:
    """Where receipts of earlier applies are looked for, and whether there is no plan without them."""

    folder: Path
    required: bool = False


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
        held = read_from_platform(there, setting, f'connection "{chosen.name}"')
        seats = there.seats() if setting.seats is None else None
        if not there.capabilities().own:
            return replace(held, seats=seats, cannot_tell=(*held.cannot_tell, CANNOT_TELL))
        return replace(held, seats=seats, tokens=_tokens_in_use(there, setting, held.read_at))


def _tokens_in_use(there: Platform, setting: Setting, read_at: str) -> tuple[str, ...]:
    """Names of the setting's good tokens that were used lately."""
    since = dt.datetime.fromisoformat(read_at) - LATELY
    own = [row["resourceId"] for row in there.settings() if row["name"] == setting.name]
    tokens = [one for setting_id in own for one in there.tokens(setting_id) if one["state"] == "active"]
    used = {str(one["name"]): one["last_used"] for one in tokens if one["last_used"]}
    return tuple(name for name, time in used.items() if dt.datetime.fromisoformat(time) >= since)


def preview_there(
    export: Export, setting: Setting, held: Snapshot, folder: Path, channel: str = "idp", *, backend: str = "polars"
) -> Preview:  # fmt: skip
    """The preview of `export` where `held` was read: with the groups it has, and what it does by itself.

    `folder` is where files that the setting names are looked for.

    Raises:
        SettingError: the setting names a column or file that is not there.
    """
    names = dict(existing(held).select("group_key", "group").iter_rows())
    return preview_export(
        export, setting, existing=ExistingGroups(names, held.where), channel=channel, backend=backend, folder=folder,
        capabilities=held.capabilities,
    )  # fmt: skip


def plan_for(
    export: Export, setting: Setting, held: Snapshot, folder: Path, *, delete: bool = False, past: Past | None = None
) -> tuple[Preview, Plan]:  # fmt: skip
    """The preview of `export` on the channel `apply`, and the plan that makes it true where `held` was read.

    `folder` is where files that the setting names are looked for; `delete` as in :func:`make_plan`. With a grace period
    in the setting, it is remembered in the folder of `past` who is missing from this export.

    Raises:
        SettingError: the setting names a column or file that is not there.
        IncompleteSourceError: the export is a part, mostly foreign or too old; or what earlier applies took away is
            required, and not known.
        UsageError: it is required, and the setting has no window.
    """
    history = _history(past, held, setting) if past else None
    preview = preview_there(export, setting, held, folder, "apply")
    plan = make_plan(preview, held, delete=delete, history=history)
    if past and history and setting.safeguards.grace is not None:
        grace.remember(past.folder, plan, history)
    return preview, plan


def _history(past: Past, held: Snapshot, setting: Setting) -> History:
    window, read_at = setting.safeguards.window, dt.datetime.fromisoformat(held.read_at)
    history = read_history(past.folder, held.where, read_at, window)
    if not past.required or history.known:
        return history
    if window is None:
        raise UsageError("History is required, and the setting has no window.", advice="Say safeguards: {window: 7d}.")
    which = f"these applies have not ended, or cannot be read: {', '.join(history.unclear[:5])}"
    raise IncompleteSourceError(
        f"No plan is made: {which if history.unclear else 'no receipts of earlier applies were found'}.",
        where=str(past.folder), advice="Name the folder in which applies put their receipts; begin unended ones again.",
    )  # fmt: skip
