"""Connections: named pairs of a URL and a reference to a credential, in the user's own configuration.

A setting, a parameter or a schedule names a connection and carries neither, so that no document can send a secret
elsewhere. They stand in `connections.yaml` in the configuration folder (`SCIMOPS_CONFIG`)::

    format: 1
    connections:
      acme:
        kind: platform
        url: https://api.example.com
        client_id: scimops_client_x
        client_secret: keyring:acme-client-secret
"""

from __future__ import annotations

import ipaddress
import json
import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from scimops.config import config_dir
from scimops.credentials import parse_reference
from scimops.credentials.files import open_to_all, why
from scimops.errors import SettingError, UsageError, nearest
from scimops.tokens import TOKENS
from scimops.yaml_documents import load_document, save_document

LONGEST: Final = 600.0
"""Seconds of a time-out at most."""

_METADATA = frozenset({"metadata.google.internal", "metadata", "100.100.100.200", "168.63.129.16", "fd00:ec2::254"})
"""Where clouds tell a computer its own credentials, beside the link-local addresses."""


def checked_url(url: str, *, plain: bool = False) -> str:
    """`url` with its host in lower case and no slash at its end; `plain`: http to another computer is right too.

    Raises:
        ValueError: it may not be talked to; says why, and nothing of a user or password in it.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise ValueError("is no URL; such are https://api.example.com") from None
    if not re.fullmatch(r"[!-~]+", url) or "\\" in url or not host or parts.scheme not in ("https", "http"):
        raise ValueError("is no URL; such are https://api.example.com")
    if "@" in parts.netloc:
        raise ValueError("holds a user or password; leave them out")
    if "?" in url or "#" in url:
        raise ValueError("goes on after its path; leave out what follows ? or #")
    address = _address(host)
    if host in _METADATA or (address and (address.is_link_local or address.is_multicast or address.is_unspecified)):
        raise ValueError("leads to a link-local or metadata address, where no platform is")
    if parts.scheme == "http" and not plain and not (host == "localhost" or (address and address.is_loopback)):
        raise ValueError("is http to another computer, which is not private; write https")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{port}' if port is not None else ''}{parts.path.rstrip('/')}"


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host is, however it is packed; None for a name."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        if re.fullmatch(r"\d+|0x[0-9a-f]*", host.rpartition(".")[2]):  # 2852039166 and 0xa9.254.43518 are addresses too
            raise ValueError("has an address in an unusual form; write four numbers such as 192.0.2.7") from None
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or address.sixtofour or address
    return address


def _name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", value) or TOKENS.search(value):
        raise ValueError("is no name of a connection; write letters, digits, - and _, at most 64")
    return value


def _text(value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise ValueError("must not be blank or hold control characters")
    if TOKENS.search(value):
        raise ValueError("holds a token, which is safe nowhere here; renew that token, and give a reference")
    return value


def _seconds(value: float) -> float:
    if not 0 < value <= LONGEST:
        raise ValueError(f"must be more than 0 and at most {LONGEST:g} seconds")
    return value


def _whole_path(value: str) -> str:
    if not Path(value).is_absolute():
        raise ValueError("must be a whole path, from the root")
    return value


def _command(value: Any) -> Any:
    """A list is the words of a command."""
    return f"cmd:{json.dumps(value, ensure_ascii=False)}" if isinstance(value, list) else value


def _reference(value: str) -> str:
    try:
        parse_reference(value)
    except UsageError as error:
        wrong = f"is no reference: {error.message.rstrip('.')}", error.advice
    else:
        return value
    raise ValueError(f"{wrong[0]}. {wrong[1].rstrip('.')}")


Name = Annotated[str, AfterValidator(_name)]
Text = Annotated[str, Field(max_length=256), AfterValidator(_text)]
Url = Annotated[Text, AfterValidator(checked_url)]
Proxy = Annotated[Text, AfterValidator(lambda url: checked_url(url, plain=True))]
SecretReference = Annotated[str, BeforeValidator(_command), AfterValidator(_reference)]

_ONLY = {"platform": ("client_id", "client_secret", "company_id", "company_name", "reseller"), "scim": ("token",)}
_NEEDED = {"platform": ("client_id", "client_secret"), "scim": ("token",)}


class Connection(BaseModel):
    """One connection: to a platform's management API, or to a SCIM endpoint."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    name: Name = Field(exclude=True, description="its key in the document")
    kind: Literal["platform", "scim"] = Field(description="platform: the management API; scim: a SCIM endpoint")
    url: Url = Field(description="https, or http on this computer")
    client_id: Text = Field("", description="platform: client id of the credential")
    client_secret: SecretReference = Field("", description="platform: where its secret is, such as keyring:NAME")
    company_id: Text | None = Field(None, description="platform: id of the company the credential must act for")
    company_name: Text | None = Field(None, description="platform: its name; both are compared before anything is done")
    reseller: bool = Field(False, description="platform: is it a reseller's credential? Then company_id is needed")
    token: SecretReference = Field("", description="scim: where the setting's token is")
    ca_file: Annotated[Text, AfterValidator(_whole_path)] | None = Field(
        None, description="PEM file of the certificates to trust instead of this computer's"
    )
    proxy: Proxy | None = Field(None, description="URL of the proxy, without user and password")
    timeout: Annotated[float, AfterValidator(_seconds)] = Field(30.0, description="seconds to wait for an answer")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for kind, keys in _ONLY.items():
            for key in keys:
                if kind != self.kind and getattr(self, key):
                    raise _wrong(self.name, key, f"is only for kind: {kind}", "Take it out.")
        for key in _NEEDED[self.kind]:
            if not getattr(self, key):
                raise _wrong(self.name, key, "is missing", f"A connection of kind: {self.kind} needs it.")
        if self.reseller and not self.company_id:
            raise _wrong(self.name, "company_id", "is missing", "A reseller's credential acts for a company.")
        return self

    @property
    def reference(self) -> str:
        """Where its secret is."""
        return self.client_secret if self.kind == "platform" else self.token

    @property
    def usual_references(self) -> tuple[str, str]:
        """Where `scimops connection add` stores its secret: in the keyring, or in a file."""
        name = f"{self.name}-{'client-secret' if self.kind == 'platform' else 'token'}"
        return f"keyring:{name}", f"file:{name}"


