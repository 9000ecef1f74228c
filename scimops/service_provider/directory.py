"""Who is who on the platform: companies, management credentials, SCIM settings and their tokens.

Plain functions of a connection, a company and, where one is meant, a setting; nothing is reached without its company.
A caller's transaction holds what they do. Secrets come out once, when they are made, and only as
:class:`scimops.tokens.Secret`; the database holds hashes.
"""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from scimops.errors import ScimopsError
from scimops.grouping import identity_key
from scimops.service_provider.database import loaded, new_id
from scimops.service_provider.placement import ignoring, now
from scimops.service_provider.setting_tokens import DEFAULT_LIFE, add_token, revoke_all
from scimops.service_provider.tables import companies, credentials, groups, memberships, server, settings, users
from scimops.setting import Setting
from scimops.tokens import CLIENT_SECRET, Secret, hash_token, make_token, verify_token


class NotFoundError(ScimopsError):
    """There is no such thing in this company."""


class ConflictError(ScimopsError):
    """It is there already, or its name is taken."""


@dataclass(frozen=True)
class Subject:
    """What a SCIM request acts as: one setting of one company, by one of its tokens."""

    company_id: str
    setting_n: int
    setting_id: str
    setting: Setting
    token_name: str


@dataclass(frozen=True)
class NewCredential:
    """A management credential as it is shown once."""

    client_id: str
    secret: Secret


@dataclass(frozen=True)
class NewSetting:
    """A setting just made, with its first token, shown once."""

    n: int
    id: str
    token: Secret


# -- The server ----------------------------------------------------------------------------------


def server_secret(connection: sa.Connection, name: str) -> str:
    """A secret that all processes of the platform share, made when first asked for; needs a writing transaction."""
    kept = sa.select(server.c.value).where(server.c.name == name)
    if (found := connection.scalar(kept)) is None:
        connection.execute(ignoring(connection, server).values(name=name, value=secrets.token_hex(32)))
        found = connection.scalar(kept)
    return str(found)


# -- Companies and credentials -------------------------------------------------------------------


def create_company(connection: sa.Connection, name: str, *, seats: int | None = None) -> str:
    """A new company; its id."""
    company_id = new_id()
    connection.execute(sa.insert(companies).values(id=company_id, name=name, seats=seats, created=now()))
    return company_id


def get_company(connection: sa.Connection, company_id: str) -> sa.Row[Any]:
    """The row of a company.

    Raises:
        NotFoundError: there is none.
    """
    row = connection.execute(sa.select(companies).where(companies.c.id == company_id)).one_or_none()
    if row is None:
        raise NotFoundError("There is no such company.")
    return row


def lock_company(connection: sa.Connection, company_id: str) -> None:
    """Have other writers of this company's names wait; what is unique by its key is then looked up safely."""
    connection.execute(sa.select(companies.c.id).where(companies.c.id == company_id).with_for_update())


def create_credential(connection: sa.Connection, company_id: str | None) -> NewCredential:
    """A new management credential of a company, or of a reseller (None), who acts for every company."""
    made = NewCredential(f"scimops_client_{new_id()}", make_token(CLIENT_SECRET))
    row = {
        "client_id": made.client_id, "company_id": company_id, "secret_hash": hash_token(made.secret.reveal()),
        "created": now(),
    }  # fmt: skip
    connection.execute(sa.insert(credentials).values(row))
    return made


def find_credential(connection: sa.Connection, client_id: str) -> sa.Row[Any] | None:
    """The row of a credential."""
    return connection.execute(sa.select(credentials).where(credentials.c.client_id == client_id)).one_or_none()


def verify_credential(connection: sa.Connection, client_id: str, secret: str) -> sa.Row[Any] | None:
    """The row of the credential with this id and this secret; None tells not which of the two was wrong."""
    row = find_credential(connection, client_id)
    right = verify_token(secret, row.secret_hash if row else "0" * 64)
    return row if right and row is not None else None


# -- Settings ------------------------------------------------------------------------------------


def create_setting(
    connection: sa.Connection, company_id: str, setting: Setting, *, token_name: str = "token 1",  # noqa: S107  # a name
    expires_in: dt.timedelta = DEFAULT_LIFE,
) -> NewSetting:  # fmt: skip
    """A new setting with its first token.

    Raises:
        ConflictError: the company has a setting with this name, upper and lower case alike.
    """
    _refuse_taken(connection, company_id, setting.name)
    setting_id = new_id()
    row = {
        "id": setting_id, "company_id": company_id, "name": setting.name, "document": setting.model_dump_json(),
        "created": now(),
    }  # fmt: skip
    n = connection.execute(sa.insert(settings).values(row).returning(settings.c.n)).scalar_one()
    token = add_token(connection, n, token_name, expires_in)
    return NewSetting(n, setting_id, token.secret)


