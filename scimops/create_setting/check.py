"""A setting's document and the platform side by side; where they differ for good, the move to a new setting."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scimops.create_setting.body import Difference, differences
from scimops.create_setting.look import named
from scimops.create_setting.record import Created, read_record
from scimops.setting import Setting

if TYPE_CHECKING:
    from scimops.platform import Platform

MATCHES, NOT_CREATED, GONE, DIFFERS = "matches", "not created", "gone", "differs"


@dataclass(frozen=True)
class Check:
    """How a document and the platform compare.

    `state`: matches, not created, gone (created once, no longer there) or differs. `steps` are the move, where a
    difference can only be mended by a new setting; `notes` are said besides.
    """

    state: str
    setting_id: str | None
    differences: list[Difference]
    steps: list[str]
    notes: list[str]

    def to_dict(self) -> dict[str, Any]:
        """The check as plain data, ready for JSON."""
        return asdict(self)


def check(platform: Platform, document: Path, setting: Setting, connection: str) -> Check:
    """Compare a document with what is on the platform; changes nothing.

    The setting is looked up by the record beside the document, else by its name (which is said).

    Raises:
        ScimopsError: the platform cannot be read.
    """
    created = read_record(document).connections.get(connection)
    rows = platform.settings()
    notes: list[str] = []
    setting_id = created.setting_id if created else None
    if setting_id is None:
        setting_id = next((row["resourceId"] for row in named(rows, setting.name)), None)
        if setting_id is None:
            return Check(NOT_CREATED, None, [], [], ["scimops setting create makes it."])
        notes.append(f'It was found by its name "{setting.name}": the record beside the document does not know it.')
    if setting_id not in {row["resourceId"] for row in rows}:
        notes.append("It was deleted on the platform. scimops setting create makes a new one, with a new token.")
        return Check(GONE, setting_id, [], [], notes)
    found = differences(setting, platform.setting(setting_id))
    if created and created.token == "not taken":  # noqa: S105  # a state
        notes.append("Its token was never copied or stored. scimops setting revoke renews it.")
    steps = _move(platform, connection, document) if any(one.fixed for one in found) else []
    return Check(DIFFERS if found else MATCHES, setting_id, found, steps, notes + _where_the_token_is(created))


def _where_the_token_is(created: Created | None) -> list[str]:
    if created is None or created.token_reference is None:
        return []
    return [f"Its token is at {created.token_reference}."]


def _move(platform: Platform, connection: str, document: Path) -> list[str]:
    """The way to a new setting on which nobody falls out of a group."""
    takes_over = 11 in platform.capabilities().rules
    old = f"{document.stem}.old.yaml"
    kept = (
        "Its people stay in their groups as the company's own."
        if takes_over
        else "What becomes of its people and groups is not documented: try it with a test setting and one person first."
    )
    arrives = (
        "Everyone is taken over under the same id and moves straight from the old group to the new one."
        if takes_over
        else "Look at one person before you go on: same person, right group?"
    )
    return [
        f"Keep the old document as {old} and see who would move: "
        f"scimops compare EXPORT --setting {old} --setting {document.name}",
        "In the identity provider stop provisioning of this application. Do not remove people from it: that would "
        "deactivate them.",
        f"Delete the old setting: scimops setting delete {document.name} --connection {connection}. {kept}",
        f"Create the new one: scimops setting create {document.name} --connection {connection}, and copy its token.",
        "Paste the new token (and the URL, if it changed) into the same application, and map the attributes that the "
        "guide names.",
        f"Provision one person on demand. {arrives}",
        "Start provisioning again. A changed mapping starts a full cycle, which sends everyone.",
        f"Check: scimops setting check {document.name} --connection {connection}",
    ]
