"""What is imported when: `import scimops` and the command line's help load nothing heavy, Spark only when asked for."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = (
    "polars",
    "pandas",
    "numpy",
    "pyarrow",
    "narwhals",
    "papermill",
    "ipywidgets",
    "altair",
    "rapidfuzz",
    "pyspark",
)


def loaded(code: str) -> set[str]:
    """The top-level modules that are loaded after `code` ran in a new Python."""
    report = "import sys, json; print('\\n' + json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True, timeout=120
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_scimops_loads_nothing_heavy() -> None:
    assert loaded("import scimops; dir(scimops); scimops.__version__").isdisjoint({*HEAVY, "pydantic", "ruamel"})


def test_the_command_lines_help_loads_nothing_heavy() -> None:
    code = (
        "import runpy, sys; sys.argv = ['scimops', '--help']\n"
        "try: runpy.run_module('scimops', run_name='__main__')\n"
        "except SystemExit as end: assert not end.code, end.code"
    )
    assert loaded(code).isdisjoint(HEAVY)


def test_the_command_lines_help_is_printed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scimops", "--help"], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "preview" in done.stdout


def test_a_setting_is_read_without_frames() -> None:
    assert loaded("import scimops; scimops.quick_setting('department')").isdisjoint(HEAVY)


@pytest.mark.parametrize(
    "code", ["import scimops.backend as b; b.open_backend()", "import scimops.backend as b; b.open_backend('local[2]')"]
)
def test_spark_is_imported_only_when_it_computes(code: str) -> None:
    assert "pyspark" not in loaded(code)


def test_a_preview_on_polars_does_not_import_spark() -> None:
    code = (
        "import pathlib, tempfile, scimops\n"
        "path = pathlib.Path(tempfile.mkdtemp()) / 'u.csv'\n"
        "path.write_text('userPrincipalName,mail,accountEnabled\\na@b.c,a@b.c,True\\n')\n"
        "assert scimops.preview_export(scimops.read_export(path), scimops.quick_setting()).rows == 1"
    )
    assert loaded(code).isdisjoint({"pyspark", "ipywidgets", "papermill", "altair"})
