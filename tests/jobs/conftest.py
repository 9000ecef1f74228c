"""Notebooks for jobs, run in real kernels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

PARAMETERS = 'who: str = "nobody"\nout: str = ""\nlimit: int = 10\nreference: str = ""'


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., Path]:
    """Writes `job.ipynb` of the given cells (source, or a whole cell) after a cell of parameters."""

    def write(*cells: Any, name: str = "job.ipynb") -> Path:
        spec = {"name": "python3", "language": "python", "display_name": "Python 3"}
        first = new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
        rest = [new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
        path = tmp_path / name
        nbformat.write(new_notebook(cells=[first, *rest], metadata={"kernelspec": spec}), path)
        return path

    return write


@pytest.fixture
def statuses() -> Callable[[Path], list[str]]:
    """The status of each code cell of an output notebook."""

    def read(path: Path) -> list[str]:
        cells = nbformat.read(path, as_version=4).cells
        return [cell.metadata.papermill.status for cell in cells if cell.cell_type == "code"]

    return read
