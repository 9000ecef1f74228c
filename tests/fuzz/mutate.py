"""Files as accidents and attackers make them: samples of every shape, damaged by a seed, and what they must hold.

:func:`mutated` is a pure function of the seed and a number, so that every file can be made again.
:func:`fewest_records` says, without the reader's help, how many records a file must be accounted for.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl

from scimops.samples import SHAPE_FORMATS, write_sample

LARGEST = 16 << 10
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1", "utf-32")
PIECES = (
    b'"', b'""', b"'", b"\0", b"\n", b"\r", b"\r\n", b"\n\n", b",", b";", b"\t", b"|", b"\\", b"{", b"}", b"[", b"]",
    b":", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xe2\x80\xa8", b"\x1a",
    b"sep=;\n", b"#TYPE x\n", b"version:v1.0\n", b"null", b"true", b"NaN", b"-1e999", b"\\ud800", b"=1+1", b"<a>", b"*",
    b"^a$", b'"totalResults": 99, ', b'"@odata.nextLink": "x", ', b"PK\x03\x04", b"\x1f\x8b", b" ", b"    \n",
    b"a" * 300, b"\x7f",
)  # fmt: skip
SEP = re.compile(r' *sep=[^\w" ]\s*$', re.IGNORECASE)
RECORD_KEYS = ("Resources", "Operations", "value", "results", "users", "data", "items")
Mutation = Callable[[random.Random, bytes, list[bytes]], bytes]


@dataclass(frozen=True)
class Mutated:
    """A damaged file and how it came to be."""

    data: bytes
    story: str


def seeds() -> list[bytes]:
    """Small whole files: each shape with nasty and with plain people, each in further packings."""
    with TemporaryDirectory() as folder:
        written = [
            write_sample(Path(folder) / f"{shape}-{people}", shape, people=people, nasty=nasty).read_bytes()
            for shape in SHAPE_FORMATS
            for people, nasty in ((8, True), (3, False), (0, False))
        ]
    tables = [data for data in written if data[:1] not in b"{["]
    others = [
        b"a\n1\n2\n", b"a,b\r1,2\r", b"sep=;\r\na;b\r\n1;2\r\n", b'"a","b"\n"1\n2","3"\n', b"", b"\n", b"[]", b"{}",
        b'{"schemas":["x"],"totalResults":2,"Resources":[{"userName":"a","schemas":["u"]}]}',
        b'{"userName":"a","schemas":["u"]}\n{"userName":"b","schemas":["u"]}\n',
    ]  # fmt: skip
    packed = [gzip.compress(data, mtime=0) for data in written[::5]]
    return [*written, *(data.decode().encode("utf-16") for data in tables[::4]), *others, *packed, _workbook()]


def _workbook() -> bytes:
    """A small workbook, the same bytes at any time."""
    book = openpyxl.Workbook()
    assert book.active
    for row in (["userPrincipalName", "accountEnabled"], ["anna@example.com", True], ["bo@example.com", None]):
        book.active.append(row)
    plain, fixed = io.BytesIO(), io.BytesIO()
    book.save(plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            timeless = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", b"2026-01-01T00:00:00Z", old.read(name))
            new.writestr(zipfile.ZipInfo(name), timeless)
    return fixed.getvalue()


def _span(chance: random.Random, data: bytes) -> tuple[int, int]:
    start = chance.randint(0, len(data))
    return start, min(len(data), start + chance.choice((1, 1, 2, 8, 64, 512)))


def _flip(chance: random.Random, data: bytes, _: list[bytes]) -> bytes:
    changed = bytearray(data)
    for _times in range(chance.choice((1, 1, 4, 32)) if data else 0):
        changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _delete(chance: random.Random, data: bytes, _: list[bytes]) -> bytes:
    start, end = _span(chance, data)
    return data[:start] + data[end:]


def _duplicate(chance: random.Random, data: bytes, _: list[bytes]) -> bytes:
    start, end = _span(chance, data)
    return data[:end] + data[start:end] * chance.choice((1, 1, 3, 20)) + data[end:]


def _insert(chance: random.Random, data: bytes, _: list[bytes]) -> bytes:
    for _times in range(chance.choice((1, 1, 1, 5))):
        start = chance.choice((0, len(data), chance.randint(0, len(data)), chance.randint(0, len(data))))
        data = data[:start] + chance.choice(PIECES) + data[start:]
    return data


def _truncate(chance: random.Random, data: bytes, _: list[bytes]) -> bytes:
    return data[: chance.randint(0, len(data))]


def _splice(chance: random.Random, data: bytes, files: list[bytes]) -> bytes:
    other = chance.choice(files)
    end, start = chance.choice((len(data), chance.randint(0, len(data)))), chance.randint(0, len(other)) // 2 * 2
    return data[:end] + other[start:]


def _swap(chance: random.Random, data: bytes, _: list[bytes]) -> bytes:
    one, other = chance.sample([b",", b";", b"\t", b"|", b'"', b"\n", b"\r\n", b"\r", b":", b"'", b""], 2)
    return data.replace(one, other, chance.choice((-1, -1, 1, 3))) if one else data


def _encode(chance: random.Random, data: bytes, _: list[bytes]) -> bytes:
    text = data.decode(chance.choice(ENCODINGS), "replace")
    return text.encode(chance.choice(ENCODINGS), "replace")


def _shuffle(chance: random.Random, data: bytes, _: list[bytes]) -> bytes:
    lines = data.splitlines(keepends=True)
    chance.shuffle(lines)
    return b"".join(lines)


def _gzip(chance: random.Random, data: bytes, _: list[bytes]) -> bytes:
    packed = gzip.compress(data, mtime=0)
    return packed[: chance.choice((len(packed), chance.randint(0, len(packed))))]


MUTATIONS: tuple[Mutation, ...] = (
    _flip, _delete, _duplicate, _insert, _insert, _truncate, _splice, _swap, _encode, _shuffle, _gzip,
)  # fmt: skip


def mutated(seed: str, number: int, files: list[bytes]) -> Mutated:
    """File `number` of the run `seed`: one of `files` after none to six mutations."""
    chance = random.Random(f"{seed}/{number}")
    first = chance.randrange(len(files))
    data, story = files[first], [f"file {first}"]
    for _ in range(chance.choice((0, 1, 1, 1, 2, 2, 3, 6))):
        mutation = chance.choice(MUTATIONS)
        data = mutation(chance, data, files)[:LARGEST]
        story.append(mutation.__name__[1:])
    return Mutated(data, ", ".join(story))


def fewest_records(data: bytes, delimiter: str | None) -> int | None:
    """How many records a well-formed text holds at least; None where it is none, or nobody can tell."""
    try:
        if data.startswith(b"\x1f\x8b"):
            data = gzip.decompress(data)
        text = data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except (EOFError, OSError, ValueError, zlib.error):
        return None
    if "\0" in text:  # UTF-16 without a mark, perhaps
        return None
    text = text.lstrip("\ufeff")
    if text.lstrip()[:1] in ("{", "["):
        return _in_json(text)
    lines = list(io.StringIO(text, newline=""))
    while lines and (
        not lines[0].strip() or lines[0].strip(" ").startswith(("#TYPE", "version:v1")) or SEP.match(lines[0])
    ):
        del lines[0]
    if '"' not in text:
        return max(0, sum(bool(line.strip(" \r\n")) for line in lines) - 1)
    try:
        rows = list(csv.reader(lines, delimiter=delimiter or ",", strict=True))
        return max(0, sum(len(row) > 1 or bool("".join(row).strip(" ")) for row in rows) - 1)
    except csv.Error:
        return None


def _in_json(text: str) -> int | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return _in_lines(text)
    if isinstance(value, dict):
        return sum(len(inner) for key, inner in value.items() if key in RECORD_KEYS and isinstance(inner, list))
    return len(value)


def _in_lines(text: str) -> int | None:
    try:
        records = [json.loads(line) for line in text.split("\n") if line.strip()]
    except (ValueError, RecursionError):
        return None
    return len(records) if all(isinstance(record, dict) for record in records) else None
