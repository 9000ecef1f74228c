"""Secrets taken out of a text: each one that this process knows, however it is written there.

A text that is printed or saved has been quoted, escaped and encoded by others: by a URL, JSON (twice, in a notebook),
`repr`, HTML, base64 (in a Basic header together with the user). A secret is found in all of these. Tokens of scimops
are found by their form too, known or not.
"""

from __future__ import annotations

import base64
import html
import re
import threading
from collections.abc import Iterator
from typing import Final

from scimops import tokens
from scimops.errors import UsageError
from scimops.tokens import Secret

MARKER: Final = "[secret]"

SHORTEST: Final = 8
"""Characters of a secret at least: a shorter one would stand in texts by chance and could not be taken out of them."""

_known: dict[Secret, tuple[_Form, ...]] = {}
_lock = threading.Lock()
_PLAIN = re.compile(r"[A-Za-z0-9]+")
_ESCAPES = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
_SLASH = r"(?:\\|%(?:25)?5[Cc]|&#0{0,4}92;|&#[xX]0{0,4}5[Cc];)"
_BASE64 = "[A-Za-z0-9+/_-]"


class _Form:
    """One way in which a secret is written; `anchor` is a part of it that nothing escapes, sought first."""

    __slots__ = ("anchor", "pattern")

    def __init__(self, text: str, before: str = "", after: str = "") -> None:
        self.anchor = max(_PLAIN.findall(text), key=len, default="")
        self.pattern = re.compile(before + _pattern(text) + after, re.DOTALL)

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where it stands."""
        if self.anchor in text:
            for found in self.pattern.finditer(text):
                yield found.span()


def known(secret: Secret) -> Secret:
    """From now on :func:`redact` takes `secret` out; gives it back.

    Raises:
        UsageError: it has fewer than 8 characters.
    """
    if len(secret.reveal()) < SHORTEST:
        raise UsageError(f"A secret has at least {SHORTEST} characters.", advice="Take a longer one.")
    with _lock:
        if secret not in _known:
            _known[secret] = tuple(_forms(secret.reveal()))
    return secret


def known_secrets() -> tuple[Secret, ...]:
    """Every secret that :func:`redact` takes out here: a job's kernel tells its runner of them."""
    with _lock:
        return tuple(_known)


def redact(text: str) -> str:
    """`text` with every known secret replaced by a marker, and every token of scimops reduced to its hint."""
    with _lock:
        forms = [form for each in _known.values() for form in each]
    parts, end = [], 0
    for first, last in sorted(span for form in forms for span in form.spans(text)):
        if first >= end:
            parts += [text[end:first], MARKER]
        end = max(end, last)
    return tokens.redact("".join([*parts, text[end:]]))


def _forms(secret: str) -> Iterator[_Form]:
    yield _Form(secret)
    data = secret.encode("utf-8", "surrogatepass")
    for offset in range(3):  # what stands before it decides which bits share a letter
        encoded = base64.b64encode(bytes(offset) + data).decode()
        first, last = -(-offset * 8 // 6), (offset + len(data)) * 8 // 6  # the letters that are of the secret alone
        shared = [f"{_BASE64}?" if bits % 6 else "" for bits in (offset * 8, (offset + len(data)) * 8)]
        for letters in {encoded[first:last], encoded[first:last].translate(str.maketrans("+/", "-_"))}:
            yield _Form(letters, shared[0], shared[1] + "={0,2}")
    for digits in (data.hex(), data.hex().upper()):
        yield _Form(digits)


def _pattern(text: str) -> str:
    """A pattern of `text` as it is, quoted for a URL, or escaped a few times over.

    Runs of backslashes are counted together with what follows, so that no text makes the search slow.
    """
    parts = []
    for slashes, letter in re.findall(r"(\\*)([^\\]?)", text, re.DOTALL):
        count = len(slashes)
        if count:
            parts.append(f"{_SLASH}{{{count},{8 * count + 8}}}")
        elif letter and not _PLAIN.match(letter):
            parts.append(f"{_SLASH}{{0,8}}")
        if letter:
            parts.append(letter if _PLAIN.match(letter) else f"(?:{'|'.join(_writings(letter))})")
    return "".join(parts)


def _writings(letter: str) -> Iterator[str]:
    """How one letter that is no plain one is written, the longer ones first; backslashes before it are the caller's."""
    data, number = letter.encode("utf-8", "surrogatepass"), ord(letter)
    halves = letter.encode("utf-16-be", "surrogatepass")
    yield "".join(f"%(?:25)?(?i:{byte:02x})" for byte in data)
    yield f"{_SLASH}{{1,8}}".join(f"u(?i:{halves[place : place + 2].hex()})" for place in range(0, len(halves), 2))
    yield f"{_SLASH}{{1,8}}".join(f"x(?i:{byte:02x})" for byte in data)
    yield f"x(?i:{number:02x})" if number < 256 else f"U(?i:{number:08x})"
    yield f"&#0{{0,4}}{number};"
    yield f"&#[xX]0{{0,4}}(?i:{number:x});"
    if letter in _ESCAPES:
        yield _ESCAPES[letter]
    if letter in "<>&\"'":
        yield re.escape(html.escape(letter))
    if letter == " ":
        yield r"\+"
    yield re.escape(letter)
    if letter in "\"'":
        yield letter * 2  # CSV and YAML; last, so that the quote that ends a JSON text is not taken
