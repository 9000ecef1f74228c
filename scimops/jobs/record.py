"""The record of one run: what ran, who ran it where and when, on which files, with which code, and what came out.

A record is begun before anything runs, with the outcome "broken", so that a run that is killed leaves one behind that
is true. There are no fractions in it, so that its bytes are the same in every language (:mod:`scimops.jobs.ledger`).
"""

from __future__ import annotations

import datetime as dt
import getpass
import json
import os
import platform
import re
import secrets
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from scimops.touched import Touched, hashed

Outcome = Literal["done", "failed", "timed out", "kernel died", "cancelled", "broken"]

PACKAGES: Final = ("ipykernel", "narwhals", "nbclient", "nbconvert", "pandas", "papermill", "polars", "pyarrow",
                   "pydantic")  # fmt: skip
"""The packages whose versions a record keeps: those that compute, and those that run notebooks."""

SCHEDULERS: Final = (
    "AIRFLOW_CTX_DAG_ID", "AIRFLOW_CTX_DAG_RUN_ID", "BUILD_TAG", "CI_JOB_ID", "GITHUB_RUN_ID", "INVOCATION_ID",
    "KUBERNETES_SERVICE_HOST",
)  # fmt: skip
"""Variables by which schedulers name the run: Airflow, Jenkins, GitLab, GitHub, systemd, Kubernetes."""

_Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow")  # a later version's optional keys are kept and shown


class File(_Part):
    """A file that was read or written; `sha256` is null where it was gone or changed before it was hashed."""

    name: str
    sha256: _Sha256 | None
    size: int


class Notebook(_Part):
    """The notebook that ran, as it was at the start."""

    name: str
    path: str
    sha256: _Sha256


class Who(_Part):
    """Whose account ran it, on which computer."""

    user: str
    host: str


class Where(_Part):
    """The working folder, and what the scheduler calls this run, by environment variable."""

    folder: str
    scheduler: dict[str, str] = Field(default_factory=dict)


class Code(_Part):
    """The code that ran; commit and `dirty` are null outside of a checkout."""

    scimops: str
    commit: str | None
    dirty: bool | None
    python: str
    packages: dict[str, str]


class RunRecord(_Part):
    """One run. Times are UTC; `ended`, `milliseconds` and `exit_code` are null where it broke off unseen."""

    format: Literal[1] = 1
    id: str = Field(description="its beginning and six random letters, such as 20261125T020000Z-3fa92c")
    kind: Literal["notebook", "command"]
    step: str
    command: str | None = Field(None, description="kind command: its words, without values")
    notebook: Notebook | None = None
    parameters: dict[str, str] = Field(default_factory=dict)
    who: Who
    where: Where
    code: Code
    started: dt.datetime
    ended: dt.datetime | None = None
    milliseconds: int | None = None
    outcome: Outcome = "broken"
    exit_code: int | None = None
    counts: dict[str, int] = Field(default_factory=dict, description="the step's own")
    inputs: list[File] = Field(default_factory=list)
    outputs: list[File] = Field(default_factory=list)
    folder: str | None = Field(None, description="where the output notebook and its page were put")
    digests: dict[str, str] = Field(default_factory=dict, description="of plans and receipts, by name")
    continues: str | None = Field(None, description="id of the run that this one goes on with")


class Executed(Protocol):
    """What a finished run of a notebook says of itself; inputs and outputs are those its kernel handed out."""

    outcome: Outcome
    exit_code: int
    counts: dict[str, int]
    inputs: list[Touched]
    outputs: list[Touched]
    output: str


def begin(
    step: str, command: str, parameters: Mapping[str, Any], *, folder: Path | None = None, continues: str | None = None
) -> RunRecord:
    """The record of a command that starts now.

    Args:
        step: name of the step.
        command: its words, without values.
        parameters: names and values; never a secret. What is no text is written as JSON.
        folder: where its artefacts go, if it has any.
        continues: id of the run that it goes on with.
    """
    now = dt.datetime.now(dt.UTC)
    return RunRecord(
        id=f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}", kind="command", step=step, command=command,
        parameters={name: _text(value) for name, value in parameters.items()}, who=_who(), code=_code(), started=now,
        where=Where(folder=str(Path.cwd()), scheduler={n: os.environ[n] for n in SCHEDULERS if os.environ.get(n)}),
        folder=str(folder.absolute()) if folder else None, continues=continues,
    )  # fmt: skip


def begin_notebook(
    notebook: Path, parameters: Mapping[str, Any], *, folder: Path, continues: str | None = None
) -> RunRecord:
    """The record of a notebook that starts now; its step is its name without number (`02_preview_groups`)."""
    step = re.sub(r"^\d+_", "", notebook.stem)
    known = Notebook(name=notebook.name, path=str(notebook.absolute()), sha256=str(hashed(notebook)["sha256"]))
    begun = begin(step, "", parameters, folder=folder, continues=continues)
    return begun.model_copy(update={"kind": "notebook", "command": None, "notebook": known})


def end(
    begun: RunRecord, outcome: Outcome, exit_code: int, counts: Mapping[str, int], inputs: Sequence[Touched],
    outputs: Sequence[Touched], digests: Mapping[str, str] | None = None,
) -> RunRecord:  # fmt: skip
    """The whole record of a run that ends now."""
    now = dt.datetime.now(dt.UTC)
    return RunRecord.model_validate(begun.model_dump() | {
        "ended": now, "milliseconds": max(0, round((now - begun.started).total_seconds() * 1000)), "outcome": outcome,
        "exit_code": exit_code, "counts": dict(counts), "inputs": list(inputs), "outputs": list(outputs),
        "digests": dict(digests or {}),
    })  # fmt: skip


def record_of(run: Executed, begun: RunRecord, digests: Mapping[str, str] | None = None) -> RunRecord:
    """The whole record of a notebook that has run; its output notebook, which must be final, is one of the outputs.

    The page is none: it carries the ledger's head, which depends on this record.
    """
    outputs = [*run.outputs, hashed(Path(run.output))]
    return end(begun, run.outcome, run.exit_code, run.counts, run.inputs, outputs, digests)


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text.encode("utf-8", "backslashreplace").decode()


def _who() -> Who:
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name, as in containers
        user = f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"
    return Who(user=user, host=platform.node())


def _code() -> Code:
    from scimops import __version__

    commit, dirty = _checkout(Path(__file__).parents[2])
    packages = {}
    for name in PACKAGES:
        try:
            packages[name] = metadata.version(name)
        except metadata.PackageNotFoundError:  # an installation without it, which runs all the same
            packages[name] = "not installed"
    python = ".".join(map(str, sys.version_info[:3]))
    return Code(scimops=__version__, commit=commit, dirty=dirty, python=python, packages=packages)


def _checkout(folder: Path) -> tuple[str | None, bool | None]:
    """Commit of the checkout in `folder`, and whether anything in it differs; nulls where there is none."""
    import shutil
    import subprocess

    git = shutil.which("git")
    if git is None or not (folder / ".git").exists():
        return None, None
    said = []
    for words in (["rev-parse", "HEAD"], ["status", "--porcelain"]):
        command = [git, "--no-optional-locks", "-C", str(folder), *words]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)  # noqa: S603  # our own words
        except (OSError, subprocess.SubprocessError):
            return None, None
        said.append(done.stdout.strip())
    return said[0], bool(said[1])
