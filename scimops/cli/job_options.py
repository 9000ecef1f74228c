"""Options that `run` and `schedule` share."""

from __future__ import annotations

from scimops.errors import UsageError


def parameters_of(words: list[str]) -> list[tuple[str, str]]:
    """`-p NAME VALUE -p NAME VALUE` as pairs; no word that may be a secret is repeated.

    Raises:
        UsageError: something else stands there.
    """
    pairs = []
    for start in range(0, len(words), 3):
        part = words[start : start + 3]
        if part[0] not in ("-p", "--parameter"):
            what = f'"{part[0]}"' if part[0].startswith("-") else "A word that belongs to no option"
            raise UsageError(f"{what} is not understood.", advice="Parameters are given as -p NAME VALUE.")
        if len(part) < 3:
            raise UsageError(f"{part[0]} needs a name and a value.", advice="Parameters are given as -p NAME VALUE.")
        pairs.append((part[1], part[2]))
    return pairs


def check_seconds(limits: dict[str, float | None]) -> None:
    """Limits of time by option.

    Raises:
        UsageError: one is not more than 0.
    """
    for option, seconds in limits.items():
        if seconds is not None and not 0 < seconds < float("inf"):
            raise UsageError(f"{option} must be more than 0 seconds.")
