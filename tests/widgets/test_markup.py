"""Text stays text, whatever stands in it."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from scimops.widgets.controls.markup import Markup, join, tag, text

NASTY = [
    "<img onerror=alert(1) src=x>", "Sales [/x]", "=cmd|' /C calc'!A0", "\x1b[31mred", '"><script>alert(1)</script>',
    "a & b", "\u202egnp.exe", "Research, \"Labs\" & Design", "O'Hara",
]  # fmt: skip


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words = ""
        self.attributes: dict[str, str | None] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= dict(attrs)

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.parametrize("nasty", NASTY)
def test_a_value_is_neither_an_element_nor_an_attribute(nasty: str) -> None:
    reader = Reader()
    reader.feed(tag("p", nasty, title=nasty, data_value=nasty))
    assert reader.tags == ["p"]
    shown = nasty.replace("\x1b", "␛").replace("\u202e", "\\u202e")
    assert reader.words == shown
    assert reader.attributes == {"title": shown, "data-value": shown}


def test_markup_is_not_escaped_twice_and_none_is_nothing() -> None:
    inner = tag("b", "x & y")
    assert join("a<", None, [inner, 1]) == "a&lt;<b>x &amp; y</b>1"
    assert isinstance(text(inner), Markup)
    assert tag("input", disabled=True, checked=False, value=None) == "<input disabled>"
    assert tag("label", for_="a", class_="b") == '<label for="a" class="b"></label>'
