"""What a person reads of a run: the first lines of its notebook, and the notebook as one page.

The first lines are Markdown. Whatever is put into them is data, so each letter that Markdown or HTML would take for
its own is written as a reference to that letter.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from scimops.jobs.run import Run

TAG: Final = "scimops-report"
"""The tag of the cell with the first lines."""

_TITLES = {
    "completed": "Completed", "failed": "Failed", "timed_out": "Timed out", "kernel_died": "The kernel died",
    "cancelled": "Cancelled",
}  # fmt: skip

_ADVICE = {
    "failed": "Correct what is said here and run it again. Cells after the one that failed did not run.",
    "timed_out": "See in its last cell what took so long, or allow more time. What had begun may be half done.",
    "kernel_died": "Look whether memory ran out. What had begun may be half done: look before you run it again.",
    "cancelled": "What had begun may be half done: look before you run it again.",
}

_STEP_ADVICE = {
    0: "It ran to its end. What came out stands below.",
    3: "There are findings: read them below.",
    4: "A safeguard withheld something: read below what, and decide.",
    5: "A source was incomplete, or a plan stale: make it anew and run again.",
}


def first_cell(source: str) -> Any:
    """A cell with the first lines."""
    from nbformat.v4 import new_markdown_cell

    return new_markdown_cell(source, id=TAG, metadata={"tags": [TAG]})  # type: ignore[no-untyped-call]  # nbformat ships no types


def running(run_id: str, notebook: str, started: str) -> str:
    """The first lines while it runs; they stay where the runner itself is killed."""
    return "\n".join([
        "# Not ended", "",
        f"The run of {_text(notebook)} began at {_text(started)}. Where these lines stand and nothing runs any more, "
        "it was broken off: what had begun may be half done.", "",
        *_rows({"run": run_id}),
    ])  # fmt: skip


def first_lines(run: Run) -> str:
    """The first lines of a run that has ended: outcome and exit code, what to do, when, the step's counts."""
    advice = _ADVICE.get(run.outcome) or _STEP_ADVICE.get(run.exit_code, "Read below what it means.")
    rows = {
        "notebook": run.notebook,
        "began": run.started,
        "ended": f"{run.ended} (after {run.seconds:g} s)",
        **{name.replace("_", " "): f"{count:,}" for name, count in run.counts.items()},
        "run": run.id,
    }
    if run.continues:
        rows["continues"] = run.continues
    head = f"# {_TITLES[run.outcome]}: exit code {run.exit_code}"
    return "\n".join([head, "", *([_text(run.message), ""] if run.message else []), advice, "", *_rows(rows)])


def _rows(rows: dict[str, str]) -> list[str]:
    return ["| | |", "|---|---|", *(f"| {_text(name)} | {_text(value)} |" for name, value in rows.items())]


def _text(text: str) -> str:
    """`text` as data in one line of Markdown."""
    shown = re.sub(r"[^\w .,:;/()'\"=+?%@-]|_", lambda found: f"&#{ord(found[0])};", text.replace("\r", ""))
    return shown.replace("&#10;", "<br>")


def page(notebook: Any) -> str:
    """The notebook as one HTML page that asks no network for anything."""
    from nbconvert import HTMLExporter

    templates = Path(__file__).parent / "templates"
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]  # nbconvert ships no types
        template_name="scimops", extra_template_basedirs=[str(templates)], embed_images=True
    )
    body, _ = exporter.from_notebook_node(notebook)
    return str(body)
