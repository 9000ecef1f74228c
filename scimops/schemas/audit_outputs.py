"""What the commands of the step audit_provisioning print with `--json`, as types.

As in :mod:`scimops.schemas.outputs`.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict  # pydantic needs it before Python 3.12; it comes with pydantic

from scimops.schemas.outputs import FindingOut

_CLOSED = ConfigDict(extra="forbid")

Link = Literal["in_idp", "sent", "at_platform", "active", "in_group", "expected", "enrolled"]


@with_config(_CLOSED)
class Loss(TypedDict):
    """How many people were lost at a link for one cause."""

    lost_at: Link
    cause: str
    people: int


@with_config(_CLOSED)
class QuestionOut(TypedDict):
    """A question: whom it asks about, from what, how; the parts in `totals` add up to the `population`.

    `rows`: the answer to a question that was asked beyond those of every audit, whose people are in `people`.
    """

    name: str
    title: str
    about: str
    source: str
    how: str
    population: int
    totals: dict[str, int]
    rows: NotRequired[list[dict[str, Any]]]


@with_config(_CLOSED)
class Concerned(TypedDict):
    """A finding on one person; `lost_at` of those who did not arrive alone.

    `exception`: line of the exception that accepts it. `since`, `new`: against the last audit, absent without --keep.
    """

    code: str
    status: str
    lost_at: Link | None
    cause: str | None
    file: str | None
    row: int | None
    externalId: str | None
    userName: str | None
    email: str | None
    user_id: str | None
    evidence: str | None
    exception: int | None
    since: NotRequired[str]
    new: NotRequired[bool]


@with_config(_CLOSED)
class ExceptionOut(TypedDict):
    """An exception: its line, what it says, what became of it, how many findings of people it accepts."""

    line: int
    person: str
    cause: str | None
    status: str | None
    owner: str
    reason: str
    until: str
    state: Literal["in_force", "ended", "matches_nothing"]
    people: int


@with_config(_CLOSED)
class Solved(TypedDict):
    """A finding of the last audit that is no more."""

    code: str
    cause: str | None
    externalId: str | None
    userName: str | None
    email: str | None
    user_id: str | None
    since: str


@with_config(_CLOSED)
class SinceLastOut(TypedDict):
    """Against the last audit: its time (null: there was none), how many findings of people are new and still open.

    `untold`: findings of the last audit that this one could not look for.
    """

    last: str | None
    new: int
    still: int
    solved: list[Solved]
    untold: list[Solved]


@with_config(_CLOSED)
class AuditOut(TypedDict):
    """`scimops audit --json`, and audit.json.

    `coverage` adds up to the people asked about; `meant` should be there by now.
    `findings` count what no exception accepts. `exceptions` is null without --exceptions, `since_last` without --keep.
    """

    format: Literal[1]
    at: str
    setting: str
    masked: bool
    sources: dict[str, str]
    coverage: dict[Literal["arrived", "lost", "not_due_yet", "cannot_tell", "not_meant"], int]
    meant: int
    not_read: list[str]
    losses: list[Loss]
    reconciled: dict[str, int]
    seats_of_gone: int
    findings: list[FindingOut]
    questions: list[QuestionOut]
    people: list[Concerned]
    exceptions: list[ExceptionOut] | None
    since_last: SinceLastOut | None


@with_config(_CLOSED)
class PersonKeys(TypedDict):
    """What a person is known by; `file` and `row` of the export, else of the list of employees."""

    firstName: str | None
    lastName: str | None
    userName: str | None
    email: str | None
    externalId: str | None
    file: str | None
    row: int | None
    user_id: str | None


@with_config(_CLOSED)
class MomentOut(TypedDict):
    """Something that was so or happened: `at` is a day or a time (ISO 8601, UTC), `source` who says so."""

    at: str
    source: str
    text: str


@with_config(_CLOSED)
class LinkOut(TypedDict):
    """A link of the chain; `holds` is null where nobody can tell, or nobody may read it."""

    link: Link
    holds: bool | None
    text: str


@with_config(_CLOSED)
class EnrolledOut(TypedDict):
    """An enrolment that concerns the person; `seen` in its report, null where that cannot be read."""

    name: str
    groups: list[str]
    auto_enrol: bool
    seen: bool | None


@with_config(_CLOSED)
class ExplainPersonOut(TypedDict):
    """`scimops explain PERSON --json`: one person's whole story, `moments` in order of time.

    `wanted`: the groups the rule gives; `held`: those they are in. `links` is empty for somebody the audit does not ask
    about. `status` is one of the audit's. `sentence` says why they are, or are not, in that group and training today.
    """

    format: Literal[1]
    who: str
    keys: PersonKeys
    moments: list[MomentOut]
    links: list[LinkOut]
    wanted: list[str]
    held: list[str]
    enrolments: list[EnrolledOut]
    status: str
    sentence: str


AUDIT_OUTPUTS: dict[str, Any] = {"audit": AuditOut, "explain_person": ExplainPersonOut}
"""Each schema's name and type."""
