"""Guides for admins, one Markdown file an identity provider: `IDP.export.md` says how to get the export."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent
_SUFFIX = ".export.md"


def names() -> list[str]:
    """The identity providers that have a guide."""
    return sorted(path.name.removesuffix(_SUFFIX) for path in _FOLDER.glob(f"*{_SUFFIX}"))


def export_guide(idp: str) -> str:
    """How to get the export out of `idp`, as Markdown."""
    return (_FOLDER / f"{idp}{_SUFFIX}").read_text(encoding="utf-8")
