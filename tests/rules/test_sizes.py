"""How long files and functions are. The aim is 300 and 40 lines; a test fails only where that is missed by far."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "scimops"
FILES = sorted(path for path in PACKAGE.rglob("*.py") if "versions" not in path.parts)  # migrations are generated

FILE_AIM, FILE_LIMIT = 300, 400
FUNCTION_AIM, FUNCTION_LIMIT = 40, 60


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and length of each function: its lines without decorators, docstring and signature."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            yield (
                f"{path.relative_to(PACKAGE).as_posix()}:{node.name}",
                (node.end_lineno or 0) - body[0].lineno + 1 if body else 0,
            )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= FILE_LIMIT


def test_a_function_can_be_read_at_a_glance() -> None:
    assert {name: length for path in FILES for name, length in functions(path) if length > FUNCTION_LIMIT} == {}


def test_what_misses_the_aim_is_reported() -> None:
    files = {path.relative_to(PACKAGE).as_posix(): len(path.read_text("utf-8").splitlines()) for path in FILES}
    long_files = {name: length for name, length in files.items() if length > FILE_AIM}
    lengths = dict(found for path in FILES for found in functions(path))
    long_functions = {name: length for name, length in lengths.items() if length > FUNCTION_AIM}
    print(f"\nabove {FILE_AIM} lines: {long_files}\nabove {FUNCTION_AIM} lines: {long_functions}")  # noqa: T201  # the report
    assert len(long_files) <= len(files) // 10
    assert len(long_functions) <= len(lengths) // 50
