"""Our addition below `/api/scim/{id}/scimops/tokens`: the tokens of a setting, and a change of token without a gap."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pydantic import Field

from scimops.service_provider.directory import get_setting
from scimops.service_provider.management.answers import Body, Call, Json, Name, NoBody, found, iso
from scimops.service_provider.management.audit import note
from scimops.service_provider.setting_tokens import (
    DEFAULT_LIFE,
    MAX_LIFE,
    OVERLAP,
    WARN_DAYS,
    days_left,
    list_tokens,
    revoke_token,
    rotate_token,
    state_of,
)


class Rotation(Body):
    """The body of a rotation: how long the tokens that are good now stay so."""

    name: Name | None = None
    overlap_hours: int = Field(OVERLAP // dt.timedelta(hours=1), ge=0, le=720)
    expires_in_days: int = Field(DEFAULT_LIFE.days, ge=1, le=MAX_LIFE.days)


def token_row(row: Any) -> Json:
    """A token as it is shown ever after: by name and hint. `warning`: it ends soon."""
    left, state = days_left(row.expires), state_of(row)
    return {
        "id": row.id, "name": row.name, "hint": row.hint, "created": iso(row.created), "expires": iso(row.expires),
        "last_used": iso(row.last_used), "days_left": left, "state": state,
        "warning": state == "active" and left is not None and left < WARN_DAYS,
    }  # fmt: skip


def tokens(call: Call[NoBody]) -> Json:
    """`GET …/tokens`."""
    n = get_setting(call.connection, call.company_id, call.id).n
    return {"scimops": {"tokens": [token_row(row) for row in list_tokens(call.connection, n)]}}


def rotate(call: Call[Rotation]) -> Json:
    """`POST …/tokens/rotate`: a new token, shown once; the others stay good for `overlap_hours`."""
    body, n = call.body, get_setting(call.connection, call.company_id, call.id).n
    made = rotate_token(
        call.connection, n, body.name, overlap=dt.timedelta(hours=body.overlap_hours),
        expires_in=dt.timedelta(days=body.expires_in_days),
    )  # fmt: skip
    shown = {"id": made.id, "name": made.name, "hint": made.hint, "expires": iso(made.expires)}
    note(call, "Rotate", "ScimToken", made.id, new={**shown, "overlap_hours": body.overlap_hours})
    return {"token": made.secret.reveal(), "scimops": shown}


def revoke(call: Call[NoBody]) -> Json:
    """`DELETE …/tokens/{token}`: ends one token at once."""
    n = get_setting(call.connection, call.company_id, call.id).n
    row = found(revoke_token(call.connection, n, call.path["token"]), "token")
    note(call, "Revoke", "ScimToken", row.id, old={"name": row.name, "hint": row.hint})
    return {"resourceId": row.id}
