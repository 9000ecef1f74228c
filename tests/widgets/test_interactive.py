"""Where a panel is shown, and that asking costs nothing."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

from scimops.widgets import interactive


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SCIMOPS_PANEL", "JPY_SESSION_NAME"):
        monkeypatch.delenv(name, raising=False)


def in_kernel(monkeypatch: pytest.MonkeyPatch, **names: str) -> None:
    shell = SimpleNamespace(kernel=object(), user_ns=names)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))  # type: ignore[arg-type]


def test_plain_python_has_no_panel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "a.ipynb")
    assert not interactive()


def test_a_kernel_of_jupyterlab_or_vs_code_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    in_kernel(monkeypatch)
    assert not interactive()  # papermill, nbclient, nbval
    monkeypatch.setenv("JPY_SESSION_NAME", "a.ipynb")
    assert interactive()
    monkeypatch.delenv("JPY_SESSION_NAME")
    in_kernel(monkeypatch, __vsc_ipynb_file__="a.ipynb")
    assert interactive()


def test_the_environment_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCIMOPS_PANEL", "1")
    assert interactive()
    in_kernel(monkeypatch, __vsc_ipynb_file__="a.ipynb")
    monkeypatch.setenv("SCIMOPS_PANEL", "0")
    assert not interactive()


def test_importing_the_widgets_is_light() -> None:
    code = (
        "import sys, scimops.widgets; print(sorted({'pandas', 'polars', 'ipywidgets', 'IPython'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
