"""What the commands share: how they speak, and options that several have."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from scimops.errors import UsageError

FILES = Annotated[
    list[str], typer.Argument(help="The export; - is standard input. Several files are its pages.", metavar="FILE…")
]
SHAPE = Annotated[
    str | None, typer.Option(help="Shape of the export where its columns leave a doubt.", metavar="SHAPE")
]
ENCODING = Annotated[str | None, typer.Option(help="utf-8, utf-16-le, utf-16-be or cp1252; found out if not given.")]
DELIMITER = Annotated[
    str | None, typer.Option(help="comma, semicolon, tab, pipe or one character; found out if not given.")
]
INCOMPLETE = Annotated[
    bool, typer.Option("--allow-incomplete", help="Look at a part of an export; everything is marked.")
]
BACKEND = Annotated[str, typer.Option(help="polars, or a Spark master: local[2], spark://HOST:PORT.")]
JSON = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
OUT = Annotated[Path | None, typer.Option(help="Folder for tables, charts and the summary.", metavar="DIR")]


def visible(text: str) -> str:
    """`text` for a terminal: control characters, which could command it, are written out."""
    return "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in text)


def complain(message: str) -> None:
    """One line on standard error, control characters made visible."""
    encoding = sys.stderr.encoding or "utf-8"
    sys.stderr.write(visible(message).encode(encoding, "replace").decode(encoding) + "\n")


def confirmed(question: str, advice: str) -> None:
    """Go on where a person says yes; the command ends where they say no.

    Raises:
        UsageError: nobody is there to be asked; `advice` says how to go on without.
    """
    if not sys.stdin.isatty():
        raise UsageError("Nobody is there to be asked.", advice=advice)
    try:
        said = typer.confirm(question, err=True)
    except typer.Abort:  # Ctrl-C or the end of input where an answer was asked for
        said = False
    if not said:
        raise typer.Exit(130)


def print_json(document: Any) -> None:
    """One JSON document on standard output, in UTF-8 on every machine."""
    text = json.dumps(document, ensure_ascii=False, indent=2)
    sys.stdout.buffer.write(text.encode("utf-8", "replace") + b"\n")
    sys.stdout.buffer.flush()


def print_rich(*renderables: Any) -> None:
    """Tables and text for people on standard output."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    for renderable in renderables:
        console.print(renderable)


def print_counts(counts: Mapping[str, int]) -> None:
    """A step's numbers, a line each."""
    for word, count in counts.items():
        typer.echo(f"{word.replace('_', ' '):>14}: {count:,}")


def without_algebra() -> None:
    """Have NumPy load without the threads of its linear algebra, which nothing here uses: they cost 0.1 s of CPU."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
