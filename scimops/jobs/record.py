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
import time
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from scimops.touched import Touched

Outcome = Literal["completed", "failed", "timed_out", "kernel_died", "cancelled", "broken"]

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
    id: str = Field(description="a UUID that sorts by time")
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
    companies: dict[str, str] = Field(default_factory=dict, description="result of each company, with --each")


class Executed(Protocol):
    """A run of a notebook as :class:`scimops.jobs.run.Run` tells of it; `ended` is empty while it is on its way.

    `outputs` are files in `folder`: path in it, SHA-256, bytes.
    """

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def outcome(self) -> str: ...  # noqa: D102
    @property
    def exit_code(self) -> int: ...  # noqa: D102
    @property
    def counts(self) -> Mapping[str, int]: ...  # noqa: D102
    @property
    def started(self) -> str: ...  # noqa: D102
    @property
    def ended(self) -> str: ...  # noqa: D102
    @property
    def parameters(self) -> Mapping[str, str]: ...  # noqa: D102
    @property
    def notebook_path(self) -> str: ...  # noqa: D102
    @property
    def notebook_sha256(self) -> str: ...  # noqa: D102
    @property
    def folder(self) -> str: ...  # noqa: D102
    @property
    def outputs(self) -> Sequence[Mapping[str, str | int]]: ...  # noqa: D102
    @property
    def continues(self) -> str: ...  # noqa: D102


def begin(step: str, command: str, parameters: Mapping[str, Any]) -> RunRecord:
    """The record of a command that starts now.

    Args:
        step: name of the step.
        command: its words, without values.
        parameters: names and values; never a secret. What is no text is written as JSON.
    """
    return RunRecord(
        id=new_id(), kind="command", step=step, command=command, who=who_runs(), where=_where(), code=_code(),
        parameters={name: _text(value) for name, value in parameters.items()}, started=dt.datetime.now(dt.UTC),
    )  # fmt: skip


def end(
    begun: RunRecord, outcome: Outcome, exit_code: int, counts: Mapping[str, int], inputs: Sequence[Touched],
    outputs: Sequence[Touched], digests: Mapping[str, str] | None = None,
) -> RunRecord:  # fmt: skip
    """The whole record of a command that ends now."""
    now = dt.datetime.now(dt.UTC)
    return RunRecord.model_validate(begun.model_dump() | {
        "ended": now, "milliseconds": _milliseconds(begun.started, now), "outcome": outcome, "exit_code": exit_code,
        "counts": dict(counts), "inputs": list(inputs), "outputs": list(outputs), "digests": dict(digests or {}),
    })  # fmt: skip


def record_of(
    run: Executed, begun: RunRecord | None = None, *, inputs: Sequence[Touched] = (),
    outputs: Sequence[Touched] = (), digests: Mapping[str, str] | None = None,
) -> RunRecord:  # fmt: skip
    """The record of a notebook; broken as long as it has not ended.

    Args:
        run: the run.
        begun: its record from before it started, for who, where and which code.
        inputs: what its kernel read, as :func:`scimops.jobs.result` hands it out.
        outputs: what its kernel wrote; the files in the run's folder come by themselves.
        digests: of plans and receipts, by name.
    """
    path = Path(run.notebook_path)
    files = {str(file["name"]): dict(file) for file in outputs}
    for found in run.outputs:
        name = str(Path(run.folder) / str(found["path"]))
        files[name] = {"name": name, "sha256": found["sha256"], "size": found["size"]}
    known = {
        "id": run.id, "kind": "notebook", "step": step_of(path), "parameters": dict(run.parameters),
        "notebook": {"name": path.name, "path": str(path), "sha256": run.notebook_sha256}, "started": run.started,
        "who": begun.who if begun else who_runs(), "where": begun.where if begun else _where(), "folder": run.folder,
        "code": begun.code if begun else _code(), "continues": run.continues or None, "digests": dict(digests or {}),
        "inputs": list(inputs), "outputs": list(files.values()),
    }  # fmt: skip
    if run.ended:
        times = [dt.datetime.fromisoformat(text) for text in (run.started, run.ended)]
        known |= {"ended": run.ended, "milliseconds": _milliseconds(*times), "outcome": run.outcome}
        known |= {"exit_code": run.exit_code, "counts": dict(run.counts)}
    return RunRecord.model_validate(known)


def step_of(notebook: Path) -> str:
    """A notebook's step: its name without the number, `preview_groups` of `02_preview_groups.ipynb`."""
    return re.sub(r"^\d+_", "", notebook.stem)


def new_id() -> str:
    """A new id that sorts by time (UUID version 7, RFC 9562 section 5.7)."""
    number = (time.time_ns() // 1_000_000) << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62
    return str(UUID(int=number | secrets.randbits(62)))


def _milliseconds(started: dt.datetime, ended: dt.datetime) -> int:
    """By the clock; none where it went back meanwhile."""
    return max(0, round((ended - started).total_seconds() * 1000))


def _where() -> Where:
    return Where(folder=str(Path.cwd()), scheduler={n: os.environ[n] for n in SCHEDULERS if os.environ.get(n)})


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text.encode("utf-8", "backslashreplace").decode()


def who_runs() -> Who:
    """Whose account this is, on which computer."""
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
