"""All pages of a list, by index (RFC 7644 §3.4.2.4) or by cursor (RFC 9865), or an error; and whether it changed.

Pages by index shift when somebody is deleted between two of them. The total shows that, unless somebody else is made
at the same time; so who was changed since the start is asked for before and after, and both must be the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scimops.client.discovery import Features
from scimops.client.session import Session
from scimops.http.answers import Answer, Json
from scimops.http.faults import AddressError, AnswerError, NotFoundError, RefusedError, ServerFaultError
from scimops.http.waits import date_of


class ChangedMeanwhileError(Exception):
    """What was seen: a list is not whole, or not the same as before."""


def pages(
    session: Session, features: Features, path: str, what: str, query: Mapping[str, str] | None = None
) -> Iterator[list[Json]]:
    """The resources of each page of a list.

    Raises:
        ChangedMeanwhileError: the total changed, or is not what came.
    """
    more = {"count": str(features.page), **(query or {})}
    first = session.read(path, what, {**more, "cursor": ""}) if features.cursor else {}
    # some announce cursors and answer by index all the same: then a page is not taken for the whole
    by_cursor = bool(first) and ("nextCursor" in first or "startIndex" not in first)
    yield from _by_cursor(session, path, what, more, first) if by_cursor else _by_index(session, path, what, more)


def _by_index(session: Session, path: str, what: str, query: Mapping[str, str]) -> Iterator[list[Json]]:
    total, seen = -1, 0
    while seen != total:
        document = session.read(path, what, {**query, "startIndex": str(seen + 1)})
        rows, said = rows_of(document, what), total_of(document)
        if said is None:
            raise AnswerError(f"The answer for {what} has no totalResults.")
        total = said if total < 0 else total
        _compare(what, total, said, seen := seen + len(rows), last=not rows)
        yield rows


def _by_cursor(
    session: Session, path: str, what: str, query: Mapping[str, str], document: Json
) -> Iterator[list[Json]]:  # fmt: skip
    """A total need not be said here (RFC 9865 §2); the end is where no next cursor is. `document` is the first page."""
    cursors, total, seen = set[str](), total_of(document), 0
    while True:
        rows, said = rows_of(document, what), total_of(document)
        cursor = document.get("nextCursor") or ""
        seen += len(rows)
        if total is not None:
            _compare(what, total, said, seen, last=not cursor)
        yield rows
        if not cursor:
            return
        if not isinstance(cursor, str) or cursor in cursors:
            raise ChangedMeanwhileError(f"{what}: a page leads to one that was read already")
        cursors.add(cursor)
        document = session.read(path, what, {**query, "cursor": cursor})


def _compare(what: str, total: int, said: int | None, seen: int, *, last: bool) -> None:
    if said != total:
        raise ChangedMeanwhileError(f"{what}: their number went from {total:,} to {said or 0:,} between two pages")
    if seen > total or (last and seen != total):
        raise ChangedMeanwhileError(f"{what}: {seen:,} came where the total says {total:,}")


class Watch:
    """Was a list changed since the start? `exact` is false where only its total can tell."""

    def __init__(self, session: Session, features: Features, path: str, what: str) -> None:
        self._session, self._features, self._path, self._what = session, features, path, what
        document, answer = session.answer(path, what, {"count": "1"})
        self._total, self._since = total_of(document), self._filter(answer)
        self._before = self._changed()

    @property
    def exact(self) -> bool:
        """Is every change seen?"""
        return self._before is not None

    def look(self, came: int) -> None:
        """Look again; `came` is how many were read.

        Raises:
            ChangedMeanwhileError: something was made, changed or deleted meanwhile.
        """
        total = total_of(self._session.read(self._path, self._what, {"count": "1"}))
        if total != self._total:
            raise ChangedMeanwhileError(f"{self._what}: their number went from {self._total} to {total} meanwhile")
        if total not in (None, came):
            raise ChangedMeanwhileError(f"{self._what}: {came:,} came where the total says {total:,}")
        if self._before is not None and (after := self._changed()) != self._before:
            count = len((after or frozenset()) ^ self._before)
            raise ChangedMeanwhileError(f"{self._what}: {count:,} were made or changed meanwhile")

    def _filter(self, answer: Answer) -> str:
        """By the other end's clock, so that ours may be wrong."""
        date = date_of(answer.date)
        if date is None or not self._features.filter or not self._features.known.filters:
            return ""
        return f'meta.lastModified ge "{date:%Y-%m-%dT%H:%M:%SZ}"'

    def _changed(self) -> frozenset[tuple[str, str]] | None:
        """Ids and versions of what was changed since; None where the service provider cannot say it."""
        if not self._since:
            return None
        query = {"filter": self._since, "attributes": "id,meta"}
        try:
            listed = pages(self._session, self._features, self._path, self._what, query)
            return frozenset((str(row.get("id")), version_of(row) or "") for rows in listed for row in rows)
        except (RefusedError, NotFoundError, AddressError, ServerFaultError):
            self._since = ""
            return None


def rows_of(document: Json, what: str) -> list[Json]:
    """The resources of a list; none where the attribute is absent (RFC 7644 §3.4.2).

    Raises:
        AnswerError: something else stands there.
    """
    rows = document.get("Resources") or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) and isinstance(row.get("id"), str) for row in rows):
        raise AnswerError(f"The answer for {what} is no list of resources with ids.")
    return rows


def total_of(document: Json) -> int | None:
    """totalResults; None where it is not said."""
    total: Any = document.get("totalResults")
    return total if isinstance(total, int) and not isinstance(total, bool) and total >= 0 else None


def version_of(resource: Json) -> str | None:
    """The version of a resource, else when it was last changed; None where neither is said."""
    meta = resource.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    return next((value for key in ("version", "lastModified") if isinstance(value := meta.get(key), str)), None)
