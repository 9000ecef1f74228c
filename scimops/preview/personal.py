"""Groups that are named after people, so that what is passed on can leave their names out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from scimops import frames
from scimops.grouping import usable_email

if TYPE_CHECKING:
    from scimops.preview import Preview


def named_after_people(preview: Preview) -> frozenset[str]:
    """The keys of groups whose name is a person's: an e-mail address, or the name of somebody in the export.

    Such groups come of a criterion like the manager; a page that is to be forwarded leaves their names out.
    """
    own = {group.group_key: [group.name, *group.spellings] for group in preview.groups if group.spellings}
    personal = {column.name for column in frames.MAPPED_USERS.columns if column.personal}
    if preview.setting.grouping_field in personal:
        return frozenset(own)
    names = pl.DataFrame(
        [(key, name.strip()) for key, texts in own.items() for name in texts], schema=["key", "name"], orient="row",
        schema_overrides={"key": pl.String, "name": pl.String},
    ).with_columns(pl.col("name").str.to_lowercase())  # fmt: skip
    first, last = (pl.col(name).str.to_lowercase() for name in ("firstName", "lastName"))
    address = pl.col("user_key").filter(pl.col("user_key").str.contains("@", literal=True))
    forms = (address, first + " " + last, last + " " + first, last + ", " + first)
    found = [names.join(preview.people.select(name=form), on="name", how="semi")["key"] for form in forms]
    addresses = {key for key, texts in own.items() if any(usable_email(text.strip()) for text in texts)}
    return frozenset(addresses.union(*found))
