"""HTML in which text stays text: everything is escaped, save what was made here.

A department `Sales [/x]`, `<img onerror=…>` or a name with an escape character is shown as it is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from scimops.present.words import visible

_VOID = ("input", "br")


class Markup(str):
    """A piece of HTML that is safe to show: made by :func:`tag` or :func:`join`, never from a user's text."""

    __slots__ = ()


def text(value: object) -> Markup:
    """`value` as HTML: markup as it is, else escaped, with characters that a screen would obey made visible."""
    return value if isinstance(value, Markup) else Markup(escape(visible(str(value))))


def join(*parts: object) -> Markup:
    """Pieces one after the other; None is nothing, and what can be iterated is its parts."""
    return Markup("".join(_flat(parts)))


def _flat(parts: Iterable[object]) -> Iterable[str]:
    for part in parts:
        if part is None:
            continue
        if isinstance(part, str) or not isinstance(part, Iterable):
            yield text(part)
        else:
            yield from _flat(part)


def tag(element: str, /, *children: object, **attributes: object) -> Markup:
    """An element. `class_` and `for_` lose their line, `data_page` becomes `data-page`; None and False are left out."""
    written = []
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        attribute = key.rstrip("_").replace("_", "-")
        written.append(f" {attribute}" if value is True else f' {attribute}="{escape(visible(str(value)))}"')
    start = f"<{element}{''.join(written)}>"
    return Markup(start if element in _VOID else f"{start}{join(*children)}</{element}>")
