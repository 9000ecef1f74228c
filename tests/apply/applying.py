"""What tests of an apply share: exports, two kinds of service provider on real sockets, what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ends import QUICK
from proxying import scim_connection
from typer.testing import Result

from scimops.apply import Receipts, apply
from scimops.client import ServiceProvider, connect
from scimops.client.snapshot import Snapshot
from scimops.grouping import group_key
from scimops.idp import read_export
from scimops.plan import Plan, make_plan
from scimops.preview import Preview, preview_export
from scimops.setting import Setting

HEADER = "externalId,userName,email,firstName,lastName,department,active\n"
OPEN: dict[str, Any] = {
    "deactivate": {}, "leave": {}, "leave_each": {}, "delete": {}, "move": {}, "empty_groups": None,
}  # fmt: skip
SETTING = Setting.model_validate(
    {"name": "Acme", "group_settings": {"target_group": "Everyone", "criterion": {"field": "department"}},
     "safeguards": OPEN}
)  # fmt: skip
DEPARTMENTS = ("Sales", "Engineering", "R&D", "")
Run = Callable[..., Result]
PLAN = ("plan", "people.csv", "--setting", "setting.yaml", "--connection", "acme")
APPLY = ("--connection", "acme")


@dataclass(frozen=True)
class Person:
    """A row of an export."""

    key: str
    department: str = "Sales"
    user_name: str = ""
    active: bool = True

    def __str__(self) -> str:
        name = self.user_name or f"{self.key}@example.com"
        return f"x-{self.key},{name},{name},{self.key.title()},Sample,{self.department},{str(self.active).lower()}"


def crowd(count: int) -> list[Person]:
    """So many people in four departments, one of them blank."""
    return [Person(f"p{number:04}", DEPARTMENTS[number % 4]) for number in range(count)]


def tomorrow(people: list[Person]) -> list[Person]:
    """The same company later: of each ten one moved, one renamed, one left, one became inactive; and some are new."""
    later = []
    for number, one in enumerate(people):
        match number % 10:
            case 1:
                later.append(Person(one.key, "Marketing" if number % 20 == 1 else "Sales"))
            case 3:
                later.append(Person(one.key, one.department, f"{one.key}.married@example.com"))
            case 5:
                pass
            case 7:
                later.append(Person(one.key, one.department, active=False))
            case _:
                later.append(one)
    return later + [Person(f"new{number:03}", DEPARTMENTS[number % 4]) for number in range(max(1, len(people) // 10))]


@dataclass
class Company:
    """An export, and the service provider that it is pushed to."""

    service_provider: ServiceProvider
    folder: Path
    setting: Setting = field(default_factory=lambda: SETTING)
    number: int = field(default=0)

    @property
    def placing(self) -> bool:
        """Does the service provider place people itself?"""
        return self.service_provider.capabilities.placement == "server"

    def preview(self, people: Iterable[Person]) -> Preview:
        path = self.folder / "people.csv"
        path.write_text(HEADER + "".join(f"{person}\n" for person in people))
        return preview_export(read_export(path), self.setting, channel="apply")

    def snapshot(self) -> Snapshot:
        return self.service_provider.read_snapshot(self.setting)

    def plan(self, people: Iterable[Person], **more: Any) -> Plan:
        return make_plan(self.preview(people), self.snapshot(), **more)

    def apply(self, plan: Plan, folder: str = "", **more: Any) -> Receipts:
        self.number += 1
        return apply(plan, self.service_provider, self.folder / (folder or f"apply{self.number}"), **more)

    def state(self) -> dict[str, tuple[Any, ...]]:
        """Of each person there, by id: their values, and their groups."""
        held = self.snapshot()
        names = dict(held.groups.select("id", "name").iter_rows())
        inside: dict[str, list[str]] = {}
        for group, person in held.members.select("group_id", "user_id").iter_rows():
            inside.setdefault(person, []).append(names[group])
        columns = ("externalId", "userName", "email", "firstName", "lastName", "department", "active")
        return {row["id"]: (*(row[name] for name in columns), *sorted(inside.get(row["id"], ())))
                for row in held.users.iter_rows(named=True)}  # fmt: skip

    def expected(self, people: Iterable[Person]) -> dict[str, tuple[Any, ...]]:
        """Of each active row, by externalId: userName and group keys, as the preview says it."""
        placed = self.preview(people).placed
        return {row["externalId"]: (row["userName"], row["group_keys"]) for row in placed.iter_rows(named=True)
                if row["reason"] != "inactive"}  # fmt: skip

    def landed(self) -> dict[str, tuple[Any, ...]]:
        """The same of who is there and active."""
        return {row[0]: (row[1], "\n".join(group_key(name) for name in row[7:]) or None)
                for row in self.state().values() if row[6] is not False}  # fmt: skip


def export(*people: Person) -> None:
    Path("people.csv").write_text(HEADER + "".join(f"{person}\n" for person in people))


def connected_to(url: str) -> ServiceProvider:
    return connect(scim_connection(url), QUICK)
