"""The tables of the embedded platform: who owns what, and the indexes that keep each request flat.

A company owns settings, groups and people. A setting owns the people and the memberships that it brought; a group
belongs to the company (design rule 10). Keys inside are numbers (`n`), ids on the wire are short texts (`id`).

Attributes of a resource that no column holds live in `document`, the resource as SCIM JSON; `folded` is the same text
in the form in which SCIM compares (NFC, lower case), so that a filter is SQL and never a scan in Python.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    false,
    text,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Key = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only where the key is INTEGER."""

Json = Text().with_variant(JSONB(none_as_null=True), "postgresql")
"""JSON as text: the engine hands text through, so a resource is written and read without a second conversion."""

Folded = Text().with_variant(Text(collation="C"), "postgresql")
"""A text as SCIM compares it: in the order of code points, so that an index serves `sw` too."""

Time = DateTime(timezone=True)


def _key() -> Column[int]:
    return Column("n", Key, primary_key=True, autoincrement=True)


def _company() -> Column[str]:
    return Column("company_id", String(12), ForeignKey("companies.id"), nullable=False)


def _setting(*, nullable: bool = True) -> Column[int]:
    return Column("setting_n", Key, ForeignKey("settings.n"), nullable=nullable)


server = Table(
    "server", metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
    comment="what all processes share: the secret of cursors and access tokens",
)  # fmt: skip

companies = Table(
    "companies", metadata,
    Column("id", String(12), primary_key=True),
    Column("name", String(256), nullable=False),
    Column("seats", Integer),
    Column("created", Time, nullable=False),
)  # fmt: skip

credentials = Table(
    "credentials", metadata,
    Column("client_id", String(40), primary_key=True),
    Column("company_id", String(12), ForeignKey("companies.id"), comment="null: a reseller, for every company"),
    Column("secret_hash", String(64), nullable=False),
    Column("created", Time, nullable=False),
)  # fmt: skip

settings = Table(
    "settings", metadata,
    _key(),
    Column("id", String(12), nullable=False, unique=True),
    _company(),
    Column("name", String(30), nullable=False),
    Column("document", Json, nullable=False, comment="the setting as scimops.setting.Setting, JSON"),
    Column("created", Time, nullable=False),
    Column("deleted", Time, comment="a deleted setting stays for the log; its people are the company's own then"),
)  # fmt: skip

