"""What the commands print with `--json`, as types; the JSON Schemas beside this file are made from them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict  # pydantic needs it before Python 3.12; it comes with pydantic

from scimops.errors import Level
from scimops.setting import Setting

_CLOSED = ConfigDict(extra="forbid")


@with_config(_CLOSED)
class RejectedRow(TypedDict):
    """A record that could not be read."""

    row: int
    line: int | None
    reason: str
    text: str


@with_config(_CLOSED)
class Source(TypedDict):
    """The export of a preview."""

    files: list[str]
    idp: str
    shape: str
    recognised_by: list[str]
    complete: bool
    missing: str | None
    taken_at: str
    taken_from: str
    columns: dict[str, str]


@with_config(_CLOSED)
class Read(Source):
    """`scimops read --json`: what an export is. `columns` maps fields to the columns they are read from.

    `recording` counts what a recording of a rehearsal holds beside its people; null for an export.
    """

    format: Literal[1]
    encoding: str
    delimiter: str | None
    rows: int
    rejected: list[RejectedRow]
    recording: dict[str, int] | None


@with_config(_CLOSED)
class Group(TypedDict):
    """A group of a preview; `exists` is null where the platform's groups are not known."""

    name: str
    name_certain: bool
    group_key: str
    members: int
    exists: bool | None
    spellings: dict[str, int]


@with_config(_CLOSED)
class ExistingGroups(TypedDict):
    """Were the platform's groups known, and from where?"""

    known: bool
    source: str | None


@with_config(_CLOSED)
class Numbers(TypedDict):
    """The four numbers."""

    will_arrive: int
    groups: int
    to_fix: int
    seats: int


@with_config(_CLOSED)
class FindingOut(TypedDict):
    """A finding; `row_numbers` holds the first hundred."""

    code: str
    level: Level
    message: str
    advice: str
    count: int
    row_numbers: list[int]


@with_config(_CLOSED)
class Preview(TypedDict):
    """`scimops preview --json`. The counts of `reasons` add up to `rows`."""

    format: Literal[1]
    source: Source
    setting: Setting
    channel: Literal["idp", "apply"]
    rows: int
    in_scope: int
    numbers: Numbers
    reasons: dict[str, int]
    groups: list[Group]
    existing_groups: ExistingGroups
    findings: list[FindingOut]
    backend: str
    seconds: float


@with_config(_CLOSED)
class Explanation(TypedDict):
    """One row's way to its group, step by step."""

    row: int
    file: str
    userName: str | None
    reason: str
    group: str | None
    steps: list[str]


@with_config(_CLOSED)
class GroupChange(TypedDict):
    """A group that appears, vanishes or changes size."""

    name: str
    group_key: str
    before: int
    after: int


@with_config(_CLOSED)
class MovedPerson(TypedDict):
    """A person who differs; the side on which they are not there is null."""

    row_before: int | None
    row_after: int | None
    userName: str | None
    email: str | None
    from_reason: str | None
    to_reason: str | None
    from_group: str | None
    to_group: str | None


@with_config(_CLOSED)
class Compare(TypedDict):
    """`scimops compare --json`. `moves` holds `from`, `to` and `people`."""

    format: Literal[1]
    changed: int
    unchanged: int
    moves: list[dict[Literal["from", "to", "people"], str | int]]
    groups: list[GroupChange]
    people: list[MovedPerson]


@with_config(_CLOSED)
class RunOutput(TypedDict):
    """A file that a run wrote."""

    path: str
    sha256: str
    size: int


@with_config(_CLOSED)
class Run(TypedDict):
    """`scimops run --json`: one execution of a notebook. `outputs` are paths in `folder`; times are UTC.

    `head` is number and hash of its record in the ledger, for `scimops runs verify --head`.
    """

    format: Literal[1]
    notebook: str
    outcome: Literal["completed", "failed", "timed_out", "kernel_died", "cancelled"]
    exit_code: int
    counts: dict[str, int]
    message: str
    output: str
    page: str
    folder: str
    seconds: float
    id: str
    started: str
    ended: str
    parameters: dict[str, str]
    notebook_path: str
    notebook_sha256: str
    outputs: list[RunOutput]
    continues: str
    head: str


