"""The units: systemd's own checker takes them, its calendar understands the time, and its words are ours."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from scheduling import HOSTILE, Scheduled

WORDS = ("--as", "systemd", "--every", "day", "--at", "02:30", "-p", "who", HOSTILE, "--timeout", "600")
SYSTEMD = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd here: apt-get install systemd")


def units(folder: Path) -> dict[str, Path]:
    return {path.suffix: path for path in folder.iterdir() if path.suffix in (".service", ".timer")}


def checked(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, timeout=60, check=False)


@SYSTEMD
def test_systemd_takes_the_units_and_secrets_too(schedule: Scheduled, tmp_path: Path) -> None:
    schedule(*WORDS, "--time-zone", "Europe/Berlin")
    found = units(tmp_path / "night 50% é")
    done = checked("verify", *found.values())
    assert (done.returncode, done.stderr) == (0, "")
    # as a person makes them from what is explained there
    text = re.sub(r"^#(LoadCredential|Environment)", r"\1", found[".service"].read_text(), flags=re.MULTILINE)
    found[".service"].write_text(text)
    done = checked("verify", *found.values())
    assert (done.returncode, done.stderr) == (0, "")
    found[".service"].write_text(text.replace("Type=oneshot", "Type=onceshot"))
    assert "onceshot" in checked("verify", found[".service"]).stderr  # the checker does see what is wrong


@SYSTEMD
def test_systemd_understands_when_and_finds_the_service_shut_in(schedule: Scheduled, tmp_path: Path) -> None:
    schedule(*WORDS, "--on", "mon,thu", "--time-zone", "Europe/Berlin")
    found = units(tmp_path / "night 50% é")
    (when,) = re.findall("OnCalendar=(.*)", found[".timer"].read_text())
    done = checked("calendar", "--base-time=2026-12-01 00:00:00 UTC", when)
    assert "Normalized form: Mon,Thu *-*-* 02:30:00 Europe/Berlin" in done.stdout
    assert "Thu 2026-12-03 01:30:00 UTC" in done.stdout
    done = checked("security", "--offline=true", "--threshold=40", found[".service"])
    assert done.returncode == 0, done.stdout[-300:]


def test_the_words_are_quoted_as_systemd_reads_them(schedule: Scheduled, tmp_path: Path) -> None:
    folder = tmp_path / "night 50% é"
    schedule(*WORDS)
    unit = configparser.RawConfigParser(strict=False, comment_prefixes=("#",))
    unit.read(units(folder)[".service"], encoding="utf-8")
    command = unit["Service"]["ExecStart"]
    assert command.startswith(':"/')  # no $ is a variable
    words = re.findall(r'"([^"]*)"', command)
    assert words[1:2] + words[3:4] == ["run", "-f"]
    assert words[4] == str(folder / "parameters.yaml").replace("%", "%%")
    assert words[-2:] == ["--timeout", "600"]
    assert (unit["Service"]["TimeoutStartSec"], unit["Service"]["UMask"]) == ("720", "0077")
    assert f'"{folder / "report"}"'.replace("%", "%%") in unit["Service"]["ReadWritePaths"]
    assert HOSTILE not in units(folder)[".service"].read_text()
    timer = units(folder)[".timer"].read_text()
    assert "Persistent=true" in timer
    assert "OnCalendar=*-*-* 02:30:00\n" in timer
