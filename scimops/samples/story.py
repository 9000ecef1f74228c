"""The story: a company over some weeks that end with an audit, in which everything is right but the faults you plant.

.. code-block:: python

    story = write_story("story", [("left_renamed", "leaver 5"), ("group_deleted", "Procurement")])
    story.people["leaver 5"].user_id

A folder is written, the same bytes for the same arguments:

| file | what it is |
|---|---|
| `setting.yaml` | the SCIM setting: department decides, with aliases and a fallback |
| `exports/DAY.csv` | Entra ID's users on six days, the last two yesterday and today |
| `hr.csv` | the list of employees, with first and last days |
| `state/` | what the platform holds, with its enrolments and their reports (:mod:`scimops.audit.state`) |
| `logs/entra-provisioning.json` | Entra ID's provisioning log, as Microsoft Graph gives it |
| `logs/provisioning-log.ndjson` | the embedded platform's provisioning log |
| `logs/platform-audit.json` | the platform's audit log |

Nobody in it exists (:mod:`scimops.samples`). Handles of people: :mod:`scimops.samples.story_world`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from scimops.errors import UsageError, nearest
from scimops.samples import story_faults, story_faults_there
from scimops.samples.story_files import employees_text, seats, setting_text, state_of, write_exports
from scimops.samples.story_history import live_through
from scimops.samples.story_logs import entra_log, platform_audit, provisioning_log
from scimops.samples.story_world import AUDITED, World, make_world

__all__ = ["PLANTS", "Named", "Story", "write_story"]

PLANTS: dict[str, Callable[[World, str], None]] = {
    name.removeprefix("plant_"): plant
    for module in (story_faults, story_faults_there)
    for name, plant in vars(module).items()
    if name.startswith("plant_")
}
"""Every kind of fault: changes the world as its real cause would leave it."""

SMALLEST = 500
"""With fewer people some groups would have too few for the faults."""


@dataclass(frozen=True)
class Named:
    """Under which keys the files know somebody of a handle; None where they do not.

    `group` is the one that the rule gives by today's export.
    """

    employee_id: str | None
    hr_email: str | None
    externalId: str | None  # noqa: N815  # SCIM's names
    userName: str | None  # noqa: N815
    email: str | None
    user_id: str | None
    group: str | None


@dataclass(frozen=True)
class Story:
    """Where the files are, when the platform was read, and who is who by handle."""

    folder: Path
    setting: Path
    exports: tuple[Path, ...]
    hr: Path
    state: Path
    logs: tuple[Path, ...]
    at: dt.datetime
    people: dict[str, Named]

    def group(self, name: str) -> list[str]:
        """The handles of everybody whom today's rule puts into the group."""
        return [handle for handle, one in self.people.items() if one.group == name]


def write_story(
    folder: str | Path, faults: Iterable[tuple[str, str]] = (), *, seed: int = 1, people: int = 600
) -> Story:
    """Write the story into `folder`.

    Args:
        folder: made anew or filled.
        faults: kind (one of :data:`PLANTS`) and who: a handle, or the name of a group. One fault a person.
        seed: other seeds give other people.
        people: how many, those who left or will join included.

    Raises:
        UsageError: there is no such kind or handle, or there are too few people.
    """
    if people < SMALLEST:
        raise UsageError(f"A story of {people} people has too small groups.", advice=f"Say {SMALLEST} or more.")
    world = make_world(seed, people)
    live_through(world)
    for kind, who in faults:
        if kind not in PLANTS:
            raise UsageError(f'There is no fault of the kind "{kind}".', advice=nearest(kind, PLANTS))
        if who not in world.people and who not in world.groups:
            raise UsageError(f'Nobody and no group of the story is called "{who}".', advice="Say such as: Sales 3.")
        PLANTS[kind](world, who)
    if world.token_expired:
        story_faults.shut_out(world)
    place = Path(folder)
    (place / "logs").mkdir(parents=True, exist_ok=True)
    setting, hr, logs = place / "setting.yaml", place / "hr.csv", place / "logs"
    texts = {
        setting: setting_text(seats(world)), hr: employees_text(world),
        logs / "entra-provisioning.json": entra_log(world), logs / "provisioning-log.ndjson": provisioning_log(world),
        logs / "platform-audit.json": platform_audit(world),
    }  # fmt: skip
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8", newline="")
    exports = write_exports(world, place / "exports")
    state_of(world).save(place / "state")
    return Story(place, setting, exports, hr, place / "state", tuple(list(texts)[2:]), AUDITED, _named(world))


def _named(world: World) -> dict[str, Named]:
    named = {}
    for handle, one in world.people.items():
        person, target = one.person, one.target
        here = one.has_account and one.removed is None
        named[handle] = Named(
            person.employee_number if one.employed else None, one.hr_email if one.employed else None,
            person.object_id if here else None, person.user_name if here else None,
            (person.email or person.user_name) if here else None, target.id if target else None,
            one.group if here and person.active else None,
        )  # fmt: skip
    for handle, target in world.extra.items():
        values = target.values
        named[handle] = Named(None, None, values.get("externalId"), values.get("userName"), values["email"], target.id,
                              None)  # fmt: skip
    return named
