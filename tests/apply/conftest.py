"""Service providers of both kinds: the embedded platform places people itself, scim2-server's own places nobody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from applying import SETTING, Company, Run, connected_to
from managing import Platform as Embedded
from proxying import TOKEN_NAME, Proxy, running_peer, running_proxy
from typer.testing import CliRunner, Result

from scimops.cli import app
from scimops.errors import ScimopsError
from scimops.service_provider.directory import create_setting

GUARDED = """\
name: Acme
group_settings: {target_group: Everyone, criterion: {field: department}}
safeguards: {deactivate: {number: 1}}
"""


@pytest.fixture
def token(embedded: Embedded, company: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The token of a setting that groups by department, also in the environment."""
    with embedded.database.write() as connection:
        made = create_setting(connection, company, SETTING).token.reveal()
    monkeypatch.setenv(TOKEN_NAME, made)
    return made


@pytest.fixture
def url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A SCIM endpoint; `client` places nobody."""
    if getattr(request, "param", "server") == "server":
        request.getfixturevalue("token")
        yield f"{request.getfixturevalue('embedded').url}/scim/v2"
        return
    monkeypatch.setenv(TOKEN_NAME, "any-token-is-good-there")
    with running_peer() as peer:
        yield peer


@pytest.fixture
def acme(url: str, tmp_path: Path) -> Iterator[Company]:
    with connected_to(url) as service_provider:
        yield Company(service_provider, tmp_path)


@pytest.fixture
def run(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`scimops WORDS` in a folder with a setting and a connection; its token is searched for in what it says."""
    folder = tmp_path / "config"
    folder.mkdir(mode=0o700)
    folder.joinpath("connections.yaml").write_text(
        f"format: 1\nconnections:\n  acme:\n    kind: scim\n    url: {url}\n    token: env:{TOKEN_NAME}\n"
    )
    monkeypatch.setenv("SCIMOPS_CONFIG", str(folder))
    monkeypatch.setenv("SCIMOPS_LEDGER", str(tmp_path / "runs.ndjson"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "setting.yaml").write_text(GUARDED)

    def scimops(*words: str, code: int = 0) -> Result:
        result = CliRunner().invoke(app, list(words), env={"COLUMNS": "200"})
        found = result.exception.exit_code if isinstance(result.exception, ScimopsError) else result.exit_code
        assert found == code, (result.output, result.exception)
        return result

    return scimops


@pytest.fixture
def proxy(url: str) -> Iterator[Proxy]:
    """A faulty proxy in front of it."""
    with running_proxy(url.removesuffix("/scim/v2").removesuffix("/v2")) as running:
        yield running
