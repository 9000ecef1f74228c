"""The invented company of `scimops demo`: exports of two days, what the identity provider sends, what goes wrong."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scimops.attributes import CORE, ENTERPRISE

if TYPE_CHECKING:
    from scimops.client import ServiceProvider

PEOPLE: Final = 126
NEW: Final = 6
"""So many of them come on the second day."""

DELETED, SWITCHED_OFF = "Procurement", "Legal"
"""The group that an admin deletes by hand, and the one whose training an admin takes out of auto-enrol."""

Row = dict[str, str]


@dataclass(frozen=True)
class Company:
    """Its exports; of the second day who came, left and moved, as rows of the exports."""

    yesterday: Path
    today: Path
    new: list[Row]
    left: list[Row]
    moved: list[Row]


def make_company(folder: Path) -> Company:
    """Write both exports: Entra ID's download of users."""
    from scimops.samples import write_sample

    everybody = write_sample(folder / "yesterday.csv", "entra_download_users", PEOPLE, nasty=False)
    with everybody.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    before, new = rows[:-NEW], rows[-NEW:]
    working = [row for row in before if row["accountEnabled"] == "True"]
    left = [row for row in working if row["department"] == "Engineering"][:2]
    moved = [row | {"department": "Marketing"} for row in working if row["department"] == "Sales"][:3]
    changed = {row["id"]: row for row in moved}
    gone = {row["id"] for row in left}
    after = [changed.get(row["id"], row) for row in [*before, *new] if row["id"] not in gone]
    _write(everybody, before)
    _write(folder / "today.csv", after)
    came = [row for row in new if row["accountEnabled"] == "True"]
    return Company(everybody, folder / "today.csv", came, left, moved)


def push_changes(company: Company, service_provider: ServiceProvider) -> Iterator[str]:
    """What the identity provider sends on the second day, with two faults; each thing in a sentence."""
    for row in company.new:
        service_provider.create_user(_user(row))
    yield f"{len(company.new)} people are new."
    for row in company.moved[1:]:
        operation = {"op": "replace", "path": f"{ENTERPRISE}:department", "value": row["department"]}
        service_provider.patch_user(_id_of(row, service_provider), [operation])
    yield f"{len(company.moved)} people changed their department; that of one of them was never sent."
    leaver = _id_of(company.left[0], service_provider)
    service_provider.patch_user(leaver, [{"op": "replace", "path": "active", "value": False}])
    yield f"{len(company.left)} people left; the deactivation of one of them was never sent."


def _id_of(row: Row, service_provider: ServiceProvider) -> str:
    found = service_provider.find_user(external_id=row["id"])
    assert found is not None
    return str(found["id"])


def _user(row: Row) -> dict[str, Any]:
    """A row of the export as its identity provider sends it."""
    return {
        "schemas": [CORE, ENTERPRISE], "userName": row["userPrincipalName"], "externalId": row["id"],
        "name": {"givenName": row["givenName"], "familyName": row["surname"]}, "active": True,
        "emails": [{"value": row["mail"], "type": "work", "primary": True}],
        "phoneNumbers": [{"value": row["telephoneNumber"], "type": "work"}],
        "addresses": [{"type": "work", "country": row["country"]}],
        ENTERPRISE: {"department": row["department"]},
    }  # fmt: skip


def _write(path: Path, rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
