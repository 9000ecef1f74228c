"""The words of design section 1, in every docstring, comment and message of scimops."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "scimops"
FILES = sorted(PACKAGE.rglob("*.py"))

PROVIDER = re.compile(r"(?<!identity )(?<!service )\bproviders?\b", re.IGNORECASE)
"""`provider` alone; it may be an identity provider or a service provider, and nobody knows which."""

UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK|WIP)\b|(?i:\b(stub|placeholder|not implemented yet)\b)")

UNFINISHED_ALLOWED = re.compile(r"placeholder=|\.placeholder\b|\"placeholder\"")
"""A placeholder is also the grey text in an empty field of a panel."""


def sentences(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each comment and of each string that reads like words (it has a space), in one line."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
            yield node.lineno, " ".join(text.split())
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            yield node.lineno, " ".join(node.value.split())


def providers(source: str) -> list[tuple[int, str]]:
    """Where `provider` stands alone; names in backticks are code."""
    return [(line, text) for line, text in sentences(source) if PROVIDER.search(re.sub(r"`[^`]*`", "", text))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_provider_is_an_identity_or_a_service_provider(path: Path) -> None:
    assert providers(path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_nothing_is_left_to_do(path: Path) -> None:
    lines = [line for line in path.read_text("utf-8").splitlines() if not UNFINISHED_ALLOWED.search(line)]
    assert [line for line in lines if UNFINISHED.search(line)] == []


@pytest.mark.parametrize(
    ("source", "alone"),
    [
        ('"""What the provider sends."""', True),
        ("# Providers differ.", True),
        ('x = f"{name} is a provider"', True),
        ('"""The identity\n    provider sends it."""', False),
        ("# a service provider", False),
        ('x = "credentials.provider.type"', False),
        ("PROVIDERS = ()", False),
        ("# see `PROVIDERS`", False),
    ],
)
def test_the_search_itself(source: str, alone: bool) -> None:
    assert bool(providers(source)) == alone
