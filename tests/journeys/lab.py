"""A real JupyterLab server and how a person uses it through a real browser. Pitfalls are said where they are met."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

REPOSITORY = Path(__file__).parents[2]

Shoot = Callable[..., None]
"""Keeps a picture of a page under a name."""

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip

QUIET = {
    # JupyterLab asks for its news and for newer versions unless it is told not to.
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension/plugin.jupyterlab-settings": {"autosave": False},
    "@jupyter-widgets/jupyterlab-manager/plugin.jupyterlab-settings": {"saveState": True},
}


@dataclass
class Lab:
    """A running server; `folder` is what it shows."""

    url: str
    token: str
    folder: Path
    process: subprocess.Popen[bytes]


@contextmanager
def running_lab(folder: Path, home: Path, **environment: str) -> Iterator[Lab]:
    """JupyterLab on a free port, with settings and history of its own in `home`; `environment` reaches its kernels."""
    settings = home / "settings"
    for name, content in QUIET.items():
        path = settings / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    token, port = secrets.token_hex(16), free_port()
    env = clean_environment() | {
        "JUPYTER_TOKEN": token, "JUPYTER_CONFIG_DIR": str(home / "config"), "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"), "IPYTHONDIR": str(home / "ipython"),
        "JUPYTERLAB_SETTINGS_DIR": str(settings), "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"), **environment,
    }  # fmt: skip
    command = [
        str(Path(sys.executable).with_name("jupyter-lab")), "--no-browser", "--allow-root", "--ip=127.0.0.1",
        f"--port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder}", "--LabApp.news_url=None",
    ]  # fmt: skip
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=folder)
        try:
            lab = Lab(f"http://127.0.0.1:{port}", token, folder, process)
            wait_until_up(lab, home / "server.log")
            yield lab
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def clean_environment() -> dict[str, str]:
    """The environment without what another notebook server may have set, and with scimops importable."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("JPY_", "JUPYTER", "SCIMOPS_"))}
    env |= {key: os.environ[key] for key in ("SCIMOPS_LEDGER",) if key in os.environ}  # tests keep off the real one
    env["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY), env.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    return env


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_until_up(lab: Lab, log: Path, seconds: float = 60) -> None:
    """Wait until the server answers."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if lab.process.poll() is not None:
            raise RuntimeError(f"JupyterLab ended: {log.read_text()[-2000:]}")
        try:
            urllib.request.urlopen(f"{lab.url}/api/status?token={lab.token}", timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"JupyterLab does not answer: {log.read_text()[-2000:]}")


@dataclass
class Wire:
    """What a page asked for and what went wrong in it. Requests to other hosts are refused and noted."""

    own: str
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Refuse and note what goes to other hosts; note errors."""
        page.route("**/*", self._decide)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _decide(self, route: Route) -> None:
        url = route.request.url
        if url.startswith((self.own, "data:", "blob:")):
            route.continue_()
        else:
            self.foreign.append(url)
            route.abort()


@contextmanager
def browser(chromium: str) -> Iterator[Browser]:
    """Debian's Chromium, driven."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        try:
            yield running
        finally:
            running.close()


@contextmanager
def panel_page(chromium: Browser, wire: Wire, lab: Lab, notebook: str) -> Iterator[Page]:
    """A page with the notebook open, all its cells run, and its panel's table drawn."""
    page = chromium.new_page(viewport={"width": 1280, "height": 1500})
    wire.watch(page)
    open_notebook(page, lab, notebook)
    run_all(page)
    page.wait_for_selector(".scimops-panel .scimops-table tbody tr")
    yield page
    page.close()


def open_notebook(page: Page, lab: Lab, name: str) -> None:
    """Open a notebook and wait until its kernel is idle."""
    page.goto(f"{lab.url}/lab/tree/{name}?reset&token={lab.token}")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    # The notebook's own indicator says "idle" before there is a kernel; the status bar does not.
    wait_for_text(page, "#jp-main-statusbar", "| Idle", 60_000)


def wait_for_text(page: Page, selector: str, text: str, milliseconds: int = 30_000) -> None:
    """Wait until `text` stands in the element."""
    page.wait_for_function(
        "([selector, text]) => document.querySelector(selector)?.textContent.includes(text)",
        arg=[selector, text], timeout=milliseconds,
    )  # fmt: skip


def menu(page: Page, title: str, command: str) -> None:
    """Choose an entry of the main menu."""
    page.locator("#jp-MainMenu .lm-MenuBar-itemLabel", has_text=title).first.click()
    page.locator(f".lm-Menu [data-command='{command}']").first.click()


def run_all(page: Page, milliseconds: int = 90_000) -> None:
    """Run all cells and wait for the end of the last."""
    menu(page, "Run", "runmenu:run-all")
    page.wait_for_function(
        """() => {
            const cells = [...document.querySelectorAll('.jp-CodeCell')];
            const marks = cells.map((cell) => cell.querySelector('.jp-InputPrompt')?.textContent ?? '');
            return marks.length && marks.every((mark) => /\\[\\d+\\]/.test(mark));
        }""",
        timeout=milliseconds,
    )


def save(page: Page, path: Path, milliseconds: int = 30_000) -> dict[str, Any]:
    """Save the notebook and give what then stands on disk."""
    before = path.stat().st_mtime_ns
    menu(page, "File", "docmanager:save")
    until = time.monotonic() + milliseconds / 1000
    while path.stat().st_mtime_ns == before:
        if time.monotonic() > until:
            raise TimeoutError("the notebook was not saved")
        page.wait_for_timeout(100)
    page.wait_for_timeout(300)
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
