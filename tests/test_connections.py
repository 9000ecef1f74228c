"""Connections: which URLs and references may stand there, and the file they stand in."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from scimops.connections import (
    Connection,
    add_connection,
    checked_url,
    connections_file,
    get_connection,
    load_connections,
    remove_connection,
)
from scimops.errors import ScimopsError, SettingError, UsageError
from scimops.tokens import make_token

SECRET = "hunter2-of-the-owner"
PLATFORM = {
    "name": "acme", "kind": "platform", "url": "https://api.example.com", "client_id": "scimops_client_x",
    "client_secret": "keyring:acme-client-secret",
}  # fmt: skip
SCIM = {"name": "acme-scim", "kind": "scim", "url": "https://scim.example.com/scim/v2", "token": "env:SCIMOPS_TOKEN"}

DOCUMENT = """\
# our connections
format: 1
connections:
  acme:  # the real one
    kind: platform
    url: https://API.example.com/
    client_id: scimops_client_x
    # asked of pass at each use
    client_secret: [pass, show, acme]
    company_id: abc123
    timeout: 5
  rehearsal:
    kind: scim
    url: http://localhost:8642/scim/v2
    token: file:rehearsal-token  # from scimops serve
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The configuration folder; not there yet."""
    monkeypatch.setenv("SCIMOPS_CONFIG", str(tmp_path / "config"))
    return tmp_path / "config"


def written(folder: Path, text: str = DOCUMENT, mode: int = 0o600) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "connections.yaml").write_text(text)
    (folder / "connections.yaml").chmod(mode)
    return folder / "connections.yaml"


# -- URLs -----------------------------------------------------------------------------------------

GOOD = {
    "https://api.example.com": "https://api.example.com",
    "https://API.Example.com/": "https://api.example.com",
    "HTTPS://api.example.com:8443/Base//": "https://api.example.com:8443/Base",
    "https://192.0.2.7/x": "https://192.0.2.7/x",
    "https://10.0.0.7": "https://10.0.0.7",
    "https://[2001:DB8::1]:99/": "https://[2001:db8::1]:99",
    "http://localhost:8642": "http://localhost:8642",
    "http://localhost.:1/": "http://localhost:1",
    "http://127.0.0.1": "http://127.0.0.1",
    "http://127.9.9.9:80/a": "http://127.9.9.9:80/a",
    "http://[::1]:8642/scim/v2/": "http://[::1]:8642/scim/v2",
    "http://[::ffff:127.0.0.1]": "http://[::ffff:127.0.0.1]",
}


@pytest.mark.parametrize("url", GOOD)
def test_a_url_that_may_be_talked_to(url: str) -> None:
    assert checked_url(url) == GOOD[url]
    assert checked_url(GOOD[url]) == GOOD[url]
    assert Connection(**(PLATFORM | {"url": url})).url == GOOD[url]


BAD = {
    "is no URL": [
        "", "api.example.com", "ftp://api.example.com", "https://", "https:///x", "//api.example.com", "https://a:99999",
        "https://a b", "https://api.example.com/\n", "\thttps://api.example.com", "https://api\\.example.com",
        "https://exämple.com", "https://１６９.254.169.254", "https://[::1", "file:///etc/passwd",
    ],
    "user or password": ["https://u:hunter2@api.example.com", "https://hunter2@api.example.com", "https://@a.example"],
    "goes on after its path": ["https://a.example?x=hunter2", "https://a.example/#hunter2", "https://a.example/?"],
    "link-local or metadata": [
        "https://169.254.169.254", "http://169.254.169.254/latest", "https://169.254.0.1:8443", "https://[fe80::1]",
        "https://[fe80::1%25eth0]", "https://[::ffff:169.254.1.1]", "https://[2002:a9fe:a9fe::1]", "https://0.0.0.0",
        "http://[::]", "https://metadata.google.internal", "https://Metadata.Google.Internal./", "https://224.0.0.1",
        "https://[fd00:ec2::254]", "https://100.100.100.200",
    ],
    "in an unusual form": [
        "https://2852039166", "https://0xa9fea9fe", "https://0xa9.0xfe.0xa9.0xfe", "https://169.254.43518", "http://127.1",
        "https://0251.0376.0251.0376", "https://1",
    ],
    "not private": [
        "http://api.example.com", "http://10.0.0.1", "http://127.0.0.1.example.com", "http://localhost.example.com",
        "http://192.168.1.7", "http://128.0.0.1", "http://[2001:db8::1]", "http://[::2]",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("words", "url"), [(words, url) for words, urls in BAD.items() for url in urls])
def test_a_url_that_may_not(words: str, url: str) -> None:
    with pytest.raises(ValueError, match=words) as found:
        checked_url(url)
    assert "hunter2" not in str(found.value)
    with pytest.raises(ValidationError) as refused:
        Connection(**(PLATFORM | {"url": url}))
    assert "hunter2" not in str(refused.value)


@given(st.text(), st.sampled_from(["", "https://", "http://", "https://api.example.com/"]))
def test_any_text_is_a_url_or_is_refused(text: str, before: str) -> None:
    with contextlib.suppress(ValueError):
        url = checked_url(before + text)
        assert checked_url(url) == url
        assert url.startswith(("https://", "http://localhost", "http://127.", "http://["))
        assert not set("@?#\\ \n") & set(url.partition("://")[2].partition("/")[0])


def test_a_proxy_is_mostly_plain_and_holds_no_password() -> None:
    assert Connection(**(PLATFORM | {"proxy": "http://Proxy.example:3128/"})).proxy == "http://proxy.example:3128"
    for proxy in ("http://u:hunter2@proxy.example", "socks5://proxy.example", "http://169.254.1.1", "proxy:3128"):
        with pytest.raises(ValidationError) as found:
            Connection(**(PLATFORM | {"proxy": proxy}))
        assert "hunter2" not in str(found.value)


# -- What a connection says -----------------------------------------------------------------------


def test_a_connection_of_each_kind() -> None:
    assert Connection(**PLATFORM).reference == "keyring:acme-client-secret"
    assert Connection(**SCIM).reference == "env:SCIMOPS_TOKEN"
    assert Connection(**SCIM).usual_references == ("keyring:acme-scim-token", "file:acme-scim-token")
    assert Connection(**(PLATFORM | {"reseller": True, "company_id": "abc"})).timeout == 30


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"client_secret": SECRET}, "client_secret"),
    ({"client_secret": ""}, "client_secret"),
    ({"client_secret": []}, "client_secret"),
    ({"client_secret": ["pass", 1]}, "client_secret"),
    ({"client_id": make_token().reveal()}, "holds a token"),
    ({"client_id": " "}, "blank"),
    ({"company_name": "a\nb"}, "control characters"),
    ({"reseller": True}, "company_id"),
    ({"reseller": "yes"}, "reseller"),
    ({"token": "env:SCIMOPS_X"}, "token"),
    ({"kind": "scim", "client_secret": "env:SCIMOPS_X"}, "only for kind: platform"),
    ({"kind": "other"}, "kind"),
    ({"timeout": 0}, "at most 600 seconds"),
    ({"timeout": -1.0}, "at most 600 seconds"),
    ({"timeout": float("nan")}, "at most 600 seconds"),
    ({"timeout": float("inf")}, "at most 600 seconds"),
    ({"timeout": "5"}, "timeout"),
    ({"ca_file": "ca.pem"}, "whole path"),
    ({"name": "a.b"}, "no name"),
    ({"name": "-x"}, "no name"),
    ({"name": ""}, "no name"),
    ({"password": SECRET}, "password"),
]


@pytest.mark.parametrize(("more", "words"), WRONG)
def test_what_does_not_fit_is_refused_and_no_value_is_repeated(more: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as found:
        Connection(**(PLATFORM | more))
    assert words in str(found.value)
    assert "hunter2" not in str(found.value)
    assert not any(str(value) in str(found.value) for value in more.values() if len(str(value)) > 40)


def test_what_is_needed() -> None:
    for said, key in ((PLATFORM, "client_id"), (PLATFORM, "client_secret"), (SCIM, "token"), (SCIM, "url")):
        with pytest.raises(ValidationError, match=key):
            Connection(**{name: value for name, value in said.items() if name != key})


# -- The file -------------------------------------------------------------------------------------


def test_there_is_no_file_yet(folder: Path) -> None:
    assert load_connections().names == []
    with pytest.raises(UsageError, match="There is none yet; make one with `scimops connection add"):
        get_connection("acme")
    assert not folder.exists()


def test_a_document_is_read(folder: Path) -> None:
    written(folder)
    acme, rehearsal = load_connections().connections.values()
    assert (acme.name, acme.url, acme.timeout, acme.company_id) == ("acme", "https://api.example.com", 5, "abc123")
    assert acme.reference == 'cmd:["pass", "show", "acme"]'
    assert (rehearsal.name, rehearsal.reference) == ("rehearsal", "file:rehearsal-token")


def test_the_nearest_name_is_named(folder: Path) -> None:
    written(folder)
    with pytest.raises(UsageError, match=r'There is no connection "acmee"\. Did you mean "acme"\?'):
        get_connection("acmee")
    with pytest.raises(UsageError, match="Known: acme, rehearsal"):
        remove_connection("xyz")


def test_the_file_is_for_its_owner_alone(folder: Path) -> None:
    old = os.umask(0)
    try:
        add_connection(Connection(**PLATFORM))
    finally:
        os.umask(old)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(connections_file().stat().st_mode) == 0o600
    assert [file.name for file in folder.iterdir()] == ["connections.yaml"]
    assert get_connection("acme") == Connection(**PLATFORM)
    assert "timeout" not in connections_file().read_text()


def test_comments_and_what_is_not_touched_stay(folder: Path) -> None:
    file = written(folder)
    add_connection(Connection(**SCIM))
    text = file.read_text()
    for comment in ("# our connections", "# the real one", "# asked of pass at each use", "# from scimops serve"):
        assert comment in text
    assert load_connections().names == ["acme", "rehearsal", "acme-scim"]
    remove_connection("rehearsal")
    remove_connection("acme-scim")
    kept = file.read_text()
    assert "rehearsal" not in kept
    assert kept.startswith("# our connections\nformat: 1\nconnections:\n  acme:  # the real one\n    kind: platform\n")
    assert "# asked of pass at each use" in kept
    remove_connection("acme")
    assert load_connections().names == []


def test_one_of_the_same_name_is_replaced_only_when_told(folder: Path) -> None:
    written(folder)
    other = Connection(**(PLATFORM | {"url": "https://other.example"}))
    with pytest.raises(UsageError, match='There is a connection "acme" already'):
        add_connection(other)
    assert get_connection("acme").url == "https://api.example.com"
    add_connection(other, replace=True)
    assert get_connection("acme") == other
    assert "# the real one" in connections_file().read_text()


@pytest.mark.parametrize(("which", "mode"), [("connections.yaml", 0o666), ("connections.yaml", 0o602), (".", 0o777)])
def test_a_file_that_everybody_may_change_is_not_believed(folder: Path, which: str, mode: int) -> None:
    written(folder)
    (folder / which).chmod(mode)
    with pytest.raises(SettingError, match="everybody may change it"):
        load_connections()


FAULTY = [
    ("[pass, show, acme]", SECRET, 'line 9: "connections.acme.client_secret" is no reference'),
    ("https://API.example.com/", "http://api.example.com", 'line 6: "connections.acme.url" is http to another'),
    ("client_id: ", "clientid: ", 'line 7: "connections.acme.clientid" is not known here. Did you mean "client_id"'),
    ("kind: platform", "kind: platfrom", 'line 5: "connections.acme.kind" is "platfrom". Allowed: platform'),
    ("kind: scim", "kind: platform", 'line 15: "connections.rehearsal.token" is only for kind: scim'),
    ("company_id: abc123", "reseller: true", 'line 4: "connections.acme.company_id" is missing'),
    ("timeout: 5", "timeout: 5\n    timeout: 6", "line 12: a key stands there twice"),
    ("  rehearsal:", "  a.b:", "is no name of a connection"),
    ("kind: scim", "kind: scim\n    name: other", '"connections.rehearsal.name" is not the name it stands under'),
    ("format: 1", "format: 2", 'line 2: "format" is'),
    ("file:rehearsal-token", "dir:../../etc/passwd", "A dir: reference is not written as it must be"),
    ("file:rehearsal-token", "env:AWS_SECRET_ACCESS_KEY", "does not name a variable that begins with SCIMOPS_"),
]  # fmt: skip


@pytest.mark.parametrize(("good", "bad", "words"), FAULTY)
def test_a_fault_is_told_with_its_line_and_without_the_secret(folder: Path, good: str, bad: str, words: str) -> None:
    written(folder, DOCUMENT.replace(good, bad, 1))
    with pytest.raises(ScimopsError) as found:
        load_connections()
    assert words in str(found.value)
    assert "hunter2" not in str(found.value)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SCIMOPS_CONFIG", str(tmp_path / "file" / "below"))
    with pytest.raises(SettingError, match="it cannot be written: not a directory"):
        add_connection(Connection(**PLATFORM))


def test_without_the_variable_the_system_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCIMOPS_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert connections_file().is_relative_to(tmp_path)
    assert connections_file().parent.name == "scimops"
