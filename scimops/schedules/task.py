"""What a scheduler is to run, and what it is given for that."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from scimops.errors import UsageError


@dataclass(frozen=True)
class Task:
    """One command of scimops. Paths are whole and text, because some are of another computer.

    `name` has only small letters, digits and `-`. `option` is `-f` (`given` are parameters) or `--each` (companies).
    `report` is the folder of the report. `state` is the ledger's folder. `user` owns the run. `environment` are the
    `SCIMOPS_*` that say where things are. `references` are the parameters' values that name a secret.
    """

    name: str
    program: str
    notebook: str
    option: str
    given: str
    report: str
    state: str
    user: str
    timeout: float | None = None
    environment: dict[str, str] = field(default_factory=dict)
    references: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The command as a list of words: the program first, no shell in between."""
        limit = ("--timeout", f"{self.timeout:g}") if self.timeout else ()
        kept = ("--dated",) if self.option == "-f" else ()  # with --each it is so by itself
        return (self.program, "run", self.notebook, self.option, self.given, "--out", self.report, *kept, *limit)


@dataclass(frozen=True)
class Made:
    """What a scheduler is given: files by name, and what a person is told of them, a line each."""

    files: dict[str, bytes]
    install: tuple[str, ...]
    watch: tuple[str, ...]
    remove: tuple[str, ...]
    notes: tuple[str, ...]


def task_name(text: str) -> str:
    """`text` as a name that every scheduler takes: `02-preview-groups` of `02_preview_groups`."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "notebook"


def refuse_letters(task: Task, letters: str, scheduler: str) -> None:
    """Some letters of a path mean something else to a scheduler, whatever is done about it.

    Raises:
        UsageError: a path, or a place in the environment, has one of `letters` or a control character.
    """
    for text in (*task.words, *task.environment.values(), task.state):
        found = [letter for letter in text if letter in letters or not letter.isprintable()]
        if found:
            raise UsageError(
                f"{scheduler} cannot be given a path with {found[0]!a} in it.",
                where=text.encode("unicode_escape").decode(), advice="Move it to a folder without such a letter.",
            )  # fmt: skip
