"""The record beside a setting's document: what was created from it, where. No secret is in it.

`setting.yaml` is what people review; `setting.record.json` beside it says, for each connection, which ids the platform
gave. Before a setting is created, the record says that it is about to be: an answer that never came is found again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scimops.errors import SettingError
from scimops.setting import Setting
from scimops.yaml_documents import write_whole


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Created(_Part):
    """One setting on one platform, made from the document; `setting_id` is null while the answer has not come."""

    company_id: str
    company_name: str
    name: str
    setting_id: str | None = None
    url: str | None = Field(None, description="where the identity provider sends people; null: not known")
    target_group_id: str | None = None
    custom_fields: dict[str, str] = Field(default_factory=dict, description="field: its resource id")
    digest: str = Field(description="SHA-256 of what the platform was told")
    begun: dt.datetime = Field(description="when the platform was about to be asked")
    created: dt.datetime | None = None
    token: Literal["not taken", "copied", "stored"] = "not taken"  # noqa: S105  # a state, no secret
    token_reference: str | None = Field(None, description="where the token was stored, such as keyring:NAME")


class Record(_Part):
    """All that was created from one document, by connection."""

    format: Literal[1] = 1
    chosen: str | None = Field(None, description="the connection that was chosen last, so that a reload keeps it")
    connections: dict[str, Created] = Field(default_factory=dict)


def record_path(document: str | Path) -> Path:
    """Where the record of a document is: `setting.yaml` has `setting.record.json`."""
    return Path(document).with_suffix(".record.json")


def read_record(document: str | Path) -> Record:
    """The record of a document; an empty one where nothing was created yet.

    Raises:
        SettingError: the record is not one of ours, or of a later version.
    """
    path = record_path(document)
    if not path.exists():
        return Record()
    try:
        return Record.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, ValueError, OSError) as error:
        raise SettingError(
            "this is no record of scimops.", where=str(path),
            advice="Move it away; `scimops setting check` then looks the setting up on the platform by its name.",
        ) from error  # fmt: skip


def write_record(document: str | Path, record: Record) -> None:
    """Write the record whole or not at all."""
    write_whole(record_path(document), json.dumps(record.model_dump(mode="json"), indent=2) + "\n")


def digest_of(setting: Setting) -> str:
    """SHA-256 of what a platform is told of a setting: name aside, what can never be changed there."""
    groups = setting.group_settings.model_dump(mode="json")
    told = {"field_mappings": [mapping.model_dump() for mapping in setting.field_mappings], "group_settings": groups}
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
