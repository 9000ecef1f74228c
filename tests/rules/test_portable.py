"""What runs under Windows too: no call that only POSIX knows, on the way from a file to a preview and a job."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "scimops"
FILES = sorted(path for path in PACKAGE.rglob("*.py"))

POSIX_MODULES = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty", "crypt", "nis", "spwd"}
OS = """
    fork forkpty wait wait3 wait4 getuid geteuid getgid getegid setuid setgid setsid getpgid setpgid killpg chown lchown
    fchown fchmod mkfifo nice uname sysconf pread pwrite posix_spawn sched_getaffinity getloadavg openpty statvfs
    O_NOFOLLOW O_DIRECTORY
"""
SIGNAL = "SIGKILL SIGHUP SIGUSR1 SIGUSR2 SIGALRM SIGCHLD SIGQUIT SIGSTOP alarm setitimer pthread_sigmask sigwait"
POSIX_ONLY = {"os": set(OS.split()), "signal": set(SIGNAL.split()), "time": {"tzset"}}
POSIX_ARGUMENTS = {"preexec_fn", "pass_fds"}
GUARDS = ("os.name", "sys.platform", "hasattr", "platform.system")
CHMODS = {"chmod", "lchmod", "fchmod"}


def posix_calls(source: str) -> Iterator[tuple[int, str]]:
    """Line and name of everything that only POSIX has, unless an `if` or `try` about that stands around it."""
    yield from _walk(ast.parse(source), guarded=False)


def _walk(node: ast.AST, guarded: bool) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.If | ast.IfExp):
        guarded = guarded or any(guard in ast.unparse(node.test) for guard in GUARDS)
    elif isinstance(node, ast.Try):
        caught = " ".join(ast.unparse(handler.type) for handler in node.handlers if handler.type)
        guarded = guarded or any(kind in caught for kind in ("ImportError", "AttributeError", "NotImplementedError"))
    if not guarded:
        yield from _named(node)
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, guarded)


def _named(node: ast.AST) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        names = [f"{node.value.id}.{node.attr}"] if node.value.id in POSIX_ONLY else []
    elif isinstance(node, ast.Call):
        names = [f"subprocess.{word.arg}" for word in node.keywords if word.arg in POSIX_ARGUMENTS]
    else:
        return
    for name in names:
        module, _, attribute = name.partition(".")
        if module in POSIX_MODULES or attribute in POSIX_ONLY.get(module, set()) | POSIX_ARGUMENTS:
            yield node.lineno, name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_call_that_only_posix_knows(path: Path) -> None:
    assert list(posix_calls(path.read_text("utf-8"))) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_modes_are_numbers_that_windows_only_ignores(path: Path) -> None:
    """`chmod(0o700)` does no harm under Windows; a mode computed from `stat` bits there would."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHMODS:
            assert isinstance(node.args[-1], ast.Constant), f"line {node.lineno}"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import os\nos.fork()", [(2, "os.fork")]),
        ("import fcntl", [(1, "fcntl")]),
        ("resource = {}\nresource.items()", []),
        ("run(words, preexec_fn=f)", [(1, "subprocess.preexec_fn")]),
        ("from signal import SIGKILL", [(1, "signal.SIGKILL")]),
        ("import os\nif os.name == 'posix':\n    os.getuid()", []),
        ("import os\nif hasattr(os, 'geteuid'):\n    os.geteuid()", []),
        ("try:\n    import pwd\nexcept ImportError:\n    pwd = None", []),
        ("try:\n    import pwd\nexcept ValueError:\n    pass", [(2, "pwd")]),
        ("def f():\n    import resource\n    return os.getpid()", [(2, "resource")]),
    ],
)
def test_the_walk_itself(source: str, found: list[tuple[int, str]]) -> None:
    assert list(posix_calls(source)) == found
