"""Entra ID's download as three CSV files: told as the JSON tells it, in bounded memory, and said where one lacks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from logfiles import CSV, csv_row, document, download, entra, read_log, written

from scimops.audit.logs.read import read_files
from scimops.audit.logs.reading import Log
from scimops.audit.told import STRANGERS, read_logs
from scimops.errors import SourceError


def step(kind: str, status: str, description: str, **details: str) -> dict[str, Any]:
    return {"name": f"Entry{kind}", "provisioningStepType": kind, "status": status, "description": description,
            "details": details}  # fmt: skip


def changed(name: str, old: str | None, new: str | None) -> dict[str, Any]:
    return {"displayName": name, "oldValue": old, "newValue": new}


def ended(status: str, code: str | None = None, reason: str | None = None) -> dict[str, Any]:
    return {"status": status, "errorInformation": {"errorCode": code, "reason": reason} if code else None}


RECORDS = [
    entra(0, "anna", provisioningSteps=[step("import", "success", 'Received "Anna",\nfrom Entra ID')],
          modifiedProperties=[changed("userName", None, "anna@example.com"), changed("department", None, "[Sales]"),
                              changed("password", "hunter1", "hunter2")]),
    entra(5, "bert", provisioningAction="update", modifiedProperties=[changed("active", "True", "False")]),
    entra(10, "carl", provisioningAction="update",
          modifiedProperties=[changed("userName", "carl@example.com", "karl@example.com")]),
    entra(15, "dora", provisioningStatusInfo=ended("skipped"), provisioningSteps=[
        step("import", "success", "Received dora"),
        step("scoping", "skipped", "The user is redundant", SkipReason="RedundantExport")]),
    entra(20, "emil", provisioningStatusInfo=ended("failure"), provisioningSteps=[
        step("import", "success", "Received emil"),
        step("export", "failure", "StatusCode: Conflict. Another person has this userName."),
        step("processing", "success", "It will be tried again.")]),
    entra(25, "finn", provisioningStatusInfo=ended("failure", "BadRequest", "The domain is not authorised."),
          provisioningSteps=[step("export", "failure", "not told")]),
    entra(30, "gerd"),
]  # fmt: skip
EVENTS, STEPS, PROPERTIES = download(RECORDS)


def read(folder: Path, *texts: str) -> list[Log]:
    """The logs of these files, whose names say nothing of what they are."""
    logs = read_files([written(folder, text, f"f{number}.csv") for number, text in enumerate(texts)], folder)
    assert all(log.records == log.told + log.unreadable.total() for log in logs)
    return logs


def events(logs: Sequence[Log], folder: Path) -> pl.DataFrame:
    parts = [part for log in logs for part in log.parts]
    assert set(parts) == set(folder.glob("*.parquet"))
    return pl.read_parquet(parts).drop("file").sort("row", "at")


def codes(logs: Sequence[Log]) -> list[list[str]]:
    return [[one.code for one in log.problems] for log in logs]


@pytest.fixture
def told(tmp_path: Path) -> pl.DataFrame:
    """What the same download as JSON tells."""
    folder = tmp_path / "json"
    folder.mkdir()
    return events([read_log(written(folder, document("entra", RECORDS)), folder)], folder)


@pytest.mark.parametrize("texts", list(permutations([EVENTS, STEPS, PROPERTIES])))
def test_three_files_in_any_order_tell_what_the_json_tells(
    texts: tuple[str, ...], tmp_path: Path, told: pl.DataFrame
) -> None:
    logs = read(tmp_path, *texts)
    assert events(logs, tmp_path).equals(told)
    assert codes(logs) == [[], [], []]
    assert [log.source for log in logs] == ["entra"] * 3
    assert {text: log.records for text, log in zip(texts, logs, strict=True)} == {EVENTS: 7, STEPS: 7, PROPERTIES: 5}
    assert [span for log in logs for span in log.spans] == [
        ("entra", "2026-11-02T08:00:00.000Z", "2026-11-02T08:30:00.000Z")
    ]


def test_the_steps_say_why_and_the_properties_what_changed(tmp_path: Path) -> None:
    frame = events(read(tmp_path, EVENTS, STEPS, PROPERTIES), tmp_path)
    assert frame["operation"].to_list() == ["create", "deactivate", "rename", *["create"] * 4]
    assert frame["reason"].to_list() == [None, None, None, "no_change", "taken", "domain_not_allowed", None]
    assert frame["detail"].to_list() == [
        'Received "Anna", from Entra ID', None, None, "RedundantExport The user is redundant",
        "StatusCode: Conflict. Another person has this userName.", "BadRequest The domain is not authorised.", None,
    ]  # fmt: skip
    assert json.loads(frame["changes"][0]) == [
        {"attribute": "userName", "old": None, "new": "anna@example.com"},
        {"attribute": "department", "old": None, "new": "[Sales]"},
        {"attribute": "password", "old": None, "new": "(not shown)"},
    ]


def test_without_the_other_files_the_events_are_told_alone(tmp_path: Path) -> None:
    logs = read(tmp_path, EVENTS)
    frame = events(logs, tmp_path)
    assert frame["operation"].to_list() == ["create", "update", "update", *["create"] * 4]
    assert frame["changes"].unique().to_list() == ["[]"]
    assert (codes(logs), len(logs[0].spans)) == ([[]], 1)


@pytest.mark.parametrize(("text", "what"), [(STEPS, "the provisioning steps"), (PROPERTIES, "the modified properties")])
def test_without_the_events_nothing_is_told_and_that_is_said(text: str, what: str, tmp_path: Path) -> None:
    logs, (found,) = read_logs([written(tmp_path, text, "ProvisioningLogs.csv")])
    assert (found.code, found.level, found.count) == ("log_part_alone", "error", text.count("\nc"))
    assert what in found.message
    assert "ProvisioningLogs.csv of the same download" in found.advice
    assert (logs.path, logs.spans, logs.files) == (None, (), ("ProvisioningLogs.csv",))


def test_events_in_json_are_not_those_of_a_csv_file(tmp_path: Path) -> None:
    logs = read(tmp_path, document("entra", RECORDS), PROPERTIES)
    assert codes(logs) == [[], ["log_part_alone"]]


def test_what_belongs_to_no_event_is_counted(tmp_path: Path) -> None:
    logs = read(tmp_path, download(RECORDS[:1])[0], STEPS, PROPERTIES + ",department,a,b\n")
    assert codes(logs) == [[], ["log_part_unmatched"], ["log_unreadable", "log_part_unmatched"]]
    assert [log.problems[-1].count for log in logs[1:]] == [6, 2]
    assert (logs[2].problems[0].row_numbers, logs[2].problems[0].count) == ([6], 1)


def test_events_without_the_change_id_get_nothing(tmp_path: Path) -> None:
    logs = read(tmp_path, CSV + csv_row(), PROPERTIES)
    assert (codes(logs), events(logs, tmp_path).height) == ([[], ["log_part_unmatched"]], 1)


def test_two_events_of_one_change_id_get_nothing(tmp_path: Path) -> None:
    records = [RECORDS[0], RECORDS[1], entra(40, "hugo", changeId=RECORDS[1]["changeId"])]
    logs = read(tmp_path, download(records)[0], PROPERTIES)
    assert [json.loads(text) != [] for text in events(logs, tmp_path)["changes"]] == [True, False, False]
    assert codes(logs) == [["log_part_ambiguous"], ["log_part_unmatched"]]
    assert [log.problems[0].count for log in logs] == [2, 2]


def test_two_downloads_that_overlap_double_no_change(tmp_path: Path) -> None:
    first, second = download(RECORDS[:4]), download(RECORDS[2:])
    logs = read(tmp_path, *first, *second)
    assert codes(logs) == [[]] * 6
    of_carl = events(logs, tmp_path).filter(userName="carl@example.com")
    assert [len(json.loads(text)) for text in of_carl["changes"]] == [1, 1]


def test_another_spelling_of_the_columns_is_known(tmp_path: Path, told: pl.DataFrame) -> None:
    steps = STEPS.replace(STEPS.split("\n")[0], "changeId,stepName,StepType,stepStatus,StepDescription,stepDetails")
    properties = PROPERTIES.replace(PROPERTIES.split("\n")[0], "CHANGE ID,Property Name,OldValue,newValue")
    logs = read(tmp_path, EVENTS, steps, properties.replace(",", ";"))
    assert codes(logs) == [[], [], []]
    assert events(logs, tmp_path).equals(told)


@pytest.mark.parametrize("header", ["Change ID,Display Name", "Display Name,Old Value,New Value", "Change ID,Status"])
def test_a_file_that_has_too_little_is_refused(header: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is no log"):
        read(tmp_path, EVENTS, header + "\n")


@pytest.mark.parametrize("text", [STEPS, PROPERTIES])
def test_a_part_that_is_cut_off_anywhere_is_said(text: str, tmp_path: Path, told: pl.DataFrame) -> None:
    whole = text.encode()
    main = written(tmp_path, EVENTS, "main.csv")
    for size in range(text.index("\n") + 1, len(whole), 17):
        (tmp_path / "part.csv").write_bytes(whole[:size])
        events_log, log = read_files([main, tmp_path / "part.csv"], tmp_path)
        assert ("log_incomplete" in [one.code for one in log.problems]) == (whole[size - 1 : size] != b"\n")
        frame = pl.read_parquet(events_log.parts).sort("row")
        assert frame.select("at", "outcome", "externalId").equals(told.select("at", "outcome", "externalId"))
        for had, has in zip(told["changes"], frame["changes"], strict=True):
            assert [one for one in json.loads(has)[:-1] if one not in json.loads(had)] == []


def test_events_that_are_cut_off_claim_nothing(tmp_path: Path) -> None:
    for size in range(EVENTS.index("\n") + 2, len(EVENTS) - 1, 61):
        logs = read(tmp_path, EVENTS[:size], STEPS, PROPERTIES)
        if EVENTS[size - 1] != "\n":
            assert logs[0].problems[0].code in ("log_incomplete", "log_unreadable")
            assert [log.spans for log in logs] == [[], [], []]


@pytest.mark.parametrize("size", [1, 50, 120, 300, 1000])
def test_in_pieces_and_buckets_it_is_the_same(
    size: int, tmp_path: Path, told: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scimops.audit.logs.pieces.PIECE", size)
    monkeypatch.setattr("scimops.audit.logs.download.BUCKET", 400)
    logs = read(tmp_path, STEPS, EVENTS, PROPERTIES)
    assert events(logs, tmp_path).equals(told)
    assert codes(logs) == [[], [], []]
    assert len(logs[1].parts) > 1


@pytest.mark.parametrize("text", [
    "\ufeffsep=,\n" + CSV + "\n" + csv_row() + csv_row(5, "bert", reason='a "b",\n\nc\n'),
    (CSV + csv_row() + csv_row(5, "bert", reason='a "b",\nc\n')).replace("\n", "\r\n"),
    "".join(CSV + "".join(csv_row(n, f"p{n}") + ("only,two\n" if n % 3 else "") for n in range(12))),
    CSV + "".join(csv_row(n, f"p{n}", reason="x\ny" * n).replace('",1b2c', '"x,1b2c' if n == 4 else '",1b2c')
                  for n in range(9)),
    CSV + csv_row() + csv_row(1, 'a 5" pipe') + "".join(csv_row(n, f"p{n}", reason="x\ny\nz") for n in range(2, 9)),
    CSV + csv_row(0, 'a 5" pipe') + "".join(csv_row(n, f"p{n}", reason="x\n,,,,,,,\n") for n in range(9)),
    (CSV + "".join(csv_row(n, "ırmak") for n in range(5))).rstrip(),
])  # fmt: skip
def test_a_file_in_pieces_is_read_as_a_whole_one(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "whole").mkdir()
    path = written(tmp_path, text, "log.csv")
    same = read_log(path, tmp_path / "whole")
    for size in (20, 90, 130):
        monkeypatch.setattr("scimops.audit.logs.pieces.PIECE", size)
        log = read_log(path, tmp_path)
        assert pl.read_parquet(log.parts).equals(pl.read_parquet(same.parts))
        assert (log.records, log.rows, log.problems) == (same.records, same.rows, same.problems)


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8"])
def test_other_encodings_are_read_in_pieces(encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scimops.audit.logs.pieces.PIECE", 100)
    path = tmp_path / "log.csv"
    path.write_bytes((CSV + "".join(csv_row(n, f"é{n}") for n in range(9))).encode(encoding))
    log = read_log(path, tmp_path)
    assert pl.read_parquet(log.parts)["userName"].to_list() == [f"é{n}@example.com" for n in range(9)]


def test_files_of_two_tenants_are_said_and_nothing_is_claimed(tmp_path: Path) -> None:
    paths = [written(tmp_path, document("entra", [entra()]), "a.json"),
             written(tmp_path, CSV + csv_row().replace("1b2c", "9f8e"), "b.csv")]  # fmt: skip
    logs, (found,) = read_logs(paths)
    assert (found.code, logs.spans) == ("log_tenants_differ", ())
    assert "a.json of 1b2c, b.csv of 9f8e" in found.message
    logs, told = read_logs([paths[0], written(tmp_path, CSV + csv_row(), "b.csv")])
    assert (len(logs.spans), told) == (2, [])


def test_a_log_that_is_not_used_makes_no_second_tenant(tmp_path: Path) -> None:
    theirs = [entra(n, f"q{n}", tenant="9f8e") for n in range(STRANGERS)]
    paths = [written(tmp_path, document("entra", theirs), "theirs.json"),
             written(tmp_path, document("entra", [entra(name="p7")]), "ours.json")]  # fmt: skip
    known = pl.DataFrame({"externalId": ["x-p7@example.com"], "resource_id": ["u-1"]})
    logs, found = read_logs(paths, known=known)
    assert ([one.code for one in found], len(logs.spans)) == (["log_other_tenant"], 1)
