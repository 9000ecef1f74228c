"""Drift against the embedded platform: what was done there since the last apply, when and by whom."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from auditing import SETTING, Company

from scimops.audit.drift import Drift, drift, preview_applied
from scimops.audit.told import Logs, read_logs
from scimops.errors import IncompleteSourceError, UsageError
from scimops.idp import read_export
from scimops.plan import Plan, StalePlanError, load_plan
from scimops.plan.sources import plan_for
from scimops.service_provider.management import fixtures

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
DEPARTMENT = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"


def change(company: Company, path: str, *operations: dict[str, Any]) -> None:
    answer = company.embedded.scim(
        company.token, "PATCH", path, {"schemas": [PATCH], "Operations": list(operations)}
    )  # fmt: skip
    assert answer.is_success, answer.text


def logs_of(company: Company) -> Logs:
    setting_id = next(row["resourceId"] for row in company.platform.settings())
    path = company.folder / "log.json"
    path.write_text(json.dumps({"lines": list(company.platform.provisioning_log(setting_id))}))
    logs, problems = read_logs([path])
    assert [one for one in problems if one.level == "error"] == []
    return logs


@pytest.fixture
def applied(acme: Company) -> tuple[Company, Plan, dict[str, str]]:
    """People as the last apply left them: its plan, sealed on disk and read again."""
    ids = {name: acme.arrives(name) for name in ("ada", "bob", "cy", "dee", "eve")}
    acme.preview()
    held = acme.state().snapshot
    _, plan = plan_for(read_export(acme.folder / "people.csv"), SETTING, held, acme.folder)
    assert plan.operations.is_empty()
    plan.save(acme.folder / "plan.json")
    return acme, load_plan(acme.folder / "plan.json"), ids


def drifted(company: Company, plan: Plan, logs: Logs | None = None) -> Drift:
    snapshot = company.state().snapshot
    preview = preview_applied(plan, [company.folder / "people.csv"], snapshot)
    return drift(plan, preview, snapshot, logs or logs_of(company))


def test_nothing_came_since(applied: tuple[Company, Plan, dict[str, str]]) -> None:
    company, plan, _ = applied
    found = drifted(company, plan)
    assert found.counts == {}
    assert found.plan.operations.is_empty()


def test_each_difference_with_the_line_that_made_it(applied: tuple[Company, Plan, dict[str, str]]) -> None:
    company, plan, ids = applied
    change(company, f"/Users/{ids['ada']}", {"op": "replace", "path": DEPARTMENT, "value": "Müşteri"})
    change(company, f"/Users/{ids['ada']}", {"op": "replace", "path": "name.familyName", "value": "Lovelace"})
    change(company, f"/Users/{ids['bob']}", {"op": "replace", "path": "active", "value": False})
    company.embedded.scim(company.token, "DELETE", f"/Users/{ids['cy']}")
    company.embedded.push(company.token, "zoe@example.com", "Sales")
    found = drifted(company, plan)
    assert found.counts == {"gone": 1, "switched_off": 1, "came": 1, "value": 2, "out_of_group": 1, "into_group": 1}
    rows = {(row["userName"].partition("@")[0], row["kind"], row["what"]): row
            for row in found.differences.iter_rows(named=True)}  # fmt: skip
    by = {key: (row["operation"], row["told_by"]) for key, row in rows.items()}
    assert by == {
        ("cy", "gone", None): ("delete", "operation"),
        ("bob", "switched_off", None): ("deactivate", "operation"),
        ("zoe", "came", None): ("create", "operation"),
        ("ada", "value", "department"): ("update", "value"),
        ("ada", "value", "lastName"): ("update", "value"),
        ("ada", "out_of_group", "Sales"): ("update", "value"),
        ("ada", "into_group", "Müşteri"): ("update", "value"),
    }
    department, name = rows["ada", "value", "department"], rows["ada", "value", "lastName"]
    assert (department["applied"], department["there"]) == ("Sales", "Müşteri")
    # two changes of one person are told apart, and the group follows the first of them
    assert department["evidence"] != name["evidence"]
    assert rows["ada", "into_group", "Müşteri"]["evidence"] == department["evidence"]
    assert all(row["actor"] and row["at"] >= found.since for row in rows.values())
    assert not any(row["withheld_then"] for row in rows.values())


def test_where_no_line_tells_nobody_is_named(applied: tuple[Company, Plan, dict[str, str]]) -> None:
    company, plan, ids = applied
    change(company, f"/Users/{ids['ada']}", {"op": "replace", "path": DEPARTMENT, "value": "Engineering"})
    before = logs_of(company)
    change(company, f"/Users/{ids['ada']}", {"op": "replace", "path": DEPARTMENT, "value": "Legal"})
    for logs in (Logs(), before):  # a line on another value is no evidence of this one
        values = drifted(company, plan, logs).differences.filter(kind="value")
        assert values["there"].to_list() == ["Legal"]
        assert values.select("at", "actor", "evidence").null_count().sum_horizontal().item() == 3


def test_a_group_that_was_deleted_takes_all_its_people(applied: tuple[Company, Plan, dict[str, str]]) -> None:
    company, plan, _ = applied
    group = company.state().snapshot.groups.filter(name="Sales")["id"].item()
    with company.embedded.database.write() as connection:
        fixtures.delete_group_by_hand(connection, company.company_id, group)
    path = company.folder / "audit.json"
    path.write_text(json.dumps({"results": list(company.platform.audit_log())}))
    found = drifted(company, plan, read_logs([path])[0]).differences
    assert found["kind"].to_list() == ["out_of_group"] * 5
    told = found.select("actor", "operation", "told_by").unique().rows()
    assert told == [("fixture", "delete_group", "group")]


def test_the_export_must_be_the_one_that_was_applied(applied: tuple[Company, Plan, dict[str, str]]) -> None:
    company, plan, _ = applied
    path = company.folder / "people.csv"
    path.write_text(path.read_text() + "more")
    with pytest.raises(StalePlanError, match="is not here"):
        preview_applied(plan, [path], company.state().snapshot)


def test_a_plan_of_another_platform_is_refused(applied: tuple[Company, Plan, dict[str, str]]) -> None:
    company, plan, _ = applied
    snapshot = company.state().snapshot
    preview = preview_applied(plan, [company.folder / "people.csv"], snapshot)
    other = replace(snapshot, where="elsewhere")  # the same people, by another way
    assert drift(plan, preview, other, Logs()).counts == {}
    strangers = other.users.with_columns(
        pl.format("{}-{}", pl.lit("x"), name).alias(name) for name in ("externalId", "userName", "email")
    )
    with pytest.raises(UsageError, match="elsewhere has few of its people"):
        drift(plan, preview, replace(other, users=strangers), Logs())


def test_what_the_plan_held_back_is_said(acme: Company) -> None:
    kept, gone = [acme.arrives(name) for name in ("ada", "bob")]
    del acme.people["bob"]
    acme.preview()
    _, plan = plan_for(read_export(acme.folder / "people.csv"), SETTING, acme.state().snapshot, acme.folder)
    held = replace(plan, operations=plan.operations.with_columns(withheld=pl.lit("deactivations")))
    found = drifted(acme, held).differences
    assert found.select("user_id", "kind", "withheld_then").rows() == [(gone, "came", True)]
    assert kept not in found["user_id"]


def test_an_old_export_is_compared_all_the_same(applied: tuple[Company, Plan, dict[str, str]]) -> None:
    company, plan, _ = applied
    path, snapshot = company.folder / "people.csv", company.state().snapshot
    strict = SETTING.model_copy(update={"max_age": "1h"})
    os.utime(path, (1_700_000_000, 1_700_000_000))
    with pytest.raises(IncompleteSourceError):
        plan_for(read_export(path), strict, snapshot, company.folder)
    preview = preview_applied(replace(plan, setting=strict), [path], snapshot)
    assert drift(plan, preview, snapshot, Logs()).counts == {}
