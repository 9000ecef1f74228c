"""Tables with pages, as markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scimops.widgets.controls.markup import Markup, join, tag

PAGE = 50
"""Rows on one page: enough to look through, little enough to be shown at once."""


@dataclass(frozen=True)
class Page:
    """One page of a list of `total` rows; `number` counts from 0 and is held within the list."""

    number: int
    total: int

    @property
    def last(self) -> int:
        """The number of the last page."""
        return max(0, (self.total - 1) // PAGE)

    @property
    def start(self) -> int:
        """The index of the page's first row."""
        return min(max(0, self.number), self.last) * PAGE

    @property
    def stop(self) -> int:
        """The index after the page's last row."""
        return min(self.start + PAGE, self.total)


def pager(page: Page, total: str, note: str = "") -> Markup:
    """Which rows are shown of `total` in words, and the buttons for the pages where there are several."""
    shown = f"{page.start + 1:,} to {page.stop:,} of {total}" if page.last else total
    words = tag("span", shown + note, role="status")
    if not page.last:
        return tag("div", words, class_="scimops-pager")
    number = page.start // PAGE
    back = tag(
        "button",
        "‹ Previous",
        type="button",
        data_action="page",
        value=number - 1,
        disabled=number == 0,
        data_focus="back",
    )
    on = tag(
        "button",
        "Next ›",
        type="button",
        data_action="page",
        value=number + 1,
        disabled=number == page.last,
        data_focus="on",
    )
    return tag("div", words, back, on, class_="scimops-pager")


def table(
    caption: str, columns: Sequence[str], rows: Iterable[Sequence[object]], numeric: Sequence[int] = ()
) -> Markup:
    """A table; the columns `numeric` stand to the right. Its caption is for those who cannot see it."""
    right = set(numeric)
    head = [
        tag("th", name, scope="col", class_="scimops-number" if place in right else None)
        for place, name in enumerate(columns)
    ]
    body = [
        tag(
            "tr",
            [tag("td", cell, class_="scimops-number" if place in right else None) for place, cell in enumerate(row)],
        )
        for row in rows
    ]
    inner = join(tag("caption", caption), tag("thead", tag("tr", head)), tag("tbody", body))
    return tag(
        "div",
        tag("table", inner, class_="scimops-table"),
        class_="scimops-wide",
        tabindex=0,
        role="region",
        aria_label=caption,
    )


def empty(words: str) -> Markup:
    """What stands where a table would be empty."""
    return tag("p", words, class_="scimops-empty")
