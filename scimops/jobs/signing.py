"""Ed25519 signatures of the ledger: a key pair of the user, whose private half never leaves their configuration.

The private key is `ledger.key` below the configuration (`SCIMOPS_CONFIG`), its owner's alone; `ledger.pub` beside it
is what an auditor is given.
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scimops.config import config_dir
from scimops.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

UNSIGNED: Final = "Nothing in this ledger is signed: it detects accidents, not the owner."


def key_file() -> Path:
    """Where the private key is."""
    return config_dir() / "ledger.key"


def public_key_file() -> Path:
    """Where the public key is."""
    return config_dir() / "ledger.pub"


@dataclass(frozen=True)
class Signer:
    """Signs hashes; `public` is its public key as 64 hexadecimal digits."""

    public: str
    _private: Ed25519PrivateKey

    def sign(self, digest: str) -> str:
        """The signature of a hash's letters, as 128 hexadecimal digits."""
        return self._private.sign(digest.encode()).hex()


def make_key() -> Path:
    """Make the key pair; gives the file of the public key.

    Raises:
        UsageError: there is one already, or it cannot be written.
    """
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.generate()
    secret = private.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    public = private.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    problem = ""
    try:
        config_dir().mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_once(key_file(), secret, 0o600)
        with contextlib.suppress(FileNotFoundError):
            public_key_file().unlink()  # of a private key that is gone
        _write_once(public_key_file(), public, 0o644)
    except FileExistsError:
        problem = "There is a key already."
    except OSError as error:
        problem = f"The key cannot be written: {error.strerror or type(error).__name__}."
    if problem:
        raise UsageError(problem, where=str(key_file()), advice="Keep it: what it signed can be checked only with it.")
    return public_key_file()


def signer() -> Signer | None:
    """The user's signer; None where there is no key.

    Raises:
        CredentialError: the key may be read by everybody, or not at all.
        UsageError: it is no Ed25519 key.
    """
    if not key_file().exists():
        return None
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from scimops.credentials import private_bytes

    try:
        private = form.load_pem_private_key(private_bytes(key_file()), password=None)
    except (ValueError, TypeError):
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        raise UsageError("this is no Ed25519 key.", where=str(key_file()), advice="Move it away; the next run asks.")
    raw = private.public_key().public_bytes(form.Encoding.Raw, form.PublicFormat.Raw)
    return Signer(raw.hex(), private)


def read_public_key(text: str) -> str:
    """The public key of a file (PEM), or written out as 64 hexadecimal digits, as 64 digits.

    Raises:
        UsageError: it is neither.
    """
    if re.fullmatch("[0-9a-fA-F]{64}", text):
        return text.lower()
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key: object = form.load_pem_public_key(Path(text).read_bytes())
    except OSError as error:
        raise UsageError(f"the key cannot be read: {error.strerror}.", where=text, advice="Name ledger.pub.") from error
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError("this is no public Ed25519 key.", where=text, advice="Name ledger.pub, never ledger.key.")
    return key.public_bytes(form.Encoding.Raw, form.PublicFormat.Raw).hex()


def signature_fits(public: str, digest: str, signature: str) -> bool:
    """Did the owner of the private half of `public` sign `digest`? Written in lower case, so that there is one way."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if not re.fullmatch("[0-9a-f]{128}", signature):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), digest.encode())
    except (ValueError, InvalidSignature):
        return False
    return True


def _write_once(path: Path, data: bytes, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
