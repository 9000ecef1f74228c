"""Two masters: does somebody else, most likely an identity provider, push to the setting that scimops pushes to?

No service provider says so by itself. It shows by what scimops sent and what is there now; and on the embedded
platform, read through its management API, by the setting's tokens that are in use. What was created, not changed, is
not looked at: an identity provider that changes it shows once scimops has changed it back.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import polars as pl

from scimops.findings import Finding
from scimops.plan.catalogue import plan_finding
from scimops.plan.differences import filled

if TYPE_CHECKING:
    from scimops.client.snapshot import Snapshot

CANNOT_TELL = "Whether somebody else pushes to this setting: its tokens cannot be seen here."
SENT = pl.Schema({"id": pl.String(), "field": pl.String(), "value": pl.String(), "at": pl.String()})
"""A field that an apply changed: whose, its name, the value as a digest, and when (ISO 8601, UTC)."""

_CHANGES = ("update", "rename", "reactivate", "deactivate")
_NAMED = 5


def sent_by(steps: pl.DataFrame) -> pl.DataFrame:
    """What the `steps` of an apply (schema `RECEIPTS`) changed, field by field (schema `SENT`)."""
    done = steps.filter((pl.col("outcome") == "done") & pl.col("kind").is_in(_CHANGES))
    rows = [
        (person, field, _digest(value), at)
        for person, after, at in done.select("id", "after", "at").iter_rows()
        for field, value in json.loads(after or "{}").items()
    ]
    return pl.DataFrame(rows, schema=SENT, orient="row")


def two_masters(operations: pl.DataFrame, sent: pl.DataFrame, snapshot: Snapshot) -> list[Finding]:
    """The finding, where it shows: by people whose values are others than those `sent` last, or by tokens in use."""
    if len(snapshot.tokens) > 1:
        names = ", ".join(snapshot.tokens[:_NAMED])
        how = f"{len(snapshot.tokens)} of its tokens were used lately ({names})"
        return [plan_finding("two_masters", how=how, count=len(snapshot.tokens))]
    last = {(row[0], row[1]): row[2] for row in sent.sort("at").select("id", "field", "value").iter_rows()}
    changes = operations.filter(pl.col("kind").is_in(_CHANGES) & pl.col("id").is_in(sent["id"].unique().implode()))
    others = {
        person: name
        for person, name, before in changes.select("id", "userName", "before").iter_rows()
        for field, value in json.loads(before or "{}").items()
        if last.get((person, field), _digest(value)) != _digest(value)
    }
    if not others:
        return []
    names = ", ".join(str(name or person) for person, name in list(others.items())[:_NAMED])
    who = "1 person has" if len(others) == 1 else f"{len(others):,} people have"
    return [plan_finding("two_masters", how=f"{who} other values than scimops last sent ({names})", count=len(others))]


def _digest(value: Any) -> str:
    """A short digest of a value; blank and absent are one (RFC 7643 §2.5)."""
    return hashlib.sha256(json.dumps(filled(value), ensure_ascii=False).encode()).hexdigest()[:16]