def list_settings(connection: sa.Connection, company_id: str) -> list[sa.Row[Any]]:
    """The rows of a company's settings, the oldest first."""
    return list(connection.execute(settings_of(company_id).order_by(settings.c.n)))


def get_setting(connection: sa.Connection, company_id: str, setting_id: str, *, deleted: bool = False) -> sa.Row[Any]:
    """The row of one setting of this company; with `deleted` also where it was deleted.

    Raises:
        NotFoundError: this company has none with this id.
    """
    query = sa.select(settings).where(settings.c.company_id == company_id) if deleted else settings_of(company_id)
    row = connection.execute(query.where(settings.c.id == setting_id)).one_or_none()
    if row is None:
        raise NotFoundError("There is no such SCIM setting.")
    return row


def document_of(row: sa.Row[Any]) -> Setting:
    """The setting that a row of `settings` holds."""
    return Setting.model_validate(loaded(row.document))


def rename_setting(connection: sa.Connection, company_id: str, setting_id: str, name: str) -> Setting:
    """Give a setting another name; nothing else of it ever changes (platform facts). The setting as it is then.

    Raises:
        NotFoundError: this company has none with this id.
        ConflictError: another setting of the company has this name.
        pydantic.ValidationError: no setting can have this name.
    """
    row = get_setting(connection, company_id, setting_id)
    _refuse_taken(connection, company_id, name, but=row.n)
    renamed = Setting.model_validate(loaded(row.document) | {"name": name})
    changed = {"name": name, "document": renamed.model_dump_json()}
    connection.execute(sa.update(settings).where(settings.c.n == row.n).values(changed))
    return renamed


def delete_setting(connection: sa.Connection, company_id: str, setting_id: str) -> None:
    """Delete a setting: its tokens end at once; its people and groups become the company's own.

    The platform left such people behind so that nobody could edit or delete them (platform facts). Another setting
    that brings them takes them over; their memberships keep the number of the setting that made them, so that it
    knows which to move. What an identity provider pushed without making a target group is nobody's, and goes.

    Raises:
        NotFoundError: this company has none with this id.
    """
    n = get_setting(connection, company_id, setting_id).n
    revoke_all(connection, n)
    connection.execute(sa.update(settings).where(settings.c.n == n).values(deleted=now()))
    _leave_targets(connection, n)
    connection.execute(sa.update(users).where(users.c.setting_n == n).values(setting_n=None))
    own = {"kind": "manual", "setting_n": None, "external_id": None}
    connection.execute(sa.update(groups).where(groups.c.setting_n == n).values(own))


def _leave_targets(connection: sa.Connection, setting_n: int) -> None:
    """Members of groups that were pushed into another group are members of that one; the pushed ones go."""
    pushed = (groups.c.setting_n == setting_n) & (groups.c.kind == "pushed")
    aside = pushed & (groups.c.target_n.is_(None) | (groups.c.target_n != groups.c.n))
    theirs = (
        sa.select(groups.c.target_n, memberships.c.user_n, memberships.c.setting_n)
        .join(memberships, memberships.c.group_n == groups.c.n)
        .where(aside, groups.c.target_n.is_not(None)).distinct()
    )  # fmt: skip
    columns = ["group_n", "user_n", "setting_n"]
    connection.execute(ignoring(connection, memberships).from_select(columns, theirs))
    gone = sa.select(groups.c.n).where(aside)
    connection.execute(sa.delete(memberships).where(memberships.c.group_n.in_(gone)))
    connection.execute(sa.delete(groups).where(aside))


def settings_of(company_id: str) -> sa.Select[Any]:
    """A company's settings, without those that were deleted, as a query."""
    return sa.select(settings).where(settings.c.company_id == company_id, settings.c.deleted.is_(None))


def _refuse_taken(connection: sa.Connection, company_id: str, name: str, but: int | None = None) -> None:
    """Names are one company's own (platform facts): one writer of settings a company at a time."""
    lock_company(connection, company_id)
    for row in list_settings(connection, company_id):
        if row.n != but and identity_key(row.name) == identity_key(name):
            raise ConflictError("This company has a SCIM setting with this name.", advice="Choose another name.")
