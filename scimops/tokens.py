"""Secret tokens: made, hashed, verified, described, found in a text.

A token is a prefix that people and secret scanners recognise, 256 random bits in base 62 and a checksum, so that a
token that was copied in part is told from one that is not known. At rest there is only its SHA-256: with 256 random
bits a slow hash would add nothing. Everything here takes and gives :class:`Secret`, which no log or traceback shows.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import zlib
from typing import Final, NoReturn

TOKEN: Final = "scimops_"  # noqa: S105  # a prefix
"""The prefix of a SCIM setting's token, which an identity provider holds."""

CLIENT_SECRET: Final = "scimops_secret_"  # noqa: S105  # a prefix
"""The prefix of the secret of a management credential (OAuth client credentials)."""

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BITS, _RANDOM, _CHECKSUM = 256, 43, 6  # 62 ** 43 > 2 ** 256, 62 ** 6 > 2 ** 32
HINT = 4

TOKENS = re.compile(rf"{TOKEN}(?:secret_)?[0-9A-Za-z]{{{_RANDOM + _CHECKSUM}}}(?![0-9A-Za-z])")
"""Finds tokens and client secrets in a text, for a hunt or for redaction."""


class Secret:
    """A text that is shown by :meth:`reveal` and by nothing else: not by str, repr, format, pickle or JSON."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret(…{hint(self._text)})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(_bytes(self._text), _bytes(other._text))

    def __hash__(self) -> int:
        return hash(hash_token(self._text))

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret is never pickled or copied.")


def make_token(prefix: str = TOKEN) -> Secret:
    """A new token: prefix, 256 random bits, checksum."""
    body = prefix + _base62(secrets.randbits(_BITS), _RANDOM)
    return Secret(body + _checksum(body))


def looks_like_token(text: str, prefix: str = TOKEN) -> bool:
    """Is `text` a whole token with this prefix: right length, letters and checksum? Says not if it is known."""
    body, checksum = text[:-_CHECKSUM], text[-_CHECKSUM:]
    digits = text.removeprefix(prefix)
    return (
        text.startswith(prefix)
        and len(digits) == _RANDOM + _CHECKSUM
        and all(digit in _DIGITS for digit in digits)
        and hmac.compare_digest(_checksum(body), checksum)
    )


def hash_token(text: str) -> str:
    """What is kept of a token: its SHA-256, in hex."""
    return hashlib.sha256(_bytes(text)).hexdigest()


def verify_token(text: str, hashed: str) -> bool:
    """Is `text` the token whose :func:`hash_token` is `hashed`? Takes as long for a wrong one as for the right one."""
    return hmac.compare_digest(hash_token(text), hashed)


def hint(text: str) -> str:
    """The last characters of a token, by which people tell tokens apart; nothing of a text too short to be one."""
    return text[-HINT:] if len(text) > _RANDOM else ""


def redact(text: str) -> str:
    """`text` with every token in it reduced to its hint."""
    return TOKENS.sub(lambda found: f"[token …{hint(found[0])}]", text)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode("utf-8", "surrogatepass")), _CHECKSUM)


def _base62(number: int, width: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 62)
        digits = _DIGITS[digit] + digits
    return digits.rjust(width, _DIGITS[0])
