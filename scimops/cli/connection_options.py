"""What `scimops connection add` is told, as connections: by options, or by the file of `scimops serve`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scimops.connections import Connection
from scimops.credentials import private_bytes
from scimops.errors import UsageError
from scimops.tokens import Secret
from scimops.yaml_documents import validated

SCIM = "/scim/v2"
LATER = "env:SCIMOPS_ASKED_FOR_LATER"
"""Stands for the reference while everything else is looked at: nobody types a secret for a wrong URL."""


def connection_of(name: str, said: dict[str, Any], reference: str = LATER) -> Connection:
    """The connection that options mean; those that are empty say nothing.

    Raises:
        SettingError: something in it is wrong.
    """
    secret = "token" if said["kind"] == "scim" else "client_secret"
    values = {key: value for key, value in said.items() if value != ""}
    return validated({"name": name, **values, secret: reference}, Connection, "the options")


def with_company(connection: Connection, company_id: str, company_name: str) -> Connection:
    """The connection, which names the company that it acts for."""
    said = connection.model_dump(exclude_defaults=True)
    company = {"name": connection.name, "company_id": company_id, "company_name": company_name}
    return validated(said | company, Connection, "the platform's answer")


def read_credentials(file: Path, name: str, said: dict[str, Any]) -> list[tuple[Connection, Secret | None]]:
    """A connection `name` to the management API and one `name`-scim, as far as the file holds their secrets.

    Args:
        file: for its owner alone.
        name: of the first connection.
        said: what the options say; they count more than the file.

    Raises:
        CredentialError: the file cannot be read, or everybody may.
        UsageError: it is no such file.
    """
    values = _values(file)
    scim_url = values.get("url", "")
    found: list[tuple[Connection, Secret | None]] = []
    if "client_id" in values and "client_secret" in values:
        url = said["url"] or scim_url.removesuffix(SCIM)
        if not url:
            raise UsageError("The file does not say where the platform is.", where=str(file), advice="Say --url.")
        own = said | {"kind": "platform", "url": url, "client_id": values["client_id"]}
        found.append((connection_of(name, own), Secret(values["client_secret"])))
    if "token" in values and scim_url:
        own = {key: said[key] for key in ("ca_file", "proxy", "timeout")} | {"kind": "scim", "url": scim_url}
        found.append((connection_of(f"{name}-scim", own), Secret(values["token"])))
    if not found:
        raise _no_credentials(file)
    return found


def _values(file: Path) -> dict[str, str]:
    try:
        values = json.loads(private_bytes(file))
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise _no_credentials(file)
    return values


def _no_credentials(file: Path) -> UsageError:
    return UsageError("This is no file of credentials.", where=str(file),
                      advice="`scimops serve --credentials-file FILE` writes one at its first start.")  # fmt: skip
