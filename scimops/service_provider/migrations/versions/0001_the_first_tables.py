"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables of a new database."""
    _companies()
    _server()
    _audit_log()
    _credentials()
    _custom_fields()
    _enrolments()
    _settings()
    _groups()
    _provisioning_log()
    _tokens()
    _users()
    _enrolled()
    _memberships()


def _companies() -> None:
    op.create_table(
        "companies",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_companies")),
    )


def _server() -> None:
    op.create_table(
        "server",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_server")),
        comment="what all processes share: the secret of cursors and access tokens",
    )


def _audit_log() -> None:
    op.create_table(
        "audit_log",
        sa.Column("n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("company_id", sa.String(length=12), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("operation", sa.String(length=40), nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("entity_id", sa.String(length=40), nullable=True),
        sa.Column("old", sa.Text(), nullable=True),
        sa.Column("new", sa.Text(), nullable=True),
        sa.Column("ip", sa.String(length=64), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_audit_log_company_id")),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_audit_log")),
        sa.UniqueConstraint("id", name=op.f("uq_audit_log_id")),
    )
    op.create_index("ix_audit_log_company", "audit_log", ["company_id", "n"], unique=False)


def _credentials() -> None:
    op.create_table(
        "credentials",
        sa.Column("client_id", sa.String(length=40), nullable=False),
        sa.Column("company_id", sa.String(length=12), nullable=True, comment="null: a reseller, for every company"),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_credentials_company_id")),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_credentials")),
    )


def _custom_fields() -> None:
    op.create_table(
        "custom_fields",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("company_id", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_custom_fields_company_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custom_fields")),
    )


def _enrolments() -> None:
    op.create_table(
        "enrolments",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("company_id", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("auto_enrol", sa.Boolean(), nullable=False),
        sa.Column(
            "document",
            sa.Text().with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"),
            nullable=False,
            comment="{group_ids: [...], training: name}",
        ),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_enrolments_company_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolments")),
    )


def _settings() -> None:
    op.create_table(
        "settings",
        sa.Column("n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("company_id", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column(
            "document",
            sa.Text().with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"),
            nullable=False,
            comment="the setting as scimops.setting.Setting, JSON",
        ),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "deleted",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="a deleted setting stays for the log; its people are the company's own then",
        ),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_settings_company_id")),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_settings")),
        sa.UniqueConstraint("id", name=op.f("uq_settings_id")),
    )


