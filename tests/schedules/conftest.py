"""What is scheduled in these tests: a notebook whose parameters are as hostile as can be."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from scheduling import Said, Scheduled

from scimops.cli import main


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    """Writes what it was given beside its report."""
    first = new_code_cell('who: str = "nobody"\nout: str = ""\nlimit: int = 1', metadata={"tags": ["parameters"]})
    writes = "import json, pathlib\npathlib.Path(out, 'given.json').write_text(json.dumps([who, limit]))"
    spec = {"name": "python3", "language": "python", "display_name": "Python 3"}
    path = tmp_path / "02_night.ipynb"
    nbformat.write(new_notebook(cells=[first, new_code_cell(writes)], metadata={"kernelspec": spec}), path)
    return path


@pytest.fixture
def schedule(
    notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Scheduled:
    """Runs `scimops schedule` on the notebook, into the folder `night 50% é`."""

    def run(*words: str, out: Path | None = None, code: int = 0) -> Said:
        line = ["scimops", "schedule", str(notebook), "--out", str(out or tmp_path / "night 50% é"), *words]
        monkeypatch.setattr(sys, "argv", line)
        with pytest.raises(SystemExit) as ended:
            main()
        said = Said(*capsys.readouterr())
        assert ended.value.code == code, said.stderr
        return said

    return run
