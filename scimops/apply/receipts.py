"""What was really done, step by step: the receipts of an apply, in memory and on disk."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import polars as pl

from scimops.errors import ScimopsError
from scimops.findings import Finding
from scimops.yaml_documents import write_whole

FORMAT = 1
Outcome = Literal["done", "already", "refused", "changed_meanwhile", "failed", "not_done"]
SETTLED = ("done", "already", "changed_meanwhile")
"""Outcomes that a later apply of the same plan does not try again."""

RECEIPTS = pl.Schema(
    {
        "number": pl.Int64(), "kind": pl.String(), "outcome": pl.String(), "id": pl.String(), "userName": pl.String(),
        "status": pl.Int64(), "said": pl.String(), "at": pl.String(), "n": pl.Int64(), "before": pl.String(),
        "after": pl.String(), "group_key": pl.String(), "group": pl.String(), "group_id": pl.String(),
    }
)  # fmt: skip
"""One step a row, by the number of its operation.

`outcome`: done; already (it was so, nothing was sent); refused (the service provider said no); changed_meanwhile (what
the plan saw is no longer there: left as it is); failed (no answer that tells, or 500); not_done. `status`: of the last
answer. `said`: what the service provider, or this program, says of it. `at`: ISO 8601, UTC. `before`, `after`: JSON
objects of the fields as they were there and as they are now.
"""


@dataclass(frozen=True)
class Receipt:
    """What one operation really did; a row of :data:`RECEIPTS`."""

    number: int
    kind: str
    outcome: Outcome
    id: str | None = None
    userName: str | None = field(default=None, repr=False)  # noqa: N815  # SCIM's name
    status: int | None = None
    said: str = field(default="", repr=False)
    at: str = ""
    n: int | None = None
    before: str | None = field(default=None, repr=False)
    after: str | None = field(default=None, repr=False)
    group_key: str | None = None
    group: str | None = None
    group_id: str | None = None


@dataclass(frozen=True)
class Receipts:
    """The receipts of one apply.

    `plan`: the digest of the plan. `dry_run`: nothing was sent; a service provider was simulated. `stopped`: why it
    ended early; empty: it did not. `withheld`: operations that were not allowed. `findings`: what the check against a
    fresh snapshot found; `snapshot`: the digest of that, empty where none could be read.
    """

    plan: str
    where: str
    dry_run: bool
    began: str
    ended: str
    stopped: str
    withheld: int
    steps: pl.DataFrame
    findings: list[Finding]
    snapshot: str = ""
    cancelled: bool = False

    def __repr__(self) -> str:
        return f"<Receipts of plan {self.plan[:12]}: {self.counts}>"

    @property
    def counts(self) -> dict[str, int]:
        """How many steps have each outcome, and how many were withheld."""
        return dict(sorted(Counter(self.steps["outcome"].to_list()).items())) | {"withheld": self.withheld}

    @property
    def exit_code(self) -> int:
        """0: all done; 1: not all, or not as planned; 4: something withheld; 5: changed meanwhile; 130: cancelled."""
        outcomes = set(self.steps["outcome"])
        if self.cancelled:
            return 130
        if self.stopped or outcomes & {"refused", "failed", "not_done"} or self.findings:
            return 1
        return 5 if "changed_meanwhile" in outcomes else 4 if self.withheld else 0

    def to_dict(self) -> dict[str, Any]:
        """The receipts as plain data."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        more = {"steps": self.steps.to_dicts(), "findings": [each.to_dict() for each in self.findings]}
        return {"format": FORMAT, **plain, "counts": self.counts, **more}

    def save(self, path: Path) -> None:
        """Write them to `path`, for its owner alone."""
        write_whole(path, json.dumps(self.to_dict(), ensure_ascii=False, indent=1) + "\n", private=True)


def load_receipts(path: Path) -> Receipts:
    """The receipts in `path`.

    Raises:
        ScimopsError: these are none.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
        more = {"steps": pl.DataFrame(document["steps"], schema=RECEIPTS),
                "findings": [Finding(**each) for each in document["findings"]]}  # fmt: skip
        plain = {name: document[name] for name in Receipts.__dataclass_fields__}
        return Receipts(**plain | more)
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError):
        raise ScimopsError("These are no receipts.", where=str(path),
                           advice="Name the receipts.json that an apply wrote.") from None  # fmt: skip


def steps_frame(receipts: list[Receipt]) -> pl.DataFrame:
    """Receipts as a frame, by number."""
    return pl.DataFrame([asdict(one) for one in receipts], schema=RECEIPTS).sort("number")
