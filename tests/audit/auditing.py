"""What tests of an audit share: the embedded platform with people that came by SCIM, and their export."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from pathlib import Path

from managing import Platform as Embedded

from scimops.audit.audit import Audit, audit
from scimops.audit.coverage import Coverage, cover
from scimops.audit.people import meet, of_export
from scimops.audit.reconcile import Reconciled, reconcile
from scimops.audit.state import State, read_state, without_enrolments
from scimops.audit.told import Logs, moment
from scimops.idp import read_export
from scimops.platform import Platform
from scimops.preview import Preview, preview_export
from scimops.service_provider.management import fixtures
from scimops.setting import Setting

HEADER = "externalId,userName,email,firstName,lastName,department,active,createdOn\n"
SETTING = Setting.model_validate(
    {"name": "Acme", "group_settings": {"target_group": "Everyone", "criterion": {"field": "department"}}}
)
NOW = dt.datetime(2026, 11, 25, 8, tzinfo=dt.UTC)
FIRST = dt.datetime(2026, 11, 20, 1, tzinfo=dt.UTC)
"""The first of several nights."""


@dataclass
class Company:
    """An export, and the embedded platform as its admin sees it."""

    embedded: Embedded
    platform: Platform
    company_id: str
    token: str
    folder: Path
    people: dict[str, str] = field(default_factory=dict)

    def arrives(self, name: str, department: str = "Sales", created: str = "2026-01-05") -> str:
        """Somebody who is in the export and was pushed; the id."""
        address = f"{name}@example.com"
        self.people[name] = (
            f"x-{address},{address},{address},Ada,{name.title()},{department},true,{created}T00:00:00Z"
        )  # fmt: skip
        return self.embedded.push(self.token, address, department or None)

    def preview(self) -> Preview:
        path = self.folder / "people.csv"
        path.write_text(HEADER + "".join(f"{line}\n" for line in self.people.values()))
        return preview_export(read_export(path), SETTING)

    def enrolment(self, name: str, *groups: str) -> str:
        with self.embedded.database.write() as connection:
            ids = {row["name"]: row["resourceId"] for row in self.platform.target_groups()}
            return fixtures.add_enrolment(connection, self.company_id, name, [ids[group] for group in groups])

    def switch(self, enrolment_id: str, *, on: bool) -> None:
        with self.embedded.database.write() as connection:
            fixtures.switch_auto_enrol(connection, self.company_id, enrolment_id, on=on)

    def state(self) -> State:
        return read_state(self.platform, SETTING, "test")

    def coverage(self, logs: Logs | None = None, state: State | None = None) -> Coverage:
        state = state or self.state()
        met = meet(self.preview(), state.snapshot)
        return cover(met, state, of_export(met), logs or Logs(), NOW)

    def reconciled(self, logs: Logs | None = None) -> Reconciled:
        return reconcile(meet(self.preview(), self.state().snapshot), logs or Logs(), NOW)


def night(number: int) -> str:
    return moment(FIRST + dt.timedelta(days=number))


def audited(company: Company, number: int, *, enrolments: bool = True) -> Audit:
    """The audit of the company as it is now, said to be of that night."""
    state = company.state()
    state = state if enrolments else without_enrolments(state.snapshot)
    state = replace(state, snapshot=replace(state.snapshot, read_at=night(number)))
    return audit(company.preview(), state)
