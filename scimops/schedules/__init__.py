"""Files for schedulers that are there already: cron, systemd, Task Scheduler, Kubernetes, Airflow.

Nothing is installed. Parameters stand in a file that each of them names, so that no shell, no template and no
specifier of a scheduler ever sees a value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from scimops.schedules import airflow, cron, kubernetes, systemd, taskscheduler
from scimops.schedules.every import Rhythm
from scimops.schedules.task import Made, Task

MAKERS: Final[dict[str, Callable[[Task, Rhythm], Made]]] = {
    "cron": cron.make, "systemd": systemd.make, "taskscheduler": taskscheduler.make,
    "kubernetes": kubernetes.make, "airflow": airflow.make,
}  # fmt: skip
"""What makes the files of a scheduler, by the name that `--as` takes."""
