"""`companies.yaml`: for which companies a notebook runs, each with its own parameters, connection and limits.

::

    format: 1
    defaults:
      limits: {timeout: 3600}
    companies:
      - name: Acme
        connection: acme
        parameters:
          limit: 10
        environment:
          SCIMOPS_API_SECRET: keyring:acme-api

An entry says what is its own; the rest is that of the defaults. All of it is looked at before anything runs, and every
fault is told, with its line.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from scimops.connections import Name as ConnectionName
from scimops.connections import SecretReference, Text
from scimops.errors import SettingError
from scimops.touched import note_read
from scimops.yaml_documents import MAX_YAML, parse_yaml, read_text

if TYPE_CHECKING:
    from ruamel.yaml.comments import CommentedMap

LONGEST_NAME: Final = 64
_RESERVED = re.compile(r"con|prn|aux|nul|(com|lpt)\d")
"""What Windows takes for a device."""


def folder_of(name: str) -> str:
    """The folder of a company's name: lower case, whatever is no letter or digit is one hyphen; safe on each system."""
    folded = unicodedata.normalize("NFKC", name).casefold().replace("\u0307", "")  # what folding makes of İ
    folded = unicodedata.normalize("NFC", folded)
    return re.sub(r"[\W_]+", "-", folded).strip("-")


def _name(value: str) -> str:
    folder = folder_of(value)
    if not folder or len(folder.encode()) > LONGEST_NAME * 2 or _RESERVED.fullmatch(folder):
        raise ValueError("can be no folder's name; write letters and digits, no device of Windows such as con")
    return value


def _variable(value: str) -> str:
    if not re.fullmatch(r"SCIMOPS_[A-Z0-9_]{1,100}", value):
        raise ValueError("is no variable that begins with SCIMOPS_, in capitals")
    if value in (
        "SCIMOPS_LEDGER",
        "SCIMOPS_CONFIG",
        "SCIMOPS_CREDENTIALS_DIR",
        "SCIMOPS_NOTIFICATIONS",
        "SCIMOPS_PANEL",
    ):
        raise ValueError("is scimops' own, and holds no secret")
    return value


def _limit(value: float) -> float:
    if not 0 < value < float("inf"):
        raise ValueError("must be more than 0 seconds")
    return value


Seconds = Annotated[float, AfterValidator(_limit)]
Variable = Annotated[str, AfterValidator(_variable)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Limits(_Part):
    """How long a run may take."""

    timeout: Seconds | None = Field(None, description="seconds for the whole run")
    cell_timeout: Seconds | None = Field(None, description="seconds for each cell")


class Defaults(_Part):
    """What counts where an entry says nothing."""

    connection: ConnectionName | None = Field(None, description="fills the notebook's parameter `connection`")
    parameters: dict[str, Any] = Field({}, description="the notebook's parameters; never a secret")
    environment: dict[Variable, SecretReference] = Field(
        {}, description="variable of the run's environment: where its secret is, such as keyring:NAME"
    )
    limits: Limits = Field(default_factory=Limits)
    labels: dict[str, Text] = Field({}, description="for people and for routes; no run reads them")


class Company(Defaults):
    """One company."""

    name: Annotated[Text, Field(max_length=LONGEST_NAME), AfterValidator(_name)]
    company_id: Text | None = Field(None, description="its id on the platform; `scimops companies` knows it by it")

    @property
    def folder(self) -> str:
        """Name of its folder."""
        return folder_of(self.name)

    @property
    def variables(self) -> set[str]:
        """The environment's variables that hold its secrets, as far as this document names them."""
        named = [*self.environment.values(), *(v for v in self.parameters.values() if isinstance(v, str))]
        return {text.removeprefix("env:") for text in named if text.startswith("env:")}

    def over(self, defaults: Defaults) -> Company:
        """This entry over the defaults, key by key."""
        both = {name: getattr(defaults, name) | getattr(self, name) for name in ("parameters", "environment", "labels")}
        limits = defaults.limits.model_dump() | self.limits.model_dump(exclude_none=True)
        changes = {"connection": self.connection or defaults.connection, "limits": Limits(**limits)}
        return self.model_copy(update=both | changes)


class Companies(_Part):
    """The document, format 1."""

    format: Literal[1] = Field(1, description="version of this document's format")
    defaults: Defaults = Field(default_factory=Defaults)
    companies: list[dict[str, Any]] = Field([], description="one entry a company")


def read_document(path: Path) -> CommentedMap:
    """The document as it is written, with its lines; its form alone is checked.

    Raises:
        SettingError: there is no such file, or it is no such document.
    """
    if not path.is_file():
        raise SettingError("there is no such file.", where=str(path),
                           advice="scimops companies --connection NAME writes one.")  # fmt: skip
    if path.stat().st_size > MAX_YAML:
        raise SettingError("such a document is at most 1 MB.", where=str(path))
    note_read(path)
    return parse_yaml(read_text(path), str(path))
