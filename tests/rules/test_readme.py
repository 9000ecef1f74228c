"""The README says what there is: every command, every step, and nothing of the machine it was written on."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import typer.main

from scimops.cli import app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(typer.main.get_command(app).commands)
STEPS = {
    "start_here": ["demo", "lab", "samples", "schema"],
    "create_setting": ["guide", "connection", "setting"],
    "preview_groups": ["read", "preview", "compare"],
    "plan_and_apply": ["plan", "approve", "apply", "undo"],
    "audit_provisioning": ["audit", "explain"],
    "review_runs": ["run", "runs", "companies", "notify", "schedule"],
    "serve": ["serve"],
}


def section(step: str) -> str:
    found = re.search(rf"^### {step}\n(.*?)(?=^#{{1,3}} )", README, re.MULTILINE | re.DOTALL)
    assert found, f"the README has no heading for the step {step}"
    return found[1]


def test_every_command_belongs_to_one_step():
    assert sorted(name for commands in STEPS.values() for name in commands) == COMMANDS


@pytest.mark.parametrize("step", STEPS)
def test_a_steps_heading_names_its_commands(step):
    for command in STEPS[step]:
        assert f"scimops {command}" in section(step)


def test_the_commands_of_serve_are_named():
    text = section("serve")
    assert "scimops serve backup" in text
    for command in typer.main.get_command(app).commands["serve"].commands:
        assert re.search(rf"(serve|,) {command}\b", text), command


@pytest.mark.parametrize("step", STEPS)
def test_a_steps_name_is_the_same_everywhere(step):
    assert (ROOT / "scimops" / "cli" / f"{step}.py").is_file()
    for notebook in (ROOT / "notebooks").glob(f"??_{step}.ipynb"):
        if (ROOT / "scimops" / "widgets" / f"{step}.py").exists():
            assert (ROOT / "tests" / "journeys" / f"test_{step}.py").is_file(), notebook.name


def test_the_doors_come_first_and_have_five_lines_each():
    doors = re.findall(r"^## (I .*)\n\n((?:\d\. .*\n)+)", README, re.MULTILINE)
    assert [name for name, _ in doors] == ["I connect our IdP", "I must show an auditor", "I run it at night"]
    assert all(len(lines.splitlines()) == 5 for _, lines in doors)


def test_nothing_of_a_machine_is_named():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    forbidden = re.compile(
        r"(?<![\w.])/(work|root|tmp)/|pypi\.org|files\.pythonhosted|registry\.npmjs|deb\.debian\.org"
    )
    for name in tracked:
        path = ROOT / name
        if path.suffix in (".png", ".xlsx", ".gz") or path == Path(__file__) or not path.is_file():
            continue
        found = forbidden.search(path.read_text(encoding="utf-8", errors="replace"))
        assert not found, f"{name}: {found[0]}"
