"""Panels for notebooks: one for each step, `scimops.widgets.preview_groups` for the step preview_groups.

A panel has no logic of its own: it calls the same functions as the command line and shows what they give. Nothing
heavy is imported here, and no panel is built where nobody looks.
"""

from __future__ import annotations

import os
import sys

__all__ = ["interactive"]


def interactive() -> bool:
    """Does a person look at this notebook, so that a panel is of use?

    True in a kernel that JupyterLab, Notebook or VS Code started for a person; False where a notebook runs as a job
    (papermill, nbclient, nbval) and outside of notebooks. `SCIMOPS_PANEL=1` or `0` decides where that guess is wrong.
    """
    forced = os.environ.get("SCIMOPS_PANEL", "")
    if forced in ("0", "1"):
        return forced == "1"
    # Whoever is in a kernel has imported IPython already; importing it here would cost plain Python half a second.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if getattr(shell, "kernel", None) is None:
        return False
    # VS Code tells the kernel which notebook it is in; its environment variables also reach jobs in its terminal.
    return bool(os.environ.get("JPY_SESSION_NAME")) or "__vsc_ipynb_file__" in getattr(shell, "user_ns", {})
