"""The textfile for Prometheus: what it says, what it keeps of the file before, and that it is whole or not written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from scimops.errors import ScimopsError
from scimops.jobs.each_summary import CompanyRun, EachRun
from scimops.jobs.kernel_seam import know_environment
from scimops.jobs.metrics import Last, last_of_each, write_metrics

DONE = Last("night.ipynb", "2026-11-28T02:30:05.000Z", 5.0, "completed", 0, {"people": 200, "to_fix": 3})
AT = 1795833005.0


def read(path: Path) -> dict[tuple[str, ...], float]:
    """Value by name and labels (notebook, company, then others), without those that are empty."""
    found = {}
    for family in text_string_to_metric_families(path.read_text(encoding="utf-8")):
        for sample in family.samples:
            labels = dict(sample.labels)
            words = (labels.pop("notebook"), labels.pop("company"), *labels.values())
            found[sample.name, *filter(None, words)] = sample.value
    return found


def test_what_the_last_run_says(tmp_path: Path) -> None:
    path = tmp_path / "night.prom"
    write_metrics(path, [DONE])
    assert read(path) == {
        ("scimops_run_timestamp_seconds", "night.ipynb"): AT,
        ("scimops_run_last_success_timestamp_seconds", "night.ipynb"): AT,
        ("scimops_run_duration_seconds", "night.ipynb"): 5.0,
        ("scimops_run_exit_code", "night.ipynb"): 0.0,
        ("scimops_run_outcome", "night.ipynb", "completed"): 1.0,
        **{("scimops_run_outcome", "night.ipynb", outcome): 0.0
           for outcome in ("failed", "timed_out", "kernel_died", "cancelled", "broken")},
        ("scimops_run_count", "night.ipynb", "people"): 200.0,
        ("scimops_run_count", "night.ipynb", "to_fix"): 3.0,
    }  # fmt: skip
    assert path.stat().st_mode & 0o777 == 0o644  # another user collects it
    assert [found.name for found in tmp_path.iterdir()] == ["night.prom"]


def test_the_last_success_stays_where_a_run_fails(tmp_path: Path) -> None:
    path = tmp_path / "night.prom"
    write_metrics(path, [DONE])
    write_metrics(path, [replace(DONE, ended="2026-11-29T02:30:05Z", outcome="kernel_died", exit_code=138, counts={})])
    found = read(path)
    assert found["scimops_run_last_success_timestamp_seconds", "night.ipynb"] == AT
    assert found["scimops_run_timestamp_seconds", "night.ipynb"] == AT + 86400
    assert found["scimops_run_outcome", "night.ipynb", "kernel_died"] == 1
    assert not any(name[0] == "scimops_run_count" for name in found)


@pytest.mark.parametrize("before", ["no metrics {", "\x00", 'scimops_run_last_success_timestamp_seconds{a="b'])
def test_a_file_that_is_none_is_written_anew(tmp_path: Path, before: str) -> None:
    path = tmp_path / "night.prom"
    path.write_text(before)
    write_metrics(path, [replace(DONE, outcome="failed", exit_code=1)])
    assert read(path)["scimops_run_exit_code", "night.ipynb"] == 1
    assert ("scimops_run_last_success_timestamp_seconds", "night.ipynb") not in read(path)


def test_each_company_by_its_name_and_those_not_run_keep_their_last_success(tmp_path: Path) -> None:
    path = tmp_path / "night.prom"
    names = ('A "quoted"\\\n', "Bü", "C")
    runs = tuple(CompanyRun(name, "ok", "", "completed", 0, "", {"people": 1}, 2.0, "id") for name in names)
    each = EachRun("id", "night.ipynb", "c.yaml", "f", DONE.ended, DONE.ended, 9.0, runs)
    write_metrics(path, last_of_each(each))
    later = replace(each, ended="2026-11-29T02:30:05Z", companies=(
        replace(runs[0], result="failed", outcome="broken", exit_code=None), CompanyRun("Bü"), runs[2],
    ))  # fmt: skip
    write_metrics(path, last_of_each(later))
    found = read(path)
    success = {name[2]: value for name, value in found.items() if name[0].startswith("scimops_run_last_success")}
    assert success == {names[0]: AT, "Bü": AT, "C": AT + 86400}
    assert found["scimops_run_outcome", "night.ipynb", names[0], "broken"] == 1
    assert ("scimops_run_exit_code", "night.ipynb", names[0]) not in found
    assert ("scimops_run_exit_code", "night.ipynb", "Bü") not in found


def test_no_secret_becomes_a_label(tmp_path: Path) -> None:
    know_environment({"SCIMOPS_METRICS_TOKEN": "s3cr3t-of-the-metrics-99"})
    write_metrics(tmp_path / "m.prom", [replace(DONE, company="s3cr3t-of-the-metrics-99")])
    assert "s3cr3t" not in (tmp_path / "m.prom").read_text()


def test_where_it_cannot_be_written_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(ScimopsError, match="the metrics cannot be written there"):
        write_metrics(tmp_path / "nowhere" / "m.prom", [DONE])
