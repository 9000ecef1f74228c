"""The findings of an audit person by person: one row for each person and each thing that is to be solved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from scimops.audit.catalogue import FROM_BOTH_SIDES, whom
from scimops.audit.causes import STATUSES as SIDES

if TYPE_CHECKING:
    from scimops.audit.audit import Audit

SCHEMA = pl.Schema(
    {"code": pl.String(), "status": pl.String(), "lost_at": pl.String(), "cause": pl.String(), "file": pl.String(),
     "row": pl.Int64(), "externalId": pl.String(), "userName": pl.String(), "email": pl.String(),
     "user_id": pl.String(), "evidence": pl.String()}
)  # fmt: skip
"""`code`: the finding's. The others are as in the schemas `coverage` and `reconciled`."""

STATUSES: dict[str, str] = {
    "lost": "did not arrive",
    **{
        status: SIDES[status]
        for status in (*FROM_BOTH_SIDES, "not_on_list", "missing", "other_group", "inactive_there")
    },
}
"""Each status that an item may have, with its sentence."""


def items_of(audit: Audit) -> pl.DataFrame:
    """The findings on people, in the order of the audit's findings, of one finding in the order of its people."""
    parts = [
        people.select(code=pl.lit(code), **{
            name: name if name in people.columns else pl.lit(None, kind)
            for name, kind in SCHEMA.items() if name != "code"
        })
        for code, people in whom(audit.coverage, audit.reconciled)
    ]  # fmt: skip
    return pl.concat([SCHEMA.to_frame(), *parts])
