"""What notebooks show, in a real kernel; then saved, exported to HTML and opened without a network."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_notebook

from scimops.present.notebook import show_findings, show_groups, show_numbers

SOURCE = """\
from scimops.idp import read_export
from scimops.preview import preview_export
from scimops.present.charts import *
from scimops.present.notebook import *
from scimops.setting import quick_setting
preview = preview_export(read_export({path!r}), quick_setting("department", "Everyone"))"""

CELLS = ("show_numbers(preview)", "show_findings(preview)", "show_groups(preview)", "show_people(preview)",
         "show_people(preview, limit=3)", "show_chart(groups_chart(preview), groups_words(preview))")  # fmt: skip


@pytest.fixture(scope="module")
def notebook(hostile, tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(folder / "ipython"))
        cells = [SOURCE.format(path=str(hostile.export.parts[0].source.path)), *CELLS]
        book = new_notebook(cells=[new_code_cell(cell) for cell in cells])
        NotebookClient(book, timeout=120, kernel_name="python3").execute()
    nbformat.write(book, folder / "notebook.ipynb")
    return folder / "notebook.ipynb"


def test_the_saved_notebook_needs_no_network(notebook, hostile, visit, tmp_path):
    html, _ = HTMLExporter().from_notebook_node(nbformat.read(notebook, as_version=4))
    path = tmp_path / "notebook.html"
    path.write_text(html, encoding="utf-8")
    visit.open(path)
    page = visit.page
    page.wait_for_selector(".dt-scroll-body tbody tr")
    # The exporter itself names these two; nothing of ours asks for anything.
    assert {url.split("/")[2] for url in visit.requests} <= {"cdnjs.cloudflare.com"}
    assert visit.dialogs == []
    text = page.locator("body").inner_text()
    for part in (
        "Sales [/x]",
        "<img onerror=alert(1) src=x>",
        "![x](http://127.0.0.1:9/x.png)",
        "Nothing left this computer.",
    ):
        assert part in text
    assert f"Rows shown: all {hostile.rows}." in text
    assert f"Rows shown: the first 3 of {hostile.rows}." in text
    assert "will arrive" in text
    assert page.locator("img").count() == 1
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 300)")


def test_no_code_stands_alone(notebook):
    table = str(nbformat.read(notebook, as_version=4).cells[4].outputs)
    assert "lands in the group of their own value" in table
    assert "rejected_" not in table


def test_values_are_escaped(hostile):
    for shown in (show_numbers(hostile), show_findings(hostile), show_groups(hostile)):
        assert "<img" not in shown.data
        assert "\u202e" not in shown.data
    assert "&lt;img onerror=alert(1) src=x&gt;" in show_groups(hostile).data


def test_more_groups_than_shown(look):
    shown = show_groups(look([{"department": f"Department {number:03d}"} for number in range(50)]))
    assert "… and 10 more groups with 10 members" in shown.data


def test_importing_the_room_loads_nothing():
    import subprocess
    import sys

    code = "import sys, scimops.present; print({'polars', 'altair', 'pandas', 'itables', 'rich'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
