"""Notebooks as jobs: checked parameters, one execution, an output notebook and a page. Knows nothing of SCIM."""

from __future__ import annotations

from collections.abc import Mapping

RESULT = "application/vnd.scimops.result+json"
"""MIME type of a step's result inside a notebook's output."""


def result(counts: Mapping[str, int], exit_code: int = 0, findings: Mapping[str, int] | None = None) -> None:
    """Say what a notebook's step came to; `scimops run` hands counts and exit code through.

    `findings` are their codes and how often each was found; a notification may name them. The files that were read
    and written through scimops go along, for the run's record.

    Shows nothing to a person who runs the notebook by hand.
    """
    from IPython.display import display

    from scimops.touched import collected

    inputs, outputs = collected()
    told = {
        "counts": list(counts.items()), "exit_code": exit_code, "findings": list((findings or {}).items()),
        "inputs": inputs, "outputs": outputs,
    }  # fmt: skip
    data = {RESULT: told, "text/plain": ""}
    display(data, raw=True)  # type: ignore[no-untyped-call]  # IPython ships no types for it
