"""How the tables came to be: one Alembic revision a change, run at each start of the platform."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from scimops.service_provider.database import Database


def migrate(database: Database) -> None:
    """Bring the tables to this version, from any earlier one. Where they are, nothing is done.

    Of several processes that start at once one migrates, the others wait.
    """
    with database.write() as connection:
        if not database.sqlite:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(7644)"))  # the number says SCIM's RFC, no more
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
