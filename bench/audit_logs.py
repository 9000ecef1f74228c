"""Reading logs: CPU and memory of whole processes over a million lines, and over ten million with SIZE=full.

    python -m bench.audit_logs

The log is a provisioning log of the embedded platform (a line a request) or Entra ID's as Microsoft Graph gives it;
each is read into Parquet, then the lines about a thousand people are found. Memory is bounded where ten times the lines
take hardly more of it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import polars as pl

from bench.process import run

SIZES = (100_000, 1_000_000, 10_000_000) if os.environ.get("SIZE") == "full" else (100_000, 1_000_000)
PEOPLE = 1_000
FLAT = 1.6
"""How much more memory ten times the lines may take, beyond what a process of a hundred thousand takes."""


def write(kind: str, lines: int, path: Path) -> None:
    """A log of so many lines, a second apart, of a tenth as many people."""
    with path.open("w", encoding="utf-8") as out:
        out.write('{"value": [' if kind == "entra" else "")
        for number in range(lines):
            name = f"p{number % max(1, lines // 10):08}"
            second = number % 86_400
            at = f"2026-{number // 86_400 // 28 % 12 + 1:02}-{number // 86_400 % 28 + 1:02}T"
            at += f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"
            out.write("," if number and kind == "entra" else "")
            out.write((ENTRA if kind == "entra" else LINE).replace("AT", at).replace("NAME", name) + "\n")
        out.write("]}" if kind == "entra" else "")


LINE = json.dumps({
    "n": 1, "at": "AT", "token": "entra", "operation": "patch", "resource_type": "Users", "resource_id": "NAME",
    "query": None, "status": 200, "detail": None, "moves": [], "milliseconds": 4,
    "changes": [{"attribute": "userName", "old": "old@example.com", "new": "NAME@example.com"}],
})  # fmt: skip
ENTRA = json.dumps({
    "id": "e", "activityDateTime": "AT", "tenantId": "t", "changeId": "c", "provisioningAction": "update",
    "provisioningStatusInfo": {"status": "success", "errorInformation": None},
    "provisioningSteps": [{"name": "EntryExportUpdate", "status": "success", "description": "changed", "details": {}}],
    "modifiedProperties": [{"displayName": "department", "oldValue": "Sales", "newValue": "Legal"}],
    "sourceIdentity": {"id": "x-NAME", "displayName": "Ada", "identityType": "User",
                       "details": {"UserPrincipalName": "NAME@example.com"}},
    "targetIdentity": {"id": "NAME", "identityType": "User"}, "servicePrincipal": {"displayName": "Awareness"},
})  # fmt: skip


def read(path: Path, folder: Path) -> None:
    """What is measured: stage a log and find the lines about a thousand people."""
    from scimops.audit.told import lines_of, read_logs
    from scimops.backend import Backend

    logs, _ = read_logs([path], folder)
    names = pl.Series([f"p{number:08}" for number in range(PEOPLE)])
    people = pl.DataFrame({"p": range(PEOPLE), "externalId": "x-" + names, "user_key": names + "@example.com",
                           "email_key": pl.Series([None] * PEOPLE, dtype=pl.String), "user_id": names})  # fmt: skip
    found = lines_of(people, logs, Backend())
    json.dump({"lines": pl.scan_parquet(folder).select(pl.len()).collect().item(), "found": found.height}, sys.stdout)


def main() -> None:
    print(f"\nreading logs, and the lines about {PEOPLE:,} people")
    print(f"{'':18}{'lines':>12}{'cpu s':>10}{'us a line':>12}{'MiB':>10}{'found':>10}")
    for kind in ("provisioning_log", "entra"):
        peaks = []
        for lines in SIZES:
            with tempfile.TemporaryDirectory(prefix="scimops-bench-") as name:
                folder = Path(name)
                (folder / "events").mkdir()
                write(kind, lines, folder / "log.json")
                cost, text = run(["-m", "bench.audit_logs", str(folder / "log.json"), str(folder / "events")], folder)
            told = json.loads(text)
            assert told == {"lines": lines, "found": PEOPLE * 10}, told
            peaks.append(cost.peak)
            print(f"{kind:18}{lines:12,}{cost.cpu:10.1f}{cost.cpu * 1e6 / lines:12.1f}{cost.peak:10.0f}"
                  f"{told['found']:10,}")  # fmt: skip
        ratio = peaks[-1] / peaks[-2]
        print(f"memory of ten times the lines: {ratio:.2f}" + ("" if ratio <= FLAT else f"  MISSED: {FLAT}"))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        read(Path(sys.argv[1]), Path(sys.argv[2]))
    else:
        main()
