"""What a reference to a secret says: where it is, never what it is."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from scimops.errors import ScimopsError, UsageError

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
_NAMES = {
    "env": r"SCIMOPS_[A-Z0-9_]{1,100}", "keyring": _NAME, "file": _NAME, "dir": f"{_NAME}/{_NAME}",
}  # fmt: skip
_HOW = 'Write env:SCIMOPS_NAME, keyring:NAME, file:NAME, dir:NAME/KEY or cmd:["pass", "show", "x"].'


class CredentialError(ScimopsError):
    """A secret that cannot be fetched or stored. Neither it nor anything of its file is ever told."""


@dataclass(frozen=True)
class Reference:
    """Where a secret is; `str` of it is for people and shows no argument of a command."""

    kind: str
    name: str = ""
    command: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f'cmd:["{self.command[0]}", …]' if self.command else f"{self.kind}:{self.name}"


def parse_reference(text: str) -> Reference:
    """What a reference says.

    Raises:
        UsageError: it is none. It is not repeated: it may be a secret that was pasted there.
    """
    kind, _, name = text.partition(":")
    if kind == "cmd" and (command := _arguments(name)):
        return Reference(kind, command=command)
    if kind in _NAMES and re.fullmatch(_NAMES[kind], name):
        return Reference(kind, name)
    if kind == "env":
        raise UsageError("An env: reference does not name a variable that begins with SCIMOPS_.", advice=_HOW)
    if kind in _NAMES or kind == "cmd":
        raise UsageError(f"A {kind}: reference is not written as it must be.", advice=_HOW)
    raise UsageError(
        "Something that is no reference stands where one belongs; if it is a secret, it is not safe there.",
        advice=f"{_HOW} `scimops connection add` asks for a secret and stores it.",
    )


def _arguments(text: str) -> tuple[str, ...]:
    try:
        words = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    good = isinstance(words, list) and words and all(isinstance(word, str) and "\0" not in word for word in words)
    return tuple(words) if good and words[0] else ()
