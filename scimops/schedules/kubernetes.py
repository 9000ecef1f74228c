"""A CronJob for Kubernetes (batch/v1, 1.27 or later): no root, nothing writable but a volume and a folder in memory."""

from __future__ import annotations

import io
import re
import shlex
from dataclasses import replace
from pathlib import PurePath
from typing import Any, Final

from scimops.errors import UsageError
from scimops.schedules.every import Rhythm
from scimops.schedules.task import Made, Task

USER: Final = 10001
"""The user of the image that `Containerfile` makes."""

_SECRET: Final = re.compile(r"env:(SCIMOPS_\w+)")


def make(task: Task, rhythm: Rhythm) -> Made:
    """The CronJob; notebook and parameters go into a ConfigMap, by the commands that are said.

    Raises:
        UsageError: the notebook's name is none for a key of a ConfigMap.
    """
    name, notebook, given = f"scimops-{task.name}", PurePath(task.notebook).name, PurePath(task.given).name
    for key in (notebook, given):
        if not re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", key):
            raise UsageError(f'"{key}" is no name for Kubernetes.', advice="Letters a to z, digits, - _ and . are.")
    inside = replace(task, program="scimops", notebook=f"/job/{notebook}", given=f"/job/{given}",
                     report=f"/data/{task.name}")  # fmt: skip
    document = _cron_job(name, inside, rhythm)
    file = f"{task.name}.cronjob.yaml"
    files = f"--from-file={shlex.quote(task.notebook)} --from-file={shlex.quote(task.given)}"
    secrets = sorted({found[1] for word in task.references if (found := _SECRET.fullmatch(word))})
    notes = [
        "Catch-up: a run may begin startingDeadlineSeconds late, else it is left out. Forbid: no two overlap.",
        f"Time zone: {document['spec']['timeZone']}. What failed is not tried again: look first what is half done.",
        "Ledger, reports and connections.yaml (in config/) are on the volume scimops-data; paths in parameters are "
        "those inside of the container: put exports below /data.",
        f"Secret {name}: its keys are files for file: references"
        + (f", and variables: {', '.join(secrets)}." if secrets else "."),
    ]
    return Made(
        {file: _yaml(document)},
        ("podman build -t scimops -f Containerfile . (and push it; put its name where image: stands)",
         f"kubectl create configmap {name} {files}",
         f"kubectl create secret generic {name} --from-file=NAME=PATH (where the job needs secrets)",
         f"kubectl apply -f {file}"),
        (f"kubectl get cronjob {name}", f"kubectl create job --from=cronjob/{name} {name}-now (runs it now)",
         f"kubectl logs job/{name}-now"),
        (f"kubectl delete cronjob,configmap,secret {name}",),
        tuple(notes),
    )  # fmt: skip


def _cron_job(name: str, task: Task, rhythm: Rhythm) -> dict[str, Any]:
    pod = {
        "restartPolicy": "Never", "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True, "runAsUser": USER, "runAsGroup": USER, "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(name, task)],
        "volumes": [
            {"name": "tmp", "emptyDir": {}},
            {"name": "data", "persistentVolumeClaim": {"claimName": "scimops-data"}},
            {"name": "job", "configMap": {"name": name}},
            {"name": "credentials", "secret": {"secretName": name, "optional": True, "defaultMode": 0o440}},
        ],
    }  # fmt: skip
    job: dict[str, Any] = {"backoffLimit": 0, "template": {"spec": pod}}
    if task.timeout:
        job["activeDeadlineSeconds"] = int(task.timeout) + 120
    late = max(60, min(6 * 3600, int(rhythm.overdue[:-1]) * 3600 // 4))
    return {
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name},
        "spec": {
            "schedule": rhythm.cron, "timeZone": rhythm.zone or "Etc/UTC", "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": late, "jobTemplate": {"spec": job},
        },
    }  # fmt: skip


def _container(name: str, task: Task) -> dict[str, Any]:
    places = {"HOME": "/tmp", "SCIMOPS_LEDGER": "/data/runs.ndjson", "SCIMOPS_CONFIG": "/data/config",  # noqa: S108  # emptyDir
              "SCIMOPS_CREDENTIALS_DIR": "/credentials"}  # fmt: skip
    environment: list[dict[str, Any]] = [{"name": key, "value": value} for key, value in places.items()]
    for word in sorted(set(task.references)):
        if found := _SECRET.fullmatch(word):
            key = {"secretKeyRef": {"name": name, "key": found[1]}}
            environment.append({"name": found[1], "valueFrom": key})
    mounts = {"tmp": "/tmp", "data": "/data", "job": "/job", "credentials": "/credentials"}  # noqa: S108  # emptyDir
    return {
        "name": "scimops", "image": "scimops", "args": [word.replace("$(", "$$(") for word in task.words[1:]],
        "env": environment,
        "securityContext": {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": key, "mountPath": path, **({"readOnly": True} if key in ("job", "credentials") else {})}
            for key, path in mounts.items()
        ],
    }  # fmt: skip


def _yaml(document: dict[str, Any]) -> bytes:
    from ruamel.yaml import YAML

    yaml, out = YAML(), io.BytesIO()
    yaml.width = 10_000
    yaml.dump(document, out)
    return out.getvalue()
