"""What tests of what is told of an audit share: the story with some faults, and the command on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from scimops.cli import app
from scimops.errors import ScimopsError
from scimops.samples.story import Story

FAULTS = (
    ("left_renamed", "leaver 4"), ("left_never_sent", "leaver 6"), ("never_sent", "new 36"), ("bad_email", "new 7"),
    ("two_accounts", "Engineering 1"), ("value_stale", "Operations 6"), ("duplicate_there", "Information Technology 3"),
    ("auto_enrol_off", "Human Resources"), ("not_in_report", "Sales 8"), ("out_of_scope_there", "Marketing 4"),
)  # fmt: skip


def words(story: Story, *more: str | Path, day: int = -1) -> list[str]:
    """The words of the command that audits `story`."""
    logs = [word for log in story.logs for word in ("--log", log)]
    return [str(word) for word in ("audit", story.exports[day], "--setting", story.setting, "--state", story.state,
                                   *logs, *more)]  # fmt: skip


def run(*said: str | Path, code: int = 0) -> Result:
    """The command line's answer; `code` is what it must end with."""
    result = CliRunner().invoke(app, [str(word) for word in said], env={"COLUMNS": "220"})
    found = result.exception.exit_code if isinstance(result.exception, ScimopsError) else result.exit_code
    assert found == code, (result.output, result.exception)
    return result


def document(*said: str | Path, code: int = 0) -> dict[str, Any]:
    """What `--json` prints."""
    return dict(json.loads(run(*said, "--json", code=code).stdout))
