"""`scimops connection` as a person runs it: real processes, a real terminal, a real server; hunts for the secrets."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keyring
import pytest
from ends import TOKEN, End, answer, good, running_end
from keyring.backends import fail
from memory_keyring import Memory, used

from scimops.cli import main
from scimops.connections import load_connections

SECRET = "hunter2-of-the-owner"
SETTING = Path(__file__).parents[2] / "sample_data" / "setting.yaml"
COMMAND = [sys.executable, "-m", "scimops", "connection"]


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The configuration folder; no keyring of this computer is touched."""
    monkeypatch.setenv("SCIMOPS_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("SCIMOPS_CREDENTIALS_DIR", raising=False)
    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())
    yield tmp_path / "config"
    keyring.set_keyring(before)


@dataclass(frozen=True)
class Done:
    """What a command said, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


def process(*words: object, code: int = 0) -> Done:
    """A command in a process of its own, without a terminal."""
    done = subprocess.run(
        [*COMMAND, *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )
    return looked_at(Done(done.returncode, done.stdout, done.stderr), code)


def connection(*words: object, code: int = 0) -> Done:
    """A command in this process, which takes a tenth of the time."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["scimops", "connection", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
    texts = []
    for stream in (out, err):
        stream.flush()
        texts.append(stream.detach().getvalue().decode())  # type: ignore[attr-defined]
    return looked_at(Done(int(end.value.code or 0), *texts), code)


def looked_at(done: Done, code: int) -> Done:
    """No secret may be in what it says, and no traceback."""
    assert done.returncode == code, done.stdout + done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "fault of scimops" not in done.stderr
    return done


def on_terminal(*words: object, answers: list[str]) -> tuple[int, str]:
    """A command on a terminal of its own, which answers each question; exit code and all that was to be seen."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [*COMMAND, *map(str, words)])
    seen, waiting = "", list(answers)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        ready, _, _ = select.select([terminal], [], [], 0.5)
        if ready:
            try:
                part = os.read(terminal, 4096)
            except OSError:
                break
            if not part:
                break
            seen += part.decode()
        elif waiting and seen.rstrip().endswith(":"):
            os.write(terminal, waiting.pop(0).encode() + b"\n")
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), seen


def hunt(folder: Path, secret: str) -> list[str]:
    """The files below `folder` that hold a secret."""
    return sorted(
        str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file() and secret in file.read_text()
    )


@contextlib.contextmanager
def served(folder: Path) -> Iterator[dict[str, str]]:
    """`scimops serve` with its credentials file; gives what is in it, and the URL of the platform."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "scimops", "serve", "--setting", str(SETTING), "--port", str(port),
               "--credentials-file", "credentials.json"]  # fmt: skip
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            for _ in range(300):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                time.sleep(0.1)
            yield json.loads((folder / "credentials.json").read_text()) | {"platform": f"http://127.0.0.1:{port}"}
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(20)


# -- From serve to a tested connection ------------------------------------------------------------


