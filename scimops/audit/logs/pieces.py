"""A CSV file in pieces of a few megabytes, each a table of its own, so that memory does not grow with the file.

:mod:`scimops.idp.delimited` proves and reads a file as a whole: of an export that is right, a log may be too long.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate

import polars as pl

from scimops.errors import SourceError
from scimops.idp.delimited import read_delimited
from scimops.idp.encoding import encoding_of
from scimops.idp.scan import IrregularError, Layout, scan
from scimops.idp.source import MAX_RECORD, Source
from scimops.idp.table import LINE, ROW, Rejects, Table

PIECE = 4 << 20
"""About how many bytes of records are in memory at a time."""

_Rows = tuple[pl.DataFrame, list[int]]
"""The rows of a piece that can be read, with `@row` in front, and the numbers of those that cannot."""


class Pieces:
    """The CSV file `source`: its `headers`, and its rows piece by piece.

    A text in UTF-16 and one whose lines end in a lone CR are one piece, however long.

    Raises:
        SourceError: there is no header.
    """

    def __init__(self, source: Source) -> None:
        self.source, self.state = source, source.state
        self.encoding = encoding_of(source.path, source.head).name
        self.delimiter: str | None = None
        head = source.head
        self.whole = self.encoding.startswith("utf-16") or b"\n" not in head
        sample = head if len(head) == self.state[0] else head[: head.rfind(b"\n") + 1]
        first = read_delimited(source, self.encoding) if self.whole else self._table(sample)
        self.headers, self.delimiter = first.headers, first.delimiter
        self.header = b"" if self.whole else self._header(head)

    def rows(self, wanted: list[str]) -> Iterator[_Rows]:
        """These columns of all rows, in order; rows are numbered through the file.

        Raises:
            SourceError: a line is longer than 16 MiB, or the file was changed meanwhile.
        """
        before = 0
        for table in self._tables():
            frame = table.scan(wanted).select(pl.col(ROW) + before, *wanted).collect()
            yield frame, [one.row + before for one in table.rejected]
            before += table.rows
        if self.source.state != self.state:
            raise SourceError("it was changed while it was read.", where=self.source.name, advice="Read it again.")

    def _tables(self) -> Iterator[Table]:
        if self.whole:
            yield read_delimited(self.source, self.encoding, self.delimiter)
            return
        with self.source.path.open("rb") as stream:
            stream.seek(len(self.header))
            text, block = b"", stream.read(PIECE)
            while text or block:
                text, block = text + block, stream.read(PIECE)
                end = self._end(text) if block else len(text)
                if end:
                    yield self._table(self.header + text[:end])
                text = text[end:]

    def _table(self, text: bytes) -> Table:
        return read_delimited(self._file(text), self.encoding, self.delimiter)

    def _file(self, text: bytes) -> Source:
        path = self.source.workspace.folder / "piece.csv"
        path.write_bytes(text)
        return replace(self.source, path=path)

    def _header(self, head: bytes) -> bytes:
        """What stands before the first record: the fewest lines that have the header."""
        end = 0
        while end := head.find(b"\n", end) + 1:
            try:
                if self._table(head[:end]).headers == self.headers:
                    return head[:end]
            except SourceError:  # `sep=;` and the like
                continue
        return head

    def _end(self, text: bytes) -> int:
        """Where the last whole record of `text` ends, which begins with a record; 0 where more of it must be read.

        Behind a line end with an even number of quotes before it, where the quotes are proved to be in order.
        """
        end = _even_end(text)
        if end and self._is_regular(text[:end]):
            return end
        if not end and len(text) <= MAX_RECORD:
            return 0
        if end := self._end_by_the_careful_way(text):
            return end
        return text.rfind(b"\n") + 1 or len(text) if len(text) > MAX_RECORD else 0

    def _end_by_the_careful_way(self, text: bytes) -> int:
        """Before the last record that can be read, and before whatever cannot be near the end: it may be cut off."""
        table = self._table(self.header + text)
        places = list(accumulate(map(len, (self.header + text).splitlines(keepends=True)), initial=-len(self.header)))
        good = [places[line - 1] for line in table.scan([]).collect()[LINE][-1:]]
        bad = [places[one.line - 1] for one in table.rejected if one.line is not None]
        return max(0, min([*good, *(place for place in bad if place > len(text) // 2)], default=0))

    def _is_regular(self, text: bytes) -> bool:
        layout = Layout(self.headers, self.delimiter or ",", 0, 0)
        try:
            scan(self._file(text), layout, 0, Rejects(hide_text=True))
        except IrregularError:
            return False
        return True


def _even_end(text: bytes) -> int:
    """Behind the last line end that an even number of quotes precedes; 0 where there is none."""
    quotes, end = text.count(b'"'), len(text)
    while (newline := text.rfind(b"\n", 0, end)) >= 0:
        quotes -= text.count(b'"', newline, end)
        if quotes % 2 == 0:
            return newline + 1
        end = newline
    return 0
