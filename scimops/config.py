"""Limits and places from the `SCIMOPS_*` environment, read when asked for."""

from __future__ import annotations

import os

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
