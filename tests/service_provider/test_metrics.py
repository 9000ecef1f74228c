"""What Prometheus reads: true counts, from closed lists alone, of one process and of several together."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from managing import MadeSetting
from prometheus_client.parser import text_string_to_metric_families
from scim2_server.routing import Operation
from serving import running
from test_placement import person
from test_serve import Platform as Program

from scimops.service_provider.database import Database
from scimops.service_provider.metrics import counted_together, what
from scimops.service_provider.serve import build

OPERATIONS = {operation.value for operation in Operation} | {"management", "other"}


def read(http: httpx2.Client) -> dict[tuple[str, ...], float]:
    """Operation, resource and status of the requests, with their number."""
    response = http.get("/metrics")
    assert response.headers["Content-Type"].startswith("text/plain")
    families = {family.name: family for family in text_string_to_metric_families(response.text)}
    assert {name.removesuffix("_created") for name in families} == {"scimops_requests", "scimops_request_seconds"}
    counts = {}
    for sample in families["scimops_requests"].samples:
        if sample.name.endswith("_total"):
            counts[tuple(sample.labels[name] for name in ("operation", "resource", "status"))] = sample.value
    seconds = [s for s in families["scimops_request_seconds"].samples if s.name.endswith("_count")]
    assert sum(sample.value for sample in seconds) == sum(counts.values())
    return counts


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_requests_are_counted_without_a_word_of_what_they_said(
    database: Database, setting_factory: Callable[..., MadeSetting]
) -> None:
    made = setting_factory()
    with running(build(database, "https://x.example")) as url, httpx2.Client(base_url=url) as http:
        assert read(http) == {}
        scim = {"headers": made.headers | {"Content-Type": "application/scim+json"}}
        anna = http.post("/scim/v2/Users", json=person("anna", "Secret"), **scim).json()["id"]
        assert http.post("/scim/Users", json=person("anna", "Secret"), **scim).status_code == 409
        assert http.get(f"/scim/v2/Users/{anna}", **scim).status_code == 200
        assert http.get("/scim/v2/Users", params={"filter": 'userName eq "anna"'}, **scim).status_code == 200
        assert http.get("/scim/v2/Secret/anna", **scim).status_code == 404
        assert http.request("ANNA", "/scim/v2/Users", **scim).status_code == 405
        assert http.get("/scim/v2/Groups").status_code == 401
        assert http.post("/api/target-users/search?anna", json={}).status_code == 401
        assert http.get("/anna").status_code == 404
        for path in ("/healthz", "/readyz"):
            http.get(path)
        assert read(http) == {
            ("create", "Users", "2xx"): 1, ("create", "Users", "4xx"): 1, ("query", "Users", "2xx"): 1,
            ("search", "Users", "2xx"): 1, ("query", "none", "4xx"): 1, ("search", "Groups", "4xx"): 1,
            ("management", "none", "4xx"): 1, ("other", "none", "4xx"): 2,
        }  # fmt: skip
        text = http.get("/metrics").text
        for word in ("anna", "secret", "example", "rehearsal", anna, made.company_id, made.id):
            assert word.lower() not in text.lower()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/scim/v2/" + "x" * 5000), ("GET", "/"), ("GET", ""), ("GET", "//scim//Users"), ("PUT", "/scim"),
        ("POST", "/scim/v2/Bulk"), ("GET", "/scim/v2/Users/Müller"), ("DELETE", "/scim/v2/Me"), ("GET", "/api"),
        ("get", "/scim/v2/Users"), ("GET", "/scim/v2/Schemas/urn:a"), ("POST", "/scim/v2/Users/.search"),
    ],
)  # fmt: skip
def test_labels_come_from_closed_lists(method: str, path: str) -> None:
    operation, resource = what(method, path)
    assert operation in OPERATIONS
    assert resource in ("Users", "Groups", "none")


def test_several_processes_count_together_and_leave_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with program.started("--workers", "2") as server:
        (folder,) = tmp_path.glob("scimops-metrics-*")
        wanted = 0
        while len(list(folder.glob("counter_*.db"))) < 2 and wanted < 1000:  # a connection each, until both were asked
            assert httpx2.get(f"http://127.0.0.1:{program.port}/scim/v2/Users").status_code == 401
            wanted += 1
        with httpx2.Client(base_url=f"http://127.0.0.1:{program.port}") as http:
            for _ in range(4):
                assert read(http) == {("search", "Users", "4xx"): wanted}
        assert len(list(folder.glob("counter_*.db"))) == 2
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
    assert list(tmp_path.glob("scimops-metrics-*")) == []


def test_the_folder_is_the_servers_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "elsewhere")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with counted_together(1):
        assert "PROMETHEUS_MULTIPROC_DIR" not in os.environ
    with counted_together(3):
        assert Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).parent == tmp_path
    assert os.environ["PROMETHEUS_MULTIPROC_DIR"] == "elsewhere"
    assert list(tmp_path.iterdir()) == []