class Connections(BaseModel):
    """All connections, format 1."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)

    format: Literal[1] = Field(1, description="version of this document's format")
    connections: dict[str, Connection] = Field({}, description="name: connection")

    @field_validator("connections", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: {"name": name, **inner} if isinstance(inner, dict) else inner for name, inner in value.items()}

    @property
    def names(self) -> list[str]:
        """The names, in order."""
        return list(self.connections)

    @model_validator(mode="after")
    def _keys_are_names(self) -> Self:
        for key, connection in self.connections.items():
            if connection.name != key:
                raise _wrong(key, "name", "is not the name it stands under", "Take it out.")
        return self


def connections_file() -> Path:
    """Where the connections stand."""
    return config_dir() / "connections.yaml"


def load_connections() -> Connections:
    """Every connection; none where there is no file yet.

    Raises:
        SettingError: something in the file is wrong, or everybody may change it.
    """
    file = connections_file()
    if not file.exists():
        return Connections()
    for place in (file, file.parent):
        if open_to_all(place):
            raise SettingError(
                "everybody may change it, and so send your secrets elsewhere.", where=str(place),
                advice=f"Look at what {file} says, then set the mode to {'0600' if place == file else '0700'}.",
            )  # fmt: skip
    return load_document(file, Connections)


def save_connections(connections: dict[str, Connection]) -> None:
    """Write them, for the owner alone; comments are kept.

    Raises:
        SettingError: they cannot be written there.
    """
    file, problem = connections_file(), ""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        save_document(Connections(connections=connections), file)
        file.chmod(0o600)
    except OSError as error:
        problem = why(error)
    if problem:
        raise SettingError(
            f"it cannot be written: {problem}.", where=str(file), advice="SCIMOPS_CONFIG names a folder."
        )


def get_connection(name: str) -> Connection:
    """The connection of this name.

    Raises:
        UsageError: there is none; names the nearest.
    """
    connections = load_connections().connections
    if name in connections:
        return connections[name]
    raise UsageError(f'There is no connection "{name}".', advice=_known_names(name, connections))


def add_connection(connection: Connection, *, replace: bool = False) -> None:
    """Add a connection, or with `replace` put it in the place of the one of this name.

    Raises:
        UsageError: there is one of this name.
    """
    connections = load_connections().connections
    if connection.name in connections and not replace:
        raise UsageError(
            f'There is a connection "{connection.name}" already.', advice="Choose another name, or say --replace."
        )
    save_connections(connections | {connection.name: connection})


def remove_connection(name: str) -> Connection:
    """Take a connection out; its secret stays where it is.

    Raises:
        UsageError: there is none.
    """
    removed = get_connection(name)
    save_connections({other: one for other, one in load_connections().connections.items() if other != name})
    return removed


def _known_names(name: str, connections: dict[str, Connection]) -> str:
    if not connections:
        return "There is none yet; make one with `scimops connection add NAME`."
    return nearest(name, connections) or f"Known: {', '.join(connections)}."


def _wrong(name: str, key: str, what: str, advice: str) -> PydanticCustomError:
    """What :mod:`scimops.yaml_documents` shows with the line of the key."""
    return PydanticCustomError("wrong_key", "{text}", {"text": f"connections.{name}.{key}|{what}|{advice}"})
