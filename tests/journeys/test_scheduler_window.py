"""A person makes a job in JupyterLab's window of jobs, opened by `scimops lab`; it runs as `scimops run` runs it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import nbformat
import pytest
from lab import QUIET, Lab, Shoot, Wire, clean_environment, free_port, wait_until_up
from nbformat.v4 import new_code_cell, new_notebook

from scimops.jobs.history import runs

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SECRET = "s3cr3t-of-the-window-4711"
NOTEBOOK = "night.ipynb"
CELLS = (
    "import os\nprint('token:', os.environ['SCIMOPS_WINDOW_TOKEN'])",
    "if who == 'nobody':\n    raise ValueError(who)\nprint(f'Good evening, {who}.')",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything of this module's server: settings, database, ledger."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def lab(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """`scimops lab` over a folder with one more notebook."""
    folder = tmp_path_factory.mktemp("desk") / "lab"
    folder.mkdir()
    spec = {"name": "python3", "language": "python", "display_name": "Python 3"}
    first = new_code_cell('who: str = "nobody"\nlimit: int = 10', metadata={"tags": ["parameters"]})
    notebook = new_notebook(cells=[first, *map(new_code_cell, CELLS)], metadata={"kernelspec": spec})
    nbformat.write(notebook, folder / NOTEBOOK)
    for name, content in QUIET.items():
        path = home / "settings" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    token, port = secrets.token_hex(16), free_port()
    env = clean_environment() | {
        "JUPYTER_TOKEN": token, "JUPYTER_PORT": str(port), "JUPYTER_PORT_RETRIES": "0",
        "JUPYTER_CONFIG_DIR": str(home / "config"), "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"), "IPYTHONDIR": str(home / "ipython"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "SCIMOPS_LEDGER": str(home / "runs.ndjson"), "SCIMOPS_WINDOW_TOKEN": SECRET,
    }  # fmt: skip
    command = [str(Path(sys.executable).with_name("scimops")), "lab", str(folder), "--no-browser", "--allow-root"]
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)
        try:
            running = Lab(f"http://127.0.0.1:{port}", token, folder, process)
            wait_until_up(running, home / "server.log")
            yield running
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def answered(lab: Lab, method: str, path: str, **options: Any) -> Any:
    headers = {"Authorization": f"token {lab.token}"}
    answer = httpx2.request(method, f"{lab.url}/scheduler/{path}", headers=headers, timeout=30, **options)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def made(lab: Lab, **parameters: str) -> str:
    """The id of a new job."""
    environment = answered(lab, "GET", "runtime_environments")[0]["name"]
    job = {
        "input_uri": NOTEBOOK, "name": "night", "runtime_environment_name": environment, "parameters": parameters,
        "output_formats": ["ipynb", "html"],
    }  # fmt: skip
    return str(answered(lab, "POST", "jobs", json=job)["job_id"])


def ended(lab: Lab, job: str) -> dict[str, Any]:
    """The job when it has ended; it is called STOPPED until its process has begun."""
    return waited(lab, job, lambda found: found["status"] in ("COMPLETED", "FAILED"))


def waited(lab: Lab, job: str, true: Callable[[dict[str, Any]], bool], seconds: float = 60) -> dict[str, Any]:
    """The job as soon as something is true of it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found: dict[str, Any] = answered(lab, "GET", f"jobs/{job}")
        if true(found):
            return found
        time.sleep(0.2)
    raise TimeoutError(found)


def staged(home: Path, job: str) -> dict[str, Path]:
    """The files of a job, by suffix: what the window offers for download."""
    folder = home / "data" / "scheduler_staging_area" / job
    return {path.suffix: path for path in folder.iterdir() if path.is_file() and path.name != NOTEBOOK}


@pytest.mark.long
def test_jobs_of_the_window_run_as_audited_jobs(lab: Lab, home: Path) -> None:
    """One completes, one fails, one has a wrong parameter; a value is never code; no file has the secret."""
    hostile = "x'); import os; os.abort() #"
    jobs = {who: made(lab, **parameters) for who, parameters in (
        ("done", {"who": hostile}), ("failed", {}), ("wrong", {"limit": "many"}),
    )}  # fmt: skip
    found = {who: ended(lab, job) for who, job in jobs.items()}
    assert {who: job["status"] for who, job in found.items()} == {
        "done": "COMPLETED", "failed": "FAILED", "wrong": "FAILED",
    }  # fmt: skip
    assert found["failed"]["status_message"] == "Exit code 1. ValueError: nobody"
    assert found["wrong"]["status_message"] == 'The parameter "limit" must be a whole number, not "many".'
    assert all(job["end_time"] for job in found.values())
    files = staged(home, jobs["done"])
    assert f"Good evening, {hostile}." in json.dumps(nbformat.read(files[".ipynb"], as_version=4)).replace("\\\\", "\\")
    assert "exit code 0" in files[".html"].read_text(encoding="utf-8")
    assert set(staged(home, jobs["failed"])) == {".ipynb", ".html"}
    assert staged(home, jobs["wrong"]) == {}
    ledger = {logged.record.outcome: logged.record for logged in runs(home / "runs.ndjson")}
    assert set(ledger) == {"completed", "failed"}
    assert ledger["completed"].parameters["who"] == hostile
    leaks = [path for path in home.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert leaks == []


def test_a_person_makes_a_job_in_the_window(lab: Lab, home: Path, chromium: Browser, shoot: Shoot) -> None:
    page = chromium.new_page(viewport={"width": 1400, "height": 1000})
    wire = Wire(lab.url)
    wire.watch(page)
    page.goto(f"{lab.url}/lab?reset&token={lab.token}")
    page.locator(".jp-DirListing-item", has_text=NOTEBOOK).click(button="right")
    page.locator(".lm-Menu-itemLabel", has_text="Create Job").click()
    page.locator("[title='Add new parameter']").click()
    page.locator("input[name='parameter-0-name']").fill("who")
    page.locator("input[name='parameter-0-value']").fill("Ada")
    page.locator("input[name='jobName']").click()  # the form looks at a field when it is left
    shoot(page, "scheduler_window_form")
    page.get_by_role("button", name="Create", exact=True).click()
    page.wait_for_selector("text=has been created")
    (job,) = [one["job_id"] for one in answered(lab, "GET", "jobs")["jobs"] if one["parameters"] == {"who": "Ada"}]
    ended(lab, job)
    reload = page.get_by_role("button", name="Reload")
    reload.click()
    row = page.locator("tr", has_text=NOTEBOOK).first
    row.get_by_text("Completed").wait_for()
    row.locator("[title^='Download']").click()
    waited(lab, job, lambda found: bool(found["downloaded"]))
    reload.click()
    row.get_by_text("Notebook", exact=True).wait_for()
    shoot(page, "scheduler_window_completed")
    row.get_by_text("Notebook", exact=True).click()
    page.wait_for_selector(".jp-RenderedMarkdown >> text=Completed: exit code 0")
    page.wait_for_selector(".jp-OutputArea >> text=Good evening, Ada.")
    shoot(page, "scheduler_window_output")
    assert SECRET not in page.content()
    assert wire.foreign == []
    (found,) = [one.record for one in runs(home / "runs.ndjson") if one.record.parameters["who"] == "Ada"]
    assert (found.outcome, found.exit_code) == ("completed", 0)
