"""A line of a crontab (crontab(5) of Debian and of cronie, which differ in what a backslash means)."""

from __future__ import annotations

import shlex

from scimops.errors import UsageError
from scimops.schedules.every import Rhythm
from scimops.schedules.task import Made, Task, refuse_letters


def make(task: Task, rhythm: Rhythm) -> Made:
    """The line, in a file of its own.

    Raises:
        UsageError: a time zone, which cron does not know, or a path that cannot stand in a line.
    """
    if rhythm.zone:
        raise UsageError(
            "cron runs by the computer's own time zone.",
            advice="Leave out --time-zone, or choose --as systemd, kubernetes or airflow.",
        )
    refuse_letters(task, "\\", "cron")
    told = [f"{name}={_quoted(value)}" for name, value in task.environment.items()]
    line = " ".join([rhythm.cron, *told, *map(_quoted, (*task.words, "--quiet"))])
    file = f"{task.name}.cron"
    notes = [
        "Catch-up: none. A run that falls while the computer is off or asleep does not happen.",
        "Time zone: the computer's own. cron mails what the command prints, and with --quiet that is what went wrong.",
    ]
    notes += [f"cron has no {word}: use a file: reference instead." for word in task.references
              if word.startswith(("env:", "keyring:"))]  # fmt: skip
    return Made(
        {file: f"# scimops {task.name}\n{line}\n".encode()},
        (f"(crontab -l 2>/dev/null; cat {file}) | crontab -",),
        ("crontab -l", "grep CRON /var/log/syslog (or journalctl -u cron)"),
        ("crontab -e, then delete the two lines",),
        tuple(notes),
    )


def _quoted(word: str) -> str:
    r"""`word` for a shell inside of a crontab, where `%` ends the command.

    `\%` stands outside of quotes: whether this cron takes the backslash away or leaves it to the shell, `%` remains.
    """
    return r"\%".join(shlex.quote(part) if part else "" for part in word.split("%")) or "''"
