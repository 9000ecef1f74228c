"""Limits and places from the `SCIMOPS_*` environment, read when asked for."""

from __future__ import annotations

import os
from pathlib import Path

from scimops.errors import UsageError

GIB = 1 << 30


def max_bytes() -> int:
    """How many bytes of one source are read at most after decompression (`SCIMOPS_MAX_BYTES`, default 8 GiB).

    Raises:
        UsageError: the variable is not a positive whole number.
    """
    text = os.environ.get("SCIMOPS_MAX_BYTES", "")
    if not text:
        return 8 * GIB
    if not text.isdecimal() or not int(text):
        raise UsageError(f'SCIMOPS_MAX_BYTES is "{text}", not a number of bytes.', advice="Write digits only.")
    return int(text)


def config_dir() -> Path:
    """The folder of the user's own configuration (`SCIMOPS_CONFIG`, default where the system keeps such).

    Raises:
        UsageError: the variable names no whole path.
    """
    from platformdirs import user_config_path

    return _folder("SCIMOPS_CONFIG") or user_config_path("scimops", appauthor=False)


def credentials_dir() -> Path:
    """The folder below which `file:` and `dir:` find secrets (`SCIMOPS_CREDENTIALS_DIR`, default in `config_dir`).

    Raises:
        UsageError: the variable names no whole path.
    """
    return _folder("SCIMOPS_CREDENTIALS_DIR") or config_dir() / "credentials"


def ledger_file() -> Path:
    """The ledger of all runs (`SCIMOPS_LEDGER`, default `runs.ndjson` where the system keeps a program's state).

    Raises:
        UsageError: the variable names no whole path of a file.
    """
    from platformdirs import user_state_path

    return _file("SCIMOPS_LEDGER") or user_state_path("scimops", appauthor=False) / "runs.ndjson"


def notifications_file() -> Path | None:
    """The document that says who is told of runs (`SCIMOPS_NOTIFICATIONS`); None where nobody is.

    Raises:
        UsageError: the variable names no whole path of a file.
    """
    return _file("SCIMOPS_NOTIFICATIONS")


def _file(variable: str) -> Path | None:
    text = os.environ.get(variable, "")
    if not text:
        return None
    if not Path(text).is_absolute() or Path(text).is_dir():
        raise UsageError(f'{variable} is "{text}", not the whole path of a file.', advice="Begin it at the root.")
    return Path(text)


def _folder(variable: str) -> Path | None:
    text = os.environ.get(variable, "")
    if not text:
        return None
    if not Path(text).is_absolute() or Path(text).is_file():
        raise UsageError(f'{variable} is "{text}", not the whole path of a folder.', advice="Begin it at the root.")
    return Path(text)
