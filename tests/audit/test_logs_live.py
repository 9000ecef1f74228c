"""The logs that the embedded platform shows itself, read through its management API."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from auditing import SETTING, Company

from scimops.attributes import CORE
from scimops.audit.audit import audit
from scimops.audit.logs import live
from scimops.audit.logs.live import read_live
from scimops.audit.sources import gather, live_logs
from scimops.audit.told import read_logs
from scimops.connections import save_connections
from scimops.errors import IncompleteSourceError
from scimops.http.faults import ForbiddenError


def events(logs: list[Any], source: str) -> list[tuple[Any, ...]]:
    parts = [part for log in logs if log.source == source for part in log.parts]
    if not parts:
        return []
    return pl.read_parquet(parts).sort("row").select("operation", "outcome", "userName", "reason").rows()


def setting_ids(company: Company) -> list[str]:
    return [row["resourceId"] for row in company.platform.settings() if row["name"] == SETTING.name]


def read(company: Company, folder: Path, **more: Any) -> list[Any]:
    folder.mkdir()
    return read_live(company.platform, "the platform", setting_ids(company), folder, **more)


def test_what_was_sent_and_done_is_read(acme: Company, tmp_path: Path) -> None:
    before = dt.datetime.now(dt.UTC)
    acme.arrives("anna")
    body = {"schemas": [CORE], "userName": "anna@example.com", "externalId": "x-other",
            "emails": [{"value": "anna@example.com", "type": "work"}]}  # fmt: skip
    assert acme.embedded.scim(acme.token, "POST", "/Users", body).status_code == 409
    by_hand = {"email": "own@example.com", "phoneNumber": "+1 555 0100"}
    acme.embedded.client(acme.company_id).data("POST", "/api/target-users", by_hand)
    logs = read(acme, tmp_path / "logs")
    assert [log.source for log in logs] == ["provisioning_log", "platform_audit"]
    assert [one.code for log in logs for one in log.problems] == []
    assert events(logs, "provisioning_log")[:2] == [
        ("create", "success", "anna@example.com", None), ("create", "failure", "anna@example.com", "taken"),
    ]  # fmt: skip
    assert events(logs, "platform_audit")[-1][:2] == ("create", "success")
    (_, begin, end), *_ = logs[0].spans
    assert before.isoformat()[:16] <= begin[:16] <= end[:16] <= dt.datetime.now(dt.UTC).isoformat()[:16]
    assert pl.read_parquet(logs[0].parts)["file"].unique().to_list() == ["the platform, provisioning log"]


def test_what_is_older_than_wanted_is_left_out(acme: Company, tmp_path: Path) -> None:
    acme.arrives("anna")
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
    logs = read(acme, tmp_path / "logs", since=later)
    assert [(log.records, log.spans, log.problems) for log in logs] == [(0, [], []), (0, [], [])]
    logs = read(acme, tmp_path / "more", since=later - dt.timedelta(days=1))
    assert logs[0].records == 1


@pytest.mark.parametrize("fault", [
    ForbiddenError("This credential has no right to it."), IncompleteSourceError("their number changed"),
])  # fmt: skip
def test_what_may_not_be_read_is_said_and_not_used(
    acme: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    acme.arrives("anna")
    audit_log = type(acme.platform).audit_log

    def half(self: Any) -> Iterator[Any]:
        yield from audit_log(self)
        yield {"logDate": "2026-11-02T08:00:00Z", "operation": "Delete", "entityName": "TargetGroup"}
        raise fault

    monkeypatch.setattr(type(acme.platform), "audit_log", half)
    _, log = read(acme, tmp_path / "logs")
    assert [one.code for one in log.problems] == ["log_not_readable"]
    assert str(fault) in log.problems[0].message
    assert (log.parts, log.spans, list((tmp_path / "logs").glob("live2*"))) == ([], [], [])


def test_more_than_a_page_is_read_in_slices(acme: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scimops.audit.logs.reading.SLICE", 8)
    for number in range(20):
        acme.arrives(f"p{number}")
    logs = read(acme, tmp_path / "logs")
    assert logs[0].records == logs[0].events == 20
    assert len(logs[0].parts) == 3


def test_a_platform_that_is_not_ours_has_jobs(acme: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from scimops.capabilities import PUBLISHED

    acme.arrives("anna")
    monkeypatch.setattr(type(acme.platform), "capabilities", lambda _: PUBLISHED)
    logs = read(acme, tmp_path / "logs")
    assert [log.source for log in logs] == ["platform_jobs", "platform_audit"]
    assert events(logs, "platform_jobs") == [("sync", "success", None, None)]


def test_with_a_connection_an_audit_tells_why_from_the_live_log(
    acme: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    acme.arrives("anna")
    body = {"schemas": [CORE], "userName": "bert@example.com", "externalId": "x-bert@example.com"}
    assert acme.embedded.scim(acme.token, "POST", "/Users", body).status_code == 400
    acme.people["bert"] = acme.people["anna"].replace("anna", "bert").replace("Anna", "Bert")
    monkeypatch.setenv("SCIMOPS_CONFIG", str(tmp_path / "config"))
    save_connections({"acme": acme.platform._session.connection})
    acme.preview()
    sources = gather(tmp_path / "people.csv", SETTING, acme.state(), more=live_logs("acme", SETTING))
    found = audit(sources.preview, sources.state, sources.logs, found=sources.found)
    (bert,) = found.coverage.people.filter(userName="bert@example.com").iter_rows(named=True)
    assert (bert["status"], bert["lost_at"], bert["cause"]) == ("lost", "at_platform", "invalid")
    assert bert["evidence"].startswith('provisioning_log connection "acme", provisioning log row 2 at ')
    assert found.coverage.counts["arrived"] + found.coverage.counts["lost"] == 2


def test_they_join_the_logs_of_files(acme: Company, tmp_path: Path) -> None:
    acme.arrives("anna")
    ids = setting_ids(acme)
    logs, found = read_logs([], more=lambda folder: live.read_live(acme.platform, "the platform", ids, folder))
    assert logs.path is not None
    assert pl.read_parquet(logs.path)["operation"].to_list() == ["create"]
    assert ([source for source, *_ in logs.spans], found) == (["provisioning_log"], [])
    assert logs.files == ("the platform, provisioning log", "the platform, audit log")
