"""Reconcile against the embedded platform on a real port: both sides, person by person."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from auditing import NOW, Company

from scimops.audit.causes import STATUSES
from scimops.audit.people import meet
from scimops.audit.reconcile import reconcile
from scimops.audit.told import Logs

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def said(company: Company) -> dict[str, tuple[str, str | None]]:
    """Of everybody who is not right: status and cause."""
    rows = company.reconciled().people.filter(pl.col("status") != "right")
    return {row["userName"].partition("@")[0]: (row["status"], row["cause"]) for row in rows.iter_rows(named=True)}


@pytest.fixture
def staffed(acme: Company) -> Company:
    for number in range(3):
        acme.arrives(f"sales{number}")
    acme.arrives("engineer", "Engineering")
    return acme


def patch(company: Company, name: str, path: str, value: object) -> None:
    users = company.state().snapshot.users
    user_id = users.filter(pl.col("userName") == f"{name}@example.com")["id"].item()
    body = {"schemas": [PATCH], "Operations": [{"op": "replace", "path": path, "value": value}]}
    assert company.embedded.scim(company.token, "PATCH", f"/Users/{user_id}", body).status_code in (200, 204)


def test_all_is_right(staffed: Company) -> None:
    assert staffed.reconciled().counts == {"right": 4}


def test_who_left_and_is_still_active_comes_first(staffed: Company) -> None:
    del staffed.people["sales0"]
    staffed.people["sales1"] = staffed.people["sales1"].replace(",true,", ",false,")
    found = staffed.reconciled()
    assert found.people["status"].to_list()[:2] == ["left_still_active"] * 2
    assert said(staffed) == {"sales0": ("left_still_active", "no_log"), "sales1": ("left_still_active", "no_log")}
    assert found.seats_of_gone == 2


def test_a_leaver_who_was_renamed_is_found_by_the_external_id(staffed: Company) -> None:
    line = staffed.people["sales0"].replace("sales0@example.com,sales0", "left-sales0@example.com,left-sales0")
    staffed.people["sales0"] = line.replace("x-left-", "x-").replace(",true,", ",false,")
    row = staffed.reconciled().people.row(0, named=True)
    assert (row["status"], row["cause"], row["matched_by"]) == ("left_still_active", "left_renamed", "externalId")
    assert "userName" in row["changed"]


def test_everything_that_differs(staffed: Company) -> None:
    patch(staffed, "sales0", "name.givenName", "Eve")
    patch(staffed, "sales1", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "Engineering")
    patch(staffed, "sales2", "active", False)
    staffed.people["absent"] = "x-absent,absent@example.com,absent@example.com,Ada,Absent,Sales,true,"
    staffed.people["bad"] = "x-bad,bad@example.com,no address,Ada,Bad,Sales,true,"
    assert {name: status for name, (status, _) in said(staffed).items()} == {
        "sales0": "other_values", "sales1": "other_group", "sales2": "inactive_there", "absent": "missing",
        "bad": "not_sent",
    }  # fmt: skip
    row = staffed.reconciled().people.filter(status="other_values").row(0, named=True)
    assert (row["changed"], row["before"], row["after"]) == (
        ["firstName"],
        '{"firstName":"Eve"}',
        '{"firstName":"Ada"}',
    )
    row = staffed.reconciled().people.filter(status="other_group").row(0, named=True)
    assert (row["wanted"], row["held"]) == ("Sales", "Engineering")


def test_the_counts_add_up_on_both_sides(staffed: Company) -> None:
    del staffed.people["sales0"]
    staffed.people["absent"] = "x-absent,absent@example.com,absent@example.com,Ada,Absent,Sales,true,"
    found = staffed.reconciled()
    assert found.people["n"].drop_nulls().sort().to_list() == list(range(found.rows))
    assert found.people["user_id"].drop_nulls().n_unique() == found.people["user_id"].count() == found.users
    assert sum(found.counts.values()) == found.people.height
    assert set(found.counts) <= set(STATUSES)


@pytest.mark.parametrize("blank", ["", " ", "\u00a0", "\u3000\t"])
def test_blank_and_absent_are_one_however_it_is_written(staffed: Company, blank: str) -> None:
    met = meet(staffed.preview(), staffed.state().snapshot)
    gone = [pl.lit(None, pl.String).alias("lastName"), *(pl.lit(blank).alias(name) for name in ("firstName", "phone"))]
    rows, users = met.rows.with_columns(gone), met.users.with_columns(pl.lit(None, pl.String).alias("firstName"))
    users = users.with_columns(lastName=pl.lit(blank), phone=pl.lit(None, pl.String))
    assert reconcile(replace(met, rows=rows, users=users), Logs(), NOW).counts == {"right": 4}
