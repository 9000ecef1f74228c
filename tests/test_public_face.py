"""The public face: every name of `scimops.__all__` is there, is documented, and is where its docstring says."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

import scimops

SOURCE = Path(scimops.__file__).read_text("utf-8")


@pytest.mark.parametrize("name", scimops.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    thing = getattr(scimops, name)
    assert callable(thing)
    assert thing.__name__ == name
    assert inspect.getdoc(thing)
    assert thing.__module__.startswith("scimops.")


@pytest.mark.parametrize("name", [name for name in scimops.__all__ if inspect.isfunction(getattr(scimops, name))])
def test_every_public_function_has_types(name: str) -> None:
    signature = inspect.signature(getattr(scimops, name))
    assert all(one.annotation is not one.empty for one in signature.parameters.values())
    assert signature.return_annotation is not signature.empty


def test_the_list_is_sorted_whole_and_what_dir_shows() -> None:
    assert scimops.__all__ == sorted(scimops.__all__)
    assert dir(scimops) == scimops.__all__
    assert set(scimops._HOMES) == set(scimops.__all__)


def test_type_checkers_see_the_same_names() -> None:
    blocks = [node for node in ast.parse(SOURCE).body if isinstance(node, ast.If)]
    imported = {alias.name for node in blocks[0].body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert imported == set(scimops.__all__)


def test_what_is_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'scimops' has no attribute 'nonsense'"):
        scimops.nonsense  # noqa: B018


def test_the_docstring_names_the_rooms_that_are_there() -> None:
    folder = Path(scimops.__file__).parent
    rooms = [line.split()[0] for line in (scimops.__doc__ or "").splitlines() if line.startswith("    ")]
    assert len(rooms) >= 8
    assert all((folder / room).is_dir() or (folder / f"{room}.py").is_file() for room in rooms)


def test_the_version_is_three_numbers() -> None:
    assert [part.isdecimal() for part in scimops.__version__.split(".")] == [True, True, True]
