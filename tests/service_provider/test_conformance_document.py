"""The page on conformance names every section that the catalogue of requirements has a requirement of."""

from __future__ import annotations

import re
from pathlib import Path

from replaying import corpus, outside

PAGE = (Path(__file__).parents[2] / "docs" / "conformance.md").read_text("utf-8")


def sections(text: str) -> set[tuple[int, ...]]:
    """The sections named in the first column of a table; "§3.5.2.1 to §3.5.2.3" names those between."""
    found = set()
    for cell in re.findall(r"^\| ([^|]*§[^|]*) \|", text, re.MULTILINE):
        for first, last in re.findall(r"§([\d.]+)(?: to §([\d.]+))?", cell):
            *head, begin = map(int, first.split("."))
            end = int((last or first).rpartition(".")[2])
            found |= {(*head, number) for number in range(begin, end + 1)}
    return found


@outside
def test_every_section_of_the_catalogue_is_on_the_page() -> None:
    model, protocol = map(sections, PAGE.split("## RFC 7642"))
    assert len(model) > 10
    assert len(protocol) > 20
    for one in corpus("requests/rfc_requirement_catalogue.json")["requirements"]:
        if one["rfc"]:  # the others are about types and attributes that a test server would make up
            section = tuple(map(int, one["section"].split(".")))
            assert section in (model if one["rfc"] == "7643" else protocol), one["id"]
