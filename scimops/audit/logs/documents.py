"""The records of a log that is JSON, one at a time and in bounded memory, however long the document is.

An export of users is read into memory as a whole (:mod:`scimops.idp.documents`); a log may have ten million records.
"""

from __future__ import annotations

import io
import json
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

from scimops.errors import SourceError
from scimops.idp.encoding import encoding_of, is_text, read_lines
from scimops.idp.source import MAX_RECORD, Source

LISTS = ("value", "lines", "results", "jobs", "steps", "events", "logs")
"""Under which key a wrapper keeps its records: Graph, our log, a search of the platform, jobs, receipts."""

_WITHIN = ("data", "scimops")
"""Wrappers within wrappers: the platform's envelope, our additions."""

_NEXT = ("@odata.nextLink", "nextLink", "next")
_TOTALS = ("totalNumberOfRecords", "@odata.count", "totalResults")
_STEP = 1 << 20
_DECODER = json.JSONDecoder()
Found = tuple[Any, str]
"""A record, or None with why it is none."""


@dataclass
class Page:
    """What a document says beside its records."""

    broken: str = ""
    more: bool = False
    total: int | None = None
    around: dict[str, Any] = field(default_factory=dict)


class _CutError(Exception):
    """The document ends within a value, or is no JSON there."""


def records(source: Source, page: Page) -> Iterator[Found]:
    """The records of `source`; what else it says is written into `page`, which is whole when they end.

    Raises:
        SourceError: a record has no end within 16 MiB.
    """
    yield from _lines(source, page) if _is_ndjson(source) else _document(source, page)


def _is_ndjson(source: Source) -> bool:
    """Is the first line a whole object, and does another one follow?"""
    head = source.head.removeprefix(b"\xef\xbb\xbf").lstrip()
    first, _, rest = head.partition(b"\n")
    try:
        return rest.lstrip().startswith(b"{") and isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def _lines(source: Source, page: Page) -> Iterator[Found]:
    number = 0
    for _, text in read_lines(source.path, encoding_of(source.path, source.head), MAX_RECORD, source.name):
        if not text.strip():
            continue
        number += 1
        try:
            record = json.loads(text)
        except (ValueError, RecursionError):
            if not text.endswith(("\n", "\r")):
                page.broken = f"it breaks off in record {number}"
            yield None, "it is no JSON"
            continue
        yield _checked(record, text)


def _document(source: Source, page: Page) -> Iterator[Found]:
    encoding = encoding_of(source.path, source.head)
    with source.path.open("rb") as raw:
        raw.seek(encoding.mark)
        text = _Text(io.TextIOWrapper(raw, encoding=encoding.name, errors=encoding.errors, newline=""), source.name)
        try:
            found = False
            if text.peek() == "[":
                yield from _elements(text, page)
            else:
                found, around = yield from _wrapper(text, page)
                if not found and page.total is None and not page.more:
                    yield _checked(around, "\\")
            if not page.broken and text.peek():
                page.broken = "it goes on behind the end of its JSON document"
        except _CutError:
            page.broken = page.broken or "the document breaks off or is no JSON"


def _wrapper(text: _Text, page: Page) -> Generator[Found, None, tuple[bool, dict[str, Any]]]:
    """The records within an object; whether there is a list of them, and what else the object says."""
    found = False
    around: dict[str, Any] = {}
    text.expect("{")
    while text.peek() != "}":
        key = text.value()
        text.expect(":")
        if key in LISTS and text.peek() == "[":
            found = True
            yield from _elements(text, page)
            if page.broken:
                return True, around
        elif key in _WITHIN and text.peek() == "{":
            inner, within = yield from _wrapper(text, page)
            found = found or inner
            around |= within
            if page.broken:
                return True, around
        else:
            around[key] = page.around[key] = value = text.value()
            page.more = page.more or (key in _NEXT and bool(value))
            if key in _TOTALS and isinstance(value, int):
                page.total = value
        if text.peek() != "}":
            text.expect(",")
    text.expect("}")
    return found, around


def _elements(text: _Text, page: Page) -> Iterator[Found]:
    text.expect("[")
    number, whole = 0, True
    try:
        while number or text.peek() != "]":
            number, whole = number + 1, False
            value = text.value()
            whole = True
            yield _checked(value, text.last)
            if text.peek() == "]":
                break
            text.expect(",")
        text.expect("]")
    except _CutError:
        page.broken = f"it breaks off {'behind' if whole else 'in'} record {number}"
        if not whole:
            yield None, "it is cut off"


def _checked(record: Any, text: str) -> Found:
    if not isinstance(record, dict):
        return None, "it is no JSON object"
    if ("\\" in text or not text.isascii()) and not is_text(json.dumps(record, ensure_ascii=False)):
        return None, "it holds half characters (lone surrogates)"
    return record, ""


class _Text:
    """A text of which a window of a few records is in memory."""

    def __init__(self, stream: io.TextIOWrapper, name: str) -> None:
        self.stream, self.name = stream, name
        self.window, self.position, self.ended, self.last = "", 0, False, ""

    def peek(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            while self.position < len(self.window) and self.window[self.position] in " \t\r\n":
                self.position += 1
            if self.position < len(self.window):
                return self.window[self.position]
            if self.ended:
                return ""
            self._fill()

    def expect(self, mark: str) -> None:
        """Pass `mark`."""
        if self.peek() != mark:
            raise _CutError
        self.position += 1

    def value(self) -> Any:
        """The JSON value that begins here."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self.window, self.position)
                if end < len(self.window) or self.ended:  # else a number may go on
                    self.last, self.position = self.window[self.position : end], end
                    return value
            except (ValueError, IndexError) as error:
                if self.ended:
                    raise _CutError from error
            except RecursionError as error:
                raise _CutError from error
            if len(self.window) - self.position > MAX_RECORD:
                raise SourceError(f"a record has no end within {MAX_RECORD:,} characters.", where=self.name,
                                  advice="Is this a log?")  # fmt: skip
            self._fill()

    def _fill(self) -> None:
        block = self.stream.read(_STEP)
        self.ended = not block
        self.window, self.position = self.window[self.position :] + block, 0
