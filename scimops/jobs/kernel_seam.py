"""Where a job's messages leave its kernel: secrets are taken out there, and the runner is told of them.

A notebook fetches its secrets inside the kernel, so only the kernel knows them. Two things follow, at the one place
that every message passes (the session's serialiser):

- whatever the kernel knows is taken out of a message before it is sent;
- each message carries what the kernel knows, masked with the key of this kernel's connection, in its metadata, which is
  never saved. So the runner can take out what was printed in pieces, and what a process beside the kernel printed.

The reply of a cell that failed also carries the exit code of the error where it is one of scimops.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final

from scimops.credentials import known, known_secrets, redact
from scimops.credentials.redaction import SHORTEST
from scimops.tokens import Secret

FIELD: Final = "scimops"
"""The key in a message's metadata that holds what the runner is told."""

INSTALL: Final = f"__import__({__name__!r}, fromlist=['install']).install()"
"""What the runner has its kernel execute before the first cell; leaves no name behind."""

_SECRET_NAME = re.compile(r"(SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|API_?KEY|ACCESS_KEY|PRIVATE_KEY)$", re.IGNORECASE)
_OURS = re.compile(
    r"SCIMOPS_(?!(CONFIG|CREDENTIALS_DIR|LEDGER|NOTIFICATIONS|MAX_BYTES|DEBUG|PANEL|SCREENSHOTS)$|(SERVE|FUZZ|TEST)_)"
)
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def know_environment(environment: Mapping[str, str]) -> None:
    """From now on secrets in `environment` are redacted: those that `env:` may read, and those that are named so."""
    for name, value in environment.items():
        if (_OURS.match(name) or _SECRET_NAME.search(name)) and len(value) >= SHORTEST and value.isprintable():
            known(Secret(value))


def redacted(value: Any) -> Any:
    """A copy of `value` (texts, lists and mappings in one another) without a known secret, in keys neither."""
    if isinstance(value, str):
        return _redacted_text(value)
    if isinstance(value, dict):
        return {redacted(key): redacted(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(inner) for inner in value]
    return value


def _redacted_text(text: str) -> str:
    """Colours go where they break a secret in pieces."""
    if "\x1b" in text:
        plain = _ANSI.sub("", text)
        clean = redact(plain)
        return text if clean == plain else clean
    return redact(text)


def install() -> None:
    """In a kernel: put the seam where its messages leave."""
    from IPython import get_ipython

    know_environment(os.environ)
    _Seam(get_ipython())


class _Seam:
    """Stands before the serialiser of a kernel's session."""

    def __init__(self, shell: Any) -> None:
        self._session = shell.kernel.session
        self._serialize = self._session.serialize
        self._masked: dict[Secret, str] = {}
        self._exit_code: int | None = None
        self._session.serialize = self.serialize
        shell.events.register("post_run_cell", self._note)

    def serialize(self, message: dict[str, Any], ident: Any = None) -> Any:
        """The bytes of `message` without secrets, with word of them for the runner."""
        told: dict[str, Any] = {"known": [self._mask(secret) for secret in known_secrets()]}
        if message.get("msg_type") == "execute_reply":
            told["exit_code"] = self._exit_code
        metadata = {**redacted(message.get("metadata") or {}), FIELD: told}
        return self._serialize({**message, "content": redacted(message.get("content")), "metadata": metadata}, ident)

    def _mask(self, secret: Secret) -> str:
        if secret not in self._masked:
            self._masked[secret] = mask(secret, self._session.key)
        return self._masked[secret]

    def _note(self, result: Any) -> None:
        """Keep the exit code of what a cell raised, for its reply."""
        from scimops.errors import ScimopsError

        error = result.error_before_exec or result.error_in_exec
        self._exit_code = error.exit_code if isinstance(error, ScimopsError) else None


def listen(session: Any) -> None:
    """In the runner: whatever a message that arrives by `session` says is known, is known here before it is handled."""
    deserialize: Callable[..., dict[str, Any]] = session.deserialize
    heard: set[str] = set()

    def hearing(*arguments: Any, **options: Any) -> dict[str, Any]:
        message = deserialize(*arguments, **options)
        for masked in message["metadata"].get(FIELD, {}).get("known", ()):
            if masked not in heard:
                heard.add(masked)
                known(unmask(masked, session.key))
        return message

    session.deserialize = hearing


def mask(secret: Secret, key: bytes) -> str:
    """`secret` so that it stands in no message as it is; who has the connection's `key` reads it."""
    salt = secrets.token_bytes(16)
    return base64.b64encode(salt + _mixed(secret.reveal().encode("utf-8", "surrogatepass"), key, salt)).decode()


def unmask(masked: str, key: bytes) -> Secret:
    """The secret of :func:`mask`."""
    data = base64.b64decode(masked)
    return Secret(_mixed(data[16:], key, data[:16]).decode("utf-8", "surrogatepass"))


def _mixed(data: bytes, key: bytes, salt: bytes) -> bytes:
    stream = hashlib.shake_256(key + salt).digest(len(data))
    return bytes(letter ^ other for letter, other in zip(data, stream, strict=True))
