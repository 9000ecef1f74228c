"""Small exports made by hand: people as dicts, written as Entra's Download users, read and previewed."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from scimops.capabilities import PUBLISHED, Capabilities
from scimops.idp import Export, read_export
from scimops.preview import UNKNOWN, ExistingGroups, Preview, preview_export
from scimops.setting import Setting

Row = Mapping[str, str]
Person = Callable[..., dict[str, str]]
Read = Callable[..., Export]
Look = Callable[..., Preview]


@pytest.fixture(scope="session")
def person() -> Person:
    """The row of an ordinary person, number `n` of a company; keyword arguments change cells."""

    def make(n: int, **cells: str) -> dict[str, str]:
        usual = {
            "userPrincipalName": f"p{n}@example.com", "displayName": f"Person {n}", "givenName": f"Pia {n}",
            "surname": "Muster", "mail": f"p{n}@example.com", "department": "Sales", "accountEnabled": "True",
            "userType": "Member", "objectId": f"id-{n}",
        }  # fmt: skip
        return usual | cells

    return make


def as_csv(rows: Sequence[Row], **options: Any) -> str:
    """Rows as CSV with CRLF (so that the writer quotes both); the columns are those of all rows."""
    out = io.StringIO()
    headers = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(out, headers, restval="", lineterminator="\r\n", **options)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


@pytest.fixture(scope="session")
def read(tmp_path_factory: pytest.TempPathFactory) -> Read:
    """Writes each argument (rows, or the very text) to a file of its own and reads them as one export."""

    def write_and_read(*files: Sequence[Row] | str, name: str = "users.csv", **options: Any) -> Export:
        folder = tmp_path_factory.mktemp("exports")
        paths: list[Path] = []
        for number, content in enumerate(files, 1):
            paths.append(folder / (name if len(files) == 1 else f"{number}-{name}"))
            text = content if isinstance(content, str) else as_csv(content)
            paths[-1].write_bytes(text.encode())
        return read_export(*paths, **options)

    return write_and_read


def setting_of(**parts: Any) -> Setting:
    """A setting by department with the target group Everyone; `group_settings` changes single keys."""
    groups = {"criterion": {"field": "department"}, "target_group": "Everyone"} | parts.pop("group_settings", {})
    return Setting.model_validate({"name": "Test", "group_settings": groups} | parts)


@pytest.fixture(scope="session")
def look(read: Read) -> Look:
    """The preview of files (see `read`) or of an export; keyword arguments are parts of the setting."""

    def preview(
        *files: Sequence[Row] | str | Export,
        existing: ExistingGroups = UNKNOWN,
        channel: str = "idp",
        backend: str = "polars",
        folder: Path | str = ".",
        shape: str | None = None,
        name: str = "users.csv",
        capabilities: Capabilities = PUBLISHED,
        **parts: Any,
    ) -> Preview:
        first = files[0]
        export = first if isinstance(first, Export) else read(*files, shape=shape, name=name)
        setting = setting_of(**parts)
        return preview_export(
            export, setting, existing=existing, channel=channel, backend=backend, folder=folder,
            capabilities=capabilities,
        )  # fmt: skip

    return preview


@pytest.fixture(scope="session")
def landings() -> Callable[[Preview], list[tuple[str, str | None]]]:
    """Reason and group of every row, in the order of the file."""

    def of(preview: Preview) -> list[tuple[str, str | None]]:
        return list(preview.assignments.select("reason", "group").iter_rows())

    return of
