"""What tests of a plan share: exports and snapshots of a few people, and the plan of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from scimops import frames
from scimops.capabilities import PUBLISHED
from scimops.client.snapshot import Snapshot, make_snapshot
from scimops.idp import read_export
from scimops.plan import Plan, make_plan
from scimops.plan.history import History
from scimops.preview import preview_export
from scimops.setting import Setting

HEADER = "externalId,userName,email,firstName,lastName,department,active\n"
BY_DEPARTMENT = {"target_group": "Everyone", "criterion": {"field": "department"}}


def export(folder: Path, *people: str) -> Any:
    path = folder / "people.csv"
    path.write_text(HEADER + "".join(f"{person}\n" for person in people))
    return read_export(path)


def line(name: str, department: str = "Sales", active: str = "true", user_name: str = "") -> str:
    user_name = user_name or f"{name}@example.com"
    return f"x-{name},{user_name},{user_name},{name.title()},Sample,{department},{active}"


def snapshot(*people: dict[str, Any], groups: dict[str, list[str]] | None = None) -> Snapshot:
    schema = frames.polars_types(frames.SNAPSHOT_USERS)
    rows = [dict.fromkeys(schema) | there(**person) for person in people]
    group_rows = [{"id": f"g-{name}", "name": name} for name in groups or {}]
    member_rows = [{"group_id": f"g-{name}", "user_id": one} for name, ids in (groups or {}).items() for one in ids]
    group_schema = frames.polars_types(frames.SNAPSHOT_GROUPS)
    return make_snapshot(
        pl.DataFrame(rows, schema=schema), pl.DataFrame(group_rows, schema=group_schema),
        pl.DataFrame(member_rows, schema={"group_id": pl.String, "user_id": pl.String}),
        source="scim", where="test", read_at="2026-01-01T00:00:00+00:00", capabilities=PUBLISHED,
    )  # fmt: skip


def there(name: str, **more: Any) -> dict[str, Any]:
    user_name = more.pop("userName", f"{name}@example.com")
    person = {
        "id": f"id-{name}", "externalId": f"x-{name}", "userName": user_name, "email": user_name,
        "firstName": name.title(), "lastName": "Sample", "department": "Sales", "active": True,
        "matched_by": "externalId",
    }  # fmt: skip
    return person | more


def plan_of(
    folder: Path, people: list[str], held: Snapshot, delete: bool = False, history: History | None = None,
    **setting: Any,
) -> Plan:  # fmt: skip
    chosen = Setting.model_validate({"name": "Test", "group_settings": BY_DEPARTMENT} | setting)
    preview = preview_export(export(folder, *people), chosen, channel="apply")
    return make_plan(preview, held, delete=delete, history=history)


def said(plan: Plan) -> list[tuple[Any, ...]]:
    return list(plan.operations.select("kind", pl.coalesce("userName", "id"), "withheld").iter_rows())
