"""What a command prints, for a secret: no shell, no input, an end in time, a bounded size."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from typing import Final

from scimops.credentials.files import why

SECONDS: Final = 30.0
"""How long a command may take; long enough for a person to unlock a password store."""


def output_of(words: Sequence[str], most: int, seconds: float = SECONDS) -> tuple[bytes, str]:
    """What the command `words` prints, at most `most` bytes of it, and what went wrong (empty: nothing).

    What it says on standard error is not read: it may hold anything.
    """
    try:
        process = subprocess.Popen(  # noqa: S603  # the user's own configuration says what is run
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )
    except (OSError, ValueError) as error:
        return b"", f"cannot be started: {why(error) if isinstance(error, OSError) else 'its words are not allowed'}"
    end, parts, stream = time.monotonic() + seconds, list[bytes](), process.stdout
    assert stream is not None
    # A grandchild may hold the pipe open for ever, so the reader is left behind when time is up.
    reader = threading.Thread(target=lambda: parts.append(stream.read(most)), daemon=True)
    reader.start()
    reader.join(seconds)
    if parts and len(parts[0]) == most:
        _kill(process)
    try:
        code = process.wait(max(end - time.monotonic(), 0.1))
    except subprocess.TimeoutExpired:
        code = None
    if code is None or not parts:
        _kill(process)
        return b"", f"did not end within {seconds:g} seconds"
    stream.close()
    if len(parts[0]) == most:
        return parts[0], ""
    return parts[0], "" if code == 0 else f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}"


def _kill(process: subprocess.Popen[bytes]) -> None:
    if os.name == "posix":
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
    else:
        process.kill()
    process.wait()
