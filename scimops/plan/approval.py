"""A person's yes to what a plan withholds: of that very plan, for a limited time, in a file beside it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol

import polars as pl

from scimops.plan.document import Plan, StalePlanError, digest_of
from scimops.plan.renames import SWAP
from scimops.plan.safeguards import PROTECTED
from scimops.yaml_documents import write_whole

FORMAT = 1

NEVER = (PROTECTED, SWAP)
"""What no approval covers: who is protected is removed once the setting says so, and a swap can only fail."""


class Key(Protocol):
    """What signs: the ledger's key (:class:`scimops.jobs.signing.Signer`)."""

    @property
    def public(self) -> str:
        """The public key."""

    def sign(self, digest: str) -> str:
        """The signature of a digest."""


@dataclass(frozen=True)
class Approval:
    """Who approved which plan's withheld operations, why and until when. Times are ISO 8601 in UTC.

    `withheld`: how many are approved, typed by the person. `left_out`: numbers of operations that stay withheld all the
    same (:data:`NEVER`). `key` and `signature` are the ledger's, where there is one.
    """

    digest: str
    by: str
    reason: str
    approved_at: str
    valid_until: str
    withheld: int
    left_out: tuple[int, ...] = ()
    key: str = ""
    signature: str = ""

    @property
    def content(self) -> str:
        """The digest of what is said here: what a key signs."""
        said = {name: value for name, value in asdict(self).items() if name not in ("key", "signature")}
        return digest_of(said)

    def signed(self, key: Key | None) -> Approval:
        """The same with a signature of `key`, where there is one."""
        return replace(self, key=key.public, signature=key.sign(self.content)) if key else self

    def covers(self, number: int) -> bool:
        """Is this operation approved?"""
        return number not in self.left_out

    def save(self, path: Path) -> None:
        """Write it to `path`."""
        write_whole(path, json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False, indent=2) + "\n")


def approve(plan: Plan, by: str, reason: str, valid: dt.timedelta) -> Approval:
    """An approval of `plan` from now on, not signed yet."""
    now = dt.datetime.now(dt.UTC)
    start, end = (time.isoformat(timespec="seconds") for time in (now, now + valid))
    left_out = plan.held.filter(pl.col("withheld").is_in(NEVER))["number"]
    return Approval(plan.digest, by, reason, start, end, approvable(plan).height, tuple(left_out))


def approvable(plan: Plan) -> pl.DataFrame:
    """The withheld operations that a person may approve."""
    return plan.held.filter(~pl.col("withheld").is_in(NEVER))


def load_approval(
    path: Path, plan: Plan, fits: Callable[[str, str, str], bool], *, signed: bool = False
) -> Approval:  # fmt: skip
    """The approval in `path`, once it is seen to be of `plan`, in time, and unchanged where it is signed.

    `fits(key, digest, signature)` checks a signature; `signed`: one without a signature is refused.

    Raises:
        StalePlanError: it is none, or of another plan, out of date, changed, or not signed.
    """
    try:
        document = json.loads(path.read_text("utf-8"))
        left_out = {"left_out": tuple(document.get("left_out", ()))}
        approval = Approval(**{name: value for name, value in (document | left_out).items() if name != "format"})
        late = dt.datetime.now(dt.UTC) > dt.datetime.fromisoformat(approval.valid_until)
    except (OSError, ValueError, TypeError, AttributeError):
        raise StalePlanError("This is no approval.", where=str(path), advice="scimops approve writes one.") from None
    if approval.digest != plan.digest:
        raise StalePlanError("It approves another plan.", where=str(path), advice="Approve this one: scimops approve.")
    if late:
        raise StalePlanError(f"The approval ended {approval.valid_until}.", where=str(path), advice="Approve it anew.")
    if signed and not approval.signature:
        raise StalePlanError("The approval is not signed, though this computer has a key.", where=str(path),
                             advice="Approve anew.")  # fmt: skip
    if (approval.key or approval.signature) and not fits(approval.key, approval.content, approval.signature):
        raise StalePlanError("The approval was changed after it was signed.", where=str(path), advice="Approve anew.")
    return approval