Outcome = Literal["completed", "failed", "timed_out", "kernel_died", "cancelled", "broken"]


class RecordFile(TypedDict):
    """A file that a run read or wrote; `sha256` is null where it was gone or changed before it was hashed."""

    name: str
    sha256: str | None
    size: int


class RecordNotebook(TypedDict):
    """The notebook that ran, as it was at the start."""

    name: str
    path: str
    sha256: str


class RecordWho(TypedDict):
    """Whose account ran it, on which computer."""

    user: str
    host: str


class RecordWhere(TypedDict):
    """The working folder, and what the scheduler calls this run, by environment variable."""

    folder: str
    scheduler: dict[str, str]


class RecordCode(TypedDict):
    """The code that ran; commit and `dirty` are null outside of a checkout."""

    scimops: str
    commit: str | None
    dirty: bool | None
    python: str
    packages: dict[str, str]


class Record(TypedDict):
    """The record of a run in the ledger; a later version may add keys. Times are UTC.

    `ended`, `milliseconds` and `exit_code` are null where it broke off unseen; `notebook` is null for a command, and
    `command` for a notebook.
    """

    format: Literal[1]
    id: str
    kind: Literal["notebook", "command"]
    step: str
    command: str | None
    notebook: RecordNotebook | None
    parameters: dict[str, str]
    who: RecordWho
    where: RecordWhere
    code: RecordCode
    started: str
    ended: str | None
    milliseconds: int | None
    outcome: Outcome
    exit_code: int | None
    counts: dict[str, int]
    inputs: list[RecordFile]
    outputs: list[RecordFile]
    folder: str | None
    digests: dict[str, str]
    continues: str | None
    companies: dict[str, str]


@with_config(_CLOSED)
class LoggedRun(TypedDict):
    """`scimops runs show --json`: a run and its place in the chain."""

    number: int
    hash: str
    signed: bool
    record: Record


@with_config(_CLOSED)
class RunsList(TypedDict):
    """`scimops runs list --json`, the newest first."""

    format: Literal[1]
    runs: list[LoggedRun]


@with_config(_CLOSED)
class RunsVerify(TypedDict):
    """`scimops runs verify --json`. `records` are good, `line` is the first bad one; `proves` is empty where one is."""

    format: Literal[1]
    good: bool
    records: int
    signed: int
    keys: list[str]
    torn: int
    clock_went_back: int
    head: str | None
    line: int | None
    why: Literal["changed", "removed", "inserted", "swapped", "rewritten", "cut", "torn", "unsigned", "wrong key", None]
    message: str
    proves: str


@with_config(_CLOSED)
class RunsDifference(TypedDict):
    """What differs between two runs; files by hash. `—` stands where one of them has no such thing."""

    what: str
    one: str
    other: str


@with_config(_CLOSED)
class RunsDiff(TypedDict):
    """`scimops runs diff --json`; `one` and `other` are ids."""

    format: Literal[1]
    one: str
    other: str
    differences: list[RunsDifference]


@with_config(_CLOSED)
class OverdueNotebook(TypedDict):
    """A notebook that was not completed in time; nulls where it never ran, or was never completed."""

    notebook: str
    last_run: LoggedRun | None
    last_completed: str | None


@with_config(_CLOSED)
class RunsOverdue(TypedDict):
    """`scimops runs overdue --json`; empty where each notebook was completed in time."""

    format: Literal[1]
    every: str
    overdue: list[OverdueNotebook]


OUTPUTS: dict[str, Any] = {
    "compare": Compare, "explain": list[Explanation], "preview": Preview, "read": Read, "run": Run,
    "runs_diff": RunsDiff, "runs_list": RunsList, "runs_overdue": RunsOverdue, "runs_show": LoggedRun,
    "runs_verify": RunsVerify, "setting": Setting,
}  # fmt: skip
"""Each schema's name and type."""