def test_from_the_file_of_serve_to_a_tested_connection(tmp_path: Path, config: Path) -> None:
    with served(tmp_path) as made:
        done = process("add", "acme", "--from-file", tmp_path / "credentials.json")
        assert "delete it" in done.stderr
        shown = [done]
        shown.append(process("list"))
        assert "file:acme-client-secret" in shown[-1].stdout
        assert "file:acme-scim-token" in shown[-1].stdout
        shown.append(process("list", "--json"))
        rows = json.loads(shown[-1].stdout)["connections"]
        assert [(row["name"], row["kind"], row["url"]) for row in rows] == [
            ("acme", "platform", made["platform"]), ("acme-scim", "scim", f"{made['platform']}/scim/v2"),
        ]  # fmt: skip
        shown.append(process("test", "acme"))
        assert "embedded platform" in shown[-1].stdout
        assert "This company" in shown[-1].stdout
        assert "The connection names no company" in shown[-1].stderr
        shown.append(process("test", "acme", "--pin", "--json"))
        found = json.loads(shown[-1].stdout)
        assert found["company"]["name"] == "This company"
        assert set(found["rights"].values()) == {"yes"}
        assert load_connections().connections["acme"].company_id == found["company"]["id"]
        shown.append(process("test", "acme"))
        assert shown[-1].stderr == ""
        shown.append(process("test", "acme-scim", "--json"))
        found = json.loads(shown[-1].stdout)
        assert (found["people"], found["features"]["patch"], found["company"]) == (0, "yes", None)
        file = config / "connections.yaml"
        file.write_text(file.read_text().replace("This company", "Another company"))
        shown.append(process("test", "acme", code=2))
        assert 'acts for "This company"' in shown[-1].stderr
        for secret, name in ((made["client_secret"], "acme-client-secret"), (made["token"], "acme-scim-token")):
            assert not any(secret in done.stdout + done.stderr for done in shown)
            assert hunt(config, secret) == [f"credentials/{name}"]
        done = process("remove", "acme-scim", "--forget-secret")
        assert hunt(config, made["token"]) == []
        done = process("remove", "acme")
        assert "stays at file:acme-client-secret" in done.stderr
        assert load_connections().names == []


def test_a_file_of_credentials_without_a_setting_needs_a_url(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    file.write_text(json.dumps({"client_id": "c", "client_secret": SECRET}))
    assert "everybody may read" in connection("add", "acme", "--from-file", file, code=1).stderr
    file.chmod(0o600)
    assert "Say --url" in connection("add", "acme", "--from-file", file, code=2).stderr
    connection("add", "acme", "--from-file", file, "--url", "http://localhost:1")
    assert load_connections().names == ["acme"]
    for bad in (
        "[]",
        "{",
        '{"client_id": "c"}',
        json.dumps({"token": SECRET}),
        json.dumps({"client_secret": [SECRET]}),
    ):
        file.write_text(bad)
        assert "no file of credentials" in connection("add", "other", "--from-file", file, code=2).stderr


# -- On a terminal --------------------------------------------------------------------------------


def test_a_terminal_is_asked_and_the_secret_is_not_shown(config: Path) -> None:
    code, seen = on_terminal("add", "acme", answers=["client-1", "https://api.example.com/", SECRET])
    assert code == 0, seen
    assert "Client id:" in seen
    assert "Client secret (not shown):" in seen
    assert "hunter2" not in seen
    assert hunt(config, SECRET) == ["credentials/acme-client-secret"]
    assert load_connections().connections["acme"].url == "https://api.example.com"
    code, seen = on_terminal("add", "acme", "--replace", "--url", "https://b.example", "--client-id", "client-1",
                             answers=["another-secret"])  # fmt: skip
    assert code == 0, seen
    assert hunt(config, SECRET) == []
    assert hunt(config, "another-secret") == ["credentials/acme-client-secret"]


def test_nobody_types_a_secret_for_a_wrong_url_or_a_name_that_is_taken(config: Path) -> None:
    code, seen = on_terminal("add", "acme", "--client-id", "c", answers=["http://api.example.com"])
    assert code == 2
    assert "write https" in seen
    assert "secret" not in seen.lower()
    connection("add", "acme", "--url", "https://a.example", "--client-id", "c", "--secret-ref", "env:SCIMOPS_X")
    code, seen = on_terminal("add", "acme", "--url", "https://a.example", "--client-id", "c", answers=[])
    assert code == 2
    assert "already" in seen


def test_removing_asks_about_the_secret(config: Path) -> None:
    on_terminal("add", "a", "--kind", "scim", "--url", "https://a.example", answers=[SECRET])
    assert hunt(config, SECRET) == ["credentials/a-token"]
    code, seen = on_terminal("remove", "a", answers=["y"])
    assert code == 0
    assert "Delete its secret file:a-token too?" in seen
    assert hunt(config, SECRET) == []


# -- A secret where it does not belong ------------------------------------------------------------

OPTIONS = ["--url", "https://a.example", "--client-id", "c"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["acme", SECRET], "A secret is never an argument"),
        (["acme", *OPTIONS, SECRET, "x"], "A secret is never an argument"),
        (["acme", *OPTIONS, "--secret", SECRET], "No such option: --secret"),
        (["acme", *OPTIONS, f"--client-secret={SECRET}"], "No such option: --client-secret"),
        (["acme", *OPTIONS, "--token", SECRET], "No such option: --token"),
        (["acme", *OPTIONS, "--secret-ref", SECRET], "is no reference"),
        (["acme", *OPTIONS, "--secret-ref", f"secret:{SECRET}"], "is no reference"),
        (["acme", "--client-id", "c", "--url", f"https://u:{SECRET}@a.example"], "user or password"),
        (["acme", *OPTIONS], "nobody is there to be asked"),
        (["acme", "--client-id", "c"], "Say --url"),
        (["acme", "--url", "https://a.example"], "Say --client-id"),
        (["acme", *OPTIONS, "--kind", "platfrom", "--secret-ref", "env:SCIMOPS_X"], 'Did you mean "platform"?'),
        (["acme", *OPTIONS, "--reseller", "--secret-ref", "env:SCIMOPS_X"], "company_id"),
        (["acme", *OPTIONS, "--secret-ref", "env:SCIMOPS_X", "--store", "file"], "Leave out --store"),
        (["acme", *OPTIONS, "--secret-ref", "env:HOME"], "begins with SCIMOPS_"),
        (["a.b", *OPTIONS, "--secret-ref", "env:SCIMOPS_X"], "no name of a connection"),
    ],
)
def test_what_add_refuses(config: Path, words: list[str], said: str) -> None:
    assert said in connection("add", *words, code=2).stderr
    assert not config.exists()


