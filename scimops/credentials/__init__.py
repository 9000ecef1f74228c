"""References to secrets: a document says where a secret is, never what it is. It is fetched at the moment of use.

| reference | the secret |
|---|---|
| `env:SCIMOPS_NAME` | an environment variable; no other one is ever read |
| `keyring:NAME` | an entry of the system's keyring, service "scimops" |
| `file:NAME` | a file in the credentials folder (`SCIMOPS_CREDENTIALS_DIR`) |
| `dir:NAME/KEY` | a file in a folder in that folder, as clusters mount secrets |
| `cmd:["pass", "show", "x"]` | what a command prints; its words in JSON, run without a shell |

Whatever is fetched or stored is known to :func:`redact` from then on.
"""

from __future__ import annotations

import os
import re

from scimops.credentials.commands import output_of
from scimops.credentials.files import LARGEST, delete_file, private_bytes, read_below, write_file
from scimops.credentials.keyrings import delete_entry, keyring_works, read_entry, write_entry
from scimops.credentials.redaction import MARKER, SHORTEST, known, known_secrets, redact
from scimops.credentials.references import CredentialError, Reference, parse_reference
from scimops.errors import UsageError
from scimops.tokens import Secret

__all__ = [
    "LARGEST", "MARKER", "CredentialError", "Reference", "forget", "keyring_works", "known", "known_secrets",
    "parse_reference", "private_bytes", "redact", "resolve", "store",
]  # fmt: skip


def resolve(reference: str) -> Secret:
    """The secret, fetched now.

    Raises:
        UsageError: `reference` is none.
        CredentialError: it is not there, may not be read, or is no secret.
    """
    where = parse_reference(reference)
    problem = ""
    if where.kind == "env":
        secret = _from_environment(where)
    elif where.kind == "keyring":
        secret = read_entry(where)
    else:
        secret, problem = _decoded(_printed(where) if where.command else read_below(where))
    _refuse(secret, where, problem)
    return known(secret)


def store(reference: str, secret: Secret, *, overwrite: bool = False) -> None:
    """Put `secret` where a `keyring:` or `file:` reference says, whole or not at all.

    Raises:
        UsageError: another kind of reference, or there is a secret already that was not to be overwritten.
        CredentialError: it cannot be stored there, or is no secret.
    """
    where = parse_reference(reference)
    if where.kind not in ("keyring", "file"):
        raise UsageError(f"A {where.kind}: reference is only read.", advice="Store it as keyring:NAME or file:NAME.")
    _refuse(secret, where)
    known(secret)
    (write_entry if where.kind == "keyring" else write_file)(where, secret, overwrite=overwrite)


def forget(reference: str) -> bool:
    """Delete what a `keyring:` or `file:` reference names; was there something?

    Raises:
        UsageError: another kind of reference.
        CredentialError: it cannot be deleted.
    """
    where = parse_reference(reference)
    if where.kind not in ("keyring", "file"):
        raise UsageError(f"A {where.kind}: reference is only read.", advice="Delete the secret where it is kept.")
    return (delete_entry if where.kind == "keyring" else delete_file)(where)


def _from_environment(where: Reference) -> Secret:
    secret = Secret(os.environ.get(where.name, ""))
    if not secret.reveal():
        raise CredentialError(f"The environment variable {where.name} is not set.", advice="Set it where this runs.")
    return secret


def _printed(where: Reference) -> bytes:
    data, problem = output_of(where.command, LARGEST + 1)
    if not problem:
        return data
    del data
    raise CredentialError(f"The command {problem}.", where=str(where), advice="Run it by hand to see why.")


def _decoded(data: bytes) -> tuple[Secret, str]:
    """The secret in what was read, and what is wrong with it; one line's end is not part of it."""
    if len(data) > LARGEST:
        return Secret(""), f"it is larger than {LARGEST >> 10} KiB"
    try:
        return Secret(re.sub(r"\r?\n\Z", "", data.decode("utf-8-sig"))), ""
    except UnicodeDecodeError:
        return Secret(""), "it is not UTF-8 text"


def _refuse(secret: Secret, where: Reference, problem: str = "") -> None:
    if not problem and not secret.reveal():
        problem = "it is empty"
    if not problem and not secret.reveal().isprintable():
        problem = "it is more than one line, or holds control characters"
    if not problem and len(secret.reveal()) < SHORTEST:
        problem = f"it has fewer than {SHORTEST} characters"
    if problem:
        raise CredentialError(f"That is no secret: {problem}.", where=str(where), advice="Put the right one there.")
