"""What the commands of the step plan_and_apply print with `--json`, as types, as in :mod:`scimops.schemas.outputs`."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict  # pydantic needs it before Python 3.12; it comes with pydantic

from scimops.schemas.outputs import FindingOut
from scimops.setting import Setting

_CLOSED = ConfigDict(extra="forbid")


@with_config(_CLOSED)
class PlanSource(TypedDict):
    """What a plan was made of; times are UTC, `snapshot` is a digest."""

    setting_sha256: str
    files: list[dict[Literal["name", "sha256"], str]]
    rows: int
    taken_at: str
    snapshot: str
    where: str
    read_at: str
    read_by: Literal["scim", "management"]
    placement: str


@with_config(_CLOSED)
class Seats(TypedDict):
    """Seats now, once what may be done is done, with what is withheld too; null: the licence is not in the setting."""

    before: int
    after: int
    after_approval: int
    limit: int | None


@with_config(_CLOSED)
class PlanGroup(TypedDict):
    """A group that changes: `after` is `before` less who leaves, and who joins; `withheld` is counted apart."""

    group_key: str
    group: str
    before: int
    leaves: int
    joins: int
    after: int
    withheld: int


@with_config(_CLOSED)
class VerdictOut(TypedDict):
    """One safeguard's answer; `limit` is null where there is none, `group` is set where it is of one group alone.

    `past`: how many of `count` earlier applies removed, within the window; absent where that is none.
    """

    safeguard: str
    count: int
    population: int
    limit: int | None
    held: bool
    group: str | None
    past: NotRequired[int]


OperationKind = Literal[
    "create", "update", "rename", "reactivate", "deactivate", "delete", "create_group", "join", "leave", "delete_group"
]


@with_config(_CLOSED)
class OperationOut(TypedDict):
    """An operation, in the order in which they are done. `before` and `after` are JSON objects in a text.

    `row` and `file` are null for who is in no row, `id` for who is not there yet, `withheld` where it may be done; the
    group only of operations on groups and members. `due`: when somebody's grace period ends; absent where nobody has
    one.
    """

    number: int
    kind: OperationKind
    n: int | None
    row: int | None
    file: str | None
    id: str | None
    version: str | None
    matched_by: str | None
    externalId: str | None
    userName: str | None
    email: str | None
    changed: list[str] | None
    before: str | None
    after: str | None
    leaves: list[str]
    joins: list[str]
    empties: bool
    moves: bool
    why: str | None
    withheld: str | None
    group_key: str | None
    group: str | None
    group_id: str | None
    due: NotRequired[str | None]


@with_config(_CLOSED)
class PlanHistory(TypedDict):
    """Since when earlier applies count towards the limits (empty: none do), and how many there were since."""

    since: str
    applies: int


@with_config(_CLOSED)
class PlanMove(TypedDict):
    """Who leaves (`joins` false) or joins which group, expected where the service provider places people itself."""

    n: int | None
    id: str | None
    group_key: str
    group: str | None
    group_id: str | None
    joins: bool


@with_config(_CLOSED)
class PlanOut(TypedDict):
    """`scimops plan --json`, `scimops undo --json`, and, with `made_at`, the sealed file. `counts` has the kinds."""

    format: Literal[1]
    setting: Setting
    source: PlanSource
    counts: dict[str, int]
    seats: Seats
    groups: list[PlanGroup]
    safeguards: list[VerdictOut]
    findings: list[FindingOut]
    operations: list[OperationOut]
    moves: list[PlanMove]
    history: NotRequired[PlanHistory]
    made_at: NotRequired[str]
    seal: str


@with_config(_CLOSED)
class ComparedOperation(TypedDict):
    """An operation that is in one plan only or not the same in both; a side without it is null."""

    change: Literal["new", "gone", "changed"]
    userName: str | None
    email: str | None
    group: str | None
    id: str | None
    differs: list[Literal["kind", "before", "after", "leaves", "joins", "why", "withheld"]]
    kind_before: OperationKind | None
    kind_after: OperationKind | None
    values_before: str | None
    values_after: str | None
    withheld_before: str | None
    withheld_after: str | None


@with_config(_CLOSED)
class ComparePlans(TypedDict):
    """`scimops compare --json` of two plans. `sources`: how what they were made of differs."""

    format: Literal[1]
    new: int
    gone: int
    changed: int
    unchanged: int
    sources: list[str]
    operations: list[ComparedOperation]


@with_config(_CLOSED)
class ReceiptOut(TypedDict):
    """What one operation really did; `before` and `after` are JSON objects in a text."""

    number: int
    kind: OperationKind
    outcome: Literal["done", "already", "refused", "changed_meanwhile", "failed", "not_done"]
    id: str | None
    userName: str | None
    status: int | None
    said: str
    at: str
    n: int | None
    before: str | None
    after: str | None
    group_key: str | None
    group: str | None
    group_id: str | None


@with_config(_CLOSED)
class Apply(TypedDict):
    """`scimops apply --json`: the receipts. `counts` has the outcomes; `plan` and `snapshot` are digests."""

    format: Literal[1]
    plan: str
    where: str
    dry_run: bool
    began: str
    ended: str
    stopped: str
    withheld: int
    steps: list[ReceiptOut]
    findings: list[FindingOut]
    snapshot: str
    cancelled: bool
    counts: dict[str, int]


PLAN_OUTPUTS: dict[str, Any] = {"apply": Apply, "compare_plans": ComparePlans, "plan": PlanOut}
"""Each schema's name and type."""