def test_a_reference_is_all_that_is_kept(config: Path) -> None:
    connection("add", "acme", *OPTIONS, "--secret-ref", f'cmd:["echo", "{SECRET}"]', "--company-id", "abc")
    done = connection("list")
    assert 'cmd:["echo", …]' in done.stdout
    done = connection("remove", "acme")
    assert "secret" not in done.stderr


def test_an_empty_list_says_how_to_begin() -> None:
    assert "scimops connection add" in connection("list").stderr
    assert json.loads(connection("list", "--json").stdout) == {"format": 1, "connections": []}


# -- The keyring ----------------------------------------------------------------------------------


@pytest.fixture
def memory(config: Path) -> Iterator[Memory]:
    with used() as backend:
        yield backend


def test_a_keyring_that_works_is_taken(tmp_path: Path, config: Path, memory: Memory) -> None:
    file = tmp_path / "credentials.json"
    file.write_text(json.dumps({"url": "http://localhost:1/scim/v2", "token": SECRET, "setting": "x"}))
    file.chmod(0o600)
    connection("add", "acme", "--from-file", file)
    assert memory.entries == {("scimops", "acme-scim-token"): SECRET}
    assert hunt(config, SECRET) == []
    assert load_connections().connections["acme-scim"].token == "keyring:acme-scim-token"
    connection("add", "acme", "--from-file", file, code=2)
    done = connection("add", "acme", "--from-file", file, "--replace", "--store", "file")
    assert "The earlier secret is still at keyring:acme-scim-token" in done.stderr
    connection("add", "acme", "--from-file", file, "--replace", "--store", "keyring")
    connection("remove", "acme-scim", "--forget-secret")
    assert memory.entries == {}


def test_no_connection_is_left_where_its_secret_cannot_be_kept(tmp_path: Path, config: Path) -> None:
    file = tmp_path / "credentials.json"
    file.write_text(json.dumps({"url": "http://localhost:1/scim/v2", "token": SECRET}))
    file.chmod(0o600)
    done = connection("add", "acme", "--from-file", file, "--store", "keyring", code=1)
    assert "has none that works" in done.stderr
    assert not config.exists()
    done = connection("add", "acme", "--from-file", file, "--store", "vault", code=2)
    assert "neither keyring nor file" in done.stderr


