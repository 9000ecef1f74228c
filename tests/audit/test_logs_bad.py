"""Bad logs: cut off, with a gap, of two zones or tenants, another tenant's, one page of many: said, nothing claimed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from logfiles import CSV, OKTA_CSV, RECORDS, csv_row, document, entra, line, okta, okta_row, read_log, written

from scimops.audit.logs.problems import CATALOGUE, said
from scimops.audit.logs.reading import Log
from scimops.audit.told import STRANGERS, read_logs
from scimops.errors import SourceError

_ASIDE = (
    "client",
    "debugContext",
    "transaction",
    "initiatedBy",
    "provisioningSteps",
    "changeId",
    "id",
    "servicePrincipal",
)
TEXTS = {
    kind: document(kind, [{name: one for name, one in make(n).items() if name not in _ASIDE} for n in (0, 5)])
    for kind, make in (
        RECORDS | {"okta": lambda n: okta(minutes=n), "provisioning_log": lambda n: line(minutes=n)}
    ).items()
}
TEXTS["okta csv"] = OKTA_CSV + okta_row() + okta_row(5, "ırmak", reason='it said "no",\nand no more')
TEXTS["entra csv"] = CSV + csv_row() + csv_row(5, "ırmak", "Failure", 'it said "no",\nand no more')


def codes(log: Log) -> list[str]:
    return [one.code for one in log.problems]


@pytest.mark.parametrize("kind", TEXTS)
def test_a_log_that_is_cut_off_anywhere_claims_nothing(kind: str, tmp_path: Path) -> None:
    whole = TEXTS[kind].encode()
    end = len(whole.rstrip())
    path, read = tmp_path / "log", 0
    for size in range(0, end, 1 if kind in ("entra", "provisioning_log", "entra csv") else 5):
        path.write_bytes(whole[:size])
        try:
            log = read_log(path, tmp_path)
        except SourceError:
            continue
        read += 1
        assert log.records == log.told + log.unreadable.total()
        assert log.records <= (3 if "csv" in kind else 2)  # a quote that is never closed has as many as lines
        at_the_end_of_a_line = whole[size - 1 : size] == b"\n" or whole[size : size + 1] == b"\n"
        if kind in ("provisioning_log", "entra csv", "okta csv") and at_the_end_of_a_line:  # such a log ends anywhere
            assert {(begin, ended) for _, begin, ended in log.spans} <= {("2026-11-02T08:00:00.000Z",) * 2}
            continue
        assert log.spans == [], size
        assert "log_incomplete" in codes(log)
    assert read > end // 20
    path.write_bytes(whole)
    log = read_log(path, tmp_path)
    assert (len(log.spans), log.problems) == (1, [])


@pytest.mark.parametrize(("text", "missing"), [
    (json.dumps({"value": [entra()], "@odata.nextLink": "https://graph.microsoft.com/v1.0/x?$skip=1"}), "next page"),
    (json.dumps({"@odata.nextLink": "https://graph.microsoft.com/v1.0/x?$skip=1", "value": [entra()]}), "next page"),
    (json.dumps({"data": {"totalNumberOfRecords": 7, "results": [RECORDS["platform_audit"]()]}}), "7 records in all"),
    (json.dumps({"scimops": {"lines": [line()], "next": "88"}}), "next page"),
    (json.dumps({"@odata.count": 7, "value": [entra()]}), "7 records in all"),
    (json.dumps([entra()]) + "[]", "goes on"),
])  # fmt: skip
def test_a_page_is_not_the_whole(text: str, missing: str, tmp_path: Path) -> None:
    log = read_log(written(tmp_path, text), tmp_path)
    (told,) = log.problems
    assert told.code == "log_incomplete"
    assert missing in told.message
    assert log.events == 1
    assert log.spans == []


def sent(days: list[int], make: Any = entra) -> list[dict[str, Any]]:
    return [make(minutes=day * 1440 + number * 40) for day in days for number in range(30)]


def test_a_gap_is_said_and_cuts_what_is_covered(tmp_path: Path) -> None:
    log = read_log(written(tmp_path, document("entra", sent([0, 1, 9, 10]))), tmp_path)
    assert codes(log) == ["log_gap"]
    assert "1 gap" in log.problems[0].message
    assert log.spans == [
        ("entra", "2026-11-02T08:00:00.000Z", "2026-11-04T03:21:00.000Z"),
        ("entra", "2026-11-11T08:00:00.000Z", "2026-11-13T03:20:00.000Z"),
    ]


def test_a_long_weekend_is_no_gap(tmp_path: Path) -> None:
    log = read_log(written(tmp_path, document("entra", sent([0, 3, 4]))), tmp_path)
    assert (codes(log), len(log.spans)) == ([], 1)


@pytest.mark.parametrize("kind", ["platform_audit", "platform_jobs", "receipts"])
def test_a_log_that_is_sparse_by_nature_has_no_gap(kind: str, tmp_path: Path) -> None:
    make = RECORDS[kind]
    log = read_log(written(tmp_path, document(kind, sent([0, 20, 60], make))), tmp_path)
    assert (codes(log), len(log.spans)) == ([], 1)


def test_times_of_two_zones_are_brought_to_utc_and_said(tmp_path: Path) -> None:
    records = [
        entra(),
        entra(activityDateTime="2026-11-02T11:00:00+03:00"),
        entra(activityDateTime="2026-11-02 09:00:00"),
    ]
    log = read_log(written(tmp_path, document("entra", records)), tmp_path)
    assert pl.read_parquet(log.parts)["at"].to_list() == [
        "2026-11-02T08:00:00.000Z", "2026-11-02T08:00:00.000Z", "2026-11-02T09:00:00.000Z",
    ]  # fmt: skip
    (told,) = log.problems
    assert (told.code, "+03:00, Z, none" in told.message) == ("log_zones_mixed", True)


def test_times_without_a_zone_are_said(tmp_path: Path) -> None:
    text = (CSV + csv_row()).replace(" (UTC)", "").replace("Z,", ",", 1)
    log = read_log(written(tmp_path, text, "log.csv"), tmp_path)
    assert (codes(log), log.spans[0][1]) == (["log_no_zone"], "2026-11-02T08:00:00.000Z")


@pytest.mark.parametrize("value", [None, "", "yesterday", "31/12/2026 8:00", 7, "2026-13-01T00:00:00Z"])
def test_a_record_without_a_time_is_counted_as_unreadable(value: Any, tmp_path: Path) -> None:
    log = read_log(written(tmp_path, document("entra", [entra(), entra(activityDateTime=value)])), tmp_path)
    assert (log.records, log.told, log.unreadable.total(), log.events) == (2, 1, 1, 1)
    assert (codes(log), log.problems[0].row_numbers) == (["log_unreadable"], [2])


def test_records_of_no_use_are_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    bad: list[Any] = [7, None, [], {"a": 1}, entra(provisioningStatusInfo=None), "\ud800"]
    log = read_log(written(tmp_path, json.dumps([entra(), *bad, entra(5)])), tmp_path)
    assert (log.records, log.told, log.unreadable.total()) == (8, 2, 6)
    assert sum(one.count for one in log.problems) == 6


def test_a_million_ways_to_be_broken_stay_few_findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scimops.audit.logs.reading.NAMES_KEPT", 3)
    records = [entra(tenant=f"t{number}") for number in range(50)]
    log = read_log(written(tmp_path, document("entra", records)), tmp_path)
    assert (len(log.tenants), log.tenants.total(), log.tenants["others"]) == (4, 50, 47)


def test_two_tenants_are_said_and_nothing_is_claimed(tmp_path: Path) -> None:
    log = read_log(written(tmp_path, document("entra", [entra(), entra(5, tenant="9f8e")])), tmp_path)
    assert (codes(log), log.spans) == (["log_two_tenants"], [])
    assert "1b2c (1), 9f8e (1)" in log.problems[0].message


@pytest.mark.parametrize("records", [
    [entra(), entra(5, servicePrincipal={"id": "p", "displayName": "Payroll"})],
    [okta(), okta(minutes=5, application="Payroll")],
])  # fmt: skip
def test_two_applications_are_said(records: list[dict[str, Any]], tmp_path: Path) -> None:
    log = read_log(written(tmp_path, json.dumps(records)), tmp_path)
    assert codes(log) == ["log_two_applications"]
    assert "Awareness (1), Payroll (1)" in log.problems[0].message


KNOWN = pl.DataFrame({
    "externalId": ["x-p7@example.com"], "user_key": ["someone"], "email_key": [None], "resource_id": ["u9"],
}, {"externalId": pl.String, "user_key": pl.String, "email_key": pl.String, "resource_id": pl.String})  # fmt: skip


@pytest.mark.parametrize("make", [entra, okta])
def test_the_log_of_another_tenant_is_not_used(make: Any, tmp_path: Path) -> None:
    records = [make(minutes=number, name=f"q{number}") for number in range(STRANGERS)]
    path = written(tmp_path, json.dumps(records))
    logs, found = read_logs([path], known=KNOWN)
    (told,) = found
    assert (told.code, told.count) == ("log_other_tenant", STRANGERS)
    assert (logs.path, logs.spans, logs.files) == (None, (), ("log.json",))


@pytest.mark.parametrize("changed", [
    {"name": "p7"},
    {"targetIdentity": {"id": "u9"}},
    {"sourceIdentity": {"id": "?", "details": {"UserPrincipalName": "SOMEONE"}}},
])  # fmt: skip
def test_one_who_is_known_makes_it_ours(changed: dict[str, Any], tmp_path: Path) -> None:
    records = [entra(number, f"q{number}") for number in range(STRANGERS)] + [entra(60, **changed)]
    logs, found = read_logs([written(tmp_path, document("entra", records))], known=KNOWN)
    assert (found, len(logs.spans)) == ([], 1)


def test_few_strangers_and_the_platforms_own_log_are_ours(tmp_path: Path) -> None:
    few = written(tmp_path, document("entra", [entra(n, f"q{n}") for n in range(STRANGERS - 1)]), "few.json")
    own = written(tmp_path, document("provisioning_log", [line(n, n) for n in range(50)]), "own.json")
    logs, found = read_logs([few, own], known=KNOWN)
    assert (found, len(logs.spans)) == ([], 2)


def test_the_log_of_another_tenant_leaves_the_others_as_they_are(tmp_path: Path) -> None:
    records = [entra(minutes=number, name=f"q{number}") for number in range(STRANGERS)]
    paths = [written(tmp_path, document("entra", records), "theirs.json"),
             written(tmp_path, document("entra", [entra(name="p7")]), "ours.json")]  # fmt: skip
    logs, found = read_logs(paths, known=KNOWN)
    assert logs.path is not None
    assert pl.read_parquet(logs.path)["file"].to_list() == ["ours.json"]
    assert [one.code for one in found] == ["log_other_tenant"]


@pytest.mark.parametrize("code", CATALOGUE)
def test_each_finding_has_its_sentence(code: str) -> None:
    told = said(code, count=3, **CATALOGUE[code].example)
    assert told.message.endswith((".", ":"))
    assert told.advice.endswith(".")
