"""Guides for admins as Markdown, two files an identity provider.

`IDP.export.md` says how to get the export. `IDP.md` says how to connect the identity provider to a setting; its values
and tables are filled in by :mod:`scimops.present.guide`. Files that begin with _ are parts of others.

In `IDP.md` a line `{{include _part}}` brings a part in, `{{if FLAG}}` … `{{end}}` stands where the flag does. A name in
two braces is a value; a line of nothing else may be a table. In backticks a value, and a text after =, is to be pasted.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

_FOLDER = Path(__file__).parent
_SUFFIX = ".export.md"
_INCLUDE = re.compile(r"^\{\{include (\w+)\}\}\n", re.MULTILINE)
_IF_LINES = re.compile(r"^\{\{if (\w+)\}\}\n(.*?)^\{\{end\}\}\n", re.MULTILINE | re.DOTALL)
_IF_WORDS = re.compile(r"\{\{if (\w+)\}\}(.*?)\{\{end\}\}")


def names() -> list[str]:
    """The identity providers that have a guide to the export."""
    return sorted(path.name.removesuffix(_SUFFIX) for path in _FOLDER.glob(f"*{_SUFFIX}"))


def export_guide(idp: str) -> str:
    """How to get the export out of `idp`, as Markdown."""
    return (_FOLDER / f"{idp}{_SUFFIX}").read_text(encoding="utf-8")


def setting_names() -> list[str]:
    """The identity providers that have a guide to a setting; `other` is any that speaks SCIM."""
    return sorted(path.stem for path in _FOLDER.glob("*.md") if "." not in path.stem and path.stem[0] != "_")


def setting_guide(idp: str, flags: Collection[str]) -> str:
    """How to connect `idp` to a setting of which `flags` are true, as Markdown with the names of values in it."""
    text = _INCLUDE.sub(lambda found: _part(found[1]), _part(idp))
    for condition in (_IF_LINES, _IF_WORDS):
        text = condition.sub(lambda found: found[2] if found[1] in flags else "", text)
    return text


def _part(name: str) -> str:
    return (_FOLDER / f"{name}.md").read_text(encoding="utf-8")
