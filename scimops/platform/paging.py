"""All pages of a search, or an error: a list that changed while it was read is never taken for the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from scimops.errors import IncompleteSourceError
from scimops.http.answers import Json
from scimops.http.faults import AnswerError
from scimops.platform.answers import number_of, row_of, rows_of

PAGE = 100
"""How many rows a page has; the largest that the platform's documentation shows."""

LARGE_PAGE = 1000
"""The same where the embedded platform is asked for many rows."""


def pages(ask: Callable[[int, int], Any], what: str, key: str, size: int) -> Iterator[list[Json]]:
    """The rows of each page; `ask(number, size)` gives the data of one. What is kept is the rows' ids and no row.

    A platform may answer with smaller pages than it was asked for: then that size counts, from the first page on.

    Raises:
        IncompleteSourceError: the total changed, a page is short, a row came twice.
        AnswerError: the answer is no page.
    """
    number, total, seen = 1, 0, 0
    ids: set[str] = set()
    while True:
        data = row_of(ask(number, size))
        rows, said = rows_of(data.get("results")), number_of(data, "totalNumberOfRecords")
        if number == 1:
            total, size = said, _size(data, size)
        _check(number, size, total - seen, len(rows), said == total, what)
        seen += len(rows)
        known = {row[key] for row in rows if isinstance(row.get(key), str)}
        keyed = sum(isinstance(row.get(key), str) for row in rows)
        if len(known) < keyed or not ids.isdisjoint(known):
            raise _incomplete(what, "one came twice")
        ids |= known
        if rows:
            yield rows
        if seen == total:
            return
        number += 1


def _size(data: Json, asked: int) -> int:
    size = number_of(data, "pageSize")
    if size < 1:
        raise AnswerError(f"The platform says its pages have {size} rows.")
    return min(size, asked)


def _check(number: int, size: int, left: int, came: int, same_total: bool, what: str) -> None:
    if not same_total:
        raise _incomplete(what, "their number changed")
    if came != min(size, left):
        raise _incomplete(what, f"page {number} has {came} rows where {min(size, left)} were due")


def _incomplete(what: str, why: str) -> IncompleteSourceError:
    return IncompleteSourceError(
        f"The platform changed {what} while they were read: {why}.",
        advice="Nothing is concluded from a part; try again.",
    )
