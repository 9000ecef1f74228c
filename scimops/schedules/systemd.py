"""A service and a timer for systemd (systemd.service(5), systemd.timer(5), systemd.exec(5)); needs systemd 250."""

from __future__ import annotations

from typing import Final

from scimops.schedules.every import DAYS, Rhythm
from scimops.schedules.task import Made, Task, refuse_letters

_HARDENED: Final = """\
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
CapabilityBoundingSet=
SystemCallArchitectures=native
UMask=0077
"""


_WRITTEN: Final = "Environment=IPYTHONDIR=%T/ipython JUPYTER_RUNTIME_DIR=%T/jupyter"
"""What Jupyter writes into a home: the service's own folder for temporary files instead."""

_CREDENTIALS: Final = (
    "# Secrets that only this service is to see: one line for each file: reference, also those of connections.yaml,",
    "# and the folder where systemd puts them for this service alone. See systemd-creds(1) for encrypted ones.",
    "#LoadCredential=NAME:/etc/scimops/NAME",
    '#Environment="SCIMOPS_CREDENTIALS_DIR=%d"',
)


def make(task: Task, rhythm: Rhythm) -> Made:
    """The two units.

    Raises:
        UsageError: a path that cannot stand in a unit.
    """
    refuse_letters(task, "", "systemd")
    unit = f"scimops-{task.name}"
    place = "/etc/systemd/system"
    clock = rhythm.zone or "the computer's own"
    notes = [
        "Catch-up: Persistent=true. Runs missed while the computer was off are made up by one, after it starts.",
        f"Time zone: {clock}. A code other than 0 makes the service failed: systemctl --failed, OnFailure=.",
        f"The service may write only into {task.report} and {task.state}: add ReadWritePaths= for what else it writes.",
    ]
    notes += [f"A service has no {word}: use a file: reference instead." for word in task.references
              if word.startswith(("env:", "keyring:"))]  # fmt: skip
    return Made(
        {f"{unit}.service": _service(task).encode(), f"{unit}.timer": _timer(task, rhythm).encode()},
        (f"sudo cp {unit}.service {unit}.timer {place}/", "sudo systemctl daemon-reload",
         f"sudo systemctl enable --now {unit}.timer"),
        (f"systemctl list-timers {unit}.timer", f"journalctl -u {unit}.service",
         f"sudo systemctl start {unit}.service (runs it now)"),
        (f"sudo systemctl disable --now {unit}.timer", f"sudo rm {place}/{unit}.service {place}/{unit}.timer",
         "sudo systemctl daemon-reload"),
        tuple(notes),
    )  # fmt: skip


def _service(task: Task) -> str:
    told = [f"Environment={_quoted(f'{name}={value}')}" for name, value in task.environment.items()]
    # a leading colon: no $ is a variable; two minutes more than scimops' own limit, so that the run marks itself
    limit = f"{task.timeout + 120:g}" if task.timeout else "infinity"
    lines = [
        "[Unit]", f"Description=scimops {task.name}", "Documentation=man:systemd.exec(5)",
        "Wants=network-online.target", "After=network-online.target", "",
        "[Service]", "Type=oneshot", f"User={task.user}",
        f"ExecStart=:{' '.join(map(_quoted, task.words))}", _WRITTEN, *told, *_CREDENTIALS,
        f"TimeoutStartSec={limit}", "TimeoutStopSec=60", "KillMode=mixed",
        f"ReadWritePaths={_quoted(task.report)} {_quoted(task.state)}", _HARDENED,
    ]  # fmt: skip
    return "\n".join(lines)


def _timer(task: Task, rhythm: Rhythm) -> str:
    days = "" if len(rhythm.days) == 7 else ",".join(DAYS[day].capitalize() for day in rhythm.days) + " "
    hours = "*" if len(rhythm.hours) == 24 else ",".join(f"{hour:02}" for hour in rhythm.hours)
    minutes = ",".join(f"{minute:02}" for minute in rhythm.minutes)
    when = f"{days}*-*-* {hours}:{minutes}:00 {rhythm.zone}".rstrip()
    lines = [
        "[Unit]", f"Description=When scimops {task.name} runs", "",
        "[Timer]", f"OnCalendar={when}", "Persistent=true", "AccuracySec=1s", "",
        "[Install]", "WantedBy=timers.target", "",
    ]  # fmt: skip
    return "\n".join(lines)


def _quoted(word: str) -> str:
    """A word in quotes: backslash and quote by a backslash, a percent sign twice, for it begins a specifier."""
    text = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{text}"'
