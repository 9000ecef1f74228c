"""One person, step by step: from the row of the file to the group."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from scimops.attributes import PATHS
from scimops.errors import UsageError
from scimops.grouping import ARRIVING, REASONS, group_key, identity_key
from scimops.preview.checks.common import listed

if TYPE_CHECKING:
    from scimops.preview import Preview

_ROW = re.compile(r"[0-9]{1,18}")
_MOST = 20


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
    found, lost = preview.placed.filter(who.fill_null(False)), []
    if found.is_empty() and _ROW.fullmatch(person.strip()):
        found = preview.placed.filter(pl.col("row") == int(person))
        lost = _unreadable(preview, int(person))
    if found.is_empty() and not lost:
        advice = "Give a userName, an e-mail address, an externalId or a row number."
        raise UsageError(f'Nobody in this export is "{person}".', advice=advice)
    return [_explained(preview, row) for row in found.head(_MOST).iter_rows(named=True)] + lost


def _unreadable(preview: Preview, number: int) -> list[Explanation]:
    """The row `number` of each file where it could not be read."""
    found = []
    for part in preview.export.parts:
        for row in part.table.rejected:
            if row.row == number:
                name = part.source.name
                steps = [f"Row {number} of {name} could not be read: {row.reason}.", "It will be rejected."]
                found.append(Explanation(number, name, None, "rejected_unreadable", None, steps))
    return found


def _explained(preview: Preview, row: dict[str, Any]) -> Explanation:
    reason, group = row["reason"], row["group"]
    line = f" (line {row['line']})" if row["line"] is not None else ""
    steps = [f"Row {row['row']}{line} of {row['file']} ({preview.export.shape.title})."]
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
    clashing = pl.col("reason").is_in([*ARRIVING, "inactive", "rejected_duplicate"]) & (pl.col("n") != row["n"])
    others = [str(number) for number in preview.people.filter(same & clashing)["row"]]
    who = f"Row {others[0]} has" if len(others) == 1 else f"Rows {listed(others, 10)} have"
    policy = preview.setting.group_settings.duplicates
    return [f"{who} the same userName or e-mail address; the setting says duplicates: {policy}."]


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
    return f'{text}, whose key is "{key}"' + (
        f', and an alias leads to "{preview.grouping.alias_names[alias]}".' if alias else "."
    )


def _result(reason: str, group: str | None) -> str:
    sentence = f"This person {REASONS[reason]}"
    return f'{sentence}: "{group}".' if group else f"{sentence}."
