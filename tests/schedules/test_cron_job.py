"""The CronJob: structure, what it may do, secrets by reference. By hand it was also held to the published API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from scheduling import HOSTILE, Scheduled

WORDS = ("--as", "kubernetes", "--every", "day", "--at", "02:30", "--time-zone", "Europe/Berlin")


def read(folder: Path) -> Any:
    return YAML(typ="safe").load((folder / "night-50-e.cronjob.yaml").read_text())


def test_the_job_is_shut_in_and_does_not_overlap(schedule: Scheduled, tmp_path: Path) -> None:
    schedule(*WORDS, "-p", "who", HOSTILE, "--timeout", "600")
    job = read(tmp_path / "night 50% é")
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "CronJob")
    spec = job["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == ("30 2 * * *", "Europe/Berlin", "Forbid")
    assert 10 <= spec["startingDeadlineSeconds"] <= 6 * 3600
    inner = spec["jobTemplate"]["spec"]
    assert (inner["backoffLimit"], inner["activeDeadlineSeconds"]) == (0, 720)
    pod = inner["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert container["args"] == [
        "run", "/job/02_night.ipynb", "-f", "/job/parameters.yaml", "--out", "/data/night-50-e", "--dated", "--timeout",
        "600",
    ]  # fmt: skip
    assert {volume["name"] for volume in pod["volumes"]} == {mount["name"] for mount in container["volumeMounts"]}
    assert {"name": "tmp", "emptyDir": {}} in pod["volumes"]
    assert not any("secretKeyRef" in str(variable) for variable in container["env"])


def test_env_references_become_keys_of_the_secret(schedule: Scheduled, tmp_path: Path) -> None:
    said = schedule(*WORDS, "-p", "who", "env:SCIMOPS_ADMIN").stderr
    (container,) = read(tmp_path / "night 50% é")["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    key = {"secretKeyRef": {"name": "scimops-night-50-e", "key": "SCIMOPS_ADMIN"}}
    assert {"name": "SCIMOPS_ADMIN", "valueFrom": key} in container["env"]
    assert "and variables: SCIMOPS_ADMIN." in said
    assert "kubectl create configmap scimops-night-50-e --from-file=" in said


def test_without_a_zone_it_is_utc(schedule: Scheduled, tmp_path: Path) -> None:
    schedule("--as", "kubernetes", "--every", "hour")
    spec = read(tmp_path / "night 50% é")["spec"]
    assert (spec["schedule"], spec["timeZone"]) == ("0 * * * *", "Etc/UTC")