tokens = Table(
    "tokens", metadata,
    _key(),
    Column("id", String(12), nullable=False, unique=True),
    _setting(nullable=False),
    Column("name", String(64), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("hint", String(8), nullable=False, comment="the last characters, to tell tokens apart"),
    Column("created", Time, nullable=False),
    Column("expires", Time),
    Column("revoked", Time),
    Column("last_used", Time),
)  # fmt: skip

users = Table(
    "users", metadata,
    _key(),
    Column("id", String(12), nullable=False, unique=True),
    _company(),
    _setting(),
    Column("external_id", Text),
    Column("user_name", Text),
    Column("user_name_scim", Folded, comment="as SCIM compares it"),
    Column("user_name_key", Text, comment="as people are told apart (design rule 8)"),
    Column("email", Text, comment="the one address the platform writes to"),
    Column("email_scim", Folded),
    Column("email_key", Text),
    Column("more_emails", Boolean, nullable=False, server_default=false()),
    Column("active", Boolean, nullable=False),
    Column("group_key", Text, comment="where the rule puts the person while active"),
    Column("reason", String(40), nullable=False),
    Column("document", Json, nullable=False),
    Column("folded", Json, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created", Time, nullable=False),
    Column("modified", Time, nullable=False),
    Index("uq_users_user_name", "company_id", "user_name_key", unique=True),
    Index("uq_users_email", "company_id", "email_key", unique=True),
    Index(
        "uq_users_external_id", "setting_n", "external_id", unique=True,
        sqlite_where=text("external_id IS NOT NULL"), postgresql_where=text("external_id IS NOT NULL"),
    ),
    Index("ix_users_setting", "setting_n", "n"),
    Index("ix_users_user_name_scim", "setting_n", "user_name_scim"),
    Index("ix_users_email_scim", "setting_n", "email_scim"),
    Index(
        "ix_users_more_emails", "setting_n",
        sqlite_where=text("more_emails"), postgresql_where=text("more_emails"),
    ),
    Index("ix_users_group_key", "company_id", "group_key"),
)  # fmt: skip

groups = Table(
    "groups", metadata,
    _key(),
    Column("id", String(12), nullable=False, unique=True),
    _company(),
    _setting(),
    Column("kind", String(8), nullable=False, comment="manual, placed by the rule, or pushed by an identity provider"),
    Column("name", Text, nullable=False),
    Column("group_key", Text, nullable=False, comment="remembered: a rename by hand splits nothing"),
    Column("scim_key", Folded, nullable=False),
    Column("external_id", Text),
    Column("target_n", Key, comment="the target group that its members are in; null: pushed, but not mirrored"),
    Column("priority", String(12), nullable=False, server_default="Low"),
    Column("version", Integer, nullable=False),
    Column("created", Time, nullable=False),
    Column("modified", Time, nullable=False),
    Index(
        "uq_groups_placed", "company_id", "group_key", unique=True,
        sqlite_where=text("kind = 'placed'"), postgresql_where=text("kind = 'placed'"),
    ),
    Index("ix_groups_group_key", "company_id", "group_key"),
    Index("ix_groups_scim_key", "company_id", "scim_key"),
    Index("ix_groups_external_id", "setting_n", "external_id"),
    Index("ix_groups_target", "target_n"),
)  # fmt: skip

memberships = Table(
    "memberships", metadata,
    Column("group_n", Key, ForeignKey("groups.n"), nullable=False),
    Column("user_n", Key, ForeignKey("users.n"), nullable=False),
    _setting(),
    PrimaryKeyConstraint("group_n", "user_n"),
    Index("ix_memberships_user", "user_n"),
    sqlite_with_rowid=False,
)  # fmt: skip

provisioning_log = Table(
    "provisioning_log", metadata,
    _key(),
    _company(),
    _setting(nullable=False),
    Column("at", Time, nullable=False),
    Column("token", String(64), nullable=False, comment="name of the token, never the token"),
    Column("operation", String(24), nullable=False),
    Column("resource_type", String(24)),
    Column("resource_id", String(40)),
    Column("query", Text, comment="filter of a look-up, or of who was meant by a refused creation"),
    Column("status", Integer, nullable=False),
    Column("detail", Text, comment="why it was refused"),
    Column("changes", Json, comment="[{attribute, old, new}]"),
    Column("moves", Json, comment="[{user, from, to, reason, transient_fallback}]"),
    Column("milliseconds", Integer, nullable=False),
    Index("ix_provisioning_log_setting", "setting_n", "n"),
    Index("ix_provisioning_log_resource", "resource_id"),
    Index("ix_provisioning_log_at", "at"),
)  # fmt: skip

audit_log = Table(
    "audit_log", metadata,
    _key(),
    Column("id", String(12), nullable=False, unique=True),
    Column("company_id", String(12), ForeignKey("companies.id")),
    Column("at", Time, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("operation", String(40), nullable=False),
    Column("entity", String(40), nullable=False),
    Column("entity_id", String(40)),
    Column("old", Text),
    Column("new", Text),
    Column("ip", String(64)),
    Column("user_agent", Text),
    Index("ix_audit_log_company", "company_id", "n"),
)  # fmt: skip

custom_fields = Table(
    "custom_fields", metadata,
    Column("id", String(12), primary_key=True),
    _company(),
    Column("name", String(64), nullable=False),
    Column("created", Time, nullable=False),
)  # fmt: skip

enrolments = Table(
    "enrolments", metadata,
    Column("id", String(12), primary_key=True),
    _company(),
    Column("name", String(256), nullable=False),
    Column("auto_enrol", Boolean, nullable=False),
    Column("document", Json, nullable=False, comment="{group_ids: [...], training: name}"),
    Column("created", Time, nullable=False),
)  # fmt: skip

enrolled = Table(
    "enrolled", metadata,
    Column("enrolment_id", String(12), ForeignKey("enrolments.id"), nullable=False),
    Column("user_n", Key, ForeignKey("users.n"), nullable=False),
    Column("status", String(24), nullable=False),
    PrimaryKeyConstraint("enrolment_id", "user_n"),
    Index("ix_enrolled_user", "user_n"),
)  # fmt: skip
