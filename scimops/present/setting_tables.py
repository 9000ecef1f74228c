"""Tables of the step create_setting for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from scimops.present.tables import add_row, findings_table, numbers_table, pairs_table, plain_table
from scimops.present.words import visible

if TYPE_CHECKING:
    from scimops.create_setting.check import Check
    from scimops.create_setting.look import Look
    from scimops.create_setting.record import Record
    from scimops.platform import SettingRow
    from scimops.preview import Preview
    from scimops.setting import Setting


def look_table(look: Look, setting: Setting, preview: Preview | None, *, dry_run: bool) -> list[RenderableType]:
    """What is known before a setting is created."""
    mode = " (dry run: nothing is made)" if dry_run else ""
    title = Text(visible(f'Setting "{setting.name}" for the company {look.company}{mode}'), style="bold")
    numbers: list[RenderableType] = [numbers_table(preview)] if preview else []
    return [title, *numbers, findings_table(look.findings)]


def check_table(check: Check, name: str, connection: str) -> list[RenderableType]:
    """How the document and the platform compare, and the way to a new setting where one is needed."""
    there = f" ({check.setting_id})" if check.setting_id else ""
    shown: list[RenderableType] = [Text(visible(f'"{name}" on {connection}{there}: {check.state}'), style="bold")]
    if check.differences:
        table = plain_table("Differences", "what", "document", "platform", "can it be changed?")
        for one in check.differences:
            add_row(table, one.what, one.document, one.platform, "no: a new setting" if one.fixed else "yes: rename")
        shown.append(table)
    if check.steps:
        shown.append(Text("The move, so that nobody falls out of a group:", style="bold"))
        shown += [Text(visible(f"{number}. {step}")) for number, step in enumerate(check.steps, 1)]
    return [*shown, *[Text(visible(note), style="dim") for note in check.notes]]


def show_table(setting: Setting, record: Record) -> list[RenderableType]:
    """What a document says, and what was created from it."""
    groups = setting.group_settings
    criterion = "the identity provider's groups" if setting.by_idp_groups else setting.grouping_field or "none"
    said = [
        ("name", setting.name), ("target group", groups.target_group or "none"), ("grouping criterion", criterion),
        ("aliases", _pairs(groups.aliases.items())),
        ("field mappings", _pairs((one.attribute, one.field) for one in setting.field_mappings)),
        ("duplicates", groups.duplicates), ("inactive", groups.inactive),
    ]  # fmt: skip
    shown: list[RenderableType] = [pairs_table("The document", said)]
    for name, created in record.connections.items():
        facts = [
            ("company", f"{created.company_name} ({created.company_id})"), ("setting", created.setting_id or "unknown"),
            ("URL for the identity provider", created.url or "see the platform's page"), ("token", created.token),
            ("created", f"{created.created:%Y-%m-%d %H:%M} UTC" if created.created else "not known"),
        ]  # fmt: skip
        shown.append(pairs_table(f"Created on {name}", facts))
    return shown


def list_table(rows: Sequence[SettingRow], company: str) -> Table:
    """The settings of a company."""
    table = plain_table(f"SCIM settings of {company}", "name", "target group", "groups by", "id", "created")
    for row in rows:
        add_row(
            table, row["name"], row["groupName"] or "none", row["groupByCustomFieldName"] or "none", row["resourceId"],
            row["createTime"][:10],
        )  # fmt: skip
    return table


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{key} → {value}" for key, value in pairs) or "none"
