"""A notebook as a job, in a real kernel: result, exit code, output notebook, page."""

from __future__ import annotations

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from scimops.jobs.run import run_notebook


def notebook(path, *cells):
    spec = {"name": "python3", "language": "python", "display_name": "Python 3"}
    first = new_code_cell('who: str = "nobody"\nout: str = ""', metadata={"tags": ["parameters"]})
    nbformat.write(new_notebook(cells=[first, *cells], metadata={"kernelspec": spec}), path)
    return path


def test_result_and_parameters_are_handed_through(tmp_path):
    cells = [
        new_markdown_cell("# A job"),
        new_code_cell("print(who)"),
        new_code_cell("from scimops.jobs import result\nresult({'people': 7}, exit_code=3)"),
    ]
    run = run_notebook(notebook(tmp_path / "job.ipynb", *cells), [("who", "007")], tmp_path / "out")
    assert (run.outcome, run.exit_code, run.counts) == ("completed", 3, {"people": 7})
    page = (tmp_path / "out" / "job.html").read_text()
    assert "A job" in page
    assert "007" in page
    assert "print(who)" not in page
    assert "<script src=" not in page


def test_out_is_the_folder_of_the_run_where_it_is_not_given(tmp_path):
    run = run_notebook(notebook(tmp_path / "job.ipynb", new_code_cell("print('OUT=' + out)")), folder=tmp_path / "here")
    text = nbformat.read(run.output, as_version=4).cells[-1].outputs[0].text
    assert text.strip() == f"OUT={tmp_path / 'here'}"


def test_an_error_of_ours_keeps_its_exit_code_and_has_no_traceback(tmp_path):
    cell = new_code_cell(
        "from scimops.errors import IncompleteSourceError\nraise IncompleteSourceError('half a file.')"
    )
    run = run_notebook(notebook(tmp_path / "job.ipynb", cell), folder=tmp_path / "out")
    assert (run.outcome, run.exit_code) == ("failed", 5)
    assert "half a file." in run.message
    assert "Traceback" not in (tmp_path / "out" / "job.html").read_text()


def test_any_other_error_is_exit_code_one(tmp_path):
    run = run_notebook(notebook(tmp_path / "job.ipynb", new_code_cell("1 / 0")), folder=tmp_path / "out")
    assert (run.outcome, run.exit_code) == ("failed", 1)
    assert "ZeroDivisionError" in run.message


def test_a_dead_kernel_is_said_to_be_one(tmp_path):
    run = run_notebook(
        notebook(tmp_path / "job.ipynb", new_code_cell("import os\nos._exit(1)")), folder=tmp_path / "out"
    )
    assert (run.outcome, run.exit_code) == ("kernel_died", 138)
