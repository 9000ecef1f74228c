"""The DAG: what it starts is a list of words that no template touches; a real Airflow imports and runs it."""

from __future__ import annotations

import ast
import os
import subprocess
from pathlib import Path

import pytest
from scheduling import HOSTILE, Scheduled, given

WORDS = ("--as", "airflow", "--every", "day", "--at", "02:30", "--time-zone", "Europe/Berlin")
AIRFLOW = os.environ.get("SCIMOPS_TEST_AIRFLOW", "")
BAG = """
try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:
    from airflow.models import DagBag
import sys
bag = DagBag(sys.argv[1])
assert not bag.import_errors, bag.import_errors
(dag,) = bag.dags.values()
assert (dag.dag_id, dag.catchup, dag.max_active_runs) == ("scimops-night-50-e", False, 1), dag
assert [(task.task_id, task.retries) for task in dag.tasks] == [("run", 0)]
assert type(dag.timetable).__name__ == "CronTriggerTimetable"
"""


def test_the_command_is_words_in_the_file(schedule: Scheduled, tmp_path: Path) -> None:
    folder = tmp_path / "night 50% é"
    schedule(*WORDS, "-p", "who", HOSTILE, "--timeout", "600")
    source = (folder / "scimops_night_50_e.py").read_text(encoding="utf-8")
    tree = ast.parse(source)
    values = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }  # fmt: skip
    assert values["COMMAND"][1:] == [
        "run", str(tmp_path / "02_night.ipynb"), "-f", str(folder / "parameters.yaml"),
        "--out", str(folder / "report"), "--dated", "--timeout", "600",
    ]  # fmt: skip
    assert values["ENVIRONMENT"]["SCIMOPS_LEDGER"] == os.environ["SCIMOPS_LEDGER"]
    assert "CronTriggerTimetable('30 2 * * *', timezone='Europe/Berlin')" in source
    assert "timedelta(seconds=720)" in source


@pytest.mark.long
@pytest.mark.skipif(not AIRFLOW, reason="SCIMOPS_TEST_AIRFLOW names no folder with the programs of an Airflow")
def test_an_airflow_imports_and_runs_it(schedule: Scheduled, tmp_path: Path) -> None:
    """Airflow in an environment of its own: `pip install apache-airflow` there, SCIMOPS_TEST_AIRFLOW=…/bin."""
    folder, dags = tmp_path / "night 50% é", tmp_path / "dags"
    schedule(*WORDS, "-p", "who", HOSTILE)
    dags.mkdir()
    (folder / "scimops_night_50_e.py").rename(dags / "scimops_night_50_e.py")
    env = {**os.environ, "AIRFLOW_HOME": str(tmp_path / "airflow"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
           "AIRFLOW__CORE__DAGS_FOLDER": str(dags)}  # fmt: skip
    for words in (["python", "-c", BAG, str(dags)], ["airflow", "db", "migrate"],
                  ["airflow", "dags", "test", "scimops-night-50-e"]):  # fmt: skip
        done = subprocess.run(
            [str(Path(AIRFLOW) / words[0]), *words[1:]],
            env=env, capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert given(folder) == [HOSTILE, 1]