# -- What can be at the other end -----------------------------------------------------------------


@pytest.fixture
def end(monkeypatch: pytest.MonkeyPatch) -> Iterator[End]:
    monkeypatch.setenv("SCIMOPS_SECRET", SECRET)
    with running_end() as running:
        yield running


def scim(end: End, *replies: Any) -> Done:
    """Test a SCIM connection to an end that answers so."""
    for path, reply in zip(("/scim/ServiceProviderConfig", "/scim/Users"), replies, strict=False):
        end.on(path, reply)
    connection("add", "x", "--kind", "scim", "--url", f"{end.url}/scim", "--secret-ref", "env:SCIMOPS_SECRET")
    return connection("test", "x", code=1 if len(replies) < 3 else replies[2])


CONFIG = answer({"patch": {"supported": True}}, kind="application/scim+json")
NOT_SCIM = [
    ((answer({"detail": "no"}, 401),), "does not take the token"),
    ((answer({"detail": "no"}, 403),), "no right to /ServiceProviderConfig"),
    ((answer(b"<h1>Hello</h1>", kind="text/html"),), "a web page came"),
    ((answer([1]),), "the answer is no object"),
    ((answer({}, 500),), "failed (500)"),
    ((None,), "The connection was cut"),
    ((CONFIG, answer({"detail": SECRET}, 401)), "does not take the token"),
    ((CONFIG, answer({"Resources": []})), "no totalResults"),
    ((answer({}, 404), None, 2), "no SCIM endpoint"),
    ((answer(b"", 302, Location="https://evil.example/x"), None, 2), "sends us to https://evil.example/x"),
]


@pytest.mark.parametrize(("replies", "words"), NOT_SCIM)
def test_a_fault_of_a_scim_endpoint_is_one_sentence(end: End, replies: tuple[Any, ...], words: str) -> None:
    done = scim(end, *replies)
    assert words in done.stderr
    assert 'connection "x"' in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_a_scim_endpoint_is_asked_with_the_token(end: End) -> None:
    done = scim(end, CONFIG, answer({"totalResults": 1234}, kind="application/scim+json"), 0)
    assert "1,234" in done.stdout
    assert [one.path for one in end.asked] == ["/scim/ServiceProviderConfig", "/scim/Users?count=1"]
    assert {one.headers["authorization"] for one in end.asked} == {f"Bearer {SECRET}"}


def test_what_the_credential_may_not_do_is_told(end: End) -> None:
    refused = answer({"status": "ERROR", "message": "no right"}, 403)
    for path in ("/api/scim/search", "/api/target-groups/search", "/api/target-users/search", "/api/enrollments/search",
                 "/api/jobs", "/api/audit-logs/search", "/api/companies/search"):  # fmt: skip
        end.on(path, refused)
    end.on("/api/custom-fields", good([]))
    connection("add", "x", "--url", end.url, "--client-id", "c", "--secret-ref", "env:SCIMOPS_SECRET")
    done = connection("test", "x", "--json")
    assert set(json.loads(done.stdout)["rights"].values()) == {"no"}
    end.on("/api/jobs", answer({"status": "ERROR"}, 500))
    done = connection("test", "x", "--json", code=1)
    assert json.loads(done.stdout)["rights"]["read jobs"] == "not known"
    assert "failed (500)" in done.stderr
    assert TOKEN not in done.stdout + done.stderr


def test_a_secret_that_is_not_there_is_one_sentence(end: End, monkeypatch: pytest.MonkeyPatch) -> None:
    connection("add", "x", "--url", end.url, "--client-id", "c", "--secret-ref", "env:SCIMOPS_SECRET")
    monkeypatch.delenv("SCIMOPS_SECRET")
    done = connection("test", "x", code=1)
    assert "SCIMOPS_SECRET is not set" in done.stderr
    assert end.asked == []
    assert 'Did you mean "x"' not in connection("test", "nobody", code=2).stderr
