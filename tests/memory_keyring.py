"""A keyring that keeps entries in memory, for tests; another process can ask it too."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from multiprocessing.connection import Client, Listener
from pathlib import Path

import keyring
from keyring.backend import KeyringBackend

SOCKET = "KEYRING_OF_THE_TESTS"
"""The environment's variable that says where a served keyring is asked."""


class Memory(KeyringBackend):
    """Keeps entries in memory: (service, user name) → secret."""

    priority = 5

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[service, username]


class Remote(KeyringBackend):
    """The keyring of another process, as a system's keyring is; `PYTHON_KEYRING_BACKEND=memory_keyring.Remote`."""

    priority = 5

    def get_password(self, service: str, username: str) -> str | None:
        return self._ask("get_password", service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self._ask("set_password", service, username, password)

    def _ask(self, *words: str) -> str | None:
        with Client(os.environ[SOCKET]) as connection:
            connection.send(words)
            answer: str | None = connection.recv()
            return answer


@contextlib.contextmanager
def used() -> Iterator[Memory]:
    """An empty keyring, in the place of this computer's."""
    before, backend = keyring.get_keyring(), Memory()
    keyring.set_keyring(backend)
    try:
        yield backend
    finally:
        keyring.set_keyring(before)


@contextlib.contextmanager
def served(folder: Path) -> Iterator[tuple[Memory, dict[str, str]]]:
    """An empty keyring, and the environment in which other processes use it."""
    memory, address = Memory(), str(folder / "keyring")

    def answer() -> None:
        while True:
            with contextlib.suppress(EOFError, OSError), listener.accept() as connection:
                deed, *words = connection.recv()
                connection.send(getattr(memory, deed)(*words))

    with Listener(address) as listener:
        threading.Thread(target=answer, daemon=True).start()
        paths = os.pathsep.join(filter(None, (str(Path(__file__).parent), os.environ.get("PYTHONPATH"))))
        yield memory, {SOCKET: address, "PYTHON_KEYRING_BACKEND": "memory_keyring.Remote", "PYTHONPATH": paths}
