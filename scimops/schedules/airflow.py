"""A DAG for Apache Airflow, 2.9 or later and 3.

The command stands in the file as a list of words and is started without a shell, by a plain Python task: it is no
templated field, so Jinja never sees it.
"""

from __future__ import annotations

from typing import Final

from scimops.schedules.every import Rhythm
from scimops.schedules.task import Made, Task

_DAG: Final = '''\
"""scimops {name}: written by `scimops schedule --as airflow`; write it anew instead of changing it."""

from datetime import datetime, timedelta
import os
import subprocess

from airflow.timetables.trigger import CronTriggerTimetable

try:
    from airflow.sdk import DAG, task
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.decorators import task

COMMAND = {command}
ENVIRONMENT = {environment}

with DAG(
    dag_id={dag!r},
    schedule=CronTriggerTimetable({cron!r}, timezone={zone!r}),
    start_date=datetime(2025, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={{"retries": 0}},
    tags=["scimops"],
):

    @task(execution_timeout={limit})
    def run():
        with subprocess.Popen(COMMAND, env={{**os.environ, **ENVIRONMENT}}) as job:
            try:
                code = job.wait()
            except BaseException:
                job.terminate()  # scimops ends its kernel and marks the run as cancelled
                raise
        if code:
            raise RuntimeError(f"scimops ended with exit code {{code}}")

    run()
'''


def make(task: Task, rhythm: Rhythm) -> Made:
    """The DAG's file."""
    dag = f"scimops-{task.name}"
    limit = f"timedelta(seconds={task.timeout + 120:g})" if task.timeout else "None"
    zone = rhythm.zone or "UTC"
    text = _DAG.format(
        name=task.name, dag=dag, command=_list(task.words), environment=ascii(task.environment), cron=rhythm.cron,
        zone=zone, limit=limit,
    )  # fmt: skip
    file = f"{dag.replace('-', '_')}.py"
    notes = [
        "Catch-up: catchup=False. Runs that were missed while Airflow was down are not made up.",
        f"Time zone: {zone}. A code other than 0 fails the task; it is not tried again: look first what is half done.",
        "Airflow's workers need this very path of scimops, of the notebook and of the parameters, and may read them.",
    ]
    notes += [f"The worker's environment must hold what {word} names." for word in task.references
              if word.startswith("env:")]  # fmt: skip
    return Made(
        {file: text.encode()},
        (f'cp {file} "$(airflow config get-value core dags_folder)"/', f"airflow dags unpause {dag}"),
        (f"airflow dags list-runs {dag} (Airflow 2: -d {dag})", f"airflow dags trigger {dag} (runs it now)"),
        (f"delete {file} from that folder, then airflow dags delete {dag}",),
        tuple(notes),
    )


def _list(words: tuple[str, ...]) -> str:
    return "[\n" + "".join(f"    {word!a},\n" for word in words) + "]"