def _groups() -> None:
    op.create_table(
        "groups",
        sa.Column("n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("company_id", sa.String(length=12), nullable=False),
        sa.Column("setting_n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "kind",
            sa.String(length=8),
            nullable=False,
            comment="manual, placed by the rule, or pushed by an identity provider",
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("group_key", sa.Text(), nullable=False, comment="remembered: a rename by hand splits nothing"),
        sa.Column("scim_key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column(
            "target_n",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
            comment="the target group that its members are in; null: pushed, but not mirrored",
        ),
        sa.Column("priority", sa.String(length=12), server_default="Low", nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("modified", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_groups_company_id")),
        sa.ForeignKeyConstraint(["setting_n"], ["settings.n"], name=op.f("fk_groups_setting_n")),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_groups")),
        sa.UniqueConstraint("id", name=op.f("uq_groups_id")),
    )
    op.create_index("ix_groups_external_id", "groups", ["setting_n", "external_id"], unique=False)
    op.create_index("ix_groups_group_key", "groups", ["company_id", "group_key"], unique=False)
    op.create_index("ix_groups_scim_key", "groups", ["company_id", "scim_key"], unique=False)
    op.create_index("ix_groups_target", "groups", ["target_n"], unique=False)
    op.create_index(
        "uq_groups_placed",
        "groups",
        ["company_id", "group_key"],
        unique=True,
        sqlite_where=sa.text("kind = 'placed'"),
        postgresql_where=sa.text("kind = 'placed'"),
    )


def _provisioning_log() -> None:
    op.create_table(
        "provisioning_log",
        sa.Column("n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("company_id", sa.String(length=12), nullable=False),
        sa.Column("setting_n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False, comment="name of the token, never the token"),
        sa.Column("operation", sa.String(length=24), nullable=False),
        sa.Column("resource_type", sa.String(length=24), nullable=True),
        sa.Column("resource_id", sa.String(length=40), nullable=True),
        sa.Column(
            "query", sa.Text(), nullable=True, comment="filter of a look-up, or of who was meant by a refused creation"
        ),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True, comment="why it was refused"),
        sa.Column(
            "changes",
            sa.Text().with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"),
            nullable=True,
            comment="[{attribute, old, new}]",
        ),
        sa.Column(
            "moves",
            sa.Text().with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"),
            nullable=True,
            comment="[{user, from, to, reason, transient_fallback}]",
        ),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_provisioning_log_company_id")),
        sa.ForeignKeyConstraint(["setting_n"], ["settings.n"], name=op.f("fk_provisioning_log_setting_n")),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_provisioning_log")),
    )
    op.create_index("ix_provisioning_log_at", "provisioning_log", ["at"], unique=False)
    op.create_index("ix_provisioning_log_resource", "provisioning_log", ["resource_id"], unique=False)
    op.create_index("ix_provisioning_log_setting", "provisioning_log", ["setting_n", "n"], unique=False)


def _tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("setting_n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("hint", sa.String(length=8), nullable=False, comment="the last characters, to tell tokens apart"),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["setting_n"], ["settings.n"], name=op.f("fk_tokens_setting_n")),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_tokens")),
        sa.UniqueConstraint("hash", name=op.f("uq_tokens_hash")),
        sa.UniqueConstraint("id", name=op.f("uq_tokens_id")),
    )


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("company_id", sa.String(length=12), nullable=False),
        sa.Column("setting_n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("user_name", sa.Text(), nullable=True),
        sa.Column(
            "user_name_scim",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=True,
            comment="as SCIM compares it",
        ),
        sa.Column("user_name_key", sa.Text(), nullable=True, comment="as people are told apart (design rule 8)"),
        sa.Column("email", sa.Text(), nullable=True, comment="the one address the platform writes to"),
        sa.Column("email_scim", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=True),
        sa.Column("email_key", sa.Text(), nullable=True),
        sa.Column("more_emails", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("group_key", sa.Text(), nullable=True, comment="where the rule puts the person while active"),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column(
            "document",
            sa.Text().with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "folded",
            sa.Text().with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("modified", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_users_company_id")),
        sa.ForeignKeyConstraint(["setting_n"], ["settings.n"], name=op.f("fk_users_setting_n")),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_users")),
        sa.UniqueConstraint("id", name=op.f("uq_users_id")),
    )
    op.create_index("ix_users_email_scim", "users", ["setting_n", "email_scim"], unique=False)
    op.create_index("ix_users_group_key", "users", ["company_id", "group_key"], unique=False)
    op.create_index(
        "ix_users_more_emails",
        "users",
        ["setting_n"],
        unique=False,
        sqlite_where=sa.text("more_emails"),
        postgresql_where=sa.text("more_emails"),
    )
    op.create_index("ix_users_setting", "users", ["setting_n", "n"], unique=False)
    op.create_index("ix_users_user_name_scim", "users", ["setting_n", "user_name_scim"], unique=False)
    op.create_index("uq_users_email", "users", ["company_id", "email_key"], unique=True)
    op.create_index(
        "uq_users_external_id",
        "users",
        ["setting_n", "external_id"],
        unique=True,
        sqlite_where=sa.text("external_id IS NOT NULL"),
        postgresql_where=sa.text("external_id IS NOT NULL"),
    )
    op.create_index("uq_users_user_name", "users", ["company_id", "user_name_key"], unique=True)


def _enrolled() -> None:
    op.create_table(
        "enrolled",
        sa.Column("enrolment_id", sa.String(length=12), nullable=False),
        sa.Column("user_n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["enrolment_id"], ["enrolments.id"], name=op.f("fk_enrolled_enrolment_id")),
        sa.ForeignKeyConstraint(["user_n"], ["users.n"], name=op.f("fk_enrolled_user_n")),
        sa.PrimaryKeyConstraint("enrolment_id", "user_n", name=op.f("pk_enrolled")),
    )
    op.create_index("ix_enrolled_user", "enrolled", ["user_n"], unique=False)


def _memberships() -> None:
    op.create_table(
        "memberships",
        sa.Column("group_n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("setting_n", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["group_n"], ["groups.n"], name=op.f("fk_memberships_group_n")),
        sa.ForeignKeyConstraint(["setting_n"], ["settings.n"], name=op.f("fk_memberships_setting_n")),
        sa.ForeignKeyConstraint(["user_n"], ["users.n"], name=op.f("fk_memberships_user_n")),
        sa.PrimaryKeyConstraint("group_n", "user_n", name=op.f("pk_memberships")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_memberships_user", "memberships", ["user_n"], unique=False)
