"""Secrets in files: only in the credentials folder, owner-only when we write, not for everybody when we read."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path
from typing import Final

from scimops.config import credentials_dir
from scimops.credentials.references import CredentialError, Reference
from scimops.errors import UsageError
from scimops.tokens import Secret

LARGEST: Final = 64 << 10
"""Bytes of a secret at most."""

POSIX = os.name != "nt"
"""Where modes say who may read a file; on Windows the user's own folders are the user's alone."""


def read_below(where: Reference) -> bytes:
    """What is in the file of a `file:` or `dir:` reference; at most one byte more than a secret may have.

    Raises:
        CredentialError: it is not there, lies elsewhere, or others may read or change it.
    """
    folder = credentials_dir()
    try:
        root, path = folder.resolve(), (folder / where.name).resolve()
    except (OSError, RuntimeError):  # symbolic links that lead in a circle
        root, path = folder, Path()
    if not path.is_relative_to(root):
        raise CredentialError(
            "A symbolic link leads out of the credentials folder.", where=str(where),
            advice=f"Secrets lie below {folder}; SCIMOPS_CREDENTIALS_DIR names another folder.",
        )  # fmt: skip
    for part in path.parents:
        if part.is_relative_to(root):
            _refuse_open(part, where)
    return private_bytes(path, str(where))


def private_bytes(path: Path, where: str = "") -> bytes:
    """What is in a file that is not for everybody; at most one byte more than a secret may have.

    Raises:
        CredentialError: there is none, or everybody may read or change it.
    """
    problem, advice, data = "", f"Look at {path}.", b""
    try:
        with open(path, "rb", opener=_without_waiting) as stream:  # Path.open has no opener
            mode = os.fstat(stream.fileno()).st_mode
            if POSIX and mode & 0o006:
                problem = "everybody may read or change it"
                advice = f"Set the mode of {path} to 0600 or 0440; if others use this computer, renew the secret."
            elif not stat.S_ISREG(mode):
                problem = "it is no file"
            else:
                data = stream.read(LARGEST + 1)
    except OSError as error:
        problem = why(error)
    if problem:
        raise CredentialError(f"The secret cannot be read: {problem}.", where=where or str(path), advice=advice)
    return data


def write_file(where: Reference, secret: Secret, *, overwrite: bool) -> None:
    """Put the secret into its file, whole or not at all.

    Raises:
        UsageError: there is one already.
        CredentialError: it cannot be written.
    """
    folder, problem, taken = credentials_dir(), "", False
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_open(folder, where)
        _written(folder / where.name, secret, overwrite)
    except FileExistsError:
        taken = True
    except OSError as error:
        problem = why(error)
    if taken:
        raise taken_already(where)
    if problem:
        raise CredentialError(f"The secret cannot be stored: {problem}.", where=str(where), advice=f"Look at {folder}.")


def delete_file(where: Reference) -> bool:
    """Delete the file of a reference; was there one?

    Raises:
        CredentialError: it cannot be deleted.
    """
    path, problem = credentials_dir() / where.name, ""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        problem = why(error)
    if problem:
        raise CredentialError(f"The secret cannot be deleted: {problem}.", where=str(where), advice=f"Look at {path}.")
    return True


def taken_already(where: Reference) -> UsageError:
    """There is a secret under this name, and it stays."""
    return UsageError("There is a secret already.", where=str(where), advice="Choose another name, or say --replace.")


def why(error: OSError) -> str:
    """An error of the system in words, without the path."""
    return (error.strerror or type(error).__name__).lower()


def open_to_all(path: Path) -> bool:
    """May everybody change this file or folder? Not where the sticky bit is set, as on mounted secrets."""
    mode = path.stat().st_mode if path.exists() else 0
    return POSIX and bool(mode & stat.S_IWOTH) and not mode & stat.S_ISVTX


def _without_waiting(path: str, flags: int) -> int:
    """Open, and do not wait for whoever may write into a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _refuse_open(folder: Path, where: Reference) -> None:
    if open_to_all(folder):
        raise CredentialError(
            f"Everybody may put files into {folder}.", where=str(where), advice="Set its mode to 0700."
        )


def _written(path: Path, secret: Secret, overwrite: bool) -> None:
    handle, part = tempfile.mkstemp(prefix=".part-", dir=path.parent)  # owner-only
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(secret.reveal().encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        if overwrite:
            Path(part).replace(path)
        else:
            path.hardlink_to(part)  # fails where there is one, in one step
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(part).unlink()
