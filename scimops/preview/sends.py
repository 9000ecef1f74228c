"""Does the identity provider send it? For each field of a setting: as what, from what, and how many have a value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from scimops import frames
from scimops.errors import Finding
from scimops.idp import IDPS, Export, IdentityProvider
from scimops.idp.sends import needs_of
from scimops.preview import Preview, preview_export
from scimops.preview.checks.sending import SENDING
from scimops.setting import Setting

if TYPE_CHECKING:
    import pandas as pd

_OF_THE_EXPORT = (
    "column_missing", "column_empty", "email_from_username", "blank_criterion", "several_values", "external_id_changes",
    "external_id_absent", "active_unknown",
)  # fmt: skip
"""Findings of a preview that say of a field that it is not there or not good; no other check repeats them."""


@dataclass(frozen=True)
class Sends:
    """What an identity provider sends of the people of an export (schema `sends`), and what should be known of it."""

    idp: IdentityProvider
    frame: pl.DataFrame
    findings: list[Finding]

    def to_pandas(self) -> pd.DataFrame:
        """The lines in pandas, with string dtypes and pd.NA (schema `sends`)."""
        return frames.to_pandas(self.frame)


def does_idp_send(export: Export, setting: Setting, *, idp: str | None = None, folder: Path | str = ".") -> Sends:
    """Which fields of `setting` the identity provider sends, and how many people of `export` have a value for each.

    Args:
        export: from :func:`scimops.idp.read_export`; also the recording of a rehearsal.
        setting: the setting.
        idp: the name of the identity provider that will send; not given: the one that wrote the export.
        folder: where files that the setting names are looked for.

    Raises:
        SettingError: the setting names a column or file that is not there.
    """
    return sends_of(preview_export(export, setting, folder=folder), idp)


def sends_of(preview: Preview, idp: str | None = None) -> Sends:
    """The same from a preview that is there already."""
    asked = IDPS[idp or preview.export.idp]
    found = [check(preview, asked) for check in SENDING]
    kept = [finding for finding in preview.findings if finding.code in _OF_THE_EXPORT]
    return Sends(asked, _counted(preview, asked), [*kept, *(finding for finding in found if finding)])


def _counted(preview: Preview, idp: IdentityProvider) -> pl.DataFrame:
    """One line for each field (schema `sends`); a userName that stands for an absent e-mail address is no value."""
    setting, columns = preview.setting, preview.mapped.columns
    people = preview.people.filter(~pl.col("reason").is_in(["out_of_scope", "rejected_unreadable"]))
    rows = []
    for need in needs_of(idp, setting):
        column = columns.get(need.field)
        held = pl.col(f"{frames.MAPPED_USERS.open}{need.field}" if need.field in setting.custom_fields else need.field)
        there = held.is_not_null() & ~pl.col("filled_in") if need.field == "email" else held.is_not_null()
        count = None if column is None else int(people.select(there.sum()).item())
        percent = 100 * count // people.height if count is not None and people.height else None
        rows.append(
            (need.field, need.criterion, need.attribute, need.source or None, need.by_default, column,
             people.height, count, percent)
        )  # fmt: skip
    return frames.check(pl.DataFrame(rows, schema=frames.polars_types(frames.SENDS), orient="row"), frames.SENDS)
