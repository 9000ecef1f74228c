"""Every log in one vocabulary: each kind of record says the same thing in the same words, and each one is counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import logfiles
import polars as pl
import pytest
from logfiles import (
    CSV,
    OKTA_CSV,
    RECORDS,
    START,
    audited,
    csv_row,
    document,
    entra,
    job,
    line,
    okta,
    okta_row,
    read_log,
    step,
    written,
)

from scimops.audit.logs import events as vocabulary
from scimops.audit.logs.reading import Log
from scimops.errors import SourceError


def read(folder: Path, text: str, name: str = "log.json") -> tuple[Log, pl.DataFrame]:
    log = read_log(written(folder, text, name), folder)
    frame = pl.read_parquet(log.parts) if log.parts else pl.DataFrame()
    assert log.records == log.told + log.unreadable.total()
    assert log.events == frame.height
    if frame.height:
        assert set(frame["operation"]) <= set(vocabulary.OPERATIONS)
        assert set(frame["outcome"]) <= set(vocabulary.OUTCOMES)
        assert set(frame["reason"].drop_nulls()) <= set(vocabulary.REASONS)
        assert set(frame["source"]) <= set(vocabulary.SOURCES)
        assert frame.filter(pl.col("reason").is_null() != (pl.col("outcome") == "success")).is_empty()
    return log, frame


def one(folder: Path, kind: str, record: dict[str, Any]) -> dict[str, Any]:
    log, frame = read(folder, document(kind, [record]))
    assert (log.source, frame.height) == (kind, 1)
    return frame.row(0, named=True)


@pytest.mark.parametrize("kind", RECORDS)
def test_each_log_is_known_by_its_records(kind: str, tmp_path: Path) -> None:
    log, frame = read(tmp_path, document(kind, [RECORDS[kind](), RECORDS[kind](5)]))
    assert (log.source, log.records, log.unreadable.total()) == (kind, 2, 0)
    assert log.problems == []
    assert frame["row"].unique().sort().to_list() == [1, 2]
    assert [source for source, *_ in log.spans] == [kind]


@pytest.mark.parametrize(("kind", "operation"), [
    ("application.provision.user.push", "create"),
    ("application.provision.user.push_profile", "update"),
    ("application.provision.user.push_password", "update"),
    ("application.provision.user.deactivate", "deactivate"),
    ("application.provision.user.deprovision", "deactivate"),
    ("application.provision.user.reactivate", "reactivate"),
    ("application.provision.user.verify_exists", "look_up"),
    ("application.provision.user.import", "look_up"),
    ("application.provision.user.import_profile", "look_up"),
    ("application.provision.user.sync", "other"),
    ("application.user_membership.add", "add_member"),
    ("application.user_membership.remove", "remove_member"),
])  # fmt: skip
def test_an_event_of_okta_is_about_a_person(kind: str, operation: str, tmp_path: Path) -> None:
    told = one(tmp_path, "okta", okta(kind))
    assert (told["operation"], told["outcome"], told["reason"]) == (operation, "success", None)
    assert (told["externalId"], told["userName"], told["user_key"]) == (
        "00uanna",
        "anna@example.com",
        "anna@example.com",
    )
    assert (told["at"], told["actor"]) == ("2026-11-02T08:00:00.214Z", "admin@example.com")


@pytest.mark.parametrize(("result", "reason", "said"), [
    ("FAILURE", "Error while creating user anna: Bad Request. Errors reported by remote server: the domain "
                "example.com is not authorised.", ("failure", "domain_not_allowed")),
    ("FAILURE", "Automatic provisioning failed: Error while verifying if user anna exists: Unauthorized. Errors "
                "reported by remote server: Invalid SCIM token", ("failure", "token_rejected")),
    ("FAILURE", "Conflict. Errors reported by remote server: Another person has this userName.", ("failure", "taken")),
    ("FAILURE", "Bad Request. Errors reported by remote server: department is required", ("failure", "invalid")),
    ("FAILURE", None, ("failure", "other")),
    ("DENY", None, ("failure", "other")),
    ("SKIPPED", None, ("skipped", "other")),
    ("ALLOW", None, ("success", None)),
    ("UNKNOWN", None, ("warning", "other")),
    ("something new", None, ("warning", "other")),
])  # fmt: skip
def test_how_an_event_of_okta_ended(result: str, reason: str | None, said: tuple[str, str | None],
                                    tmp_path: Path) -> None:  # fmt: skip
    told = one(tmp_path, "okta", okta(result=result, reason=reason))
    assert (told["outcome"], told["reason"]) == said


def test_what_is_no_provisioning_is_of_nobody(tmp_path: Path) -> None:
    text = document("okta", [
        okta("user.session.start"), okta("user.lifecycle.deactivate", 1),
        okta("application.provision.integration.call_api"),
        okta("application.integration.authentication_failure", 2, result="FAILURE"),
        okta("application.integration.rate_limit_exceeded", 2, result="FAILURE"),
    ])  # fmt: skip
    log, frame = read(tmp_path, text)
    assert frame["operation"].to_list() == ["other", "other", "sync", "sync", "sync"]
    assert frame["reason"].to_list()[3:] == ["token_rejected", "rate_limited"]
    assert frame.select("externalId", "userName", "email", "resource_id").null_count().row(0) == (5, 5, 5, 5)
    assert log.applications == {}


def test_a_group_of_okta(tmp_path: Path) -> None:
    target = [{"id": "00g1", "type": "UserGroup", "displayName": "Sales"}]
    told = one(tmp_path, "okta", okta("application.provision.group_push.pushed", target=target))
    assert (told["operation"], told["resource_type"], told["name"], told["userName"]) == (
        "create_group", "Group", "Sales", None,
    )  # fmt: skip


@pytest.mark.parametrize(("changed", "said"), [
    ({}, ("create", "success", None)),
    ({"kind": "rename"}, ("rename", "success", None)),
    ({"kind": "join", "group": "Sales"}, ("add_member", "success", None)),
    ({"kind": "leave", "group": "Sales"}, ("remove_member", "success", None)),
    ({"kind": "delete_group", "group": "Sales", "group_id": "g1"}, ("delete_group", "success", None)),
    ({"outcome": "already"}, ("create", "skipped", "no_change")),
    ({"outcome": "changed_meanwhile"}, ("create", "warning", "other")),
    ({"outcome": "refused", "status": 409, "said": "Another person has it."}, ("create", "failure", "taken")),
    ({"outcome": "failed", "status": 500}, ("create", "failure", "server_error")),
])  # fmt: skip
def test_a_receipt(changed: dict[str, Any], said: tuple[str, str, str | None], tmp_path: Path) -> None:
    told = one(tmp_path, "receipts", step(**changed))
    assert (told["operation"], told["outcome"], told["reason"]) == said
    if told["resource_type"] == "Group":
        assert (told["resource_id"], told["name"], told["userName"]) == ("g1", "Sales", None)
    else:
        assert (told["resource_id"], told["externalId"], told["user_key"]) == ("u1", "x1", "anna@example.com")


def test_a_step_that_was_not_done_tells_of_nothing(tmp_path: Path) -> None:
    log, frame = read(tmp_path, document("receipts", [step(), step(2, outcome="not_done", at="")]))
    assert (log.records, log.told, frame.height, log.problems) == (2, 2, 1, [])


def test_receipts_of_a_dry_run_are_not_used(tmp_path: Path) -> None:
    for text in ({"dry_run": True, "steps": [step()]}, {"steps": [step()], "dry_run": True}):
        log, frame = read(tmp_path, json.dumps(text))
        assert ([one.code for one in log.problems], log.spans, frame.height) == (["log_dry_run"], [], 0)


def test_a_download_of_entra_as_csv(tmp_path: Path) -> None:
    reason = 'StatusCode: Conflict Message: "x" Web Response: {"status": "409"}'
    rows = [csv_row(), csv_row(40, "bert", "Failure", reason), csv_row(80, "carl", "Skipped", "not in scope")]
    log, frame = read(tmp_path, CSV + "".join(rows), "ProvisioningLogs.csv")
    assert (log.source, log.records, log.tenants, log.problems) == ("entra", 3, {"1b2c": 3}, [])
    assert log.spans == [("entra", "2026-11-02T08:00:00.000Z", "2026-11-02T09:20:00.000Z")]
    assert frame.select("userName", "externalId", "outcome", "status", "reason").rows() == [
        ("anna@example.com", "x-anna@example.com", "success", None, None),
        ("bert@example.com", "x-bert@example.com", "failure", 409, "taken"),
        ("carl@example.com", "x-carl@example.com", "skipped", None, "not_in_scope"),
    ]


def test_a_download_of_okta_as_csv_tells_what_the_api_tells(tmp_path: Path) -> None:
    told = [
        {"reason": 'Conflict: "taken"', "result": "FAILURE"}, {"kind": "application.provision.user.deactivate"},
        {"kind": "user.session.start"}, {"result": "SKIPPED"},
    ]  # fmt: skip
    rows = [okta_row(number, f"p{number}", **one) for number, one in enumerate(told)]
    (tmp_path / "api").mkdir()
    records = [okta(minutes=number, name=f"p{number}", **one) for number, one in enumerate(told)]
    _, same = read(tmp_path / "api", document("okta", records), "log.csv")
    log, frame = read(tmp_path, OKTA_CSV + "".join(rows), "log.csv")
    assert frame.equals(same)
    assert (log.source, log.records, log.applications, log.problems) == ("okta", 4, {"Awareness": 3}, [])
    assert frame["userName"].to_list() == ["p0@example.com", "p1@example.com", None, "p3@example.com"]


def test_the_table_of_azure_monitor(tmp_path: Path) -> None:
    cells = {
        "TimeGenerated [UTC]": "11/25/2026, 8:00:00.000 AM".replace(".000", ""), "AADTenantId": "1b2c",
        "ProvisioningAction": "disable", "ProvisioningStatusInfo": '{"Status": "success"}',
        "SourceIdentity": '{"Id": "x1", "IdentityType": "User", "details": {"userPrincipalName": "anna@example.com"}}',
        "TargetIdentity": '{"Id": "u1"}', "ModifiedProperties": '[{"displayName": "active", "newValue": "False"}]',
    }  # fmt: skip
    quoted = [f'"{value.replace(chr(34), chr(34) * 2)}"' for value in cells.values()]
    log, frame = read(tmp_path, ",".join(cells) + "\n" + ",".join(quoted) + "\n", "query.csv")
    told = frame.row(0, named=True)
    assert (told["at"], told["operation"], told["outcome"]) == ("2026-11-25T08:00:00.000Z", "deactivate", "success")
    assert (told["externalId"], told["userName"], told["resource_id"]) == ("x1", "anna@example.com", "u1")
    assert (json.loads(told["changes"])[0]["new"], log.problems) == ("False", [])


def test_more_than_a_slice_and_several_batches_keep_their_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scimops.audit.logs.reading.SLICE", 7)
    monkeypatch.setattr("scimops.audit.logs.pieces.PIECE", 500)
    log, frame = read(tmp_path, CSV + "".join(csv_row(n, f"p{n}") for n in range(40)), "log.csv")
    assert frame.sort("row")["userName"].to_list() == [f"p{n}@example.com" for n in range(40)]
    assert frame["row"].sort().to_list() == list(range(1, 41))
    assert len(log.parts) == 6


def test_other_logs_tell_of_who_and_what(tmp_path: Path) -> None:
    told = one(tmp_path, "platform_audit", audited())
    assert (told["operation"], told["name"], told["actor"]) == ("delete_group", "Sales", "Ada Admin")
    meant = 'userName eq "\\u0131rmak" and externalId eq "x\\"1"'
    refused = line(status=409, resource_id=None, changes=[], detail="Taken.", query=meant)
    told = one(tmp_path, "provisioning_log", refused)
    assert (told["userName"], told["externalId"], told["reason"]) == ("ırmak", 'x"1', "taken")
    _, frame = read(tmp_path, document("platform_jobs", [job()]))
    assert frame.select("operation", "outcome", "email", "reason").rows() == [
        ("sync", "failure", None, "other"), ("create", "failure", "anna@example.com", "taken"),
    ]  # fmt: skip
    assert one(tmp_path, "entra", entra())["actor"] == "Microsoft Entra ID Provisioning Service"


@pytest.mark.parametrize(("text", "name"), [
    ("[]", "log.json"), ('{"value": []}', "log.json"), (CSV, "log.csv"),
])  # fmt: skip
def test_an_empty_log_is_said_and_covers_nothing(text: str, name: str, tmp_path: Path) -> None:
    log, _ = read(tmp_path, text, name)
    assert ([one.code for one in log.problems], log.spans, log.records) == (["log_empty"], [], 0)


@pytest.mark.parametrize(("text", "name"), [
    ("hello", "log.txt"), ('{"a": 1}', "log.json"), ('[{"a": 1}]', "log.json"), ("a,b\n1,2\n", "log.csv"),
    ("externalId,userName\n1,2\n", "people.csv"), ('["a"]', "log.json"), ("PK\x03\x04 a workbook", "log.xlsx"),
    ("timestamp,event_type,outcome\n2026-11-02,user.session.start,SUCCESS\n", "okta.csv"),
])  # fmt: skip
def test_what_is_no_log_is_refused(text: str, name: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"is no log|is a workbook"):
        read_log(written(tmp_path, text, name), tmp_path)


def test_the_small_logs_begin_when_they_say() -> None:
    assert logfiles.at(0) == START.strftime("%Y-%m-%dT%H:%M:%SZ")
