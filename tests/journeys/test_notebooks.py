"""Each notebook runs unattended, on its defaults and with parameters; its page shows all without a network."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import papermill
import pytest
from lab import REPOSITORY, clean_environment

from scimops.idp import read_export
from scimops.jobs import RESULT
from scimops.jobs.parameters import declared
from scimops.preview import Preview, preview_export, read_existing_groups
from scimops.setting import load_setting

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PREVIEWING = ("00_start_here.ipynb", "02_preview_groups.ipynb")
"""Those whose result is a preview's four numbers."""

NOTEBOOKS = sorted(path.name for path in (REPOSITORY / "notebooks").glob("*.ipynb"))


def test_there_are_notebooks() -> None:
    assert {*PREVIEWING, "01_create_setting.ipynb"} <= set(NOTEBOOKS)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_committed_clean(name: str) -> None:
    path = REPOSITORY / "notebooks" / name
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert "widgets" not in notebook.metadata
    for cell in notebook.cells:
        assert cell.id[0].isalpha(), "a stable id in words, not a random one"
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
    tagged = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    assert all(kind in ("str", "bool") for kind, _ in declared(path).values())
    for line in tagged[0].source.splitlines():
        assert ": str = " in line or ": bool = " in line, "papermill and scimops read the type from the annotation"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_on_its_defaults(name: str, desk: Path) -> None:
    command = [
        sys.executable, "-m", "pytest", "-q", "--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=60",
        "--nbval-kernel-startup-timeout=60", "-p", "no:cacheprovider", f"--rootdir={desk}", name,
    ]  # fmt: skip
    done = subprocess.run(
        command,
        cwd=desk / "notebooks",
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.fixture(scope="module")
def executed(desk: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, Path]]:
    """Every notebook after papermill ran it with parameters of its own, and its output folder."""
    done: dict[str, tuple[Any, Path]] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", clean_environment()["PYTHONPATH"])
        patch.delenv("JPY_SESSION_NAME", raising=False)
        for name in PREVIEWING:
            out = tmp_path_factory.mktemp("out")
            given = {
                "export": "../sample_data/okta/users-api.json", "existing_groups": "../sample_data/existing_groups.csv",
                "out": str(out / "files"), "channel": "apply", "compare_by": "none",
            }  # fmt: skip
            path = desk / "notebooks" / name
            parameters = {key: value for key, value in given.items() if key in declared(path)}
            papermill.execute_notebook(path, out / name, parameters, cwd=desk / "notebooks", progress_bar=False)
            done[name] = nbformat.read(out / name, as_version=4), out
    return done


def expected(desk: Path, name: str) -> Preview:
    full = "existing_groups" in declared(REPOSITORY / "notebooks" / name)
    return preview_export(
        read_export(desk / "sample_data/okta/users-api.json"),
        load_setting(desk / "sample_data/setting.yaml"),
        **(
            {"existing": read_existing_groups(desk / "sample_data/existing_groups.csv"), "channel": "apply"}
            if full
            else {}
        ),
    )


@pytest.mark.parametrize("name", PREVIEWING)
def test_papermill_gives_what_preview_export_gives(
    name: str, desk: Path, executed: dict[str, tuple[Any, Path]]
) -> None:
    notebook, out = executed[name]
    results = [
        output["data"][RESULT]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if RESULT in output.get("data", {})
    ]
    preview = expected(desk, name)
    assert [(dict(one["counts"]), one["exit_code"]) for one in results] == [(vars(preview.numbers), 0)]
    assert not [
        output for cell in notebook.cells for output in cell.get("outputs", []) if output.get("name") == "stderr"
    ]
    assert "widgets" not in notebook.metadata, "a job needs no widget"
    if name == "02_preview_groups.ipynb":
        written = json.loads((out / "files" / "preview.json").read_text(encoding="utf-8"))
        assert written["reasons"] == preview.reasons
        assert written["channel"] == "apply"
        summary = next(cell for cell in notebook.cells if cell.id == "panel").outputs[0]["data"]
        assert f"{preview.numbers.will_arrive:,} will arrive" in summary["text/plain"]


@pytest.mark.parametrize("name", PREVIEWING)
def test_its_page_shows_all_without_a_network(
    name: str, executed: dict[str, tuple[Any, Path]], chromium: Browser, desk: Path
) -> None:
    from nbconvert import HTMLExporter

    notebook, out = executed[name]
    body, _ = HTMLExporter().from_notebook_node(notebook)
    (out / "page.html").write_text(body, encoding="utf-8")
    page = chromium.new_page()
    foreign: list[str] = []
    page.route(
        "**/*",
        lambda route: (
            route.continue_() if route.request.url.startswith(("file:", "data:", "blob:")) else refuse(route, foreign)
        ),
    )
    page.goto((out / "page.html").as_uri())
    widths = page.locator("img[src^='data:image/png']").evaluate_all("all => all.map((one) => one.naturalWidth)")
    assert len(widths) >= 1
    assert all(width > 0 for width in widths)
    preview = expected(desk, name)
    text = page.inner_text("body")
    assert f"{preview.numbers.will_arrive:,}" in text
    assert "Nothing left this computer." in text
    assert_tables(page, preview)
    # nbconvert's own template names libraries for formulas and widgets; all shows without them.
    assert [url for url in foreign if not any(known in url for known in ("require.js", "mathjax", "mermaid"))] == []
    page.close()


def refuse(route: Any, foreign: list[str]) -> None:
    foreign.append(route.request.url.lower())
    route.abort()


def assert_tables(page: Page, preview: Preview) -> None:
    """Tables are drawn, with people in them; nothing of theirs became an element."""
    page.wait_for_function("document.querySelectorAll('table').length >= 2", timeout=15_000)
    tables = page.locator("table").all_inner_texts()
    somebody = preview.assignments["userName"][0]
    page.wait_for_function("name => document.body.innerText.includes(name)", arg=somebody, timeout=15_000)
    assert sum(len(table) for table in tables) > 300
    assert page.locator("img[onerror]").count() == 0
