"""The runner killed at random moments: disk and ledger are whole, say that it was broken off, hold no secret."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from scimops.jobs.history import runs
from scimops.jobs.running import write_broken
from scimops.jobs.verify import verify

SECRET = "printed-all-the-time-44q"

CELL = """
from scimops import credentials
import os, pathlib, sys
pathlib.Path(out, 'kernel').write_text(str(os.getpid()))
secret = credentials.resolve('file:probe').reveal()
for _ in range(400):
    sys.stdout.write(secret[:9]); sys.stdout.flush()
    print(secret[9:], secret, flush=True)
"""


@pytest.mark.long
def test_killed_at_twenty_random_moments(job, tmp_path):
    seed = int(os.environ.get("SCIMOPS_FUZZ_SEED", random.randrange(10**6)))
    moments, credentials = random.Random(seed), tmp_path / "credentials"
    credentials.mkdir(mode=0o700)
    (credentials / "probe").touch(mode=0o600)
    (credentials / "probe").write_text(SECRET)
    path = job(*[CELL] * 12)
    broken = whole = 0
    for number in range(20):
        home = tmp_path / f"run{number}"
        for name in ("out", "tmp"):
            (home / name).mkdir(parents=True)
        ledger = home / "runs.ndjson"
        places = {"TMPDIR": home / "tmp", "SCIMOPS_CREDENTIALS_DIR": credentials, "SCIMOPS_LEDGER": ledger}
        environment = {**os.environ, **{name: str(place) for name, place in places.items()}}
        command = [sys.executable, "-m", "scimops", "run", str(path), "--out", str(home / "out")]
        process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        # from the first cell on, until long after the end
        while process.poll() is None and not (home / "out" / "kernel").exists():
            time.sleep(0.01)
        time.sleep(moments.random() * 6)
        process.send_signal(signal.SIGKILL)
        _, complaint = process.communicate()
        write_broken(ledger)  # what the next start does first
        for file in home.rglob("*"):
            if file.is_file():
                assert SECRET.encode() not in file.read_bytes(), f"{file.name}, seed {seed}"
        assert SECRET not in complaint
        first = nbformat.read(home / "out" / "job.ipynb", as_version=4).cells[0].source.splitlines()[0]
        assert first in ("# Not ended", "# Completed: exit code 0")
        (logged,) = runs(ledger)
        # killed between its last cell and the ledger it is whole on disk, and nobody saw how it ended
        assert logged.record.outcome in (("broken",) if first == "# Not ended" else ("completed", "broken"))
        assert logged.record.parameters["out"] == str(home / "out")
        assert verify(ledger).good
        broken, whole = broken + (first == "# Not ended"), whole + (first != "# Not ended")
        kernel = Path(f"/proc/{(home / 'out' / 'kernel').read_text()}")
        ends = time.monotonic() + 20
        while kernel.exists() and time.monotonic() < ends:
            time.sleep(0.1)
        assert not kernel.exists(), "the kernel ends itself when its runner is gone"
    print(f"\nseed {seed}: killed 20 times: {broken} broken off, {whole} were through; no secret on disk")  # noqa: T201
    assert broken
