"""Files that arrive in pieces: private, whole, in order, within a limit."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from scimops.widgets.controls.upload import CHUNK, Uploads, safe_name


class Sender:
    """What the browser does."""

    def __init__(self, limit: int = 1 << 30) -> None:
        self.got: list[list[Path]] = []
        self.uploads = Uploads(self.got.append, limit)

    def say(self, kind: str, *buffers: bytes, upload: str = "1", **more: Any) -> str:
        return self.uploads.take({"kind": kind, "upload": upload, **more}, [memoryview(one) for one in buffers])

    def send(self, content: bytes, name: str = "exportUsers_2026-11-25.csv", upload: str = "1") -> str:
        problem = self.say("start", upload=upload, size=len(content))
        problem = problem or self.say("file", upload=upload, name=name, size=len(content), modified=1_700_000_000)
        for offset in range(0, len(content), CHUNK):
            piece = content[offset : offset + CHUNK]
            problem = problem or self.say("chunk", piece, upload=upload, offset=offset)
        return problem or self.say("end", upload=upload)


def test_a_file_arrives_whole_private_and_under_its_own_name_and_time() -> None:
    sender = Sender()
    content = bytes(range(256)) * 9000  # more than two pieces
    assert sender.send(content) == ""
    [path] = sender.got[0]
    assert path.read_bytes() == content
    assert path.name == "exportUsers_2026-11-25.csv"
    assert path.stat().st_mtime == 1_700_000_000
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o700


def test_several_files_are_one_upload_even_when_named_alike() -> None:
    sender = Sender()
    sender.say("start", size=2)
    for text in (b"a", b"b"):
        assert sender.say("file", name="page.json", size=1) == ""
        assert sender.say("chunk", text, offset=0) == ""
    assert sender.say("end") == ""
    assert [(path.name, path.read_bytes()) for path in sender.got[0]] == [("page.json", b"a"), ("page-2.json", b"b")]


def test_an_empty_file_arrives_and_the_reader_says_that_it_is_empty() -> None:
    sender = Sender()
    assert sender.send(b"") == ""
    assert sender.got[0][0].read_bytes() == b""


def test_cancel_leaves_nothing_on_disk() -> None:
    sender = Sender()
    sender.say("start", size=10)
    sender.say("file", name="a.csv", size=10)
    sender.say("chunk", b"12345", offset=0)
    assert sender.uploads._current is not None
    folder = sender.uploads._current.folder
    assert list(folder.iterdir())
    sender.say("cancel")
    assert not folder.exists()
    assert "ended by another" in sender.say("chunk", b"67890", offset=5)
    assert sender.got == []


@pytest.mark.parametrize(
    ("kind", "buffers", "more", "words"),
    [
        ("chunk", [b"x"], {"offset": 7}, "got lost"),
        ("chunk", [], {"offset": 0}, "got lost"),
        ("chunk", [b"x" * 11], {"offset": 0}, "larger than was said"),
        ("end", [], {}, "did not arrive whole"),
        ("file", [], {"name": "b.csv", "size": 1}, "did not arrive whole"),
    ],
)
def test_what_does_not_fit_is_refused_and_removed(
    kind: str, buffers: list[bytes], more: dict[str, Any], words: str
) -> None:
    sender = Sender()
    sender.say("start", size=10)
    sender.say("file", name="a.csv", size=10)
    assert sender.uploads._current is not None
    folder = sender.uploads._current.folder
    assert words in sender.say(kind, *buffers, **more)
    assert not folder.exists()
    assert sender.got == []


def test_the_limit_names_both_sizes_and_the_way_out() -> None:
    sender = Sender(limit=2_000_000_000)
    words = sender.say("start", size=3_500_000_000)
    assert "3.5 GB" in words
    assert "2.0 GB" in words
    assert "path" in words


def test_a_new_upload_ends_the_old_one_and_keep_removes_what_is_done() -> None:
    sender = Sender()
    sender.send(b"one", upload="1")
    sender.say("start", upload="2", size=5)
    assert sender.send(b"three", upload="3") == ""
    assert "ended by another" in sender.say("file", upload="2", name="b.csv", size=5)
    first, third = sender.got[0][0], sender.got[1][0]
    sender.uploads.keep([third])
    assert not first.exists()
    assert third.exists()
    sender.uploads.close()
    assert not third.exists()


def test_a_full_disk_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    sender = Sender()
    sender.say("start", size=1)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.open", full)
    assert "No space left on device" in sender.say("file", name="a.csv", size=1)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("users.csv", "users.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\users.csv", "users.csv"),
        ("a\x1b[31m<b>:.csv", "a_[31m_b__.csv"),
        ("", "export"),
        ("...", "export"),
        (".csv", "csv"),
        ("x" * 500 + ".csv", "x" * 116 + ".csv"),
        ("Çalışanlar 2026.xlsx", "Çalışanlar 2026.xlsx"),
    ],
)
def test_names_are_harmless_and_recognisable(name: str, safe: str) -> None:
    assert safe_name(name) == safe
