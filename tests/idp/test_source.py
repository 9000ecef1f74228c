"""From what a user names to a text on disk: pipes, gzip, and everything that is no export."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import os
import subprocess
import sys
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from scimops.errors import IncompleteSourceError, ScimopsError, SourceError, UsageError
from scimops.idp import read_export
from scimops.idp.source import Workspace, open_source

CSV = b"userPrincipalName,accountEnabled\nanna@example.com,True\nbo@example.com,False\n"
READ = """
from pathlib import Path
from scimops.errors import ScimopsError
from scimops.idp import read_export
try:
    export = read_export("-")
    print(export.rows, export.shape.name, *export.files)
except ScimopsError as error:
    print(type(error).__name__, error)
status = Path("/proc/self/status")
peak = [line.split()[1] for line in status.open() if line.startswith("VmHWM")] if status.exists() else [0]
print(int(peak[0]) >> 10)
"""


def opened(path: Path) -> bytes:
    source = open_source(path, Workspace())
    return source.path.read_bytes()


def piped(*blocks: bytes, repeat: int = 1) -> tuple[str, int]:
    """What a fresh process says of these blocks on its standard input, and its peak memory in MiB."""
    with subprocess.Popen([sys.executable, "-c", READ], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        try:
            for _ in range(repeat):
                for block in blocks:
                    process.stdin.write(block)
            process.stdin.close()
        except BrokenPipeError:
            pass
        said, memory = process.stdout.read().decode().splitlines()
    return said, int(memory)


def test_a_pipe_is_read() -> None:
    assert piped(CSV)[0] == "2 entra_download_users standard input"
    assert piped(gzip.compress(CSV))[0].startswith("2 entra_download_users")
    assert piped(b"")[0].startswith("SourceError standard input: the file is empty.")


@pytest.mark.parametrize("first", [CSV, b""])
def test_a_line_without_end_on_a_pipe_ends_soon_and_in_bounded_memory(first: bytes) -> None:
    said, memory = piped(first + b"x" * (1 << 20), *[b"y" * (1 << 20)] * 80)
    assert said.startswith("SourceError standard input: a line has no end after 6")
    assert memory < 400


def test_json_in_one_long_line_on_a_pipe_is_no_line_without_end() -> None:
    record = b'{"userPrincipalName": "anna@example.com", "mailNickname": "' + b"n" * (1 << 20) + b'"}'
    said, _ = piped(b'{"value": [' + record, *[b"," + record] * 70, b"]}")
    assert said == "71 entra_graph_users standard input"


def test_no_standard_input_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("a notebook's"))
    with pytest.raises(UsageError, match="no standard input"):
        open_source("-", Workspace())


def test_gzip_is_unpacked_whatever_its_name(tmp_path: Path) -> None:
    for number, data in enumerate((gzip.compress(CSV), gzip.compress(CSV[:20]) + gzip.compress(CSV[20:]))):
        path = tmp_path / f"users{number}.csv"
        path.write_bytes(data)
        assert opened(path) == CSV


def test_gzip_cut_anywhere_is_incomplete(tmp_path: Path) -> None:
    data = gzip.compress(CSV * 50)
    path = tmp_path / "users.csv.gz"
    for cut in range(2, len(data)):
        path.write_bytes(data[:cut])
        with pytest.raises(IncompleteSourceError, match="ends too early") as caught:
            opened(path)
        assert caught.value.exit_code == 5


@pytest.mark.parametrize("at", [2, 3, 12, 40, -8, -1])
def test_damaged_gzip_is_one_clear_error(tmp_path: Path, at: int) -> None:
    data = bytearray(gzip.compress(CSV * 50))
    data[at] ^= 0xFF
    (tmp_path / "users.gz").write_bytes(data)
    with pytest.raises((SourceError, IncompleteSourceError)):
        opened(tmp_path / "users.gz")
    (tmp_path / "users.gz").write_bytes(gzip.compress(CSV) + b"junk")
    with pytest.raises(SourceError, match="damaged"):
        opened(tmp_path / "users.gz")


def test_a_gzip_bomb_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "users.csv.gz"
    with gzip.open(path, "wb") as stream:
        for _ in range(200):
            stream.write(b"a,b\n" * (1 << 18))
    tracemalloc.start()
    with pytest.raises(SourceError, match="grows more than 250 times"):
        opened(path)
    assert tracemalloc.get_traced_memory()[1] < 32 << 20
    tracemalloc.stop()


def test_the_limit_on_bytes_holds_for_files_and_for_what_they_unpack_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCIMOPS_MAX_BYTES", "1000")
    for name, data in (("a.csv", CSV * 20), ("a.gz", gzip.compress(CSV * 100))):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SourceError, match="larger than 1,000 bytes"):
            opened(tmp_path / name)
    monkeypatch.setenv("SCIMOPS_MAX_BYTES", "many")
    with pytest.raises(UsageError, match="SCIMOPS_MAX_BYTES"):
        opened(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "empty"),
        (gzip.compress(b"", mtime=0), "empty"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "old or password-protected Excel"),
        (b"PAR1\x15\x04", "Parquet"),
        (b"SQLite format 3\0", "SQLite"),
        (b"\x7fELF\x02", "program"),
        (b"BZh91AY&SY", "bzip2"),
        (b"\xfd7zXZ\0", "xz"),
        (b"\x28\xb5\x2f\xfd\x04", "zstd"),
        ("\ufeffa,b\n".encode("utf-32-le"), "UTF-32"),
        (b"\xef\xbb\xbf\r\n <!DOCTYPE html><html>", "web page"),
        (b"PK\x05\x06" + bytes(18), "binary"),
        (bytes(range(256)) * 20, "binary"),
        (bytes(5000), "binary"),
        (gzip.compress(bytes(range(256)) * 20), "binary"),
        (b"PK\x03\x04 no zip", "damaged or no workbook"),
    ],
)
def test_what_is_no_export_is_named(tmp_path: Path, data: bytes, what: str) -> None:
    path = tmp_path / "users.csv"
    path.write_bytes(data)
    with pytest.raises(SourceError, match=what) as caught:
        read_export(path)
    assert "users.csv" in str(caught.value)


def test_random_bytes_are_one_error_or_a_table_but_never_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    for size in (1, 2, 3, 10, 100, 4000, 100_000):
        path.write_bytes(os.urandom(size))
        with suppress(ScimopsError):
            read_export(path).users()


def test_folders_missing_files_and_devices_are_named(tmp_path: Path) -> None:
    (tmp_path / "exportUsers.csv").write_bytes(CSV)
    with pytest.raises(SourceError, match="folder"):
        opened(tmp_path)
    with pytest.raises(SourceError, match=r"no such file.*exportUsers\.csv"):
        opened(tmp_path / "exportUser.csv")
    with pytest.raises(SourceError, match="no such file"):
        opened(tmp_path / "nowhere" / "x.csv")
    for name in ("x" * 5000, "a\0b"):
        with pytest.raises(SourceError):
            opened(tmp_path / name)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match="not a regular file"):
        opened(tmp_path / "pipe")


def test_when_it_was_taken(tmp_path: Path) -> None:
    def taken(name: str) -> tuple[str, str]:
        path = tmp_path / name
        path.write_bytes(CSV)
        os.utime(path, (1_700_000_000, 1_700_000_000))
        source = open_source(path, Workspace())
        return source.taken_at.isoformat(), source.taken_from

    changed = (dt.datetime.fromtimestamp(1_700_000_000, dt.UTC).isoformat(), "the file's modification time")
    assert taken("users.csv") == changed
    assert taken("exportUsers_2023-11-14.csv") == changed
    assert taken("exportUsers_2026-02-31.csv") == changed
    assert taken("exportUsers_2026-1-5.csv") == ("2026-01-05T00:00:00+00:00", "the date in the file's name")


def test_the_workspace_is_private_and_goes(tmp_path: Path) -> None:
    (tmp_path / "users.gz").write_bytes(gzip.compress(CSV))
    source: Any = open_source(tmp_path / "users.gz", Workspace())
    folder = source.workspace.folder
    assert folder.stat().st_mode & 0o777 == 0o700
    export = read_export(tmp_path / "users.gz")
    del source
    assert not folder.exists()
    assert export.users().height == 2
