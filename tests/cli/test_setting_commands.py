"""`scimops setting` as a person types it: a real server, a real terminal, and a hunt for the token."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from managing import Platform as Embedded

from scimops.jobs.verify import verify
from scimops.tokens import TOKENS

EXPORT = "userPrincipalName,mail,department,objectId\nanna@example.com,anna@example.com,Sales,1\n"


class Desk:
    """A folder, a connection to the embedded platform, and `scimops` run in it."""

    def __init__(self, folder: Path, url: str, client_id: str, secret: str) -> None:
        self.folder = folder
        config = folder / "config"
        (config / "credentials").mkdir(parents=True, mode=0o700)
        config.chmod(0o700)
        file = config / "connections.yaml"
        file.write_text(
            "format: 1\nconnections:\n  rehearsal:\n    kind: platform\n"
            f"    url: {url}\n    client_id: {client_id}\n    client_secret: env:SCIMOPS_ADMIN\n"
        )
        file.chmod(0o600)
        (folder / "users.csv").write_text(EXPORT)
        places = {"SCIMOPS_CONFIG": str(config), "SCIMOPS_CREDENTIALS_DIR": str(config / "credentials")}
        places["SCIMOPS_LEDGER"] = str(folder / "runs.ndjson")
        self.environment = os.environ | places | {"SCIMOPS_ADMIN": secret, "COLUMNS": "200"}

    def run(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "scimops", "setting", *words]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, input=stdin, capture_output=True, text=True, check=False
        )

    @property
    def ledger(self) -> Path:
        return self.folder / "runs.ndjson"

    def records(self) -> list[dict]:
        """What the ledger holds, the oldest first."""
        return [json.loads(line)["record"] for line in self.ledger.read_text().splitlines()]

    def good(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def on_a_terminal(self, *words: str, answer: str) -> str:
        """What a person sees who types `answer` when asked."""
        main, side = pty.openpty()
        command = [sys.executable, "-m", "scimops", "setting", *words]
        process = subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stdin=side, stdout=side, stderr=side, close_fds=True
        )
        os.close(side)
        os.write(main, answer.encode())
        seen = b""
        while True:
            try:
                part = os.read(main, 4096)
            except OSError:  # the other side is closed
                break
            if not part:
                break
            seen += part
        os.close(main)
        assert process.wait(30) == 0, seen.decode()
        return seen.decode()


@pytest.fixture
def desk(tmp_path: Path, embedded: Embedded, company: str) -> Desk:
    made = embedded.credential(company)
    folder = tmp_path / "desk"
    folder.mkdir()
    return Desk(folder, embedded.url, made.client_id, made.secret.reveal())


def test_from_the_document_to_the_token_on_the_screen(desk: Desk, embedded: Embedded) -> None:
    desk.good("new", "Staff", "--out", "staff.yaml")
    looked = desk.good("create", "staff.yaml", "--connection", "rehearsal", "--export", "users.csv", "--dry-run")
    assert "cannot be changed after the setting is created" in looked
    assert "1  will arrive" in looked
    desk.ledger.unlink()  # so that this is the first run, at which a key is offered
    seen = desk.on_a_terminal("create", "staff.yaml", "--connection", "rehearsal", answer="y\ny\n")
    (token,) = TOKENS.findall(seen)
    assert "shown this once" in seen
    assert embedded.scim(token, "GET", "/Users").status_code == 200
    again = desk.good("create", "staff.yaml", "--connection", "rehearsal", "--token-to", "file:staff")
    assert "was created on" in again
    assert [path for path in desk.folder.rglob("*") if path.is_file() and token in path.read_text()] == []
    listed = json.loads(desk.good("list", "--connection", "rehearsal", "--json"))
    assert [row["name"] for row in listed["settings"]] == ["Staff"]
    records = desk.records()
    assert [(record["command"], record["exit_code"]) for record in records] == [("setting create", 0)] * 2
    assert [Path(file["name"]).name for file in records[0]["inputs"]] == ["connections.yaml", "staff.yaml"]
    assert [Path(file["name"]).name for file in records[0]["outputs"]] == ["staff.record.json"]
    assert (verify(desk.ledger).good, verify(desk.ledger).signed) == (True, 2)


def test_a_token_goes_into_no_pipe(desk: Desk) -> None:
    desk.good("new", "Staff")
    refused = desk.run("create", "setting.yaml", "--connection", "rehearsal", "--yes")
    assert refused.returncode == 2
    assert "--token-to" in refused.stderr
    assert json.loads(desk.good("list", "--connection", "rehearsal", "--json"))["settings"] == []


def test_nobody_to_ask_is_no_yes(desk: Desk) -> None:
    desk.good("new", "Staff")
    refused = desk.run("create", "setting.yaml", "--connection", "rehearsal", "--token-to", "file:staff", stdin="y\n")
    assert (refused.returncode, "Say --yes" in refused.stderr) == (2, True)


def test_stored_renewed_renamed_deleted(desk: Desk, embedded: Embedded) -> None:
    desk.good("new", "Staff")
    where = ("--connection", "rehearsal", "--yes")
    desk.good("create", "setting.yaml", *where, "--token-to", "file:staff")
    kept = desk.folder / "config" / "credentials" / "staff"
    token = kept.read_text().strip()
    assert embedded.scim(token, "GET", "/Users").status_code == 200
    desk.good("rename", "setting.yaml", "Personal", "--connection", "rehearsal")
    assert "name: Personal" in (desk.folder / "setting.yaml").read_text()
    assert "matches" in desk.good("check", "setting.yaml", "--connection", "rehearsal", "--exit-code")
    desk.good("revoke", "setting.yaml", *where, "--token-to", "file:staff-2")
    embedded.authenticator.forget()
    assert embedded.scim(token, "GET", "/Users").status_code == 401
    desk.good("delete", "setting.yaml", *where)
    gone = desk.run("check", "setting.yaml", "--connection", "rehearsal", "--exit-code")
    assert gone.returncode == 3
    assert "not created" in gone.stdout
    ran = [(record["command"].removeprefix("setting "), record["exit_code"]) for record in desk.records()]
    assert ran == [("create", 0), ("rename", 0), ("check", 0), ("revoke", 0), ("delete", 0), ("check", 3)]
    assert {record["outcome"] for record in desk.records()} == {"completed"}
    assert token not in desk.ledger.read_text()
    assert (kept.parent / "staff-2").read_text().strip() not in desk.ledger.read_text()


def test_each_fault_is_one_sentence_that_helps(desk: Desk) -> None:
    desk.good("new", "Staff")
    unknown = desk.run("list", "--connection", "rehersal")
    assert (unknown.returncode, 'Did you mean "rehearsal"?' in unknown.stderr) == (2, True)
    too_long = desk.run("new", "N" * 31, "--out", "long.yaml")
    assert too_long.returncode == 2
    assert "30" in too_long.stderr
    wrong = desk.environment | {"SCIMOPS_ADMIN": "not-the-secret"}
    desk.environment = wrong
    refused = desk.run("list", "--connection", "rehearsal")
    assert refused.returncode == 1
    assert "does not take the client id and secret" in refused.stderr
    for done in (unknown, too_long, refused):
        assert "Traceback" not in done.stderr
        assert "not-the-secret" not in done.stdout + done.stderr
