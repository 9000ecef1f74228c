"""Secrets: fetched late from where a reference says, stored for the owner alone, taken out of every text."""

from __future__ import annotations

import ast
import base64
import html
import json
import os
import re
import stat
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import keyring
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keyring.errors import KeyringLocked, PasswordSetError
from memory_keyring import Memory, used

from scimops.credentials import (
    CredentialError,
    commands,
    forget,
    keyring_works,
    known,
    parse_reference,
    redact,
    redaction,
    resolve,
    store,
)
from scimops.errors import ScimopsError, UsageError
from scimops.tokens import Secret, hint, make_token

SECRET = "hunter2+of/the=Owner"
NEW = Secret("another-good-secret")


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_known", {})


@pytest.fixture
def memory() -> Iterator[Memory]:
    with used() as backend:
        yield backend


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The credentials folder."""
    monkeypatch.setenv("SCIMOPS_CREDENTIALS_DIR", str(tmp_path / "credentials"))
    monkeypatch.delenv("SCIMOPS_CONFIG", raising=False)
    (tmp_path / "credentials").mkdir(mode=0o700)
    return tmp_path / "credentials"


def put(file: Path, content: bytes | str = SECRET, mode: int = 0o600) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    file.chmod(mode)


def names(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


def refused(work: Callable[[], object], kind: type[ScimopsError] = CredentialError, *secrets: str) -> str:
    """The text of an error: what was wrong and what to do. No secret is in it, in its context, or in our frames."""
    with pytest.raises(ScimopsError) as found:
        work()
    error = found.value
    assert type(error) is kind
    assert error.message.endswith(".")
    assert error.advice
    seen: BaseException | None = error
    while seen is not None:
        shown = seen.__traceback__
        while shown is not None and Path(__file__).samefile(shown.tb_frame.f_code.co_filename):
            shown = shown.tb_next
        everything = "".join(traceback.TracebackException(type(seen), seen, shown, capture_locals=True).format())
        for secret in (SECRET, "hunter2", *secrets):
            assert secret not in everything
        seen = seen.__cause__ or seen.__context__
    return str(error)


# -- References -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["env:SCIMOPS_X", "keyring:acme-client-secret", "file:acme.token", "dir:acme/client_secret", 'cmd:["a"]']
)
def test_a_reference_is_read_and_shown(text: str) -> None:
    assert str(parse_reference(text)) == text.replace('"a"]', '"a", …]')


def test_of_a_command_no_argument_is_shown() -> None:
    reference = parse_reference(f'cmd:["echo", "{SECRET}"]')
    assert SECRET not in str(reference)
    assert reference.command == ("echo", SECRET)


WRONG = [
    "", SECRET, f"password:{SECRET}", "env:", "env:PATH", "env:scimops_x", "env:SCIMOPS_X Y", "keyring:", "keyring:a/b",
    "keyring:-x", "file:../etc/passwd", "file:/etc/passwd", "file:a/b", "file:.hidden", "file:", "dir:a", "dir:a/b/c",
    "dir:a/..", "dir:../a", "dir:a/.b", "cmd:", "cmd:pass show x", "cmd:[]", 'cmd:[""]', 'cmd:["a", 1]', 'cmd:{"a": 1}',
    'cmd:["a\\u0000"]', "file:a\n", "file:a\0", f"file:{'x' * 200}",
]  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_reference_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError) as found:
        parse_reference(text)
    assert "keyring:NAME" in found.value.advice
    for word in ("hunter2", "passwd", "show x"):
        assert word not in found.value.message


def test_a_pasted_secret_gets_advice() -> None:
    with pytest.raises(UsageError, match="scimops connection add"):
        resolve(SECRET)


# -- Fetching -------------------------------------------------------------------------------------


def test_an_environment_variable_is_read_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "SCIMOPS_T is not set" in refused(lambda: resolve("env:SCIMOPS_T"))
    monkeypatch.setenv("SCIMOPS_T", SECRET)
    assert resolve("env:SCIMOPS_T") == Secret(SECRET)
    monkeypatch.setenv("SCIMOPS_T", NEW.reveal())
    assert resolve("env:SCIMOPS_T") == NEW


@pytest.mark.parametrize("content", [SECRET, f"{SECRET}\n", f"{SECRET}\r\n", f"\ufeff{SECRET}\n"])
def test_a_file_holds_one_line_and_its_end_is_not_part_of_it(folder: Path, content: str) -> None:
    put(folder / "a", content)
    assert resolve("file:a").reveal() == SECRET


def test_one_newline_is_dropped_and_no_more(folder: Path) -> None:
    put(folder / "a", f"{SECRET}\n\n")
    assert "more than one line" in refused(lambda: resolve("file:a"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"), (b"\n", "it is empty"), (b"hunter2", "fewer than 8"), (b"hunter2\0hunter2", "control"),
        (b"hunter2hunter2\nuser: x", "more than one line"), ("hunter2hunter2".encode("utf-16"), "not UTF-8"),
        (b"hunter2" * 10_000, "larger than 64 KiB"),
    ],
)  # fmt: skip
def test_what_is_no_secret_is_refused(folder: Path, content: bytes, words: str) -> None:
    put(folder / "a", content)
    text = refused(lambda: resolve("file:a"))
    assert words in text
    assert text.startswith("file:a: ")


def test_what_is_no_file(folder: Path) -> None:
    assert "no such file" in refused(lambda: resolve("file:a"))
    (folder / "a").mkdir()
    assert "is a directory" in refused(lambda: resolve("file:a"))
    os.mkfifo(folder / "pipe", 0o600)
    assert "it is no file" in refused(lambda: resolve("file:pipe"))  # and nobody waits for who may write into it
    (folder / "b").symlink_to(folder / "b")
    refused(lambda: resolve("file:b"))


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o644, 0o666, 0o606])
def test_a_file_that_is_for_everybody_is_refused(folder: Path, mode: int) -> None:
    put(folder / "a", mode=mode)
    assert "everybody may read or change it" in refused(lambda: resolve("file:a"))


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o440, 0o640, 0o660])
def test_the_owner_and_the_group_may_read(folder: Path, mode: int) -> None:
    put(folder / "a", mode=mode)
    assert resolve("file:a").reveal() == SECRET


def test_a_mounted_secret_with_its_symbolic_links(folder: Path) -> None:
    """As Kubernetes mounts one: acme/token → ..data/token, ..data → ..2026_11_25; the folder sticky and for all."""
    put(folder / "acme" / "..2026_11_25" / "token") if (folder / "acme").mkdir() is None else None
    (folder / "acme" / "..2026_11_25" / "token").chmod(0o440)
    (folder / "acme" / "..data").symlink_to("..2026_11_25")
    (folder / "acme" / "token").symlink_to("..data/token")
    (folder / "acme").chmod(0o1777)
    assert resolve("dir:acme/token").reveal() == SECRET
    (folder / "acme").chmod(0o777)
    assert "Everybody may put files into" in refused(lambda: resolve("dir:acme/token"))


def test_no_symbolic_link_leads_out(folder: Path, tmp_path: Path) -> None:
    put(tmp_path / "outside")
    (folder / "a").symlink_to(tmp_path / "outside")
    (folder / "b").symlink_to("../outside")
    (folder / "c").symlink_to(tmp_path, target_is_directory=True)
    for reference in ("file:a", "file:b", "dir:c/outside"):
        assert "leads out of the credentials folder" in refused(lambda one=reference: resolve(one))
    beside = tmp_path / "credentials-of-another"
    put(beside / "x")
    (folder / "d").symlink_to(beside / "x")
    refused(lambda: resolve("file:d"))


def test_the_credentials_folder_may_itself_be_a_symbolic_link(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder / "a")
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.setenv("SCIMOPS_CREDENTIALS_DIR", str(tmp_path / "link"))
    assert resolve("file:a").reveal() == SECRET


def test_where_the_folder_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCIMOPS_CREDENTIALS_DIR")
    monkeypatch.setenv("SCIMOPS_CONFIG", str(tmp_path / "own"))
    (tmp_path / "own").mkdir()
    put(tmp_path / "own" / "credentials" / "a")
    assert resolve("file:a").reveal() == SECRET
    monkeypatch.setenv("SCIMOPS_CONFIG", "own")
    assert "not the whole path of a folder" in refused(lambda: resolve("file:a"), UsageError)


# -- Commands -------------------------------------------------------------------------------------


def python(code: str) -> str:
    return "cmd:" + json.dumps([sys.executable, "-c", code])


def test_a_command_prints_the_secret() -> None:
    assert resolve(python(f"print({SECRET!r})")).reveal() == SECRET


def test_a_command_has_no_shell_and_no_input() -> None:
    assert resolve('cmd:["echo", "$HOME;`id`>x*"]').reveal() == "$HOME;`id`>x*"
    assert resolve(python("import sys; print(len(sys.stdin.read()), 'letters were read')")).reveal()[0] == "0"


def test_what_a_command_complains_of_is_not_shown(capfd: pytest.CaptureFixture[str]) -> None:
    text = refused(lambda: resolve(python("import sys; print('hun' 'ter2', file=sys.stderr); sys.exit(3)")))
    assert "ended with exit code 3" in text
    assert "by hand" in text
    assert capfd.readouterr() == ("", "")


def test_a_command_that_fails_after_it_printed() -> None:
    refused(lambda: resolve(python("print('pri' 'nted' * 3, flush=True); raise SystemExit(1)")), CredentialError,
            "printednted")  # fmt: skip


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "ended by signal 15"),
        ("pass", "it is empty"),
        ("while True: print('x' * 99999)", "larger than 64 KiB"),
    ],
)
def test_a_command_that_does_not_give_one(code: str, words: str) -> None:
    assert words in refused(lambda: resolve(python(code)))


def test_a_command_that_is_not_there() -> None:
    assert "cannot be started: no such file" in refused(lambda: resolve('cmd:["no-such-command"]'))


@pytest.mark.parametrize(
    "words",
    [
        ["sleep", "100"],
        ["sh", "-c", "exec 1>&-; sleep 100"],
        ["sh", "-c", "sleep 100 & echo secret-secret"],
        ["setsid", "sh", "-c", "sleep 8 & echo secret-secret"],
    ],
)
def test_a_command_that_does_not_end(words: list[str]) -> None:
    assert commands.output_of(words, 100, 0.5) == (b"", "did not end within 0.5 seconds")


# -- The keyring ----------------------------------------------------------------------------------


def test_the_keyring(memory: Memory) -> None:
    assert keyring_works()
    assert "no such entry" in refused(lambda: resolve("keyring:a"))
    store("keyring:a", Secret(SECRET))
    assert memory.entries == {("scimops", "a"): SECRET}
    assert resolve("keyring:a").reveal() == SECRET
    assert "There is a secret already" in refused(lambda: store("keyring:a", NEW), UsageError)
    assert resolve("keyring:a").reveal() == SECRET
    store("keyring:a", NEW, overwrite=True)
    assert resolve("keyring:a") == NEW
    assert forget("keyring:a")
    assert not forget("keyring:a")
    assert memory.entries == {}


def test_no_keyring() -> None:
    from keyring.backends import fail, null

    before = keyring.get_keyring()
    try:
        keyring.set_keyring(fail.Keyring())
        assert not keyring_works()
        assert "has none that works" in refused(lambda: store("keyring:a", Secret(SECRET)))
        assert "has none that works" in refused(lambda: resolve("keyring:a"))
        keyring.set_keyring(null.Keyring())
        assert not keyring_works()
        assert "does not keep" in refused(lambda: store("keyring:a", Secret(SECRET)))
    finally:
        keyring.set_keyring(before)


def test_a_keyring_that_fails_says_no_secret(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_self: Memory, service: str, username: str, password: str = "") -> str:
        raise PasswordSetError(f"cannot store {password or SECRET}")

    def locked(_self: Memory, service: str, username: str) -> str:
        raise KeyringLocked(SECRET)

    monkeypatch.setattr(Memory, "set_password", fails)
    assert "fails with PasswordSetError" in refused(lambda: store("keyring:a", Secret(SECRET)))
    monkeypatch.setattr(Memory, "get_password", locked)
    assert "it is locked" in refused(lambda: resolve("keyring:a"))


# -- Storing in files -----------------------------------------------------------------------------


def test_a_file_is_stored_for_the_owner_alone(folder: Path) -> None:
    folder.rmdir()
    old = os.umask(0)
    try:
        store("file:a", Secret(SECRET))
    finally:
        os.umask(old)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "a").stat().st_mode) == 0o600
    assert resolve("file:a").reveal() == SECRET
    assert "There is a secret already" in refused(lambda: store("file:a", NEW), UsageError)
    assert resolve("file:a").reveal() == SECRET
    store("file:a", NEW, overwrite=True)
    assert resolve("file:a") == NEW
    assert names(folder) == ["a"]
    assert forget("file:a")
    assert not forget("file:a")
    assert names(folder) == []


def test_a_symbolic_link_is_replaced_and_what_it_names_stays(folder: Path, tmp_path: Path) -> None:
    put(tmp_path / "outside", "somebody else's")
    (folder / "a").symlink_to(tmp_path / "outside")
    refused(lambda: store("file:a", NEW), UsageError)
    store("file:a", NEW, overwrite=True)
    assert resolve("file:a") == NEW
    assert (tmp_path / "outside").read_text() == "somebody else's"
    (folder / "b").symlink_to(tmp_path / "outside")
    assert forget("file:b")
    assert (tmp_path / "outside").exists()


def test_nothing_is_stored_where_everybody_may_write_or_nobody_can(folder: Path) -> None:
    folder.chmod(0o777)
    assert "Everybody may put files into" in refused(lambda: store("file:a", Secret(SECRET)))
    folder.rmdir()
    folder.write_text("a file")
    assert "not the whole path of a folder" in refused(lambda: store("file:a", Secret(SECRET)), UsageError)


@pytest.mark.parametrize("bad", ["", "short", "two\nlines-of-it", "half \ud800 letter"])
def test_what_is_no_secret_is_not_stored(folder: Path, bad: str) -> None:
    refused(lambda: store("file:a", Secret(bad)))
    assert names(folder) == []


@pytest.mark.parametrize("reference", ["env:SCIMOPS_X", "dir:a/b", 'cmd:["a"]'])
def test_others_are_only_read(reference: str) -> None:
    assert "only read" in refused(lambda: store(reference, Secret(SECRET)), UsageError)
    assert "only read" in refused(lambda: forget(reference), UsageError)


# -- Redaction ------------------------------------------------------------------------------------


def test_what_was_resolved_or_stored_is_known(folder: Path) -> None:
    put(folder / "a")
    assert redact(f"x {SECRET} y") == f"x {SECRET} y"
    resolve("file:a")
    assert redact(f"x {SECRET} y") == "x [secret] y"
    store("file:b", NEW)
    assert redact(NEW.reveal()) == "[secret]"


def test_a_token_is_redacted_without_being_known() -> None:
    token = make_token().reveal()
    assert redact(f"Bearer {token}") == f"Bearer [token …{hint(token)}]"
    known(Secret(token))
    assert redact(f"Bearer {token}") == "Bearer [secret]"


def test_a_secret_that_would_stand_anywhere_is_not_taken() -> None:
    assert "at least 8" in refused(lambda: known(Secret("a")), UsageError)


def test_a_basic_header() -> None:
    known(Secret(SECRET))
    for user in ("a", "ab", "abc", "scimops_client_x"):
        header = base64.b64encode(f"{user}:{SECRET}".encode()).decode()
        shown = redact(f"Authorization: Basic {header}")
        assert shown.endswith("[secret]")
        left = shown.removeprefix("Authorization: Basic ").removesuffix("[secret]")
        assert header.startswith(left)
        assert len(left) * 6 <= len(f"{user}:") * 8  # not a bit of the secret


LETTERS = st.one_of(
    st.sampled_from("aZ09\\\\\\/\"'`+%&=<> .-_~:;,{}$#?@!*|^ıéß€😀中"),
    st.characters(codec="utf-8", exclude_categories=["C", "Z"]),
)
SECRETS = st.text(LETTERS, min_size=8, max_size=40).filter(lambda text: "[" not in text and "]" not in text)
AROUND = st.text(st.sampled_from("xyz 0189\\\"'/é\n:"), max_size=12)

ENCODINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "json": json.dumps,
    "json with letters": lambda text: json.dumps(text, ensure_ascii=False),
    "json in json": lambda text: json.dumps(json.dumps(text)),
    "json in a url": lambda text: quote(json.dumps(text), safe='"'),
    "json in json in json": lambda text: json.dumps(json.dumps(json.dumps(text, ensure_ascii=False))),
    "repr": repr,
    "repr in json": lambda text: json.dumps(repr(text)),
    "ascii": ascii,
    "repr of bytes": lambda text: repr(text.encode()),
    "url": lambda text: quote(text, safe=""),
    "url path": quote,
    "form": quote_plus,
    "url in lower case": lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text, safe="")),
    "url twice": lambda text: quote(quote(text, safe=""), safe=""),
    "like a browser": lambda text: quote(text, safe="!'()*"),
    "html": html.escape,
    "html with numbers": lambda text: re.sub("[^A-Za-z0-9]", lambda found: f"&#{ord(found[0])};", text),
    "html with hex numbers": lambda text: re.sub("[^A-Za-z0-9]", lambda found: f"&#x{ord(found[0]):X};", text),
    "json in a script": lambda text: json.dumps(text).replace("<", "\\u003c").replace("/", "\\/"),
    "csv": lambda text: '"' + text.replace('"', '""') + '"',
}  # fmt: skip


@pytest.mark.parametrize("encoding", ENCODINGS)
@settings(max_examples=60, deadline=None)
@given(secret=SECRETS, before=AROUND, after=AROUND)
def test_a_secret_is_taken_out_however_it_is_written(encoding: str, secret: str, before: str, after: str) -> None:
    redaction._known.clear()
    known(Secret(secret))
    encode = ENCODINGS[encoding]
    text = f"{before}\n{secret}\n{after}"
    shown = redact(encode(text))
    assert "[secret]" in shown
    inner = encode(f"\n{secret}\n")  # encoded between the same neighbours
    core = inner.strip("\"'\n")
    assert core not in shown
    assert redact(encode(secret)).strip("b\"'\\") == "[secret]"


@settings(max_examples=150, deadline=None)
@given(
    secret=SECRETS, before=st.binary(max_size=7), after=st.binary(max_size=7), alphabet=st.sampled_from([b"+/", b"-_"])
)
def test_a_secret_is_taken_out_of_base64(secret: str, before: bytes, after: bytes, alphabet: bytes) -> None:
    redaction._known.clear()
    known(Secret(secret))
    whole = base64.b64encode(before + secret.encode() + after, alphabet).decode()
    shown = redact(f"{{{whole}}}")
    assert "[secret]" in shown
    kept = len(shown) - len("{[secret]}")
    assert kept <= (len(before) + len(after) + 4) * 8 // 6
    assert redact(json.dumps({"x": quote(whole, safe="")})).count("[secret]") == 1


@settings(max_examples=60, deadline=None)
@given(one=SECRETS, other=SECRETS, between=AROUND)
def test_several_secrets_also_where_they_overlap(one: str, other: str, between: str) -> None:
    redaction._known.clear()
    for secret in (one, other, one[4:] + other[:6]):
        known(Secret(secret))
    shown = redact(f"{one}{between}{other} {one}{other}")
    assert one not in shown
    assert other not in shown


def test_overlapping_secrets_leave_nothing() -> None:
    known(Secret("abcdefgh"))
    known(Secret("efghijkl"))
    known(Secret("abcdefghij-long"))
    assert redact("1 abcdefghijkl 2 abcdefghij-long 3") == "1 [secret] 2 [secret] 3"


@given(st.text(st.sampled_from("bcdfgh \\\n\"'[]{}%+=")), st.text(st.sampled_from("aeiou123"), min_size=8))
@settings(deadline=None)
def test_other_text_stays_as_it_is(text: str, secret: str) -> None:
    redaction._known.clear()
    known(Secret(secret))
    assert redact(text) == text


@given(st.text(), SECRETS)
@settings(deadline=None)
def test_any_text_can_be_redacted_and_twice_is_as_once(text: str, secret: str) -> None:
    redaction._known.clear()
    known(Secret(secret))
    shown = redact(text + secret)
    assert secret not in shown
    assert redact(shown) == shown


def test_json_stays_json_and_python_stays_python() -> None:
    known(Secret(SECRET + "\\\"'é"))
    document = {"token": SECRET + "\\\"'é", "other": ["a\\", "é"]}
    wanted = {"token": "[secret]", "other": ["a\\", "é"]}
    assert json.loads(redact(json.dumps(document))) == wanted
    assert json.loads(json.loads(redact(json.dumps(json.dumps(document))))) == wanted
    assert ast.literal_eval(redact(repr(document))) == wanted
    known(Secret('ends-with-a-"'))
    assert json.loads(redact(json.dumps(["x", 'ends-with-a-"']))) == ["x", "[secret]"]


def test_a_hostile_text_is_searched_to_its_end() -> None:
    """Long runs of what the patterns repeat: a search that goes back and forth would outlast the time of a test."""
    known(Secret("\\" * 12 + '"' + "\\" * 9 + "é/" + "%" * 9))
    known(Secret("é" * 9 + "\\" * 5))
    for run in ("\\", "%25", "&#0", "\\\\u00e9x", "%", '"'):
        assert redact(run * 60_000) == run * 60_000
    assert redact("é" * 9 + "\\" * 60_000).startswith("[secret]")
