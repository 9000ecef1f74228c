"""The tokens of a SCIM setting in the database: named, with an end, replaced with an overlap, revoked.

A token is found by its hash. Its secret comes out once, when it is made. Every token ends some day: what is forgotten
closes itself, and :func:`days_left` warns before.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from scimops.service_provider.database import new_id, utc
from scimops.service_provider.placement import now
from scimops.service_provider.tables import settings, tokens
from scimops.tokens import Secret, hash_token, hint, make_token

DEFAULT_LIFE = dt.timedelta(days=365)
MAX_LIFE = dt.timedelta(days=3650)
OVERLAP = dt.timedelta(hours=24)
"""How long the old token stays good while the new one is put into the identity provider."""

WARN_DAYS = 30
"""From how many days before its end a token is worth a warning."""

USE_SECONDS = 60
"""How exact `last_used` is: it is written at most once in this time."""

State = Literal["active", "expired", "revoked"]


@dataclass(frozen=True)
class NewToken:
    """A token as it is shown once."""

    id: str
    name: str
    hint: str
    expires: dt.datetime
    secret: Secret


def add_token(
    connection: sa.Connection, setting_n: int, name: str | None = None, expires_in: dt.timedelta = DEFAULT_LIFE
) -> NewToken:
    """A new token of a setting, beside those it has; named after their number where no name is given."""
    moment = now()
    if name is None:
        count = connection.scalar(sa.select(sa.func.count()).where(tokens.c.setting_n == setting_n))
        name = f"token {(count or 0) + 1}"
    secret = make_token()
    text = secret.reveal()
    made = NewToken(new_id(), name, hint(text), moment + expires_in, secret)
    row = {
        "id": made.id, "setting_n": setting_n, "name": name, "hash": hash_token(text), "hint": made.hint,
        "created": moment, "expires": made.expires,
    }  # fmt: skip
    connection.execute(sa.insert(tokens).values(row))
    return made


def list_tokens(connection: sa.Connection, setting_n: int) -> list[sa.Row[Any]]:
    """The rows of a setting's tokens, the oldest first."""
    return list(connection.execute(sa.select(tokens).where(tokens.c.setting_n == setting_n).order_by(tokens.c.n)))


def rotate_token(
    connection: sa.Connection, setting_n: int, name: str | None = None, *, overlap: dt.timedelta = OVERLAP,
    expires_in: dt.timedelta = DEFAULT_LIFE,
) -> NewToken:  # fmt: skip
    """A new token; those that are good now end after `overlap`, or earlier where they would; at once without one."""
    end = now() + overlap
    good = _good(setting_n, now())
    if overlap <= dt.timedelta():
        revoke_all(connection, setting_n)
    else:
        sooner = good & (tokens.c.expires.is_(None) | (tokens.c.expires > end))
        connection.execute(sa.update(tokens).where(sooner).values(expires=end))
    return add_token(connection, setting_n, name, expires_in)


def revoke_token(connection: sa.Connection, setting_n: int, token_id: str) -> Any:
    """End one token at once; its row as it was, or None where this setting has none with this id."""
    this = (tokens.c.setting_n == setting_n) & (tokens.c.id == token_id)
    row = connection.execute(sa.select(tokens).where(this)).one_or_none()
    connection.execute(sa.update(tokens).where(this, tokens.c.revoked.is_(None)).values(revoked=now()))
    return row


def revoke_all(connection: sa.Connection, setting_n: int) -> None:
    """End every token of a setting at once."""
    every = (tokens.c.setting_n == setting_n) & tokens.c.revoked.is_(None)
    connection.execute(sa.update(tokens).where(every).values(revoked=now()))


def find_token(connection: sa.Connection, hashed: str) -> Any:
    """The token with this hash, with the setting it belongs to; None where there is none."""
    found = (
        sa.select(
            tokens.c.n.label("token_n"), tokens.c.name.label("token_name"), tokens.c.hash, tokens.c.expires,
            tokens.c.revoked, tokens.c.last_used, settings.c.n, settings.c.id, settings.c.company_id,
            settings.c.document, settings.c.deleted,
        )
        .join(settings, settings.c.n == tokens.c.setting_n).where(tokens.c.hash == hashed)
    )  # fmt: skip
    return connection.execute(found).one_or_none()


def note_use(connection: sa.Connection, token_n: int, moment: dt.datetime) -> None:
    """Write down that a token was used, unless that was written within :data:`USE_SECONDS`."""
    stale = tokens.c.last_used.is_(None) | (tokens.c.last_used <= moment - dt.timedelta(seconds=USE_SECONDS))
    connection.execute(sa.update(tokens).where(tokens.c.n == token_n, stale).values(last_used=moment))


def state_of(row: Any, moment: dt.datetime | None = None) -> State:
    """Is a token good, has it ended, was it revoked?"""
    if row.revoked is not None:
        return "revoked"
    expires = utc(row.expires)
    return "expired" if expires is not None and expires <= (moment or now()) else "active"


def days_left(expires: dt.datetime | None, moment: dt.datetime | None = None) -> int | None:
    """Whole days until a token ends; 0 on its last day, less when it has ended. Warn from :data:`WARN_DAYS` on."""
    end = utc(expires)
    return None if end is None else (end - (moment or now())).days


def _good(setting_n: int, moment: dt.datetime) -> sa.ColumnElement[bool]:
    here = (tokens.c.setting_n == setting_n) & tokens.c.revoked.is_(None)
    return here & (tokens.c.expires.is_(None) | (tokens.c.expires > moment))
