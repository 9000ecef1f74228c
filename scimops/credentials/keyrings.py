"""Secrets in the system's keyring, under the service "scimops".

A keyring's own errors are never told, not even as the context of ours: they may hold what was to be stored.
"""

from __future__ import annotations

from typing import Final

from scimops.credentials.files import taken_already
from scimops.credentials.references import CredentialError, Reference
from scimops.tokens import Secret

SERVICE: Final = "scimops"


def keyring_works() -> bool:
    """Has this computer a keyring that is safe without being asked for?"""
    import keyring

    try:
        return bool(keyring.get_keyring().priority >= 1)  # below 1: none, or one that its authors do not recommend
    except Exception:  # a backend may raise what it likes
        return False


def read_entry(where: Reference) -> Secret:
    """The entry of a reference.

    Raises:
        CredentialError: there is none, or no keyring.
    """
    secret, problem = _ask("get", where.name)
    if problem:
        raise _fault(where, problem)
    if not secret.reveal():
        raise CredentialError("The keyring has no such entry.", where=str(where),
                              advice="`scimops connection add` stores one.")  # fmt: skip
    return secret


def write_entry(where: Reference, secret: Secret, *, overwrite: bool) -> None:
    """Put a secret into the keyring, and look whether it is there.

    Raises:
        UsageError: there is one already.
        CredentialError: the keyring cannot be used.
    """
    before, problem = _ask("get", where.name)
    if not problem and before.reveal() and not overwrite:
        raise taken_already(where)
    if not problem:
        _, problem = _ask("set", where.name, secret)
    if not problem:
        after, problem = _ask("get", where.name)
        problem = problem or ("" if after == secret else "it does not keep what is put into it")
    if problem:
        raise _fault(where, problem)


def delete_entry(where: Reference) -> bool:
    """Delete an entry; was there one?

    Raises:
        CredentialError: the keyring cannot be used.
    """
    before, problem = _ask("get", where.name)
    if not problem and not before.reveal():
        return False
    if not problem:
        _, problem = _ask("delete", where.name)
    if problem:
        raise _fault(where, problem)
    return True


def _ask(deed: str, name: str, secret: Secret | None = None) -> tuple[Secret, str]:
    """The entry, and what is wrong."""
    import keyring
    from keyring.errors import KeyringLocked, NoKeyringError

    try:
        if deed == "set" and secret is not None:
            keyring.set_password(SERVICE, name, secret.reveal())
        elif deed == "delete":
            keyring.delete_password(SERVICE, name)
        else:
            return Secret(keyring.get_password(SERVICE, name) or ""), ""
    except NoKeyringError:
        return Secret(""), "this computer has none that works"
    except KeyringLocked:
        return Secret(""), "it is locked"
    except Exception as error:  # a backend may raise what it likes
        return Secret(""), f"it fails with {type(error).__name__}"
    return Secret(""), ""


def _fault(where: Reference, problem: str) -> CredentialError:
    return CredentialError(
        f"The keyring cannot be used: {problem}.", where=str(where),
        advice="Unlock it, or keep the secret in a file (file:NAME) or in an environment variable (env:SCIMOPS_NAME).",
    )  # fmt: skip
