"""The crontab's line: a real cron takes it, and what a shell makes of its command reaches the notebook exactly."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from scheduling import HOSTILE, Scheduled, given

WORDS = ("--as", "cron", "--every", "day", "--at", "02:30", "-p", "who", HOSTILE, "-p", "limit", "7")


def line_of(folder: Path) -> str:
    (path,) = folder.glob("*.cron")
    comment, line = path.read_text(encoding="utf-8").splitlines()
    assert comment.startswith("# ")
    return line


def test_a_shell_gives_the_notebook_its_parameters(
    schedule: Scheduled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With nothing of this environment, in another folder, as cron starts it; `%` as a cron that keeps the backslash
    hands it on, and as one that takes it away."""
    ledger = tmp_path / "led ger's" / "runs.ndjson"
    monkeypatch.setenv("SCIMOPS_LEDGER", str(ledger))
    folder = tmp_path / "night 50% é"
    done = schedule(*WORDS)
    assert done.stdout == f"{folder / 'night-50-e.cron'}\n"
    line = line_of(folder)
    assert line.startswith("30 2 * * * ")
    command = line.split(" ", 5)[5]
    assert not re.search(r"(?<!\\)%", command)
    assert not (tmp_path / "pwned").exists()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    env = {"HOME": str(elsewhere), "PATH": "/usr/bin:/bin", "LOGNAME": "nobody", "SHELL": "/bin/sh"}
    ran = subprocess.run(
        ["/bin/sh", "-c", command], cwd=elsewhere, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr
    assert ran.stderr.startswith("Nothing in this ledger is signed")  # said once, at the first run
    assert ran.stderr.count("\n") == 1
    assert given(folder) == [HOSTILE, 7]
    assert [path.name for path in elsewhere.rglob("pwned")] == []
    assert ledger.is_file()
    assert shlex.split(command) == shlex.split(command.replace(r"\%", "%"))


@pytest.mark.skipif(not shutil.which("crontab"), reason="no cron here: apt-get install cron")
def test_a_real_cron_takes_the_line(schedule: Scheduled, tmp_path: Path) -> None:
    schedule(*WORDS)
    (path,) = (tmp_path / "night 50% é").glob("*.cron")
    for option in ("-n", "-T"):  # Debian's cron, cronie: only look
        done = subprocess.run(["crontab", option, path], capture_output=True, text=True, timeout=30, check=False)
        if "invalid option" not in done.stderr:
            break
    else:
        pytest.skip("this crontab cannot only look at a file")
    assert done.returncode == 0, done.stderr
    bad = tmp_path / "bad.cron"
    bad.write_text(path.read_text().replace("30 2 * * *", "30 25 * * *"))
    assert subprocess.run(["crontab", option, bad], capture_output=True, timeout=30, check=False).returncode != 0


def test_what_cron_cannot_do_is_said(schedule: Scheduled, tmp_path: Path) -> None:
    words = ("--as", "cron", "--every", "day")
    assert "own time zone" in schedule(*words, "--time-zone", "Europe/Berlin", code=2).stderr
    assert r"cannot be given a path with '\\'" in schedule(*words, out=tmp_path / "a\\b", code=2).stderr
    assert r"a path with '\n'" in schedule(*words, out=tmp_path / "a\nb", code=2).stderr
    assert "cron has no env:SCIMOPS_X" in schedule(*words, "-p", "who", "env:SCIMOPS_X").stderr


def test_parameters_are_checked_before_anything_is_written(schedule: Scheduled, tmp_path: Path) -> None:
    words = ("--as", "cron", "--every", "day")
    assert "must be a whole number" in schedule(*words, "-p", "limit", "many", code=2).stderr
    assert 'Did you mean "limit"?' in schedule(*words, "-p", "limt", "3", code=2).stderr
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x"
    refused = schedule(*words, "-p", "who", token, code=2).stderr
    assert "holds a secret" in refused
    assert token not in refused
    assert 'Did you mean "cron"?' in schedule("--as", "crom", "--every", "day", code=2).stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["02_night.ipynb"]


def test_what_is_written_is_for_its_owner(schedule: Scheduled, tmp_path: Path) -> None:
    said = schedule(*WORDS).stderr
    folder = tmp_path / "night 50% é"
    assert folder.stat().st_mode & 0o077 == 0
    for words in ("Nothing is installed", "Install:", "See it run:", "Remove:", "Catch-up:", "Time zone:"):
        assert words in said
    assert "scimops runs overdue --every 25h --notebook 02_night --exit-code" in said
    text = (folder / "parameters.yaml").read_text(encoding="utf-8")
    assert json.loads(text.splitlines()[0].removeprefix("who: ")) == HOSTILE
