"""Commands that leave a record in the ledger, and the offer of a key at the first one."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scimops.cli.common import complain

if TYPE_CHECKING:
    from scimops.jobs.running import Recording

LEDGER = Annotated[
    Path | None, typer.Option(help="The ledger; SCIMOPS_LEDGER names another default.", metavar="FILE", dir_okay=False)
]


def offer_key(ledger: Path | None = None) -> None:
    """Before the first run is written: offer to make the key that signs the ledger, or say what it is without one."""
    from scimops.jobs.ledger import is_empty
    from scimops.jobs.signing import UNSIGNED, key_file

    if key_file().exists() or not is_empty(ledger):
        return
    if sys.stdin.isatty() and sys.stderr.isatty():
        complain("This is the first run that is written into the ledger. A key of your own would sign each record.")
        if typer.confirm("Make the key now?", default=True, err=True):
            new_key()
            return
    complain(f"{UNSIGNED} To sign from now on: scimops runs key")


def new_key() -> None:
    """Make the key, and say what to do with its public half."""
    from scimops.jobs.signing import make_key

    complain(f"The key is made. Give {make_key()} to whoever is to check the ledger; a copy that you cannot change.")


@contextmanager
def recorded(
    step: str, command: str, parameters: Mapping[str, Any], ledger: Path | None = None
) -> Iterator[Recording]:  # fmt: skip
    """What is inside of `with` is in the ledger afterwards; see :func:`scimops.jobs.running.recorded`."""
    from scimops.jobs.running import recorded as kept

    offer_key(ledger)
    with kept(step, command, parameters, ledger) as recording:
        yield recording
