"""One person, step by step: from the row of the file to the group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from scimops.errors import UsageError
from scimops.grouping import REASONS, group_key, identity_key
from scimops.mapping import PATHS

if TYPE_CHECKING:
    from scimops.preview import Preview


@dataclass(frozen=True)
class Explanation:
    """The steps by which one person got where they are; the last one is the result."""

    row: int
    file: str
    userName: str | None  # noqa: N815  # SCIM's name
    reason: str
    group: str | None
    steps: list[str]

    def to_dict(self) -> dict[str, Any]:
        """What `scimops preview --explain USER --json` prints, one for each matching row."""
        return vars(self)


def explain(preview: Preview, person: str) -> list[Explanation]:
    """Why `person` lands where they do; several explanations where several rows are that person.

    `person` is a userName, an e-mail address, an externalId, or a row number.

    Raises:
        UsageError: nobody in the export is called so.
    """
    key = identity_key(person)
    who = (pl.col("user_key") == key) | (pl.col("email_key") == key) | (pl.col("externalId") == person.strip())
    found = preview.people.filter(who.fill_null(False))
    if found.is_empty() and person.strip().isdecimal():
        found = preview.people.filter(pl.col("row") == int(person))
        lost = [row for row in preview.export.rejected if row.row == int(person)]
        if found.is_empty() and lost:
            return [_unreadable(preview, lost[0].row, lost[0].reason)]
    if found.is_empty():
        raise UsageError(
            f'Nobody in this export is "{person}".', advice="Give a userName, an e-mail address, an externalId or a row number."
        )
    groups = dict(preview.assignments.select("row", "group").iter_rows())
    return [_explained(preview, row, groups.get(row["row"])) for row in found.head(20).iter_rows(named=True)]


def _unreadable(preview: Preview, row: int, reason: str) -> Explanation:
    steps = [f"Row {row} of {preview.export.files[0]} could not be read: {reason}.", "They will be rejected."]
    return Explanation(row, preview.export.files[0], None, "rejected_unreadable", None, steps)


def _explained(preview: Preview, row: dict[str, Any], group: str | None) -> Explanation:
    reason = row["reason"]
    steps = [f"Row {row['row']} (line {row['line']}) of {row['file']}, a {preview.export.shape.title} file."]
    steps.append("; ".join(_read(preview, row)) + ".")
    steps.append(_activity(row, preview.mapped.columns.get("active")))
    if reason.startswith("rejected_") or reason == "out_of_scope":
        steps += _stopped(preview, row, reason)
    else:
        steps.append(_grouping(preview, row))
    steps.append(_result(reason, group))
    return Explanation(row["row"], row["file"], row["userName"], reason, group, steps)


def _read(preview: Preview, row: dict[str, Any]) -> list[str]:
    columns = preview.mapped.columns
    parts = []
    for name in ("externalId", "userName", "email"):
        column = columns.get(name)
        source = f"column {column}" if column else "no column"
        if name == "email" and row["filled_in"]:
            source = f"column {columns['userName']}, because {column} is empty"
        parts.append(f"{name} ({PATHS[name][0]}) is {_shown(row[name])}, from {source}")
    return parts


def _shown(value: object) -> str:
    return "blank" if value is None else f'"{value}"'


def _activity(row: dict[str, Any], column: str | None) -> str:
    if row["active"] is None:
        return "The export does not say whether the account is active, so it counts as active."
    return f"The account is {'active' if row['active'] else 'not active'}, says column {column}."


def _stopped(preview: Preview, row: dict[str, Any], reason: str) -> list[str]:
    if reason != "rejected_duplicate":
        return []
    same = (pl.col("user_key") == row["user_key"]) | (pl.col("email_key") == row["email_key"])
    others = preview.people.filter(same.fill_null(False) & (pl.col("n") != row["n"]))["row"].head(10).to_list()
    policy = preview.setting.group_settings.duplicates
    rows = ", ".join(str(number) for number in others)
    return [f"Row {rows} has the same userName or e-mail address; the setting says duplicates: {policy}."]


def _grouping(preview: Preview, row: dict[str, Any]) -> str:
    setting = preview.setting
    if setting.by_idp_groups:
        names = ", ".join(row["idp_groups"] or []) or "none"
        return f"The criterion is the identity provider's own groups; theirs: {names}."
    field = setting.grouping_field
    if field is None:
        return "The setting has no grouping criterion, so everyone is treated alike."
    value = row["value"]
    key = group_key(value) if value else ""
    column = preview.mapped.columns.get(field, "no column")
    text = f"The criterion is {field} (column {column}): {_shown(value)}"
    if not key:
        return f"{text}, which is blank."
    alias = preview.grouping.aliases.get(key)
    return f'{text}, whose key is "{key}"' + (f', and an alias leads to "{preview.grouping.alias_names[alias]}".' if alias else ".")


def _result(reason: str, group: str | None) -> str:
    sentence = f"This person {REASONS[reason]}"
    return f'{sentence}: "{group}".' if group else f"{sentence}."
