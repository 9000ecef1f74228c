"""What the panels of create_setting are about, without any widget: the document, saved at every step, and the platform.

Each method is one call, or a few, of scimops's public functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from scimops.attributes import normal_path
from scimops.capabilities import PUBLISHED
from scimops.create_setting import create as steps
from scimops.create_setting.check import Check, check
from scimops.create_setting.look import Look, look
from scimops.create_setting.record import Created, read_record, write_record
from scimops.errors import UsageError
from scimops.idp import read_export
from scimops.preview import UNKNOWN, ExistingGroups, Preview, preview_export
from scimops.preview.groups import existing_groups
from scimops.setting import Setting, load_setting, quick_setting, save_setting
from scimops.yaml_documents import validated

if TYPE_CHECKING:
    from scimops.idp import Export
    from scimops.platform import Platform
    from scimops.tokens import Secret

SAMPLES = 2


@dataclass(frozen=True)
class Offer:
    """A SCIM attribute that can be mapped: the export's column for it, how full it is, some of its values.

    `field` is the custom field it goes to, None where it is not mapped.
    """

    attribute: str
    field: str | None
    column: str | None = None
    filled: int | None = None
    samples: tuple[str, ...] = ()


class Walk:
    """One document on its way to a platform. What is changed is on disk at once.

    `connection` is the name of a connection; empty: the one that was chosen last for this document, if any.
    """

    def __init__(self, document: Path, export: str = "", connection: str = "") -> None:
        self.document = document
        self.connection = connection or read_record(document).chosen or ""
        self.setting = load_setting(document) if document.exists() else quick_setting("department", "Everyone", "New")
        self.export: Export | None = None
        self.preview: Preview | None = None
        self.found: Look | None = None
        self._attributes: list[str] = []
        self._existing: ExistingGroups = UNKNOWN
        self._capabilities = PUBLISHED
        if export:
            self.read([Path(export)])

    # -- The document ------------------------------------------------------------------------------

    def change(self, **parts: Any) -> None:
        """Give the setting other parts, and save it.

        Raises:
            SettingError: it is no setting then; nothing is changed.
        """
        said = self.setting.model_dump(mode="json", exclude_defaults=True) | {"name": self.setting.name} | parts
        self.setting = validated(said, Setting, str(self.document))
        self.document.parent.mkdir(parents=True, exist_ok=True)
        save_setting(self.setting, self.document)
        self.found = None

    def map(self, attribute: str, field: str) -> None:
        """Have an attribute go to a custom field; an empty `field` takes the mapping away.

        Raises:
            SettingError: no field can have this name.
        """
        kept = [one.model_dump() for one in self.setting.field_mappings if not _same(one.attribute, attribute)]
        more = [{"attribute": attribute, "field": field.strip()}] if field.strip() else []
        gone = [one.field for one in self.setting.field_mappings if _same(one.attribute, attribute)]
        parts: dict[str, Any] = {"field_mappings": kept + more}
        if self.setting.grouping_field in gone and self.setting.grouping_field != field.strip():
            groups = self.setting.group_settings.model_dump(mode="json", exclude_defaults=True)
            parts["group_settings"] = groups | {"criterion": {"field": field.strip() or "department"}}
        self.change(**parts)

    # -- The people --------------------------------------------------------------------------------

    def read(self, files: Sequence[Path]) -> None:
        """Read the identity provider's export.

        Raises:
            ScimopsError: it cannot be read.
        """
        self.export = read_export(*files)

    def look_at_people(self) -> Preview | None:
        """The preview under the document as it is now; None without an export.

        Raises:
            ScimopsError: the setting does not fit the export.
        """
        if self.export is None:
            return None
        self.preview = preview_export(
            self.export,
            self.setting,
            existing=self._existing,
            folder=self.document.parent,
            capabilities=self._capabilities,
        )
        return self.preview

    def offers(self) -> list[Offer]:
        """The attributes that can be mapped, those with values in the export first."""
        mapped = {normal_path(one.attribute): one for one in self.setting.field_mappings}
        listed = {normal_path(path): path for path in self._attributes}
        listed |= {key: one.attribute for key, one in mapped.items() if key not in listed}
        offers = [
            self._offer(path, mapped[key].field if key in mapped else None)
            for key, path in listed.items()
            if not key.endswith(":department")  # a field of the platform's own: nothing to map
        ]
        return sorted(offers, key=lambda one: (one.field is None, -(one.filled or 0)))

    def _offer(self, attribute: str, field: str | None) -> Offer:
        column = self.export.column_of(attribute) if self.export else None
        if self.export is None or column is None:
            return Offer(attribute, field)
        values = self.export.frame({"custom.value": column})["custom.value"].drop_nulls()
        rows = max(self.export.rows, 1)
        samples = values.value_counts(sort=True).head(SAMPLES)["custom.value"].cast(pl.String).to_list()
        return Offer(attribute, field, column, 100 * values.len() // rows, tuple(samples))

    # -- The platform ------------------------------------------------------------------------------

    def connect(self, connection: str) -> None:
        """Read what the platform offers: its attributes, its groups, its rules.

        Raises:
            ScimopsError: it cannot be reached, or refuses.
        """
        with _platform(connection) as platform:
            self._attributes = [field["name"] for field in platform.scim_fields()]
            self._capabilities = platform.capabilities()
            self._existing = existing_groups(platform.target_groups(), platform.company().name)
        self.connection = connection
        record = read_record(self.document)
        if record.chosen != connection:
            write_record(self.document, record.model_copy(update={"chosen": connection}))

    def look(self) -> Look:
        """What is to be known before the setting is created; changes nothing."""
        with _platform(self.connection) as platform:
            self.found = look(platform, self.setting, self.look_at_people(), self.created, self.connection)
        return self.found

    def create(self, tell: steps.Tell) -> Secret | None:
        """Create the setting as it was looked at; its token, or None where it was there already.

        Raises:
            UsageError: it was not looked at since its last change.
            ScimopsError: the platform refuses, or cannot be reached.
        """
        if self.found is None:
            raise UsageError("The setting was changed since you looked.", advice="Look at the platform again.")
        save_setting(self.setting, self.document)
        with _platform(self.connection) as platform:
            outcome = steps.create(
                platform, self.document, self.setting, self.found, connection=self.connection, tell=tell
            )
        return outcome.token

    def renew(self) -> Secret:
        """A new token; the one that is in use ends at once."""
        with _platform(self.connection) as platform:
            return steps.renew_token(platform, self.document, self.connection)

    def copied(self) -> None:
        """Note that the token was copied."""
        steps.token_taken(self.document, self.connection, "copied")

    def store(self, reference: str, token: Secret) -> None:
        """Put the token into the keyring or a file, and note where.

        Raises:
            ScimopsError: there is no such place.
        """
        from scimops.credentials import store

        store(reference, token)
        steps.token_taken(self.document, self.connection, "stored", reference)

    def check(self) -> Check:
        """The document beside the platform."""
        with _platform(self.connection) as platform:
            return check(platform, self.document, self.setting, self.connection)

    @property
    def created(self) -> Created | None:
        """What the record beside the document says of this connection."""
        return read_record(self.document).connections.get(self.connection)


def _platform(connection: str) -> Platform:
    from scimops.connections import get_connection
    from scimops.platform import connect

    return connect(get_connection(connection))


def _same(one: str, other: str) -> bool:
    return normal_path(one) == normal_path(other)
