"""How the tables came to be: one Alembic revision a change, run at each start of the platform."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from scimops.service_provider.database import Database


def migrate(database: Database) -> None:
    """Bring the tables to this version, from any earlier one. Where they are, nothing is done.

    Of several processes that start at once one migrates, the others wait.
    """
    with database.write() as connection:
        if not database.sqlite:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(7644)"))  # the number says SCIM's RFC, no more
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def newest() -> str | None:
    """The revision that this version's tables have."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config
